//! The project's own chores: `cargo xtask tidy` and `cargo xtask gen`.
//!
//! Tidy holds what no compiler holds: arrows between rooms, content metadata, nothing outside the tree.

mod generated;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy | gen

  tidy   check arrows, orphans, ids, techniques, content tests, engines, sizes and generated files
  gen    write the generated files (OpenAPI document, web client types)
";

#[expect(clippy::print_stdout, reason = "a command-line program prints")]
fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let verb = std::env::args().nth(1).unwrap_or_default();
    let outcome = match verb.as_str() {
        "tidy" => tidy::run(root).map(|complaints| {
            complaints.iter().for_each(|complaint| println!("{complaint}"));
            let errors = complaints.iter().filter(|complaint| !complaint.warning).count();
            println!("tidy: {errors} errors, {} warnings", complaints.len() - errors);
            if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }),
        "gen" => generated::write(root).map(|()| ExitCode::SUCCESS),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{verb}: {error:#}");
        ExitCode::from(3)
    })
}
