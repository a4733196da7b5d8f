//! All policies and bindings at hand, and their common verdict.
use super::compile::{self, Compiled};
use super::judge::{self, Outcome};
use super::matching::Match;
use super::params::{self, Lookup, NoParams, Params};
use super::review::Review;
use super::scope::Inputs;
use super::spec::{
    Action, BindingSpec, FailurePolicy, MatchResources, ParamKind, PolicySpec, Rule,
};
use super::validate::{self, Fault};
use super::verdict::{self, Denial, FAILURE, INVALID, PolicyFailure, Undecided, Verdict};
use seawall_model::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A document and where it lies.
#[derive(Clone, Debug)]
pub struct Document {
    pub object: Value,
    pub file: Option<String>,
    /// 1-based line it begins at.
    pub line: Option<u32>,
}

impl From<Value> for Document {
    fn from(object: Value) -> Self {
        Document { object, file: None, line: None }
    }
}

#[derive(Debug)]
struct Policy {
    name: String,
    failure: FailurePolicy,
    constraints: MatchResources,
    param_kind: Option<ParamKind>,
    compiled: Compiled,
}

#[derive(Debug)]
struct Binding {
    name: String,
    spec: BindingSpec,
}

/// What is loaded; policies keep the order of their documents.
#[derive(Debug, Default)]
pub struct Policies {
    policies: Vec<Policy>,
    bindings: Vec<Binding>,
}

/// What stands in a policy and its bindings.
#[derive(Clone, Debug)]
pub struct Facts<'p> {
    pub failure: FailurePolicy,
    /// Of all bindings.
    pub actions: Vec<Action>,
    /// `apiVersion` and kind of the params.
    pub param_kind: Option<(&'p str, &'p str)>,
    /// What it is for; bindings narrow it.
    pub rules: &'p [Rule],
}

/// Bytes of one audit annotation; the API server's limit.
const MAX_ANNOTATION: usize = 10 << 10;

impl Policies {
    /// Takes the policies and bindings out of `documents`, of any version of admissionregistration.k8s.io, and leaves
    /// the rest. Expressions compile as Kubernetes 1.`minor` compiles stored ones.
    /// Problems: `policy` for what the API server would refuse, with its field; the others load. `unbound` notes: a
    /// policy no binding names is bound with `Deny`.
    pub fn load(documents: &[Document], minor: u32) -> (Policies, Vec<Problem>) {
        let mut loaded = Policies::default();
        let mut problems = Vec::new();
        for document in documents {
            let text = |name: &str| document.object.get(name).and_then(Value::as_str);
            let group = text("apiVersion").and_then(|version| version.split_once('/'));
            if group.is_none_or(|(group, _)| group != "admissionregistration.k8s.io") {
                continue;
            }
            let faults = match text("kind") {
                Some("ValidatingAdmissionPolicy") => loaded.add_policy(&document.object, minor),
                Some("ValidatingAdmissionPolicyBinding") => loaded.add_binding(&document.object),
                _ => continue,
            };
            for (field, told) in faults.err().unwrap_or_default() {
                problems.push(problem(document, &format!("{field}: {told}")));
            }
        }
        loaded.bind_the_unbound(&mut problems);
        (loaded, problems)
    }

