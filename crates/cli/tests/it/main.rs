//! The binary as scripts call it: exit codes, streams and files.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]

mod bench;
mod db;
mod manifests;
mod narrow;
#[path = "../../../oci/src/registry/process.rs"]
mod process;
mod registry;
mod scan;
mod vuln;
