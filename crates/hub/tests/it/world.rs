//! A hub on a fresh database with a clock that tests move, and a client that trusts its CA.
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use seawall_hub::{Config, Hub, Location, SystemEntropy};
use seawall_model::asset::{AgentRole, Capability, CapabilityState, Cluster, ClusterKind};
use seawall_model::scope::ScopePath;
use seawall_model::time::{Clock, FixedClock, SystemClock};
use seawall_model::{Id, Millis};
use seawall_uplink::{Enrolment, Uplink, enrol};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const MINUTE: Millis = 60 * 1000;
pub(crate) const DAY: Millis = 24 * 60 * MINUTE;

pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) base: String,
    pub(crate) client: Client,
    /// A token of an Owner of the organisation.
    pub(crate) owner: String,
}

/// What the hub said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, after a check of the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn config(directory: &Path, clock: Arc<FixedClock>) -> Config {
    Config {
        database: Location::Directory(directory.join("data")),
        listen: ([127, 0, 0, 1], 0).into(),
        agents_listen: ([127, 0, 0, 1], 0).into(),
        index: directory.join("index"),
        tls: None,
        tls_names: Vec::new(),
        base_url: None,
        first_password: None,
        trusted_proxies: Vec::new(),
        clock,
        entropy: Arc::new(SystemEntropy),
    }
}

pub(crate) fn client(hub: &Hub) -> Client {
    // A second installation in one process is refused, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(hub.ca_certificate().as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

impl World {
    /// A hub whose first Owner has changed the password and made a token.
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let hub = Hub::start(config(directory.path(), clock.clone())).await.unwrap();
        Self::with(hub, clock, directory).await
    }

    /// The same with a hub that runs already.
    pub(crate) async fn with(
        hub: Hub,
        clock: Arc<FixedClock>,
        directory: tempfile::TempDir,
    ) -> Self {
        let first = hub.first_password().expect("the database is new").to_owned();
        let base = format!("https://localhost:{}", hub.address().port());
        let client = client(&hub);
        let mut world = Self { hub, clock, directory, base, client, owner: String::new() };
        let browser = world.sign_in("admin", &first).await;
        let change = json!({"current": first, "new": PASSWORD});
        world.browser(&browser, Method::PUT, "/session/password", Some(change)).await.expect(204);
        let token = json!({"name": "tests", "role": "owner", "scope": "/org/", "namespaces": null,
            "expires": world.clock.now() + 300 * DAY});
        let created =
            world.browser(&browser, Method::POST, "/tokens", Some(token)).await.expect(201);
        world.owner = created["token"].as_str().unwrap().to_owned();
        world
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    /// The session cookie.
    pub(crate) async fn sign_in(&self, user: &str, password: &str) -> String {
        let answer = self.try_sign_in(user, password).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        answer.expect(200);
        cookie
    }

    pub(crate) async fn try_sign_in(&self, user: &str, password: &str) -> Answer {
        let body = json!({"user": user, "password": password});
        let request = self.client.post(self.url("/session")).json(&body);
        Self::answer(request).await
    }

    /// As a page of the hub would send it.
    pub(crate) async fn browser(
        &self,
        cookie: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        request = request.header("cookie", cookie).header("origin", &self.base);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::answer(request).await
    }

    pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// With the Owner's token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Self::answer(self.client.get(self.url(path)).bearer_auth(&self.owner)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Self::answer(self.client.post(self.url(path)).bearer_auth(&self.owner).json(&body)).await
    }

    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        self.get(path).await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// Asks until `holds`, for at most `patience`.
    pub(crate) async fn wait(
        &self,
        path: &str,
        patience: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let started = std::time::Instant::now();
        loop {
            let value = self.get(path).await.expect(200);
            if holds(&value) {
                return value;
            }
            assert!(started.elapsed() < patience, "{path} is still {value}");
            // The request limit counts by the hub's clock, which stands still.
            self.clock.advance(20);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A token with one role at one scope.
    pub(crate) async fn token(
        &self,
        role: &str,
        scope: &str,
        namespaces: Option<&[&str]>,
    ) -> String {
        let name = match namespaces {
            Some(namespaces) => format!("{role} {scope} {}", namespaces.join(" ")),
            None => format!("{role} {scope}"),
        };
        let body = json!({"name": name, "role": role, "scope": scope, "namespaces": namespaces,
            "expires": self.clock.now() + 300 * DAY});
        let created = self.post("/tokens", body).await.expect(201);
        created["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn scope(&self, parent: &str, name: &str) -> String {
        let body = json!({"parent": parent, "kind": "account", "name": name});
        let scope = self.post("/scopes", body).await.expect(201);
        scope["path"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn enrolment(&self, scope: &str) -> String {
        let body = json!({"scope": scope});
        let created = self.post("/enrolments", body).await.expect(201);
        created["token"].as_str().unwrap().to_owned()
    }

    /// An agent of the cluster `name`, enrolled below `scope` and connected.
    pub(crate) async fn agent(&self, scope: &str, name: &str) -> TestAgent {
        let body = json!({"scope": scope, "uses": 2});
        let created = self.post("/enrolments", body).await.expect(201);
        let token = created["token"].as_str().unwrap().to_owned();
        self.connect(AgentRole::ClusterAgent, "agent-0", name, token).await
    }

    /// A sensor in the cluster of that agent.
    pub(crate) async fn sensor_of(&self, agent: &TestAgent) -> TestAgent {
        self.connect(AgentRole::Sensor, "node-1", &agent.cluster, agent.token.clone()).await
    }

    async fn connect(&self, role: AgentRole, own: &str, name: &str, token: String) -> TestAgent {
        let cluster = cluster(name);
        let enrolment =
            Enrolment { hub: &self.base, token: &token, cluster: &cluster, role, name: own };
        let identity = enrol(&enrolment).await.unwrap();
        let id = identity.agent_id.clone();
        let state = tempfile::tempdir().unwrap();
        let config = seawall_uplink::Config {
            state_dir: state.path().to_owned(),
            identity,
            role: role.into(),
            name: own.to_owned(),
            cluster,
            version: "0.1.0".to_owned(),
            capabilities: vec![Capability {
                name: "exec".to_owned(),
                state: CapabilityState::Full,
                tier: None,
                reason: None,
            }],
            trust: tokio::sync::watch::channel(None).1,
            spool_bytes: 64 << 20,
            clock: self.clock.clone(),
        };
        let uplink = Uplink::start(config).unwrap();
        TestAgent { id, uplink, cluster: name.to_owned(), token, _state: state }
    }
}

pub(crate) fn cluster(name: &str) -> Cluster {
    Cluster {
        id: Id::new(1, [0; 10]),
        scope: ScopePath::root(),
        uid: format!("uid-{name}"),
        name: name.to_owned(),
        kind: ClusterKind::Kubernetes,
        version: Some("v1.36.3".to_owned()),
        first_seen: 0,
        last_seen: 0,
    }
}

/// An enrolled agent with its spool.
pub(crate) struct TestAgent {
    pub(crate) id: String,
    pub(crate) uplink: Uplink,
    cluster: String,
    /// Good for one more agent of the cluster.
    token: String,
    _state: tempfile::TempDir,
}

impl TestAgent {
    /// Sends the records as one batch and waits until the hub has committed it.
    pub(crate) async fn send(&self, records: Vec<seawall_model::record::Record>) {
        let sequence = self.uplink.send(records).expect("the spool has room");
        let started = std::time::Instant::now();
        while self.uplink.status().acknowledged < sequence {
            assert!(started.elapsed() < Duration::from_secs(15), "{:?}", self.uplink.status());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
