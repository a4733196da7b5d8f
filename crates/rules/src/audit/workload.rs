//! Kubernetes' own workloads: what kind they are, where they keep the pod they make, and whose a pod is.
use seawall_model::audit::AuditEvent;
use serde_json::Value;
use std::collections::HashSet;

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

/// Where a container's request says what runs in it, beside the image.
const COMMANDS: [&str; 7] = [
    "/args",
    "/command",
    "/lifecycle/postStart/exec/command",
    "/lifecycle/preStop/exec/command",
    "/livenessProbe/exec/command",
    "/readinessProbe/exec/command",
    "/startupProbe/exec/command",
];

/// Where images keep their programs and libraries: what is mounted there runs in their place.
const PROGRAM_DIRECTORIES: [&str; 5] = ["bin", "lib", "lib64", "sbin", "usr"];

/// All containers of a pod's specification.
pub(crate) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    CONTAINERS.iter().flat_map(|list| items(spec, &format!("/{list}")))
}

/// The pod's specification as the object has it when the request is through. A patch tells only a part of it, so there
/// it is the answer's, and `None` where the log has no answer; what a patch creates it has told whole.
pub(crate) fn whole_spec(event: &AuditEvent) -> Option<&Value> {
    let at = of_resource(event.object.as_ref()?.resource.as_deref()?)?.pod_spec;
    let is_part = event.verb.as_deref() == Some("patch") && event.code != Some(201);
    let asked = event.request().filter(|_| !is_part).and_then(|body| body.pointer(at));
    asked.or_else(|| event.response()?.pointer(at))
}

/// Words of commands, hooks and probes of all containers.
pub(crate) fn command_words(spec: &Value) -> impl Iterator<Item = &str> {
    let lists = containers(spec).flat_map(|one| COMMANDS.iter().map(move |at| items(one, at)));
    lists.flatten().filter_map(Value::as_str)
}

/// Whether nothing but the programs of the images runs: arguments are theirs, commands, hooks, probes, a linker's
/// variables and what is mounted over programs are not.
pub(crate) fn runs_images_only(spec: &Value) -> bool {
    containers(spec).all(|container| {
        let commands = COMMANDS.iter().filter(|at| **at != "/args");
        let mut words = commands.flat_map(|at| items(container, at));
        let links = |variable: &Value| {
            let name = variable.get("name").and_then(Value::as_str);
            name.is_none_or(|name| name.starts_with("LD_"))
        };
        words.next().is_none()
            && items(container, "/envFrom").next().is_none()
            && !items(container, "/env").any(links)
            && !items(container, "/volumeMounts").any(hides_programs)
    })
}

fn hides_programs(mount: &Value) -> bool {
    let Some(path) = mount.get("mountPath").and_then(Value::as_str) else { return true };
    let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let Some(first) = parts.next() else { return true };
    let second = parts.next();
    PROGRAM_DIRECTORIES.contains(&first)
        || path.split('/').any(|part| part == "..")
        || (first == "etc" && second.is_none_or(|part| part.starts_with("ld")))
}

/// Whether every mount of a node's path is read-only.
pub(crate) fn only_reads_node(spec: &Value) -> bool {
    let of_node = items(spec, "/volumes").filter(|volume| volume.get("hostPath").is_some());
    let names: HashSet<&str> = of_node.filter_map(|volume| volume.get("name")?.as_str()).collect();
    let mut mounts = containers(spec).flat_map(|container| items(container, "/volumeMounts"));
    mounts.all(|mount| {
        let name = mount.get("name").and_then(Value::as_str);
        mount.get("readOnly") == Some(&Value::Bool(true))
            || name.is_some_and(|name| !names.contains(name))
    })
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_run_alone_unless_the_request_brings_programs() {
        #[track_caller]
        fn check(container: Value, expected: bool) {
            for list in CONTAINERS {
                let spec = json!({"containers": [{"image": "x"}], list: [container]});
                assert_eq!(runs_images_only(&spec), expected, "{list}: {container}");
            }
        }
        let mount = |path: &str| json!({"volumeMounts": [{"name": "v", "mountPath": path}]});
        check(json!({"args": ["--path.rootfs=/host"], "command": []}), true);
        check(json!({"livenessProbe": {"httpGet": {"path": "/"}}}), true);
        check(json!({"env": [{"name": "HOST_IP", "value": "x"}]}), true);
        for path in ["/host", "/rootfs/", "/var/run", "/etc/config", "/library"] {
            check(mount(path), true);
        }
        check(json!({"command": ["sh"]}), false);
        for hook in ["postStart", "preStop"] {
            check(json!({"lifecycle": {hook: {"exec": {"command": ["sh"]}}}}), false);
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            check(json!({probe: {"exec": {"command": ["sh"]}}}), false);
        }
        check(json!({"env": [{"name": "LD_PRELOAD", "value": "/x.so"}]}), false);
        check(json!({"envFrom": [{"configMapRef": {"name": "x"}}]}), false);
        for path in
            ["/", "//bin/", "/./usr/bin/x", "/x/../bin", "/lib64", "/etc", "/etc/ld.so.preload"]
        {
            check(mount(path), false);
        }
    }

    #[test]
    fn one_writable_mount_of_the_node_is_told() {
        #[track_caller]
        fn check(mounts: Value, expected: bool) {
            for list in CONTAINERS {
                let volumes = json!([{"name": "root", "hostPath": {"path": "/"}}, {"name": "tmp", "emptyDir": {}}]);
                let spec =
                    json!({"volumes": volumes, list: [{"image": "x", "volumeMounts": mounts}]});
                assert_eq!(only_reads_node(&spec), expected, "{list}: {mounts}");
            }
        }
        check(json!([]), true);
        check(json!([{"name": "tmp"}, {"name": "root", "readOnly": true}]), true);
        check(json!([{"name": "root", "readOnly": true}, {"name": "root"}]), false);
        check(json!([{"name": "root", "readOnly": false}]), false);
        check(json!([{"name": "root", "readOnly": "true"}]), false);
        check(json!([{"mountPath": "/x"}]), false);
    }
}
