//! Answers the API server's admission reviews: a review and policies in, the response and a decision out.
//!
//! ```text
//! bytes ─parse─► Review ─exclude─► objects that are judged ─choose─► policies, deny first ─judge─► Answer
//!                   └────────────────────────────────────────────────────────────────────────► allowed, counted
//! ```
//!
//! Invariant: only a control that says *unhealthy* refuses. What is unknown, out of time or not readable is allowed,
//! with a warning where the policy would have spoken, and counted: a defect of ours never stops a cluster.
//!
//! Invariant: an update that adds no failing path is never refused, else what was there before the policy could not
//! be scaled, labelled or healed step by step.
mod exclusions;
mod judge;
mod narrowing;
mod policies;
mod response;
mod review;
mod words;

pub use judge::{Answer, Counts, Outcome, Surroundings};
pub use policies::Policies;
pub use review::{MAX_REVIEW, Operation, Review};
