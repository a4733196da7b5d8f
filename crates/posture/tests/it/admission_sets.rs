//! Sets of users' policies at admission: what is refused, told or let pass, by whom, and in which words.
use crate::admission::time_for;
use crate::content::catalogue;
use seawall_model::Id;
use seawall_model::admission::{Policy, PolicyAction};
use seawall_model::policy_set::DesiredSet;
use seawall_posture::admission::{
    Answer, Answers, Authorization, Inventory, InventoryRead, Lookup, Mode, Nothing, Params,
    Policies, Resources, RuleScope, Sets, Surroundings, Time, Worker,
};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const NOW: i64 = 1_795_000_000_000;

pub(crate) fn set(text: &str, action: PolicyAction) -> DesiredSet {
    let (set, name) = (Id::new(NOW, [3; 10]), "base".to_owned());
    DesiredSet { set, name, version: 1, text: text.to_owned(), action }
}

/// What a test knows of its cluster.
#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) namespaces: Vec<Value>,
    pub(crate) config_maps: Option<Vec<Value>>,
    pub(crate) inventory: Option<Inventory>,
    pub(crate) answers: Arc<Answers>,
}

impl Lookup for Cluster {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.namespaces.iter().find(|namespace| namespace["metadata"]["name"] == name)
    }

    fn params(&self, _: &str, kind: &str) -> Params<'_> {
        match (kind, &self.config_maps) {
            ("ConfigMap", Some(maps)) => Params::Namespaced(maps.iter().collect()),
            ("ConfigMap", None) => Params::NotAtHand("is not at hand".to_owned()),
            _ => Params::Unknown,
        }
    }

    fn inventory(&self, reads: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        let kinds: Vec<_> = reads.iter().filter_map(|read| read.kind.clone()).collect();
        self.inventory.as_ref().ok_or_else(|| format!("{} is not at hand", kinds.join(", ")))
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::clone(&self.answers)
    }
}

/// A policy for pods and Deployments, bound to `actions`; none leaves it unbound.
pub(crate) fn vap(name: &str, expression: &str, actions: &str, more: &str) -> String {
    let mut text = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n  \
         matchConstraints: {{resourceRules: [{{apiGroups: ['', apps], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [pods, deployments]}}]}}\n  \
         validations: [{{expression: \"{expression}\", message: no {name}}}]\n{more}---\n"
    );
    if !actions.is_empty() {
        let _infallible = write!(
            text,
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {name}-all}}\n\
             spec: {{policyName: {name}, validationActions: [{actions}]}}\n---\n"
        );
    }
    text
}

const PARAMS: &str = "  paramKind: {apiVersion: v1, kind: ConfigMap}\n";

/// A policy with a ConfigMap `limits` of the request's namespace.
fn with_params(failure: &str) -> String {
    let policy =
        vap("p", "params.data.max == '9'", "", &format!("  failurePolicy: {failure}\n{PARAMS}"));
    policy
        + "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: p-all}\n\
           spec: {policyName: p, validationActions: [Deny], paramRef: {name: limits, parameterNotFoundAction: Deny}}\n---\n"
}

/// A template with a constraint `c` for pods; `spec` is added to the constraint's.
pub(crate) fn constraint(rego: &str, spec: &str) -> String {
    let rego = rego.replace('\n', "\n        ");
    format!(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {{name: k8stest}}\nspec:\n  \
         crd: {{spec: {{names: {{kind: K8sTest}}}}}}\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n        \
         package k8stest\n        {rego}\n---\n\
         apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sTest\nmetadata: {{name: c}}\n\
         spec: {{match: {{kinds: [{{apiGroups: [''], kinds: [Pod]}}]}}{spec}}}\n---\n"
    )
}

pub(crate) const ALWAYS: &str = "violation[{\"msg\": \"never\"}] { true }";
const LOOPS: &str = "violation[{\"msg\": \"x\"}] { numbers.range(1, 3000)[i] > 0; numbers.range(1, 3000)[j] > 0; i + j < 0 }";

