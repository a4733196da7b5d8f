//! Feeds as published, feeds that are damaged, and a server to update from.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

mod damaged;
mod damaged_rpm;
mod inventory;
mod kept;
mod listed;
mod real;
mod samples;
mod served;
mod traps;
