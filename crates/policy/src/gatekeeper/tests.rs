//! What gator does not show: enforcement points, what is not known, what is too much. The rest it judges itself, see
//! `tests/it/gator.rs`.
use super::*;
use seawall_rego::{EvalError, Limits};
use serde_json::json;

const ALWAYS: &str = r#"violation[{"msg": "always", "details": {"n": 1}}] { true }"#;

fn template(rego: &str) -> Value {
    json!({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "K"}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": format!("package k\n{rego}")}],
        },
    })
}

fn constraint(spec: Value) -> Value {
    json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K", "metadata": {"name": "c"}, "spec": spec})
}

fn library(template: Value, spec: Value) -> Library {
    let (library, problems) = Library::load(&[template.into(), constraint(spec).into()], 36);
    assert_eq!(problems, []);
    library
}

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}})
}

fn review(library: &Library, inventory: &Inventory, point: Point, limits: &Limits) -> Outcome {
    let review = Review::of_object(&pod(), Namespace::Unknown, Origin::Original).unwrap();
    Judge::new().review(library, &review, inventory, point, limits)
}

#[track_caller]
fn check_actions(spec: Value, point: Point, expected: &[Action]) {
    let outcome = review(
        &library(template(ALWAYS), spec.clone()),
        &Inventory::default(),
        point,
        &Limits::default(),
    );
    let actions: Vec<Action> =
        outcome.violations.into_iter().flat_map(|violation| violation.actions).collect();
    assert_eq!(actions, expected, "{spec} at {point:?}");
}

#[test]
fn actions_by_enforcement_point() {
    let all = [Point::Admission, Point::Audit, Point::Gator, Point::Export];
    for point in all {
        check_actions(json!({}), point, &[Action::Deny]);
        check_actions(json!({"enforcementAction": "dryrun"}), point, &[Action::Audit]);
        let scoped = json!([{"action": "warn", "enforcementPoints": [{"name": "*"}]}]);
        check_actions(
            json!({"enforcementAction": "scoped", "scopedEnforcementActions": scoped}),
            point,
            &[Action::Warn],
        );
    }
    let named = |action: &str, point: &str| json!({"action": action, "enforcementPoints": [{"name": point}]});
    let scoped = json!({"enforcementAction": "scoped", "scopedEnforcementActions": [
        named("warn", "validation.gatekeeper.sh"), named("deny", "validation.gatekeeper.sh"),
        named("dryrun", "audit.gatekeeper.sh"), named("deny", "vap.k8s.io"),
    ]});
    check_actions(scoped.clone(), Point::Admission, &[Action::Deny, Action::Warn]);
    check_actions(scoped.clone(), Point::Audit, &[Action::Audit]);
    check_actions(scoped.clone(), Point::Export, &[Action::Deny]);
    check_actions(scoped, Point::Gator, &[]);
}

#[test]
fn other_actions_are_refused() {
    let loaded =
        [template(ALWAYS).into(), constraint(json!({"enforcementAction": "block"})).into()];
    let (library, problems) = Library::load(&loaded, 36);
    assert_eq!(library.constraints().count(), 0);
    assert_eq!(
        problems[0].message,
        "enforcementAction \"block\" is none of deny, warn, dryrun, scoped"
    );
}

#[test]
fn operations_count_at_admission_alone() {
    let mut deleting = template(ALWAYS);
    deleting["spec"]["targets"][0]["operations"] = json!(["DELETE"]);
    let library = library(deleting, json!({}));
    let found =
        |point| review(&library, &Inventory::default(), point, &Limits::default()).violations.len();
    assert_eq!([found(Point::Admission), found(Point::Audit)], [0, 1]);
}

#[test]
fn labels_of_a_namespace_that_are_not_at_hand_are_unknown() {
    let spec = json!({"match": {"namespaceSelector": {"matchLabels": {"env": "prod"}}}});
    let outcome = review(
        &library(template(ALWAYS), spec),
        &Inventory::default(),
        Point::Admission,
        &Limits::default(),
    );
    assert_eq!(outcome.violations, []);
    assert_eq!(outcome.undecided[0].reason, "not-collected");
}

#[test]
fn a_runaway_is_unknown() {
    let slow = "violation[{\"msg\": \"m\"}] { xs := numbers.range(1, 2000); xs[_] + xs[_] < 0 }";
    let limits = Limits { steps: 10_000, ..Limits::default() };
    let outcome = review(
        &library(template(slow), json!({})),
        &Inventory::default(),
        Point::Admission,
        &limits,
    );
    assert_eq!((outcome.violations.len(), outcome.undecided[0].reason), (0, "limit"));
}

#[test]
fn only_what_is_read_becomes_data() {
    let rego = r#"violation[{"msg": m}] { m := sprintf("%v", [[k | data.inventory.namespace[_]["v1"]["ConfigMap"][k]]]) }"#;
    let library = library(template(rego), json!({}));
    let mut inventory = Inventory::default();
    for (kind, name) in [("ConfigMap", "a"), ("Secret", "b"), ("ConfigMap", "c")] {
        let metadata = json!({"name": name, "namespace": "shop"});
        inventory.add(json!({"apiVersion": "v1", "kind": kind, "metadata": metadata})).unwrap();
    }
    let data = Inventory::data(&[&inventory], &library.reads()).unwrap().to_json();
    assert_eq!(data["namespace"]["shop"]["v1"].as_object().unwrap().len(), 1);
    let outcome = review(&library, &inventory, Point::Audit, &Limits::default());
    assert_eq!(outcome.violations[0].message, "[\"a\", \"c\"]");
}

