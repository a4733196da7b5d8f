//! Gatekeeper's templates and constraints, judged as Gatekeeper judges them.
//!
//! ```text
//! ConstraintTemplate ─load─► Template (schema, Rego or CEL) ─constrain─► Constraint (match, actions, parameters)
//! object, AdmissionReview ─► Review ─Judge::review─► violations and what could not be told
//! ExpansionTemplates ─expand─► the objects a workload will make, judged too
//! ```
//!
//! Facts on matching, messages and order: gatekeeper 3.23 `pkg/target`, `pkg/mutation/match`, `pkg/expansion`, and the
//! constraint framework `pkg/client`.
mod action;
mod constraint;
mod expansion;
mod inventory;
mod judge;
mod library;
mod matching;
mod native;
mod review;
mod schema;
mod template;
#[cfg(test)]
mod tests;

pub use action::{Action, Point};
pub use constraint::{Constraint, ConstraintError};
pub use expansion::{Expanded, Expansion};
pub use inventory::{Inventory, MAX_INVENTORY};
pub use judge::{Judge, Outcome, Undecided, Violation};
pub use library::Library;
pub use review::{Namespace, Origin, Review};
pub use template::Template;

/// Bounds of one evaluation of Rego, and what a template reads.
pub use seawall_rego::{Clock, DEFAULT_STEPS, InventoryRead, Limits};

use serde_json::Value;

/// The text at a path, empty where there is none.
fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// Group and version of an `apiVersion`.
fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
