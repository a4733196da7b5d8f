//! Whole images through `scan_image`, roots through `scan_rootfs`, reports and exit codes.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]

mod bad_input;
mod build;
mod cache;
mod exempt;
mod facts_cache;
mod formats;
mod forms;
mod languages;
mod options;
mod os_databases;
mod real;
mod report;
mod rootfs;
mod sbom;
mod schemas;
