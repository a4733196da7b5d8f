//! Controls on objects that run no pods, on documents of facts, and on lists within lists.
use seawall_model::finding::{Resource, State};
use seawall_posture::{Catalogue, Facts, Request, Selection, patch, test};
use serde_json::{Value, json};

const HEAD: &str = "title: T\nseverity: low\nlifecycle: stable\nscoreGroup: network\ncovers: []\nframeworks: {}\n\
    description: D\nremediation: Do\n";

fn load(body: &str) -> Catalogue {
    let text = format!("id: SW-C-9999\n{HEAD}{body}");
    let (catalogue, problems) = Catalogue::load([("x.yaml", text.as_str())], []);
    assert_eq!(problems, [], "{body}");
    catalogue
}

fn select(catalogue: &Catalogue) -> Selection {
    catalogue.select(&Request::default()).unwrap()
}

#[track_caller]
fn check_suite(catalogue: &Catalogue, expected: &[&str]) {
    let results = test(&catalogue.controls[0]);
    let failures: Vec<_> = results.into_iter().flat_map(|result| result.failures).collect();
    assert_eq!(failures, expected);
}

const NODE_PORTS: &str = r#"
match:
  resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [services]}]
params: {allowed: {type: map, default: {}}}
validations:
  - expression: >-
      object.spec.?ports.orValue([]).all(p, !has(p.nodePort) || string(p.port) in variables.params.allowed)
    path: spec.ports[*].nodePort
    message: nodePort must not be set
fix: [{op: remove, path: "spec.ports[*].nodePort"}]
tests:
  - fails: {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}, {port: 2, nodePort: 30000}]}}
  - passes: {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {}}
  - params: {allowed: {"2": yes}}
    passes: {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 2, nodePort: 30000}]}}
  - unknown: {apiVersion: v1, kind: Service, metadata: {name: a}}
  - passes: {apiVersion: v1, kind: Secret, metadata: {name: a}}
"#;

#[test]
fn any_kind_is_judged_element_by_element() {
    let catalogue = load(NODE_PORTS);
    check_suite(&catalogue, &["the object is of no kind that the control is about"]);
    let selection = select(&catalogue);
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
        "spec": {"ports": [{"port": 1, "nodePort": 30000}, {"port": 2}, {"name": "x", "port": 3, "nodePort": 30001}]}});
    let finding = selection.evaluate(&service, None).unwrap().remove(0);
    let paths: Vec<_> = finding.evidence.iter().map(|evidence| evidence.path.as_str()).collect();
    assert_eq!(paths, ["/spec/ports/0/nodePort", "/spec/ports/2/nodePort"]);
    assert_eq!(finding.resource.kind, "Service");
    patch::apply(&mut service, &finding.fix).unwrap();
    assert_eq!(
        service["spec"]["ports"],
        json!([{"port": 1}, {"port": 2}, {"name": "x", "port": 3}])
    );
    assert_eq!(selection.evaluate(&service, None).unwrap()[0].state, State::Healthy);
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    assert_eq!(selection.evaluate(&other, None), None);
    assert!(!selection.concerns(&other));
}

const HOST_PORTS: &str = r#"
match: workloads
validations:
  - expression: >-
      variables.mainContainers.all(c, !has(c.ports) || c.ports.all(p, p.?hostPort.orValue(0) == 0))
    path: containers[*].ports[*].hostPort
    message: hostPort must not be set
fix: [{op: remove, path: "containers[*].ports[*].hostPort"}]
tests:
  - fails: {containers: [{}, {ports: [{containerPort: 1}, {containerPort: 2, hostPort: 2}]}]}
  - passes: {containers: [{ports: [{containerPort: 1}]}]}
  - passes: {}
"#;

#[test]
fn lists_within_lists_are_taken_apart() {
    let catalogue = load(HOST_PORTS);
    check_suite(&catalogue, &[]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [
        {"name": "x"}, {"name": "y", "ports": [{"hostPort": 1}, {"name": "p", "hostPort": 2}, {}]}]}});
    let finding = select(&catalogue).evaluate(&pod, None).unwrap().remove(0);
    let paths: Vec<_> = finding.evidence.iter().map(|evidence| evidence.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/spec/containers/1/ports/0/hostPort", "/spec/containers/1/ports/1/hostPort"]
    );
    let tests: Vec<_> = finding.fix.iter().filter(|step| step["op"] == "test").collect();
    assert_eq!(tests[0]["value"], "y");
    // A later `[*]` of a fix means every element of that list.
    let every = HOST_PORTS.replace("path: containers[*].ports[*].hostPort", "path: containers[*]");
    check_suite(&load(&every), &[]);
    // An element is removed whole, the last one first.
    let removed = HOST_PORTS.replace(
        "fix: [{op: remove, path: \"containers[*].ports[*].hostPort\"}]",
        "fix: [{op: remove, path: \"containers[*].ports[*]\"}]",
    );
    let catalogue = load(&removed);
    check_suite(&catalogue, &[]);
    let mut healed = pod.clone();
    let fix = select(&catalogue).evaluate(&pod, None).unwrap().remove(0).fix;
    patch::apply(&mut healed, &fix).unwrap();
    assert_eq!(healed["spec"]["containers"][1]["ports"], json!([{}]));
}

#[test]
fn a_map_is_gone_through_by_its_keys() {
    let body = "match: {resourceRules: [{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}\n\
        validations:\n  - {expression: \"object.data.all(k, k != 'password')\", path: data, message: no}\n\
        tests:\n  - fails: {apiVersion: v1, kind: ConfigMap, data: {password: x}}\n  - passes: {apiVersion: v1, kind: ConfigMap, data: {a: x}}\n\
        \x20\x20- unknown: {apiVersion: v1, kind: ConfigMap}\n";
    check_suite(&load(body), &[]);
}

#[test]
fn facts_are_judged_where_there_are_some() {
    let body = "match: node\nvalidations:\n  - {expression: \"object.files.all(f, f.mode <= 384)\", path: \"files[*].mode\", message: too open}\n\
        tests:\n  - fails: {files: [{path: /a, mode: 420}]}\n  - passes: {files: [{path: /a, mode: 384}]}\n  - unknown: {}\n";
    let catalogue = load(body);
    check_suite(&catalogue, &[]);
    let selection = select(&catalogue);
    assert!(selection.reads(Facts::Node) && !selection.reads(Facts::Aks));
    let node = Resource {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: "n1".to_owned(),
        uid: None,
    };
    let document: Value =
        json!({"files": [{"path": "/a", "mode": 384}, {"path": "/b", "mode": 511}]});
    let finding = selection.evaluate_facts(Facts::Node, &document, &node, &[]).remove(0);
    assert_eq!((finding.state, finding.resource.name.as_str()), (State::Unhealthy, "n1"));
    assert_eq!(finding.evidence[0].path, "/files/1/mode");
    let absent =
        selection.without_facts(Facts::Node, &node, State::Unknown, "not-collected", "no sensor");
    assert_eq!(absent[0].reason.as_deref(), Some("not-collected"));
    assert_eq!(selection.evaluate(&document, None), None);
}
