//! OpenAPI shapes of what `store` returns. Documentation only: a test holds each against the real thing.
#![expect(dead_code, reason = "these types are described, never built")]
use seawall_model::access::Role;
use seawall_model::alert::Firing;
use seawall_model::asset::RunningContainer;
use seawall_model::image::Layer;
use seawall_model::package::{Distro, Ecosystem, Package};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Problem, Severity};
use utoipa::ToSchema;

/// One page of a list.
#[derive(ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    pub(crate) items: Vec<T>,
    /// `after` of the next page; null at the end.
    #[schema(required)]
    pub(crate) next: Option<String>,
    pub(crate) total: Total,
}

#[derive(ToSchema)]
pub(crate) struct Total {
    pub(crate) value: u64,
    /// False where counting stopped early: at least that many.
    pub(crate) exact: bool,
}

#[derive(ToSchema)]
pub(crate) struct Image {
    id: Id,
    scope: ScopePath,
    name: String,
    digest: Option<String>,
    config_digest: Option<String>,
    index_digest: Option<String>,
    platform: Option<String>,
    distro: Option<Distro>,
    layers: Vec<Layer>,
    /// Null until an inventory came.
    package_count: Option<u64>,
    /// Null until the packages were matched.
    counts: Option<SeverityCounts>,
    fixable: Option<u64>,
    running: Vec<RunningPlace>,
    first: i64,
    last: i64,
    scanned: Option<i64>,
    coverage_problems: Vec<Problem>,
    revision: u64,
}

#[derive(ToSchema)]
pub(crate) struct SeverityCounts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
    unknown: u64,
}

#[derive(ToSchema)]
pub(crate) struct RunningPlace {
    #[schema(inline)]
    #[serde(flatten)]
    container: RunningContainer,
    cluster: String,
    node: String,
}

#[derive(ToSchema)]
pub(crate) struct ImagePackage {
    #[schema(inline)]
    #[serde(flatten)]
    package: Package,
    counts: SeverityCounts,
}

#[derive(ToSchema)]
pub(crate) struct PackageVersion {
    id: Id,
    ecosystem: Ecosystem,
    name: String,
    version: String,
    images: u64,
    nodes: u64,
}

/// One firing of an alert, as it arrived.
#[derive(ToSchema)]
pub(crate) struct StoredFiring {
    id: Id,
    scope: ScopePath,
    alert: Id,
    agent: Id,
    sequence: u64,
    index: u64,
    time: i64,
    firing: Firing,
}

#[derive(ToSchema)]
pub(crate) struct Token {
    id: Id,
    name: String,
    role: Role,
    scope: ScopePath,
    namespaces: Option<Vec<String>>,
    created: i64,
    expires: i64,
    last_used: Option<i64>,
}

#[derive(ToSchema)]
pub(crate) struct Enrolment {
    id: Id,
    scope: ScopePath,
    created: i64,
    expires: i64,
    uses_allowed: u32,
    manual_accept: bool,
    accepted: bool,
    revoked: bool,
    uses: Vec<EnrolmentUse>,
    refusals: Vec<EnrolmentRefusal>,
    refused: u64,
}

#[derive(ToSchema)]
pub(crate) struct EnrolmentUse {
    at: i64,
    cluster_uid: String,
    cluster_name: String,
    agent: Id,
}

#[derive(ToSchema)]
pub(crate) struct EnrolmentRefusal {
    at: i64,
    reason: RefusalReason,
    cluster_uid: String,
    cluster_name: String,
}

#[derive(ToSchema, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefusalReason {
    Unknown,
    Expired,
    Used,
    Revoked,
    Foreign,
    Waiting,
}

#[derive(ToSchema)]
pub(crate) struct AuditEntry {
    id: Id,
    /// From 1, without holes.
    position: u64,
    at: i64,
    actor: String,
    action: String,
    target: String,
    detail: serde_json::Value,
    hash: String,
    previous: String,
}

#[derive(ToSchema)]
pub(crate) struct AuditCheck {
    ok: bool,
    entries: u64,
    broken_at: Option<u64>,
}

#[derive(ToSchema)]
pub(crate) struct Bulk {
    matched: u64,
    changed: u64,
}

#[derive(ToSchema)]
pub(crate) struct Hit {
    noun: String,
    id: Id,
    title: String,
    subtitle: String,
    severity: Option<Severity>,
}

#[derive(ToSchema)]
pub(crate) struct FieldInfo {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// The words it takes, where they are closed.
    values: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// Names of the properties, those of `allOf` parts included.
    fn properties(schema: &Value, names: &mut BTreeSet<String>) {
        if let Some(own) = schema["properties"].as_object() {
            names.extend(own.keys().cloned());
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            properties(part, names);
        }
    }

