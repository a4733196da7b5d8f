//! Users' policy sets on a real API server: tried before they refuse, then heard by `kubectl`; what is slow, endless or
//! many stops no cluster.
use crate::webhook::{Certificates, apply, deployment};
use bytes::Bytes;
use seawall_agent::webhook::{
    AuditOutcome, Authorizer, Server as WebhookServer, Settings, Webhook,
};
use seawall_agent::{Agent, Config, Target, content};
use seawall_cluster::access;
use seawall_e2e::server::Server;
use seawall_model::Id;
use seawall_model::admission::{Decision, Desired, PolicyAction, Verdict};
use seawall_model::policy_set::{DesiredSet, Trial, TrialOutcome};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What the API server waits for an answer; reviews are judged for four fifths of it.
const TIMEOUT_SECONDS: u64 = 5;

/// A cluster with an agent and its webhook, as `seawall agent` joins them.
pub(crate) struct World {
    pub(crate) server: Server,
    agent: Agent,
    webhook: Arc<Webhook>,
    listening: WebhookServer,
    records: mpsc::Receiver<Record>,
}

impl World {
    async fn new() -> Option<Self> {
        Self::with(|server| {
            let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
            Config::new(target, Arc::new(SystemClock))
        })
        .await
    }

    /// With an agent of its own.
    pub(crate) async fn with(configure: impl FnOnce(&Server) -> Config) -> Option<Self> {
        let server = Server::start()?;
        let (sink, records) = mpsc::channel(4_096);
        let agent = Agent::start(configure(&server), sink.clone()).await.unwrap();
        let connection = agent.connection.clone();
        let authorizer: Authorizer = Box::new(move |question, within| {
            let connection = connection.clone();
            Box::pin(async move { access::review(&connection, &question, within).await })
        });
        let webhook = Webhook::new(Settings {
            agent: "agent-1".to_owned(),
            namespace: Some("seawall".to_owned()),
            clock: Arc::new(SystemClock),
            records: sink,
            audit: Box::new(|_: Bytes| Box::pin(async { AuditOutcome::Taken })),
            policy_sets: agent.policy_sets.clone(),
            authorizer: Some(authorizer),
        });
        let certificates = Certificates::new();
        let listening =
            WebhookServer::bind(([127, 0, 0, 1], 0).into(), certificates.tls(), webhook.clone());
        let listening = listening.await.unwrap();
        server.kubectl_file(&["create"], &configuration(&listening, &certificates.ca));
        Some(Self { server, agent, webhook, listening, records })
    }

    /// What the hub wants. What has been tried may refuse from then on.
    pub(crate) fn want(&self, sets: &[DesiredSet]) {
        let desired = Desired { policies: Vec::new(), sets: sets.to_vec() };
        assert_eq!(self.webhook.set_desired(&desired, &content().unwrap()), []);
    }

