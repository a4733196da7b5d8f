//! The templates in Rego below `e2e/gatekeeper/templates`, and a pod that none of them refuses.
use seawall_policy::gatekeeper::Library;
use seawall_posture::yaml;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/gatekeeper/templates")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file of the repository");
    yaml::parse(&text).ok().flatten().expect("one document").to_json()
}

/// Each template with its constraint, for every kind, so that all of them judge the pod.
pub fn library() -> Library {
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("a folder of the repository") {
        let folder = entry.expect("a readable folder").path();
        let (template, constraint) = (folder.join("template.yaml"), folder.join("constraint.yaml"));
        if !template.exists() {
            continue;
        }
        let template = read(&template);
        if template.to_string().contains("K8sNativeValidation") {
            continue;
        }
        let mut constraint = read(&constraint);
        if let Some(spec) = constraint.pointer_mut("/spec").and_then(Value::as_object_mut) {
            spec.remove("match");
        }
        documents.extend([template.into(), constraint.into()]);
    }
    let (library, problems) = Library::load(&documents, 36);
    assert!(problems.is_empty(), "{problems:?}");
    library
}

/// 3.6 KB with three containers.
pub fn pod() -> Value {
    let mut pod = read(&folder().join("objects/pod.yaml"));
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
