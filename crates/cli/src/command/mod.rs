//! One file per command; `rules`, `scan`, `db`, `vuln` and `policy` hold their verbs.
use crate::exit::Outcome;

mod db;
mod vuln;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The advisory index: build, update, inspect
    #[command(subcommand)]
    Db(db::Verb),
    /// Advisory tools: compare versions
    #[command(subcommand)]
    Vuln(vuln::Verb),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Db(verb) => verb.run(),
            Self::Vuln(verb) => verb.run(),
        }
    }
}
