//! The catalogue on real audit logs. They lie beside the repository.
use super::content::catalogue;
use seawall_model::alert::{Firing, Object};
use seawall_rules::attack::Attack;
use seawall_rules::audit::{AuditLog, Counts};
use seawall_rules::firing::{Detections, Node};
use seawall_rules::replay::{AuditReplay, ReplayOptions, Replayed};
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/audit");

fn is_here() -> bool {
    std::path::Path::new(FOLDER).is_dir()
}

fn detections() -> Detections {
    let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    Detections { rules: Arc::new(catalogue()), attack: Arc::new(attack) }
}

fn judge(log: &[u8]) -> (Vec<Firing>, Counts) {
    let mut stream = AuditLog::new(detections());
    let node = Node { cluster: "prod", now: 7, ..Node::default() };
    let mut heeded = 0;
    let judged = stream.judge(log, node, &mut |_| heeded += 1);
    let counts = stream.counts();
    assert_eq!(judged.problems.len() as u64, counts.faulty);
    assert!(heeded + counts.foreign + counts.duplicates <= counts.records);
    (judged.firings, stream.counts())
}

/// File, records, foreign ones, and of each firing the detection, actor, address and object.
const EXPECTED: [(&str, u64, u64, &[&str]); 15] = [
    ("webhook/anonymous_creates_namespace_foo.json", 1, 0, &[]),
    (
        "webhook/attach_cluster_admin_role.json",
        1,
        0,
        &["SW-D-0006 minikube-user 192.168.99.1 create clusterrolebindings some-reader-binding"],
    ),
    ("webhook/create_cluster_role_wildcard_verbs.json", 1, 0, &[]),
    ("webhook/create_configmap_no_sensitive_values.json", 1, 0, &[]),
    ("webhook/create_configmap_sensitive_values.json", 6, 0, &[]),
    // A controller makes these of Deployments that somebody created before.
    ("webhook/create_nginx_pod_privileged.json", 1, 0, &[]),
    ("webhook/create_nginx_pod_sensitive_mount.json", 1, 0, &[]),
    ("webhook/create_nginx_pod_unprivileged.json", 1, 0, &[]),
    ("webhook/create_nginx_service_nodeport.json", 1, 0, &[]),
    ("webhook/create_serviceaccount_kube_system_namespace.json", 1, 0, &[]),
    ("webhook/delete_namespace_foo.json", 1, 0, &[]),
    (
        "webhook/exec_pod.json",
        1,
        0,
        &[
            "SW-D-0007 minikube-user 192.168.99.1 create pods/exec nginx-deployment-7998647bdf-phvq7",
        ],
    ),
    ("aks-events.jsonl", 6, 1, &[]),
    ("eks-events.jsonl", 6, 0, &[]),
    (
        "gke-events.jsonl",
        6,
        1,
        &[
            "SW-D-0005 some.user@company.com 1.2.3.4 create pods test",
            "SW-D-0006 user@company.com 8.8.8.8 create clusterrolebindings admin-binding",
        ],
    ),
];

#[test]
fn real_files_give_what_they_show() {
    if !is_here() {
        println!("skipped: {FOLDER} is absent");
        return;
    }
    let folder = std::path::Path::new(FOLDER);
    for (file, records, foreign, expected) in EXPECTED {
        let (firings, counts) = judge(&std::fs::read(folder.join(file)).unwrap());
        let shown: Vec<String> = firings
            .iter()
            .map(|firing| {
                let actor = firing.actor.as_ref().unwrap();
                let Some(Object::Api { resource, name, verb, .. }) = &firing.object else {
                    panic!("{file}: a request is about an object of the API");
                };
                assert!(firing.output.contains(&actor.user), "{file}: {}", firing.output);
                let address = actor.address.as_deref().unwrap();
                assert!(firing.output.contains(address), "{file}: {}", firing.output);
                assert!(
                    firing.output.contains(name.as_deref().unwrap()),
                    "{file}: {}",
                    firing.output
                );
                [&firing.detection, &actor.user, address, verb, resource, name.as_ref().unwrap()]
                    .map(|part| part as &str)
                    .join(" ")
            })
            .collect();
        assert_eq!(shown, expected, "{file}");
        let (duplicates, faulty) = (0, 0);
        assert_eq!(counts, Counts { records, foreign, duplicates, faulty }, "{file}");
    }
    let webhook = std::fs::read_dir(folder.join("webhook")).unwrap().count();
    assert_eq!(webhook, 12, "a file that no line above names");
}

