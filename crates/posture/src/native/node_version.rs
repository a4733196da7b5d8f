//! A node's kernel or container runtime with a known flaw, by version.
use super::version::Version;
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::{Workload, list, text};
use crate::world::{Object, Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static RUNTIME: Native = Native {
    name: "runtime-version",
    subjects: Subjects::Kinds(&[("", "Node")]),
    inputs: &[],
    judge: runtime,
};

pub(super) static KERNEL: Native = Native {
    name: "kernel-version",
    subjects: Subjects::Kinds(&[("", "Node")]),
    inputs: &FREE,
    judge: kernel,
};

const fn free(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::First(is_free) }
}

static FREE: [Input; 8] = [
    free("", "Pod"),
    free("", "ReplicationController"),
    free("apps", "Deployment"),
    free("apps", "StatefulSet"),
    free("apps", "DaemonSet"),
    free("apps", "ReplicaSet"),
    free("batch", "Job"),
    free("batch", "CronJob"),
];

fn is_free(object: &Value) -> bool {
    Workload::of(Object::new(object)).is_some_and(|workload| may_reach(&workload))
}

fn found(path: &str, value: &str) -> Vec<Evidence> {
    vec![Evidence { path: path.to_owned(), value: value.into() }]
}

fn runtime(subject: &Subject<'_>, _world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let path = "/status/nodeInfo/containerRuntimeVersion";
    let told = subject.object.map(|object| text(object.value(), path)).unwrap_or_default();
    let runtime = params.get("runtime").and_then(Value::as_str).unwrap_or_default();
    let Some((name, version)) = told.split_once("://") else {
        return Judgement::unknown("not-collected", "the node does not tell its container runtime");
    };
    if name != runtime {
        return Judgement::not_applicable("out-of-scope");
    }
    match Version::read(version) {
        None => Judgement::unknown("unsupported", format!("{version} is no version")),
        Some(version) if version.is_in(&values(params, "affected")) => {
            Judgement::unhealthy(format!("{told} has the flaw"), found(path, told))
        }
        Some(_) => Judgement::healthy(),
    }
}

/// Distributions mend old kernels without a new number, so theirs tell nothing below the first mended one.
fn kernel(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let path = "/status/nodeInfo/kernelVersion";
    let told = subject.object.map(|object| text(object.value(), path)).unwrap_or_default();
    let Some(version) = Version::read(told) else {
        return Judgement::unknown("not-collected", "the node does not tell its kernel");
    };
    if !version.is_in(&values(params, "affected")) {
        return Judgement::healthy();
    }
    let free = world.network().workloads().find(|workload| may_reach(workload));
    let Some(free) = free else { return Judgement::healthy() };
    if !version.suffix.is_empty() {
        let message = format!("{told} may have been mended by its distribution");
        return Judgement::unknown("unsupported", message);
    }
    let mut evidence = found(path, told);
    let name = format!("{}/{}/{}", free.object.kind(), free.namespace, free.object.name());
    evidence.push(Evidence { path: name, value: Value::Null });
    Judgement::unhealthy(format!("{told} has the flaw, and workloads reach it"), evidence)
}

/// Without a seccomp profile, or with CAP_SYS_ADMIN, a container makes the user namespace the flaw needs.
fn may_reach(workload: &Workload<'_>) -> bool {
    let profile = |of: &Value| text(of, "/securityContext/seccompProfile/type").to_owned();
    let pod = profile(workload.pod_spec);
    workload.containers().any(|container| {
        let own = profile(container);
        let confined = matches!(
            if own.is_empty() { &pod } else { &own }.as_str(),
            "RuntimeDefault" | "Localhost"
        );
        let context = container.get("securityContext").unwrap_or(&Value::Null);
        let added = list(context, "/capabilities/add");
        let mut strong =
            added.filter_map(Value::as_str).map(|name| name.trim_start_matches("CAP_"));
        !confined
            || context.get("privileged") == Some(&Value::Bool(true))
            || strong.any(|name| matches!(name, "SYS_ADMIN" | "ALL"))
    })
}
