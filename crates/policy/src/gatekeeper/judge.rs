//! All constraints against one request. Source: constraint framework `pkg/client/client.go`, Review.
use super::action::{Action, Point};
use super::constraint::Constraint;
use super::inventory::Inventory;
use super::library::Library;
use super::matching::Unmatched;
use super::review::Review;
use super::template::{Engine, Template};
use seawall_rego::{Data, EvalError, Interpreter, Limits};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A constraint that an object violates.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Of the constraint.
    pub kind: String,
    pub name: String,
    pub message: String,
    /// What the policy says besides; `{}` where nothing.
    pub details: Value,
    /// The severest first, never empty.
    pub actions: Vec<Action>,
    /// `rego` or `cel`.
    pub engine: &'static str,
}

/// A constraint of which it is not known whether an object violates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    pub kind: String,
    pub name: String,
    /// `not-collected`, `limit`, `error` or `unsupported`.
    pub reason: &'static str,
    pub message: String,
    pub actions: Vec<Action>,
}

/// In the order of kinds and names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub violations: Vec<Violation>,
    pub undecided: Vec<Undecided>,
}

/// One worker's interpreters.
#[derive(Default)]
pub struct Judge {
    /// By kind, with the version of the inventory that they hold.
    interpreters: HashMap<String, (Interpreter, Option<u64>)>,
}

impl Judge {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets interpreters; to be called when the library has changed.
    pub fn reset(&mut self) {
        self.interpreters.clear();
    }

    /// Judges one request by every constraint that is for it and for `point`.
    pub fn review(
        &mut self,
        library: &Library,
        review: &Review,
        inventory: &Inventory,
        point: Point,
        limits: &Limits,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut input: Option<Data> = None;
        for constraint in library.constraints.values() {
            let actions = constraint.actions(point);
            let Some(template) = library.templates.get(&constraint.kind) else { continue };
            if actions.is_empty()
                || (point == Point::Admission && !template.is_for(&review.operation))
            {
                continue;
            }
            let undecided = |reason: &'static str, message: String| Undecided {
                kind: constraint.kind.clone(),
                name: constraint.name.clone(),
                reason,
                message,
                actions: actions.clone(),
            };
            match constraint.matcher.as_ref().map_or(Ok(true), |matcher| matcher.matches(review)) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(Unmatched::Namespace) => {
                    let message = format!(
                        "unable to match constraints: {}: namespace selector for namespace-scoped object but missing Namespace",
                        review.subject()
                    );
                    outcome.undecided.push(undecided("not-collected", message));
                    continue;
                }
                Err(Unmatched::Wrong(message)) => {
                    let message = format!("unable to match constraints: {message}");
                    outcome.undecided.push(undecided("error", message));
                    continue;
                }
            }
            let found = match &template.engine {
                Engine::Native(native) => native
                    .judge(constraint, review)
                    .map(|messages| {
                        messages
                            .into_iter()
                            .map(|message| (message, Value::Object(Map::new())))
                            .collect()
                    })
                    .map_err(|message| undecided("unsupported", message)),
                Engine::Rego(_) => {
                    let input = input.get_or_insert_with(|| Data::from_json(&review.input()));
                    self.rego(template, constraint, input, inventory, limits)
                        .map_err(|(reason, message)| undecided(reason, message))
                }
            };
            match found {
                Err(undecided) => outcome.undecided.push(undecided),
                Ok(found) => {
                    outcome.violations.extend(found.into_iter().map(|(message, details)| {
                        Violation {
                            kind: constraint.kind.clone(),
                            name: constraint.name.clone(),
                            message,
                            details,
                            actions: actions.clone(),
                            engine: template.engine_name(),
                        }
                    }))
                }
            }
        }
        outcome
    }

    fn rego(
        &mut self,
        template: &Template,
        constraint: &Constraint,
        review: &Data,
        inventory: &Inventory,
        limits: &Limits,
    ) -> Result<Vec<(String, Value)>, (&'static str, String)> {
        let Engine::Rego(policy) = &template.engine else { return Ok(Vec::new()) };
        let (interpreter, held) = self
            .interpreters
            .entry(template.kind.clone())
            .or_insert_with(|| (policy.interpreter(), None));
        if !policy.reads().is_empty() && *held != Some(inventory.version()) {
            let data = inventory.data(policy.reads()).map_err(|message| ("limit", message))?;
            interpreter.set_inventory(&data).map_err(|error| ("error", error.to_string()))?;
            *held = Some(inventory.version());
        }
        let parameters = Data::from_json(&constraint.parameters);
        let input = Data::object([("review", review.clone()), ("parameters", parameters)]);
        match interpreter.evaluate(&input, limits) {
            Ok(found) => {
                Ok(found.into_iter().map(|found| (found.message, found.details)).collect())
            }
            // As in Gatekeeper, a policy that contradicts itself is violated.
            Err(EvalError::Failed(message)) => Ok(vec![(message, Value::Null)]),
            Err(EvalError::Message) => Err(("error", EvalError::Message.to_string())),
            Err(EvalError::Limit(message)) => Err(("limit", message)),
        }
    }
}
