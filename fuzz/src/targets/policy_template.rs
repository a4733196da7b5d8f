//! Templates, constraints and expansions in any shape: each loads or is refused with a reason; those that load judge an
//! object without a panic.
use super::texts;
use crate::Target;
use seawall_policy::gatekeeper::{
    Expansion, Inventory, Judge, Library, Namespace, Origin, Point, Review,
};
use seawall_rego::Limits;
use serde_json::{Value, json};

pub(crate) const TARGET: Target = Target { name: "policy-template", run, seeds, rounds: 300 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parse = |(_, _, text)| seawall_posture::yaml::parse(text).ok().flatten();
    let documents: Vec<Value> = seawall_posture::yaml::documents(&text)
        .into_iter()
        .filter_map(parse)
        .map(|node| node.to_json())
        .collect();
    let wrapped: Vec<_> = documents.iter().cloned().map(Into::into).collect();
    let (library, problems) = Library::load(&wrapped, 36);
    assert!(problems.iter().all(|problem| !problem.message.is_empty()), "a reason is missing");
    let mut inventory = Inventory::default();
    let expansions: Vec<Expansion> =
        documents.iter().filter_map(|document| Expansion::load(document).ok()).collect();
    for document in documents {
        let _ = inventory.add(document);
    }
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}, "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}});
    let review =
        Review::of_object(&object, Namespace::Unknown, Origin::Original).expect("it has a kind");
    let limits = Limits { steps: 20_000, now: Some(0), ..Limits::default() };
    Judge::new().review(&library, &review, &inventory, Point::Gator, &limits);
    let _ = Expansion::expand(&expansions, &object);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        include_str!("../../../e2e/gatekeeper/templates/require-labels/template.yaml"),
        include_str!("../../../e2e/gatekeeper/templates/cel-drop-all/template.yaml"),
        include_str!("../../../e2e/gatekeeper/suites/schema/template.yaml"),
        include_str!("../../../e2e/gatekeeper/suites/expansion/chain.yaml"),
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: a}\nspec:\n  crd: {spec: {names: {kind: A}, validation: {openAPIV3Schema: {type: object, properties: {x: {type: integer, default: 3}}}}}}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n    rego: |\n      package a\n      violation[{\"msg\": m}] { m := sprintf(\"%v\", [input.parameters]) }\n---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: A\nmetadata: {name: c}\nspec:\n  enforcementAction: scoped\n  scopedEnforcementActions: [{action: warn, enforcementPoints: [{name: \"*\"}]}]\n  match: {kinds: [{apiGroups: [\"*\"], kinds: [Deployment]}], scope: Namespaced, namespaces: [\"b*\"], labelSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}\n  parameters: {x: 4}\n",
    ])
}