pub(crate) fn review(operation: &str, object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let group =
        object["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
    let (new, old) = match operation {
        "DELETE" => (Value::Null, object.clone()),
        _ => (object.clone(), Value::Null),
    };
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5", "operation": operation, "name": "web", "namespace": "shop",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": format!("{}s", kind.to_lowercase())},
        "userInfo": {"username": "ann", "groups": ["developers"]},
        "object": new, "oldObject": old, "dryRun": false, "options": null,
    }})
}

pub(crate) fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": null},
        "spec": {"containers": [{"name": "c", "image": "x", "securityContext": {"privileged": true}}]}})
}

fn load(desired: &[DesiredSet]) -> Sets {
    let (sets, problems) = Sets::load(desired, 36);
    let problems: Vec<_> = problems.iter().filter(|problem| problem.code != "unbound").collect();
    assert_eq!(problems, Vec::<&seawall_model::Problem>::new());
    sets
}

fn answer(policies: &Policies, review: &Value, lookup: &dyn Lookup, time: &Time) -> Answer {
    let own_namespace = Some("seawall");
    let surroundings =
        Surroundings { now: NOW, agent: "a", own_namespace, lookup, time, mode: Mode::Admission };
    let bytes = review.to_string();
    policies.answer(bytes.as_bytes(), &surroundings, &mut Worker::default()).unwrap()
}

/// `outcome code message | warning…`.
fn told(answer: &Answer) -> String {
    let review: Value = serde_json::from_slice(&answer.response).unwrap();
    let response = &review["response"];
    assert_eq!(response["allowed"] == true, response["status"].is_null());
    let mut text = answer.counts.outcome.as_str().to_owned();
    if let Some(status) = response["status"].as_object() {
        let message = status["message"].as_str().unwrap();
        let _infallible =
            write!(text, " {} {}: {message}", status["code"], status["reason"].as_str().unwrap());
    }
    for warning in response["warnings"].as_array().into_iter().flatten() {
        let _infallible = write!(text, " | {}", warning.as_str().unwrap());
    }
    text
}

#[track_caller]
fn check_in(
    text: &str,
    ceiling: PolicyAction,
    review: &Value,
    cluster: &Cluster,
    expected: &str,
) -> Answer {
    let policies = Policies::default().with_sets(load(&[set(text, ceiling)]));
    let answer = answer(&policies, review, cluster, &Time::unlimited());
    assert_eq!(told(&answer), expected, "{text}");
    answer
}

#[track_caller]
fn check(text: &str, ceiling: PolicyAction, expected: &str) {
    check_in(text, ceiling, &review("CREATE", pod()), &Cluster::default(), expected);
}

use PolicyAction::{Audit, Deny, Off, Warn};

#[test]
fn bindings_say_what_happens_and_the_ceiling_the_most_of_it() {
    let denied = "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p";
    let warned =
        "warned | Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-all': no p";
    for (actions, ceiling, expected) in [
        ("Deny", Deny, denied),
        ("Deny", Warn, warned),
        ("Deny", Audit, "audited"),
        ("Deny", Off, "not_judged"),
        ("Warn", Deny, warned),
        ("Warn", Audit, "audited"),
        ("Audit", Deny, "audited"),
        ("Deny, Audit", Deny, denied),
    ] {
        check(&vap("p", "false", actions, ""), ceiling, expected);
    }
    check(&vap("p", "true", "Deny", ""), Deny, "passed");
    // Without a binding it counts as bound with Deny.
    let unbound =
        "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no p";
    check(&vap("p", "false", "", ""), Deny, unbound);
    // Null members stand in the object as they were sent; controls do not see them.
    check(&vap("p", "has(object.metadata.creationTimestamp)", "Deny", ""), Deny, "passed");
}

