//! Parameters that people assigned, in the assessment: of one object, of several, of a node's facts.
use crate::content::catalogue;
use seawall_model::Id;
use seawall_model::admission::Policy;
use seawall_model::facts::{Component, NodeFacts};
use seawall_model::finding::State;
use seawall_posture::facts::node;
use seawall_posture::live::Live;
use seawall_posture::objects::Objects;
use seawall_posture::{Assigned, Request, Selection};
use serde_json::{Value, json};

/// The tag that moves; the namespace without a policy; all in one namespace; the rate of events of a kubelet.
const TAG: &str = "SW-C-0200";
const NO_POLICY: &str = "SW-C-0340";
const BOUNDARIES: &str = "SW-C-0404";
const EVENTS: &str = "SW-C-0549";

fn selection(control: &str) -> Selection {
    let request = Request { controls: vec![control.to_owned()], ..Request::default() };
    catalogue().select(&request).unwrap()
}

/// Each `(depth, action, narrowing, params)`.
fn assigned(control: &str, policies: &[(u32, &str, Value, Value)]) -> Assigned {
    let policy = |(depth, action, narrowing, params): &(u32, &str, Value, Value)| {
        let mut policy = json!({"assignment": Id::new(1, [0; 10]), "control": control, "depth": depth, "action": action,
            "params": params, "namespaces": [], "excluded_namespaces": [], "labels": [], "kinds": []});
        let fields = narrowing.as_object().unwrap().clone();
        policy.as_object_mut().unwrap().extend(fields);
        serde_json::from_value::<Policy>(policy).unwrap()
    };
    let policies: Vec<Policy> = policies.iter().map(policy).collect();
    let (assigned, problems) = Assigned::compile(&policies, catalogue());
    assert!(problems.is_empty(), "{problems:?}");
    assigned
}

/// What is said of a Deployment of `web:edge` with the label `app: web` in the namespace `shop`.
#[track_caller]
fn check(policies: &[(u32, &str, Value, Value)], expected: State) {
    let mut selection = selection(TAG);
    selection.assign(&assigned(TAG, policies));
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:edge"}]}}}});
    let finding = selection.evaluate(&object, None).unwrap().remove(0);
    assert_eq!(finding.state, expected, "{policies:?}");
}

#[test]
fn the_nearest_assignment_that_fits_says_by_which_parameters() {
    use State::{Healthy, Unhealthy};
    let edge = || json!({"floating": ["edge"]});
    let (all, shop, bank) =
        (json!({}), json!({"namespaces": ["sh*"]}), json!({"namespaces": ["bank"]}));
    check(&[], Healthy);
    check(&[(1, "audit", all.clone(), edge())], Unhealthy);
    check(&[(1, "off", all.clone(), edge())], Unhealthy);
    check(&[(1, "audit", all.clone(), json!({}))], Healthy);
    check(&[(1, "deny", shop.clone(), edge())], Unhealthy);
    check(&[(1, "deny", bank, edge())], Healthy);
    check(&[(1, "audit", json!({"kinds": ["Pod"]}), edge())], Healthy);
    check(&[(1, "audit", json!({"labels": [["app", "web"]]}), edge())], Unhealthy);
    check(&[(1, "audit", json!({"labels": [["app", "db"]]}), edge())], Healthy);
    // Nearer counts, whatever the action; within one scope the strictest.
    check(&[(1, "deny", all.clone(), edge()), (2, "off", all.clone(), json!({}))], Healthy);
    check(
        &[(1, "deny", all.clone(), edge()), (2, "off", json!({"kinds": ["Pod"]}), json!({}))],
        Unhealthy,
    );
    check(&[(1, "audit", all.clone(), edge()), (1, "warn", all.clone(), json!({}))], Healthy);
    // Of those that tie the worst is told, in either order.
    check(&[(1, "audit", all.clone(), edge()), (1, "audit", shop.clone(), json!({}))], Unhealthy);
    check(&[(1, "audit", all, json!({})), (1, "audit", shop, edge())], Unhealthy);
}

