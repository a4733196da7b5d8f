//! The agent on a real API server; skipped by name where the rig's binaries are not built.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod entry;
mod following;
mod live;
mod native;
mod policy_sets;
mod webhook;
