//! What every API server makes itself is no finding, and who is added to it is one.
use crate::content::catalogue;
use seawall_model::finding::State;
use seawall_posture::Request;
use seawall_posture::world::World;
use serde_json::{Value, json};

fn built_in() -> Vec<Value> {
    let files = seawall_content::permissions();
    let file = files.iter().find(|file| file.path.ends_with("_bootstrap.yaml")).unwrap();
    serde_saphyr::from_str(file.text).unwrap()
}

/// `CONTROL Kind/name` of everything that fails among `objects`, each alone and all together.
fn failing(objects: &[Value]) -> Vec<String> {
    let selection = catalogue().select(&Request::default()).unwrap();
    let world = World::new(objects, true).with_kubernetes(Some("1.36"));
    let alone = objects.iter().filter_map(|object| selection.evaluate(object, None)).flatten();
    let among = selection.evaluate_world(&world, &|_| None);
    let failed = alone.chain(among).filter(|finding| {
        finding.state == State::Unhealthy && finding.resource.api_version.contains("rbac")
    });
    failed
        .map(|found| format!("{} {}/{}", found.control, found.resource.kind, found.resource.name))
        .collect()
}

#[test]
fn built_in_bindings_are_no_findings() {
    let objects = built_in();
    assert!(objects.len() > 100);
    assert_eq!(failing(&objects), Vec::<String>::new());
}

#[test]
fn who_is_added_to_a_built_in_binding_is_found() {
    let mut objects = built_in();
    let binding = objects.iter_mut().find(|object| {
        object["kind"] == "ClusterRoleBinding"
            && object["metadata"]["name"] == "system:kube-scheduler"
    });
    let subjects = binding.unwrap()["subjects"].as_array_mut().unwrap();
    subjects.push(json!({"kind": "User", "name": "dev"}));
    let failed = failing(&objects);
    assert!(!failed.is_empty());
    assert!(
        failed.iter().all(|found| found.ends_with("ClusterRoleBinding/system:kube-scheduler")),
        "{failed:?}"
    );
}
