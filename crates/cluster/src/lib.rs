//! The one room that knows Kubernetes' API: it connects, watches, and hands on objects as bytes.
//!
//! ```text
//! kubeconfig ─connect─► Connection ─watch─► ObjectEvent (bounded channel) ─► agent
//! ```
//!
//! Invariant: Secrets are never asked for. A kind that may not be read, or a watch that breaks, is an event, never
//! silence.
mod connect;
mod watch;

pub use connect::{ConnectError, Connection, Target, connect};
pub use watch::{Kind, ObjectEvent, Watch, watch};
