//! Nodes, control planes and managed clusters through the controls that ship.
use crate::content::catalogue;
use seawall_model::facts::{Component, ControlPlaneFacts, NodeFacts};
use seawall_model::finding::{ControlFinding, State};
use seawall_posture::facts::{Machines, flags, machines, node, unread_node};
use seawall_posture::{Request, Selection, cloud};
use serde_json::{Value, json};

fn selection(controls: &[&str]) -> Selection {
    let controls = controls.iter().map(ToString::to_string).collect();
    catalogue().select(&Request { controls, ..Request::default() }).unwrap()
}

/// `resource control state reason` of each finding.
fn shown(findings: &[ControlFinding]) -> Vec<String> {
    let line = |finding: &ControlFinding| {
        let resource = &finding.resource;
        let reason = finding.reason.as_deref().unwrap_or("-");
        let state = finding.state.as_str();
        format!("{}/{} {} {state} {reason}", resource.kind, resource.name, finding.control)
    };
    findings.iter().map(line).collect()
}

fn component(arguments: &[&str]) -> Component {
    let flags = flags::parse(arguments.iter().copied());
    Component { flags, ..Component::default() }
}

fn node_object(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": labels}})
}

fn mirror(node: &str, command: &[&str]) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "kube-system", "annotations": {"kubernetes.io/config.mirror": "0"}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "command": command}]}})
}

/// Anonymous requests of the API server, the scheduler's address, and the kubelet's host name.
const ASKED: [&str; 3] = ["SW-C-0450", "SW-C-0495", "SW-C-0548"];

