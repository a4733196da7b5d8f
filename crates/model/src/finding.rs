//! A fact about an asset: a control that fails on an object, or a flaw in a package.
use crate::ids::Id;
use crate::problem::Problem;
use crate::scope::ScopePath;
use crate::severity::Severity;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    Healthy,
    Unhealthy,
    NotApplicable,
    Unknown,
    Exempt,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::NotApplicable => "not_applicable",
            Self::Unknown => "unknown",
            Self::Exempt => "exempt",
        }
    }
}

/// One control on one resource, as `posture` returns it and reports print it. Field order is the report's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ControlFinding {
    pub control: String,
    pub title: String,
    pub severity: Severity,
    pub state: State,
    /// One closed word per state, such as `forbidden`, `windows`, `error`.
    pub reason: Option<String>,
    pub resource: Resource,
    pub source: Option<Source>,
    pub message: Option<String>,
    /// `NAME@VERSION`.
    pub frameworks: Vec<String>,
    pub evidence: Vec<Evidence>,
    /// A JSON Patch (RFC 6902) that heals the finding; empty where none is known to.
    pub fix: Vec<Value>,
    pub exemption: Option<ExemptionRef>,
    /// `cel`, `rego` or `native`.
    pub engine: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
    /// Absent in files.
    pub uid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Source {
    pub file: String,
    /// 1-based, of the object's first line.
    pub line: u32,
}

/// A JSON Pointer (RFC 6901) into the object and the value there; null where it is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evidence {
    pub path: String,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExemptionRef {
    pub id: String,
    pub category: String,
    pub reason: String,
    pub by: Option<String>,
    pub expires: Option<Millis>,
}

/// One flaw in one package instance, as matching returns it and reports print it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VulnFinding {
    /// The CVE, else the GHSA, else the record's own id.
    pub id: String,
    pub aliases: Vec<String>,
    pub state: State,
    pub title: Option<String>,
    pub package: FindingPackage,
    pub fix: Fix,
    pub disclosed_by: String,
    pub fixed_by: Option<String>,
    pub severity: SeverityOf,
    pub epss: Option<Epss>,
    /// Date it was added to the known exploited vulnerabilities, epoch milliseconds.
    pub kev: Option<Millis>,
    #[serde(rename = "match")]
    pub matched: Match,
    pub references: Vec<String>,
    pub exemption: Option<ExemptionRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FindingPackage {
    pub purl: String,
    pub name: String,
    pub version: String,
    /// The source package that the advisory is keyed by.
    pub origin: Option<String>,
    pub locations: Vec<String>,
    pub owner: Option<String>,
    pub layer: Option<FindingLayer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FindingLayer {
    pub diff_id: String,
    pub index: u32,
    pub base: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fix {
    pub status: FixStatus,
    pub versions: Vec<FixVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FixStatus {
    Available,
    InChannel,
    None,
    Deferred,
    WillNotFix,
    EndOfLife,
    UnderInvestigation,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FixVersion {
    pub version: String,
    pub channel: Option<String>,
}

/// A severity with who said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeverityOf {
    pub level: Severity,
    pub source: Option<String>,
    pub score: Option<f64>,
    pub vector: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Epss {
    pub score: f64,
    pub percentile: f64,
    pub as_of: Millis,
}

/// Why it matched: which record, by which rule, what was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Match {
    pub feed: String,
    pub record: String,
    pub segment: String,
    pub rule: String,
    pub scheme: String,
    pub compared: Vec<Compared>,
    pub qualifiers: Vec<Qualifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Compared {
    pub installed: String,
    /// `<`, `=` or `>`.
    pub order: String,
    pub bound: String,
    /// `introduced`, `fixed`, `last_affected` or `listed`.
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Qualifier {
    pub kind: String,
    pub required: Option<String>,
    pub installed: Option<String>,
    pub holds: bool,
}

/// A finding as the hub stores it: what is filtered on beside the full detail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Finding {
    pub id: Id,
    pub scope: ScopePath,
    pub kind: FindingKind,
    /// Stable identity within the scope: control and resource UID, or image and (flaw, purl, layer, owner).
    pub key: String,
    /// The control or flaw id.
    pub rule: String,
    pub title: String,
    pub severity: Severity,
    pub state: State,
    pub reason: Option<String>,
    /// Cluster display name; `None` for an image seen only in an archive or registry.
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// `Deployment/web`, an image name or a node name.
    pub resource: String,
    /// UID of the object, key digest of the image, or name of the node.
    pub resource_key: String,
    pub package: Option<String>,
    pub fix_available: bool,
    pub kev: bool,
    pub epss: Option<f64>,
    pub first: Millis,
    pub last: Millis,
    pub revision: u64,
    pub detail: Detail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Control,
    Vulnerability,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "findings are stored one by one, never kept in large collections"
)]
pub enum Detail {
    Control(ControlFinding),
    Vulnerability(VulnFinding),
}

/// The outcome of judging one whole object: all its controls at once, so that what is missing is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ObjectAssessment {
    pub resource: Resource,
    /// Topmost owner, where it is not the resource itself.
    pub owner: Option<String>,
    pub labels: Vec<(String, String)>,
    pub images: Vec<String>,
    /// What it counts in risk scores, in tenths so that sums stay exact: 10 is one resource alone.
    pub weight_tenths: u64,
    /// Empty findings and `deleted` together mean that the object is gone.
    pub deleted: bool,
    /// What is not in order: `unhealthy` and `unknown`. The rest stands below by id alone: whole findings of what is
    /// satisfied would be ten times as much, for every object.
    pub findings: Vec<ControlFinding>,
    /// Ids of the controls that it satisfies, in order.
    pub healthy: Vec<String>,
    /// Ids of the controls that cannot concern it, by reason.
    pub not_applicable: BTreeMap<String, Vec<String>>,
    pub problems: Vec<Problem>,
    /// Epoch milliseconds of the change that caused it.
    pub observed: Millis,
}

impl ObjectAssessment {
    /// Of an object that is there, with nothing said of it yet.
    pub fn of(resource: Resource, observed: Millis) -> Self {
        Self {
            resource,
            owner: None,
            labels: Vec::new(),
            images: Vec::new(),
            weight_tenths: 10,
            deleted: false,
            findings: Vec::new(),
            healthy: Vec::new(),
            not_applicable: BTreeMap::new(),
            problems: Vec::new(),
            observed,
        }
    }

    /// Takes findings of any state, each to its place. `exempt` stays a finding; a control of which both is said is not
    /// satisfied.
    pub fn take(&mut self, findings: Vec<ControlFinding>) {
        for finding in findings {
            match finding.state {
                State::Healthy => self.healthy.push(finding.control),
                State::NotApplicable => {
                    let reason = finding.reason.unwrap_or_default();
                    self.not_applicable.entry(reason).or_default().push(finding.control);
                }
                State::Unhealthy | State::Unknown | State::Exempt => self.findings.push(finding),
            }
        }
        let failing: BTreeSet<&str> =
            self.findings.iter().map(|finding| finding.control.as_str()).collect();
        self.healthy.retain(|control| !failing.contains(control.as_str()));
        self.healthy.sort_unstable();
        self.healthy.dedup();
        for controls in self.not_applicable.values_mut() {
            controls.sort_unstable();
            controls.dedup();
        }
    }
}
