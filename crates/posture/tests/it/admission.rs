//! Admission on the controls that ship: what is refused, told or let pass, and in which words.
use crate::content::catalogue;
use seawall_model::Id;
use seawall_model::admission::{Decision, Policy, PolicyAction, Verdict};
use seawall_posture::admission::{
    Answer, Mode, Nothing, Outcome, Policies, Surroundings, Time, Worker,
};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const NOW: i64 = 1_795_000_000_000;

fn policy(control: &str, action: PolicyAction, more: Value) -> Policy {
    let mut policy = json!({
        "assignment": Id::new(NOW, [7; 10]), "control": control, "depth": 2, "action": action, "params": {},
    });
    for (key, value) in more.as_object().unwrap() {
        policy[key] = value.clone();
    }
    serde_json::from_value(policy).unwrap()
}

fn deny(control: &str) -> Policy {
    policy(control, PolicyAction::Deny, json!({}))
}

/// `SW-C-0001` fails on a privileged container, `SW-C-0017` on any that does not forbid escalation.
fn container(name: &str, security: Value) -> Value {
    json!({"name": name, "image": "x", "securityContext": security,
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}})
}

fn privileged(name: &str) -> Value {
    container(name, json!({"privileged": true}))
}

fn harmless(name: &str) -> Value {
    container(name, json!({"allowPrivilegeEscalation": false}))
}

fn object(kind: &str, containers: &[Value]) -> Value {
    let spec = json!({"containers": containers});
    let (version, spec) = match kind {
        "Pod" => ("v1", spec),
        "CronJob" => ("batch/v1", json!({"jobTemplate": {"spec": {"template": {"spec": spec}}}})),
        _ => (
            "apps/v1",
            json!({"template": {"metadata": {"creationTimestamp": null}, "spec": spec}}),
        ),
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}}, "spec": spec})
}

/// A review of a new object; `old` makes it an update.
fn review(object: &Value, old: Option<&Value>) -> Value {
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    let group =
        object["apiVersion"].as_str().unwrap().rsplit_once('/').map_or("", |(group, _)| group);
    let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5", "operation": operation, "namespace": "shop",
        "resource": {"group": group, "version": "v1", "resource": plural},
        "userInfo": {"username": "ann", "groups": ["developers", "system:authenticated"]},
        "object": object, "oldObject": old, "dryRun": false, "options": {"kind": "CreateOptions"},
    }})
}

/// Time for so many policies: it passes by one whenever somebody looks.
pub(crate) fn time_for(policies: u64) -> Time {
    let looked = Cell::new(0);
    let clock = move || Duration::from_secs(looked.replace(looked.get() + 1));
    Time::until(Rc::new(clock), Duration::from_secs(policies))
}

fn answer_until(policies: &[Policy], review: &Value, time: &Time) -> Answer {
    let (policies, problems) = Policies::compile(policies, catalogue());
    assert_eq!(problems, []);
    let surroundings = Surroundings {
        now: NOW,
        agent: "agent-1",
        own_namespace: Some("seawall"),
        lookup: &Nothing,
        time,
        mode: Mode::Admission,
    };
    let bytes = review.to_string();
    policies.answer(bytes.as_bytes(), &surroundings, &mut Worker::default()).unwrap()
}

fn answer(policies: &[Policy], review: &Value) -> Answer {
    answer_until(policies, review, &Time::unlimited())
}

fn response(answer: &Answer) -> Value {
    let review: Value = serde_json::from_slice(&answer.response).unwrap();
    assert_eq!(
        (&review["apiVersion"], &review["kind"]),
        (&json!("admission.k8s.io/v1"), &json!("AdmissionReview"))
    );
    let response = review["response"].clone();
    assert_eq!(response["uid"], "705ab4f5");
    response
}

