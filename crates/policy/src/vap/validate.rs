//! What the API server refuses before it compiles anything. Source: Kubernetes
//! `pkg/apis/admissionregistration/validation`, 1.36.
use super::selector::LabelSelector;
use super::spec::{Action, BindingSpec, MatchResources, ParamRef, PolicySpec, Rule};
use seawall_cel::is_identifier;
use std::collections::BTreeSet;

/// A field and what is wrong with it.
pub(super) type Fault = (String, String);

/// Operations a rule may list.
const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
/// Reasons a validation may give.
const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
/// Of one policy; the API server's limits.
const MAX_AUDIT_ANNOTATIONS: usize = 20;
const MAX_MATCH_CONDITIONS: usize = 64;
/// The API server sets none; each costs a compilation and may nest in the next.
const MAX_VARIABLES: usize = 256;

pub(super) fn policy(spec: &PolicySpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, told: &str| faults.push((format!("spec.{field}"), told.into()));
    match &spec.match_constraints {
        None => fault("matchConstraints", "Required value"),
        Some(constraints) if constraints.resource_rules.is_empty() => {
            fault("matchConstraints.resourceRules", "Required value");
        }
        Some(_) => {}
    }
    if let Some(kind) = &spec.param_kind {
        if kind.api_version.is_empty() {
            fault("paramKind.apiVersion", "Required value");
        }
        if kind.kind.is_empty() {
            fault("paramKind.kind", "Required value");
        }
    }
    if spec.validations.is_empty() && spec.audit_annotations.is_empty() {
        fault("validations", "validations or auditAnnotations must contain at least one item");
    }
    if spec.audit_annotations.len() > MAX_AUDIT_ANNOTATIONS {
        let told = format!("must not have more than {MAX_AUDIT_ANNOTATIONS} auditAnnotations");
        fault("auditAnnotations", &told);
    }
    if spec.match_conditions.len() > MAX_MATCH_CONDITIONS {
        let told = format!("must have at most {MAX_MATCH_CONDITIONS} items");
        fault("matchConditions", &told);
    }
    if spec.variables.len() > MAX_VARIABLES {
        fault("variables", &format!("must have at most {MAX_VARIABLES} items"));
    }
    if let Some(constraints) = &spec.match_constraints {
        faults.append(&mut resources(constraints, "spec.matchConstraints"));
    }
    faults.append(&mut names(spec));
    faults.append(&mut messages(spec));
    faults
}

fn names(spec: &PolicySpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, condition) in spec.match_conditions.iter().enumerate() {
        let field = format!("spec.matchConditions[{at}].name");
        if condition.name.is_empty() {
            faults.push((field, "Required value".to_owned()));
        } else if !seen.insert(&condition.name) {
            faults.push((field, format!("Duplicate value: \"{}\"", condition.name)));
        }
    }
    for (at, variable) in spec.variables.iter().enumerate() {
        if !is_identifier(&variable.name) {
            let field = format!("spec.variables[{at}].name");
            faults.push((field, "must be a valid CEL identifier".to_owned()));
        }
    }
    let mut seen = BTreeSet::new();
    for (at, annotation) in spec.audit_annotations.iter().enumerate() {
        let field = format!("spec.auditAnnotations[{at}].key");
        if !is_key(&annotation.key) {
            faults.push((field, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character".to_owned()));
        } else if !seen.insert(&annotation.key) {
            faults.push((field, format!("Duplicate value: \"{}\"", annotation.key)));
        }
    }
    faults
}

fn messages(spec: &PolicySpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, validation) in spec.validations.iter().enumerate() {
        let mut fault = |field: &str, told: &str| {
            faults.push((format!("spec.validations[{at}].{field}"), told.to_owned()));
        };
        if validation.expression.trim().is_empty() {
            fault("expression", "expression is not specified");
        }
        let blank = |text: &str| !text.is_empty() && text.trim().is_empty();
        if blank(&validation.message_expression) {
            fault("messageExpression", "must be non-empty if specified");
        }
        if blank(&validation.message) {
            fault("message", "must be non-empty if specified");
        } else if validation.message.trim().contains(['\n', '\r']) {
            fault("message", "must not contain line breaks");
        }
        if let Some(reason) = &validation.reason
            && !REASONS.contains(&reason.as_str())
        {
            let known = REASONS.map(|reason| format!("\"{reason}\""));
            fault(
                "reason",
                &format!("Unsupported value: \"{reason}\": supported values: {}", known.join(", ")),
            );
        }
    }
    faults
}