#[test]
fn a_change_concerns_whom_it_gives_other_parameters() {
    let mut objects = Objects::default();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "uid": "p", "labels": {"app": "web"}}});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "shop", "uid": "s"}});
    for object in [pod, service] {
        objects.apply(&serde_json::to_vec(&object).unwrap()).unwrap();
    }
    let mut selection = selection(TAG);
    let mut check = |policies: &[(u32, &str, Value, Value)], expected: [bool; 2]| {
        let changed = selection.assign(&assigned(TAG, policies));
        let concerned = ["p", "s"].map(|uid| changed.concerns(objects.columns_of(uid).unwrap()));
        assert_eq!(concerned, expected, "{policies:?}");
    };
    let edge = json!({"floating": ["edge"]});
    check(&[(1, "audit", json!({"namespaces": ["bank"]}), edge.clone())], [false, false]);
    check(&[(1, "audit", json!({"labels": [["app", "web"]]}), edge.clone())], [true, false]);
    check(&[(2, "deny", json!({}), edge)], [false, false]);
    check(&[(1, "audit", json!({}), json!({}))], [true, false]);
    check(&[], [false, false]);
}

#[test]
fn controls_of_several_objects_are_judged_again_where_parameters_changed() {
    let mut objects = Objects::default();
    let mut live = Live::new(&selection(NO_POLICY), None);
    for name in ["bank", "shop"] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name, "labels": {"of": name}}});
        let web = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": name, "uid": format!("{name}-web")},
            "spec": {"containers": [{"name": "a", "image": "a"}]}});
        for object in [namespace, web] {
            let applied = objects.apply(&serde_json::to_vec(&object).unwrap()).unwrap();
            live.changed(&objects, None, Some(&applied.object));
        }
    }
    live.flush(&objects, 10);
    let mut check = |policies: &[(u32, &str, Value, Value)], told: &[&str]| {
        live.assign(&objects, &assigned(NO_POLICY, policies));
        assert_eq!(live.has_work(), !told.is_empty(), "{policies:?}");
        let now = live.flush(&objects, 10);
        assert_eq!(now.iter().map(String::as_str).collect::<Vec<_>>(), told, "{policies:?}");
    };
    let both = json!({"excludedNamespaces": ["bank", "shop"]});
    check(&[(1, "audit", json!({"namespaces": ["shop"]}), both.clone())], &["shop"]);
    check(
        &[
            (1, "audit", json!({"namespaces": ["shop"]}), both.clone()),
            (2, "off", json!({"labels": [["of", "bank"]]}), both.clone()),
        ],
        &["bank"],
    );
    check(&[(3, "audit", json!({"kinds": ["Namespace"]}), both)], &[]);
    check(&[], &["bank", "shop"]);
}

/// A cluster has neither namespace nor labels.
#[test]
fn what_is_of_the_whole_is_narrowed_by_kind_alone() {
    let objects = Objects::default();
    let mut live = Live::new(&selection(BOUNDARIES), None);
    live.flush(&objects, 10);
    let mut check = |narrowing: Value, again: bool| {
        let params = json!({"excludedNamespaces": ["lab"]});
        live.assign(&objects, &assigned(BOUNDARIES, &[(1, "audit", narrowing, params)]));
        assert_eq!(live.has_work(), again);
        live.flush(&objects, 10);
    };
    check(json!({"namespaces": ["shop"]}), false);
    check(json!({"labels": [["a", "b"]]}), false);
    check(json!({"kinds": ["Cluster"]}), true);
    check(json!({}), false);
}

#[test]
fn facts_of_nodes_are_judged_by_assigned_parameters() {
    let config = json!({"eventRecordQPS": 500}).as_object().unwrap().clone();
    let kubelet = Component { config: Some(config), ..Component::default() };
    let facts = NodeFacts { node: "n1".to_owned(), kubelet: Some(kubelet), ..NodeFacts::default() };
    let labels = [("pool".to_owned(), "batch".to_owned())];
    let check = |narrowing: Value, expected: State| {
        let mut selection = selection(EVENTS);
        let params = json!({"maximum": 1000});
        selection.assign(&assigned(EVENTS, &[(1, "audit", narrowing, params)]));
        assert_eq!(node(&selection, &facts, &labels)[0].state, expected);
    };
    check(json!({"kinds": ["Pod"]}), State::Unhealthy);
    check(json!({"namespaces": ["shop"]}), State::Unhealthy);
    check(json!({"labels": [["pool", "web"]]}), State::Unhealthy);
    check(json!({}), State::Healthy);
    check(json!({"kinds": ["Node"], "labels": [["pool", "batch"]]}), State::Healthy);
}