/// The columns of the Helm log as a record: it has neither bodies nor groups.
fn of_row(row: &str) -> Value {
    let cells: Vec<&str> = {
        let quoted = row.strip_prefix('"').expect("the cluster is quoted");
        let (_, rest) = quoted.split_once("\",").expect("the quote ends");
        rest.split(',').collect()
    };
    let [time, user, verb, resource, subresource, name, _, uri @ .., id, stage, code, _, _, _] =
        cells.as_slice()
    else {
        panic!("a row of another shape: {row}");
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": id, "stage": stage, "verb": verb,
        "requestURI": uri.join(","), "stageTimestamp": time, "user": {"username": user},
        "objectRef": {"resource": some(resource), "subresource": some(subresource), "name": some(name)},
        "responseStatus": {"code": code.parse::<u16>().ok()},
    })
}

#[test]
fn a_benign_log_of_helm_raises_nothing_of_weight() {
    if !is_here() {
        println!("skipped: {FOLDER} is absent");
        return;
    }
    let folder = std::path::Path::new(FOLDER);
    let file = std::fs::File::open(folder.join("helm-churn-first-half.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let records: Vec<String> = text.lines().map(|row| of_row(row).to_string()).collect();
    assert_eq!(records.len(), 8_282);
    let (firings, counts) = judge(records.join("\n").as_bytes());
    assert_eq!((counts.records, counts.foreign, counts.faulty), (8_282, 0, 0));
    let told: Vec<_> = firings.iter().map(|firing| (&firing.title, firing.severity)).collect();
    assert!(
        told.iter().all(|(_, severity)| !severity.meets(seawall_model::Severity::Medium)),
        "{told:?}"
    );
    assert!(told.len() <= 5, "{told:?}");
}

fn record(user: &str, verb: &str, object: Value, body: Value) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "verb": verb,
        "auditID": format!("{user}-{object}"), "user": {"username": user, "groups": ["g"]}, "userAgent": "kubectl",
        "sourceIPs": ["203.0.113.7", "10.0.0.1"], "objectRef": object, "responseStatus": {"code": 201},
        "requestObject": body, "stageTimestamp": "2026-11-25T03:00:00Z",
    })
}

/// What one `kubectl create deployment` leaves in the log: the Deployment, its ReplicaSet, two pods, their binding.
#[test]
fn a_deployment_fires_once_with_its_actor_and_place() {
    let spec = json!({"containers": [{"name": "a", "image": "nginx", "securityContext": {"privileged": true}}]});
    let controller = |name: &str| format!("system:serviceaccount:kube-system:{name}-controller");
    let owned = |kind: &str, name: &str| json!({"ownerReferences": [{"kind": kind, "name": name, "controller": true}]});
    let pod = |name: &str| {
        let body = json!({"metadata": owned("ReplicaSet", "web-5cd"), "spec": spec});
        record(
            &controller("replicaset"),
            "create",
            json!({"resource": "pods", "namespace": "shop", "name": name}),
            body,
        )
    };
    let template = json!({"template": {"spec": spec}});
    let log = [
        record(
            "alice",
            "create",
            json!({"resource": "deployments", "apiGroup": "apps", "namespace": "shop", "name": "web"}),
            json!({"spec": template}),
        ),
        record(
            &controller("deployment"),
            "create",
            json!({"resource": "replicasets", "namespace": "shop", "name": "web-5cd"}),
            json!({"metadata": owned("Deployment", "web"), "spec": template}),
        ),
        record(
            &controller("deployment"),
            "update",
            json!({"resource": "deployments", "namespace": "shop", "name": "web"}),
            json!({"spec": template}),
        ),
        pod("web-5cd-1"),
        pod("web-5cd-2"),
        record(
            "system:kube-scheduler",
            "create",
            json!({"resource": "pods", "subresource": "binding", "namespace": "shop", "name": "web-5cd-1"}),
            json!({"target": {"name": "n1"}}),
        ),
    ];
    let text: String = log.iter().map(|record| record.to_string() + "\n").collect();
    let (firings, _) = judge(format!("{text}{text}").as_bytes());
    let [firing] = firings.as_slice() else { panic!("{firings:#?}") };
    assert_eq!((firing.detection.as_str(), firing.source.as_str()), ("SW-D-0004", "k8s_audit"));
    assert_eq!(firing.time, 1_795_575_600_000);
    let place = &firing.location;
    assert_eq!((place.cluster.as_str(), place.namespace.as_deref()), ("prod", Some("shop")));
    assert_eq!(place.workload.as_deref(), Some("Deployment/web"));
    assert_eq!((&place.pod, &place.node), (&None, &None));
    assert!(firing.process.is_empty(), "a request has no process");
    let actor = firing.actor.as_ref().unwrap();
    assert_eq!((actor.user.as_str(), actor.groups.as_slice()), ("alice", &["g".to_owned()][..]));
    assert_eq!(actor.address.as_deref(), Some("203.0.113.7"));
    assert_eq!(actor.user_agent.as_deref(), Some("kubectl"));
    let object = Object::Api {
        resource: "deployments".into(),
        namespace: Some("shop".into()),
        name: Some("web".into()),
        verb: "create".into(),
    };
    assert_eq!(firing.object, Some(object));
    assert!(
        firing.why.iter().any(|why| why.expression == "obj.pod.privileged = true"),
        "{:?}",
        firing.why
    );
}