/// `allowed outcome recorded-verdict [warning; …]`, each part short.
fn told(answer: &Answer) -> String {
    let response = response(answer);
    let yes = if response["allowed"] == true { "yes" } else { "no" };
    let verdict = answer
        .decision
        .as_ref()
        .map_or("-".to_owned(), |decision| format!("{:?}", decision.verdict));
    let warnings = response["warnings"].as_array().cloned().unwrap_or_default();
    let warnings = warnings.iter().map(|text| format!(" | {}", text.as_str().unwrap()));
    format!("{yes} {} {verdict}{}", answer.counts.outcome.as_str(), warnings.collect::<String>())
}

#[test]
fn a_denied_deployment_says_what_to_do() {
    let deployment = object("Deployment", &[harmless("log"), privileged("web")]);
    let answer = answer(&[deny("SW-C-0001")], &review(&deployment, None));
    let path = "/spec/template/spec/containers/1/securityContext/privileged";
    let fix = json!([
        {"op": "test", "path": "/spec/template/spec/containers/1/name", "value": "web"},
        {"op": "test", "path": path, "value": true},
        {"op": "replace", "path": path, "value": false},
    ]);
    let message = format!(
        "[SW-C-0001] Privileged container: privileged must not be true\n  at {path}\n  \
         fix: Remove `privileged`; grant only the single capability or device that the process needs.\n  \
         or: kubectl patch --local -f FILE --type json -o yaml -p '{fix}'"
    );
    assert_eq!(
        response(&answer),
        json!({"uid": "705ab4f5", "allowed": false,
            "status": {"status": "Failure", "code": 403, "reason": "Forbidden", "message": message},
            "auditAnnotations": {"denied": "SW-C-0001"}})
    );
    let Decision { controls, verdict, owner, .. } = answer.decision.as_ref().unwrap();
    assert_eq!((*verdict, owner), (Verdict::Denied, &None));
    assert_eq!(controls[0].paths, [path]);
    assert_eq!(Value::from(controls[0].fix.clone()), fix);
    let decision = answer.decision.unwrap();
    assert_eq!(
        (decision.time, decision.user.as_str(), decision.operation.as_str()),
        (NOW, "ann", "CREATE")
    );
    assert_eq!((decision.agent.as_str(), decision.groups.len()), ("agent-1", 2));
    assert_eq!(
        (decision.resource.kind.as_str(), decision.resource.namespace.as_deref()),
        ("Deployment", Some("shop"))
    );
}

#[test]
fn actions() {
    #[track_caller]
    fn check(policies: &[(&str, PolicyAction)], expected: &str) {
        let policies: Vec<Policy> =
            policies.iter().map(|(id, action)| policy(id, *action, json!({}))).collect();
        for kind in ["Pod", "Deployment", "CronJob"] {
            let told = told(&answer(&policies, &review(&object(kind, &[privileged("web")]), None)));
            let place = match kind {
                "Pod" => "/spec",
                "CronJob" => "/spec/jobTemplate/spec/template/spec",
                _ => "/spec/template/spec",
            };
            assert_eq!(told, expected.replace("SPEC", place), "{kind}");
        }
    }
    use PolicyAction::{Audit, Deny, Off, Warn};
    check(&[], "yes not_judged -");
    check(&[("SW-C-0001", Off)], "yes not_judged -");
    check(&[("SW-C-0001", Audit)], "yes audited Audited");
    let warned =
        "[SW-C-0001] privileged must not be true (SPEC/containers/0/securityContext/privileged)";
    check(&[("SW-C-0001", Warn)], &format!("yes warned Warned | {warned}"));
    check(&[("SW-C-0001", Deny)], "no denied Denied");
    check(&[("SW-C-0002", Deny)], "yes passed -");
    // A refusal still carries the others' warnings.
    check(&[("SW-C-0001", Warn), ("SW-C-0017", Deny)], &format!("no denied Denied | {warned}"));
    check(&[("SW-C-0001", Audit), ("SW-C-0002", Deny)], "yes audited Audited");
}

