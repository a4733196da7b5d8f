//! What a set would do: objects that are there and recorded requests, whatever its ceiling is.
use crate::admission_sets::{ALWAYS, Cluster, NOW, constraint, pod, review, set, vap};
use seawall_model::admission::PolicyAction;
use seawall_model::policy_set::{TrialOutcome, Tried};
use seawall_posture::admission::{Attempt, Sets, Trier, Worker};
use serde_json::{Value, json};

fn attempt(text: &str, try_it: impl Fn(&Trier<'_>, &mut Worker) -> Attempt) -> Attempt {
    let desired = set(text, PolicyAction::Off);
    let sets = Sets::load(std::slice::from_ref(&desired), 36).0;
    let cluster = Cluster::default();
    let trier = Trier {
        sets: &sets,
        set: desired.set,
        lookup: &cluster,
        now: NOW,
        own_namespace: Some("seawall"),
    };
    let mut worker = Worker::default();
    let first = try_it(&trier, &mut worker);
    assert_eq!(try_it(&trier, &mut worker), first, "the same every time");
    first
}

/// `[judged, refused, warned, undecided] outcome policy resource: message; …`.
fn told(attempt: &Attempt) -> String {
    let mut tried = Tried::default();
    attempt.count(&mut tried);
    let samples = attempt.samples.iter().map(|sample| {
        let outcome = match sample.outcome {
            TrialOutcome::Refused => "refused",
            TrialOutcome::Warned => "warned",
            TrialOutcome::Undecided => "undecided",
        };
        format!(
            " {outcome} {} {}/{}: {}",
            sample.policy, sample.resource.kind, sample.resource.name, sample.message
        )
    });
    let Tried { judged, refused, warned, undecided } = tried;
    format!("{judged}{refused}{warned}{undecided}{}", samples.collect::<Vec<_>>().join(";"))
}

#[track_caller]
fn check(text: &str, object: &Value, expected: &str) {
    assert_eq!(
        told(&attempt(text, |trier, worker| trier.object(object, worker))),
        expected,
        "{text}"
    );
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"metadata": {}, "spec": {"hostPID": true, "containers": []}}}})
}

#[test]
fn objects_as_they_stand() {
    let deny = |expression: &str| vap("p", expression, "Deny", "");
    let refused = "1100 refused ValidatingAdmissionPolicy/p Pod/web: no p";
    check(&deny("false"), &pod(), refused);
    check(
        &vap("p", "false", "Warn", ""),
        &pod(),
        "1010 warned ValidatingAdmissionPolicy/p Pod/web: no p",
    );
    check(&vap("p", "false", "Audit", ""), &pod(), "1000");
    check(&deny("true"), &pod(), "1000");
    check(
        &deny("false"),
        &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "shop"}}),
        "0000",
    );
    let unknown =
        "1001 undecided ValidatingAdmissionPolicy/p Pod/web: the namespace shop is not at hand";
    check(&deny("namespaceObject.metadata.name == 'shop'"), &pod(), unknown);
    let asks = "1001 undecided ValidatingAdmissionPolicy/p Pod/web: an authorization check for `get` has no answer";
    check(&deny("authorizer.group('').resource('pods').check('get').allowed()"), &pod(), asks);
    // Refused whatever the authorizer says; and never refused.
    let rights = "authorizer.group('').resource('pods').check('get')";
    check(&deny(&format!("{rights}.allowed() && false")), &pod(), refused);
    check(&deny(&format!("{rights}.allowed() || true")), &pod(), "1000");
    check(&deny(&format!("!{rights}.allowed()")), &pod(), asks);
    // The pod that it makes counts for the workload.
    let pods = deny("!has(object.spec.hostPID)").replace("[pods, deployments]", "[pods]");
    check(&pods, &deployment(), "1100 refused ValidatingAdmissionPolicy/p Deployment/web: no p");
    let host = "violation[{\"msg\": \"host\"}] { input.review.object.spec.hostPID }";
    check(&constraint(host, ""), &deployment(), "1100 refused K8sTest/c Deployment/web: host");
    let mut system = pod();
    system["metadata"]["namespace"] = "kube-system".into();
    check(&deny("false"), &system, "0000");
}

#[test]
fn requests_as_they_came() {
    let told = |text: &str, review: &Value| {
        let bytes = review.to_string();
        attempt(text, |trier, worker| trier.request(bytes.as_bytes(), worker).unwrap())
    };
    let text = vap("p", "request.userInfo.username != 'ann'", "Deny", "")
        + &constraint(ALWAYS, ", enforcementAction: warn");
    let attempt = told(&text, &review("CREATE", pod()));
    assert_eq!(
        self::told(&attempt),
        "1100 refused ValidatingAdmissionPolicy/p Pod/web: no p; warned K8sTest/c Pod/web: never"
    );
    assert!(attempt.samples.iter().all(|sample| sample.user.as_deref() == Some("ann")));
    let deleted = told(&vap("p", "false", "Deny", ""), &review("DELETE", pod()));
    assert_eq!(self::told(&deleted), "1100 refused ValidatingAdmissionPolicy/p Pod/web: no p");
    let sets = Sets::default();
    let cluster = Cluster::default();
    let id = set("", PolicyAction::Off).set;
    let trier = Trier { sets: &sets, set: id, lookup: &cluster, now: NOW, own_namespace: None };
    assert_eq!(trier.request(b"{}", &mut Worker::default()).unwrap_err().code, "review");
}
