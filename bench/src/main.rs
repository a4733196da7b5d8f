//! Measurements of whole processes, for which `make bench` is too small: a dump to scan, an agent beside its API
//! server, a webhook under load, another judge beside ours. `make bench-whole` runs them all.
mod whole;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measurements of whole processes", disable_version_flag = true)]
struct Call {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write a cluster as files, one for each namespace
    Dump(whole::dump::Args),
    /// Judge pods by templates in Rego, gator beside us: equal verdicts first, then times
    Gator(whole::gator::Args),
    /// Serve a cluster as an API server does, until standard input ends
    Api(whole::api::Args),
    /// Watch such a cluster in an agent: its memory, and how long a change takes to its record
    Agent(whole::agent::Args),
    /// Answer reviews by HTTPS until standard input ends, then print the counters
    Webhook(whole::webhook::Args),
    /// Send recorded reviews to such a webhook at a fixed rate, whether it keeps up or not
    Reviews(whole::reviews::Args),
    /// Let the feeds change day by day beside many images: what each day costs, and that it says what a full match does
    Rescan(whole::rescan::Args),
}

fn main() -> anyhow::Result<()> {
    match Call::parse().verb {
        Verb::Dump(args) => args.run(),
        Verb::Gator(args) => args.run(),
        Verb::Api(args) => args.run(),
        Verb::Agent(args) => args.run(),
        Verb::Webhook(args) => args.run(),
        Verb::Reviews(args) => args.run(),
        Verb::Rescan(args) => args.run(),
    }
}
