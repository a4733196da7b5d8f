//! What the API server calls: admission reviews and audit events, over TLS.
//!
//! ```text
//! API server ─POST /admit──────────────────────► Handler::admit ─► AdmissionReview
//!            ─POST /audit with its certificate─► Handler::audit ─► 200, or 429 and it comes again
//! kubelet    ─GET  /readyz────────────────────► Handler::is_ready
//! ```
//!
//! This room moves bytes and holds bounds; what an answer is, the agent knows.
//!
//! Invariant: a new certificate counts for the next handshake; requests under way keep theirs, so none is dropped.
mod request;
mod serve;
mod tls;

pub use request::{MAX_AUDIT_BODY, MAX_REVIEW_BODY};
pub use serve::Server;
pub use tls::{AuditTrust, Tls, TlsError};

use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

/// What answers. Its futures are dropped when their time is over.
pub trait Handler: Send + Sync + 'static {
    /// Answers a review. `deadline` is when to stop judging: 80 % of what the API server waits.
    fn admit(&self, body: Bytes, deadline: Instant) -> impl Future<Output = Admitted> + Send;

    /// Takes a batch of audit events, an `EventList` of `audit.k8s.io/v1` in JSON.
    fn audit(&self, body: Bytes) -> impl Future<Output = AuditOutcome> + Send;

    /// Whether reviews are answered as they should be; `/readyz`.
    fn is_ready(&self) -> bool;

    /// Called after each answer, for counters.
    fn served(&self, served: Served);
}

/// How a review was answered.
#[derive(Debug)]
pub enum Admitted {
    /// An `AdmissionReview` in JSON.
    Answer(Vec<u8>),
    /// Not JSON, or no review: HTTP 400 with these words.
    Malformed(String),
    /// Too long: HTTP 413.
    TooLarge,
    /// No answer could be made: HTTP 500, on which the API server follows its failure policy.
    Failed(String),
}

/// How a batch of audit events was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    Taken,
    /// No list of events: HTTP 400.
    Malformed(String),
    /// No room now: HTTP 429. Whatever the error, the API server sends the batch five times, with pauses from 10 s on,
    /// then drops it. Source: k8s.io/apiserver `plugin/pkg/audit/webhook/webhook.go`, 1.36.
    Busy,
}

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    Admit,
    Audit,
    Ready,
    /// Anything else, answered 404 or 405.
    Other,
}

/// One answered request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub route: Route,
    /// HTTP status.
    pub status: u16,
    /// From the request's head to its answer.
    pub took: Duration,
    /// No answer in time: the API server goes on without one.
    pub timed_out: bool,
}