#[test]
fn a_changed_inventory_is_seen_by_a_judge_that_lives_on() {
    let rego = r#"violation[{"msg": m}] { m := sprintf("%d", [count(data.inventory.cluster["v1"].Node)]) }"#;
    let library = library(template(rego), json!({}));
    let (mut judge, mut inventory) = (Judge::new(), Inventory::default());
    let review = Review::of_object(&pod(), Namespace::Unknown, Origin::Original).unwrap();
    for count in 1..4 {
        inventory.add(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("n{count}")}})).unwrap();
        let outcome = judge.review(&library, &review, &inventory, Point::Audit, &Limits::default());
        assert_eq!(outcome.violations[0].message, count.to_string());
    }
}

/// What `change` does to the states of all that a reader of `read` kinds has.
#[track_caller]
fn check_states(read: &str, change: fn(&mut Inventory), changed: bool) {
    let object = |version: &str, kind: &str, name: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop", "resourceVersion": "1"}});
    let mut inventory = Inventory::default();
    for (version, kind) in [("v1", "Pod"), ("networking.k8s.io/v1", "Ingress")] {
        inventory.add(object(version, kind, "a")).unwrap();
    }
    let rego = format!("violation[{{\"msg\": \"m\"}}] {{ data.inventory.namespace[_]{read}[_] }}");
    let reads = library(template(&rego), json!({})).reads();
    let before = Inventory::states(&[&inventory], &reads);
    change(&mut inventory);
    let after = Inventory::states(&[&inventory], &reads);
    let same = before.len() == after.len()
        && before.iter().zip(&after).all(|(before, after)| std::sync::Arc::ptr_eq(before, after));
    assert_eq!(!same, changed, "{read}");
}

#[test]
fn a_reader_has_old_data_only_when_a_kind_it_reads_changed() {
    fn pod(version: &str, phase: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop", "resourceVersion": version}, "status": {"phase": phase}})
    }
    let changed: fn(&mut Inventory) = |inventory| inventory.add(pod("2", "Running")).unwrap();
    check_states(r#"["v1"].Pod"#, changed, true);
    check_states("[_].Pod", changed, true);
    check_states("[_][_]", changed, true);
    check_states(r#"["networking.k8s.io/v1"].Ingress"#, changed, false);
    check_states("[_].Ingress", changed, false);
    let told_again: fn(&mut Inventory) = |inventory| {
        let mut same = pod("2", "x");
        same.as_object_mut().unwrap().remove("status");
        inventory.add(same).unwrap();
    };
    check_states("[_][_]", told_again, false);
    let gone: fn(&mut Inventory) = |inventory| assert!(inventory.remove("v1", "Pod", "shop", "a"));
    check_states("[_].Pod", gone, true);
    check_states("[_].Ingress", gone, false);
}

#[test]
fn what_is_gone_leaves_no_place() {
    let mut inventory = Inventory::default();
    for name in ["b", "a"] {
        let metadata = json!({"name": name, "namespace": "shop"});
        inventory.add(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})).unwrap();
    }
    let names = |inventory: &Inventory| -> Vec<Value> {
        inventory.of_kind("v1", "Pod").map(|pod| pod["metadata"]["name"].clone()).collect()
    };
    assert_eq!(names(&inventory), ["a", "b"]);
    assert!(inventory.remove("v1", "Pod", "shop", "a"));
    assert!(!inventory.remove("v1", "Pod", "shop", "a") && !inventory.is_empty());
    assert!(inventory.remove("v1", "Pod", "shop", "b") && inventory.is_empty());
    inventory.add(pod()).unwrap();
    inventory.remove_kind("v1", "Pod");
    assert!(inventory.is_empty());
}

#[test]
fn an_object_makes_no_endless_row_of_others() {
    let makes = |name: &str, from: &str, to: &str| {
        let apply = json!([{"groups": [""], "versions": ["v1"], "kinds": [from]}]);
        let spec = json!({"applyTo": apply, "templateSource": "spec", "generatedGVK": {"version": "v1", "kind": to}});
        let document = json!({"apiVersion": "expansion.gatekeeper.sh/v1alpha1", "kind": "ExpansionTemplate", "metadata": {"name": name}, "spec": spec});
        Expansion::load(&document).unwrap()
    };
    let mut deep = json!({});
    for _ in 0..60 {
        deep = json!({"spec": deep});
    }
    let object =
        json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": deep["spec"]});
    let told =
        Expansion::expand(&[makes("ab", "A", "B"), makes("ba", "B", "A")], &object).unwrap_err();
    assert_eq!(told, "maximum recursion depth of 30 reached");
}

#[test]
fn contradictions_violate_and_wrong_messages_are_unknown() {
    let judge = |rego: &str| {
        review(
            &library(template(rego), json!({})),
            &Inventory::default(),
            Point::Audit,
            &Limits::default(),
        )
    };
    let told = judge("p = 1 { true }\np = 2 { true }\nviolation[{\"msg\": \"m\"}] { p }");
    assert_eq!(told.violations[0].message, "complete rules must not produce multiple outputs");
    let told = judge("violation[{\"msg\": 1}] { true }");
    assert_eq!(
        (told.undecided[0].reason, &told.undecided[0].message),
        ("error", &EvalError::Message.to_string())
    );
}
