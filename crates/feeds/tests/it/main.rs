//! Feeds as published, feeds that are damaged, and a server to update from.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

mod amazon;
mod apk;
mod classes;
mod damaged;
mod damaged_rpm;
mod enrichment;
mod folders;
mod inventory;
mod kept;
mod languages;
mod listed;
mod photon;
mod real;
mod samples;
mod served;
mod traps;
mod ubuntu;
