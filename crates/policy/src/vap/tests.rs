//! Policies through one `check`: documents and a request in, what the API server would answer out.
use super::{Document, Lookup, Params, Policies, Review};
use seawall_cel::authz::Answers;
use seawall_cel::{Answer, Question, Subject};
use serde_json::{Value, json};
use std::sync::Arc;

/// A cluster of one namespace, some ConfigMaps and what was answered so far.
#[derive(Default)]
struct Cluster {
    namespaces: Vec<Value>,
    config_maps: Vec<Value>,
    answers: Arc<Answers>,
}

impl Lookup for Cluster {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.namespaces.iter().find(|object| object["metadata"]["name"] == name)
    }

    fn params(&self, _: &str, kind: &str) -> Params<'_> {
        match kind {
            "ConfigMap" => Params::Namespaced(self.config_maps.iter().collect()),
            _ => Params::Unknown,
        }
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::clone(&self.answers)
    }
}

fn cluster() -> Cluster {
    let map = |name: &str, limit: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"limit": limit},
            "metadata": {"name": name, "namespace": "shop", "labels": {"use": "limits"}}})
    };
    Cluster {
        namespaces: vec![json!({"metadata": {"name": "shop", "labels": {"team": "blue"}}})],
        config_maps: vec![map("small", "2"), map("large", "9")],
        ..Cluster::default()
    }
}

