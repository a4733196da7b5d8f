//! Where Kubernetes' own workloads keep the pod they make.

/// One resource that runs pods.
pub(crate) struct Workload {
    pub(crate) resource: &'static str,
    /// JSON pointer into the object.
    pub(crate) pod_spec: &'static str,
}

const fn templated(resource: &'static str) -> Workload {
    Workload { resource, pod_spec: "/spec/template/spec" }
}

static WORKLOADS: [Workload; 9] = [
    Workload { resource: "pods", pod_spec: "/spec" },
    templated("deployments"),
    templated("daemonsets"),
    templated("statefulsets"),
    templated("replicasets"),
    templated("replicationcontrollers"),
    templated("jobs"),
    Workload { resource: "cronjobs", pod_spec: "/spec/jobTemplate/spec/template/spec" },
    Workload { resource: "podtemplates", pod_spec: "/template/spec" },
];

/// Lists of containers in a pod's specification.
pub(crate) const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

pub(crate) fn of_resource(resource: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.resource == resource)
}
