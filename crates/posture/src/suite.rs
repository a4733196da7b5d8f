//! Runs the tests that stand in control files: fragments of pod specs as all eight kinds, whole objects and documents as
//! they are, groups of objects for one subject; each failure once more after its fix.
use crate::control::{Control, Matches, TestCase};
use crate::evaluate::Judgement;
use crate::fix::Withheld;
use crate::workload::{Kind, View, WORKLOADS};
use crate::world::{Subject, World};
use crate::{fix, patch};
use seawall_model::finding::State;
use serde::Deserialize;
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

/// One case of a control's own tests, as the objects it is run on.
#[derive(Clone, Debug)]
pub struct Case {
    /// 1-based line of the test.
    pub line: u32,
    pub params: Map<String, Value>,
    pub expected: State,
    /// A pod spec's fragment inside each of the eight kinds, or the whole object.
    pub objects: Vec<Value>,
}

/// The cases of a control that judges objects one by one; none for others. For judges from outside.
pub fn cases(control: &Control) -> Vec<Case> {
    let objects = |fragment: &Value| match control.matches {
        Matches::Workloads => WORKLOADS.iter().map(|kind| embed(fragment, kind)).collect(),
        Matches::Resources(_) => vec![fragment.clone()],
        Matches::Facts(_) | Matches::World => Vec::new(),
    };
    let case = |case: &TestCase| Case {
        line: case.line,
        params: case.params.clone(),
        expected: case.expect.state(),
        objects: objects(&case.fragment),
    };
    control.tests.iter().map(case).filter(|case| !case.objects.is_empty()).collect()
}

/// The objects of each case of a control that needs several; none for others.
pub fn groups(control: &Control) -> Vec<Vec<Value>> {
    let group = |case: &TestCase| {
        let objects = case.fragment.get("objects")?.as_array()?;
        Some(objects.clone())
    };
    match control.matches {
        Matches::World => control.tests.iter().filter_map(group).collect(),
        Matches::Workloads | Matches::Resources(_) | Matches::Facts(_) => Vec::new(),
    }
}

