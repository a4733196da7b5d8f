//! The audit decoder from outside: every source, and what is wrong with records.
use seawall_model::audit::{AuditEvent, Stage};
use seawall_rules::audit::{Counts, Decoded, Decoder, MAX_EVENT_BYTES};
use serde_json::{Value, json};

fn decode(bytes: &[u8]) -> (Decoded, Counts) {
    let mut decoder = Decoder::default();
    let decoded = decoder.decode(bytes);
    (decoded, decoder.counts())
}

fn record(id: &str) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": id,
        "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/pods?fieldManager=kubectl%20create&dryRun=All",
        "verb": "create", "user": {"username": "alice", "groups": ["devs", "system:authenticated"]},
        "impersonatedUser": {"username": "bob"}, "sourceIPs": ["203.0.113.7", "10.0.0.1"], "userAgent": "kubectl/v1.34",
        "objectRef": {"resource": "pods", "namespace": "shop", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": {"kind": "Pod", "metadata": {"generateName": "web-"}},
        "responseObject": {"kind": "Pod", "metadata": {"name": "web-x", "uid": "u1"}},
        "requestReceivedTimestamp": "2026-11-25T03:00:00.000000Z", "stageTimestamp": "2026-11-25T03:00:01.500000Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: x"},
    })
}

/// Ids of the events, then records, foreign, duplicates, faulty.
#[track_caller]
fn check(text: &str, ids: &[&str], counts: [u64; 4]) {
    let (decoded, found) = decode(text.as_bytes());
    let found_ids: Vec<_> =
        decoded.events.iter().map(|one| one.event.id.as_deref().unwrap_or("-")).collect();
    assert_eq!(found_ids, ids, "{:?}", decoded.problems);
    let [records, foreign, duplicates, faulty] = counts;
    assert_eq!(found, Counts { records, foreign, duplicates, faulty }, "{:?}", decoded.problems);
    assert_eq!(decoded.problems.len() as u64, faulty);
    for problem in &decoded.problems {
        assert!(problem.line.is_some_and(|line| u64::from(line) <= records), "{problem}");
    }
}

#[test]
fn a_record_is_read_whole() {
    let (decoded, _) = decode(record("a").to_string().as_bytes());
    let event = &*decoded.events[0].event;
    let expected = AuditEvent {
        id: Some("a".into()),
        stage: Stage::ResponseComplete,
        time_ns: Some(1_795_575_601_500_000_000),
        cluster: None,
        user: Some("alice".into()),
        groups: vec!["devs".into(), "system:authenticated".into()],
        impersonated: Some("bob".into()),
        addresses: vec!["203.0.113.7".into(), "10.0.0.1".into()],
        user_agent: Some("kubectl/v1.34".into()),
        verb: Some("create".into()),
        uri: record("a")["requestURI"].as_str().map(str::to_owned),
        query: vec![
            ("fieldManager".into(), "kubectl create".into()),
            ("dryRun".into(), "All".into()),
        ],
        object: Some(seawall_model::audit::ObjectRef {
            version: Some("v1".into()),
            resource: Some("pods".into()),
            namespace: Some("shop".into()),
            ..Default::default()
        }),
        code: Some(201),
        reason: None,
        decision: Some("allow".into()),
        decision_reason: Some("RBAC: x".into()),
        json: record("a"),
    };
    assert_eq!(*event, expected);
    assert_eq!(event.name(), Some("web-x"));
}

#[test]
fn every_layout_of_records_is_read() {
    let (a, b) = (record("a").to_string(), record("b").to_string());
    check(&format!("{a}\n{b}\n"), &["a", "b"], [2, 0, 0, 0]);
    check(&format!("{a}{b}"), &["a", "b"], [2, 0, 0, 0]);
    check(&format!("[{a},{b}]"), &["a", "b"], [2, 0, 0, 0]);
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [record("a"), record("b")]});
    check(&list.to_string(), &["a", "b"], [2, 0, 0, 0]);
    check(&serde_json::to_string_pretty(&list).unwrap(), &["a", "b"], [2, 0, 0, 0]);
    let old = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1beta1", "auditID": "o", "timestamp": "2018-10-25T13:58:49Z"});
    check(&old.to_string(), &["o"], [1, 0, 0, 0]);
    let bare = json!({"kind": "Event", "verb": "create", "objectRef": {"resource": "services"}});
    check(&bare.to_string(), &["-"], [1, 0, 0, 0]);
    check("", &[], [0; 4]);
}

