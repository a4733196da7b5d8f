//! One policy, binding and param against one request. Source: k8s.io/apiserver
//! `pkg/admission/plugin/policy/validating/validator.go`.
use super::compile::{Compiled, Validation};
use super::scope::{Inputs, OUT_OF_BUDGET, Scope, Stop};
use super::spec::FailurePolicy;
use super::verdict::INVALID;
use seawall_cel::authz::Answers;
use seawall_cel::{Budget, Question, Value};
use std::sync::Arc;

/// Bytes of a message an expression makes; celconfig.MaxEvaluatedMessageExpressionSizeBytes.
const MAX_MESSAGE: usize = 5 << 10;

/// A refusal before its binding says what becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) message: String,
    pub(super) reason: String,
    /// Which validation.
    pub(super) index: usize,
    /// It could not be told, which failurePolicy takes for a refusal.
    pub(super) error: bool,
}

/// What one param gives.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) failed: Vec<Failed>,
    /// Key and value.
    pub(super) annotations: Vec<(String, String)>,
    /// Annotations that failed: they deny whatever the binding's actions are.
    pub(super) annotation_errors: Vec<String>,
    /// The match conditions held.
    pub(super) judged: bool,
    /// Errors that failurePolicy passes over.
    pub(super) ignored: Vec<String>,
}

impl Outcome {
    /// All of it failed with `message`.
    fn error(failure: FailurePolicy, message: String) -> Outcome {
        let mut outcome = Outcome { judged: true, ..Outcome::default() };
        match failure {
            FailurePolicy::Ignore => outcome.ignored.push(message),
            FailurePolicy::Fail => {
                let reason = INVALID.to_owned();
                outcome.failed.push(Failed { message, reason, index: 0, error: true });
            }
        }
        outcome
    }
}

/// `Err`: an answer is needed first.
pub(super) fn judge(
    policy: &Compiled,
    failure: FailurePolicy,
    inputs: Inputs<'_>,
    answers: &Arc<Answers>,
) -> Result<Outcome, Box<Question>> {
    match conditions(policy, failure, inputs, answers)? {
        Condition::Met => {}
        Condition::Unmet => return Ok(Outcome::default()),
        Condition::Error(message) => return Ok(Outcome::error(failure, message)),
    }
    let scope = Scope::new(inputs, Some(Arc::clone(answers)));
    let mut left = Budget::POLICY;
    let mut results = Vec::new();
    for validation in &policy.validations {
        match scope.evaluate(&validation.program, &mut left) {
            Ok(result) => results.push(result),
            Err(Stop::Budget) => return Ok(Outcome::error(failure, OUT_OF_BUDGET.to_owned())),
            Err(Stop::Pending(question)) => return Err(question),
        }
    }
    let messages = messages(policy, inputs, left);
    let mut outcome = Outcome { judged: true, ..Outcome::default() };
    for (index, (validation, result)) in policy.validations.iter().zip(results).enumerate() {
        let reason = INVALID.to_owned();
        let failed = match (result, &messages) {
            (Err(message), _) => Failed { message, reason, index, error: true },
            (Ok(_), Err(told)) => {
                let message = format!("failed messageExpression: {told}");
                Failed { message, reason, index, error: true }
            }
            (Ok(Value::Bool(true)), _) => continue,
            (Ok(_), Ok(messages)) => {
                let made = messages.get(index).and_then(Option::as_ref);
                let message = message(validation, made);
                let reason = validation.reason.clone().unwrap_or(reason);
                outcome.failed.push(Failed { message, reason, index, error: false });
                continue;
            }
        };
        match failure {
            FailurePolicy::Fail => outcome.failed.push(failed),
            FailurePolicy::Ignore => outcome.ignored.push(failed.message),
        }
    }
    match annotations(policy, failure, inputs, &mut outcome) {
        Ok(()) => Ok(outcome),
        Err(Stop::Budget) => Ok(Outcome::error(failure, OUT_OF_BUDGET.to_owned())),
        Err(Stop::Pending(question)) => Err(question),
    }
}

enum Condition {
    Met,
    Unmet,
    Error(String),
}

/// Any false condition leaves the policy out; else any error is one.
fn conditions(
    policy: &Compiled,
    failure: FailurePolicy,
    inputs: Inputs<'_>,
    answers: &Arc<Answers>,
) -> Result<Condition, Box<Question>> {
    let fails = |message: String| match failure {
        FailurePolicy::Fail => Condition::Error(message),
        FailurePolicy::Ignore => Condition::Unmet,
    };
    // The API server gives them no namespace.
    let inputs = Inputs { namespace: None, variables: &[], ..inputs };
    let scope = Scope::new(inputs, Some(Arc::clone(answers)));
    let mut left = Budget::MATCH_CONDITIONS;
    let mut errors: Vec<String> = Vec::new();
    let mut unmet = false;
    let mut pending = None;
    for condition in &policy.match_conditions {
        match scope.evaluate(condition, &mut left) {
            Ok(Ok(value)) => unmet |= value.as_bool() == Some(false),
            Ok(Err(error)) => errors.push(error),
            Err(Stop::Budget) => return Ok(fails(OUT_OF_BUDGET.to_owned())),
            Err(Stop::Pending(question)) => pending = pending.or(Some(question)),
        }
    }
    if unmet {
        return Ok(Condition::Unmet); // Whatever the answers would be.
    }
    if let Some(question) = pending {
        return Err(question);
    }
    errors.dedup();
    Ok(match errors.as_slice() {
        [] => Condition::Met,
        [error] => fails(error.clone()),
        errors => fails(format!("[{}]", errors.join(", "))),
    })
}

/// The value of every messageExpression, whether its validation failed or not. `Err`: the budget is spent.
fn messages(
    policy: &Compiled,
    inputs: Inputs<'_>,
    mut left: u64,
) -> Result<Vec<Option<String>>, &'static str> {
    let scope = Scope::new(inputs, None);
    let mut made = Vec::new();
    for validation in &policy.validations {
        let Some(program) = &validation.message_expression else {
            made.push(None);
            continue;
        };
        match scope.evaluate(program, &mut left) {
            Ok(Ok(value)) => made.push(value.as_str().map(str::to_owned)),
            Ok(Err(_)) | Err(Stop::Pending(_)) => made.push(None),
            Err(Stop::Budget) => return Err(OUT_OF_BUDGET),
        }
    }
    Ok(made)
}

/// What the expression made, unless it is blank, over [`MAX_MESSAGE`] or has several lines; else what is written.
fn message(validation: &Validation, made: Option<&String>) -> String {
    let made = made.map(|made| made.trim()).unwrap_or_default();
    if !made.is_empty() && made.len() <= MAX_MESSAGE && !made.contains('\n') {
        return made.to_owned();
    }
    match validation.message.trim() {
        "" => format!("failed expression: {}", validation.program.text().trim()),
        message => message.to_owned(),
    }
}

fn annotations(
    policy: &Compiled,
    failure: FailurePolicy,
    inputs: Inputs<'_>,
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    let scope = Scope::new(inputs, None);
    let mut left = Budget::POLICY;
    for (key, program) in &policy.audit_annotations {
        match scope.evaluate(program, &mut left)? {
            Ok(Value::String(text)) if !text.trim().is_empty() => {
                outcome.annotations.push((key.clone(), text.trim().to_owned()));
            }
            Ok(_) => {}
            Err(_) if failure == FailurePolicy::Ignore => {}
            Err(message) => outcome.annotation_errors.push(message),
        }
    }
    Ok(())
}
