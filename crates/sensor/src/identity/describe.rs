//! containerd's records to the product's nouns: container, image with its digests; and what every runtime's records
//! share: the pod with its workload.
use super::cgroup::PathIdentity;
use super::containerd::ContainerRecord;
use super::worker::Found;
use seawall_model::asset::RunningContainer;
use seawall_model::event::{Container, Identity, Pod};
use seawall_model::image::ImageRef;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// The part of the OCI runtime specification that identity needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Spec {
    pub(crate) annotations: HashMap<String, String>,
    process: Process,
    linux: Linux,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Process {
    capabilities: Capabilities,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    bounding: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Linux {
    cgroups_path: String,
    masked_paths: Vec<String>,
}

impl Spec {
    /// An unreadable specification is an empty one: identity goes on with what the labels say.
    pub(crate) fn parse(record: &ContainerRecord) -> Self {
        let value = record.spec.as_ref().map_or(&b"{}"[..], |spec| &spec.value);
        serde_json::from_slice(value).unwrap_or_default()
    }

    /// Runtimes have no such flag: it is what `privileged` does to the specification. No masked paths, and
    /// capabilities that no default set contains.
    pub(crate) fn privileged(&self) -> bool {
        let holds = |name: &str| self.process.capabilities.bounding.iter().any(|held| held == name);
        self.linux.masked_paths.is_empty() && holds("CAP_SYS_ADMIN") && holds("CAP_SYS_MODULE")
    }

    /// Whether the control group at `path` is this container's. The systemd driver writes `slice:prefix:id`.
    pub(crate) fn owns(&self, path: &str) -> bool {
        let own = self.linux.cgroups_path.trim_end_matches('/');
        if own.is_empty() || own.contains(':') {
            return !own.is_empty() && own.rsplit(':').next().is_some_and(|id| path.contains(id));
        }
        path == own
            || path.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))
            || path.ends_with(own)
    }

    pub(crate) fn sandbox(&self) -> Option<&str> {
        self.annotations.get("io.kubernetes.cri.sandbox-id").map(String::as_str)
    }

    /// The image as the pod's author wrote it.
    pub(crate) fn image_name(&self) -> Option<&str> {
        self.annotations.get("io.kubernetes.cri.image-name").map(String::as_str)
    }
}

/// Pods' infrastructure containers, which hold the namespaces and run nothing.
pub(crate) fn is_sandbox(record: &ContainerRecord) -> bool {
    record.labels.get("io.cri-containerd.kind").is_some_and(|kind| kind == "sandbox")
}

/// `pod_labels` are those of the sandbox's record.
pub(crate) fn container(
    record: &ContainerRecord,
    spec: &Spec,
    image: Option<ImageRef>,
    pod_labels: &HashMap<String, String>,
) -> Container {
    let label = |name: &str| record.labels.get(name).cloned();
    let name = label("io.kubernetes.container.name").or_else(|| label("nerdctl/name"));
    let runtime = record.runtime.as_ref().map(|runtime| runtime.name.clone());
    Container {
        id: record.id.clone(),
        name: if is_sandbox(record) { Some("POD".to_owned()) } else { name },
        image,
        privileged: record.spec.is_some().then(|| spec.privileged()),
        runtime: runtime.map(|name| if name.is_empty() { "containerd".to_owned() } else { name }),
        start: record
            .created_at
            .as_ref()
            .map(|at| at.seconds * 1000 + i64::from(at.nanos) / 1_000_000),
        pod: pod(&record.labels, pod_labels),
        init_pid: None,
    }
}

/// What is left when no runtime answers.
pub(crate) fn from_path(path: PathIdentity) -> Container {
    let pod = path.pod_uid.map(|uid| Pod { uid, ..Pod::default() });
    Container {
        id: path.container,
        runtime: path.runtime.map(str::to_owned),
        pod,
        ..Container::default()
    }
}

/// Complete where a digest says which image runs.
pub(crate) fn found(container: Container) -> Found {
    let complete = container.image.as_ref().is_some_and(|image| image.key_digest().is_some());
    let identity = if complete { Identity::Complete } else { Identity::Partial };
    (Arc::new(container), identity)
}

pub(crate) fn running(container: Container) -> Option<RunningContainer> {
    let pod = container.pod.unwrap_or_default();
    let known = |text: String| (!text.is_empty()).then_some(text);
    Some(RunningContainer {
        id: container.id,
        name: container.name,
        image: container.image?,
        namespace: known(pod.namespace),
        pod: known(pod.name),
        pod_uid: known(pod.uid),
        workload: pod.workload,
    })
}

