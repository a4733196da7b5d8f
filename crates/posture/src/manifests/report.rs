//! What `scan manifests` says: all states in order, the score, and rows for a table.
use super::{Manifests, owned};
use crate::catalogue::Selection;
use crate::owners::{self, Role};
use crate::score::{self, Outcome};
use crate::workload::WORKLOADS;
use crate::world::{self, World};
use seawall_model::finding::{ControlFinding, Source, State};
use seawall_model::problem::ProblemKind;
use seawall_model::recommendation::GroupScore;
use seawall_model::{Problem, Severity};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The version of the report's shape; a field is only ever added.
const SCHEMA: &str = "seawall/posture-report/v1";

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub target: String,
    /// The version the objects are meant for, where one was given.
    pub kubernetes: Option<String>,
    /// `NAME@VERSION`, as asked for; empty: every stable control.
    pub frameworks: Vec<String>,
    pub scores: Scores,
    /// decided / (decided + unknown); null while nothing was asked.
    pub coverage: Option<f64>,
    pub findings: Vec<ControlFinding>,
    pub problems: Vec<Problem>,
    pub counts: Counts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Scores {
    /// 0 to 100; null while nothing is decided.
    pub secure: Option<f64>,
    pub groups: Vec<GroupScore>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    pub objects: u64,
    /// Objects that controls were run on.
    pub judged: u64,
    /// Objects of kinds or versions no control knows, by `apiVersion Kind`.
    pub not_applicable: BTreeMap<String, u64>,
    /// Workloads not judged because their owner answers for them or keeps them for its history.
    pub owned: u64,
    /// YAML in directories that is no Kubernetes object.
    pub foreign: u64,
}

/// A finding as a table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub control: String,
    pub title: String,
    pub severity: Severity,
    pub state: State,
    /// `shop/Deployment/web`.
    pub resource: String,
    /// `web.yaml:3`.
    pub place: String,
    pub message: String,
}

impl Report {
    /// Judges all objects. `target` is shown as given.
    pub fn new(
        manifests: &Manifests,
        selection: &Selection,
        target: &str,
        kubernetes: Option<String>,
    ) -> Self {
        let mut findings = Vec::new();
        let mut keys = Vec::new();
        let mut groups = BTreeMap::new();
        for control in selection.controls() {
            groups.insert(control.id.as_str(), (control.score_group.as_str(), control.lifecycle));
        }
        let mut problems = manifests.problems.clone();
        let (mut judged, mut owned) = (0, 0);
        let mut not_applicable: BTreeMap<String, u64> = BTreeMap::new();
        let roles = owned::roles(&manifests.objects);
        for (index, (object, role)) in manifests.objects.iter().zip(roles).enumerate() {
            match selection.evaluate(&object.value, Some(&object.source)) {
                Some(_) if matches!(role, Role::Represented { .. } | Role::Skipped) => owned += 1,
                Some(mut found) => {
                    judged += 1;
                    if matches!(role, Role::Injected { .. }) {
                        owners::mark_injected(&mut found);
                    }
                    keys.extend(std::iter::repeat_n(index.to_string(), found.len()));
                    findings.extend(found);
                }
                None => {
                    let resource = crate::workload::resource(&object.value);
                    let kind = format!("{} {}", resource.api_version, resource.kind);
                    *not_applicable.entry(kind).or_default() += 1;
                    problems.extend(other_version(object));
                }
            }
        }
        for (finding, key) in among(manifests, selection, kubernetes.as_deref()) {
            findings.push(finding);
            keys.push(key);
        }
        let outcomes = findings.iter().zip(&keys).filter_map(|(finding, key)| {
            let (group, lifecycle) = groups.get(finding.control.as_str())?;
            let preview = *lifecycle == crate::Lifecycle::Preview;
            Some(Outcome { group, resource: key, state: finding.state, exemption: None, preview })
        });
        let scored = score::score(outcomes);
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            kubernetes,
            frameworks: selection.frameworks.clone(),
            scores: Scores { secure: scored.secure, groups: scored.groups },
            coverage: scored.coverage,
            findings,
            problems,
            counts: Counts {
                objects: manifests.objects.len() as u64,
                judged,
                owned,
                not_applicable,
                foreign: manifests.foreign,
            },
        }
    }

    /// Whether an unhealthy finding is at or over `level`.
    pub fn fails(&self, level: Severity) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.state == State::Unhealthy && finding.severity.meets(level))
    }

    /// Whether something was left out or left undecided: then the result is no clean one, whatever it shows.
    pub fn incomplete(&self) -> bool {
        let left_out =
            |problem: &Problem| matches!(problem.kind, ProblemKind::Gap | ProblemKind::Error);
        self.problems.iter().any(left_out)
            || self.findings.iter().any(|finding| finding.state == State::Unknown)
    }

    /// Rows worst first, then by control and place. `all` shows every state, else unhealthy and unknown;
    /// `severities` filters, empty shows every one.
    pub fn rows(&self, severities: &[Severity], all: bool) -> Vec<Row> {
        let shown = |finding: &&ControlFinding| {
            (all || matches!(finding.state, State::Unhealthy | State::Unknown))
                && (severities.is_empty() || severities.contains(&finding.severity))
        };
        let mut findings: Vec<&ControlFinding> = self.findings.iter().filter(shown).collect();
        findings
            .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.control.cmp(&b.control)));
        findings.into_iter().map(Row::new).collect()
    }
}

