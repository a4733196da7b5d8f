//! The API server's side: objects made, requests sent dry, answers read.
use super::corpus::{Case, Corpus, name};
use reqwest::{Client, Method};
use seawall_e2e::server::Server;
use seawall_policy::vap::{Document, Policies};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) struct Native {
    server: Server,
    client: Client,
    settled: Cell<bool>,
}

/// What one request got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Code, reason and message of a refusal.
    pub(super) refused: Option<(u16, String, String)>,
    pub(super) warnings: Vec<String>,
    /// Of policies.
    pub(super) annotations: BTreeMap<String, String>,
}

/// Logs the annotations of every request.
const AUDIT: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: \
    [{level: Metadata}]\n";

impl Native {
    pub(super) fn start() -> Option<Self> {
        let server = Server::start_lone_with(|dir| {
            std::fs::write(dir.join("audit.yaml"), AUDIT).unwrap();
            ["--audit-policy-file=audit.yaml", "--audit-log-path=audit.log"]
                .map(str::to_owned)
                .to_vec()
        })?;
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().danger_accept_invalid_certs(true).build().unwrap();
        Some(Self { server, client, settled: Cell::new(false) })
    }

    pub(super) fn settled(&self) -> bool {
        self.settled.get()
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        user: Option<&(String, Vec<String>)>,
    ) -> (u16, Value, reqwest::header::HeaderMap) {
        let url = format!("{}{path}", self.server.url());
        let mut request = self.client.request(method, url).bearer_auth("admin");
        if !body.is_null() {
            request = request
                .header("Content-Type", "application/json")
                .body(serde_json::to_vec(body).unwrap());
        }
        if let Some((name, groups)) = user {
            request = request.header("Impersonate-User", name);
            for group in groups {
                request = request.header("Impersonate-Group", group);
            }
        }
        let response = request.send().await.unwrap();
        let (code, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        (code, serde_json::from_slice(&body).unwrap_or_default(), headers)
    }

    /// Reads an object or list.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, &Value::Null, None).await.1
    }

    /// Makes an object of `path`'s kind.
    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (code, answer, _) = self.send(Method::POST, path, body, None).await;
        (code, answer)
    }

    /// Makes everything; returns the documents that only one of us refuses, or in other words.
    pub(super) async fn prepare(&self, corpus: &Corpus) -> Vec<String> {
        for object in &corpus.objects {
            self.make(object).await;
        }
        for case in corpus.cases.iter().filter(|case| case.operation != "CREATE") {
            let mut before = case.object.clone();
            if before["data"]["text"] == "db" {
                before["data"]["text"] = json!("web");
            }
            self.make(&before).await;
        }
        let mut differences = Vec::new();
        for document in &corpus.documents {
            let (code, answer) = self.post(&path_of(document), document).await;
            let theirs =
                if code < 300 { None } else { answer["message"].as_str().map(str::to_owned) };
            let (_, problems) = Policies::load(&[Document::from(document.clone())], 35);
            let ours: Vec<&str> = problems
                .iter()
                .filter(|problem| problem.code != "unbound")
                .map(|problem| problem.message.as_str())
                .collect();
            if !same_refusal(theirs.as_deref(), &ours) {
                differences.push(format!(
                    "{} {}\n  API server: {theirs:?}\n  ours:       {ours:?}",
                    document["kind"],
                    name(document)
                ));
            }
        }
        differences
    }

    async fn make(&self, object: &Value) {
        let started = Instant::now();
        loop {
            let (code, answer) = self.post(&path_of(object), object).await;
            if code < 300 || code == 409 {
                return;
            }
            // A kind is served some time after its definition.
            assert!(started.elapsed() < Duration::from_secs(20), "{object}: {answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until the policy made last denies.
    pub(super) async fn settle(&self) {
        let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "sentinel"}, "spec": {
                "validations": [{"expression": "object.metadata.name != 'sentinel'"}],
                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                    "operations": ["CREATE"], "resources": ["configmaps"]}]}}});
        self.make(&policy).await;
        self.make(&json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "sentinel"},
            "spec": {"policyName": "sentinel", "validationActions": ["Deny"]}}))
            .await;
        let sentinel = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "sentinel", "namespace": "default"}});
        let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
        let started = Instant::now();
        while self.post(path, &sentinel).await.0 < 300 {
            assert!(started.elapsed() < Duration::from_secs(60), "no policy takes effect");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await; // Informers of params start with their policies.
        self.settled.set(true);
    }

    pub(super) async fn answer(&self, case: &Case) -> Answer {
        let collection = path_of(&case.object);
        let one = format!("{collection}/{}", name(&case.object));
        let (method, path) = match case.operation.as_str() {
            "CREATE" => (Method::POST, collection),
            "UPDATE" => (Method::PUT, one),
            _ => (Method::DELETE, one),
        };
        let body = if case.operation == "DELETE" { Value::Null } else { case.object.clone() };
        let path = format!("{path}?dryRun=All");
        let (code, answer, headers) = self.send(method, &path, &body, case.user.as_ref()).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refused = (code >= 300).then(|| {
            let message = text(&answer["message"]);
            let message =
                message.split_once(" is forbidden: ").map_or(message.clone(), |m| m.1.to_owned());
            (code, text(&answer["reason"]), message)
        });
        let id = headers.get("audit-id").unwrap().to_str().unwrap().to_owned();
        let warnings = headers.get_all("warning").iter().map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let quoted = value.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"'));
            quoted.unwrap_or(&value).replace("\\\"", "\"").replace("\\\\", "\\")
        });
        let warnings = warnings.collect();
        Answer { refused, warnings, annotations: self.annotations(&id) }
    }

    fn annotations(&self, id: &str) -> BTreeMap<String, String> {
        let log = self.server.kubeconfig("audit.log");
        let started = Instant::now();
        let event = loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = text.lines().rfind(|line| line.contains(id)) {
                break serde_json::from_str::<Value>(line).unwrap();
            }
            assert!(started.elapsed() < Duration::from_secs(10), "no audit event {id}");
            std::thread::sleep(Duration::from_millis(50));
        };
        let foreign = ["authorization.k8s.io/", "pod-security", "apiserver.latency.k8s.io/"];
        let ours = |key: &&String| !foreign.iter().any(|prefix| key.contains(prefix));
        let annotations = event["annotations"].as_object().cloned().unwrap_or_default();
        let kept = annotations.iter().filter(|(key, _)| ours(key));
        kept.map(|(key, value)| (key.clone(), sorted(value.as_str().unwrap()))).collect()
    }
}

/// The values of several params, which come in no order.
pub(super) fn sorted(value: &str) -> String {
    if value.starts_with('[') {
        return value.to_owned();
    }
    let mut values: Vec<&str> = value.split(", ").collect();
    values.sort_unstable();
    values.join(", ")
}

/// Field and words must be the same; the API server wraps them in the object's name and the field's value.
fn same_refusal(theirs: Option<&str>, ours: &[&str]) -> bool {
    let Some(theirs) = theirs else { return ours.is_empty() };
    !ours.is_empty()
        && ours.iter().all(|told| {
            let (field, words) = told.split_once(": ").unwrap_or((told, ""));
            theirs.contains(field) && theirs.contains(words)
        })
}

/// Where objects of its kind are made.
fn path_of(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let kind = object["kind"].as_str().unwrap();
    let plural = match kind {
        "ValidatingAdmissionPolicy" => "validatingadmissionpolicies".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    };
    let root =
        if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        None => format!("{root}/{plural}"),
    }
}
