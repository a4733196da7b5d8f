//! What a scan says: all states in order, the scores, and the forms in which people and machines read them.
//!
//! ```text
//! Manifests, Selection, Exemptions ─assess─► findings ─Ledger─► scores ─► Report ─render─► text of one Form
//! ```
mod assess;
mod cluster;
mod csv;
pub mod html;
pub mod junit;
mod policyreport;
mod row;
pub mod sarif;

pub use assess::{Asked, Judged};
pub use cluster::{Cluster, Unseen};
pub use row::Row;

use crate::catalogue::Selection;
use crate::control::Lifecycle;
use crate::exemption::{self, Exemptions};
use crate::glob;
use crate::manifests::Manifests;
use crate::policies::UserPolicies;
use crate::score::{Base, Delta, Ledger, Rule, Scores, Standing};
use crate::text;
use seawall_model::finding::{ControlFinding, State};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// What was run, by id; forms explain findings with it.
    #[serde(skip)]
    pub rules: BTreeMap<String, RuleText>,
    /// Of each finding, the 1-based line of its first failing path, once it was looked for.
    #[serde(skip)]
    lines: Vec<Option<u32>>,
    /// Of each finding, the index of its object.
    #[serde(skip)]
    objects: Vec<Option<usize>>,
}

/// What people read of a control.
#[derive(Clone, Debug)]
pub struct RuleText {
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub description: String,
    pub remediation: String,
    pub score_group: String,
    /// `cis-k8s@1.12 5.2.2`, or the framework alone where it has no sections.
    pub sections: Vec<String>,
    pub preview: bool,
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
    /// Findings by state.
    pub states: BTreeMap<&'static str, u64>,
}

/// What a scan was asked for, beside objects and controls.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    /// Shown as given.
    pub target: &'a str,
    pub kubernetes: Option<String>,
    /// Globs: only findings of these namespaces, and of the namespaces themselves; empty: all.
    pub namespaces: &'a [String],
    /// Ids of every control there is, selected or not: an exemption of none of them is told.
    pub catalogue: &'a [&'a str],
    pub exemptions: Exemptions,
    /// The user's own, judged beside the controls.
    pub policies: Option<&'a UserPolicies>,
    /// Of a cluster that was looked at as a whole; `None` for files, among which absence proves nothing.
    pub cluster: Option<Cluster>,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// RFC 4180.
    Csv,
    /// One self-contained page.
    Html,
    /// `wgpolicyk8s.io/v1alpha2`.
    PolicyReport,
    /// `openreports.io/v1alpha1`.
    OpenReports,
}

/// Which findings a form shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// Empty: every one.
    pub severities: &'a [Severity],
    /// Also what is healthy or not applicable, in forms that leave it out.
    pub all: bool,
}

impl Report {
    /// Judges all objects, one after the other.
    pub fn new(manifests: &Manifests, selection: &Selection, about: &About<'_>) -> Self {
        let asked = Asked::new(manifests, selection);
        let judged = (0..asked.len()).map(|index| asked.judge(index)).collect();
        Self::of(&asked, judged, about)
    }

    /// The report of what was judged of every object, in order, and of what they say together.
    pub fn of(asked: &Asked<'_>, judged: Vec<Judged>, about: &About<'_>) -> Self {
        let Asked { manifests, selection, .. } = asked;
        let mut assessed = assess::assess(asked, judged, about);
        let rules = rules(selection, about.policies);
        let mut matches = about.exemptions.matches();
        let null = serde_json::Value::Null;
        for one in &mut assessed.findings {
            let object = one.object.map_or(&null, |index| &manifests.objects[index].value);
            about.exemptions.excuse(object, &mut one.finding, &mut matches);
        }
        // One of a control that was not selected may excuse much in another scan.
        let judged = |pattern: &str| {
            rules.keys().any(|id| glob::fits(pattern, id))
                || !about.catalogue.iter().any(|id| glob::fits(pattern, id))
        };
        let mut problems = manifests.problems.clone();
        problems.append(&mut assessed.problems);
        problems.extend(about.exemptions.problems(&matches, judged));
        assessed.findings.retain(|one| within(&one.finding, about.namespaces));
        let mut ledger = Ledger::new(scored(selection));
        for one in &assessed.findings {
            let finding = &one.finding;
            let after = Standing {
                state: finding.state,
                exemption: exemption::category(finding),
                weight: one.weight,
            };
            let (control, resource) = (finding.control.as_str(), one.key.as_str());
            let delta = Delta { control, resource, before: None, after: Some(after) };
            // Users' policies are in no score: they have neither group nor framework.
            let _unscored = ledger.apply(&delta);
        }
        let mut states = BTreeMap::new();
        for one in &assessed.findings {
            *states.entry(one.finding.state.as_str()).or_default() += 1;
        }
        let scores = ledger.scores();
        Self {
            schema: SCHEMA,
            target: about.target.to_owned(),
            kubernetes: about.kubernetes.clone(),
            frameworks: selection.frameworks.clone(),
            coverage: scores.coverage,
            scores,
            problems,
            counts: Counts {
                objects: manifests.objects.len() as u64,
                judged: assessed.judged,
                owned: assessed.owned,
                not_applicable: assessed.not_applicable,
                foreign: manifests.foreign,
                states,
            },
            rules,
            lines: vec![None; assessed.findings.len()],
            objects: assessed.findings.iter().map(|one| one.object).collect(),
            findings: assessed.findings.into_iter().map(|one| one.finding).collect(),
        }
    }