#[test]
fn the_nearest_scope_counts_then_the_strictest() {
    #[track_caller]
    fn check(policies: &[(u32, PolicyAction, Value)], expected: &str) {
        let policies: Vec<Policy> = policies
            .iter()
            .map(|(depth, action, more)| {
                let mut more = more.clone();
                more["depth"] = (*depth).into();
                policy("SW-C-0001", *action, more)
            })
            .collect();
        let reversed: Vec<Policy> = policies.iter().rev().cloned().collect();
        for policies in [policies, reversed] {
            let answer = answer(&policies, &review(&object("Pod", &[privileged("web")]), None));
            assert_eq!(answer.counts.outcome.as_str(), expected, "{policies:?}");
        }
    }
    use PolicyAction::{Audit, Deny, Off, Warn};
    let all = || json!({});
    check(&[(1, Deny, all()), (3, Audit, all())], "audited");
    check(&[(1, Audit, all()), (3, Deny, all())], "denied");
    check(&[(1, Deny, all()), (3, Off, all())], "not_judged");
    check(&[(2, Audit, all()), (2, Deny, all()), (2, Warn, all())], "denied");
    check(&[(2, Off, all()), (2, Audit, all())], "audited");
    // What does not fit the object is no nearer to it.
    check(&[(1, Deny, all()), (3, Off, json!({"namespaces": ["bank"]}))], "denied");
    check(&[(1, Deny, all()), (3, Off, json!({"namespaces": ["sh*"]}))], "not_judged");
    check(&[(1, Deny, all()), (3, Off, json!({"excluded_namespaces": ["shop"]}))], "denied");
    check(&[(1, Deny, all()), (3, Warn, json!({"labels": [["app", "web"]]}))], "warned");
    check(&[(1, Deny, all()), (3, Warn, json!({"kinds": ["Deployment"]}))], "denied");
}

