//! Event rules: Falco's language, compiled, with thresholds and sequences.
//!
//! ```text
//! files ─yaml─► definitions ─parse, exceptions, load─► program ─┐
//! Event, FieldEvent ──────────event_view, fields────────────────┴─evaluate─► Fired ─firing─► alert::Firing
//!   ▲
//!   └─audit─ bytes of a Kubernetes audit log
//! ```
//!
//! Start at [`RuleSet::load`]; give each stream of events a [`State`] and call [`RuleSet::evaluate`], or each cluster an
//! [`audit::AuditLog`].
//!
//! Invariant: nothing here reads a clock, a file or the environment; windows go by the events' own time.
//! Invariant: no input makes it panic or recurse deeper than the limits at the constants.

pub mod attack;
pub mod audit;
mod clock;
mod condition;
mod cost;
mod definitions;
mod evaluate;
mod event_set;
mod event_view;
mod exceptions;
mod feed;
pub mod fields;
pub mod firing;
mod load;
pub mod mask;
mod matching;
mod output;
mod parse;
mod program;
pub mod replay;
mod requests;
mod rule;
mod rule_set;
mod self_test;
mod source;
mod suggest;
mod timeline;
mod value;
mod window;
mod yaml;
pub use event_view::{EventView, FieldEvent, record};
pub use feed::Feed;
pub use rule::{Priority, Rule, RuleState};
pub use rule_set::{Fired, RuleSet, State};
pub use self_test::TestResult;
pub use value::{Kind, Quantity, Value};
pub use yaml::Place;
