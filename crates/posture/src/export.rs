//! Controls as native policies: `admissionregistration.k8s.io/v1` ValidatingAdmissionPolicy and its binding.
//!
//! Needs Kubernetes 1.30 or later. The policy says what the control says: `unless` becomes an alternative of each
//! validation, the prelude its variables, bound parameters a map among them.
use crate::catalogue::Selection;
use crate::cel::{Expression, quote};
use crate::control::{Control, Judge, Matches, Rules};
use seawall_model::Problem;
use seawall_model::admission::PolicyAction;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The namespaces that our own admission leaves alone, so that the parts of a cluster that mend it always start.
const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Prelude variables in the order of their definitions; each sees those before it. `dyn` quiets the API server's type
/// checker about fields that only some of the kinds have.
const PRELUDE: [(&str, &[&str], &str); 8] = [
    (
        "podSpec",
        &[],
        "dyn(object).kind == 'Pod' ? dyn(object).spec : dyn(object).kind == 'CronJob' ? \
         dyn(object).spec.jobTemplate.spec.template.spec : dyn(object).spec.template.spec",
    ),
    (
        "podMeta",
        &[],
        "dyn(object).kind == 'Pod' ? dyn(object).metadata : dyn(object).kind == 'CronJob' ? \
         dyn(object).spec.jobTemplate.spec.template.?metadata.orValue({}) : \
         dyn(object).spec.template.?metadata.orValue({})",
    ),
    ("mainContainers", &["podSpec"], "variables.podSpec.?containers.orValue([])"),
    ("initContainers", &["podSpec"], "variables.podSpec.?initContainers.orValue([])"),
    ("ephemeralContainers", &["podSpec"], "variables.podSpec.?ephemeralContainers.orValue([])"),
    (
        "containers",
        &["podSpec"],
        "variables.podSpec.?containers.orValue([]) + variables.podSpec.?initContainers.orValue([]) + \
         variables.podSpec.?ephemeralContainers.orValue([])",
    ),
    ("volumes", &["podSpec"], "variables.podSpec.?volumes.orValue([])"),
    ("isWindows", &["podSpec"], "variables.podSpec.?os.?name.orValue('') == 'windows'"),
];

/// One control as a policy and its binding.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Id of the control.
    pub control: String,
    pub policy: Value,
    pub binding: Value,
}

/// Every selected control as a native policy. Problems name the controls that the API server cannot judge: those on
/// facts, and those that need several objects.
pub fn export(selection: &Selection, action: PolicyAction) -> (Vec<Exported>, Vec<Problem>) {
    let (mut exported, mut problems) = (Vec::new(), Vec::new());
    for (control, params) in selection.bound() {
        let why = match (&control.judge, &control.matches) {
            (Judge::Expressions(rules), Matches::Workloads | Matches::Resources(_)) => {
                exported.push(one(control, rules, params, action));
                continue;
            }
            (_, Matches::Facts(facts)) => format!("it judges {} facts", facts.as_str()),
            _ => "it needs several objects at once".to_owned(),
        };
        let message = format!("{} is no native policy: {why}", control.id);
        problems.push(Problem::gap("not-exportable", message).item(&control.id));
    }
    (exported, problems)
}

fn one(
    control: &Control,
    rules: &Rules,
    params: &Map<String, Value>,
    action: PolicyAction,
) -> Exported {
    let name = control.id.to_lowercase();
    let metadata = json!({
        "name": name,
        "labels": {"app.kubernetes.io/managed-by": "seawall"},
        "annotations": {"seawall.dev/title": control.title},
    });
    let validation = |rule: &crate::control::Validation| {
        let mut parts: Vec<String> =
            rules.unless.iter().map(|(_, unless)| bracketed(unless)).collect();
        let expression = match parts.is_empty() {
            true => rule.expression.text.clone(),
            false => {
                parts.push(bracketed(&rule.expression));
                parts.join(" || ")
            }
        };
        // A message with a line break is refused.
        let message = rule.message.split_whitespace().collect::<Vec<_>>().join(" ");
        json!({"expression": expression, "message": message})
    };
    let mut spec = json!({
        "failurePolicy": "Ignore",
        "matchConstraints": {"resourceRules": resource_rules(&control.matches)},
    });
    if let Matches::Resources(constraints) = &control.matches
        && !constraints.exclude_resource_rules.is_empty()
    {
        spec["matchConstraints"]["excludeResourceRules"] =
            json!(constraints.exclude_resource_rules);
    }
    let variables = variables(rules, params);
    if !variables.is_empty() {
        spec["variables"] = Value::Array(variables);
    }
    spec["validations"] = rules.validations.iter().map(validation).collect();
    let api_version = "admissionregistration.k8s.io/v1";
    let kind = "ValidatingAdmissionPolicy";
    let spared = json!({"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": SYSTEM_NAMESPACES});
    Exported {
        control: control.id.clone(),
        binding: json!({
            "apiVersion": api_version, "kind": format!("{kind}Binding"), "metadata": metadata,
            "spec": {
                "policyName": name,
                "validationActions": [validation_action(action)],
                "matchResources": {"namespaceSelector": {"matchExpressions": [spared]}},
            },
        }),
        policy: json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}),
    }
}

/// What `off` means is that nothing is bound; who asks for a policy gets one that only writes audit annotations.
fn validation_action(action: PolicyAction) -> &'static str {
    match action {
        PolicyAction::Deny => "Deny",
        PolicyAction::Warn => "Warn",
        PolicyAction::Audit | PolicyAction::Off => "Audit",
    }
}

/// The expression in brackets; a comment at its end must not swallow them.
fn bracketed(expression: &Expression) -> String {
    let text = expression.text.trim();
    if text.contains("//") { format!("({text}\n)") } else { format!("({text})") }
}

/// The variables in use, and those they are made of.
fn variables(rules: &Rules, params: &Map<String, Value>) -> Vec<Value> {
    let expressions = rules.validations.iter().map(|rule| &rule.expression);
    let unless = rules.unless.iter().map(|(_, unless)| unless);
    let mut used: BTreeSet<&str> = expressions
        .chain(unless)
        .flat_map(|expression| expression.variables.iter().map(String::as_str))
        .collect();
    for (name, sources, _) in &PRELUDE {
        if used.contains(name) {
            used.extend(*sources);
        }
    }
    let prelude = PRELUDE.iter().filter(|(name, ..)| used.contains(name));
    let mut variables: Vec<Value> = prelude
        .map(|(name, _, expression)| json!({"name": name, "expression": expression}))
        .collect();
    if used.contains("params") {
        variables.push(json!({"name": "params", "expression": map_literal(params)}));
    }
    variables
}

/// `{'a': dyn(true)}`: every value in `dyn`, as Kubernetes demands that the values of a literal are of one type.
fn map_literal(members: &Map<String, Value>) -> String {
    let member =
        |(name, value): (&String, &Value)| format!("{}: dyn({})", quote(name), literal(value));
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            let item = |item: &Value| match item {
                Value::String(text) => quote(text),
                other => format!("dyn({})", literal(other)),
            };
            format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => map_literal(members),
    }
}

fn resource_rules(matches: &Matches) -> Value {
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": resources});
    match matches {
        Matches::Resources(constraints) => json!(constraints.resource_rules),
        _ => json!([
            rule("", &["pods", "pods/ephemeralcontainers", "replicationcontrollers"]),
            rule("apps", &["deployments", "statefulsets", "daemonsets", "replicasets"]),
            rule("batch", &["jobs", "cronjobs"]),
        ]),
    }
}
