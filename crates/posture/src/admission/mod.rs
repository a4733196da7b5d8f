//! Answers the API server's admission reviews: a review, controls and sets of users' policies in, the response and a
//! decision out.
//!
//! ```text
//! bytes ─parse─► Review ─exclude─► controls that are for it ─judge─► Failed ──┐
//!                   │          └─► Hearing: policies of sets ─rule─► Ruling ──┴─► Answer, Decision
//!                   └───────────────────────────────────────────────────────────► allowed, counted
//! ```
//!
//! Invariant: only a control that says *unhealthy* refuses. What is unknown, out of time or not readable is allowed,
//! with a warning where the policy would have spoken, and counted: a defect of ours never stops a cluster. A user's
//! policy whose failurePolicy is `Fail` refuses what it could not judge, if its set lets it.
//!
//! Invariant: an update that adds no failing path is never refused, else what was there before the policy could not
//! be scaled, labelled or healed step by step.
mod answer;
mod exclusions;
mod hearing;
mod judge;
mod lookup;
mod needs;
mod policies;
mod response;
mod review;
mod ruling;
mod sets;
mod time;
mod trial;
mod words;
mod worker;

pub use answer::{Answer, Counts, Outcome};
pub use judge::{Mode, Surroundings};
pub use lookup::{Lookup, Nothing};
pub use needs::{Needs, Resources, Rule};
pub use policies::Policies;
pub use review::{MAX_REVIEW, Operation, Review};
pub use sets::Sets;
pub use time::Time;
pub use trial::{Attempt, Trier};
pub use worker::Worker;

/// What is asked of an authorizer, and what it says.
pub use seawall_cel::{Answer as Authorization, Question, Subject, authz::Answers};
pub use seawall_policy::gatekeeper::{Inventory, InventoryRead};
pub use seawall_policy::vap::{Params, RuleScope};
