//! The hub: it takes what agents send, keeps it, answers people and programs.
//!
//! ```text
//! agents ─mTLS stream─► agents ─► store ─hints─► tasks (match, exempt, score)
//! browser, CLI ─https─► auth (who, which action, Visible) ─► api ─► store
//!                     └► ui (embedded)                    └► stream ◄─ change feed
//! ```
//!
//! Invariants: only `auth` makes a `Visible` for a request. Every write commits together with its audit entry. An
//! agent gets its Ack after the commit. A task can be killed anywhere: it looks at everything again at the next
//! start.

mod advisories;
mod agents;
mod api;
mod app;
mod auth;
mod ca;
mod compliance;
mod content;
mod entropy;
mod excuse;
mod headers;
mod node;
mod seats;
mod serve;
mod start;
mod tasks;
mod tls;
mod trust;
mod ui;

pub use api::{Endpoint, endpoints, openapi};
pub use auth::{Access, Action, PERMISSIONS, Permissions};
pub use entropy::{Entropy, SystemEntropy};
pub use seawall_store::Location;
pub use start::{Config, FIRST_OWNER, Hub, StartError, TlsFiles, reset_password};
