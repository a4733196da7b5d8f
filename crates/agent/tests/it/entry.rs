//! Our entries on a real API server: rules come and go, `Fail` stands only while it stops no cluster, questions are
//! answered by the authorizer.
use seawall_agent::Target;
use seawall_cluster::access::{About, Access, AccessError, Attributes, Question, review};
use seawall_cluster::{
    ASK_EVERY, Connection, FailurePolicy, Guard, Hindrance, POLICIES, RegistrationEvent, Replicas,
    Rule, Standing, Wanted, connect, keep_asking, keep_registered,
};
use seawall_e2e::server::Server;
use seawall_model::Millis;
use seawall_model::time::FixedClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// 2026-01-02T00:00:00Z
const NOW: Millis = 1_767_312_000_000;
const HOUR: Duration = Duration::from_secs(3_600);

fn configuration() -> Value {
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "seawall"}, "webhooks": [{"name": "workloads.seawall.internal",
            "failurePolicy": "Ignore", "timeoutSeconds": 1, "sideEffects": "NoneOnDryRun",
            "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/admit"},
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]},
            "matchConditions": [{"name": "not-a-node", "expression": "!(\"system:nodes\" in request.userInfo.groups)"}],
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"], "scope": "Namespaced"}]}]})
}

/// A kept entry, and what its keeper is told by.
struct Kept<'a> {
    server: &'a Server,
    clock: Arc<FixedClock>,
    wanted: watch::Sender<Wanted>,
    replicas: watch::Sender<Option<Replicas>>,
    errors: watch::Sender<Option<Millis>>,
    leaving: watch::Sender<bool>,
    events: mpsc::Receiver<RegistrationEvent>,
    keeping: tokio::task::JoinHandle<()>,
}

impl<'a> Kept<'a> {
    fn new(server: &'a Server, connection: &Connection, failure_policy: FailurePolicy) -> Self {
        let ca_pem = Some("ca".to_owned());
        let (wanted, following) =
            watch::channel(Wanted { ca_pem, failure_policy, ..Wanted::default() });
        let (replicas, counted) = watch::channel(Some(Replicas { ready: 2, nodes: 2 }));
        let (errors, last_error) = watch::channel(None);
        let (leaving, left) = watch::channel(false);
        let clock = Arc::new(FixedClock::at(NOW));
        let guard = Guard {
            clock: clock.clone(),
            replicas: counted,
            last_error,
            calm: HOUR,
            leaving: left,
        };
        let (sink, events) = mpsc::channel(8);
        let name = "seawall".to_owned();
        let served = keep_asking(connection, None, ASK_EVERY);
        let keeping =
            tokio::spawn(keep_registered(connection.clone(), name, following, served, guard, sink));
        Self { server, clock, wanted, replicas, errors, leaving, events, keeping }
    }

    async fn told(&mut self) -> RegistrationEvent {
        let told = tokio::time::timeout(Duration::from_secs(15), self.events.recv()).await;
        told.expect("an event in time").expect("the keeper runs")
    }

    async fn stands(&mut self, policy: FailurePolicy, why: Option<Hindrance>) {
        assert_eq!(self.told().await, RegistrationEvent::FailurePolicy(Standing { policy, why }));
        let webhooks = self.webhooks();
        assert!(webhooks.iter().all(|webhook| webhook["failurePolicy"] == policy.as_str()));
    }

    fn configuration(&self) -> Value {
        let get = ["get", "validatingwebhookconfiguration", "seawall", "-o", "json"];
        serde_json::from_slice(&self.server.kubectl(&get).stdout).unwrap()
    }

    fn webhooks(&self) -> Vec<Value> {
        self.configuration()["webhooks"].as_array().unwrap().clone()
    }

    fn last_error(&self) -> Option<String> {
        let annotations = &self.configuration()["metadata"]["annotations"];
        annotations["seawall.dev/last-error"].as_str().map(str::to_owned)
    }

