//! Admission reviews: always an answer with the review's UID or a problem, within its bounds, and an object never
//! refused by a control for being updated to itself. Sets of users' policies, whose text may follow the review, load or
//! say why not.
use super::texts;
use crate::Target;
use seawall_model::Id;
use seawall_model::admission::{Narrowing, Policy, PolicyAction};
use seawall_model::policy_set::DesiredSet;
use seawall_posture::Catalogue;
use seawall_posture::admission::{
    Mode, Nothing, Outcome, Policies, Review, Sets, Surroundings, Time, Trier, Worker,
};
use serde_json::Value;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

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

/// Stands between a review and the text of a set.
const SEPARATOR: &[u8] = b"\n\0\n";

fn surroundings<'a>(time: &'a Time, mode: Mode) -> Surroundings<'a> {
    Surroundings {
        now: 0,
        agent: "a",
        own_namespace: Some("seawall"),
        lookup: &Nothing,
        time,
        mode,
    }
}

fn run(bytes: &[u8]) {
    let at = bytes.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
    let (bytes, text) = match at {
        Some(at) => (&bytes[..at], &bytes[at + SEPARATOR.len()..]),
        None => (bytes, [].as_slice()),
    };
    let Ok(review) = Review::parse(bytes) else { return };
    let over = Time::until(Rc::new(|| Duration::ZERO), Duration::ZERO);
    for (time, in_time) in [(&over, false), (&Time::unlimited(), true)] {
        let surroundings = surroundings(time, Mode::Admission);
        let answer = POLICIES.judge(&review, &surroundings, &mut Worker::default());
        let denied = check(&review, &answer.response, answer.counts.outcome);
        assert!(in_time || !denied, "refused without having judged");
    }
    of_users(bytes, &review, &String::from_utf8_lossy(text));
    // Members that a review does not have are skipped there, and read here.
    let Ok(mut unchanged) = serde_json::from_slice::<Value>(bytes) else { return };
    unchanged["request"]["operation"] = "UPDATE".into();
    unchanged["request"]["oldObject"] = unchanged["request"]["object"].clone();
    let time = Time::unlimited();
    let surroundings = surroundings(&time, Mode::Admission);
    let bytes = unchanged.to_string();
    let answer = POLICIES.answer(bytes.as_bytes(), &surroundings, &mut Worker::default());
    assert_ne!(answer.expect("it was read before").counts.outcome, Outcome::Denied);
}

/// Whether it is a refusal.
fn check(review: &Review, response: &[u8], outcome: Outcome) -> bool {
    let response: Value = serde_json::from_slice(response).expect("answers are JSON");
    let response = &response["response"];
    assert_eq!(response["uid"], review.uid.as_str());
    let denied = outcome == Outcome::Denied;
    assert_eq!(response["allowed"], !denied);
    let warnings = response["warnings"].as_array().into_iter().flatten();
    assert!(warnings.filter_map(Value::as_str).map(str::len).sum::<usize>() <= 4 << 10);
    let annotations = response["auditAnnotations"].as_object().into_iter().flatten();
    for (key, _) in annotations {
        assert!(key.len() <= 63 && !key.contains('/'), "{key} is no part of a qualified name");
    }
    denied
}

fn of_users(bytes: &[u8], review: &Review, text: &str) {
    let set = |action| DesiredSet {
        set: Id::new(0, [0; 10]),
        name: "s".to_owned(),
        version: 1,
        text: text.to_owned(),
        action,
    };
    for action in [PolicyAction::Deny, PolicyAction::Audit] {
        let (sets, problems) = Sets::load(&[set(action)], 36);
        assert!(problems.iter().all(|problem| problem.message.starts_with("policy set `s`")));
        let (_, _) = (sets.needs(), sets.rules());
        let mut worker = Worker::default();
        let trier = Trier {
            sets: &sets,
            set: Id::new(0, [0; 10]),
            lookup: &Nothing,
            now: 0,
            own_namespace: None,
        };
        let tried = trier.request(bytes, &mut worker).expect("it was read before");
        assert!(!tried.refused || tried.judged);
        let policies = Policies::default().with_sets(sets);
        for mode in [Mode::Admission, Mode::Rehearsal] {
            let time = Time::unlimited();
            let answer = policies.judge(review, &surroundings(&time, mode), &mut worker);
            let denied = check(review, &answer.response, answer.counts.outcome);
            assert!(!denied || action == PolicyAction::Deny, "over the ceiling");
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"userInfo":{"username":"ann","groups":["system:authenticated"]},"dryRun":false,"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop","creationTimestamp":null,"ownerReferences":[{"kind":"Job","name":"j","controller":true}]},"spec":{"containers":[{"name":"a","image":"x","securityContext":{"privileged":true},"resources":{}}],"volumes":[{"name":"h","hostPath":{"path":"/"}}]}}}}"#,
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"v","operation":"UPDATE","namespace":"seawall","subResource":"status","resource":{"group":"apps","version":"v1","resource":"deployments"},"object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"template":{"spec":{"containers":[{"name":"a"}]}}}},"oldObject":null}}"#,
        concat!(
            r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"w","operation":"CREATE","name":"a","namespace":"shop","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"userInfo":{"username":"ann"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop","creationTimestamp":null},"spec":{"hostPID":true}}}}"#,
            "\n\0\n",
            r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}]},"validations":[{"expression":"!object.spec.hostPID","messageExpression":"'no ' + request.userInfo.username"}],"auditAnnotations":[{"key":"k","valueExpression":"'v'"}]}}
---
{"apiVersion":"templates.gatekeeper.sh/v1","kind":"ConstraintTemplate","metadata":{"name":"k8sno"},"spec":{"crd":{"spec":{"names":{"kind":"K8sNo"}}},"targets":[{"target":"admission.k8s.gatekeeper.sh","rego":"package k8sno\nviolation[{\"msg\": msg}] { input.review.object.spec.hostPID; msg := \"hostPID\" }"}]}}
---
{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"K8sNo","metadata":{"name":"none"},"spec":{"match":{"kinds":[{"apiGroups":["*"],"kinds":["*"]}]}}}
---
{"apiVersion":"expansion.gatekeeper.sh/v1beta1","kind":"ExpansionTemplate","metadata":{"name":"e"},"spec":{"applyTo":[{"groups":[""],"versions":["v1"],"kinds":["Pod"]}],"templateSource":"spec","generatedGVK":{"group":"","version":"v1","kind":"Made"}}}
"#
        ),
    ])
}
