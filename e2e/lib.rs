//! Scenarios on real parts: the `seawall` binary, a one-node Kubernetes (`rig/`), a browser. See `tests/it`.
#![expect(clippy::unwrap_used, reason = "a scenario fails by panicking")]

pub mod server;
