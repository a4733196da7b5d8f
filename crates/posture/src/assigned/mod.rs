//! What people assigned, bound to controls, and which of it counts for one object: at admission, in assessments of what
//! runs, and for facts of nodes.
//!
//! ```text
//! Policy ─bind─► Bound ─choose by place─► those that count ─► parameters (assessment), and action (admission)
//! ```
mod change;
mod narrowing;

pub use change::Reassigned;
pub(crate) use change::{Replaced, differ};
pub(crate) use narrowing::{Labels, Place};

use crate::catalogue::Catalogue;
use crate::control::Control;
use seawall_model::admission::{Narrowing, Policy, PolicyAction};
use seawall_model::{Id, Problem};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Policies held: 500 controls assigned twenty times over. Each review looks at every one.
const MAX_POLICIES: usize = 10_000;

/// One policy, ready to judge.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) assignment: Id,
    pub(crate) control: Arc<Control>,
    pub(crate) action: PolicyAction,
    /// Every parameter of the control: the policy's, else the default.
    pub(crate) params: Map<String, Value>,
    depth: u32,
    narrowing: Narrowing,
}

/// What is assigned, by control. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Assigned {
    by_control: BTreeMap<String, Arc<[Bound]>>,
}

impl Assigned {
    /// Binds policies to controls. A policy of an unknown control, or with a parameter that the control does not have
    /// or of another type, is left out with a problem; the rest counts.
    pub fn compile(policies: &[Policy], catalogue: &Catalogue) -> (Self, Vec<Problem>) {
        let mut by_control: BTreeMap<String, Vec<Bound>> = BTreeMap::new();
        let (mut count, mut problems) = (0, Vec::new());
        for policy in policies {
            if count >= MAX_POLICIES {
                let message = format!("only the first {MAX_POLICIES} policies count");
                problems.push(Problem::gap("limit", message));
                break;
            }
            match bind(policy, catalogue) {
                Ok(bound) => {
                    by_control.entry(policy.control.clone()).or_default().push(bound);
                    count += 1;
                }
                Err(problem) => problems.push(*problem),
            }
        }
        let by_control = by_control.into_iter().map(|(control, bound)| (control, bound.into()));
        (Self { by_control: by_control.collect() }, problems)
    }

    /// Of each control that something is assigned of.
    pub(crate) fn by_control(&self) -> impl Iterator<Item = &[Bound]> {
        self.by_control.values().map(AsRef::as_ref)
    }

    pub(crate) fn of(&self, control: &str) -> Arc<[Bound]> {
        self.by_control.get(control).cloned().unwrap_or_default()
    }
}

impl Bound {
    /// Whether it means the same for every object, whoever assigned it.
    fn means(&self, other: &Self) -> bool {
        (&self.params, self.depth, self.action, &self.narrowing)
            == (&other.params, other.depth, other.action, &other.narrowing)
    }
}

pub(crate) fn same(before: &[Bound], after: &[Bound]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(a, b)| a.means(b))
}

/// Of one control, what counts there: the nearest scope, within it the strictest action. Several that tie with different
/// parameters are all returned, in their order.
pub(crate) fn choose<'b>(bound: &'b [Bound], place: &Place<'_>) -> Vec<&'b Bound> {
    let fitting: Vec<&Bound> =
        bound.iter().filter(|bound| narrowing::fits(&bound.narrowing, place)).collect();
    let first = fitting.iter().map(|bound| (bound.depth, bound.action)).max();
    let mut tied: Vec<&Bound> = Vec::new();
    for bound in fitting {
        let counts = Some((bound.depth, bound.action)) == first;
        if counts && tied.iter().all(|other| other.params != bound.params) {
            tied.push(bound);
        }
    }
    tied
}

fn bind(policy: &Policy, catalogue: &Catalogue) -> Result<Bound, Box<Problem>> {
    let refused = |code: &str, message: String| {
        Box::new(Problem::error(code, message).item(policy.assignment.to_string()))
    };
    let Some(control) = catalogue.control(&policy.control) else {
        let help = "the hub may be newer than this agent: update it";
        let message = format!("there is no control `{}`", policy.control);
        return Err(Box::new(refused("unknown-control", message).help(help)));
    };
    let mut params = control.params.clone();
    for (name, value) in &policy.params {
        match params.get_mut(name) {
            Some(param) if same_type(param, value) => *param = value.clone(),
            Some(param) => {
                let expected = type_name(param);
                let message = format!("parameter `{name}` of {} is no {expected}", control.id);
                return Err(refused("parameter", message));
            }
            None => {
                let message = format!("{} has no parameter `{name}`", control.id);
                return Err(refused("unknown-parameter", message));
            }
        }
    }
    Ok(Bound {
        assignment: policy.assignment,
        control: control.clone(),
        action: policy.action,
        params,
        depth: policy.depth,
        narrowing: policy.narrowing.clone(),
    })
}

/// Whether `value` may stand where `default` does; the types are those of control files.
fn same_type(default: &Value, value: &Value) -> bool {
    match (default, value) {
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => true,
        (Value::Number(_), Value::Number(number)) => number.is_i64(),
        (Value::Array(_), Value::Array(items)) => items.iter().all(Value::is_string),
        (Value::Object(_), Value::Object(_)) => true,
        _ => false,
    }
}

fn type_name(default: &Value) -> &'static str {
    match default {
        Value::Bool(_) => "boolean",
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        Value::Object(_) => "map",
        _ => "list of strings",
    }
}