    /// The second entry, once it is as wanted.
    async fn second(&self, fits: impl Fn(Option<&Value>) -> bool) -> Option<Value> {
        for _ in 0..150 {
            let webhooks = self.webhooks();
            let second = webhooks.iter().find(|webhook| webhook["name"] == POLICIES);
            if fits(second) {
                return second.cloned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?}", self.webhooks());
    }

    fn patch(&self, operations: &Value) {
        let patch = operations.as_array().unwrap();
        self.server.patch("validatingwebhookconfiguration/seawall", patch);
        self.look();
    }

    fn advance(&self, millis: Millis) {
        self.clock.advance(millis);
        self.look();
    }

    /// Now, not within ten seconds.
    fn look(&self) {
        self.replicas.send_modify(|_| {});
    }
}

fn rule(group: &str, resource: &str, operation: &str) -> Rule {
    let one = |text: &str| vec![text.to_owned()];
    Rule {
        groups: one(group),
        versions: one("*"),
        resources: one(resource),
        operations: one(operation),
        ..Rule::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_follow_what_is_wanted_on_a_real_api_server() {
    let Some(server) = Server::start_lone() else { return };
    server.kubectl_file(&["create"], &configuration().to_string());
    let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
    let connection = connect(&target).await.unwrap();
    rules_come_and_go(&server, &connection).await;
    fail_is_guarded(&server, &connection).await;
    agents_agree(&server, &connection).await;
    the_authorizer_answers(&server, &connection).await;
}

async fn rules_come_and_go(server: &Server, connection: &Connection) {
    let mut kept = Kept::new(server, connection, FailurePolicy::Ignore);
    assert_eq!(kept.told().await, RegistrationEvent::Registered);
    assert!(matches!(kept.told().await, RegistrationEvent::FailurePolicy(_)));
    assert_eq!(kept.webhooks().len(), 1);
    // What the chart's entry asks about already makes no second one.
    kept.wanted.send_modify(|wanted| wanted.rules = vec![rule("apps", "deployments", "CREATE")]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(kept.webhooks().len(), 1);

    kept.wanted.send_modify(|wanted| {
        wanted.rules = vec![
            rule("", "services", "CREATE"),
            rule("apps", "deployments", "*"),
            rule("rbac.authorization.k8s.io", "*", "CREATE"),
            rule("", "secrets", "CREATE"),
        ];
    });
    let second = kept.second(|second| second.is_some()).await.unwrap();
    let rules = json!([
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
         "resources": ["services"], "scope": "Namespaced"},
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["DELETE", "CONNECT"],
         "resources": ["deployments"], "scope": "Namespaced"},
        {"apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE"],
         "resources": ["clusterrolebindings", "clusterroles"], "scope": "Cluster"},
        {"apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE"],
         "resources": ["rolebindings", "roles"], "scope": "Namespaced"},
    ]);
    assert_eq!(second["rules"], rules);
    let first = kept.webhooks().remove(0);
    for copied in ["clientConfig", "namespaceSelector", "matchConditions", "timeoutSeconds"] {
        assert_eq!(second[copied], first[copied], "{copied}");
    }
    let RegistrationEvent::Unjudged(problems) = kept.told().await else {
        panic!("secrets are told")
    };
    assert!(problems[0].contains("secrets"), "{problems:?}");

