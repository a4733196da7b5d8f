//! What passes whatever the policies say: the parts of a cluster that must work for anything else to be mended.
use super::review::{Operation, Review};
use serde_json::Value;

/// A refusal here stops the control plane itself.
const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
/// Kubelets' group; the node authoriser bounds what they may do.
const NODES: &str = "system:nodes";

/// (group, resource) that are never judged. The webhook's rules do not name them either; this holds when somebody
/// widens the rules by hand.
const RESOURCES: [(&str, &str); 13] = [
    // Refusing these would lock out whoever wants to remove the webhook.
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    // Leader elections and node heartbeats.
    ("coordination.k8s.io", "leases"),
    ("", "events"),
    ("events.k8s.io", "events"),
    // Questions, not objects.
    ("authentication.k8s.io", "tokenreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    // The scheduler's word; the pod itself has been judged.
    ("", "bindings"),
    ("", "pods/binding"),
];

/// Why a review passes unjudged, as one word; none where it is judged.
pub(super) fn excluded(review: &Review, own_namespace: Option<&str>) -> Option<&'static str> {
    let namespace = review.namespace.as_str();
    if SYSTEM_NAMESPACES.contains(&namespace) {
        return Some("system-namespace");
    }
    if own_namespace.is_some_and(|own| own == namespace) {
        return Some("own-namespace");
    }
    if review.groups.iter().any(|group| group == NODES) {
        return Some("node");
    }
    let named = match review.subresource.as_str() {
        "" => review.resource.clone(),
        "status" => return Some("status"),
        subresource => format!("{}/{subresource}", review.resource),
    };
    if RESOURCES.contains(&(review.group.as_str(), named.as_str())) {
        return Some("resource");
    }
    // A finaliser that is taken off must never be held up. The API server sets the time itself, on updates only.
    let deletion = review.object.pointer("/metadata/deletionTimestamp");
    if review.operation == Operation::Update && deletion.is_some_and(Value::is_string) {
        return Some("deletion");
    }
    None
}

/// Whether the review is about an object as a whole, or about the containers that `kubectl debug` adds to a pod.
pub(super) fn is_judged(review: &Review) -> bool {
    let whole = review.subresource.is_empty()
        || (review.resource == "pods" && review.subresource == "ephemeralcontainers");
    whole && matches!(review.operation, Operation::Create | Operation::Update)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `resource` is `GROUP:RESOURCE[/SUBRESOURCE]`.
    fn review(namespace: &str, resource: &str, groups: &[&str]) -> Review {
        let (group, resource) = resource.split_once(':').unwrap();
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let request = json!({"uid": "u", "operation": "UPDATE", "namespace": namespace, "subResource": subresource,
            "resource": {"group": group, "resource": resource}, "object": {"metadata": {}},
            "userInfo": {"username": "ann", "groups": groups}});
        Review::of(request.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn table() {
        #[track_caller]
        fn check(review: Review, expected: Option<&str>) {
            assert_eq!(excluded(&review, Some("seawall")), expected);
        }
        let people = ["system:authenticated"];
        check(review("shop", ":pods", &people), None);
        check(review("shop", ":pods/ephemeralcontainers", &people), None);
        check(review("kube-system", ":pods", &people), Some("system-namespace"));
        check(review("kube-public", "apps:deployments", &people), Some("system-namespace"));
        check(review("kube-node-lease", ":pods", &people), Some("system-namespace"));
        check(review("kube-systems", ":pods", &people), None);
        check(review("seawall", "apps:daemonsets", &people), Some("own-namespace"));
        check(review("shop", ":pods", &["system:nodes", "system:authenticated"]), Some("node"));
        check(review("shop", ":pods", &["system:nodesters"]), None);
        check(review("shop", ":pods/status", &people), Some("status"));
        check(review("", "apps:deployments/status", &people), Some("status"));
        check(review("shop", ":pods/binding", &people), Some("resource"));
        check(review("shop", ":bindings", &people), Some("resource"));
        check(review("shop", ":events", &people), Some("resource"));
        check(review("shop", "events.k8s.io:events", &people), Some("resource"));
        check(review("shop", "example.com:events", &people), None);
        check(review("shop", "coordination.k8s.io:leases", &people), Some("resource"));
        for webhook in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
            let resource = format!("admissionregistration.k8s.io:{webhook}");
            check(review("", &resource, &people), Some("resource"));
        }
        check(review("", "authorization.k8s.io:subjectaccessreviews", &people), Some("resource"));
        check(review("", "authentication.k8s.io:tokenreviews", &people), Some("resource"));
        let mut deleted = review("shop", ":pods", &people);
        deleted.object = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        check(deleted, Some("deletion"));
        // What a client writes into a new object, the API server takes out; it must not open a door until then.
        let mut created = review("shop", ":pods", &people);
        created.operation = Operation::Create;
        created.object = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        check(created, None);
    }

    #[test]
    fn a_cluster_without_a_namespace_of_ours_excludes_no_cluster_objects() {
        assert_eq!(excluded(&review("", ":namespaces", &[]), None), None);
    }

    #[test]
    fn whole_objects_and_debug_containers_are_judged() {
        let judged = |resource: &str| is_judged(&review("shop", resource, &[]));
        assert!(judged(":pods") && judged(":pods/ephemeralcontainers") && judged("batch:jobs"));
        assert!(!judged(":pods/exec") && !judged("apps:deployments/scale"));
        let mut deleted = review("shop", ":pods", &[]);
        deleted.operation = Operation::Delete;
        assert!(!is_judged(&deleted));
    }
}