#[track_caller]
fn check(nodes: &[Value], pods: &[Value], facts: &[NodeFacts], expected: &[&str]) {
    let nodes: Vec<&Value> = nodes.iter().collect();
    let pods: Vec<&Value> = pods.iter().collect();
    let seen = Machines { cluster: "shop", nodes: &nodes, pods: &pods, facts };
    let mut found = shown(&machines(&selection(&ASKED), &seen));
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn ids_are_those_of_the_controls_meant() {
    let catalogue = catalogue();
    let covers = ASKED.map(|id| catalogue.control(id).unwrap().covers[0].clone());
    assert_eq!(
        covers,
        ["cp.apiserver.anonymous", "cp.sched.bind", "node.kubelet.hostname-override"]
    );
}

#[test]
fn what_nobody_told_is_unknown() {
    check(
        &[],
        &[],
        &[],
        &[
            "Cluster/shop SW-C-0450 unknown not-collected",
            "Cluster/shop SW-C-0495 unknown not-collected",
            "Cluster/shop SW-C-0548 unknown not-collected",
        ],
    );
    check(
        &[node_object("n1", json!({}))],
        &[],
        &[],
        &[
            "Cluster/shop SW-C-0450 unknown not-collected",
            "Cluster/shop SW-C-0495 unknown not-collected",
            "Node/n1 SW-C-0548 unknown not-collected",
        ],
    );
}

#[test]
fn a_node_that_no_sensor_told_of_is_unknown() {
    #[track_caller]
    fn check(labels: &[&str], expected: &[&str]) {
        let labels: Vec<(String, String)> =
            labels.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        let found = unread_node(&selection(&ASKED), "n1", &labels);
        assert!(found.iter().all(|finding| {
            finding.message.as_deref().is_some_and(|message| message.contains("seawall sensor"))
        }));
        let states: Vec<String> = shown(&found);
        assert_eq!(states, expected, "{labels:?}");
    }
    let node = "Node/n1 SW-C-0548 unknown not-collected";
    let programs =
        ["Node/n1 SW-C-0450 unknown not-collected", "Node/n1 SW-C-0495 unknown not-collected"];
    check(&["kubernetes.io/os"], &[node]);
    check(&["node-role.kubernetes.io/control-plane"], &[node, programs[0], programs[1]]);
    // The provider's own control plane is none of its nodes' business.
    check(&["node-role.kubernetes.io/master", "eks.amazonaws.com/nodegroup"], &[node]);
}

#[test]
fn sensors_and_mirror_pods_complete_each_other() {
    let pods = [
        mirror("cp", &["kube-apiserver", "--anonymous-auth=true"]),
        mirror("cp", &["kube-scheduler", "--bind-address=127.0.0.1"]),
    ];
    check(
        &[node_object("cp", json!({}))],
        &pods,
        &[],
        &[
            "Node/cp SW-C-0450 unhealthy -",
            "Node/cp SW-C-0495 healthy -",
            "Node/cp SW-C-0548 unknown not-collected",
        ],
    );
    let told = NodeFacts {
        node: "cp".to_owned(),
        kubelet: Some(Component { config: Some(Default::default()), ..component(&[]) }),
        control_plane: Some(ControlPlaneFacts {
            api_server: Some(component(&["--anonymous-auth=false"])),
            ..ControlPlaneFacts::default()
        }),
        ..NodeFacts::default()
    };
    let expected = [
        "Node/cp SW-C-0450 healthy -",
        "Node/cp SW-C-0495 healthy -",
        "Node/cp SW-C-0548 healthy -",
    ];
    check(&[node_object("cp", json!({}))], &pods, std::slice::from_ref(&told), &expected);
    let alone = shown(&node(&selection(&ASKED), &told, &[]));
    let expected = [
        "Node/cp SW-C-0548 healthy -",
        "Node/cp SW-C-0450 healthy -",
        "Node/cp SW-C-0495 unknown not-collected",
    ];
    assert_eq!(alone, expected, "the scheduler was not seen by the sensor");
}

#[test]
fn a_providers_control_plane_is_its_own_and_names_who_answers() {
    let nodes = [node_object("n1", json!({"eks.amazonaws.com/nodegroup": "g"}))];
    check(
        &nodes,
        &[],
        &[],
        &[
            "Cluster/shop SW-C-0450 not_applicable provider-managed",
            "Cluster/shop SW-C-0495 not_applicable provider-managed",
            "Node/n1 SW-C-0548 unknown not-collected",
        ],
    );
    let nodes: Vec<&Value> = nodes.iter().collect();
    let seen = Machines { cluster: "shop", nodes: &nodes, pods: &[], facts: &[] };
    let all = catalogue().select(&Request::default()).unwrap();
    let findings = machines(&all, &seen);
    let providers = catalogue();
    let id = |key: &str| {
        let control =
            providers.controls.iter().find(|control| control.covers.iter().any(|own| own == key));
        control.unwrap().id.clone()
    };
    let secrets =
        findings.iter().find(|finding| finding.control == id("cp.apiserver.enc-providers"));
    let message = secrets.unwrap().message.clone().unwrap();
    assert!(message.contains(&id("eks.kms")) && message.starts_with("EKS runs"), "{message}");
    let managed =
        findings.iter().filter(|finding| finding.reason.as_deref() == Some("provider-managed"));
    assert!(managed.clone().count() >= 50);
    assert!(managed.clone().all(|finding| finding.state == State::NotApplicable));
}

#[test]
fn a_description_is_judged_by_its_providers_controls() {
    let text = json!({"cluster": {"name": "shop", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "resourcesVpcConfig": {"endpointPublicAccess": true, "endpointPrivateAccess": true, "publicAccessCidrs": ["0.0.0.0/0"]},
        "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]},
        "accessConfig": {"authenticationMode": "API"}}});
    let all = catalogue().select(&Request::default()).unwrap();
    let findings = cloud::judge(&all, &cloud::read(&text.to_string()).unwrap());
    let states: Vec<State> = findings.iter().map(|finding| finding.state).collect();
    assert_eq!(states, [State::Unhealthy, State::Healthy, State::Unhealthy, State::Healthy]);
    assert_eq!(findings[0].evidence[0].path, "/resourcesVpcConfig/publicAccessCidrs");
    assert_eq!(findings[0].resource.name, "shop");
}
