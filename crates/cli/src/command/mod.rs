//! One file per command; `rules`, `scan`, `db`, `vuln` and `policy` hold their verbs.
use crate::exit::Outcome;

mod db;
mod replay;
mod rules;
mod vuln;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The advisory index: build, update, inspect
    #[command(subcommand)]
    Db(db::Verb),
    /// Event rules: check, list and test files in Falco's language
    #[command(subcommand)]
    Rules(rules::Verb),
    /// Run recorded events through the rules and print the alerts
    Replay(replay::Args),
    /// Advisory tools: compare versions
    #[command(subcommand)]
    Vuln(vuln::Verb),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Db(verb) => verb.run(),
            Self::Rules(verb) => verb.run(),
            Self::Replay(args) => args.run(),
            Self::Vuln(verb) => verb.run(),
        }
    }
}
