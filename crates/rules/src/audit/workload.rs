//! Kubernetes' own workloads: what kind they are, where they keep the pod they make, and whose a pod is.
use seawall_model::audit::AuditEvent;
use serde_json::Value;

/// One resource that runs pods.
pub(crate) struct Workload {
    pub(crate) resource: &'static str,
    kind: &'static str,
    /// JSON pointer into the object.
    pub(crate) pod_spec: &'static str,
}

const fn templated(resource: &'static str, kind: &'static str) -> Workload {
    Workload { resource, kind, pod_spec: "/spec/template/spec" }
}

static WORKLOADS: [Workload; 9] = [
    Workload { resource: "pods", kind: "Pod", pod_spec: "/spec" },
    templated("deployments", "Deployment"),
    templated("daemonsets", "DaemonSet"),
    templated("statefulsets", "StatefulSet"),
    templated("replicasets", "ReplicaSet"),
    templated("replicationcontrollers", "ReplicationController"),
    templated("jobs", "Job"),
    Workload {
        resource: "cronjobs",
        kind: "CronJob",
        pod_spec: "/spec/jobTemplate/spec/template/spec",
    },
    Workload { resource: "podtemplates", kind: "PodTemplate", pod_spec: "/template/spec" },
];

/// Lists of containers in a pod's specification.
pub(crate) const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

pub(crate) fn of_resource(resource: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.resource == resource)
}

/// Kind and name of the controller that owns the object.
pub(crate) fn owner(object: &Value) -> Option<(&str, &str)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}

/// `Deployment/web`: the workload that the request is about, or whose pod it is.
pub(crate) fn name(event: &AuditEvent) -> Option<String> {
    let resource = event.object.as_ref()?.resource.as_deref()?;
    let workload = of_resource(resource)?;
    let bodies = [event.response(), event.request()];
    let Some((kind, name)) = bodies.into_iter().flatten().find_map(owner) else {
        return (resource != "pods").then_some(format!("{}/{}", workload.kind, event.name()?));
    };
    // A Deployment names its ReplicaSet after itself and the hash of the template, which is also a label.
    let hash = bodies
        .into_iter()
        .flatten()
        .find_map(|body| body.pointer("/metadata/labels/pod-template-hash")?.as_str());
    let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    Some(match deployment.filter(|_| kind == "ReplicaSet") {
        Some(name) => format!("Deployment/{name}"),
        None => format!("{kind}/{name}"),
    })
}
