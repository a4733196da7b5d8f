//! The hub over real TCP, TLS and SQLite, with the agents' own client.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panic, as tests do")]

mod agents;
mod authorisation;
mod exports;
mod frameworks;
mod join;
mod nodes;
mod openapi;
mod policy_sets;
mod posture;
mod records;
mod session;
mod start;
mod stream;
mod wire;
mod world;
mod writes;
