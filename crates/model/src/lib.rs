//! The nouns every room shares: values without IO, clock or randomness.
//!
//! ```text
//! Event ─evaluate─► Alert          Package ─match─► Finding ─┐
//!                                  Object  ─judge─► Finding ─┴─► Recommendation ─► Score
//! Scope ◄── RoleAssignment: who may see and do what
//! ```
//!
//! JSON is the public form: names are camel-free lower case, absent values are `null`, times are epoch
//! milliseconds UTC, and a field is only ever added.

pub mod access;
pub mod admission;
pub mod advisory;
pub mod alert;
pub mod asset;
pub mod attack;
pub mod audit;
pub mod event;
pub mod exemption;
pub mod facts;
pub mod finding;
pub mod ids;
pub mod image;
pub mod package;
pub mod policy_set;
pub mod problem;
pub mod recommendation;
pub mod record;
pub mod scope;
pub mod severity;
pub mod time;

pub use ids::Id;
pub use problem::Problem;
pub use severity::Severity;
pub use time::Millis;
