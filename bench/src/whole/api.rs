//! As much of an API server as a watching agent asks: discovery, lists in pages, watches. Plain HTTP on loopback.
//!
//! `POST /change` changes one object, tells watchers, and answers which one and what is wrong with it from then on.
use super::child::until_stdin_ends;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use seawall_bench::cluster::{Shape, objects};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// What is served: version, kind, plural.
const KINDS: [(&str, &str, &str); 21] = [
    ("v1", "Namespace", "namespaces"),
    ("v1", "Node", "nodes"),
    ("v1", "Pod", "pods"),
    ("v1", "ReplicationController", "replicationcontrollers"),
    ("v1", "Service", "services"),
    ("v1", "ServiceAccount", "serviceaccounts"),
    ("apps/v1", "DaemonSet", "daemonsets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "ReplicaSet", "replicasets"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("batch/v1", "CronJob", "cronjobs"),
    ("batch/v1", "Job", "jobs"),
    ("networking.k8s.io/v1", "Ingress", "ingresses"),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings"),
    ("rbac.authorization.k8s.io/v1", "Role", "roles"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
];
/// Changes that a watcher may be behind.
const BEHIND: usize = 4_096;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Deployments
    #[arg(long, default_value_t = 10_000)]
    workloads: usize,
    /// Pods of each
    #[arg(long, default_value_t = 0)]
    pods: usize,
}

impl Args {
    /// Prints its URL once it listens.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let cluster =
            Arc::new(Cluster::new(objects(Shape { workloads: self.workloads, pods: self.pods })));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            super::row("http", &format!("//{}", listener.local_addr()?))?;
            tokio::select! {
                ended = accept(listener, cluster) => ended,
                () = until_stdin_ends() => Ok(()),
            }
        })
    }
}

async fn accept(listener: TcpListener, cluster: Arc<Cluster>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let cluster = cluster.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = cluster.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A client that goes away ends its connection, which is no error of ours.
            let _gone = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Body = BoxBody<Bytes, Infallible>;

struct Cluster {
    /// By path, such as `/apis/apps/v1/deployments`.
    kinds: BTreeMap<String, Served>,
    version: Mutex<u64>,
}

struct Served {
    api_version: &'static str,
    kind: &'static str,
    /// JSON, which takes a tenth of parsed values.
    objects: Mutex<Vec<String>>,
    changes: broadcast::Sender<Bytes>,
}

fn folder(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

fn json_of(value: &Value) -> Response<Body> {
    Response::new(Full::new(Bytes::from(value.to_string())).boxed())
}

impl Cluster {
    fn new(objects: impl Iterator<Item = Value>) -> Self {
        let mut of_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for object in objects {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            of_kind.entry(kind).or_default().push(object.to_string());
        }
        let serve = |(api_version, kind, plural): (&'static str, &'static str, &'static str)| {
            let objects = Mutex::new(of_kind.remove(kind).unwrap_or_default());
            let (changes, _) = broadcast::channel(BEHIND);
            (
                format!("{}/{plural}", folder(api_version)),
                Served { api_version, kind, objects, changes },
            )
        };
        Self { kinds: KINDS.into_iter().map(serve).collect(), version: Mutex::new(1) }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name: &str| parameter(name).and_then(|text| text.parse::<usize>().ok());
        match (self.kinds.get(path), path) {
            (Some(served), _) if parameter("watch") == Some("true") => served.watch(),
            (Some(served), _) => served.page(number("continue").unwrap_or(0), number("limit")),
            (None, "/change") if request.method() == Method::POST => {
                json_of(&self.change(number("number").unwrap_or(0)))
            }
            (None, "/version") => json_of(
                &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "",
                "gitTreeState": "clean", "buildDate": "", "goVersion": "", "compiler": "gc", "platform": "linux/amd64"}),
            ),
            (None, "/api/v1/namespaces/kube-system") => json_of(&self.system()),
            (None, "/api") => json_of(
                &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
            ),
            (None, "/apis") => json_of(&groups()),
            (None, path) => resources(path),
        }
    }

    fn system(&self) -> Value {
        let namespaces = &self.kinds["/api/v1/namespaces"].objects;
        let namespaces = namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parsed = namespaces.iter().map(|text| parse(text));
        parsed.find(|namespace| namespace["metadata"]["name"] == "kube-system").unwrap_or_default()
    }

    /// Every tenth is of a Service, which then selects nothing; else of a Deployment, whose first container becomes
    /// privileged or is no longer. Services are taken from the end, so that no Deployment is concerned twice.
    fn change(&self, number: usize) -> Value {
        let mut version = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        *version += 1;
        let path = if number % 10 == 9 { "/api/v1/services" } else { "/apis/apps/v1/deployments" };
        let served = &self.kinds[path];
        let mut objects = served.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let count = objects.len().max(1);
        let index = if number % 10 == 9 { count - 1 - number / 10 % count } else { number % count };
        let Some(stored) = objects.get_mut(index) else { return Value::Null };
        let mut object = parse(stored);
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let (control, unhealthy) = match number % 10 {
            9 => {
                object["spec"]["selector"] = json!({"app": "nothing"});
                ("SW-C-0360", true)
            }
            _ => {
                let security =
                    &mut object["spec"]["template"]["spec"]["containers"][0]["securityContext"];
                let privileged = security["privileged"] != true;
                security["privileged"] = privileged.into();
                ("SW-C-0001", privileged)
            }
        };
        *stored = object.to_string();
        // Nobody watching is no error.
        let _nobody =
            served.changes.send(format!("{{\"type\":\"MODIFIED\",\"object\":{stored}}}\n").into());
        json!({"kind": served.kind, "namespace": object["metadata"]["namespace"], "name": object["metadata"]["name"],
            "control": control, "unhealthy": unhealthy})
    }
}

