//! Admission reviews: always an answer with the review's UID or a problem, within its bounds, and an object never
//! refused for being updated to itself.
use super::texts;
use crate::Target;
use seawall_model::Id;
use seawall_model::admission::{Narrowing, Policy, PolicyAction};
use seawall_posture::Catalogue;
use seawall_posture::admission::{Outcome, Policies, Review, Surroundings};
use serde_json::Value;
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "posture-admission", run, seeds, rounds: 300 };

/// Every control that ships, at `deny`.
static POLICIES: LazyLock<Policies> = LazyLock::new(|| {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, _) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    let policy = |control: &str| Policy {
        assignment: Id::new(0, [0; 10]),
        control: control.to_owned(),
        depth: 1,
        narrowing: Narrowing::default(),
        action: PolicyAction::Deny,
        params: serde_json::Map::new(),
    };
    let policies: Vec<Policy> =
        catalogue.controls.iter().map(|control| policy(&control.id)).collect();
    Policies::compile(&policies, &catalogue).0
});

fn run(bytes: &[u8]) {
    let surroundings = Surroundings { now: 0, agent: "a", own_namespace: Some("seawall") };
    let Ok(review) = Review::parse(bytes) else { return };
    for in_time in [false, true] {
        let answer = POLICIES.judge(&review, &surroundings, &|| !in_time);
        let response: Value = serde_json::from_slice(&answer.response).expect("answers are JSON");
        let response = &response["response"];
        assert_eq!(response["uid"], review.uid.as_str());
        let denied = answer.counts.outcome == Outcome::Denied;
        assert_eq!(response["allowed"], !denied);
        assert!(in_time || !denied, "refused without having judged");
        let warnings = response["warnings"].as_array().into_iter().flatten();
        assert!(warnings.filter_map(Value::as_str).map(str::len).sum::<usize>() <= 4 << 10);
    }
    // Members that a review does not have are skipped there, and read here.
    let Ok(mut unchanged) = serde_json::from_slice::<Value>(bytes) else { return };
    unchanged["request"]["operation"] = "UPDATE".into();
    unchanged["request"]["oldObject"] = unchanged["request"]["object"].clone();
    let answer = POLICIES.answer(unchanged.to_string().as_bytes(), &surroundings, &|| false);
    assert_ne!(answer.expect("it was read before").counts.outcome, Outcome::Denied);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"userInfo":{"username":"ann","groups":["system:authenticated"]},"dryRun":false,"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop","creationTimestamp":null,"ownerReferences":[{"kind":"Job","name":"j","controller":true}]},"spec":{"containers":[{"name":"a","image":"x","securityContext":{"privileged":true},"resources":{}}],"volumes":[{"name":"h","hostPath":{"path":"/"}}]}}}}"#,
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"v","operation":"UPDATE","namespace":"seawall","subResource":"status","resource":{"group":"apps","version":"v1","resource":"deployments"},"object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"template":{"spec":{"containers":[{"name":"a"}]}}}},"oldObject":null}}"#,
    ])
}