/// An exec lasts: it is reported when it starts and when it ends.
#[test]
fn an_exec_fires_once_where_its_pod_is() {
    let stage = |stage: &str| {
        let object = json!({"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web-x"});
        let mut record = record("alice", "get", object, Value::Null);
        record["stage"] = stage.into();
        record["requestURI"] =
            "/api/v1/namespaces/shop/pods/web-x/exec?command=sh&container=app".into();
        record["responseStatus"] = json!({"code": 101});
        record.to_string()
    };
    let (firings, _) = judge((stage("ResponseStarted") + &stage("ResponseComplete")).as_bytes());
    let [firing] = firings.as_slice() else { panic!("{firings:#?}") };
    assert_eq!(firing.detection, "SW-D-0007");
    let place = &firing.location;
    assert_eq!((place.pod.as_deref(), place.container.as_deref()), (Some("web-x"), Some("app")));
}

fn replay(text: &str, options: ReplayOptions, size: usize) -> Replayed {
    let rules = catalogue();
    let mut replay = AuditReplay::new(&rules, options);
    let mut all = Replayed::default();
    for chunk in text.as_bytes().chunks(size) {
        let (alerts, problems) = replay.push(chunk);
        all.alerts.extend(alerts);
        all.problems.extend(problems);
    }
    let rest = replay.end();
    all.alerts.extend(rest.alerts);
    all.problems.extend(rest.problems);
    Replayed { undecodable: rest.undecodable, ..all }
}

#[test]
fn a_replay_numbers_every_record_and_tells_times() {
    let bind = |id: &str| {
        let object = json!({"resource": "clusterrolebindings", "name": id});
        let body = json!({"roleRef": {"name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "bob"}]});
        record("alice", "create", object, body)
    };
    let timeless = |id: &str| {
        let mut record = bind(id);
        record.as_object_mut().unwrap().shift_remove("stageTimestamp");
        record
    };
    let text = format!(
        "{{\"kind\": \"Pod\"}}\n{}\nnoise\n{}\n{}\n",
        timeless("a"),
        bind("b"),
        timeless("c")
    );
    for size in [1, 100, 10_000] {
        let replayed = replay(&text, ReplayOptions::default(), size);
        let told: Vec<_> = replayed
            .alerts
            .iter()
            .map(|alert| (alert.json["event"].clone(), alert.json["time"].clone()))
            .collect();
        let time = json!("2026-11-25T03:00:00.000000000Z");
        assert_eq!(told, [(json!(2), json!(null)), (json!(4), time.clone()), (json!(5), time)]);
        let codes: Vec<_> =
            replayed.problems.iter().map(|problem| (problem.code.as_str(), problem.line)).collect();
        assert_eq!(codes, [("syntax", Some(3)), ("foreign", None), ("time", None)]);
        assert_eq!(replayed.undecodable, 1);
    }
    let alert = &replay(&bind("b").to_string(), ReplayOptions::default(), 64).alerts[0].json;
    assert_eq!((&alert["source"], &alert["severity"]), (&json!("k8s_audit"), &json!("medium")));
    assert_eq!(alert["output_fields"]["ka.user.name"], "alice");
    assert_eq!(alert["output_fields"]["ka.impuser.name"], Value::Null);
    assert_eq!(alert["output_fields"]["ka.sourceips[0]"], "203.0.113.7");
    // No record has a time, so none is told, and nothing is amiss.
    let untimed = replay(
        &(timeless("a").to_string() + &timeless("b").to_string()),
        ReplayOptions::default(),
        64,
    );
    assert_eq!(untimed.alerts.len(), 2);
    assert!(untimed.alerts.iter().all(|alert| alert.json["time"].is_null()));
    assert_eq!(untimed.problems, []);
}
