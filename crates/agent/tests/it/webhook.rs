//! Admission through a real API server: what `kubectl` says, what is recorded, what passes while nobody answers.
use base64::Engine;
use bytes::Bytes;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use seawall_agent::webhook::{
    AuditOutcome, AuditTrust, Lifeline, Reason, Server as WebhookServer, Settings, Tls, Webhook,
};
use seawall_agent::{PolicySets, Target, content, health};
use seawall_cluster::{
    ASK_EVERY, CALM, Connection, Guard, Registered, RegistrationEvent, Wanted, connect,
    keep_asking, keep_registered, register,
};
use seawall_e2e::server::Server;
use seawall_model::Id;
use seawall_model::admission::{
    Decision, Desired, Narrowing, Policy, PolicyAction, Verdict, audit_client_name,
};
use seawall_model::record::Record;
use seawall_model::time::{Clock, FixedClock, SystemClock};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

const NAME: &str = "admission.seawall.dev";

/// A CA and what it signed, PEM.
pub(crate) struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) ca: String,
    server: (String, String),
    audit: (String, String),
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let server = sign(&issuer, server, ExtendedKeyUsagePurpose::ServerAuth);
        let mut audit = CertificateParams::default();
        audit.distinguished_name.push(DnType::CommonName, audit_client_name("c1"));
        let audit = sign(&issuer, audit, ExtendedKeyUsagePurpose::ClientAuth);
        Self { issuer, ca, server, audit }
    }

    pub(crate) fn tls(&self) -> Tls {
        self.tls_of(&self.server)
    }

    fn tls_of(&self, (chain, key): &(String, String)) -> Tls {
        let trust = AuditTrust { ca_pem: self.ca.clone(), client_name: audit_client_name("c1") };
        Tls::new(chain, key, Some(&trust), Arc::new(SystemClock)).unwrap()
    }

    /// Another certificate for the same name, valid until the end of `year`.
    fn until(&self, year: i32) -> Tls {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        self.tls_of(&sign(&self.issuer, params, ExtendedKeyUsagePurpose::ServerAuth))
    }
}

/// Certificate and key, PEM.
fn sign(
    issuer: &Issuer<'static, KeyPair>,
    mut params: CertificateParams,
    usage: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    params.extended_key_usages = vec![usage];
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

/// Flags by which an API server sends its audit events to `address`, one second after they happen.
fn audit_flags(dir: &Path, address: SocketAddr, certificates: &Certificates) -> Vec<String> {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let (chain, key) = &certificates.audit;
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("https://{address}/audit"),
            "certificate-authority-data": encode(&certificates.ca)}}],
        "users": [{"name": "u", "user": {"client-certificate-data": encode(chain), "client-key-data": encode(key)}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    let policy = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "resources": [{"group": "apps"}]}, {"level": "None"}]});
    std::fs::write(dir.join("audit.kubeconfig"), kubeconfig.to_string()).unwrap();
    std::fs::write(dir.join("audit-policy.json"), policy.to_string()).unwrap();
    [
        "--audit-policy-file=audit-policy.json",
        "--audit-webhook-config-file=audit.kubeconfig",
        "--audit-webhook-batch-max-wait=1s",
        "--audit-webhook-initial-backoff=1s",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn configuration(address: SocketAddr) -> Value {
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "seawall"}, "webhooks": [{"name": NAME, "failurePolicy": "Ignore",
            "timeoutSeconds": 5, "sideEffects": "NoneOnDryRun", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("https://{address}/admit")},
            "rules": [{"apiGroups": ["", "apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["pods", "pods/ephemeralcontainers", "deployments", "replicasets"]}]}]})
}

pub(crate) fn deployment(namespace: &str, name: &str, security: Value) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "a", "image": "registry.example/a:1", "securityContext": security}]}}}})
    .to_string()
}

fn desired(policies: &[(&str, PolicyAction)]) -> Desired {
    let policy = |(control, action): &(&str, PolicyAction)| Policy {
        assignment: Id::new(0, [1; 10]),
        control: (*control).to_owned(),
        depth: 1,
        narrowing: Narrowing::default(),
        action: *action,
        params: serde_json::Map::new(),
    };
    Desired { policies: policies.iter().map(policy).collect(), sets: Vec::new() }
}

