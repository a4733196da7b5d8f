//! One control on one workload: which elements fail, or why there is no answer.
use crate::cel::types::Mismatch;
use crate::cel::{Expression, Failure, Run, Term};
use crate::control::Control;
use crate::pointer;
use crate::workload::{OWN_LISTS, View};
use seawall_model::finding::{Evidence, State};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a control says of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) failures: Vec<Failing>,
}

/// One failing element, or the pod spec itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Failing {
    /// Index into the control's validations.
    pub(crate) validation: usize,
    /// Pointer of the element; of the pod spec where no list was judged.
    pub(crate) base: String,
    pub(crate) element: bool,
}

/// An unanswered question.
struct Unanswered {
    reason: &'static str,
    message: String,
    pointer: String,
}

impl Control {
    /// Judges `view` with `params`, which hold every declared parameter.
    pub(crate) fn judge(&self, view: &View<'_>, params: &Map<String, Value>) -> Judgement {
        let undecided = |unanswered: &Unanswered| Judgement {
            state: State::Unknown,
            reason: Some(unanswered.reason.to_owned()),
            message: Some(unanswered.message.clone()),
            evidence: vec![evidence(view, &unanswered.pointer)],
            failures: Vec::new(),
        };
        let pod_spec = view.kind().pod_spec;
        if !view.pod_spec().is_some_and(Value::is_object) {
            let message = "there is no pod spec".to_owned();
            return undecided(&Unanswered {
                reason: "error",
                message,
                pointer: pod_spec.to_owned(),
            });
        }
        for (reason, expression) in &self.unless {
            let mut failing = Vec::new();
            let mut unanswered = Vec::new();
            judge_expression(
                expression,
                view,
                params,
                &mut |base, _| failing.push(base),
                &mut unanswered,
            );
            if let Some(unanswered) = unanswered.first() {
                return undecided(unanswered);
            }
            if failing.is_empty() {
                return Judgement {
                    state: State::NotApplicable,
                    reason: Some(reason.clone()),
                    message: None,
                    evidence: Vec::new(),
                    failures: Vec::new(),
                };
            }
        }
        let (mut failures, mut unanswered) = (Vec::new(), Vec::new());
        let mut known = HashSet::new();
        for (validation, rule) in self.validations.iter().enumerate() {
            let mut fail = |base, element| {
                let failing = Failing { validation, base, element };
                if known.insert(failing.clone()) {
                    failures.push(failing);
                }
            };
            judge_expression(&rule.expression, view, params, &mut fail, &mut unanswered);
        }
        match (failures.is_empty(), unanswered.first()) {
            (true, Some(first)) => undecided(first),
            (true, None) => Judgement {
                state: State::Healthy,
                reason: None,
                message: None,
                evidence: Vec::new(),
                failures,
            },
            (false, _) => self.unhealthy(view, failures),
        }
    }

    fn unhealthy(&self, view: &View<'_>, failures: Vec<Failing>) -> Judgement {
        let mut messages: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for failing in &failures {
            let rule = &self.validations[failing.validation];
            if !messages.contains(&rule.message.as_str()) {
                messages.push(&rule.message);
            }
            let tail = if failing.element || !rule.path.each { rule.path.tail() } else { &[] };
            found.push(evidence(
                view,
                &pointer::join(&failing.base, tail.iter().map(String::as_str)),
            ));
        }
        Judgement {
            state: State::Unhealthy,
            reason: None,
            message: Some(messages.join("; ")),
            evidence: found,
            failures,
        }
    }
}

fn evidence(view: &View<'_>, pointer: &str) -> Evidence {
    Evidence { path: pointer.to_owned(), value: pointer::value_at(view.object(), pointer) }
}

/// Calls `fail` with the pointer of each element for which `expression` is false, or with the pod spec's.
fn judge_expression(
    expression: &Expression,
    view: &View<'_>,
    params: &Map<String, Value>,
    fail: &mut dyn FnMut(String, bool),
    unanswered: &mut Vec<Unanswered>,
) {
    let malformed = malformed(expression, view);
    let object = expression.variables.contains("object").then(|| view.cel_object());
    let read = expression.variables.iter().filter(|name| *name != "object");
    let variables = read.map(|name| match name.as_str() {
        "params" => (name.clone(), crate::cel::values::of(&json!(params))),
        _ => (name.clone(), view.variable(name)),
    });
    let run = Run::new(variables.collect::<BTreeMap<_, _>>(), object);
    let pod_spec = view.kind().pod_spec;
    for term in &expression.terms {
        match term {
            Term::Whole(_) if !malformed.is_empty() => {
                unanswered
                    .extend(malformed.iter().map(|mismatch| Unanswered::wrong_type(mismatch)));
            }
            Term::Whole(whole) => match run.holds(whole, None) {
                Ok(true) => {}
                Ok(false) => fail(pod_spec.to_owned(), false),
                Err(failure) => unanswered.push(Unanswered::failed(failure, pod_spec)),
            },
            Term::Each { list, variable, predicate } => {
                // What is malformed outside every element leaves the whole list undecided.
                let (mut inside, mut outside) = (HashMap::new(), Vec::new());
                for mismatch in &malformed {
                    match element_of(&mismatch.pointer, pod_spec) {
                        Some(element) => _ = inside.entry(element).or_insert(mismatch),
                        None => outside.push(Unanswered::wrong_type(mismatch)),
                    }
                }
                unanswered.extend(outside);
                for element in view.elements(list) {
                    if let Some(mismatch) = inside.get(element.pointer.as_str()) {
                        unanswered.push(Unanswered::wrong_type(mismatch));
                        continue;
                    }
                    match run.holds(predicate, Some((variable, element.value.clone()))) {
                        Ok(true) => {}
                        Ok(false) => fail(element.pointer.clone(), true),
                        Err(failure) => {
                            unanswered.push(Unanswered::failed(failure, &element.pointer))
                        }
                    }
                }
            }
        }
    }
}

/// The malformed fields that the expression reads.
fn malformed<'v>(expression: &Expression, view: &'v View<'_>) -> Vec<&'v Mismatch> {
    let reads = |mismatch: &&Mismatch| {
        let owner =
            if mismatch.owner == "EphemeralContainer" { "Container" } else { mismatch.owner };
        [owner, mismatch.owner]
            .iter()
            .any(|owner| expression.fields.contains(&(owner, mismatch.field)))
    };
    view.mismatches().iter().filter(reads).collect()
}

impl Unanswered {
    fn wrong_type(mismatch: &Mismatch) -> Self {
        Self {
            reason: "error",
            message: format!("{} must be {}", mismatch.pointer, mismatch.expected),
            pointer: mismatch.pointer.clone(),
        }
    }

    fn failed(failure: Failure, pointer: &str) -> Self {
        let (reason, message) = match failure {
            Failure::Error(message) => ("error", message),
            Failure::Limit => {
                ("limit", format!("the expression costs over {} units", crate::cel::COST_LIMIT))
            }
        };
        Self { reason, message, pointer: pointer.to_owned() }
    }
}

/// The element of one of the pod spec's lists into which `pointer` leads, as its own pointer.
fn element_of<'p>(pointer: &'p str, pod_spec: &str) -> Option<&'p str> {
    let below = pointer.strip_prefix(pod_spec)?.strip_prefix('/')?;
    let (list, rest) = below.split_once('/')?;
    let index = rest.split('/').next()?;
    let length = pointer.len() - rest.len() + index.len();
    OWN_LISTS.contains(&list).then(|| &pointer[..length])
}
