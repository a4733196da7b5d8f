//! One file per command; `rules`, `scan`, `db`, `vuln` and `policy` hold their verbs.
use crate::exit::Outcome;

mod agent;
mod cluster;
mod db;
mod hub;
mod image_source;
mod manifests;
mod objects;
mod policy;
mod replay;
mod report_file;
pub(crate) mod rules;
mod sbom;
mod scan;
mod sensor;
mod target;
mod up;
mod vuln;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Watch this machine: hub, sensor, image scans, and the cluster of a kubeconfig
    Up(up::Args),
    /// Serve user interface, API and agents
    Hub(hub::Args),
    /// Watch a cluster for a hub, and answer its API server's admission reviews
    Agent(agent::Args),
    /// Watch this node's kernel and packages for a hub, or print alerts
    Sensor(sensor::Args),
    /// Scan an image, a root file system, a bill of materials, Kubernetes manifests or a cluster
    #[command(subcommand)]
    Scan(scan::Verb),
    /// Write the bill of materials of an image or a directory
    Sbom(Box<sbom::Args>),
    /// The advisory index: build, update, inspect
    #[command(subcommand)]
    Db(db::Verb),
    /// Advisory tools: compare versions
    #[command(subcommand)]
    Vuln(vuln::Verb),
    /// Event rules: check, list and test files in Falco's language
    #[command(subcommand)]
    Rules(rules::Verb),
    /// Run recorded events through the rules and print the alerts
    Replay(replay::Args),
    /// Controls: run their tests
    #[command(subcommand)]
    Policy(policy::Verb),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Up(args) => args.run(),
            Self::Hub(args) => args.run(),
            Self::Agent(args) => args.run(),
            Self::Sensor(args) => args.run(),
            Self::Scan(verb) => verb.run(),
            Self::Sbom(args) => args.run(),
            Self::Db(verb) => verb.run(),
            Self::Vuln(verb) => verb.run(),
            Self::Rules(verb) => verb.run(),
            Self::Replay(args) => args.run(),
            Self::Policy(verb) => verb.run(),
        }
    }
}