/// Runs a control's own tests in the order written.
pub fn test(control: &Control) -> Vec<CaseResult> {
    let run = |case: &TestCase| {
        let mut params = control.params.clone();
        params.extend(case.params.clone());
        let expected = case.expect.state();
        let mut failures = Vec::new();
        for name in case.params.keys().filter(|name| !control.params.contains_key(*name)) {
            failures.push(format!("unknown parameter `{name}`"));
        }
        match &control.matches {
            Matches::Workloads => {
                for kind in &WORKLOADS {
                    let object = embed(&case.fragment, kind);
                    if let Err(reason) = run_as(control, &object, &params, expected) {
                        failures.push(format!("as {}: {reason}", kind.kind));
                    }
                }
            }
            Matches::Resources(constraints) if !constraints.fit(&case.fragment) => {
                failures.push("the object is of no kind that the control is about".to_owned());
            }
            Matches::Resources(_) | Matches::Facts(_) => {
                failures.extend(run_as(control, &case.fragment, &params, expected).err());
            }
            Matches::World => failures.extend(run_among(control, case, &params, expected).err()),
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
    let view = View::new(object);
    let judged = control.judge(&view, params);
    as_expected(&judged, expected)?;
    if judged.state != State::Unhealthy || control.fix.is_empty() {
        return Ok(());
    }
    let operations = match fix::build(control, &view, params, &judged.failures) {
        Ok(operations) => operations,
        // Withheld, and told: there is nothing that could heal.
        Err(Withheld::Refused(_)) => return Ok(()),
        Err(Withheld::Useless(reason)) => return Err(format!("no fix: {reason}")),
    };
    let mut healed = object.clone();
    patch::apply(&mut healed, &operations)
        .map_err(|error| format!("fix does not apply: {error}"))?;
    let state = control.judge(&View::new(&healed), params).state;
    if state == State::Healthy { Ok(()) } else { Err("the fix does not heal".to_owned()) }
}

fn as_expected(judged: &Judgement, expected: State) -> Result<(), String> {
    if judged.state == expected {
        return Ok(());
    }
    let why = judged.message.as_ref().or(judged.reason.as_ref());
    let told = why.map(|why| format!(": {why}")).unwrap_or_default();
    Err(format!("expected {}, is {}{told}", expected.as_str(), judged.state.as_str()))
}

/// A case of a control that needs several objects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    objects: Vec<Value>,
    /// `Kind/namespace/name` of what is judged; `Kind/name` where it has no namespace.
    subject: String,
    /// Objects of these kinds cannot be read: `group/Kind`, `Kind` of the core group.
    #[serde(default)]
    unseen: Vec<String>,
    /// Whether more objects may exist than the case names.
    #[serde(default)]
    partial: bool,
}

fn run_among(
    control: &Control,
    case: &TestCase,
    params: &Map<String, Value>,
    expected: State,
) -> Result<(), String> {
    let Group { objects, subject: name, unseen, partial } = Group::deserialize(&case.fragment)
        .map_err(|error| format!("a case names its objects and the subject: {error}"))?;
    let mut world = World::new(&objects, !partial).with_kubernetes(case.kubernetes.as_deref());
    for kind in &unseen {
        let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
        world = world.with_unseen(group, kind, "forbidden");
    }
    let shown = |subject: &Subject<'_>| {
        let resource = &subject.resource;
        let namespace = resource.namespace.as_ref().map(|namespace| format!("{namespace}/"));
        format!("{}/{}{}", resource.kind, namespace.unwrap_or_default(), resource.name)
    };
    let subjects = control.subjects(&world);
    let Some(subject) = subjects.iter().find(|subject| shown(subject) == name) else {
        let known: Vec<String> = subjects.iter().map(shown).collect();
        return Err(format!("`{name}` is no subject: expected one of {}", known.join(", ")));
    };
    as_expected(&control.judge_among(subject, &world, params), expected)
}

/// The fragment over a bare one-container pod spec, inside an object of `kind` that an API server takes. The key
/// `podMeta` stands for the pod's metadata.
fn embed(fragment: &Value, kind: &Kind) -> Value {
    let mut spec = json!({"containers": [{"name": "main", "image": "registry.example/app:1"}]});
    let labels = json!({"app": "case"});
    let mut meta = json!({"labels": labels});
    for (key, value) in fragment.as_object().into_iter().flatten() {
        if key == "podMeta" {
            meta.as_object_mut().into_iter().for_each(|meta| {
                meta.extend(value.as_object().into_iter().flatten().map(owned));
            });
            continue;
        }
        let listed = key.ends_with("ontainers") || key == "volumes";
        let merged = match value.as_array().filter(|_| listed) {
            Some(items) => {
                items.iter().enumerate().map(|(index, item)| named(key, index, item)).collect()
            }
            None => value.clone(),
        };
        spec[key.as_str()] = merged;
    }
    let runs_once = ["Job", "CronJob"].contains(&kind.kind);
    if runs_once && spec.get("restartPolicy").is_none() {
        spec["restartPolicy"] = json!("Never");
    }
    let mut metadata = json!({"name": "case"});
    let template = |meta: Value, spec: Value| json!({"metadata": meta, "spec": spec});
    let spec = match kind.kind {
        "Pod" => {
            metadata.as_object_mut().into_iter().for_each(|metadata| {
                metadata.extend(meta.as_object().into_iter().flatten().map(owned));
            });
            spec
        }
        "ReplicationController" => json!({"selector": labels, "template": template(meta, spec)}),
        "StatefulSet" => {
            json!({"serviceName": "case", "selector": {"matchLabels": labels}, "template": template(meta, spec)})
        }
        "Job" => json!({"template": template(meta, spec)}),
        "CronJob" => {
            json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template(meta, spec)}}})
        }
        _ => json!({"selector": {"matchLabels": labels}, "template": template(meta, spec)}),
    };
    json!({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec})
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
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
