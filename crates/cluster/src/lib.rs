//! The one room that knows Kubernetes' API: it connects, watches, and hands on objects as bytes.
//!
//! ```text
//! kubeconfig ─connect─► Connection ─watch─► ObjectEvent (bounded channel) ─► agent
//!                      ─reach─► Reached ─list─► Listing (a scan, with the right to list alone)
//!                      ─keep_asking─► Asked (what is served, every minute) ─► agent, keep_registered
//!                      ─keep_registered─► CA, rules and failurePolicy in our webhook's entries
//!                      ─review─► the authorizer's word    ─apply─► policies that run natively
//! API server ─webhook─► reviews, audit events ─► agent's Handler
//! ```
//!
//! Invariant: Secrets are never asked for. A kind that may not be read, or a watch that breaks, is an event, never
//! silence.
pub mod access;
mod connect;
mod discovery;
mod issuer;
mod list;
pub mod native;
mod registration;
mod watch;
pub mod webhook;

pub use connect::{ConnectError, Connection, Reached, Target, connect, reach};
pub use discovery::{ASK_EVERY, Asked, DiscoverError, Served, ServedKind, ask, keep_asking};
pub use issuer::{Issuer, IssuerError, issuer};
pub use list::{Listing, Refused, kinds, list};
pub use registration::{
    CALM, FailurePolicy, Guard, Hindrance, POLICIES, Registered, RegistrationError,
    RegistrationEvent, Replicas, Rule, Scope, Standing, Wanted, keep_registered, register,
};
pub use watch::{Kind, ObjectEvent, Watch, watch};