/// Whether an image's name says which version, rather than its digest.
pub(crate) fn is_tagged(name: &str) -> bool {
    !name.starts_with("sha256:") && !name.contains('@')
}

/// From the kubelet's labels of a container and those of its pod's sandbox.
pub(crate) fn pod(
    labels: &HashMap<String, String>,
    pod_labels: &HashMap<String, String>,
) -> Option<Pod> {
    let label = |name: &str| labels.get(name).cloned();
    let name = label("io.kubernetes.pod.name")?;
    let internal =
        |key: &str| key.starts_with("io.kubernetes.") || key.starts_with("io.cri-containerd");
    let mut own: Vec<(String, String)> = pod_labels
        .iter()
        .filter(|(key, _)| !internal(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    own.sort_unstable();
    Some(Pod {
        workload: Some(workload(&name, &own)),
        namespace: label("io.kubernetes.pod.namespace").unwrap_or_default(),
        uid: label("io.kubernetes.pod.uid").unwrap_or_default(),
        labels: own,
        name,
    })
}

/// The owner as far as the pod's own labels prove it; the hub knows the rest from the objects.
fn workload(pod: &str, labels: &[(String, String)]) -> String {
    let label =
        |name: &str| labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let stem = pod.rsplit_once('-').map(|(stem, _)| stem);
    let deployment = label("pod-template-hash")
        .and_then(|hash| stem?.strip_suffix(hash)?.strip_suffix('-'))
        .map(|name| format!("Deployment/{name}"));
    let stateful = label("statefulset.kubernetes.io/pod-name")
        .filter(|name| *name == pod)
        .and(stem)
        .map(|name| format!("StatefulSet/{name}"));
    // Both stateful and daemon sets carry `controller-revision-hash`; only the latter this label.
    let daemon = label("pod-template-generation").and(stem).map(|name| format!("DaemonSet/{name}"));
    let job = label("batch.kubernetes.io/job-name")
        .or_else(|| label("job-name"))
        .map(|name| format!("Job/{name}"));
    deployment.or(stateful).or(daemon).or(job).unwrap_or_else(|| format!("Pod/{pod}"))
}

/// The part of an image index and of a manifest that leads to digests. Source: OCI image specification 1.1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    pub(crate) manifests: Vec<Entry>,
    pub(crate) config: Option<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) digest: String,
    platform: Platform,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Platform {
    architecture: String,
    os: String,
}

impl Manifest {
    /// The entry for this machine.
    pub(crate) fn for_machine(&self) -> Option<&Entry> {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let fits = |entry: &&Entry| {
            entry.platform.os == "linux" && entry.platform.architecture == architecture
        };
        self.manifests.iter().find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pod: &str, labels: &[(&str, &str)], expected: &str) {
        let labels: Vec<_> =
            labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(workload(pod, &labels), expected);
    }

    #[test]
    fn owners_only_where_labels_prove_them() {
        check("web-7d4b9c6f5-x2x4z", &[("pod-template-hash", "7d4b9c6f5")], "Deployment/web");
        check("web-7d4b9c6f5-x2x4z", &[], "Pod/web-7d4b9c6f5-x2x4z");
        check("web-7d4b9c6f5-x2x4z", &[("pod-template-hash", "other")], "Pod/web-7d4b9c6f5-x2x4z");
        let stateful =
            [("statefulset.kubernetes.io/pod-name", "db-0"), ("controller-revision-hash", "db-5c")];
        check("db-0", &stateful, "StatefulSet/db");
        let daemon = [("controller-revision-hash", "6d8f"), ("pod-template-generation", "1")];
        check("agent-9kq2v", &daemon, "DaemonSet/agent");
        check("backup-28-abcde", &[("job-name", "backup-28")], "Job/backup-28");
        check("alone", &[("app", "alone")], "Pod/alone");
    }

    #[test]
    fn control_groups_belong_to_specifications() {
        let spec = |path: &str| Spec {
            linux: Linux { cgroups_path: path.to_owned(), ..Linux::default() },
            ..Spec::default()
        };
        for (own, path, owns) in [
            ("/default/web", "/default/web", true),
            ("/default/web", "/default/web/init", true),
            ("/default/web", "/default/web2", false),
            (
                "kubepods-pod1.slice:cri-containerd:abc",
                "/kubepods.slice/cri-containerd-abc.scope",
                true,
            ),
            ("", "/default/web", false),
        ] {
            assert_eq!(spec(own).owns(path), owns, "{own} {path}");
        }
    }
}