    /// Names of the policies that loaded.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|policy| policy.name.as_str())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// What stands in each policy and its bindings, in the policies' order.
    pub fn facts(&self) -> impl Iterator<Item = Facts<'_>> {
        self.policies.iter().map(|policy| {
            let mut actions: Vec<Action> = self
                .bindings_of(policy)
                .flat_map(|binding| binding.spec.validation_actions.iter().copied())
                .collect();
            actions.dedup();
            let kind = policy.param_kind.as_ref();
            Facts {
                failure: policy.failure,
                actions,
                param_kind: kind.map(|kind| (kind.api_version.as_str(), kind.kind.as_str())),
                rules: &policy.constraints.resource_rules,
            }
        })
    }

    fn bindings_of<'p>(&'p self, policy: &'p Policy) -> impl Iterator<Item = &'p Binding> {
        self.bindings.iter().filter(|binding| binding.spec.policy_name == policy.name)
    }

    /// Whether any policy is for the request by a binding, as far as rules and selectors say; where they cannot tell,
    /// it is. No expression is run.
    #[must_use]
    pub fn concerns(&self, review: &Review, lookup: &dyn Lookup) -> bool {
        let may = |matched: &MatchResources| matched.matches(review, lookup) != Match::No;
        !review.is_excluded()
            && self.policies.iter().any(|policy| {
                may(&policy.constraints)
                    && self
                        .bindings_of(policy)
                        .any(|binding| binding.spec.match_resources.as_ref().is_none_or(may))
            })
    }

    fn add_policy(&mut self, object: &Value, minor: u32) -> Result<(), Vec<Fault>> {
        let (name, spec): (String, PolicySpec) = read(object)?;
        let faults = validate::policy(&spec);
        if !faults.is_empty() {
            return Err(faults);
        }
        let compiled = compile::compile(&spec, minor)?;
        let PolicySpec { failure_policy, match_constraints, param_kind, .. } = spec;
        self.policies.push(Policy {
            name,
            failure: failure_policy,
            constraints: match_constraints.unwrap_or_default(),
            param_kind,
            compiled,
        });
        Ok(())
    }

    fn add_binding(&mut self, object: &Value) -> Result<(), Vec<Fault>> {
        let (name, mut spec): (String, BindingSpec) = read(object)?;
        if object.get("apiVersion").and_then(Value::as_str)
            == Some("admissionregistration.k8s.io/v1alpha1")
            && let Some(reference) = &mut spec.param_ref
        {
            // That version defaults it.
            reference.parameter_not_found_action.get_or_insert(super::spec::NotFound::Deny);
        }
        let faults = validate::binding(&spec);
        if !faults.is_empty() {
            return Err(faults);
        }
        self.bindings.push(Binding { name, spec });
        Ok(())
    }

    fn bind_the_unbound(&mut self, problems: &mut Vec<Problem>) {
        for policy in &self.policies {
            if self.bindings.iter().any(|binding| binding.spec.policy_name == policy.name) {
                continue;
            }
            let message = "no binding names this policy; it counts as bound with Deny";
            let mut note = Problem::note("unbound", message);
            note.item = Some(policy.name.clone());
            problems.push(note);
            self.bindings.push(Binding {
                name: policy.name.clone(),
                spec: BindingSpec {
                    policy_name: policy.name.clone(),
                    param_ref: None,
                    match_resources: None,
                    validation_actions: vec![Action::Deny],
                },
            });
        }
    }

    /// Judges one request.
    #[must_use]
    pub fn review(&self, review: &Review, lookup: &dyn Lookup) -> Verdict {
        let mut verdict = Verdict::default();
        if review.is_excluded() {
            return verdict;
        }
        for policy in &self.policies {
            let mut one = OnePolicy { policy, review, lookup, verdict: &mut verdict };
            one.review(&self.bindings);
        }
        verdict
    }
}

/// One policy on its way through a review.
struct OnePolicy<'r> {
    policy: &'r Policy,
    review: &'r Review,
    lookup: &'r dyn Lookup,
    verdict: &'r mut Verdict,
}