#[test]
fn constraints_say_it_too() {
    let denied = "denied 403 Forbidden: [c] never";
    for (spec, ceiling, expected) in [
        ("", Deny, denied),
        ("", Warn, "warned | [c] never"),
        ("", Audit, "audited"),
        (", enforcementAction: warn", Deny, "warned | [c] never"),
        (", enforcementAction: dryrun", Deny, "audited"),
        (
            ", enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: validation.gatekeeper.sh}]}]",
            Deny,
            denied,
        ),
        (
            ", enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]",
            Deny,
            "not_judged",
        ),
    ] {
        check(&constraint(ALWAYS, spec), ceiling, expected);
    }
    // Gatekeeper is not asked about deletions unless a template names them.
    let deletion = review("DELETE", pod());
    check_in(&constraint(ALWAYS, ""), Deny, &deletion, &Cluster::default(), "not_judged");
    let policy = vap("p", "oldObject.metadata.name != 'web'", "Deny", "");
    let told = "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p";
    let answer = check_in(&policy, Deny, &deletion, &Cluster::default(), told);
    assert_eq!(answer.decision.unwrap().resource.name, "web");
}

#[test]
fn what_is_not_judged_follows_its_failure_policy() {
    let time = |failure: &str, ceiling, expected: &str, unfinished: usize| {
        let text = vap("p", "true", "Deny", &format!("  failurePolicy: {failure}\n"));
        let policies = Policies::default().with_sets(load(&[set(&text, ceiling)]));
        let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &time_for(0));
        assert_eq!(told(&answer), expected);
        assert_eq!(answer.counts.unfinished.len(), unfinished);
        assert_eq!(answer.unjudged.len(), 1);
    };
    let late = "not judged, which its failurePolicy refuses: time ran out before it was judged";
    time(
        "Fail",
        Deny,
        &format!("denied 422 Invalid: ValidatingAdmissionPolicy 'p' denied request: {late}"),
        1,
    );
    time(
        "Fail",
        Warn,
        &format!("warned | Validation failed for ValidatingAdmissionPolicy 'p': {late}"),
        1,
    );
    time("Fail", Audit, "audited", 1);
    time("Ignore", Deny, "passed | not judged in time, so allowed: ValidatingAdmissionPolicy/p", 1);
    time("Ignore", Audit, "passed", 1);
    let why = "v1 ConfigMap is not at hand";
    let refused = format!(
        "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: not judged, which its failurePolicy refuses: {why}"
    );
    check(&with_params("Fail"), Deny, &refused);
    let passed = format!("passed | [ValidatingAdmissionPolicy/p] no answer, so allowed: {why}");
    check(&with_params("Ignore"), Deny, &passed);
    // Late, and for nobody here: no word.
    let text = vap("p", "true", "Deny", "").replace("[pods, deployments]", "[services]");
    let policies = Policies::default().with_sets(load(&[set(&text, Deny)]));
    let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &time_for(0));
    assert_eq!(told(&answer), "not_judged");
}

#[test]
fn errors_under_ignore_are_silent_and_counted() {
    let text = vap("p", "object.spec.gone == 1", "Deny", "  failurePolicy: Ignore\n");
    let review = review("CREATE", pod());
    let answer = check_in(&text, Deny, &review, &Cluster::default(), "passed");
    assert_eq!(answer.counts.ignored, ["ValidatingAdmissionPolicy/p"]);
    assert_eq!(answer.unjudged, []);
}

fn limits(max: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits", "namespace": "shop"}, "data": {"max": max}})
}

