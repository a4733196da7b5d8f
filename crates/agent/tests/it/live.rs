//! A flawed workload is told within a second, gone within a second of our patch, and told once.
use seawall_agent::{Agent, Config, Target};
use seawall_e2e::server::Server;
use seawall_model::finding::{ObjectAssessment, State};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_posture::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What the agent said, read as it comes.
struct Listener {
    records: mpsc::Receiver<Record>,
    heard: Vec<ObjectAssessment>,
    synced: bool,
}

impl Listener {
    /// Waits for an assessment that `fits`; how long it took.
    async fn hear(
        &mut self,
        what: &str,
        limit: Duration,
        fits: impl Fn(&ObjectAssessment) -> bool,
    ) -> (ObjectAssessment, Duration) {
        let started = Instant::now();
        let found = tokio::time::timeout(limit, async {
            loop {
                match self.records.recv().await.expect("the agent runs") {
                    Record::Assessment(assessment) => {
                        self.heard.push((*assessment).clone());
                        if fits(&assessment) {
                            return *assessment;
                        }
                    }
                    Record::Sync { .. } => self.synced = true,
                    other => panic!("{other:?}"),
                }
            }
        });
        let found = found.await.unwrap_or_else(|_| panic!("not heard within {limit:?}: {what}"));
        (found, started.elapsed())
    }

