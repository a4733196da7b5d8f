//! The built-in content as the hub shows it: every entry with its metadata and its text.
mod outline;

pub(crate) use outline::Outline;

use crate::api::features::Matrix;
use seawall_model::admission::Policy;
use seawall_model::{Problem, Severity};
use seawall_posture::score::Base;
use seawall_posture::{Assigned, Catalogue, Facts, Lifecycle, Matches, Request, Selection};
use seawall_store::{Field, Guidance, Kind, Table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A detection's metadata and text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DetectionEntry {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) severity: Severity,
    /// The tactic whose folder it lies in.
    pub(crate) tactic: String,
    pub(crate) mitre: Vec<String>,
    pub(crate) source: String,
    pub(crate) remediation: String,
    /// Path below `content/detections`.
    pub(crate) path: &'static str,
    /// YAML, as it lies there.
    pub(crate) text: &'static str,
}

/// A control's metadata and text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ControlEntry {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) severity: Severity,
    pub(crate) preview: bool,
    pub(crate) score_group: String,
    /// Weight in risk scores.
    #[serde(skip)]
    pub(crate) base: Base,
    /// `NAME` or `NAME@VERSION`.
    pub(crate) frameworks: Vec<String>,
    pub(crate) remediation: String,
    /// Path below `content/controls`.
    pub(crate) path: &'static str,
    /// YAML, as it lies there.
    pub(crate) text: &'static str,
    /// What an assignment may set, by name.
    #[serde(skip)]
    pub(crate) params: BTreeMap<String, ParamType>,
}

/// What a parameter of a control holds, in the words of control files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ParamType {
    Boolean,
    String,
    Integer,
    Strings,
    Map,
}

impl ParamType {
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::String => value.is_string(),
            Self::Integer => value.is_i64(),
            Self::Strings => {
                value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            }
            Self::Map => value.is_object(),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Strings => "a list of strings",
            Self::Map => "a map",
        }
    }
}

pub(crate) static DETECTIONS: Table = Table::held(
    ("detection", "detections"),
    &[
        Field::new("id", Kind::Text, "/id").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("tactic", Kind::Text, "/tactic").required(),
        Field::new("mitre", Kind::List, "/mitre/*"),
        Field::new("source", Kind::Text, "/source").required(),
    ],
    "id",
    &["/id", "/title", "/description"],
);

pub(crate) static CONTROLS: Table = Table::held(
    ("control", "controls"),
    &[
        Field::new("id", Kind::Text, "/id").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("preview", Kind::Bool, "/preview").required(),
        Field::new("score_group", Kind::Text, "/score_group").required(),
        Field::new("framework", Kind::List, "/frameworks/*"),
    ],
    "id",
    &["/id", "/title", "/description"],
);

/// Read once at the start; nothing changes it.
pub(crate) struct Content {
    detections: Vec<DetectionEntry>,
    controls: Vec<ControlEntry>,
    catalogue: Catalogue,
    outlines: Vec<Outline>,
    features: Matrix,
    /// Every stable control, for facts that sensors read and the hub judges.
    selection: Selection,
}

/// The parameters of a control file; the engine has read the rest.
#[derive(Deserialize)]
struct ParamsYaml {
    #[serde(default)]
    params: BTreeMap<String, ParamYaml>,
}

#[derive(Deserialize)]
struct ParamYaml {
    #[serde(rename = "type")]
    kind: ParamType,
}

/// One list entry of a detection file; lists and macros have no `rule`.
#[derive(Deserialize)]
struct RuleYaml {
    rule: Option<String>,
    id: Option<String>,
    #[serde(default)]
    desc: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    mitre: Vec<String>,
    source: Option<String>,
    #[serde(default)]
    remediation: String,
}

impl Content {
    /// What ships in the binary. An entry that cannot be read is a problem, the rest is there.
    pub(crate) fn embedded() -> (Self, Vec<Problem>) {
        let (catalogue, controls, mut problems) = controls();
        let (detections, unread) = detections();
        problems.extend(unread);
        let (outlines, unread) = outline::outlines(&catalogue, seawall_content::ATTACK);
        problems.extend(unread);
        let features = Matrix::read(seawall_content::FEATURES);
        let features = features.unwrap_or_else(|error| {
            problems.push(Problem::error("features", error).file("features.yaml"));
            Matrix::default()
        });
        // Every stable control, for facts that sensors read and the hub judges.
        let selection = catalogue.select(&Request::default()).unwrap_or_else(|problem| {
            problems.push(*problem);
            Selection::default()
        });
        (Self { detections, controls, catalogue, outlines, features, selection }, problems)
    }

    pub(crate) fn detections(&self) -> &[DetectionEntry] {
        &self.detections
    }

    pub(crate) fn controls(&self) -> &[ControlEntry] {
        &self.controls
    }

    /// Every framework in its newest version, by name.
    pub(crate) fn outlines(&self) -> &[Outline] {
        &self.outlines
    }

    /// The framework `NAME`, or `NAME@VERSION` of the newest version: verdicts tell others not apart.
    pub(crate) fn outline(&self, framework: &str) -> Option<&Outline> {
        self.outlines.iter().find(|one| one.id == framework || one.name == framework)
    }

    /// Ids of the controls of a framework `NAME` or `NAME@VERSION`, those of frameworks that it includes too. None where
    /// there is no such framework.
    pub(crate) fn members(&self, framework: &str) -> Vec<&str> {
        let request = Request { frameworks: vec![framework.to_owned()], ..Request::default() };
        let Ok(selection) = self.catalogue.select(&request) else { return Vec::new() };
        let chosen = |entry: &&ControlEntry| selection.controls().any(|own| own.id == entry.id);
        self.controls.iter().filter(chosen).map(|entry| entry.id.as_str()).collect()
    }