pub(super) fn binding(spec: &BindingSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    if spec.policy_name.is_empty() {
        faults.push(("spec.policyName".to_owned(), "Required value".to_owned()));
    }
    let mut actions = |told: &str| faults.push(("spec.validationActions".into(), told.into()));
    let has = |action| spec.validation_actions.iter().filter(|given| **given == action).count();
    if spec.validation_actions.is_empty() {
        actions("at least one validation action is required");
    }
    if has(Action::Deny) > 0 && has(Action::Warn) > 0 {
        actions(
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
        );
    }
    if [Action::Deny, Action::Warn, Action::Audit].into_iter().any(|action| has(action) > 1) {
        actions("Duplicate value");
    }
    if let Some(reference) = &spec.param_ref {
        faults.append(&mut param_ref(reference));
    }
    if let Some(matched) = &spec.match_resources {
        faults.append(&mut resources(matched, "spec.matchResources"));
    }
    faults
}

fn param_ref(reference: &ParamRef) -> Vec<Fault> {
    let field = |name: &str| format!("spec.paramRef{name}");
    let mut faults = Vec::new();
    match (&reference.selector, reference.name.is_empty()) {
        (Some(_), false) => {
            faults.push((field(".name"), "name and selector are mutually exclusive".to_owned()));
        }
        (None, true) => {
            faults.push((field(""), "one of name or selector must be specified".to_owned()));
        }
        (Some(selector), true) => faults.append(&mut selected(selector, &field(".selector"))),
        (None, false) => {}
    }
    if reference.parameter_not_found_action.is_none() {
        faults.push((field(".parameterNotFoundAction"), "Required value".to_owned()));
    }
    faults
}

fn selected(selector: &LabelSelector, field: &str) -> Vec<Fault> {
    let told = |(below, told): (String, &str)| (format!("{field}.{below}"), told.to_owned());
    selector.faults().into_iter().map(told).collect()
}

fn resources(matched: &MatchResources, field: &str) -> Vec<Fault> {
    let mut faults = selected(&matched.namespace_selector, &format!("{field}.namespaceSelector"));
    faults.append(&mut selected(&matched.object_selector, &format!("{field}.objectSelector")));
    let lists = [
        ("resourceRules", &matched.resource_rules),
        ("excludeResourceRules", &matched.exclude_resource_rules),
    ];
    for (name, rules) in lists {
        for (at, rule) in rules.iter().enumerate() {
            let told =
                |(below, told): (&str, String)| (format!("{field}.{name}[{at}].{below}"), told);
            faults.extend(rule_faults(rule).into_iter().map(told));
        }
    }
    faults
}

fn rule_faults(rule: &Rule) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let lists = [
        ("operations", &rule.operations, "operations"),
        ("apiGroups", &rule.api_groups, "API groups"),
        ("apiVersions", &rule.api_versions, "API versions"),
    ];
    for (field, items, what) in lists {
        if items.is_empty() {
            faults.push((field, "Required value".to_owned()));
        }
        if items.len() > 1 && items.iter().any(|item| item == "*") {
            faults.push((field, format!("if '*' is present, must not specify other {what}")));
        }
    }
    for operation in &rule.operations {
        if !OPERATIONS.contains(&operation.as_str()) {
            let told = format!("Unsupported value: \"{operation}\"");
            faults.push(("operations", told));
        }
    }
    if rule.resources.is_empty() || rule.resources.iter().any(String::is_empty) {
        faults.push(("resources", "Required value".to_owned()));
    }
    let has = |name: &str| rule.resources.iter().any(|resource| resource == name);
    if rule.resources.len() > 1 && has("*/*") {
        faults.push(("resources", "if '*/*' is present, must not specify other resources".into()));
    }
    if has("*") && rule.resources.iter().any(|name| name != "*" && !name.contains('/')) {
        let told = "if '*' is present, must not specify other resources without subresources";
        faults.push(("resources", told.to_owned()));
    }
    faults
}

/// The name part of a qualified name.
fn is_key(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    name.len() <= 63
        && name.bytes().all(inner)
        && outer(name.as_bytes().first())
        && outer(name.as_bytes().last())
}
