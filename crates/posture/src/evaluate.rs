//! One control on one object: which elements fail, or why there is no answer.
use crate::cel::types::Mismatch;
use crate::cel::{self, Each, Expression, Failure, Range, Root, Term};
use crate::control::{Control, Matches, Rules};
use crate::path::FieldPath;
use crate::pointer;
use crate::workload::{Element, OWN_LISTS, View};
use seawall_cel::{Activation, Budget, EvalError, Map as CelMap, Program, Value as CelValue};
use seawall_model::finding::{Evidence, State};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// Reasons of `unless` that leave the question open; every other one says that the control cannot concern the object.
const OPEN: [&str; 4] = ["forbidden", "manual", "not-collected", "unsupported"];

/// What a control says of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub state: State,
    /// One closed word per state, such as `forbidden`, `windows`, `error`.
    pub reason: Option<String>,
    pub message: Option<String>,
    pub evidence: Vec<Evidence>,
    /// A JSON Patch that heals, where the judge knows one; expressions leave it to the control's `fix`.
    pub fix: Vec<Value>,
    pub(crate) failures: Vec<Failing>,
}

impl Judgement {
    fn new(state: State, reason: Option<&str>, message: Option<String>) -> Self {
        let (evidence, fix, failures) = Default::default();
        Self { state, reason: reason.map(str::to_owned), message, evidence, fix, failures }
    }

    pub fn healthy() -> Self {
        Self::new(State::Healthy, None, None)
    }

    pub fn unhealthy(message: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self { evidence, ..Self::new(State::Unhealthy, None, Some(message.into())) }
    }

    pub fn not_applicable(reason: &str) -> Self {
        Self::new(State::NotApplicable, Some(reason), None)
    }

    pub fn unknown(reason: &str, message: impl Into<String>) -> Self {
        Self::new(State::Unknown, Some(reason), Some(message.into()))
    }
}

/// One failing element, or the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Failing {
    /// Index into the control's validations.
    pub(crate) validation: usize,
    /// Pointer of the pod spec, or of the whole object.
    pub(crate) root: &'static str,
    /// Pointers of the elements, outermost first; none where no list was judged. Never more than the path has `[*]`.
    pub(crate) elements: Vec<String>,
}

impl Failing {
    /// Pointer of the innermost element, else of the root.
    pub(crate) fn base(&self) -> &str {
        self.elements.last().map_or(self.root, String::as_str)
    }
}

/// An unanswered question.
struct Unanswered {
    reason: &'static str,
    message: String,
    pointer: String,
}