    /// The description has exactly the fields that the real thing is written with.
    #[track_caller]
    fn check<S: ToSchema>(real: impl serde::Serialize) {
        let schema = serde_json::to_value(S::schema()).unwrap();
        let mut described = BTreeSet::new();
        properties(&schema, &mut described);
        let real = serde_json::to_value(real).unwrap();
        let written: BTreeSet<String> = real.as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, written, "{}", S::name());
    }

    fn read<T: serde::de::DeserializeOwned>(json: Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    const ID: &str = "0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e";

    #[test]
    fn descriptions_are_what_the_store_writes() {
        let counts = json!({"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0, "unknown": 0});
        let image = json!({"name": "n", "digest": null, "index_digest": null, "config_digest": null});
        let running = json!({"id": "c", "name": null, "image": image, "namespace": null, "pod": null,
            "pod_uid": null, "workload": null, "cluster": "c", "node": "n"});
        check::<SeverityCounts>(read::<seawall_store::SeverityCounts>(counts.clone()));
        check::<RunningPlace>(read::<seawall_store::RunningPlace>(running));
        check::<Image>(read::<seawall_store::Image>(json!({"id": ID, "scope": "/org/", "name": "n", "digest": null,
            "config_digest": null, "index_digest": null, "platform": null, "distro": null, "layers": [],
            "package_count": null, "counts": null, "fixable": null, "running": [], "first": 1, "last": 1,
            "scanned": null, "coverage_problems": [], "revision": 1})));
        let package = json!({"ecosystem": "pypi", "name": "n", "version": "1", "purl": "p", "arch": null,
            "source": null, "locations": [], "owner": null, "layer": null, "third_party": false});
        let package = seawall_store::ImagePackage { package: read(package), counts: read(counts) };
        check::<ImagePackage>(package);
        check::<PackageVersion>(read::<seawall_store::PackageVersion>(json!({"id": ID, "ecosystem": "pypi",
            "name": "n", "version": "1", "images": 1, "nodes": 0})));
        check::<Token>(read::<seawall_store::Token>(json!({"id": ID, "name": "n", "role": "owner",
            "scope": "/org/", "namespaces": null, "created": 1, "expires": 1, "last_used": null})));
        check::<AuditEntry>(read::<seawall_store::AuditEntry>(json!({"id": ID, "position": 1, "at": 1, "actor": "a",
            "action": "a", "target": "t", "detail": {}, "hash": "h", "previous": "p"})));
        check::<AuditCheck>(seawall_store::AuditCheck { ok: true, entries: 0, broken_at: None });
        check::<Bulk>(seawall_store::Bulk::default());
        check::<Total>(seawall_store::Total { value: 1, exact: true });
        check::<Hit>(seawall_store::Hit {
            noun: "alert",
            id: ID.parse().unwrap(),
            title: String::new(),
            subtitle: String::new(),
            severity: None,
        });
        let values = Some(vec!["true"]);
        check::<FieldInfo>(seawall_store::FieldInfo { name: "kev", kind: "bool", values });
    }

    #[test]
    fn descriptions_of_enrolments_and_firings_too() {
        let used = json!({"at": 1, "cluster_uid": "u", "cluster_name": "n", "agent": ID});
        let refused = json!({"at": 1, "reason": "waiting", "cluster_uid": "u", "cluster_name": "n"});
        check::<EnrolmentUse>(read::<seawall_store::EnrolmentUse>(used.clone()));
        check::<EnrolmentRefusal>(read::<seawall_store::EnrolmentRefusal>(refused.clone()));
        let enrolment = json!({"id": ID, "scope": "/org/", "created": 1, "expires": 1, "uses_allowed": 1,
            "manual_accept": false, "accepted": false, "revoked": false, "uses": [used],
            "refusals": [refused], "refused": 1});
        check::<Enrolment>(read::<seawall_store::Enrolment>(enrolment));
        let place = json!({"cluster": "c", "node": null, "namespace": null, "workload": null, "pod": null,
            "pod_uid": null, "container": null, "container_id": null, "image": null, "identity": "partial"});
        let firing = json!({"detection": "d", "title": "t", "severity": "low", "tactics": [], "mitre": [],
            "parity": [], "source": "syscall", "time": 1, "where": place, "process": [], "actor": null,
            "object": null, "why": [], "output": "", "remediation": "",
            "action": {"mode": "alert", "result": "none"}, "lost_nearby": 0});
        check::<StoredFiring>(read::<seawall_store::StoredFiring>(json!({"id": ID, "scope": "/org/", "alert": ID,
            "agent": ID, "sequence": 1, "index": 0, "time": 1, "firing": firing})));
    }
}
