//! Kinds that come, go and change their version while the agent runs, and those that only policies look up.
use crate::policy_sets::{World, set};
use crate::webhook::{apply, deployment};
use seawall_agent::{Agent, Config, Target};
use seawall_e2e::server::Server;
use seawall_model::admission::PolicyAction;
use seawall_model::finding::ObjectAssessment;
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_posture::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Of what discovery and a retry after five seconds take, with room for a slow machine.
const LIMIT: Duration = Duration::from_secs(40);

/// Gateway API's routes, as far as the control reads them.
fn routes(versions: &[(&str, bool)]) -> String {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = |(name, served): &(&str, bool)| json!({"name": name, "served": served, "storage": *name == "v1beta1", "schema": schema});
    crd("gateway.networking.k8s.io", "HTTPRoute", versions.iter().map(version).collect())
}

fn crd(group: &str, kind: &str, versions: Vec<Value>) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {
            "name": format!("{plural}.{group}"),
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": versions}})
    .to_string()
}

fn established(server: &Server, name: &str) {
    let name = format!("crd/{name}");
    let wait = server.kubectl(&["wait", "--for=condition=established", "--timeout=20s", &name]);
    assert!(wait.status.success(), "{}", String::from_utf8_lossy(&wait.stderr));
}

fn config(server: &Server, user: &str) -> Config {
    let target = Target { kubeconfig: Some(server.kubeconfig(user)), context: None };
    let ask_every = Duration::from_millis(500);
    Config { ask_every, ..Config::new(target, Arc::new(SystemClock)) }
}

async fn hear(
    records: &mut mpsc::Receiver<Record>,
    what: &str,
    fits: impl Fn(&ObjectAssessment) -> bool,
) {
    let hearing = async {
        loop {
            if let Record::Assessment(told) = records.recv().await.unwrap()
                && fits(&told)
            {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, hearing).await.unwrap_or_else(|_| panic!("not heard: {what}"));
}

fn dangling(version: &'static str) -> impl Fn(&ObjectAssessment) -> bool {
    move |told| {
        told.resource.api_version == format!("gateway.networking.k8s.io/{version}")
            && told.resource.name == "lost"
            && !told.deleted
            && told.findings.iter().any(|finding| finding.control == "SW-C-0358")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_comes_later_is_watched_until_it_goes() {
    let Some(server) = Server::start_lone() else { return };
    let request = Request { controls: vec!["SW-C-0358".to_owned()], ..Request::default() };
    let (sink, mut records) = mpsc::channel(64);
    let config = Config { request, ..config(&server, "admin") };
    let agent = Agent::start(config, sink).await.unwrap();
    let mut status = agent.status();
    status.wait_for(|status| status.synced).await.unwrap();

    server.kubectl_file(&["create"], &routes(&[("v1beta1", true)]));
    established(&server, "httproutes.gateway.networking.k8s.io");
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "HTTPRoute", "metadata": {"name": "lost", "namespace": "default"},
        "spec": {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [{"name": "nothing", "port": 80}]}]}});
    server.kubectl_file(&["create"], &route.to_string());
    hear(&mut records, "the first version", dangling("v1beta1")).await;

    // A more stable version takes over; the object is told in it, and at no time gone.
    server.kubectl_file(&["apply"], &routes(&[("v1beta1", true), ("v1", true)]));
    let gone = |told: &ObjectAssessment| told.resource.name == "lost" && told.deleted;
    hear(&mut records, "the other version", |told| {
        assert!(!gone(told), "an object of two versions is never gone");
        dangling("v1")(told)
    })
    .await;

    server.kubectl(&["delete", "crd", "httproutes.gateway.networking.k8s.io", "--wait=false"]);
    hear(&mut records, "gone with its definition", gone).await;
    let settled = status.wait_for(|status| status.forbidden.is_empty() && status.broken.is_empty());
    tokio::time::timeout(LIMIT, settled).await.expect("nobody asks for it any more").unwrap();
    agent.stop().await;
}

fn role(name: &str, group: &str, resource: &str) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": ["get", "list", "watch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
         "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]}]})
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_granted_later_takes_effect() {
    let Some(server) = Server::start_lone() else { return };
    let request = Request { controls: vec!["SW-C-0001".to_owned()], ..Request::default() };
    server.kubectl_file(&["create"], &role("base", "", "namespaces"));
    let (sink, _records) = mpsc::channel(64);
    let config = Config { request, ..config(&server, "limited") };
    let agent = Agent::start(config, sink).await.unwrap();
    let mut status = agent.status();
    let kinds = |status: &seawall_agent::Status| -> Vec<String> {
        status.forbidden.iter().map(|(kind, _)| kind.clone()).collect()
    };
    let refused = status.wait_for(|status| kinds(status).contains(&"DaemonSet".to_owned()));
    drop(tokio::time::timeout(LIMIT, refused).await.expect("refused at first").unwrap());
    server.kubectl_file(&["create"], &role("sets", "apps", "daemonsets"));
    let read = status.wait_for(|status| !kinds(status).contains(&"DaemonSet".to_owned()));
    drop(tokio::time::timeout(LIMIT, read).await.expect("read without a restart").unwrap());
    agent.stop().await;
}

