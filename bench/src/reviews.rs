//! Requests that an API server asks a webhook about.
use crate::cluster;
use serde_json::{Value, json};

/// That many AdmissionReviews of distinct objects, pods and Deployments in turn, each of about 4 KB.
pub fn reviews(count: usize) -> Vec<Vec<u8>> {
    let pods = cluster::pods(count.div_ceil(2));
    let deployments = cluster::deployments(count / 2);
    let pairs = pods.into_iter().map(Some).zip(deployments.into_iter().map(Some).chain([None]));
    let objects = pairs.flat_map(|(pod, deployment)| [pod, deployment]).flatten();
    objects.enumerate().map(|(number, object)| review(number, object)).collect()
}

/// As the API server writes it for a user with kubectl. Source: k8s.io/api `admission/v1/types.go`.
fn review(number: usize, object: Value) -> Vec<u8> {
    let (group, resource) = match object["kind"].as_str() {
        Some("Pod") => ("", "pods"),
        _ => ("apps", "deployments"),
    };
    let kind = json!({"group": group, "version": "v1", "kind": object["kind"]});
    let place = json!({"group": group, "version": "v1", "resource": resource});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": format!("00000000-0000-4000-8000-{number:012x}"), "kind": kind, "resource": place,
        "requestKind": kind, "requestResource": place, "name": object["metadata"]["name"],
        "namespace": object["metadata"]["namespace"], "operation": "CREATE",
        "userInfo": {"username": "alice@example.com", "groups": ["developers", "system:authenticated"]},
        "object": object, "oldObject": null, "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply"}}});
    review.to_string().into_bytes()
}

#[test]
fn reviews_are_of_four_kilobytes() {
    let reviews = reviews(200);
    let mean = reviews.iter().map(Vec::len).sum::<usize>() / reviews.len();
    assert!(reviews.len() == 200 && (3_900..5_000).contains(&mean), "{mean}");
}