impl Row {
    fn new(finding: &ControlFinding) -> Self {
        let resource = &finding.resource;
        let namespace = resource
            .namespace
            .as_deref()
            .map(|namespace| format!("{namespace}/"))
            .unwrap_or_default();
        let paths: Vec<&str> =
            finding.evidence.iter().map(|evidence| evidence.path.as_str()).collect();
        let told = finding.message.clone().or_else(|| finding.reason.clone()).unwrap_or_default();
        let message = if paths.is_empty() { told } else { format!("{told}: {}", paths.join(", ")) };
        Self {
            control: finding.control.clone(),
            title: finding.title.clone(),
            severity: finding.severity,
            state: finding.state,
            resource: format!("{namespace}{}/{}", resource.kind, resource.name),
            place: finding
                .source
                .as_ref()
                .map(|source| format!("{}:{}", source.file, source.line))
                .unwrap_or_default(),
            message,
        }
    }
}

/// Findings of controls that need several objects, each with what tells its resource from others.
fn among(
    manifests: &Manifests,
    selection: &Selection,
    kubernetes: Option<&str>,
) -> Vec<(ControlFinding, String)> {
    let world = World::new(manifests.objects.iter().map(|object| &object.value), false)
        .with_kubernetes(kubernetes);
    let mut places = HashMap::new();
    for (index, object) in manifests.objects.iter().enumerate() {
        places.insert(std::ptr::from_ref(&object.value), index);
    }
    let place = |object: &world::Object<'_>| {
        let index = places.get(&std::ptr::from_ref(object.value()))?;
        Some(manifests.objects[*index].source.clone())
    };
    let mut sources: HashMap<(&str, u32), usize> = HashMap::new();
    for (index, object) in manifests.objects.iter().enumerate() {
        sources.entry((&object.source.file, object.source.line)).or_insert(index);
    }
    let known = |source: &Source| sources.get(&(source.file.as_str(), source.line)).copied();
    let keyed = |finding: ControlFinding| {
        // The same as where the object is judged alone.
        let key = match finding.source.as_ref().and_then(known) {
            Some(index) => index.to_string(),
            None => format!("{:?}", finding.resource),
        };
        (finding, key)
    };
    selection.evaluate_world(&world, &place).into_iter().map(keyed).collect()
}

/// A workload of a version the API server no longer or not yet serves deserves a word.
fn other_version(object: &super::Object) -> Option<Problem> {
    let resource = crate::workload::resource(&object.value);
    let known = WORKLOADS.iter().find(|kind| kind.kind == resource.kind)?;
    let message = format!(
        "{} {} is not judged: only {} is known",
        resource.api_version, resource.kind, known.api_version
    );
    Some(
        Problem::warning("unknown-version", message)
            .file(&object.source.file)
            .at(object.source.line, 1)
            .item(resource.name),
    )
}