/// A policy on Deployments whose most replicas are those of its params.
fn bounded(api_version: &str, kind: &str, most: &str) -> String {
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "bounded"}, "spec": {
        "failurePolicy": "Fail", "paramKind": {"apiVersion": api_version, "kind": kind},
        "matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]},
        "validations": [{"expression": format!("object.spec.replicas <= {most}"), "message": "too many replicas"}]}});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "bounded"}, "spec": {
        "policyName": "bounded", "validationActions": ["Deny"],
        "paramRef": {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}}});
    format!("{policy}\n---\n{binding}\n")
}

/// Applies until the answer is as expected: the watch lags behind the API server.
async fn eventually(world: &World, name: &str, passes: bool, words: &str) {
    let mut told = String::new();
    for _ in 0..80 {
        let (passed, answer) =
            apply(&world.server, &deployment("default", name, json!({})), &["--dry-run=server"]);
        if passed == passes && answer.contains(words) {
            return;
        }
        told = answer;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("{name} should pass {passes} with {words:?}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn params_that_no_control_looks_at_are_followed() {
    let Some(mut world) = World::with(|server| config(server, "admin")).await else { return };
    world.until_asked().await;
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    world.server.kubectl_file(&["create"], &crd("shop.test", "Limit", vec![version]));
    established(&world.server, "limits.shop.test");
    let limit = |most: i32| json!({"apiVersion": "shop.test/v1", "kind": "Limit", "metadata": {"name": "limits", "namespace": "default"}, "most": most});
    let map = |most: i32| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits", "namespace": "default"}, "data": {"most": most.to_string()}});
    type Object<'a> = &'a dyn Fn(i32) -> Value;
    let cases: [(u64, &str, &str, &str, Object<'_>); 2] = [
        (1, "shop.test/v1", "Limit", "params.most", &limit),
        (2, "v1", "ConfigMap", "int(params.data.most)", &map),
    ];
    for (version, api_version, kind, most, object) in cases {
        world.server.kubectl_file(&["apply"], &object(5).to_string());
        let wanted = set(version, PolicyAction::Deny, bounded(api_version, kind, most));
        world.want(std::slice::from_ref(&wanted));
        let trial = world.tried(&wanted).await;
        assert_eq!(trial.problems, [""; 0], "{kind}");
        world.want(std::slice::from_ref(&wanted));
        eventually(&world, "few", true, "").await;
        world.server.kubectl_file(&["apply"], &object(-1).to_string());
        eventually(&world, "few", false, "too many replicas").await;
        world.server.kubectl_file(&["apply"], &object(3).to_string());
        eventually(&world, "few", true, "").await;
        world.server.kubectl(&["delete", kind, "limits"]);
        eventually(&world, "few", false, "no params found").await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_names_the_right_that_it_lacks() {
    let prepared = |server: &Server| {
        let most = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "limited"}, "rules": [
                {"apiGroups": [""], "resources": ["pods", "replicationcontrollers", "namespaces", "nodes", "serviceaccounts"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["apps", "batch"], "resources": ["*"], "verbs": ["list", "watch"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "limited"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "limited"},
             "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]}]});
        server.kubectl_file(&["create"], &most.to_string());
        config(server, "limited")
    };
    let Some(mut world) = World::with(prepared).await else { return };
    world.until_asked().await;
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits", "namespace": "default"}, "data": {"most": "5"}});
    world.server.kubectl_file(&["apply"], &map.to_string());
    let text = bounded("v1", "ConfigMap", "int(params.data.most)");
    let wanted = set(1, PolicyAction::Warn, text);
    world.want(std::slice::from_ref(&wanted));
    let lacks = "v1 ConfigMap may not be read: grant get, list and watch on apiGroup \"\", resource configmaps";
    let trial = world.tried(&wanted).await;
    assert!(trial.problems.iter().any(|told| told.starts_with(lacks)), "{:?}", trial.problems);
    world.want(std::slice::from_ref(&wanted));
    eventually(&world, "few", true, "resource configmaps").await;

    // The grant takes effect, and the trial is held anew without the problem.
    world.server.kubectl_file(&["create"], &role("maps", "", "configmaps"));
    let trial = world.tried(&wanted).await;
    assert_eq!(trial.problems, [""; 0]);
    world.end().await;
}