#[test]
fn an_update_that_adds_no_failing_path_passes() {
    #[track_caller]
    fn check(action: PolicyAction, old: &[Value], new: &[Value], expected: &str) {
        let (old, new) = (object("Deployment", old), object("Deployment", new));
        let told =
            told(&answer(&[policy("SW-C-0001", action, json!({}))], &review(&new, Some(&old))));
        assert_eq!(told, expected);
    }
    use PolicyAction::{Audit, Deny, Warn};
    let at =
        |index: usize| format!("/spec/template/spec/containers/{index}/securityContext/privileged");
    let allowed = |index: usize| {
        let text = "it failed before this update: allowed";
        format!(
            "yes warned Warned | [SW-C-0001] privileged must not be true ({}); {text}",
            at(index)
        )
    };
    let (bad, other) = (|| privileged("web"), || privileged("other"));
    check(Deny, &[bad()], &[bad()], &allowed(0));
    check(Warn, &[bad()], &[bad()], &allowed(0));
    // What `audit` knows already is no news.
    check(Audit, &[bad()], &[bad()], "yes passed -");
    check(Audit, &[harmless("web")], &[bad()], "yes audited Audited");
    check(Deny, &[harmless("web")], &[bad()], "no denied Denied");
    check(Deny, &[bad()], &[harmless("web")], "yes passed -");
    check(Deny, &[bad(), other()], &[bad()], &allowed(0));
    // Containers are known by name: another place adds nothing, another container does.
    check(Deny, &[bad()], &[harmless("first"), bad()], &allowed(1));
    check(Deny, &[bad()], &[bad(), other()], "no denied Denied");
    check(Deny, &[bad()], &[other()], "no denied Denied");
    // One control's old failure is no licence for another's.
    let (old, new) =
        (object("Pod", &[bad()]), object("Pod", &[privileged("web"), container("new", json!({}))]));
    let answer = answer(&[deny("SW-C-0001"), deny("SW-C-0017")], &review(&new, Some(&old)));
    assert_eq!(answer.counts.outcome, Outcome::Denied);
    let message = response(&answer)["status"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("SW-C-0017") && !message.contains("SW-C-0001"), "{message}");
    let told: Vec<_> =
        answer.decision.unwrap().controls.iter().map(|control| control.already_failing).collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn what_passes_whatever_the_policies_say() {
    #[track_caller]
    fn check(change: &dyn Fn(&mut Value), expected: &str) {
        let mut review = review(&object("Pod", &[privileged("web")]), None);
        change(&mut review["request"]);
        assert_eq!(told(&answer(&[deny("SW-C-0001")], &review)), expected);
    }
    check(&|_| {}, "no denied Denied");
    for namespace in ["kube-system", "kube-public", "kube-node-lease", "seawall"] {
        check(&|request| request["namespace"] = namespace.into(), "yes excluded -");
    }
    check(&|request| request["userInfo"]["groups"] = json!(["system:nodes"]), "yes excluded -");
    check(&|request| request["subResource"] = "status".into(), "yes excluded -");
    check(&|request| request["subResource"] = "ephemeralcontainers".into(), "no denied Denied");
    check(&|request| request["subResource"] = "resize".into(), "yes not_judged -");
    check(&|request| request["operation"] = "DELETE".into(), "yes not_judged -");
    check(&|request| request["object"]["kind"] = "PodTemplate".into(), "yes not_judged -");
    check(&|request| request["object"] = Value::Null, "yes not_judged -");
    check(
        &|request| {
            request["operation"] = "UPDATE".into();
            request["object"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        },
        "yes excluded -",
    );
    // A dry run is answered and not recorded.
    check(&|request| request["dryRun"] = true.into(), "no denied -");
}

#[test]
fn an_unknown_answer_never_refuses() {
    let mut pod = object("Pod", &[harmless("web")]);
    pod["spec"]["containers"][0]["securityContext"] = "root".into();
    for (action, warned) in
        [(PolicyAction::Deny, true), (PolicyAction::Warn, true), (PolicyAction::Audit, false)]
    {
        let answer = answer(&[policy("SW-C-0001", action, json!({}))], &review(&pod, None));
        let expected = match warned {
            true => {
                "yes passed - | [SW-C-0001] no answer, so allowed: /spec/containers/0/securityContext must be SecurityContext"
            }
            false => "yes passed -",
        };
        assert_eq!(told(&answer), expected);
        assert_eq!(answer.counts.undecided, ["SW-C-0001"]);
        assert_eq!(response(&answer)["auditAnnotations"], json!({"undecided": "SW-C-0001"}));
    }
}

#[test]
fn deny_comes_first_and_users_hear_what_they_would_have_heard_in_time() {
    let policies = [
        policy("SW-C-0001", PolicyAction::Warn, json!({})),
        policy("SW-C-0002", PolicyAction::Audit, json!({})),
        deny("SW-C-0017"),
    ];
    #[track_caller]
    fn check(policies: &[Policy], in_time: u64, expected: &str, unfinished: &[&str]) {
        let review = review(&object("Pod", &[privileged("web")]), None);
        let answer = answer_until(policies, &review, &time_for(in_time));
        assert_eq!(told(&answer), expected);
        assert_eq!(answer.counts.unfinished, unfinished);
    }
    let unfinished = "not judged in time, so allowed:";
    let warned =
        "[SW-C-0001] privileged must not be true (/spec/containers/0/securityContext/privileged)";
    check(
        &policies,
        0,
        &format!("yes passed - | {unfinished} SW-C-0017, SW-C-0001"),
        &["SW-C-0017", "SW-C-0001", "SW-C-0002"],
    );
    check(
        &policies,
        1,
        &format!("no denied Denied | {unfinished} SW-C-0001"),
        &["SW-C-0001", "SW-C-0002"],
    );
    check(&policies, 2, &format!("no denied Denied | {warned}"), &["SW-C-0002"]);
    check(&policies, 3, &format!("no denied Denied | {warned}"), &[]);
}

#[test]
fn parameters_are_the_policys_and_ties_are_all_asked() {
    let mut pod = object("Pod", &[container("web", json!({}))]);
    pod["spec"]["os"] = json!({"name": "windows"});
    let exempt = |value: bool| {
        policy("SW-C-0017", PolicyAction::Deny, json!({"params": {"windowsExempt": value}}))
    };
    for (policies, expected) in [
        (vec![deny("SW-C-0017")], Outcome::Passed),
        (vec![exempt(true)], Outcome::Passed),
        (vec![exempt(false)], Outcome::Denied),
        (vec![exempt(true), exempt(false)], Outcome::Denied),
    ] {
        assert_eq!(answer(&policies, &review(&pod, None)).counts.outcome, expected);
    }
}

#[test]
fn policies_that_cannot_count_are_told_and_the_rest_counts() {
    let wrong = |params: Value| policy("SW-C-0017", PolicyAction::Deny, json!({"params": params}));
    let policies = [
        deny("SW-C-9999"),
        wrong(json!({"windowsExempt": "no"})),
        wrong(json!({"exemptions": []})),
        deny("SW-C-0001"),
    ];
    let (compiled, problems) = Policies::compile(&policies, catalogue());
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "error[unknown-control]: there is no control `SW-C-9999`",
            "error[parameter]: parameter `windowsExempt` of SW-C-0017 is no boolean",
            "error[unknown-parameter]: SW-C-0017 has no parameter `exemptions`",
        ]
    );
    assert!(problems.iter().all(|problem| problem.item.is_some()));
    let others = [PolicyAction::Off, PolicyAction::Audit, PolicyAction::Warn];
    assert!(others.iter().all(|action| compiled.count(*action) == 0));
    assert_eq!(compiled.count(PolicyAction::Deny), 1);
}

