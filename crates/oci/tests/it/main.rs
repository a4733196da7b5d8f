//! Registries as they are: Debian's docker-registry with passwords and with tokens, filled by skopeo.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]

mod docker_registry;
mod image;
#[path = "../../src/registry/process.rs"]
mod process;
#[path = "../../src/registry/server.rs"]
#[expect(dead_code, reason = "the unit tests use more of it")]
mod server;
