//! The variables of one evaluation. Each batch of expressions has its own scope, and so evaluates `variables` anew, as
//! the API server does; within one, a variable is evaluated once at most, errors too.
use super::compile::{REQUEST_RESOURCE, Variable};
use super::review::Review;
use seawall_cel::authz::Answers;
use seawall_cel::{Activation, Authorizer, Budget, EvalError, Program, ResourceCheck, Value};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Authorization checks of one review, each a call to the API server: what the budgets of two policies pay for, at
/// 350,000 of 10,000,000 units. More are asked by no policy of use, and would not be answered within a review's time.
const MAX_QUESTIONS: usize = 64;

/// What all batches of one policy, binding and param share.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) review: &'a Review,
    pub(super) params: Option<&'a serde_json::Value>,
    pub(super) namespace: Option<&'a serde_json::Value>,
    pub(super) variables: &'a [Variable],
}

pub(super) struct Scope<'a> {
    inputs: Inputs<'a>,
    answers: Option<Arc<Answers>>,
    memo: RefCell<Vec<Option<Result<Value<'a>, EvalError>>>>,
    /// What variables cost since the last expression.
    spent: Cell<u64>,
}

/// Why a batch ends early.
#[derive(Debug)]
pub(super) enum Stop {
    Budget,
    Pending(Box<seawall_cel::Question>),
}

/// The words of [`Stop::Budget`].
pub(super) const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

impl<'a> Scope<'a> {
    /// Without answers `authorizer` is no variable.
    pub(super) fn new(inputs: Inputs<'a>, answers: Option<Arc<Answers>>) -> Self {
        let memo = RefCell::new(vec![None; inputs.variables.len()]);
        Self { inputs, answers, memo, spent: Cell::new(0) }
    }

    /// The value of `program`, whose cost `left` pays. `Err` within: the API server's words.
    pub(super) fn evaluate(
        &self,
        program: &Program,
        left: &mut u64,
    ) -> Result<Result<Value<'a>, String>, Stop> {
        let mut budget = Budget::expression();
        let value = program.evaluate(self, &mut budget);
        for cost in [self.spent.take(), budget.spent()] {
            *left = left.checked_sub(cost).ok_or(Stop::Budget)?;
        }
        let error = match value {
            Ok(value) => return Ok(Ok(value)),
            Err(EvalError::Pending(question)) if self.may_ask() => {
                return Err(Stop::Pending(question));
            }
            Err(EvalError::Pending(_)) => {
                format!("over {MAX_QUESTIONS} authorization checks in one review")
            }
            Err(error) => error.to_string(),
        };
        Ok(Err(format!("expression '{}' resulted in error: {error}", program.text())))
    }

    fn may_ask(&self) -> bool {
        self.answers.as_ref().is_none_or(|answers| answers.len() < MAX_QUESTIONS)
    }

    fn variable(&self, at: usize) -> Result<Value<'a>, EvalError> {
        let known = self.memo.borrow().get(at).cloned().flatten();
        if let Some(known) = known {
            return known;
        }
        let variable = &self.inputs.variables[at];
        let mut budget = Budget::expression();
        let value = variable.program.evaluate(self, &mut budget).map_err(|error| match error {
            EvalError::Pending(question) => EvalError::Pending(question),
            error => EvalError::Error(format!(
                "composited variable \"{}\" fails to evaluate: {error}",
                variable.name
            )),
        });
        self.spent.set(self.spent.get().saturating_add(budget.spent()));
        self.memo.borrow_mut()[at] = Some(value.clone());
        value
    }

    fn authorizer(&self) -> Option<Authorizer> {
        self.answers.clone().map(Authorizer::new)
    }
}

fn or_null(value: Option<&serde_json::Value>) -> Value<'_> {
    value.map_or(Value::Null, Value::json)
}

impl<'a> Activation<'a> for Scope<'a> {
    fn resolve(&self, name: &str) -> Option<Result<Value<'a>, EvalError>> {
        let review = self.inputs.review;
        Some(Ok(match name {
            "object" => Value::json(&review.object),
            "oldObject" => Value::json(&review.old_object),
            "request" => Value::json(&review.request),
            "params" => or_null(self.inputs.params),
            "namespaceObject" => or_null(self.inputs.namespace),
            "authorizer" => Value::opaque(self.authorizer()?),
            REQUEST_RESOURCE => {
                let resource = &review.resource;
                let check =
                    ResourceCheck::new(self.authorizer()?, &resource.group, &resource.resource);
                Value::opaque(ResourceCheck {
                    subresource: review.subresource.clone(),
                    namespace: review.namespace.clone(),
                    name: review.name.clone(),
                    ..check
                })
            }
            dotted => {
                let at = self.inputs.variables.iter().position(|v| v.dotted == dotted)?;
                return Some(self.variable(at));
            }
        }))
    }
}