impl Served {
    fn page(&self, from: usize, limit: Option<usize>) -> Response<Body> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let to = limit.map_or(objects.len(), |limit| objects.len().min(from + limit));
        let mut metadata = json!({"resourceVersion": "1"});
        if to < objects.len() {
            metadata["continue"] = to.to_string().into();
        }
        let (version, kind) = (self.api_version, self.kind);
        let items = objects.get(from..to).unwrap_or_default().join(",");
        let text = format!(
            r#"{{"apiVersion":"{version}","kind":"{kind}List","metadata":{metadata},"items":[{items}]}}"#
        );
        Response::new(Full::new(Bytes::from(text)).boxed())
    }

    fn watch(&self) -> Response<Body> {
        let changes = BroadcastStream::new(self.changes.subscribe());
        let frames = changes.filter_map(|line| line.ok().map(|line| Ok(Frame::data(line))));
        Response::new(BodyExt::boxed(StreamBody::new(frames)))
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("it was written from a value")
}

fn groups() -> Value {
    let mut groups: Vec<Value> = Vec::new();
    for (group, version) in KINDS.iter().filter_map(|(api_version, ..)| api_version.split_once('/'))
    {
        let known = json!({"groupVersion": format!("{group}/{version}"), "version": version});
        if groups.iter().all(|other| other["name"] != group) {
            groups.push(json!({"name": group, "versions": [known], "preferredVersion": known}));
        }
    }
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn resources(path: &str) -> Response<Body> {
    let of = KINDS.iter().filter(|(api_version, ..)| folder(api_version) == path);
    let resources: Vec<Value> = of
        .map(|(_, kind, plural)| {
            let namespaced = !matches!(*kind, "Namespace" | "Node" | "ClusterRole" | "ClusterRoleBinding" | "IngressClass");
            json!({"name": plural, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": ["get", "list", "watch"]})
        })
        .collect();
    if resources.is_empty() {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "the server could not find the requested resource", "reason": "NotFound", "code": 404});
        let mut answer = json_of(&status);
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return answer;
    }
    let version = path.trim_start_matches("/apis/").trim_start_matches("/api/");
    json_of(
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}