    async fn until_synced(&mut self) {
        while !self.synced {
            match tokio::time::timeout(Duration::from_secs(20), self.records.recv())
                .await
                .unwrap()
                .unwrap()
            {
                Record::Assessment(assessment) => self.heard.push(*assessment),
                Record::Sync { .. } => self.synced = true,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn state(assessment: &ObjectAssessment, control: &str) -> Option<State> {
    if assessment.healthy.iter().any(|own| own == control) {
        return Some(State::Healthy);
    }
    let finding = assessment.findings.iter().find(|finding| finding.control == control);
    finding.map(|finding| finding.state)
}

/// The controls that [`flawed_spec`] is made to fail.
const FLAWS: [&str; 4] = ["SW-C-0001", "SW-C-0002", "SW-C-0003", "SW-C-0017"];

fn all(assessment: &ObjectAssessment, wanted: State) -> bool {
    FLAWS.iter().all(|control| state(assessment, control) == Some(wanted))
}

fn is(
    name: &'static str,
    control: &'static str,
    wanted: State,
) -> impl Fn(&ObjectAssessment) -> bool {
    move |assessment| assessment.resource.name == name && state(assessment, control) == Some(wanted)
}

/// `controls`: every stable one where there are none.
async fn agent(
    server: &Server,
    user: &str,
    stale_after: Duration,
    controls: &[&str],
) -> (Agent, Listener) {
    let target = Target { kubeconfig: Some(server.kubeconfig(user)), context: None };
    let controls = controls.iter().map(ToString::to_string).collect();
    let request = Request { controls, ..Request::default() };
    let config = Config { stale_after, request, ..Config::new(target, Arc::new(SystemClock)) };
    let (sink, records) = mpsc::channel(64);
    let agent = Agent::start(config, sink).await.unwrap();
    (agent, Listener { records, heard: Vec::new(), synced: false })
}

fn flawed_spec() -> Value {
    json!({
        "restartPolicy": "Always",
        "containers": [
            {"name": "web", "image": "registry.example/web:1", "securityContext": {"privileged": true}},
            {"name": "side", "image": "registry.example/side:1"},
        ],
        "volumes": [{"name": "host", "hostPath": {"path": "/var/log"}}],
    })
}

fn object(kind: &str, name: &str, pod_spec: Value) -> Value {
    let labels = json!({"app": name});
    let template = json!({"metadata": {"labels": labels}, "spec": pod_spec});
    let once = || {
        let mut template = template.clone();
        template["spec"]["restartPolicy"] = json!("Never");
        template
    };
    let selector = json!({"matchLabels": labels});
    let (version, spec) = match kind {
        "Pod" => ("v1", template["spec"].clone()),
        "ReplicationController" => {
            ("v1", json!({"replicas": 0, "selector": labels, "template": template}))
        }
        "StatefulSet" => (
            "apps/v1",
            json!({"replicas": 0, "serviceName": "x", "selector": selector, "template": template}),
        ),
        "DaemonSet" => ("apps/v1", json!({"selector": selector, "template": template})),
        "Job" => ("batch/v1", json!({"template": once(), "suspend": true})),
        "CronJob" => (
            "batch/v1",
            json!({"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {"spec": {"template": once()}}}),
        ),
        _ => ("apps/v1", json!({"replicas": 1, "selector": selector, "template": template})),
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": spec})
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flawed_deployment_appears_and_heals_within_a_second() {
    let Some(mut server) = Server::start() else { return };
    let (agent, mut listener) = agent(&server, "admin", 3 * SECOND, &[]).await;
    assert_eq!(agent.cluster.uid.len(), 36);
    assert!(agent.cluster.version.starts_with("v1."), "{}", agent.cluster.version);
    listener.until_synced().await;

    // kubectl returns once the API server has the object; from there on the clock runs.
    server.kubectl_file(&["apply"], &object("Deployment", "web", flawed_spec()).to_string());
    let (mut told, took) =
        listener.hear("web unhealthy", SECOND, is("web", "SW-C-0001", State::Unhealthy)).await;
    println!("unhealthy after {took:?}");
    assert_eq!((told.resource.kind.as_str(), told.owner.as_deref()), ("Deployment", None));
    assert_eq!(told.images, ["registry.example/web:1", "registry.example/side:1"]);

    // Each patch is taken by the API server and clears its finding; one opens the way for the next.
    for control in FLAWS {
        let finding =
            told.findings.iter().find(|finding| finding.control == control).unwrap().clone();
        assert_eq!(finding.state, State::Unhealthy, "{control}");
        server.patch("deployment/web", &finding.fix);
        let (healed, took) =
            listener.hear(control, SECOND, is("web", control, State::Healthy)).await;
        println!("{control} healed after {took:?}");
        told = healed;
    }
    assert!(all(&told, State::Healthy));

    // What another object means for one is told as soon.
    let service = |app: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}})
    };
    server.kubectl_file(&["apply"], &service("nothing").to_string());
    let lost = is("door", "SW-C-0360", State::Unhealthy);
    listener.hear("a Service that selects nothing", SECOND, lost).await;
    server.kubectl_file(&["apply"], &service("web").to_string());
    let (_, took) =
        listener.hear("it selects", SECOND, is("door", "SW-C-0360", State::Healthy)).await;
    println!("a Service is healthy after {took:?}");

    // Its pods are told of, judged with their owner.
    let pod = |assessment: &ObjectAssessment| {
        assessment.resource.kind == "Pod" && assessment.owner.as_deref() == Some("Deployment/web")
    };
    if !listener.heard.iter().any(pod) {
        listener.hear("the pod", Duration::from_secs(10), pod).await;
    }
    let with_findings: Vec<_> = listener
        .heard
        .iter()
        .filter(|heard| !heard.findings.is_empty())
        .map(|heard| heard.resource.kind.as_str())
        .collect();
    let owned = ["Pod", "ReplicaSet"];
    assert!(!with_findings.iter().any(|kind| owned.contains(kind)), "{with_findings:?}");

    // The API server dies: what was known becomes unknown, and the next change is seen after it is back.
    server.kill();
    let stale = |assessment: &ObjectAssessment| {
        assessment.resource.name == "web"
            && assessment.findings.iter().any(|finding| finding.reason.as_deref() == Some("stale"))
    };
    listener.hear("stale", Duration::from_secs(30), stale).await;
    assert!(!agent.status().borrow().broken.is_empty());
    server.restart();
    server.kubectl_file(&["apply"], &object("Deployment", "after", flawed_spec()).to_string());
    let (_, took) = listener
        .hear(
            "after the restart",
            Duration::from_secs(45),
            is("after", "SW-C-0001", State::Unhealthy),
        )
        .await;
    println!("seen {took:?} after the restart");

    assert!(server.kubectl(&["delete", "deployment", "after", "--wait=false"]).status.success());
    let gone =
        |assessment: &ObjectAssessment| assessment.resource.name == "after" && assessment.deleted;
    listener.hear("deletion", 5 * SECOND, gone).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_judged_and_its_patches_are_accepted() {
    let Some(server) = Server::start() else { return };
    let kinds = [
        "Pod",
        "ReplicationController",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
    ];
    let (agent, mut listener) = agent(&server, "admin", 300 * SECOND, &[]).await;
    listener.until_synced().await;
    let selection = seawall_agent::content().unwrap().select(&Default::default()).unwrap();
    for kind in kinds {
        let name: &'static str = kind.to_lowercase().leak();
        server.kubectl_file(&["apply"], &object(kind, name, flawed_spec()).to_string());
        let (told, _) =
            listener.hear(kind, 2 * SECOND, is(name, "SW-C-0001", State::Unhealthy)).await;
        assert!(all(&told, State::Unhealthy), "{kind}");
        let live: Value = serde_json::from_slice(
            &server.kubectl(&["get", &format!("{kind}/{name}"), "-o", "json"]).stdout,
        )
        .unwrap();
        let (mut healed, operations) = selection.heal(&live);
        if matches!(kind, "Pod" | "Job") {
            // Their pod spec cannot change in place: a healed copy is created instead.
            healed["metadata"] = json!({"name": format!("{name}-healed"), "namespace": "default"});
            for key in ["selector", "nodeName"] {
                healed["spec"].as_object_mut().unwrap().remove(key);
            }
            if let Some(labels) = healed.pointer_mut("/spec/template/metadata") {
                *labels = json!({});
            }
            server.kubectl_file(&["create", "--dry-run=server"], &healed.to_string());
        } else {
            server.patch(&format!("{kind}/{name}"), &operations);
            let healthy = |assessment: &ObjectAssessment| {
                assessment.resource.name == name && all(assessment, State::Healthy)
            };
            listener.hear(kind, 2 * SECOND, healthy).await;
        }
    }
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_may_not_be_read_is_reported() {
    let Some(server) = Server::start() else { return };
    let role = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "limited"}, "rules": [
            {"apiGroups": [""], "resources": ["pods", "replicationcontrollers", "namespaces", "nodes", "serviceaccounts"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "replicasets"], "verbs": ["list", "watch"]},
            {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list", "watch"]},
        ]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "limited"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "limited"},
         "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]},
    ]});
    server.kubectl_file(&["apply"], &role.to_string());
    server.kubectl_file(&["apply"], &object("Deployment", "web", flawed_spec()).to_string());
    let (agent, mut listener) = agent(&server, "limited", 300 * SECOND, &FLAWS).await;
    listener.hear("web", 10 * SECOND, is("web", "SW-C-0001", State::Unhealthy)).await;
    let mut status = agent.status();
    let status = status.wait_for(|status| status.synced).await.unwrap().clone();
    let kinds: Vec<_> = status.forbidden.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["DaemonSet"]);
    assert!(status.forbidden[0].1.contains("daemonsets"), "{:?}", status.forbidden);
    assert!(!listener.synced, "what may not be read is not gone");
    agent.stop().await;
}
