//! Findings: replaced per resource, so that what is missing is gone.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::Id;
use seawall_model::Problem;
use seawall_model::finding::{Finding, FindingKind, State, VulnFinding};
use seawall_model::scope::ScopePath;
use seawall_model::severity::Severity;

/// One finding appeared (`before` is `None`), changed its state, or went (`after` is `None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange {
    pub id: Id,
    pub scope: ScopePath,
    pub kind: FindingKind,
    /// Control or flaw id.
    pub rule: String,
    /// Key of the recommendation: the control id, or `update:<ecosystem>/<package>`.
    pub work: String,
    pub title: String,
    pub resource: String,
    pub before: Option<State>,
    pub after: Option<State>,
}

/// The part of a finding that a score needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingState {
    pub scope: ScopePath,
    pub kind: FindingKind,
    pub rule: String,
    pub resource_key: String,
    pub resource: String,
    pub severity: Severity,
    pub state: State,
    /// `mitigated` or `risk_accepted` where the state is exempt.
    pub exemption: Option<String>,
}

pub trait Findings {
    /// Replaces every vulnerability finding of the image or node that the inventory describes, and the image's counts.
    /// `problems` are what matching could not decide.
    async fn replace_vulnerabilities(
        &self,
        inventory: Id,
        findings: Vec<VulnFinding>,
        problems: Vec<Problem>,
    ) -> Result<Vec<FindingChange>>;
    /// Writes findings back whose state or exemption a reconciler changed; unknown ids are left out. Raises revisions.
    async fn put_findings(&self, findings: Vec<Finding>) -> Result<Vec<FindingChange>>;
    /// All findings at and below `scope`, light.
    async fn finding_states(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        kind: Option<FindingKind>,
    ) -> Result<Vec<FindingState>>;
}