#[test]
fn params_are_the_sets_own_then_the_clusters() {
    let review = review("CREATE", pod());
    let cluster = |maps: Option<Vec<Value>>| Cluster { config_maps: maps, ..Cluster::default() };
    let own = |max: &str| with_params("Fail") + &serde_json::to_string(&limits(max)).unwrap();
    let (denied, none) = (
        "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p",
        "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    );
    for (text, maps, expected) in [
        (with_params("Fail"), Some(vec![limits("9")]), "passed"),
        (with_params("Fail"), Some(vec![limits("1")]), denied),
        (with_params("Fail"), Some(vec![]), none),
        (own("9"), Some(vec![limits("1")]), "passed"),
        (own("1"), Some(vec![limits("9")]), denied),
        // Named, and brought along: the cluster's need not be at hand.
        (own("9"), None, "passed"),
    ] {
        check_in(&text, Deny, &review, &cluster(maps), expected);
    }
    // More may be selected than the set brings along.
    let selected = own("9").replace("name: limits, parameter", "selector: {}, parameter");
    let answer = check_in_any(&selected, &review);
    assert_eq!(answer.counts.undecided, ["ValidatingAdmissionPolicy/p"]);
    // A kind that is not served is the API server's error, not a gap.
    let text = with_params("Fail").replace("kind: ConfigMap", "kind: Gone");
    let unserved = "denied 422 Invalid: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: '/v1, Kind=Gone'";
    check_in(&text, Deny, &review, &cluster(None), unserved);
}

#[test]
fn constraints_see_the_inventory() {
    let rego = "violation[{\"msg\": m}] { m := concat(\",\", [name | data.inventory.namespace[_][\"v1\"].Service[name]]) }";
    let service = |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}});
    let mut inventory = Inventory::default();
    inventory.add(service("a")).unwrap();
    let cluster = Cluster { inventory: Some(inventory), ..Cluster::default() };
    let review = review("CREATE", pod());
    let text = constraint(rego, "");
    check_in(&text, Deny, &review, &cluster, "denied 403 Forbidden: [c] a");
    let own = text.clone() + &service("b").to_string();
    check_in(&own, Deny, &review, &cluster, "denied 403 Forbidden: [c] a,b");
    let gone = "passed | [K8sTest/c] no answer, so allowed: Service is not at hand";
    check_in(&own, Deny, &review, &Cluster::default(), gone);
    // A worker sees what changes between two reviews.
    let policies = Policies::default().with_sets(load(&[set(&text, Deny)]));
    let (mut worker, mut cluster) = (Worker::default(), cluster);
    worker.prepare(policies.sets());
    let mut say = |cluster: &Cluster| {
        let time = Time::unlimited();
        let surroundings = Surroundings {
            now: NOW,
            agent: "a",
            own_namespace: None,
            lookup: cluster,
            time: &time,
            mode: Mode::Admission,
        };
        told(&policies.answer(review.to_string().as_bytes(), &surroundings, &mut worker).unwrap())
    };
    assert_eq!(say(&cluster), "denied 403 Forbidden: [c] a");
    let held = cluster.inventory.as_mut().unwrap();
    assert!(held.remove("v1", "Service", "shop", "a"));
    held.add(service("z")).unwrap();
    assert_eq!(say(&cluster), "denied 403 Forbidden: [c] z");
}

#[test]
fn authorization_is_asked_for_and_asked_again_with_answers() {
    let expression = "authorizer.group('').resource('pods').check('approve').allowed()";
    let text = vap("p", expression, "Deny", "");
    let policies = Policies::default().with_sets(load(&[set(&text, Deny)]));
    let review = review("CREATE", pod());
    for (allowed, expected) in [
        (true, "passed"),
        (
            false,
            "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p",
        ),
    ] {
        let mut cluster = Cluster::default();
        let asked = answer(&policies, &review, &cluster, &Time::unlimited());
        assert_eq!((asked.questions.len(), asked.questions[0].verb.as_str()), (1, "approve"));
        let says = Authorization { allowed, reason: String::new(), error: None };
        let answers = asked.questions.into_iter().map(|question| (question, says.clone()));
        cluster.answers = Arc::new(answers.collect());
        let last = answer(&policies, &review, &cluster, &Time::unlimited());
        assert!(last.questions.is_empty());
        assert_eq!(told(&last), expected);
    }
}

