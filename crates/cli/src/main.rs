//! The `seawall` binary: one file per command, under `command/`.
//!
//! stdout carries the result alone; progress and problems go to stderr. Exit codes: 0 pass, 1 findings at or over
//! the threshold, 2 usage or configuration, 3 could not run, 4 coverage incomplete; 2 beats 3 beats 1 beats 4.

mod command;
mod entry;
mod exit;
mod files;
mod link;
mod names;
mod node;
mod output;
mod sink;

use clap::Parser;
use std::process::ExitCode;

/// Container security for Kubernetes: hardening, vulnerabilities and runtime protection in one binary.
#[derive(Parser)]
#[command(name = "seawall", version, arg_required_else_help = true, max_term_width = 100)]
struct Seawall {
    /// What to log on stderr: error, warn, info, debug or a filter such as `seawall_hub=debug`
    #[arg(long, env = "SEAWALL_LOG", global = true, default_value = "warn", value_name = "FILTER")]
    log: String,
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> ExitCode {
    names::resolve_without_plugins();
    let seawall = Seawall::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&seawall.log);
    let filter = match filter {
        Ok(filter) => filter,
        Err(error) => {
            output::error(&format!("`--log {}` is no filter: {error}", seawall.log), None);
            return exit::USAGE.into();
        }
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match seawall.command.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::error(&failure.message(), failure.help());
            failure.code()
        }
    }
}