impl OnePolicy<'_> {
    fn review(&mut self, bindings: &[Binding]) {
        match self.policy.constraints.matches(self.review, self.lookup) {
            Match::Yes => {}
            Match::No => return,
            Match::Unknown(reason) => return self.undecided(None, reason),
        }
        if let Some(kind) = &self.policy.param_kind
            && matches!(self.lookup.params(&kind.api_version, &kind.kind), Params::Unknown)
        {
            return self.misconfigured(None, &params::unknown_kind(kind));
        }
        let mut annotations: Vec<(String, Vec<String>)> = Vec::new();
        for binding in bindings {
            if binding.spec.policy_name == self.policy.name {
                self.bound(binding, &mut annotations);
            }
        }
        for (key, values) in annotations {
            let key = format!("{}/{key}", self.policy.name);
            self.verdict.audit_annotations.insert(key, values.join(", "));
        }
    }

    fn bound(&mut self, binding: &Binding, annotations: &mut Vec<(String, Vec<String>)>) {
        let (review, lookup) = (self.review, self.lookup);
        let matched = binding.spec.match_resources.as_ref();
        match matched.map_or(Match::Yes, |matched| matched.matches(review, lookup)) {
            Match::Yes => {}
            Match::No => return,
            Match::Unknown(reason) => return self.undecided(Some(&binding.name), reason),
        }
        let kind = self.policy.param_kind.as_ref();
        let reference = binding.spec.param_ref.as_ref();
        let params = match params::collect(kind, reference, &review.namespace, lookup) {
            Ok(params) => params,
            Err(NoParams::Error(error)) => {
                return self.misconfigured(Some(&binding.name), &error);
            }
            Err(NoParams::NotAtHand(reason)) => {
                return self.undecided(Some(&binding.name), reason);
            }
        };
        let of_namespace = review.kind.kind == "Namespace"
            && review.kind.version == "v1"
            && review.kind.group.is_empty();
        let in_namespace = !of_namespace && !review.namespace.is_empty();
        let namespace = in_namespace.then(|| lookup.namespace(&review.namespace)).flatten();
        if in_namespace && namespace.is_none() && self.reads_namespace() {
            let reason = format!("the namespace {} is not at hand", review.namespace);
            return self.undecided(Some(&binding.name), reason);
        }
        let answers = lookup.answers();
        for params in params {
            let variables = self.policy.compiled.variables.as_slice();
            let inputs = Inputs { review, params, namespace, variables };
            match judge::judge(&self.policy.compiled, self.policy.failure, inputs, &answers) {
                Ok(outcome) => self.settle(binding, outcome, annotations),
                Err(question) if self.verdict.questions.contains(&question) => {}
                Err(question) => self.verdict.questions.push(*question),
            }
        }
    }

    fn reads_namespace(&self) -> bool {
        let compiled = &self.policy.compiled;
        let validations = compiled.validations.iter();
        validations
            .flat_map(|validation| {
                [Some(&validation.program), validation.message_expression.as_ref()]
            })
            .flatten()
            .chain(compiled.variables.iter().map(|variable| &variable.program))
            .chain(compiled.audit_annotations.iter().map(|(_, program)| program))
            .any(|program| program.variables().iter().any(|name| **name == *"namespaceObject"))
    }

    fn settle(
        &mut self,
        binding: &Binding,
        outcome: Outcome,
        annotations: &mut Vec<(String, Vec<String>)>,
    ) {
        let policy = self.policy.name.as_str();
        let by = Some(binding.name.as_str());
        if outcome.judged {
            self.verdict.judged.insert(policy.to_owned());
        }
        let does = binding.spec.validation_actions.as_slice();
        let failures =
            outcome.failed.iter().map(|failed| (failed.message.clone(), failed.error, does));
        let ignored = outcome.ignored.into_iter().map(|message| (message, true, [].as_slice()));
        for (message, error, actions) in failures.chain(ignored) {
            let (policy, actions) = (policy.to_owned(), actions.to_vec());
            let failure = PolicyFailure { policy, message, error, actions };
            if !self.verdict.failures.contains(&failure) {
                self.verdict.failures.push(failure);
            }
        }
        for failed in outcome.failed {
            for action in &binding.spec.validation_actions {
                match action {
                    Action::Deny => {
                        let denial = Denial::new(policy, by, &failed.message, &failed.reason);
                        self.verdict.denials.push(denial);
                    }
                    Action::Warn => self.verdict.warnings.push(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{}': {}",
                        binding.name, failed.message
                    )),
                    Action::Audit => {
                        let names = (policy, binding.name.as_str());
                        let actions = &binding.spec.validation_actions;
                        let value =
                            verdict::failure(names, &failed.message, failed.index, actions);
                        // The first failure keeps the key, as the API server refuses to overwrite it.
                        self.verdict
                            .audit_annotations
                            .entry(FAILURE.to_owned())
                            .or_insert(value);
                    }
                }
            }
        }
        for (key, mut value) in outcome.annotations {
            value.truncate(value.floor_char_boundary(MAX_ANNOTATION));
            match annotations.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) if values.contains(&value) => {}
                Some((_, values)) => values.push(value),
                None => annotations.push((key, vec![value])),
            }
        }
        for error in outcome.annotation_errors {
            self.verdict.denials.push(Denial::new(policy, by, &error, INVALID));
        }
    }

    /// What keeps a policy from running is an error of its own, whatever the binding's actions.
    fn misconfigured(&mut self, binding: Option<&str>, error: &str) {
        if self.policy.failure == FailurePolicy::Fail {
            let what = if binding.is_some() { "binding" } else { "policy" };
            let message = format!("failed to configure {what}: {error}");
            let denial = Denial::new(&self.policy.name, binding, &message, INVALID);
            self.verdict.denials.push(denial);
        }
    }

    fn undecided(&mut self, binding: Option<&str>, reason: String) {
        let policy = self.policy.name.clone();
        let binding = binding.map(str::to_owned);
        self.verdict.undecided.push(Undecided { policy, binding, reason });
    }
}

/// The name and spec of a document. Faults: a missing name, fields that do not read.
fn read<T: DeserializeOwned>(object: &Value) -> Result<(String, T), Vec<Fault>> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(vec![("metadata.name".to_owned(), "Required value".to_owned())]);
    }
    let spec = object.get("spec").cloned().unwrap_or_default();
    match serde_json::from_value(spec) {
        Ok(spec) => Ok((name.to_owned(), spec)),
        Err(error) => Err(vec![("spec".to_owned(), error.to_string())]),
    }
}

fn problem(document: &Document, message: &str) -> Problem {
    let mut problem = Problem::error("policy", message);
    problem.file = document.file.clone();
    problem.line = document.line;
    let text = |pointer: &str| document.object.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or_default();
    problem.item = Some(format!("{kind} {}", text("/metadata/name").unwrap_or_default()));
    problem
}
