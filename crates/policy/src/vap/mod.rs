//! ValidatingAdmissionPolicy, its bindings and params, judged as the API server judges them.
//!
//! ```text
//! documents ── spec (serde) ── validate ── compile ──► Policies
//!                                                        │ review(&Review, &dyn Lookup)
//!      matching (rules, selectors) ── params ── judge ──►│
//!                                      scope (lazy variables)
//!                                                        ▼
//!                                 Verdict: denials, warnings, audit annotations, questions, unknown
//! ```
//!
//! Facts on order, messages and costs: k8s.io/apiserver `pkg/admission/plugin/policy` of 1.36.
mod compile;
mod embedded;
mod judge;
mod matching;
mod params;
mod policies;
mod review;
mod schema;
mod scope;
mod selector;
mod spec;
#[cfg(test)]
mod tests;
mod validate;
mod verdict;

pub(crate) use embedded::Embedded;
pub use params::{Lookup, Params};
pub use policies::{Document, Facts, Policies};
pub use review::Review;
pub use selector::LabelSelector;
pub use spec::{Action, FailurePolicy, NotFound, Rule, RuleScope};
pub use verdict::{Denial, PolicyFailure, Undecided, Verdict};
