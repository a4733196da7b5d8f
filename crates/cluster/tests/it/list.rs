//! Listing a cluster once: pages, kinds that may not be read, and Secrets, which are never asked for.
use seawall_cluster::{Kind, Target, kinds, list, reach};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An API server by path; it remembers what it was asked.
#[derive(Clone, Default)]
struct Server {
    asked: Arc<Mutex<Vec<String>>>,
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name, "uid": name, "managedFields": [{"manager": "kubectl"}]}})
}

fn status(code: u16, reason: &str) -> (u16, Value) {
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "message": format!("{reason} it is"), "code": code}),
    )
}

fn resources(version: &str, kinds: &[(&str, &str)]) -> (u16, Value) {
    let resources: Vec<Value> = kinds
        .iter()
        .map(|(kind, plural)| json!({"name": plural, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["list", "get"]}))
        .collect();
    (
        200,
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}

impl Server {
    fn answer(&self, path: &str) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match path {
            "/version" => (
                200,
                json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
            ),
            "/api" => (
                200,
                json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
            ),
            "/apis" => (
                200,
                json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": "apps",
                "versions": [{"groupVersion": "apps/v1", "version": "v1"}], "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}}]}),
            ),
            "/api/v1" => {
                resources("v1", &[("Pod", "pods"), ("Secret", "secrets"), ("Node", "nodes")])
            }
            "/apis/apps/v1" => resources("apps/v1", &[("Deployment", "deployments")]),
            // The second page is too old once, so the list begins again.
            "/api/v1/pods" if query.contains("continue=") => {
                let asked = self.asked.lock().unwrap();
                match asked.iter().filter(|path| path.contains("continue=")).count() {
                    1 => status(410, "Expired"),
                    _ => (
                        200,
                        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod("b")]}),
                    ),
                }
            }
            "/api/v1/pods" => (
                200,
                json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "next"}, "items": [pod("a")]}),
            ),
            "/apis/apps/v1/deployments" => status(403, "Forbidden"),
            "/api/v1/nodes" => status(500, "InternalError"),
            _ => status(404, "NotFound"),
        }
    }

    async fn run(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let server = self.clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 8192];
                    let length = stream.read(&mut request).await.unwrap();
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    server.asked.lock().unwrap().push(path.clone());
                    let (code, body) = server.answer(&path);
                    let body = body.to_string();
                    let answer = format!(
                        "HTTP/1.1 {code} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                });
            }
        });
        url
    }
}

#[tokio::test]
async fn kinds_are_listed_with_the_right_to_list_alone() {
    let server = Server::default();
    let url = server.clone().run().await;
    let config = tempfile::NamedTempFile::new().unwrap();
    let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "demo",
        "contexts": [{"name": "demo", "context": {"cluster": "shop", "user": "u"}}],
        "clusters": [{"name": "shop", "cluster": {"server": url}}], "users": [{"name": "u", "user": {}}]});
    std::fs::write(config.path(), text.to_string()).unwrap();
    let target = Target { kubeconfig: Some(config.path().to_owned()), context: None };
    let reached = reach(&target).await.unwrap();
    assert_eq!((reached.version.as_str(), reached.name.as_deref()), ("v1.36.3", Some("shop")));

    let found = kinds(&reached).await.unwrap();
    let names: Vec<String> =
        found.iter().map(|kind| format!("{} {}", kind.api_version, kind.kind)).collect();
    assert_eq!(names, ["apps/v1 Deployment", "v1 Node", "v1 Pod"], "Secrets are left out");

    let mut wanted = found;
    wanted.push(Kind::new("v1", "Secret", "secrets"));
    let listing = list(&reached, &wanted).await;
    let objects: Vec<Value> =
        listing.objects.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
    let object = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "uid": name}});
    assert_eq!(objects, [object("a"), object("b")], "both pages, once, without managed fields");
    let refused: Vec<(&str, &str)> = listing
        .refused
        .iter()
        .map(|refused| (refused.kind.kind.as_str(), refused.reason))
        .collect();
    assert_eq!(refused, [("Deployment", "forbidden"), ("Node", "error"), ("Secret", "forbidden")]);
    assert!(listing.refused[0].message.contains("Forbidden it is"), "{:?}", listing.refused[0]);

    let asked = server.asked.lock().unwrap();
    assert!(!asked.iter().any(|path| path.contains("secrets")), "{asked:?}");
    assert!(asked.iter().any(|path| path.contains("limit=500")), "{asked:?}");
    assert!(
        !asked.iter().any(|path| path.contains("kube-system")),
        "nobody is asked for a name: {asked:?}"
    );
}