    // Somebody takes it away, or widens it: it comes back, and is told. So is what is not ours.
    kept.patch(&json!([{"op": "remove", "path": "/webhooks/1"}]));
    assert_eq!(kept.told().await, RegistrationEvent::Restored);
    kept.second(|second| second.is_some_and(|second| second["rules"] == rules)).await;
    kept.patch(&json!([
        {"op": "replace", "path": "/webhooks/1/namespaceSelector", "value": {"matchLabels": {"a": "b"}}},
        {"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 2},
    ]));
    assert_eq!(kept.told().await, RegistrationEvent::Restored);
    assert_eq!(kept.told().await, RegistrationEvent::Altered);
    kept.second(|second| second.is_some_and(|second| second["timeoutSeconds"] == 2)).await;

    kept.wanted.send_modify(|wanted| wanted.rules.clear());
    kept.second(|second| second.is_none()).await;
    assert_eq!(kept.told().await, RegistrationEvent::Unjudged(Vec::new()));
    kept.keeping.abort();
}

async fn fail_is_guarded(server: &Server, connection: &Connection) {
    use FailurePolicy::{Fail, Ignore};
    let mut kept = Kept::new(server, connection, Fail);
    kept.wanted.send_modify(|wanted| wanted.rules = vec![rule("", "services", "CREATE")]);
    assert_eq!(kept.told().await, RegistrationEvent::Registered);
    let until = NOW + 3_600_000;
    kept.stands(Ignore, Some(Hindrance::Recent { last_error: NOW, until })).await;
    assert_eq!(kept.last_error().as_deref(), Some("2026-01-02T00:00:00Z"));
    kept.advance(3_600_000);
    kept.stands(Fail, None).await;
    kept.second(|second| second.is_some_and(|second| second["failurePolicy"] == "Fail")).await;
    // Nobody listens there: what the entries are about is refused.
    let refused = server.kubectl(&["create", "deployment", "a", "--image=a"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("failed calling webhook"), "{told}");

    let one = Replicas { ready: 2, nodes: 1 };
    kept.replicas.send_replace(Some(one));
    kept.stands(Ignore, Some(Hindrance::Few(one))).await;
    assert!(server.kubectl(&["create", "deployment", "a", "--image=a"]).status.success());
    kept.replicas.send_replace(Some(Replicas { ready: 3, nodes: 2 }));
    kept.stands(Fail, None).await;

    // An error of this agent, and one that another wrote down.
    kept.errors.send_replace(Some(until));
    let hindrance = Hindrance::Recent { last_error: until, until: until + 3_600_000 };
    kept.stands(Ignore, Some(hindrance)).await;
    assert_eq!(kept.last_error().as_deref(), Some("2026-01-02T01:00:00Z"));
    kept.advance(7_200_000);
    kept.stands(Fail, None).await;
    kept.patch(&json!([{"op": "replace", "path": "/metadata/annotations/seawall.dev~1last-error",
        "value": "2026-01-02T02:30:00Z"}]));
    let last_error = NOW + 9_000_000;
    kept.stands(Ignore, Some(Hindrance::Recent { last_error, until: last_error + 3_600_000 }))
        .await;
    kept.advance(7_200_000);
    kept.stands(Fail, None).await;

    // Who ends lets go of it, and leaves the time of the last error to the others.
    kept.leaving.send_replace(true);
    kept.stands(Ignore, Some(Hindrance::Leaving)).await;
    assert_eq!(kept.last_error().as_deref(), Some("2026-01-02T02:30:00Z"));
    kept.keeping.await.unwrap();
}

/// Of two agents that want the same each leaves the other's values alone; the wish for `Ignore` takes all back.
async fn agents_agree(server: &Server, connection: &Connection) {
    let mut one = Kept::new(server, connection, FailurePolicy::Ignore);
    let mut other = Kept::new(server, connection, FailurePolicy::Ignore);
    for kept in [&mut one, &mut other] {
        assert_eq!(kept.told().await, RegistrationEvent::Registered);
        assert!(matches!(kept.told().await, RegistrationEvent::FailurePolicy(_)));
    }
    assert_eq!(one.last_error(), None);
    // A new CA reaches one before the other: neither takes the other for an attacker.
    for (kept, ca) in [(&one, "new"), (&other, "new")] {
        kept.wanted.send_modify(|wanted| wanted.ca_pem = Some(ca.to_owned()));
        kept.wanted.send_modify(|wanted| wanted.rules = vec![rule("", "services", "CREATE")]);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    one.second(|second| second.is_some()).await;
    assert!(one.events.try_recv().is_err() && other.events.try_recv().is_err());
    one.keeping.abort();
    other.keeping.abort();
}

async fn the_authorizer_answers(server: &Server, connection: &Connection) {
    let create = ["create", "clusterrole", "reader", "--verb=get,list", "--resource=pods"];
    assert!(server.kubectl(&create).status.success());
    let bind =
        ["create", "clusterrolebinding", "reader", "--clusterrole=reader", "--group=readers"];
    assert!(server.kubectl(&bind).status.success());
    let ask = async |groups: &[&str], about: About| -> Access {
        let groups = groups.iter().map(ToString::to_string).collect();
        let question = Question { user: "ann".to_owned(), groups, about, ..Question::default() };
        review(connection, &question, Duration::from_secs(5)).await.unwrap()
    };
    let pods = |verb: &str| {
        About::Resource(Box::new(Attributes {
            verb: verb.to_owned(),
            version: "v1".to_owned(),
            resource: "pods".to_owned(),
            namespace: "default".to_owned(),
            label_selector: "app=a".to_owned(),
            ..Attributes::default()
        }))
    };
    let mut allowed = ask(&["readers"], pods("list")).await;
    for _ in 0..50 {
        // The authorizer sees the binding a moment later.
        if allowed.allowed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        allowed = ask(&["readers"], pods("list")).await;
    }
    assert!(allowed.allowed && allowed.reason.contains("ClusterRole \"reader\""), "{allowed:?}");
    assert!(!ask(&["readers"], pods("delete")).await.allowed);
    assert!(!ask(&["others"], pods("list")).await.allowed);
    let path = |path: &str| About::Path { verb: "get".to_owned(), path: path.to_owned() };
    assert!(ask(&["system:authenticated"], path("/version")).await.allowed);
    assert!(!ask(&["system:authenticated"], path("/metrics")).await.allowed);

    // Who may not ask is told which right is missing.
    let create = ["create", "clusterrole", "namer", "--verb=get", "--resource=namespaces"];
    assert!(server.kubectl(&create).status.success());
    let bind = ["create", "clusterrolebinding", "namer", "--clusterrole=namer", "--user=limited"];
    assert!(server.kubectl(&bind).status.success());
    let limited = Target { kubeconfig: Some(server.kubeconfig("limited")), context: None };
    let mut limited_connection = connect(&limited).await;
    for _ in 0..50 {
        if limited_connection.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        limited_connection = connect(&limited).await;
    }
    let question = Question { user: "ann".to_owned(), about: pods("list"), ..Question::default() };
    let within = Duration::from_secs(5);
    let refused = review(&limited_connection.unwrap(), &question, within).await.unwrap_err();
    assert!(matches!(refused, AccessError::Forbidden { .. }), "{refused:?}");
}