impl Control {
    /// Pointer from the object to what the control's paths are relative to.
    pub(crate) fn root(&self, view: &View<'_>) -> &'static str {
        if self.matches == Matches::Workloads { view.pod_spec_pointer() } else { "" }
    }

    /// Where `path` starts: there, or at the pod's metadata.
    fn root_of(&self, path: &FieldPath, view: &View<'_>) -> &'static str {
        let metadata = view.kind().filter(|_| path.is_pod_meta()).map(|kind| kind.pod_meta);
        metadata.unwrap_or_else(|| self.root(view))
    }

    /// Judges `view` with `params`, which hold every declared parameter. A control that needs more than one object
    /// has no answer here.
    pub(crate) fn judge<'v>(&self, view: &View<'v>, params: &'v Map<String, Value>) -> Judgement {
        let Some(rules) = self.rules() else {
            return Judgement::unknown("unsupported", "one object alone is not enough to judge");
        };
        let undecided = |unanswered: &Unanswered| Judgement {
            evidence: vec![evidence(view, &unanswered.pointer)],
            ..Judgement::unknown(unanswered.reason, unanswered.message.clone())
        };
        let root = self.root(view);
        if self.matches == Matches::Workloads && !view.pod_spec().is_some_and(Value::is_object) {
            let message = "there is no pod spec".to_owned();
            return undecided(&Unanswered { reason: "error", message, pointer: root.to_owned() });
        }
        for (reason, expression) in &rules.unless {
            let mut asked = Asked::new(expression, view, params, root);
            asked.terms(&expression.terms);
            // As `&&` has it: one part that is false outweighs an error in another.
            if !asked.failing.is_empty() {
                continue;
            }
            if let Some(unanswered) = asked.unanswered.first() {
                return undecided(unanswered);
            }
            return match OPEN.contains(&reason.as_str()) {
                true => Judgement::unknown(reason, "what the control asks for was not seen"),
                false => Judgement::not_applicable(reason),
            };
        }
        let (mut failures, mut unanswered) = (Vec::new(), Vec::new());
        let mut known = HashSet::new();
        for (validation, rule) in rules.validations.iter().enumerate() {
            let mut asked = Asked::new(&rule.expression, view, params, root);
            asked.terms(&rule.expression.terms);
            unanswered.append(&mut asked.unanswered);
            let root = self.root_of(&rule.path, view);
            for mut elements in asked.failing {
                elements.truncate(rule.path.depth());
                let failing = Failing { validation, root, elements };
                if known.insert(failing.clone()) {
                    failures.push(failing);
                }
            }
        }
        match (failures.is_empty(), unanswered.first()) {
            (true, Some(first)) => undecided(first),
            (true, None) => Judgement::healthy(),
            (false, _) => unhealthy(rules, view, failures),
        }
    }
}

fn unhealthy(rules: &Rules, view: &View<'_>, failures: Vec<Failing>) -> Judgement {
    let mut messages: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for failing in &failures {
        let rule = &rules.validations[failing.validation];
        if !messages.contains(&rule.message.as_str()) {
            messages.push(&rule.message);
        }
        let whole = failing.elements.len() == rule.path.depth();
        let tail = if whole { rule.path.tail() } else { &[] };
        found.push(evidence(view, &pointer::join(failing.base(), tail.iter().map(String::as_str))));
    }
    Judgement { failures, ..Judgement::unhealthy(messages.join("; "), found) }
}

fn evidence(view: &View<'_>, pointer: &str) -> Evidence {
    let value = crate::mask::masked(pointer, pointer::value_at(view.object(), pointer));
    Evidence { path: pointer.to_owned(), value }
}

/// One expression on one object, and what came of it.
struct Asked<'a, 'v> {
    root: &'static str,
    names: Names<'a, 'v>,
    budget: Budget,
    /// The malformed fields that the expression reads.
    malformed: Vec<&'a Mismatch>,
    /// Pointers of the elements of each failure, outermost first.
    failing: Vec<Vec<String>>,
    unanswered: Vec<Unanswered>,
}

/// What the names in an expression stand for.
struct Names<'a, 'v> {
    view: &'a View<'v>,
    params: &'v Map<String, Value>,
    /// The elements that `all`s are at, outermost first, with their variables.
    scope: Vec<(&'a str, Element<'v>)>,
}

impl<'v> Activation<'v> for Names<'_, 'v> {
    fn resolve(&self, name: &str) -> Option<Result<CelValue<'v>, EvalError>> {
        let bound = self.scope.iter().rev().find(|(variable, _)| *variable == name);
        if let Some((_, element)) = bound {
            return Some(Ok(CelValue::json(element.json)));
        }
        match name.strip_prefix("variables.") {
            Some("params") => Some(Ok(CelValue::Map(CelMap::Json(self.params)))),
            Some(name) => self.view.variable(name).map(Ok),
            None => (name == "object").then(|| Ok(CelValue::json(self.view.object()))),
        }
    }
}

impl<'a, 'v> Asked<'a, 'v> {
    fn new(
        expression: &'a Expression,
        view: &'a View<'v>,
        params: &'v Map<String, Value>,
        root: &'static str,
    ) -> Self {
        let malformed = malformed(expression, view);
        let names = Names { view, params, scope: Vec::new() };
        let (failing, unanswered) = Default::default();
        Self { root, names, budget: Budget::expression(), malformed, failing, unanswered }
    }

    fn terms(&mut self, terms: &'a [Term]) {
        for term in terms {
            match term {
                Term::Whole(_) if self.names.scope.is_empty() && !self.malformed.is_empty() => {
                    let told =
                        self.malformed.iter().map(|mismatch| Unanswered::wrong_type(mismatch));
                    self.unanswered.extend(told);
                }
                Term::Whole(whole) => {
                    let holds = self.holds(whole);
                    self.take(holds);
                }
                Term::Each(each) => self.each(each),
                Term::Guarded { guard, each } => match self.holds(guard) {
                    Ok(true) => {}
                    Ok(false) => self.each(each),
                    // As `||` does: the error is gone where the rest holds.
                    Err(failure) => {
                        let (failing, unanswered) = (self.failing.len(), self.unanswered.len());
                        self.each(each);
                        if self.failing.len() > failing || self.unanswered.len() > unanswered {
                            self.failing.truncate(failing);
                            self.unanswered.truncate(unanswered);
                            self.take(Err(failure));
                        }
                    }
                },
            }
        }
    }

