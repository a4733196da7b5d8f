//! Assigned controls as native policies: the API server refuses by itself, and no longer once nobody wants it.
use seawall_agent::{NativePolicies, Target, content};
use seawall_cluster::connect;
use seawall_e2e::server::Server;
use seawall_model::Id;
use seawall_model::admission::{Desired, Narrowing, Policy, PolicyAction};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

fn policy(control: &str, depth: u8, action: PolicyAction, narrowing: Value) -> Policy {
    Policy {
        assignment: Id::new(0, [depth; 10]),
        control: control.to_owned(),
        depth: depth.into(),
        narrowing: serde_json::from_value::<Narrowing>(narrowing).unwrap(),
        action,
        params: Map::new(),
    }
}

fn desired(policies: Vec<Policy>) -> Option<Arc<Desired>> {
    Some(Arc::new(Desired { policies, sets: Vec::new() }))
}

/// What `kubectl create --dry-run=server` says of a privileged pod.
fn create(server: &Server, namespace: &str) -> (bool, String) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": namespace},
        "spec": {"containers": [{"name": "a", "image": "registry.example/a:1", "securityContext": {"privileged": true}}]}});
    let path = server.kubeconfig("pod.json");
    std::fs::write(&path, pod.to_string()).unwrap();
    let output = server.kubectl(&["create", "--dry-run=server", "-f", path.to_str().unwrap()]);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_refuses_by_itself() {
    let Some(server) = Server::start_lone() else { return };
    for namespace in ["shop", "legacy", "seawall"] {
        assert!(server.kubectl(&["create", "namespace", namespace]).status.success());
    }
    // What people made of our export is not ours to delete.
    let foreign = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "sw-c-0002", "labels": {"app.kubernetes.io/managed-by": "seawall"}},
        "spec": {"validations": [{"expression": "true"}], "matchConstraints": {"resourceRules": [{"apiGroups": [""],
            "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}}});
    server.kubectl_file(&["create"], &foreign.to_string());
    let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
    let connection = connect(&target).await.unwrap();
    let (wanted, following) = watch::channel(None);
    let catalogue = Arc::new(content().unwrap());
    let native = NativePolicies::start(connection, following, catalogue, ["seawall".to_owned()]);
    let mut in_force = native.in_force();
    let names = |controls: &[&str]| -> BTreeSet<String> {
        controls.iter().map(ToString::to_string).collect()
    };

    wanted.send_replace(desired(vec![
        policy("SW-C-0001", 1, PolicyAction::Deny, json!({})),
        policy("SW-C-0001", 2, PolicyAction::Warn, json!({"namespaces": ["legacy"]})),
        policy("SW-C-0017", 1, PolicyAction::Deny, json!({"namespaces": ["sh*"]})),
    ]));
    let expected = names(&["SW-C-0001"]);
    let waited = in_force.wait_for(|controls| *controls == expected);
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap().unwrap();
    let status = native.status().borrow().clone();
    assert_eq!((status.controls, status.errors.as_slice()), (1, &[][..]), "{status:?}");
    assert!(status.stay["SW-C-0017"].contains("sh*"), "{status:?}");
    let (passed, told) = create(&server, "shop");
    assert!(!passed && told.contains("seawall-sw-c-0001-"), "{told}");
    let (passed, told) = create(&server, "legacy");
    assert!(passed && told.contains("Warning:"), "{told}");
    for spared in ["seawall", "kube-system"] {
        assert_eq!(create(&server, spared), (true, String::new()), "{spared}");
    }

    // Somebody takes the binding away: it is back by the next change, and until then it is not said to be in force.
    let delete = ["delete", "validatingadmissionpolicybindings", "--all"];
    assert!(server.kubectl(&delete).status.success());
    wanted.send_replace(desired(vec![policy("SW-C-0001", 1, PolicyAction::Deny, json!({}))]));
    let waited = in_force.wait_for(BTreeSet::is_empty);
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap().unwrap();
    let waited = in_force.wait_for(|controls| *controls == expected);
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap().unwrap();
    assert!(!create(&server, "legacy").0, "the nearer assignment is gone");

    wanted.send_replace(desired(Vec::new()));
    until("everything passes", || create(&server, "shop").0).await;
    let left = server.kubectl(&["get", "validatingadmissionpolicies", "-o", "name"]);
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert_eq!(left.trim(), "validatingadmissionpolicy.admissionregistration.k8s.io/sw-c-0002");
    assert!(native.in_force().borrow().is_empty());
}
