//! A finding as a table shows it.
use super::{Report, Shown};
use seawall_model::Severity;
use seawall_model::finding::{ControlFinding, Resource, State};

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
    /// Rows worst first, then by control and place.
    pub fn rows(&self, shown: Shown<'_>) -> Vec<Row> {
        let findings = self.findings.iter();
        let mut findings: Vec<&ControlFinding> = findings
            .filter(|finding| shown.state(finding.state) && shown.severity(finding))
            .collect();
        findings
            .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.control.cmp(&b.control)));
        findings.into_iter().map(Row::new).collect()
    }
}

impl Row {
    fn new(finding: &ControlFinding) -> Self {
        let source = finding.source.as_ref();
        Self {
            control: finding.control.clone(),
            title: finding.title.clone(),
            severity: finding.severity,
            state: finding.state,
            resource: name(&finding.resource),
            place: source
                .map(|source| format!("{}:{}", source.file, source.line))
                .unwrap_or_default(),
            message: told(finding),
        }
    }
}

/// `shop/Deployment/web`.
pub(super) fn name(resource: &Resource) -> String {
    let namespace = resource.namespace.as_deref().map(|namespace| format!("{namespace}/"));
    format!("{}{}/{}", namespace.unwrap_or_default(), resource.kind, resource.name)
}

/// Message, else reason, and the paths.
pub(super) fn told(finding: &ControlFinding) -> String {
    let paths: Vec<&str> = finding.evidence.iter().map(|evidence| evidence.path.as_str()).collect();
    let told = finding.message.as_ref().or(finding.reason.as_ref()).cloned().unwrap_or_default();
    if paths.is_empty() { told } else { format!("{told}: {}", paths.join(", ")) }
}
