//! The project's own chores: `cargo xtask tidy`, `gen`, `checklist`, `image` and `dist`.
//!
//! Tidy holds what no compiler holds: arrows between rooms, content metadata, nothing outside the tree. Image and dist
//! make what users install, the same bytes from the same sources.

mod archive;
mod binary;
mod chart;
mod checklist;
mod deb;
mod dist;
mod generated;
mod image;
mod options;
mod sbom;
mod tidy;
mod types;

use options::Options;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy | gen | types FILE | checklist [DIR] | image [OPTIONS] | dist [OPTIONS]

  tidy   check arrows, orphans, ids, techniques, content tests, engines, sizes and generated files
  gen    write the generated files (OpenAPI document, web client types)
  types  write the type table of Kubernetes' objects from FILE, the /openapi/v2 of an API server
  checklist  print each row of the checklists in DIR [default: ../shared/facts] with the controls that answer it
  image  make the OCI image: one archive that is an OCI layout and what `docker load` and `ctr images import` read
  dist   make the release artifacts: binary, Debian package, image, chart, SBOM, checksums

  --binary FILE   image, dist: take this binary, with its shared libraries if it has any, instead of building a static one
  --out PATH      image: the archive [default: target/seawall-image.tar]; dist: the folder [default: dist]
  --name NAME     image: its name and tag [default: seawall:VERSION]
  SOURCE_DATE_EPOCH   seconds since 1970 that artifacts carry as their time [default: 0]
";

#[expect(clippy::print_stdout, reason = "a command-line program prints")]
fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    if verb == "types" {
        let Some(file) = arguments.next() else {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        };
        return match types::run(root, &file) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{verb}: {error:#}");
                ExitCode::from(3)
            }
        };
    }
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{verb}: {error:#}");
            return ExitCode::from(2);
        }
    };
    let outcome = match verb.as_str() {
        "tidy" => tidy::run(root).map(|complaints| {
            complaints.iter().for_each(|complaint| println!("{complaint}"));
            let errors = complaints.iter().filter(|complaint| !complaint.warning).count();
            println!("tidy: {errors} errors, {} warnings", complaints.len() - errors);
            if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }),
        "gen" => generated::write(root).map(|()| ExitCode::SUCCESS),
        "checklist" => checklist::run(root, options.path.as_deref()).map(|checklist| {
            print!("{}", checklist.lines);
            for path in &checklist.skipped {
                println!("skipped: there is no {}", path.display());
            }
            checklist.complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
            println!("checklist: {} complaints", checklist.complaints.len());
            if checklist.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }),
        "image" => image::run(root, &options).map(|made| {
            println!("{made}");
            ExitCode::SUCCESS
        }),
        "dist" => dist::run(root, &options).map(|made| {
            print!("{made}");
            ExitCode::SUCCESS
        }),
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