#[test]
fn clouds_wrap_records_in_their_own_ways() {
    let text = |id| record(id).to_string();
    let watch = json!({
        "messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/prod/cluster", "logStream": "kube-apiserver-audit-0a",
        "logEvents": [
            {"id": "1", "timestamp": 1_700_000_000_000_u64, "message": text("a")},
            {"id": "2", "timestamp": 1_700_000_000_001_u64, "message": "{\"kind\": \"Ev"},
            {"id": "3", "timestamp": 1_700_000_000_002_u64, "message": record("c")},
        ],
    });
    check(&watch.to_string(), &["a", "c"], [3, 0, 0, 1]);
    let (decoded, _) = decode(watch.to_string().as_bytes());
    assert_eq!(decoded.events[0].event.cluster.as_deref(), Some("prod"));
    let api = json!({"logStream": "kube-apiserver-0a", "logEvents": [{"message": "I0101 12:00:00 trace.go: x"}]});
    check(&api.to_string(), &[], [1, 1, 0, 0]);
    check(
        r#"{"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL"}]}"#,
        &[],
        [1, 1, 0, 0],
    );
    let azure = |category: &str, id| {
        json!({"category": category, "time": "2026-11-25T03:00:00Z", "properties": {"log": text(id)},
            "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/M/MANAGEDCLUSTERS/PROD"})
    };
    let records = json!({"records": [azure("kube-audit", "a"), azure("kube-audit-admin", "b"), azure("guard", "c"), 1]});
    check(&records.to_string(), &["a", "b"], [4, 1, 0, 1]);
    check(&azure("kube-audit", "a").to_string(), &["a"], [1, 0, 0, 0]);
    check(r#"{"category": "kube-audit", "properties": {}}"#, &[], [1, 0, 0, 1]);
    let google = json!({
        "insertId": "i1", "timestamp": "2026-11-25T03:00:00.25Z",
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod"}},
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: y"},
        "protoPayload": {
            "serviceName": "k8s.io", "methodName": "io.k8s.core.v1.pods.exec.create",
            "resourceName": "core/v1/namespaces/shop/pods/web/exec",
            "authenticationInfo": {"principalEmail": "alice@example.com"},
            "requestMetadata": {"callerIp": "203.0.113.7", "callerSuppliedUserAgent": "kubectl"},
        },
    });
    let (decoded, _) = decode(json!({"entries": [google, google]}).to_string().as_bytes());
    assert_eq!(decoded.events.len(), 1, "the second is a duplicate");
    let event = &decoded.events[0].event;
    let object = event.object.as_ref().unwrap();
    assert_eq!(event.stage, Stage::ResponseStarted, "no source says it of an exec");
    assert_eq!((event.code, event.cluster.as_deref()), (Some(101), Some("prod")));
    assert_eq!(event.time_ns, Some(1_795_575_600_250_000_000));
    assert_eq!(event.user.as_deref(), Some("alice@example.com"));
    assert_eq!(event.decision_reason.as_deref(), Some("RBAC: y"));
    assert_eq!(object.subresource.as_deref(), Some("exec"));
    assert_eq!(object.namespace.as_deref(), Some("shop"));
    assert_eq!(object.name.as_deref(), Some("web"));
}

#[test]
fn foreign_records_are_counted_and_pass() {
    for foreign in [
        r#"{"kind": "Event", "apiVersion": "v1", "involvedObject": {"kind": "Pod"}, "message": "x"}"#,
        r#"{"kind": "Event", "apiVersion": "audit.k8s.io/v1alpha1", "auditID": "x"}"#,
        r#"{"kind": "Pod", "apiVersion": "v1"}"#,
        r#"{"category": "Administrative"}"#,
        r#"{"protoPayload": {"serviceName": "compute.googleapis.com", "methodName": "insert"}}"#,
        r#"{"message": "hello"}"#,
        "{}",
    ] {
        check(foreign, &[], [1, 1, 0, 0]);
    }
}

#[test]
fn duplicates_go_by_id_and_stage() {
    let mut started = record("a");
    started["stage"] = "ResponseStarted".into();
    check(&format!("{}{}{}", record("a"), started, record("a")), &["a", "a"], [3, 0, 1, 0]);
    let mut nameless = record("a");
    nameless.as_object_mut().unwrap().shift_remove("auditID");
    check(&format!("{nameless}{nameless}"), &["-", "-"], [2, 0, 0, 0]);
    // A client may set the header `Audit-ID`, so another request under the same id is another one.
    let mut hidden = record("a");
    hidden["verb"] = "delete".into();
    check(&format!("{}{hidden}", record("a")), &["a", "a"], [2, 0, 0, 0]);
}

#[test]
fn a_bad_record_costs_no_other() {
    let (a, b) = (record("a").to_string(), record("b").to_string());
    check(&format!("{a}\n{{\"kind\": \"Ev\n{b}\n"), &["a", "b"], [3, 0, 0, 1]);
    check(&format!("{a}\n{{\"kind\":\n{b}\n"), &["a", "b"], [3, 0, 0, 1]);
    check(&format!("{a}\nnoise\n{b}"), &["a", "b"], [3, 0, 0, 1]);
    check(&format!("[{a}, 7, {b}]"), &["a", "b"], [3, 0, 0, 1]);
    check(&format!("{a}\n{}\n{b}", &a[..a.len() / 2]), &["a", "b"], [3, 0, 0, 1]);
    let deep = format!(r#"{{"kind": "Event", "verb": {}1{}}}"#, "[".repeat(500), "]".repeat(500));
    check(&format!("{deep}\n{b}"), &["b"], [2, 0, 0, 1]);
    let mut bytes = record("a").to_string().into_bytes();
    let at = bytes.windows(2).position(|two| two == b"al").unwrap();
    bytes[at] = 0xff;
    let (decoded, counts) = decode(&bytes);
    assert_eq!((decoded.events.len(), counts.faulty), (1, 0), "no UTF-8, and yet JSON");
}

#[test]
fn fields_of_a_wrong_type_are_absent_and_named() {
    for (key, value, path) in [
        ("user", json!("alice"), "/user"),
        ("user", json!({"username": 7}), "/user/username"),
        ("sourceIPs", json!("10.0.0.1"), "/sourceIPs"),
        ("sourceIPs", json!(["10.0.0.1", 7]), "/sourceIPs"),
        ("objectRef", json!([]), "/objectRef"),
        ("responseStatus", json!({"code": "200"}), "/responseStatus/code"),
        ("stage", json!("Done"), "/stage"),
        ("stageTimestamp", json!("yesterday"), "/stageTimestamp"),
        ("annotations", json!(7), "/annotations"),
        ("verb", json!({}), "/verb"),
    ] {
        let mut wrong = record("a");
        wrong[key] = value;
        let (decoded, counts) = decode(format!("{wrong}\n{}", record("b")).as_bytes());
        assert_eq!(decoded.events.len(), 2, "{path}");
        assert_eq!((counts.records, counts.faulty), (2, 1), "{path}");
        assert!(decoded.problems[0].message.ends_with(path), "{path}: {}", decoded.problems[0]);
        assert_eq!(decoded.events[0].event.id.as_deref(), Some("a"));
    }
    let mut empty = record("a");
    empty["user"] = Value::Null;
    check(&empty.to_string(), &["a"], [1, 0, 0, 0]);
}

#[test]
fn large_records_are_refused_and_large_batches_are_not() {
    let mut large = record("large");
    large["requestObject"]["data"] = "x".repeat(MAX_EVENT_BYTES).into();
    check(&format!("{large}\n{}", record("b")), &["b"], [2, 0, 0, 1]);
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [record("a"), large, record("b")]});
    check(&list.to_string(), &["a", "b"], [3, 0, 0, 1]);
    let text = json!({"logEvents": [{"message": large.to_string()}, {"message": record("b").to_string()}]});
    check(&text.to_string(), &["b"], [2, 0, 0, 1]);
}

#[test]
fn a_missing_stage_is_the_one_that_matters() {
    let stage = |verb: &str, subresource: Option<&str>| {
        let mut record = record("a");
        record.as_object_mut().unwrap().shift_remove("stage");
        record["verb"] = verb.into();
        record["objectRef"]["subresource"] = subresource.into();
        decode(record.to_string().as_bytes()).0.events[0].event.stage
    };
    for subresource in ["exec", "attach", "portforward"] {
        assert_eq!(stage("create", Some(subresource)), Stage::ResponseStarted);
    }
    assert_eq!(stage("watch", None), Stage::ResponseStarted);
    assert_eq!(stage("create", None), Stage::ResponseComplete);
    assert_eq!(stage("get", Some("log")), Stage::ResponseComplete);
}