#[test]
fn answers_to_huge_objects_stay_small() {
    let many = |count: usize| -> Vec<Value> {
        (0..count).map(|index| privileged(&format!("c{index}"))).collect()
    };
    let policies = ["SW-C-0001", "SW-C-0002", "SW-C-0003", "SW-C-0017"].map(deny);
    for (count, places) in [(60, "and 57 more places"), (2_000, "and 1997 more places")] {
        let answer = answer(&policies, &review(&object("Deployment", &many(count)), None));
        assert!(answer.response.len() < 10 << 10, "{} bytes", answer.response.len());
        let message = response(&answer)["status"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(places) && message.contains("--fix FILE"), "{message}");
        let decision = serde_json::to_vec(&answer.decision.unwrap()).unwrap();
        assert!(decision.len() < 64 << 10, "{} bytes", decision.len());
    }
    // Names that no API server lets pass, from somebody who only says to be one.
    let mut forged = review(&object("Pod", &[privileged("c")]), None);
    let long = "x".repeat(1 << 20);
    for pointer in
        ["/request/userInfo/username", "/request/namespace", "/request/object/metadata/name"]
    {
        *forged.pointer_mut(pointer).unwrap() = long.as_str().into();
    }
    forged["request"]["userInfo"]["groups"] = Value::from(vec![long.as_str(); 3]);
    forged["request"]["object"]["spec"]["containers"][0]["name"] = long.as_str().into();
    let decision = answer(&policies, &forged).decision.unwrap();
    assert!(serde_json::to_vec(&decision).unwrap().len() < 16 << 10);
}

#[test]
fn more_elements_than_an_object_can_hold_take_no_time() {
    let policies = ["SW-C-0001", "SW-C-0003", "SW-C-0017"].map(deny);
    for (element, count, outcome, undecided) in [
        // Each fails every control.
        (json!({}), 10_000, Outcome::Denied, 0),
        // None is a container.
        (json!(1), 10_000, Outcome::Passed, 3),
        (json!({}), 160_000, Outcome::Passed, 3),
    ] {
        let containers = vec![element; count];
        let answer = answer(&policies, &review(&object("Pod", &containers), None));
        assert_eq!((answer.counts.outcome, answer.counts.undecided.len()), (outcome, undecided));
    }
}