/// A webhook that listens, its records, and the audit events that came.
struct World {
    webhook: Arc<Webhook>,
    server: Option<WebhookServer>,
    address: SocketAddr,
    certificates: Certificates,
    records: mpsc::Receiver<Record>,
    lifeline: Lifeline,
    _state: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let lifeline = Lifeline::load(state.path(), NAME, Duration::from_secs(5));
        let (sink, records) = mpsc::channel(64);
        let line = lifeline.clone();
        let hear = move |body: Bytes| {
            let line = line.clone();
            let heard: Result<Value, _> = serde_json::from_slice(&body);
            Box::pin(async move {
                let Ok(list) = heard else { return AuditOutcome::Malformed("no JSON".to_owned()) };
                list["items"].as_array().unwrap().iter().for_each(|event| line.audit(event));
                AuditOutcome::Taken
            }) as std::pin::Pin<Box<dyn Future<Output = AuditOutcome> + Send>>
        };
        let webhook = Webhook::new(Settings {
            agent: "agent-1".to_owned(),
            namespace: Some("seawall".to_owned()),
            clock: Arc::new(SystemClock),
            records: sink,
            audit: Box::new(hear),
            policy_sets: PolicySets::new(36),
            authorizer: None,
        });
        let certificates = Certificates::new();
        let server =
            WebhookServer::bind(([127, 0, 0, 1], 0).into(), certificates.tls(), webhook.clone());
        let server = server.await.unwrap();
        let address = server.address;
        Self {
            webhook,
            server: Some(server),
            address,
            certificates,
            records,
            lifeline,
            _state: state,
        }
    }

    fn want(&self, policies: &[(&str, PolicyAction)]) {
        assert_eq!(self.webhook.set_desired(&desired(policies), &content().unwrap()), []);
    }

    /// What has been recorded since.
    fn decisions(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while let Ok(record) = self.records.try_recv() {
            if let Record::Decision(decision) = record {
                decisions.push(*decision);
            }
        }
        decisions
    }
}