#[test]
fn runaway_policies_end_at_their_limits() {
    let mut big = pod();
    big["spec"]["list"] = (0..400).collect::<Vec<_>>().into();
    let big = review("CREATE", big);
    let squares =
        "object.spec.list.all(a, object.spec.list.all(b, object.spec.list.all(c, a + b + c >= 0)))";
    let answer = check_in_any(&vap("p", squares, "Deny", ""), &big);
    assert!(
        told(&answer).contains("operation cancelled: actual cost limit exceeded"),
        "{}",
        told(&answer)
    );
    let stopped = "passed | [K8sTest/c] no answer, so allowed: it was stopped at its limit: over 200000 steps";
    check(&constraint(LOOPS, ""), Deny, stopped);
    // With a clock it ends after 100 ms, or with the review.
    for (end, looks) in [(60_000, 110), (50, 60)] {
        let read = Rc::new(Cell::new(0));
        let seen = Rc::clone(&read);
        let clock = move || Duration::from_millis(seen.replace(seen.get() + 1));
        let time = Time::until(Rc::new(clock), Duration::from_millis(end));
        let policies = Policies::default().with_sets(load(&[set(&constraint(LOOPS, ""), Deny)]));
        let answer = self::answer(&policies, &review("CREATE", pod()), &Nothing, &time);
        let expected =
            "passed | [K8sTest/c] no answer, so allowed: it was stopped at its limit: out of time";
        assert_eq!(told(&answer), expected);
        assert!(read.get() < looks, "{} looks at the clock", read.get());
    }
}

fn check_in_any(text: &str, review: &Value) -> Answer {
    let policies = Policies::default().with_sets(load(&[set(text, Deny)]));
    answer(&policies, review, &Cluster::default(), &Time::unlimited())
}

#[test]
fn several_engines_tell_a_line_each_and_policies_answer_first() {
    let control = json!({"assignment": Id::new(NOW, [7; 10]), "control": "SW-C-0001", "depth": 1, "action": "deny", "params": {}});
    let control: Policy = serde_json::from_value(control).unwrap();
    let text =
        constraint(ALWAYS, "") + &vap("p", "false", "Deny", "") + &vap("q", "false", "Deny", "");
    let sets = || load(&[set(&text, Deny)]);
    let policies = Policies::compile(&[control], catalogue()).0.with_sets(sets());
    let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &Time::unlimited());
    let message = told(&answer);
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p",
            "ValidatingAdmissionPolicy 'q' with binding 'q-all' denied request: no q",
            "[c] never",
            "[SW-C-0001] Privileged container: privileged must not be true",
        ]
    );
    let decision = answer.decision.unwrap();
    let told: Vec<_> = decision
        .controls
        .iter()
        .map(|one| (one.control.as_str(), one.title.as_str(), one.action, one.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("ValidatingAdmissionPolicy/p", "p", Deny, "no p"),
            ("ValidatingAdmissionPolicy/q", "q", Deny, "no q"),
            ("K8sTest/c", "c", Deny, "never"),
            ("SW-C-0001", "Privileged container", Deny, "privileged must not be true"),
        ]
    );
    assert_eq!(decision.controls[0].assignment, Id::new(NOW, [3; 10]));
    // By themselves they answer as in the API server.
    let text = vap("p", "false", "Deny", "") + &vap("q", "false", "Deny", "");
    check(
        &text,
        Deny,
        "denied 422 Invalid: ValidatingAdmissionPolicy 'p' with binding 'p-all' denied request: no p",
    );
}

