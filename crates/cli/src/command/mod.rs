//! One file per command; `rules`, `scan`, `db`, `vuln` and `policy` hold their verbs.
use crate::exit::Outcome;

mod vuln;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Advisory tools: compare versions
    #[command(subcommand)]
    Vuln(vuln::Verb),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Vuln(verb) => verb.run(),
        }
    }
}
