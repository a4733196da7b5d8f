//! Records as agents send them.
use seawall_model::admission::{Decision, Gap};
use seawall_model::alert::Firing;
use seawall_model::finding::{ControlFinding, ObjectAssessment};
use seawall_model::package::Inventory;
use seawall_model::policy_set::Trial;
use seawall_model::record::Record;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn value<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

pub(crate) const DIGEST: &str =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn image() -> Value {
    json!({"name": "reg/shop:1", "digest": DIGEST, "index_digest": null, "config_digest": null})
}

/// A detection on `workload` of the namespace shop, by an audit event: cluster agents send those.
pub(crate) fn firing(cluster: &str, workload: &str, time: i64) -> Record {
    let firing: Firing = value(json!({
        "detection": "SW-D-9001", "title": "Shell joined to an outbound connection", "severity": "high",
        "tactics": ["execution"], "mitre": ["T1059.004"], "parity": [], "source": "k8s_audit", "time": time,
        "where": {"cluster": cluster, "node": "n1", "namespace": "shop", "workload": workload, "pod": "web-1",
            "pod_uid": "p1", "container": "c", "container_id": "abc", "image": image(), "identity": "complete"},
        "process": [{"exec_id": "1", "pid": 7, "name": "sh", "exe": "/bin/sh", "args": ["sh", "-i"], "cwd": "/",
            "user": "root", "uid": 0, "start": time}],
        "actor": null, "object": null, "why": [{"expression": "proc.name = sh", "value": "sh"}],
        "output": "=cmd|shell", "remediation": "Stop it.", "action": {"mode": "alert", "result": "none"},
        "lost_nearby": 0
    }));
    Record::Firing(Box::new(firing))
}

/// A Deployment of the namespace shop, judged by the control of privileged containers.
pub(crate) fn assessment(control: &str, name: &str, state: &str, paths: &[&str]) -> Record {
    assessment_in("shop", control, name, state, paths)
}

/// The same of another namespace.
pub(crate) fn assessment_in(
    namespace: &str,
    control: &str,
    name: &str,
    state: &str,
    paths: &[&str],
) -> Record {
    let resource = json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespace, "name": name,
        "uid": format!("uid-{namespace}-{name}")});
    let evidence: Vec<Value> =
        paths.iter().map(|path| json!({"path": path, "value": true})).collect();
    let findings: Vec<ControlFinding> = value(
        json!([{"control": control, "title": "Privileged container", "severity": "high", "state": state,
            "reason": null, "resource": resource, "source": null, "message": "m", "frameworks": [],
            "evidence": evidence, "fix": [], "exemption": null, "engine": "cel"}]),
    );
    let mut assessment = ObjectAssessment {
        labels: vec![("app".to_owned(), name.to_owned())],
        images: vec!["reg/shop:1".to_owned()],
        ..ObjectAssessment::of(value(resource), 9)
    };
    assessment.take(findings);
    Record::Assessment(Box::new(assessment))
}

/// An image with one old PyPI package.
pub(crate) fn inventory() -> Record {
    let mut target = json!({"kind": "image"});
    for (key, part) in image().as_object().unwrap() {
        target[key] = part.clone();
    }
    let inventory: Inventory = value(json!({
        "target": target, "distro": {"id": "debian", "version": "12", "name": "Debian 12"},
        "platform": "linux/amd64", "layers": [{"diff_id": "sha256:l", "created_by": null, "size": 1, "base": false}],
        "packages": [{"ecosystem": "pypi", "name": "django", "version": "1.0", "purl": "pkg:pypi/django@1.0",
            "arch": null, "source": null, "locations": ["/a"], "owner": null, "layer": 0, "third_party": false}],
        "problems": [], "extractor_version": 1
    }));
    Record::Inventory(Box::new(inventory))
}

pub(crate) fn running(observed: i64) -> Record {
    Record::Running {
        containers: vec![value(
            json!({"id": "abc", "name": "c", "image": image(), "namespace": "shop",
            "pod": "web-1", "pod_uid": "p1", "workload": "Deployment/web"}),
        )],
        observed,
    }
}

/// A request that was refused in the namespace shop.
pub(crate) fn decision(control: &str, time: i64) -> Record {
    let decision: Decision = value(json!({
        "time": time, "verdict": "denied", "operation": "CREATE",
        "resource": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-1", "uid": null},
        "owner": "ReplicaSet/web", "user": "system:serviceaccount:kube-system:replicaset-controller",
        "groups": ["system:authenticated"], "agent": "whoever",
        "controls": [{"control": control, "title": "Privileged container", "severity": "high", "action": "deny",
            "assignment": "01920000-0000-7000-8000-000000000000", "message": "m",
            "paths": ["/spec/containers/0/securityContext/privileged"], "fix": [], "already_failing": false}]
    }));
    Record::Decision(Box::new(decision))
}

/// A minute in which nobody answered.
pub(crate) fn gap(time: i64) -> Record {
    let gap: Gap = value(json!({
        "from": time - 60_000, "to": time, "requests": 3, "reason": "restart"
    }));
    Record::Gap(gap)
}

/// A text that loads.
pub(crate) const POLICIES: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations: [{expression: 'object.spec.replicas <= 5'}]
";

/// What the set would do: it refuses two objects and one request.
pub(crate) fn trial(set: &str, version: u64) -> Record {
    let trial: Trial = value(json!({
        "set": set, "version": version, "time": 1_795_000_000_000_i64, "took": 40,
        "objects": {"judged": 7, "refused": 2, "warned": 0, "undecided": 0},
        "requests": {"judged": 3, "refused": 1, "warned": 0, "undecided": 1},
        "samples": [{"policy": "ValidatingAdmissionPolicy/replicas", "outcome": "refused", "message": "too many",
            "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": null},
            "user": "ana"}],
        "problems": [],
    }));
    Record::Trial(Box::new(trial))
}