    fn holds(&mut self, program: &Program) -> Result<bool, Failure> {
        cel::holds(program, &self.names, &mut self.budget)
    }

    fn take(&mut self, holds: Result<bool, Failure>) {
        match holds {
            Ok(true) => {}
            Ok(false) => {
                let elements = self.names.scope.iter().map(|(_, element)| element.pointer());
                self.failing.push(elements.collect());
            }
            Err(failure) => {
                let innermost = self.names.scope.last().map(|(_, element)| element.pointer());
                let at = innermost.as_deref().unwrap_or(self.root);
                let unanswered = Unanswered::failed(failure, at);
                self.unanswered.push(unanswered);
            }
        }
    }

    fn each(&mut self, each: &'a Each) {
        let Some((lists, elements)) = self.range(&each.range) else {
            let holds = self.holds(&each.whole);
            return self.take(holds);
        };
        let mut broken: BTreeMap<String, &Mismatch> = BTreeMap::new();
        if self.names.scope.is_empty() {
            // What is malformed outside every element leaves the whole list undecided.
            for mismatch in &self.malformed {
                match element_of(&mismatch.pointer, &lists) {
                    Some(element) => _ = broken.entry(element.to_owned()).or_insert(mismatch),
                    None => self.unanswered.push(Unanswered::wrong_type(mismatch)),
                }
            }
        }
        for element in elements {
            if !broken.is_empty()
                && let Some(mismatch) = broken.get(&element.pointer())
            {
                self.unanswered.push(Unanswered::wrong_type(mismatch));
                continue;
            }
            self.names.scope.push((&each.variable, element));
            self.terms(&each.body);
            self.names.scope.pop();
        }
    }

    /// The pointers of the lists that a range stands for, and their elements; `None` where it is no list.
    fn range(&self, range: &Range) -> Option<(Vec<String>, Vec<Element<'v>>)> {
        let view = self.names.view;
        let (mut at, mut json) = match &range.root {
            Root::Prelude(name) => {
                let elements = view.elements(name).to_vec();
                if self.malformed.is_empty() {
                    return Some((Vec::new(), elements));
                }
                // Another own list's malformed element does not concern this one.
                let lists = OWN_LISTS.iter().map(|own| pointer::join(self.root, [*own]));
                return Some((lists.collect(), elements));
            }
            Root::Object => (String::new(), view.object()),
            Root::PodSpec => (view.pod_spec_pointer().to_owned(), view.pod_spec()?),
            Root::Element(name) => {
                let bound = self.names.scope.iter().rev().find(|(variable, _)| variable == name)?;
                (bound.1.pointer(), bound.1.json)
            }
        };
        for (index, field) in range.fields.iter().enumerate() {
            pointer::push(&mut at, field);
            json = match json.as_object()?.get(field) {
                Some(member) => member,
                None if index >= range.optional_from => return Some((vec![at], Vec::new())),
                None => return None,
            };
        }
        let elements = Element::all(&at, json.as_array()?);
        Some((vec![at], elements))
    }
}

/// The malformed fields that the expression reads.
fn malformed<'v>(expression: &Expression, view: &'v View<'_>) -> Vec<&'v Mismatch> {
    if view.mismatches().is_empty() {
        return Vec::new();
    }
    let reads = |mismatch: &&Mismatch| {
        let owner =
            if mismatch.owner == "EphemeralContainer" { "Container" } else { mismatch.owner };
        [owner, mismatch.owner].iter().any(|owner| {
            expression.fields.contains(&((*owner).to_owned(), mismatch.field.to_owned()))
        })
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
                ("limit", format!("the expression costs over {} units", Budget::EXPRESSION))
            }
        };
        Self { reason, message, pointer: pointer.to_owned() }
    }
}

/// The element of one of `lists` into which `pointer` leads, as its own pointer.
fn element_of<'p>(pointer: &'p str, lists: &[String]) -> Option<&'p str> {
    lists.iter().find_map(|list| {
        let rest = pointer.strip_prefix(list.as_str())?.strip_prefix('/')?;
        let index = rest.split('/').next()?;
        Some(&pointer[..pointer.len() - rest.len() + index.len()])
    })
}