    /// The trial of a set's version.
    pub(crate) async fn tried(&mut self, set: &DesiredSet) -> Trial {
        let hearing = async {
            loop {
                match self.records.recv().await.unwrap() {
                    Record::Trial(trial)
                        if (trial.set, trial.version) == (set.set, set.version) =>
                    {
                        return *trial;
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), hearing).await.expect("a trial in time")
    }

    pub(crate) async fn end(self) {
        self.listening.stop().await;
        self.agent.stop().await;
    }

    async fn decision(&mut self) -> Decision {
        let hearing = async {
            loop {
                if let Record::Decision(decision) = self.records.recv().await.unwrap() {
                    return *decision;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), hearing).await.expect("a decision in time")
    }

    /// The API server takes a moment to see our entry.
    pub(crate) async fn until_asked(&self) {
        let began = Instant::now();
        while self.webhook.counters.totals().outcomes.is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "never asked");
            apply(&self.server, &deployment("default", "probe", json!({})), &[]);
            self.server.kubectl(&["delete", "deployment", "probe"]);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn configuration(listening: &WebhookServer, ca: &str) -> String {
    use base64::Engine;
    let ca = base64::engine::general_purpose::STANDARD.encode(ca);
    let url = format!("https://{}/admit", listening.address);
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "seawall"}, "webhooks": [{"name": "policies.seawall.internal", "failurePolicy": "Ignore",
            "timeoutSeconds": TIMEOUT_SECONDS, "sideEffects": "NoneOnDryRun", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": url, "caBundle": ca},
            "rules": [{"apiGroups": ["", "apps", "networking.k8s.io"], "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": ["pods", "deployments", "configmaps", "ingresses"]}]}]})
    .to_string()
}

pub(crate) fn set(version: u64, action: PolicyAction, text: String) -> DesiredSet {
    DesiredSet { set: Id::new(0, [7; 10]), name: "team".to_owned(), version, text, action }
}

/// A policy for Deployments with its binding.
fn vap(name: &str, failure: &str, expression: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  failurePolicy: {failure}
  matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}}]}}
  validations: [{{expression: \"{expression}\", message: broke {name}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec: {{policyName: {name}, validationActions: [Deny]}}
---
"
    )
}

/// A template with one constraint on Deployments and Ingresses.
fn constraint(kind: &str, rego: &str) -> String {
    let indented = rego.lines().fold(String::new(), |mut text, line| {
        let _infallible = writeln!(text, "        {line}");
        text
    });
    format!(
        "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: {}}}
spec:
  crd: {{spec: {{names: {{kind: {kind}}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package policy
{indented}---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: {kind}
metadata: {{name: all}}
spec:
  match: {{kinds: [{{apiGroups: [apps, networking.k8s.io], kinds: [Deployment, Ingress]}}]}}
---
",
        kind.to_lowercase()
    )
}

fn ingress(namespace: &str, name: &str, host: &str) -> String {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": namespace},
        "spec": {"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}})
    .to_string()
}

const UNIQUE_HOST: &str = "violation[{\"msg\": msg}] {
  input.review.kind.kind == \"Ingress\"
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[_][_].Ingress[_]
  other.spec.rules[_].host == host
  other.metadata.name != input.review.object.metadata.name
  msg := sprintf(\"host %v is taken by %v\", [host, other.metadata.name])
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_are_tried_then_refuse() {
    let Some(mut world) = World::new().await else { return };
    world.until_asked().await;
    assert!(apply(&world.server, &deployment("default", "old", json!({})), &[]).0);
    assert!(apply(&world.server, &ingress("default", "first", "shop.example"), &[]).0);
    let labelled =
        vap("owner", "Fail", "has(object.metadata.labels) && 'owner' in object.metadata.labels");
    let asking = vap(
        "rights",
        "Fail",
        "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()",
    );
    let mut text = labelled + &asking + &constraint("UniqueHost", UNIQUE_HOST);
    let wanted = set(1, PolicyAction::Deny, text.clone());
    world.want(std::slice::from_ref(&wanted));

    // Until it is tried it only records, although the hub says deny.
    let trial = world.tried(&wanted).await;
    println!("{trial:#?}");
    assert!(trial.objects.refused >= 1 && trial.requests.refused >= 1, "{trial:?}");
    let sample = trial.samples.iter().find(|sample| sample.resource.name == "old").unwrap();
    assert_eq!(
        (sample.outcome, sample.policy.as_str(), sample.message.as_str()),
        (TrialOutcome::Refused, "ValidatingAdmissionPolicy/owner", "broke owner")
    );
    assert_eq!(trial.problems, [""; 0]);

    world.want(std::slice::from_ref(&wanted));
    let (passed, told) = apply(&world.server, &deployment("default", "new", json!({})), &[]);
    let expected =
        "ValidatingAdmissionPolicy 'owner' with binding 'owner' denied request: broke owner";
    assert!(!passed && told.contains(expected), "{told}");
    let decision = world.decision().await;
    assert_eq!((decision.verdict, decision.controls[0].assignment), (Verdict::Denied, wanted.set));
    let mut owned: Value = serde_json::from_str(&deployment("default", "new", json!({}))).unwrap();
    owned["metadata"]["labels"] = json!({"owner": "ann"});
    let (passed, told) = apply(&world.server, &owned.to_string(), &[]);
    assert!(passed, "{told}");

    // Whoever may not read Secrets is refused by what the authorizer says of them.
    let bind =
        ["create", "clusterrolebinding", "bob", "--clusterrole=edit-deployments", "--user=bob"];
    world.server.kubectl(&[
        "create",
        "clusterrole",
        "edit-deployments",
        "--verb=*",
        "--resource=deployments.apps",
    ]);
    world.server.kubectl(&bind);
    owned["metadata"]["labels"]["tier"] = json!("front");
    let (passed, told) = apply(&world.server, &owned.to_string(), &["--as=bob"]);
    assert!(!passed && told.contains("broke rights"), "{told}");

    // Another namespace's Ingress has the host; a namespace made a moment ago is known.
    world.server.kubectl(&["create", "namespace", "shop"]);
    let (passed, told) = apply(&world.server, &ingress("shop", "second", "shop.example"), &[]);
    assert!(!passed && told.contains("[all] host shop.example is taken by first"), "{told}");
    assert!(apply(&world.server, &ingress("shop", "second", "other.example"), &[]).0);
    world.server.kubectl(&["delete", "ingress", "first"]);
    let began = Instant::now();
    while !apply(&world.server, &ingress("shop", "third", "shop.example"), &[]).0 {
        assert!(began.elapsed() < Duration::from_secs(10), "what is gone is forgotten");
    }
    assert!(apply(&world.server, &deployment("kube-system", "dns", json!({})), &[]).0);

    // Another text is tried anew, and records only until then.
    text.push_str(&vap("never", "Fail", "false"));
    let second = set(2, PolicyAction::Deny, text);
    world.want(std::slice::from_ref(&second));
    assert!(apply(&world.server, &deployment("default", "between", json!({})), &[]).0);
    world.tried(&second).await;
    world.want(std::slice::from_ref(&second));
    assert!(!apply(&world.server, &deployment("default", "after", json!({})), &[]).0);
    world.end().await;
}

/// Steps that no policy of use takes.
const ENDLESS: &str = "violation[{\"msg\": \"never\"}] {
  numbers := numbers.range(1, 100000)
  numbers[_] * numbers[_] == -1
}";

/// Every element of a list beside every other, `depth` lists deep; ten of each.
fn nested(depth: usize) -> String {
    let names: Vec<String> = (0..depth).map(|level| format!("v{level}")).collect();
    let innermost = format!("{} >= 0", names.join(" + "));
    let wrap = |inner, name| format!("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all({name}, {inner})");
    names.iter().rev().fold(innermost, wrap)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_endless_and_many_policies_stop_no_cluster() {
    let Some(mut world) = World::new().await else { return };
    world.until_asked().await;

    // Each ends at its own limit, and says so where it may refuse.
    let text = vap("exploding", "Fail", &nested(7)) + &constraint("Endless", ENDLESS);
    let endless = set(1, PolicyAction::Deny, text);
    world.want(std::slice::from_ref(&endless));
    world.tried(&endless).await;
    world.want(std::slice::from_ref(&endless));
    let began = Instant::now();
    let (passed, told) = apply(&world.server, &deployment("default", "a", json!({})), &[]);
    println!("{told}");
    assert!(!passed && told.contains("actual cost limit exceeded"), "{told}");
    assert!(told.contains("Endless/all"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(TIMEOUT_SECONDS), "{:?}", began.elapsed());
    assert!(apply(&world.server, &deployment("kube-system", "a", json!({})), &[]).0);

    // Five hundred that are quick: all judged, within the time.
    let text: String =
        (0..500).map(|n| vap(&format!("p{n}"), "Fail", "object.spec.replicas < 10")).collect();
    let many = set(2, PolicyAction::Deny, text);
    world.want(std::slice::from_ref(&many));
    world.tried(&many).await;
    world.want(std::slice::from_ref(&many));
    let (passed, told) = apply(&world.server, &deployment("default", "b", json!({})), &[]);
    assert!(passed && !told.contains("not judged"), "{told}");
    assert_eq!(world.webhook.counters.totals().timeouts, 0);

    let shorter = json!([{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 2}]);
    world.server.patch("validatingwebhookconfiguration/seawall", shorter.as_array().unwrap());
    // Slow ones that together take longer than there is: `Fail` refuses by name, `Ignore` warns; kube-system lives on.
    for (failure, passes) in [("Ignore", true), ("Fail", false)] {
        let text: String =
            (0..500).map(|n| vap(&format!("slow{n}"), failure, &nested(4))).collect();
        let slow = set(if passes { 3 } else { 4 }, PolicyAction::Deny, text);
        world.want(std::slice::from_ref(&slow));
        world.tried(&slow).await;
        world.want(std::slice::from_ref(&slow));
        let name = format!("c-{}", failure.to_lowercase());
        let (passed, told) = apply(&world.server, &deployment("default", &name, json!({})), &[]);
        println!("{failure}: {}", told.chars().take(400).collect::<String>());
        assert_eq!(passed, passes, "{told}");
        assert!(told.contains("slow") && told.contains("judged"), "{told}");
        assert!(apply(&world.server, &deployment("kube-system", &name, json!({})), &[]).0);
    }
    world.end().await;
}
