//! All constraints against one request. Source: constraint framework `pkg/client/client.go`, Review.
use super::action::{Action, Point};
use super::constraint::Constraint;
use super::inventory::{Inventory, State};
use super::library::Library;
use super::matching::Unmatched;
use super::review::Review;
use super::template::{Engine, Template};
use seawall_rego::{Data, EvalError, Interpreter, Limits};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

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

impl Undecided {
    fn of(
        constraint: &Constraint,
        point: Point,
        reason: &'static str,
        message: String,
    ) -> Undecided {
        let (kind, name) = (constraint.kind.clone(), constraint.name.clone());
        Undecided { kind, name, reason, message, actions: constraint.actions(point) }
    }
}

impl Library {
    /// Whether a constraint is for the request and for `point`.
    pub fn concerns(
        &self,
        constraint: &Constraint,
        review: &Review,
        point: Point,
    ) -> Result<bool, Undecided> {
        let Some(template) = self.template(constraint) else { return Ok(false) };
        if constraint.actions(point).is_empty()
            || (point == Point::Admission && !template.is_for(&review.operation))
        {
            return Ok(false);
        }
        let matched =
            constraint.matcher.as_ref().map_or(Ok(true), |matcher| matcher.matches(review));
        matched.map_err(|unmatched| {
            let (reason, told) = match unmatched {
                Unmatched::Namespace => (
                    "not-collected",
                    format!(
                        "{}: namespace selector for namespace-scoped object but missing Namespace",
                        review.subject()
                    ),
                ),
                Unmatched::Wrong(message) => ("error", message),
            };
            let message = format!("unable to match constraints: {told}");
            Undecided::of(constraint, point, reason, message)
        })
    }
}

/// In the order of kinds and names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub violations: Vec<Violation>,
    pub undecided: Vec<Undecided>,
}

/// One worker's interpreters, of one library.
#[derive(Default)]
pub struct Judge {
    /// By kind, with the states of what they hold of inventories; none where that is not known.
    interpreters: HashMap<String, (Interpreter, Option<Vec<State>>)>,
}

impl Judge {
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds every interpreter that constraints need, which is a parser's work, before somebody waits for it.
    pub fn prepare(&mut self, library: &Library) {
        for constraint in library.constraints.values() {
            if let Some(Template { kind, engine: Engine::Rego(policy), .. }) =
                library.template(constraint)
                && !self.interpreters.contains_key(kind)
            {
                self.interpreters.insert(kind.clone(), (policy.interpreter(), None));
            }
        }
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
        for constraint in library.constraints.values() {
            match library.concerns(constraint, review, point) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(undecided) => {
                    outcome.undecided.push(undecided);
                    continue;
                }
            }
            match self.evaluate(library, constraint, review, &[inventory], point, limits) {
                Ok(found) => outcome.violations.extend(found),
                Err(undecided) => outcome.undecided.push(undecided),
            }
        }
        outcome
    }

    /// Judges one request by one constraint that is for it. Of several inventories with an object of one name the last
    /// counts.
    pub fn evaluate(
        &mut self,
        library: &Library,
        constraint: &Constraint,
        review: &Review,
        inventories: &[&Inventory],
        point: Point,
        limits: &Limits,
    ) -> Result<Vec<Violation>, Undecided> {
        let Some(template) = library.template(constraint) else { return Ok(Vec::new()) };
        let empty = |message: String| (message, Value::Object(Map::new()));
        let found = match &template.engine {
            Engine::Native(native) => native
                .judge(constraint, review)
                .map(|messages| messages.into_iter().map(empty).collect())
                .map_err(|message| ("unsupported", message)),
            Engine::Rego(_) => self.rego(template, constraint, review.data(), inventories, limits),
        };
        let actions = constraint.actions(point);
        let violation = |(message, details)| Violation {
            kind: constraint.kind.clone(),
            name: constraint.name.clone(),
            message,
            details,
            actions: actions.clone(),
            engine: template.engine_name(),
        };
        match found {
            Ok(found) => Ok(found.into_iter().map(violation).collect()),
            Err((reason, message)) => Err(Undecided::of(constraint, point, reason, message)),
        }
    }

    fn rego(
        &mut self,
        template: &Template,
        constraint: &Constraint,
        review: &Data,
        inventories: &[&Inventory],
        limits: &Limits,
    ) -> Result<Vec<(String, Value)>, (&'static str, String)> {
        let Engine::Rego(policy) = &template.engine else { return Ok(Vec::new()) };
        let (interpreter, held) = self
            .interpreters
            .entry(template.kind.clone())
            .or_insert_with(|| (policy.interpreter(), None));
        if !policy.reads().is_empty() {
            let current = Inventory::states(inventories, policy.reads());
            if held.as_ref().is_none_or(|held| !are_the_same(held, &current)) {
                *held = None;
                let data = Inventory::data(inventories, policy.reads());
                let data = data.map_err(|message| ("limit", message))?;
                interpreter.set_inventory(&data).map_err(|error| ("error", error.to_string()))?;
                *held = Some(current);
            }
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

fn are_the_same(held: &[State], current: &[State]) -> bool {
    held.len() == current.len()
        && held.iter().zip(current).all(|(held, current)| Arc::ptr_eq(held, current))
}
