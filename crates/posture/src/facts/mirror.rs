//! Control-plane programs as mirror pods show them: what there is without a sensor. They show command lines and
//! etcd's environment; the files that those name stay unread.
use super::{etcd, flags, provider};
use seawall_model::facts::{Component, ControlPlaneFacts};
use serde_json::Value;
use std::collections::BTreeMap;

/// The programs, by the names their files have.
pub const PROGRAMS: [&[&str]; 4] =
    [&["kube-apiserver"], &["kube-controller-manager"], &["kube-scheduler"], &["etcd"]];

/// etcd's place in [`PROGRAMS`].
pub const ETCD: usize = 3;

/// The part of the facts that holds the program at this place of [`PROGRAMS`].
pub fn part(facts: &mut ControlPlaneFacts, program: usize) -> &mut Option<Component> {
    match program {
        0 => &mut facts.api_server,
        1 => &mut facts.controller_manager,
        2 => &mut facts.scheduler,
        _ => &mut facts.etcd,
    }
}

/// One entry per node that runs such mirror pods, by name. Pods that merely run such a program, as virtual clusters
/// do, are not the cluster's own: the kubelet alone can make mirror pods, of files on its node.
pub fn control_planes<'a>(pods: impl IntoIterator<Item = &'a Value>) -> Vec<ControlPlaneFacts> {
    let mut found: BTreeMap<&str, ControlPlaneFacts> = BTreeMap::new();
    for pod in pods {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
        let mirrored = pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
        let Some(node) =
            text("/spec/nodeName").filter(|_| mirrored && text("/kind") == Some("Pod"))
        else {
            continue;
        };
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            let Some((program, component)) = component(container) else { continue };
            let facts = found.entry(node).or_insert_with(|| ControlPlaneFacts {
                node: Some(node.to_owned()),
                origin: "mirror-pod".to_owned(),
                ..ControlPlaneFacts::default()
            });
            part(facts, program).get_or_insert(component);
        }
    }
    found.into_values().collect()
}

/// The program that a container of a pod starts, by its place in [`PROGRAMS`].
pub fn component<'a>(container: &'a Value) -> Option<(usize, Component)> {
    let list = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> =
        list("command").chain(list("args")).filter_map(Value::as_str).map(str::to_owned).collect();
    PROGRAMS.iter().enumerate().find_map(|(program, names)| {
        let arguments = flags::of_program(&words, names)?;
        let image = container.get("image").and_then(Value::as_str);
        let version = image.and_then(provider::version_of_image).filter(|_| program != ETCD);
        let mut flags = flags::parse(arguments.iter().map(String::as_str));
        if program == ETCD {
            // What such a file says, nobody sees here.
            if flags.contains_key("config-file") {
                return None;
            }
            let text = |pair: &'a Value, key: &str| pair.get(key).and_then(Value::as_str);
            let pairs =
                list("env").filter_map(|pair| Some((text(pair, "name")?, text(pair, "value")?)));
            etcd::add_environment(&mut flags, pairs);
        }
        Some((program, Component { version, flags, ..Component::default() }))
    })
}

#[test]
fn mirror_pods_show_flags() {
    let pod = |mirrored: bool| {
        let mut pod = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "kube-apiserver-cp", "namespace": "kube-system", "annotations": {}},
            "spec": {"nodeName": "cp", "containers": [{
                "image": "registry.k8s.io/kube-apiserver:v1.35.1",
                "command": ["kube-apiserver", "--anonymous-auth=false", "--authorization-mode=Node,RBAC"],
            }]},
        });
        if mirrored {
            pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "0".into();
        }
        pod
    };
    let found = control_planes([&pod(true)]);
    let api_server = found[0].api_server.as_ref().unwrap();
    assert_eq!(api_server.version.as_deref(), Some("v1.35.1"));
    assert_eq!(api_server.flags["anonymous-auth"], "false");
    assert_eq!(found[0].etcd, None);
    assert!(control_planes([&pod(false)]).is_empty(), "a pod of somebody else's cluster");
}