fn policy(spec: Value) -> Value {
    let mut whole = json!({"matchConstraints": {"resourceRules": [{"apiGroups": [""],
        "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}]}});
    for (key, value) in spec.as_object().expect("a spec") {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"}, "spec": whole})
}

fn binding(spec: Value) -> Value {
    let mut whole = json!({"policyName": "p", "validationActions": ["Deny"]});
    for (key, value) in spec.as_object().expect("a spec") {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": whole})
}

fn review() -> Review {
    let request = json!({"uid": "u", "operation": "CREATE", "name": "web", "namespace": "shop",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "userInfo": {"username": "ann", "groups": ["dev"]},
        "object": {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "nginx"}], "priority": null}}});
    Review::of(request.as_object().expect("a request")).expect("a review")
}

fn answer(documents: &[Value], cluster: &Cluster) -> String {
    let documents: Vec<Document> = documents.iter().cloned().map(Document::from).collect();
    let (policies, problems) = Policies::load(&documents, 36);
    let mut told: Vec<String> = problems
        .iter()
        .filter(|problem| problem.code != "unbound")
        .map(|problem| format!("refused: {}", problem.message))
        .collect();
    let verdict = policies.review(&review(), cluster);
    let of = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
    let denials = verdict.denials.iter();
    told.extend(denials.map(|d| format!("{} {}: {}", d.code, d.reason, d.message.replace(of, ""))));
    told.extend(verdict.warnings.iter().map(|warning| format!("warning: {warning}")));
    let annotations = verdict.audit_annotations.iter();
    told.extend(annotations.map(|(key, value)| format!("audit {key}={value}")));
    told.extend(verdict.questions.iter().map(|question| format!("asks {}", question.verb)));
    told.extend(verdict.undecided.iter().map(|u| format!("undecided: {}", u.reason)));
    told.join("; ")
}

#[track_caller]
fn check(spec: Value, bound: Value, expected: &str) {
    assert_eq!(answer(&[policy(spec), binding(bound)], &cluster()), expected);
}

fn fails(extra: Value) -> Value {
    let mut validation = json!({"expression": "object.metadata.name == 'x'"});
    for (key, value) in extra.as_object().expect("fields") {
        validation[key] = value.clone();
    }
    json!({"validations": [validation]})
}

#[test]
fn messages_and_reasons() {
    let none = || json!({});
    let plain = "422 Invalid: failed expression: object.metadata.name == 'x'";
    check(fails(none()), none(), plain);
    check(fails(json!({"message": " no "})), none(), "422 Invalid: no");
    check(
        fails(json!({"reason": "Forbidden"})),
        none(),
        &plain.replace("422 Invalid", "403 Forbidden"),
    );
    check(
        fails(json!({"messageExpression": "'not ' + object.metadata.name"})),
        none(),
        "422 Invalid: not web",
    );
    check(fails(json!({"messageExpression": "'  '", "message": "no"})), none(), "422 Invalid: no");
    check(fails(json!({"messageExpression": "'a\\nb'"})), none(), plain);
    check(fails(json!({"messageExpression": "object.gone + ''"})), none(), plain);
    check(
        json!({"validations": [{"expression": "object.gone == 1"}]}),
        none(),
        "422 Invalid: expression 'object.gone == 1' resulted in error: no such key: gone",
    );
    check(
        json!({"failurePolicy": "Ignore", "validations": [{"expression": "object.gone == 1"}]}),
        none(),
        "",
    );
}

#[test]
fn actions() {
    let failed = "failed expression: object.metadata.name == 'x'";
    check(
        fails(json!({})),
        json!({"validationActions": ["Warn", "Audit"]}),
        &format!(
            "warning: Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': {failed}; \
             audit validation.policy.admission.k8s.io/validation_failure=[{{\"message\":\"{failed}\",\
             \"policy\":\"p\",\"binding\":\"b\",\"expressionIndex\":0,\"validationActions\":[\"Warn\",\"Audit\"]}}]"
        ),
    );
}

#[test]
fn variables_and_conditions() {
    check(
        json!({"variables": [{"name": "n", "expression": "object.metadata.name"},
            {"name": "m", "expression": "variables.n + '!'"}],
            "validations": [{"expression": "variables.m == 'x'", "messageExpression": "variables.m"}]}),
        json!({}),
        "422 Invalid: web!",
    );
    check(
        json!({"variables": [{"name": "n", "expression": "object.gone"}],
            "validations": [{"expression": "variables.n == 'x'"}]}),
        json!({}),
        "422 Invalid: expression 'variables.n == 'x'' resulted in error: composited variable \"n\" fails to evaluate: \
         no such key: gone",
    );
    let conditions = |list: Value| {
        let mut spec = fails(json!({"message": "no"}));
        spec["matchConditions"] = list;
        spec
    };
    let never = json!({"name": "never", "expression": "request.userInfo.username == 'bob'"});
    let broken = json!({"name": "broken", "expression": "object.gone == 1"});
    let always = json!({"name": "always", "expression": "'dev' in request.userInfo.groups"});
    check(conditions(json!([always])), json!({}), "422 Invalid: no");
    check(conditions(json!([broken, never])), json!({}), "");
    check(
        conditions(json!([broken, always])),
        json!({}),
        "422 Invalid: expression 'object.gone == 1' resulted in error: no such key: gone",
    );
}

#[test]
fn params() {
    let spec = || {
        json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": [
            {"expression": "params != null && int(params.data.limit) > 5",
             "messageExpression": "'limit ' + params.data.limit"}]})
    };
    let by = |reference: Value| json!({"paramRef": reference});
    let allow = |key: &str, value: Value| json!({key: value, "parameterNotFoundAction": "Allow"});
    check(spec(), by(allow("name", json!("large"))), "");
    check(spec(), by(allow("name", json!("small"))), "422 Invalid: limit 2");
    check(
        spec(),
        by(allow("selector", json!({"matchLabels": {"use": "limits"}}))),
        "422 Invalid: limit 2",
    );
    check(spec(), by(allow("name", json!("gone"))), "");
    check(
        spec(),
        by(json!({"name": "gone", "parameterNotFoundAction": "Deny"})),
        "422 Invalid: failed to configure binding: no params found for policy binding with `Deny` \
         parameterNotFoundAction",
    );
    check(
        json!({"paramKind": {"apiVersion": "a.b/v1", "kind": "Gone"},
            "validations": [{"expression": "true"}]}),
        by(allow("name", json!("x"))),
        "422 Invalid: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find \
         resource referenced by paramKind: 'a.b/v1, Kind=Gone'",
    );
}

#[test]
fn matching() {
    let bound = |matched: Value| json!({"matchResources": matched});
    let no = || fails(json!({"message": "no"}));
    check(
        no(),
        bound(json!({"namespaceSelector": {"matchLabels": {"team": "blue"}}})),
        "422 Invalid: no",
    );
    check(no(), bound(json!({"namespaceSelector": {"matchLabels": {"team": "red"}}})), "");
    check(no(), bound(json!({"objectSelector": {"matchLabels": {"app": "db"}}})), "");
    let rule = |resources: Value| json!({"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": resources});
    check(no(), bound(json!({"excludeResourceRules": [rule(json!(["pods"]))]})), "");
    check(no(), bound(json!({"resourceRules": [rule(json!(["*/*"]))]})), "422 Invalid: no");
    check(no(), bound(json!({"resourceRules": [rule(json!(["pods/*"]))]})), "422 Invalid: no");
    check(no(), bound(json!({"resourceRules": [rule(json!(["pods/status"]))]})), "");
    let mut cluster_only = rule(json!(["pods"]));
    cluster_only["scope"] = json!("Cluster");
    check(no(), bound(json!({"resourceRules": [cluster_only]})), "");
    let empty = Cluster::default();
    let documents = [
        policy(json!({"validations": [{"expression": "namespaceObject.metadata.name == 'x'"}]})),
        binding(json!({})),
    ];
    assert_eq!(answer(&documents, &empty), "undecided: the namespace shop is not at hand");
}

#[test]
fn authorizer_asks_and_resumes() {
    let documents = [
        policy(json!({"validations": [{"expression":
            "authorizer.group('').resource('pods').namespace('shop').check('breakglass').allowed()",
            "message": "no"}]})),
        binding(json!({})),
    ];
    let mut cluster = cluster();
    assert_eq!(answer(&documents, &cluster), "asks breakglass");
    let question = Question {
        service_account: None,
        verb: "breakglass".into(),
        about: Subject::Resource {
            group: String::new(),
            resource: "pods".into(),
            subresource: String::new(),
            namespace: "shop".into(),
            name: String::new(),
            field_selector: String::new(),
            label_selector: String::new(),
        },
    };
    for (allowed, expected) in [(true, ""), (false, "422 Invalid: no")] {
        let answered = Answer { allowed, reason: String::new(), error: None };
        cluster.answers = Arc::new([(question.clone(), answered)].into());
        assert_eq!(answer(&documents, &cluster), expected);
    }
}

#[test]
fn audit_annotations() {
    check(
        json!({"auditAnnotations": [{"key": "name", "valueExpression": "string(object.metadata.name)"},
            {"key": "none", "valueExpression": "null"}, {"key": "blank", "valueExpression": "' '"}]}),
        json!({}),
        "audit p/name=web",
    );
    check(
        json!({"auditAnnotations": [{"key": "bad", "valueExpression": "string(object.gone)"}]}),
        json!({"validationActions": ["Audit"]}),
        "422 Invalid: expression 'string(object.gone)' resulted in error: no such key: gone",
    );
}

#[test]
fn refusals() {
    let refused =
        |spec: Value, expected: &str| check(spec, json!({}), &format!("refused: {expected}"));
    refused(
        json!({"validations": [{"expression": "object.metadata.name"}]}),
        "spec.validations[0].expression: must evaluate to bool but got dyn",
    );
    refused(
        json!({"validations": [{"expression": "gone == 1"}]}),
        "spec.validations[0].expression: compilation failed: ERROR: <input>:1:1: undeclared reference to 'gone' (in \
         container '')\n | gone == 1\n | ^",
    );
    refused(
        json!({"matchConditions": [{"name": "a", "expression": "variables.x == 1"}],
            "validations": [{"expression": "true"}]}),
        "spec.matchConditions[0].expression: compilation failed: ERROR: <input>:1:1: undeclared reference to \
         'variables' (in container '')\n | variables.x == 1\n | ^",
    );
    refused(
        json!({"validations": [{"expression": "true", "messageExpression": "authorizer.path('/').check('get').reason()"}]}),
        "spec.validations[0].messageExpression: compilation failed: ERROR: <input>:1:1: undeclared reference to \
         'authorizer' (in container '')\n | authorizer.path('/').check('get').reason()\n | ^",
    );
    refused(
        json!({"validations": [{"expression": "request.gone == ''"}]}),
        "spec.validations[0].expression: compilation failed: ERROR: <input>:1:8: undefined field 'gone'\n | \
         request.gone == ''\n | .......^",
    );
    refused(
        json!({"validation": []}),
        "spec: unknown field `validation`, expected one of `paramKind`, \
         `matchConstraints`, `validations`, `failurePolicy`, `auditAnnotations`, `matchConditions`, `variables`",
    );
    refused(
        json!({"validations": []}),
        "spec.validations: validations or auditAnnotations must contain at least one item",
    );
}

#[test]
fn budgets() {
    let range = (0..10).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let loops = "e"
        .repeat(6)
        .bytes()
        .enumerate()
        .fold("true".to_owned(), |inner, (at, _)| format!("[{range}].all(x{at}, {inner})"));
    check(
        json!({"validations": [{"expression": loops}]}),
        json!({}),
        &format!(
            "422 Invalid: expression '{loops}' resulted in error: operation cancelled: actual cost limit exceeded"
        ),
    );
}
