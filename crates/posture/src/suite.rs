//! Runs the tests that stand in control files: each fragment as all eight kinds, each failure once more after its fix.
use crate::control::{Control, Expect};
use crate::workload::{Kind, View, WORKLOADS};
use crate::{fix, patch};
use seawall_model::finding::State;
use serde_json::{Map, Value, json};

/// What one test of a control came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    pub control: String,
    pub file: String,
    /// 1-based, of the test.
    pub line: u32,
    /// The test's name, else what it expects.
    pub name: String,
    /// Why it failed, by kind; empty where it holds.
    pub failures: Vec<String>,
}

/// Runs a control's own tests in the order written.
pub fn test(control: &Control) -> Vec<CaseResult> {
    let run = |case: &crate::control::TestCase| {
        let mut params = control.params.clone();
        params.extend(case.params.clone());
        let expected = match case.expect {
            Expect::Fails => State::Unhealthy,
            Expect::Passes => State::Healthy,
            Expect::NotApplicable => State::NotApplicable,
        };
        let mut failures = Vec::new();
        for name in case.params.keys().filter(|name| !control.params.contains_key(*name)) {
            failures.push(format!("unknown parameter `{name}`"));
        }
        for kind in &WORKLOADS {
            let object = embed(&case.fragment, kind);
            if let Err(reason) = run_as(control, &object, &params, expected) {
                failures.push(format!("as {}: {reason}", kind.kind));
            }
        }
        let name = case
            .name
            .clone()
            .unwrap_or_else(|| format!("{} line {}", expected.as_str(), case.line));
        CaseResult {
            control: control.id.clone(),
            file: control.file.clone(),
            line: case.line,
            name,
            failures,
        }
    };
    control.tests.iter().map(run).collect()
}

fn run_as(
    control: &Control,
    object: &Value,
    params: &Map<String, Value>,
    expected: State,
) -> Result<(), String> {
    let view = View::new(object).ok_or("is no workload")?;
    let judged = control.judge(&view, params);
    if judged.state != expected {
        let told = judged.message.map(|message| format!(": {message}")).unwrap_or_default();
        return Err(format!("expected {}, is {}{told}", expected.as_str(), judged.state.as_str()));
    }
    if judged.state != State::Unhealthy || control.fix.is_empty() {
        return Ok(());
    }
    let operations = fix::build(control, &view, params, &judged.failures)
        .map_err(|reason| format!("no fix: {reason}"))?;
    let mut healed = object.clone();
    patch::apply(&mut healed, &operations)
        .map_err(|error| format!("fix does not apply: {error}"))?;
    let state = View::new(&healed).map(|view| control.judge(&view, params).state);
    if state == Some(State::Healthy) { Ok(()) } else { Err("the fix does not heal".to_owned()) }
}

/// The fragment over a bare one-container pod spec, inside an object of `kind`.
fn embed(fragment: &Value, kind: &Kind) -> Value {
    let mut spec = json!({"containers": [{"name": "main", "image": "registry.example/app:1"}]});
    for (key, value) in fragment.as_object().into_iter().flatten() {
        let listed = key.ends_with("ontainers") || key == "volumes";
        let merged = match value.as_array().filter(|_| listed) {
            Some(items) => {
                items.iter().enumerate().map(|(index, item)| named(key, index, item)).collect()
            }
            None => value.clone(),
        };
        spec[key.as_str()] = merged;
    }
    let mut object =
        json!({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "case"}});
    let mut wrapped = spec;
    for token in crate::pointer::tokens(kind.pod_spec).collect::<Vec<_>>().iter().rev() {
        wrapped = json!({token.as_ref(): wrapped});
    }
    object["spec"] = wrapped["spec"].take();
    object
}

/// A container or volume with the fields that every one has.
fn named(list: &str, index: usize, item: &Value) -> Value {
    let Some(members) = item.as_object() else { return item.clone() };
    let mut element = json!({"name": format!("{list}-{index}").to_lowercase()});
    if list != "volumes" {
        element["image"] = json!("registry.example/app:1");
    }
    for (key, value) in members {
        element[key.as_str()] = value.clone();
    }
    element
}
