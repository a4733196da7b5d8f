//! The templates in Rego below `e2e/gatekeeper/templates`, and pods that they refuse or let pass.
use crate::cluster;
use seawall_policy::gatekeeper::Library;
use seawall_posture::yaml;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Kubernetes whose CEL gator 3.23 has.
const MINOR: u32 = 35;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/gatekeeper/templates")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file of the repository");
    yaml::parse(&text).ok().flatten().expect("one document").to_json()
}

/// The folders of the templates in Rego, by name.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("a folder of the repository");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).collect();
    folders.retain(|folder| {
        let template = std::fs::read_to_string(folder.join("template.yaml")).unwrap_or_default();
        !template.is_empty() && !template.contains("K8sNativeValidation")
    });
    folders.sort();
    folders
}

/// Each template with its constraint, for every kind, so that all of them judge a pod.
pub fn documents() -> Vec<Value> {
    let of = |folder: PathBuf| {
        let mut constraint = read(&folder.join("constraint.yaml"));
        if let Some(spec) = constraint.pointer_mut("/spec").and_then(Value::as_object_mut) {
            spec.remove("match");
        }
        [read(&folder.join("template.yaml")), constraint]
    };
    folders().into_iter().flat_map(of).collect()
}

/// Those, ready to judge.
pub fn library() -> Library {
    let documents: Vec<_> = documents().into_iter().map(Into::into).collect();
    let (library, problems) = Library::load(&documents, MINOR);
    assert!(problems.is_empty(), "{problems:?}");
    library
}

/// 3.6 KB with three containers; none of the templates refuses it.
pub fn pod() -> Value {
    with_three_containers(read(&folder().join("objects/pod.yaml")))
}

/// That pod, one for each template that it violates, and as many of a large cluster, each by a name of its own.
pub fn pods() -> Vec<Value> {
    let bad = folders().into_iter().map(|folder| read(&folder.join("bad.yaml")));
    let mut pods: Vec<Value> = bad.filter(|object| object["kind"] == "Pod").collect();
    pods = pods.into_iter().map(with_three_containers).collect();
    pods.extend(cluster::pods(pods.len()));
    pods.push(pod());
    for (number, pod) in pods.iter_mut().enumerate() {
        pod["metadata"]["name"] = format!("pod-{number}").into();
    }
    pods
}

fn with_three_containers(mut pod: Value) -> Value {
    if let Some(Value::Array(containers)) = pod.pointer_mut("/spec/containers") {
        let first = containers[0].clone();
        for name in ["proxy", "metrics"] {
            let mut container = first.clone();
            container["name"] = name.into();
            containers.push(container);
        }
    }
    pod
}

#[test]
fn there_are_as_many_as_in_the_library_that_people_know() {
    assert_eq!(library().constraints().count(), 49);
}
