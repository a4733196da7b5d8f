//! The webhook's transport on loopback, by a client that speaks TLS as API servers do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod list;
mod webhook;