    /// Looks for the line of each finding's first failing path, which forms then show instead of its object's. Reads
    /// every document again, so it is asked for apart.
    pub fn locate(&mut self, manifests: &Manifests) {
        self.lines = assess::lines(manifests, &self.findings, &self.objects);
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

    /// The report as text, ending in a line feed.
    pub fn render(&self, form: Form, shown: Shown<'_>) -> Result<String, serde_json::Error> {
        match form {
            Form::Json => self.json(shown),
            Form::Sarif => sarif::render(self, shown),
            Form::Junit => Ok(junit::render(self, shown)),
            Form::Csv => Ok(csv::render(self, shown)),
            Form::Html => Ok(html::render(self, shown)),
            Form::PolicyReport => Ok(policyreport::render(self, shown, &policyreport::WG_POLICY)),
            Form::OpenReports => Ok(policyreport::render(self, shown, &policyreport::OPEN_REPORTS)),
        }
    }

    fn json(&self, shown: Shown<'_>) -> Result<String, serde_json::Error> {
        let text = if shown.severities.is_empty() {
            serde_json::to_string_pretty(self)?
        } else {
            let mut narrowed = self.clone();
            narrowed.findings.retain(|finding| shown.severity(finding));
            serde_json::to_string_pretty(&narrowed)?
        };
        Ok(text::escape_json(&text) + "\n")
    }

    /// The findings of wanted severities, each with the line of its first failing path.
    fn shown(&self, shown: Shown<'_>) -> impl Iterator<Item = (&ControlFinding, Option<u32>)> {
        let pairs = self.findings.iter().zip(self.lines.iter().copied());
        pairs.filter(move |(finding, _)| shown.severity(finding))
    }
}

impl Shown<'_> {
    fn severity(&self, finding: &ControlFinding) -> bool {
        self.severities.is_empty() || self.severities.contains(&finding.severity)
    }

    /// Whether lists for people have it.
    fn state(&self, state: State) -> bool {
        self.all || matches!(state, State::Unhealthy | State::Unknown)
    }
}

/// Objects of the cluster stand in no namespace; of them only namespaces are told apart by name.
fn within(finding: &ControlFinding, namespaces: &[String]) -> bool {
    let resource = &finding.resource;
    let namespace = match (&resource.namespace, resource.kind.as_str()) {
        (Some(namespace), _) => namespace.as_str(),
        (None, "Namespace") => &resource.name,
        (None, _) => "",
    };
    namespaces.is_empty()
        // What could not be read may have been in any of them.
        || (finding.state == State::Unknown && resource.name == cluster::EVERY)
        || namespaces.iter().any(|pattern| glob::fits(pattern, namespace))
}

fn rules(selection: &Selection, policies: Option<&UserPolicies>) -> BTreeMap<String, RuleText> {
    let text = |control: &crate::Control| {
        let sections = control.frameworks.iter().flat_map(|membership| {
            let version = membership.version.as_ref().map(|version| format!("@{version}"));
            let name = format!("{}{}", membership.framework, version.unwrap_or_default());
            match membership.sections.is_empty() {
                true => vec![name],
                false => membership.sections.iter().map(|s| format!("{name} {s}")).collect(),
            }
        });
        let rule = RuleText {
            id: control.id.clone(),
            title: control.title.clone(),
            severity: control.severity,
            description: control.description.clone(),
            remediation: control.remediation.clone(),
            score_group: control.score_group.clone(),
            sections: sections.collect(),
            preview: control.lifecycle == Lifecycle::Preview,
        };
        (rule.id.clone(), rule)
    };
    let of_user = |(id, title, severity): (&str, &str, Severity)| {
        let rule = RuleText {
            id: id.to_owned(),
            title: title.to_owned(),
            severity,
            description: "A policy of your own.".to_owned(),
            remediation: "Change the object as the policy's message says.".to_owned(),
            score_group: "policies".to_owned(),
            sections: Vec::new(),
            preview: false,
        };
        (rule.id.clone(), rule)
    };
    let of_users = policies.into_iter().flat_map(UserPolicies::ids).map(of_user);
    selection.controls().map(text).chain(of_users).collect()
}

/// Frameworks are scored where the selection holds all of them: those asked for, or every one if all controls are.
fn scored(selection: &Selection) -> Vec<Rule> {
    let of = |control: &crate::Control, labels: &[String]| Rule {
        id: control.id.clone(),
        group: control.score_group.clone(),
        base: Base::new(control.base_score, control.severity),
        preview: control.lifecycle == Lifecycle::Preview,
        frameworks: labels
            .iter()
            .filter(|label| selection.is_whole() || selection.frameworks.contains(label))
            .cloned()
            .collect(),
    };
    selection.labelled().map(|(control, labels)| of(control, labels)).collect()
}