#[test]
fn what_may_refuse_is_judged_first() {
    let text =
        vap("w", "true", "Warn", "") + &constraint(ALWAYS, "") + &vap("d", "true", "Deny", "");
    let policies = Policies::default().with_sets(load(&[set(&text, Deny)]));
    for (in_time, expected) in [
        (0, &["ValidatingAdmissionPolicy/d", "ValidatingAdmissionPolicy/w", "K8sTest/c"][..]),
        (1, &["ValidatingAdmissionPolicy/w", "K8sTest/c"]),
    ] {
        let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &time_for(in_time));
        assert_eq!(answer.counts.unfinished, expected);
    }
}

#[test]
fn audit_annotations_have_keys_that_a_webhook_may_use() {
    let text = vap(
        "p",
        "false",
        "Audit",
        "  auditAnnotations: [{key: name, valueExpression: string(object.metadata.name)}]\n",
    );
    let answer = check_in_any(&text, &review("CREATE", pod()));
    let response: Value = serde_json::from_slice(&answer.response).unwrap();
    let annotations = response["response"]["auditAnnotations"].as_object().unwrap();
    let keys: Vec<&str> = annotations.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["audited", "p_name", "validation.policy.admission.k8s.io_validation_failure"]
    );
    assert_eq!(
        (&annotations["audited"], &annotations["p_name"]),
        (&json!("ValidatingAdmissionPolicy/p"), &json!("web"))
    );
    assert_eq!(answer.annotations["p/name"], "web");
}

#[test]
fn what_passes_whatever_the_sets_say() {
    let policies =
        Policies::default().with_sets(load(&[set(&vap("p", "false", "Deny", ""), Deny)]));
    for (member, value) in [
        ("namespace", json!("kube-system")),
        ("namespace", json!("seawall")),
        ("subResource", json!("status")),
        ("userInfo", json!({"groups": ["system:nodes"]})),
    ] {
        let mut review = review("CREATE", pod());
        review["request"][member] = value;
        assert_eq!(told(&answer(&policies, &review, &Nothing, &Time::unlimited())), "excluded");
    }
    let mut dry = review("CREATE", pod());
    dry["request"]["dryRun"] = true.into();
    let answer = answer(&policies, &dry, &Nothing, &Time::unlimited());
    assert!(answer.decision.is_none() && told(&answer).starts_with("denied"));
}

#[test]
fn documents_that_do_not_load_are_told_with_set_and_line_and_the_rest_counts() {
    let text = "a: [\n---\n".to_owned()
        + &vap("bad", "object.", "Deny", "")
        + "just: text\n---\n"
        + &constraint("violation[x] { y }", "")
        + "apiVersion: expansion.gatekeeper.sh/v1beta1\nkind: ExpansionTemplate\nmetadata: {name: e}\n---\n"
        + vap("gone", "false", "Deny", "").split_once("---\n").unwrap().1
        + &vap("p", "false", "Deny", "");
    let (sets, problems) = Sets::load(&[set(&text, Deny)], 36);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        "policy set `base`, line 1: unclosed bracket",
        "policy set `base`, line 15: the document has no apiVersion and kind",
        "policy set `base`, line 3, ValidatingAdmissionPolicy bad: spec.validations[0].expression: compilation failed",
        "policy set `base`, line 17, ConstraintTemplate k8stest: ",
        "policy set `base`, line 28, K8sTest c: missing ConstraintTemplate \"k8stest\"",
        "policy set `base`, line 37, ValidatingAdmissionPolicyBinding gone-all: it binds `gone`, which is not here",
        "policy set `base`, line 33, ExpansionTemplate e: ExpansionTemplate e has empty source field",
    ];
    for expected in expected {
        assert!(told.iter().any(|told| told.contains(expected)), "{expected}\n{told:#?}");
    }
    assert_eq!(sets.count(Deny), 1);
    let policies = Policies::default().with_sets(sets);
    let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &Time::unlimited());
    assert!(told_denied(&answer));
    let (sets, problems) = Sets::load(&[set(&"#".repeat((512 << 10) + 1), Deny)], 36);
    assert!(sets.is_empty());
    assert_eq!(
        problems[0].to_string(),
        "error[limit]: policy set `base`: the text is over 512 KiB"
    );
}

