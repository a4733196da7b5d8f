//! Policies bound to their controls, and which of them count for one object; the sets of users' own beside them.
use super::narrowing;
use super::review::Review;
use super::sets::Sets;
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
pub(super) struct Bound {
    pub(super) assignment: Id,
    pub(super) control: Arc<Control>,
    pub(super) action: PolicyAction,
    /// Every parameter of the control: the policy's, else the default.
    pub(super) params: Map<String, Value>,
    depth: u32,
    narrowing: Narrowing,
}

/// Compiled policies and sets. The default holds none and so allows everything.
#[derive(Debug, Default)]
pub struct Policies {
    by_control: BTreeMap<String, Vec<Bound>>,
    count: usize,
    pub(super) sets: Sets,
}

impl Policies {
    /// Binds policies to controls. A policy of an unknown control, or with a parameter that the control does not have
    /// or of another type, is left out with a problem; the rest counts.
    pub fn compile(policies: &[Policy], catalogue: &Catalogue) -> (Self, Vec<Problem>) {
        let (mut compiled, mut problems) = (Self::default(), Vec::new());
        for policy in policies {
            if compiled.count >= MAX_POLICIES {
                let message = format!("only the first {MAX_POLICIES} policies count");
                problems.push(Problem::gap("limit", message));
                break;
            }
            match bind(policy, catalogue) {
                Ok(bound) => {
                    compiled.by_control.entry(policy.control.clone()).or_default().push(bound);
                    compiled.count += 1;
                }
                Err(problem) => problems.push(*problem),
            }
        }
        (compiled, problems)
    }

    /// Judges by these sets too.
    pub fn with_sets(self, sets: Sets) -> Self {
        Self { sets, ..self }
    }

    /// The sets that count.
    pub fn sets(&self) -> &Sets {
        &self.sets
    }

    /// Policies of controls whose action is `action`.
    pub fn count(&self, action: PolicyAction) -> usize {
        self.by_control.values().flatten().filter(|bound| bound.action == action).count()
    }

    /// What counts for the review's object, deny first: per control the nearest scope, within it the strictest action.
    /// Several that tie with different parameters are all asked.
    pub(super) fn choose(&self, review: &Review) -> Vec<Vec<&Bound>> {
        let mut chosen = Vec::new();
        for bound in self.by_control.values() {
            let fitting: Vec<&Bound> = bound
                .iter()
                .filter(|bound| {
                    narrowing::fits(&bound.narrowing, &review.namespace, &review.object)
                })
                .collect();
            let Some(first) = fitting.iter().map(|bound| (bound.depth, bound.action)).max() else {
                continue;
            };
            if first.1 == PolicyAction::Off {
                continue;
            }
            let mut tied: Vec<&Bound> = Vec::new();
            for bound in fitting {
                let counts = (bound.depth, bound.action) == first;
                if counts && tied.iter().all(|other| other.params != bound.params) {
                    tied.push(bound);
                }
            }
            chosen.push(tied);
        }
        chosen.sort_by_key(|tied| std::cmp::Reverse(tied[0].action));
        chosen
    }
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