/// Whether it went well, and what was written to standard error.
pub(crate) fn apply(server: &Server, object: &str, more: &[&str]) -> (bool, String) {
    let path = server.kubeconfig("object.json");
    std::fs::write(&path, object).unwrap();
    let arguments = [&["apply", "-f", path.to_str().unwrap()], more].concat();
    let output = server.kubectl(&arguments);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn privileged() -> Value {
    json!({"privileged": true})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_api_server_is_answered_and_its_gaps_are_known() {
    let mut world = World::new().await;
    let (address, certificates) = (world.address, &world.certificates);
    let Some(server) = Server::start_with(|dir| audit_flags(dir, address, certificates)) else {
        return;
    };
    server.kubectl_file(&["create"], &configuration(world.address).to_string());
    let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
    let connection = connect(&target).await.unwrap();
    registered_by_name(&world, &server, &connection).await;
    refused_with_the_fix(&mut world, &server).await;
    left_alone(&server);
    passes_while_nobody_answers(&mut world, &server, Reason::Restart).await;
    kept_in_place(&world, &server, connection).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_drops_no_request_and_an_expired_certificate_blocks_none() {
    let mut world = World::new().await;
    let (address, certificates) = (world.address, &world.certificates);
    let Some(server) = Server::start_with(|dir| audit_flags(dir, address, certificates)) else {
        return;
    };
    server.kubectl_file(&["create"], &configuration(world.address).to_string());
    let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
    let connection = connect(&target).await.unwrap();
    assert_eq!(
        register(&connection, "seawall", &world.certificates.ca).await.unwrap(),
        Registered::Patched
    );
    world.want(&[("SW-C-0001", PolicyAction::Deny)]);
    let began = Instant::now();
    while apply(&server, &deployment("default", "first", privileged()), &[]).0 {
        assert!(began.elapsed() < Duration::from_secs(20), "the server sees the configuration");
        assert!(server.kubectl(&["delete", "deployment", "first"]).status.success());
    }
    for turn in 0..30 {
        // What is under way keeps its certificate, what comes next has this one.
        world.server.as_ref().unwrap().reload(world.certificates.until(4_000 + turn));
        let (passed, told) = apply(&server, &deployment("default", "never", privileged()), &[]);
        assert!(!passed && told.contains("[SW-C-0001]"), "{turn}: {told}");
    }
    passes_while_nobody_answers(&mut world, &server, Reason::Expired).await;
}

/// Absent, patched, left alone, mended.
async fn registered_by_name(world: &World, server: &Server, connection: &Connection) {
    let registered =
        async |name: &str| register(connection, name, &world.certificates.ca).await.unwrap();
    assert_eq!(registered("other").await, Registered::Missing);
    assert_eq!(registered("seawall").await, Registered::Patched);
    assert_eq!(registered("seawall").await, Registered::Unchanged);
    let strange = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]);
    server.patch("validatingwebhookconfiguration/seawall", strange.as_array().unwrap());
    assert_eq!(registered("seawall").await, Registered::Patched);
}

async fn refused_with_the_fix(world: &mut World, server: &Server) {
    // Without policies everything passes; the server takes a moment to see the configuration.
    assert!(apply(server, &deployment("default", "old", privileged()), &[]).0);
    world.want(&[("SW-C-0001", PolicyAction::Deny), ("SW-C-0017", PolicyAction::Warn)]);
    let new = deployment("default", "new", privileged());
    let started = Instant::now();
    let refusal = loop {
        let (passed, told) = apply(server, &new, &["--dry-run=server"]);
        if !passed {
            break told;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "never refused: {told}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    println!("{refusal}");
    let begin =
        format!("\"{NAME}\" denied the request: [SW-C-0001] Privileged container: privileged");
    for part in [
        begin.as_str(),
        "at /spec/template/spec/containers/0/securityContext/privileged",
        "fix: Remove `privileged`",
        "kubectl patch --local -f FILE --type json",
    ] {
        assert!(refusal.contains(part), "{part}\n{refusal}");
    }
    // A dry run is refused and not recorded.
    assert_eq!(world.decisions(), []);
    let (passed, told) = apply(server, &new, &[]);
    assert!(!passed, "{told}");
    assert!(told.contains("Warning: [SW-C-0017] allowPrivilegeEscalation must be false"), "{told}");
    let decision = world.decisions().pop().unwrap();
    assert_eq!((decision.verdict, decision.user.as_str()), (Verdict::Denied, "admin"));
    assert_eq!((decision.resource.name.as_str(), decision.agent.as_str()), ("new", "agent-1"));

    // The patch that the refusal names makes the manifest pass.
    let fix = decision.controls.iter().find(|control| control.control == "SW-C-0001").unwrap();
    let fix = Value::from(fix.fix.clone()).to_string();
    let path = server.kubeconfig("object.json");
    let patch = ["patch", "--local", "--type", "json", "-o", "json", "-p", &fix];
    let healed = server.kubectl(&[&patch[..], &["-f", path.to_str().unwrap()]].concat());
    let (passed, told) = apply(server, &String::from_utf8(healed.stdout).unwrap(), &[]);
    assert!(passed, "{told}");
    assert_eq!(world.decisions().pop().unwrap().verdict, Verdict::Warned);
}

/// What was there before may be labelled; the system's namespace is not judged.
fn left_alone(server: &Server) {
    let labelled = server.kubectl(&["label", "deployment/old", "tier=back"]);
    let told = String::from_utf8_lossy(&labelled.stderr).into_owned();
    assert!(labelled.status.success(), "{told}");
    assert!(told.contains("it failed before this update: allowed"), "{told}");
    assert!(apply(server, &deployment("kube-system", "agent", privileged()), &[]).0);
}

/// Everything passes, and the gap knows its bounds and how many.
/// Nobody answers as the webhook is away, or as its certificate has expired.
async fn passes_while_nobody_answers(world: &mut World, server: &Server, reason: Reason) {
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let up = Arc::new(AtomicBool::new(true));
    let (sink, mut gaps) = mpsc::channel(8);
    let beating = {
        let (line, clock, up) = (world.lifeline.clone(), clock.clone(), up.clone());
        let blocked = move || (!up.load(Ordering::Relaxed)).then_some(reason);
        tokio::spawn(async move { line.beat(clock, sink, blocked).await })
    };
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let from = clock.now();
    up.store(false, Ordering::Relaxed);
    world.server.take().unwrap().stop().await;
    if reason == Reason::Expired {
        let expired = world.certificates.until(2_020);
        let listening = WebhookServer::bind(world.address, expired, world.webhook.clone()).await;
        world.server = Some(listening.unwrap());
    }
    for name in ["gap-1", "gap-2", "gap-3"] {
        let (passed, told) = apply(server, &deployment("default", name, privileged()), &[]);
        assert!(passed, "{told}");
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    if let Some(expired) = world.server.take() {
        expired.stop().await;
    }
    let again =
        WebhookServer::bind(world.address, world.certificates.tls(), world.webhook.clone()).await;
    world.server = Some(again.unwrap());
    let now = SystemClock.now();
    clock.advance(now - from);
    up.store(true, Ordering::Relaxed);
    assert!(!apply(server, &deployment("default", "after", privileged()), &[]).0);
    assert!(apply(server, &deployment("default", "harmless", json!({})), &[]).0);
    // The API server's second or third attempt has come by then.
    tokio::time::sleep(Duration::from_secs(8)).await;
    clock.advance(200_000);
    let gap = tokio::time::timeout(Duration::from_secs(5), gaps.recv()).await.unwrap().unwrap();
    let Record::Gap(gap) = gap else { panic!("{gap:?}") };
    println!("{gap:?}");
    // Each Deployment, and the ReplicaSet that its controller made of it.
    assert!((3..=6).contains(&gap.requests.unwrap()), "{gap:?}");
    assert_eq!(gap.reason, reason.as_str());
    assert!(gap.from <= from && gap.to >= now, "{gap:?}");
    assert!(gaps.try_recv().is_err(), "one gap for one outage");
    beating.abort();
}

/// What somebody does to the entry is mended or told.
async fn kept_in_place(world: &World, server: &Server, connection: Connection) {
    let ca_pem = Some(world.certificates.ca.clone());
    let (wanted, newest) = watch::channel(Wanted { ca_pem, ..Wanted::default() });
    let guard = Guard {
        clock: Arc::new(SystemClock),
        replicas: watch::channel(None).1,
        last_error: watch::channel(None).1,
        calm: CALM,
        leaving: watch::channel(false).1,
    };
    let (sink, mut events) = mpsc::channel(8);
    let name = "seawall".to_owned();
    let served = keep_asking(&connection, None, ASK_EVERY);
    let keeping = tokio::spawn(keep_registered(connection, name, newest, served, guard, sink));
    let mut told = async || {
        tokio::time::timeout(Duration::from_secs(15), events.recv()).await.unwrap().unwrap()
    };
    assert_eq!(told().await, RegistrationEvent::Registered);
    assert!(matches!(told().await, RegistrationEvent::FailurePolicy(_)));
    let strange = json!([
        {"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"},
        {"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 1},
    ]);
    server.patch("validatingwebhookconfiguration/seawall", strange.as_array().unwrap());
    assert_eq!(told().await, RegistrationEvent::Restored);
    assert_eq!(told().await, RegistrationEvent::Altered);
    let deleted = server.kubectl(&["delete", "validatingwebhookconfiguration", "seawall"]);
    assert!(deleted.status.success());
    assert_eq!(told().await, RegistrationEvent::Missing);
    drop(wanted);
    keeping.await.unwrap();
}

#[tokio::test]
async fn health_is_told_in_plain_http() {
    let world = World::new().await;
    world.want(&[("SW-C-0001", PolicyAction::Deny)]);
    let (webhook, ready) = (world.webhook.clone(), world.webhook.clone());
    let expires = world.certificates.tls().expires();
    let probes = health::Probes {
        live: Box::new(|| Ok(())),
        ready: Box::new(move || Err(format!("{} policies", ready.counters.totals().malformed))),
        metrics: Box::new(move || webhook.prometheus(expires)),
    };
    let health = health::Health::bind(([127, 0, 0, 1], 0).into(), probes).await.unwrap();
    for (request, parts) in [
        ("GET /livez", ["200 OK", "ok"]),
        ("GET /readyz", ["503 Service Unavailable", "0 policies"]),
        ("GET /metrics", ["200 OK", "seawall_agent_admission_policies{action=\"deny\"} 1"]),
        ("POST /metrics", ["405 Method Not Allowed", ""]),
        ("GET /", ["404 Not Found", ""]),
    ] {
        let mut stream = tokio::net::TcpStream::connect(health.address).await.unwrap();
        let text = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(parts.iter().all(|part| answer.contains(part)), "{request}: {answer}");
    }
}