fn told_denied(answer: &Answer) -> bool {
    told(answer).starts_with("denied")
}

#[test]
fn expansions_imply_what_a_workload_makes() {
    let expansion = "apiVersion: expansion.gatekeeper.sh/v1beta1\nkind: ExpansionTemplate\nmetadata: {name: pods}\nspec:\n  \
        applyTo: [{groups: [apps], versions: [v1], kinds: [Deployment]}]\n  templateSource: spec.template\n  \
        generatedGVK: {group: '', version: v1, kind: Pod}\n";
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": []}}}});
    let review = review("CREATE", deployment);
    let text = constraint(ALWAYS, "");
    check_in(&text, Deny, &review, &Cluster::default(), "not_judged");
    let implied = "denied 403 Forbidden: [c] [Implied by pods] never";
    check_in(&(text.clone() + expansion), Deny, &review, &Cluster::default(), implied);
    let warn = format!("{text}{expansion}  enforcementAction: warn\n");
    check_in(&warn, Deny, &review, &Cluster::default(), "warned | [c] [Implied by pods] never");
}

#[test]
fn five_hundred_sets_stay_small() {
    let names: Vec<String> = (0..500).map(|at| format!("p{at}")).collect();
    let sets: Vec<DesiredSet> =
        names.iter().map(|name| set(&vap(name, "false", "Deny, Audit", ""), Deny)).collect();
    let one = names.iter().map(|name| vap(name, "false", "Deny", "")).collect::<String>();
    for desired in [sets, vec![set(&one, Deny)]] {
        let sets = load(&desired);
        assert_eq!(sets.count(Deny), 500);
        let policies = Policies::default().with_sets(sets);
        let begun = std::time::Instant::now();
        let answer = answer(&policies, &review("CREATE", pod()), &Nothing, &Time::unlimited());
        assert!(told_denied(&answer) && begun.elapsed() < Duration::from_secs(5));
        assert!(answer.response.len() < 16 << 10, "{} bytes", answer.response.len());
        let decision = answer.decision.unwrap();
        assert_eq!(decision.controls.len(), 64);
        assert!(decision.controls[63].message.ends_with("; and 436 more policies"));
    }
}

#[test]
fn sets_say_what_they_need_and_what_they_are_for() {
    let rego =
        "violation[{\"msg\": \"m\"}] { data.inventory.namespace[_][\"apps/v1\"].Deployment[_] }";
    let text = with_params("Fail") + &constraint(rego, "");
    let sets = load(&[set(&text, Audit)]);
    let needs = sets.needs();
    let kinds: Vec<_> =
        needs.kinds.iter().map(|(version, kind)| format!("{version} {kind}")).collect();
    assert_eq!(
        (kinds.join(", ").as_str(), needs.everything),
        ("apps/v1 Deployment, v1 ConfigMap", false)
    );
    let computed =
        "violation[{\"msg\": \"m\"}] { data.inventory.namespace[_][_][input.parameters.kind][_] }";
    assert!(load(&[set(&constraint(computed, ""), Audit)]).needs().everything);
    let rules = sets.rules();
    let resources: Vec<_> = rules.iter().map(|rule| &rule.resources).collect();
    let plural = Resources::Plural(vec!["pods".to_owned(), "deployments".to_owned()]);
    assert_eq!(resources, [&Resources::Kinds(vec!["Pod".to_owned()]), &plural]);
    assert_eq!(rules[0].operations, ["CREATE", "UPDATE"]);
    assert_eq!(
        (rules[1].groups.len(), rules[1].operations.len(), rules[1].scope),
        (2, 3, RuleScope::All)
    );
    let off = load(&[set(&text, Off)]);
    assert!(off.rules().is_empty() && off.needs().kinds.is_empty());
}