    /// Every stable control with what is assigned of it. What cannot count is left out: assignments were checked when
    /// they were made, so it comes of content that changed since.
    pub(crate) fn assigned(&self, policies: &[Policy]) -> Selection {
        let (assigned, problems) = Assigned::compile(policies, &self.catalogue);
        for problem in problems {
            tracing::warn!(%problem, "policy does not count");
        }
        let mut selection = self.selection.clone();
        let _changed = selection.assign(&assigned);
        selection
    }

    /// Whether the control judges facts that sensors tell.
    pub(crate) fn judges_nodes(&self, control: &str) -> bool {
        self.catalogue.control(control).is_some_and(|control| {
            matches!(control.matches, Matches::Facts(Facts::Node | Facts::ControlPlane))
        })
    }

    pub(crate) fn features(&self) -> &Matrix {
        &self.features
    }

    pub(crate) fn detection(&self, id: &str) -> Option<&DetectionEntry> {
        self.detections.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn control(&self, id: &str) -> Option<&ControlEntry> {
        self.controls.iter().find(|entry| entry.id == id)
    }
}

impl ControlEntry {
    /// The words of the recommendation that this control's findings make.
    pub(crate) fn guidance(&self) -> Guidance {
        Guidance {
            work: self.id.clone(),
            kind: seawall_model::finding::FindingKind::Control,
            title: self.title.clone(),
            severity: self.severity,
            description: self.description.clone(),
            remediation: self.remediation.clone(),
            score_group: Some(self.score_group.clone()),
            frameworks: self.frameworks.clone(),
        }
    }
}

fn controls() -> (Catalogue, Vec<ControlEntry>, Vec<Problem>) {
    let files = seawall_content::controls();
    let texts: BTreeMap<&str, (&'static str, &'static str)> =
        files.iter().map(|file| (file.path, (file.path, file.text))).collect();
    let frameworks = seawall_content::frameworks();
    let (catalogue, mut problems) = Catalogue::load(
        files.iter().map(|file| (file.path, file.text)),
        frameworks.iter().map(|file| (file.path, file.text)),
    );
    let mut entry = |control: &std::sync::Arc<seawall_posture::Control>| {
        let (path, text) = *texts.get(control.file.as_str())?;
        let params: ParamsYaml = serde_saphyr::from_str(text).unwrap_or_else(|error| {
            problems.push(Problem::error("content", error.to_string()).file(path));
            ParamsYaml { params: BTreeMap::new() }
        });
        let membership = |membership: &seawall_posture::Membership| match &membership.version {
            Some(version) => format!("{}@{version}", membership.framework),
            None => membership.framework.clone(),
        };
        Some(ControlEntry {
            id: control.id.clone(),
            title: control.title.clone(),
            description: control.description.clone(),
            severity: control.severity,
            preview: control.lifecycle == Lifecycle::Preview,
            score_group: control.score_group.clone(),
            base: Base::new(control.base_score, control.severity),
            frameworks: control.frameworks.iter().map(membership).collect(),
            remediation: control.remediation.clone(),
            path,
            text,
            params: params.params.into_iter().map(|(name, param)| (name, param.kind)).collect(),
        })
    };
    let entries = catalogue.controls.iter().filter_map(&mut entry).collect();
    (catalogue, entries, problems)
}

fn detections() -> (Vec<DetectionEntry>, Vec<Problem>) {
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for file in seawall_content::detections() {
        let Some((tactic, _)) = file.path.split_once('/').filter(|(tactic, _)| *tactic != "_lib")
        else {
            continue;
        };
        let rules: Vec<RuleYaml> = match serde_saphyr::from_str(file.text) {
            Ok(rules) => rules,
            Err(error) => {
                problems.push(Problem::error("content", error.to_string()).file(file.path));
                continue;
            }
        };
        for rule in rules {
            let (Some(title), Some(id)) = (rule.rule, rule.id) else { continue };
            entries.push(DetectionEntry {
                id,
                title,
                description: rule.desc,
                severity: severity(&rule.priority),
                tactic: tactic.to_owned(),
                mitre: rule.mitre,
                source: rule.source.unwrap_or_else(|| "syscall".to_owned()),
                remediation: rule.remediation,
                path: file.path,
                text: file.text,
            });
        }
    }
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    (entries, problems)
}

/// Falco's priorities as severities. Source: runtime.md.
fn severity(priority: &str) -> Severity {
    match priority.to_ascii_lowercase().as_str() {
        "emergency" | "alert" | "critical" => Severity::Critical,
        "error" => Severity::High,
        "warning" => Severity::Medium,
        "notice" => Severity::Low,
        _ => Severity::Info,
    }
}

#[test]
fn the_embedded_content_is_read_whole() {
    let (content, problems) = Content::embedded();
    assert!(problems.is_empty(), "{problems:?}");
    let controls = seawall_content::controls();
    let controls = controls.iter().filter(|file| !file.path.starts_with("_rbac/")).count();
    assert_eq!(content.controls().len(), controls);
    let rules = seawall_content::detections();
    let rules = rules.iter().filter(|file| !file.path.starts_with("_lib/")).count();
    assert_eq!(content.detections().len(), rules);
    for entry in content.controls() {
        assert_eq!(content.control(&entry.id).map(|found| found.path), Some(entry.path));
    }
}
