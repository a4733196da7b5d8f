//! Policy reports: one per namespace and one for the cluster, to be read by tools that know the custom resources. They
//! are printed, never stored in the cluster: etcd is no place for findings.
//!
//! Source: kubernetes-sigs/wg-policy-prototypes `wgpolicyk8s.io/v1alpha2`, openreports/reports-api
//! `openreports.io/v1alpha1`; both share the shape of a result.
use super::row::told;
use super::{Report, Shown};
use crate::scope;
use crate::text::yaml;
use seawall_model::Severity;
use seawall_model::finding::{ControlFinding, State};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The names of one API.
pub(super) struct Api {
    api_version: &'static str,
    namespaced: &'static str,
    cluster: &'static str,
    /// The report itself names its source.
    sourced: bool,
}

pub(super) static WG_POLICY: Api = Api {
    api_version: "wgpolicyk8s.io/v1alpha2",
    namespaced: "PolicyReport",
    cluster: "ClusterPolicyReport",
    sourced: false,
};

pub(super) static OPEN_REPORTS: Api = Api {
    api_version: "openreports.io/v1alpha1",
    namespaced: "Report",
    cluster: "ClusterReport",
    sourced: true,
};

/// Where findings belong; the cluster stands first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Cluster,
    /// Of a kind that has namespaces, in a file that names none.
    Unnamed,
    Namespace(&'a str),
}

/// A stream of YAML documents, as `kubectl` reads it.
pub(super) fn render(report: &Report, shown: Shown<'_>, api: &Api) -> String {
    let mut places: BTreeMap<Place<'_>, Vec<&ControlFinding>> = BTreeMap::new();
    for (finding, _) in report.shown(shown) {
        let resource = &finding.resource;
        let place = match resource.namespace.as_deref() {
            Some(namespace) => Place::Namespace(namespace),
            None if scope::is_namespaced(&resource.api_version, &resource.kind) => Place::Unnamed,
            None => Place::Cluster,
        };
        places.entry(place).or_default().push(finding);
    }
    let mut text = String::new();
    for (place, findings) in places {
        let document = document(report, api, place, &findings);
        text += &format!("---\n{}", yaml(&document));
    }
    text
}

fn document(report: &Report, api: &Api, place: Place<'_>, findings: &[&ControlFinding]) -> Value {
    let labels = json!({"app.kubernetes.io/managed-by": "seawall"});
    let mut metadata = json!({"name": "seawall", "labels": labels});
    if let Place::Namespace(namespace) = place {
        metadata["namespace"] = namespace.into();
    }
    let kind = if place == Place::Cluster { api.cluster } else { api.namespaced };
    let mut document = json!({"apiVersion": api.api_version, "kind": kind, "metadata": metadata});
    if api.sourced {
        document["source"] = "seawall".into();
    }
    let mut summary: BTreeMap<&str, u64> =
        ["pass", "fail", "warn", "error", "skip"].map(|word| (word, 0)).into();
    for finding in findings {
        *summary.entry(word(report, finding)).or_default() += 1;
    }
    document["summary"] = json!(summary);
    document["results"] = findings.iter().map(|finding| result(report, finding)).collect();
    document
}

/// Preview controls count in no score, so they warn.
fn word(report: &Report, finding: &ControlFinding) -> &'static str {
    match finding.state {
        State::Healthy => "pass",
        State::Unhealthy if is_preview(report, finding) => "warn",
        State::Unhealthy => "fail",
        State::Unknown => "error",
        State::NotApplicable | State::Exempt => "skip",
    }
}

fn is_preview(report: &Report, finding: &ControlFinding) -> bool {
    report.rules.get(&finding.control).is_some_and(|rule| rule.preview)
}

fn result(report: &Report, finding: &ControlFinding) -> Value {
    let resource = &finding.resource;
    let mut reference = Map::new();
    for (key, value) in [
        ("apiVersion", Some(resource.api_version.as_str())),
        ("kind", Some(&resource.kind)),
        ("namespace", resource.namespace.as_deref()),
        ("name", Some(&resource.name)),
        ("uid", resource.uid.as_deref()),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            reference.insert(key.to_owned(), value.into());
        }
    }
    let mut properties = BTreeMap::new();
    let mut property = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            properties.insert(key.to_owned(), value);
        }
    };
    property("title", Some(finding.title.clone()));
    property("reason", finding.reason.clone());
    property("frameworks", Some(finding.frameworks.join(" ")));
    property("engine", Some(finding.engine.clone()));
    property("exemption", finding.exemption.as_ref().map(|exemption| exemption.reason.clone()));
    let mut result = json!({
        "source": "seawall",
        "policy": finding.control,
        "rule": finding.control,
        "result": word(report, finding),
        "scored": !is_preview(report, finding),
        "resources": [reference],
        "properties": properties,
    });
    if let Some(rule) = report.rules.get(&finding.control) {
        result["category"] = rule.score_group.as_str().into();
    }
    // Neither API has a word for it.
    if finding.severity != Severity::Unknown {
        result["severity"] = finding.severity.as_str().into();
    }
    let told = told(finding);
    result["message"] = if told.is_empty() { finding.title.as_str().into() } else { told.into() };
    result
}
