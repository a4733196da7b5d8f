//! Who may do what, as a literal table: every endpoint, stream and export × four roles × {the organisation, the
//! object's own scope, another scope} and without credentials, on existing objects.
//!
//! The mutation run flips each cell of the enforced table in turn and demands that this table notices.
use crate::records::{POLICIES, assessment, decision, firing, gap, inventory, running, trial};
use crate::world::{DAY, PASSWORD, World};
use axum::Router;
use axum::body::{Body, Bytes};
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use rcgen::{CertificateParams, KeyPair};
use seawall_hub::{Access, Action, PERMISSIONS, Permissions};
use seawall_model::access::Role;
use seawall_model::time::Clock;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tower::ServiceExt;

/// Columns: Security Reader, Security Admin, Contributor, Owner; in each the role held at the organisation, at the
/// object's own scope, at another scope. Last: no credentials.
///
/// `+` answered, with the object      `-` answered, without the object      `o` answered, nothing of a scope in it
/// `f` 403      `n` 404      `u` 401      `c` 409: permitted, but a token has no session
const TABLE: &str = "
POST   /api/v1/session                          uuu uuu uuu uuu u
GET    /api/v1/session                          ooo ooo ooo ooo u
DELETE /api/v1/session                          ccc ccc ccc ccc u
PUT    /api/v1/session/password                 ccc ccc ccc ccc u

GET    /api/v1/overview                         ++- ++- ++- ++- u
GET    /api/v1/search                           ++- ++- ++- ++- u
GET    /api/v1/stream                           ++- ++- ++- ++- u
GET    /api/v1/features                         ++- ++- ++- ++- u
GET    /api/v1/filters/{noun}                   ooo ooo ooo ooo u

GET    /api/v1/scopes                           ++- ++- ++- ++- u
POST   /api/v1/scopes                           fff fff fff oon u
GET    /api/v1/clusters                         ++- ++- ++- ++- u
GET    /api/v1/clusters/status                  ++- ++- ++- ++- u
GET    /api/v1/clusters/{id}                    ++n ++n ++n ++n u
GET    /api/v1/agents                           ++- ++- ++- ++- u
GET    /api/v1/agents/{id}                      ++n ++n ++n ++n u
POST   /api/v1/agents/{id}/revoke               fff ++n fff ++n u
DELETE /api/v1/agents/{id}                      fff fff fff oon u
GET    /api/v1/assets                           ++- ++- ++- ++- u
GET    /api/v1/assets/{id}                      ++n ++n ++n ++n u
GET    /api/v1/images                           ++- ++- ++- ++- u
GET    /api/v1/images/{id}                      ++n ++n ++n ++n u
GET    /api/v1/images/{id}/packages             ++n ++n ++n ++n u
GET    /api/v1/images/{id}/findings             oon oon oon oon u
GET    /api/v1/packages                         ++- ++- ++- ++- u

GET    /api/v1/findings                         ++- ++- ++- ++- u
GET    /api/v1/findings/{id}                    ++n ++n ++n ++n u
GET    /api/v1/recommendations                  ++- ++- ++- ++- u
GET    /api/v1/recommendations/{id}             ++n ++n ++n ++n u
PATCH  /api/v1/recommendations/{id}             fff ++n ++n ++n u
GET    /api/v1/scores                           ++n ++n ++n ++n u
GET    /api/v1/scores/history                   ++- ++- ++- ++- u
GET    /api/v1/frameworks                       ++n ++n ++n ++n u
GET    /api/v1/frameworks/{id}                  ++n ++n ++n ++n u
GET    /api/v1/frameworks/{id}/controls         ++n ++n ++n ++n u
GET    /api/v1/alerts                           ++- ++- ++- ++- u
GET    /api/v1/alerts/facets                    ++- ++- ++- ++- u
POST   /api/v1/alerts/bulk                      fff ++- ++- ++- u
GET    /api/v1/alerts/{id}                      ++n ++n ++n ++n u
POST   /api/v1/alerts/{id}/dismiss              fff ++n ++n ++n u
POST   /api/v1/alerts/{id}/take                 fff ++n ++n ++n u
POST   /api/v1/alerts/{id}/resolve              fff ++n ++n ++n u
POST   /api/v1/alerts/{id}/reopen               fff ++n ++n ++n u
GET    /api/v1/events                           ++- ++- ++- ++- u

GET    /api/v1/decisions                        ++- ++- ++- ++- u
GET    /api/v1/decisions/{id}                   ++n ++n ++n ++n u
GET    /api/v1/gaps                             ++- ++- ++- ++- u
GET    /api/v1/assignments                      ++- ++- ++- ++- u
POST   /api/v1/assignments                      fff oon fff oon u
GET    /api/v1/assignments/{id}                 ++n ++n ++n ++n u
PUT    /api/v1/assignments/{id}                 fff ++n fff ++n u
DELETE /api/v1/assignments/{id}                 fff oon fff oon u
GET    /api/v1/policy-sets                      ++- ++- ++- ++- u
POST   /api/v1/policy-sets                      fff oon fff oon u
GET    /api/v1/policy-sets/{id}                 ++n ++n ++n ++n u
PUT    /api/v1/policy-sets/{id}                 fff ++n fff ++n u
DELETE /api/v1/policy-sets/{id}                 fff oon fff oon u
GET    /api/v1/policy-sets/{id}/trials          ++n ++n ++n ++n u

GET    /api/v1/exemptions                       ++- ++- ++- ++- u
GET    /api/v1/exemptions/{id}                  ++n ++n ++n ++n u
POST   /api/v1/exemptions                       fff oon oon oon u
POST   /api/v1/exemptions/{id}/grant            fff ++n fff ++n u
POST   /api/v1/exemptions/{id}/deny             fff ++n fff ++n u
POST   /api/v1/exemptions/{id}/revoke           fff ++n fff ++n u
GET    /api/v1/detections                       ooo ooo ooo ooo u
GET    /api/v1/detections/{id}                  ooo ooo ooo ooo u
GET    /api/v1/controls                         ooo ooo ooo ooo u
GET    /api/v1/controls/{id}                    ooo ooo ooo ooo u

GET    /api/v1/users                            fff fff fff +ff u
POST   /api/v1/users                            fff fff fff off u
PATCH  /api/v1/users/{id}                       fff fff fff +ff u
DELETE /api/v1/users/{id}                       fff fff fff off u
POST   /api/v1/users/{id}/reset-password        fff fff fff off u
GET    /api/v1/roles                            fff fff fff ++- u
POST   /api/v1/roles                            fff fff fff oon u
DELETE /api/v1/roles/{id}                       fff fff fff oon u
GET    /api/v1/tokens                           fff fff fff ++- u
POST   /api/v1/tokens                           fff fff fff oon u
DELETE /api/v1/tokens/{id}                      fff fff fff oon u
GET    /api/v1/enrolments                       fff fff fff ++- u
POST   /api/v1/enrolments                       fff fff fff oon u
DELETE /api/v1/enrolments/{id}                  fff fff fff oon u
POST   /api/v1/enrolments/{id}/accept           fff fff fff ++n u
POST   /api/v1/enrolments/redeem                ooo ooo ooo ooo o
POST   /api/v1/enrolments/join                  fff fff fff fff f
GET    /api/v1/audit                            +ff +ff fff +ff u
GET    /api/v1/audit/verify                     off off fff off u
GET    /api/v1/openapi.json                     ooo ooo ooo ooo o
";

/// What `GET /session` must list: the whole table of roles, also for actions that no endpoint takes yet.
const ACTIONS: [(Role, &[&str]); 4] = [
    (Role::SecurityReader, &["view", "view_audit"]),
    (
        Role::SecurityAdmin,
        &[
            "view",
            "view_audit",
            "alert_state",
            "assign",
            "request_exemption",
            "edit_policy",
            "grant_exemption",
            "manage_sinks",
            "plans",
            "respond",
            "revoke_agent",
        ],
    ),
    (
        Role::Contributor,
        &["view", "alert_state", "assign", "request_exemption", "plans", "apply_fix"],
    ),
    (
        Role::Owner,
        &[
            "view",
            "view_audit",
            "alert_state",
            "assign",
            "request_exemption",
            "edit_policy",
            "grant_exemption",
            "manage_sinks",
            "plans",
            "apply_fix",
            "respond",
            "revoke_agent",
            "enrol",
            "users",
        ],
    ),
];

/// Lists that are also exports: the same cells hold for both forms.
const EXPORTS: [&str; 26] = [
    "/scopes",
    "/clusters",
    "/agents",
    "/assets",
    "/images",
    "/images/{id}/packages",
    "/packages",
    "/findings",
    "/recommendations",
    "/scores/history",
    "/frameworks",
    "/frameworks/{id}/controls",
    "/alerts",
    "/events",
    "/decisions",
    "/gaps",
    "/assignments",
    "/policy-sets",
    "/policy-sets/{id}/trials",
    "/exemptions",
    "/detections",
    "/controls",
    "/users",
    "/roles",
    "/tokens",
    "/enrolments",
];

/// Where the enforcement and the table part.
#[derive(Debug, PartialEq)]
struct Difference {
    /// `None` without credentials.
    role: Option<Role>,
    /// What the route demands; the list of actions speaks of whatever it differs in.
    action: Option<Action>,
    text: String,
}

struct Row {
    method: Method,
    path: &'static str,
    /// Twelve cells and the one without credentials.
    cells: Vec<char>,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let method = words.next().unwrap().parse().unwrap();
            let path = words.next().unwrap();
            let cells: Vec<char> = words.flat_map(str::chars).collect();
            assert_eq!(cells.len(), 13, "{line}");
            Row { method, path, cells }
        })
        .collect()
}

/// A hub with one of everything in `/org/a/`, and a token for each column of the table.
struct Estate {
    world: World,
    /// The hub as it is: for making ready what a cell is about to change.
    ready: Router,
    /// Twelve, in the table's order.
    tokens: Vec<String>,
    /// Ids of the objects by noun.
    ids: BTreeMap<&'static str, String>,
    /// Names that must be fresh.
    fresh: Cell<u32>,
    csr: String,
}

const SCOPES: [&str; 3] = ["/org/", "/org/a/", "/org/b/"];

impl Estate {
    async fn build() -> Self {
        let world = World::start().await;
        let (a, b) = (world.scope("/org/", "a").await, world.scope("/org/", "b").await);
        assert_eq!([a.as_str(), b.as_str()], SCOPES[1..]);
        let agent = world.agent(&a, "prod").await;
        let controls = world.items("/controls").await;
        let control = controls[0]["id"].as_str().unwrap().to_owned();
        let now = world.clock.now();
        agent
            .send(vec![
                firing("prod", "Deployment/web", now),
                assessment(&control, "web", "unhealthy", &["/spec"]),
                decision(&control, now),
                gap(now),
            ])
            .await;
        let sensor = world.sensor_of(&agent).await;
        sensor.send(vec![inventory(), running(now)]).await;
        let patience = Duration::from_secs(10);
        let there = |page: &Value| page["total"]["value"].as_u64().unwrap() > 0;
        world.wait("/recommendations", patience, there).await;
        world.wait("/scores/history", patience, there).await;
        let mut tokens = Vec::new();
        for role in Role::ALL {
            for scope in SCOPES {
                tokens.push(world.token(role.as_str(), scope, None).await);
            }
        }
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let ready = world.hub.router(PERMISSIONS);
        let fresh = Cell::new(0);
        let mut estate = Self { world, ready, tokens, ids: BTreeMap::new(), fresh, csr };
        for noun in [
            "clusters",
            "agents",
            "assets",
            "images",
            "packages",
            "findings",
            "recommendations",
            "alerts",
            "events",
            "decisions",
            "gaps",
        ] {
            let id =
                estate.world.items(&format!("/{noun}")).await[0]["id"].as_str().unwrap().to_owned();
            estate.ids.insert(noun, id);
        }
        estate.ids.insert("controls", control);
        estate.ids.insert("filters", "alerts".to_owned());
        // Of a framework that the control is in: its row tells that one resource fails.
        let frameworks = estate.world.items("/frameworks?scope=/org/a/&filter=failing:>0").await;
        let framework = frameworks[0]["id"].as_str().unwrap().to_owned();
        estate.ids.insert("frameworks", framework);
        estate.ids.insert("scores", "/org/a/".to_owned());
        let detections = estate.world.items("/detections").await;
        estate.ids.insert("detections", detections[0]["id"].as_str().unwrap().to_owned());
        for noun in
            ["assignments", "policy-sets", "exemptions", "users", "roles", "tokens", "enrolments"]
        {
            let id = estate.make(noun).await;
            estate.ids.insert(noun, id);
        }
        agent.send(vec![trial(&estate.ids["policy-sets"], 1)]).await;
        estate
    }

    fn number(&self) -> u32 {
        self.fresh.set(self.fresh.get() + 1);
        self.fresh.get()
    }

    async fn owner(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let method = method.parse().unwrap();
        let path = format!("/api/v1{path}");
        let request = self.request(&method, &path, Some(&self.world.owner), body);
        let (status, text) = send(&self.ready, request).await;
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A new object of `/org/a/`; its id.
    async fn make(&self, noun: &str) -> String {
        let body = self.body(&Method::POST, &format!("/api/v1/{noun}"), "/org/a/").await;
        let made = self.owner("POST", &format!("/{noun}"), body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// The body that the route takes, for an object at `scope`.
    async fn body(&self, method: &Method, path: &str, scope: &str) -> Option<Value> {
        let expires = self.world.clock.now() + DAY;
        let target = json!({"rule": "SW-C-9999", "namespace": null, "resource": null, "package": null, "path": null});
        Some(match (method.as_str(), path.trim_start_matches("/api/v1")) {
            ("POST", "/session") => json!({"user": "nobody", "password": PASSWORD}),
            ("PUT", "/session/password") => json!({"current": PASSWORD, "new": "another password"}),
            ("POST", "/scopes") => {
                json!({"parent": scope, "kind": "account", "name": format!("s{}", self.number())})
            }
            ("PATCH", path) if path.starts_with("/recommendations") => json!({"owner": "someone"}),
            ("POST", "/alerts/bulk") => json!({"action": "take", "ids": [self.ids["alerts"]]}),
            ("POST", path) if path.ends_with("/dismiss") => json!({"reason": "test", "note": "n"}),
            ("POST", "/exemptions") => {
                json!({"target": target, "category": "mitigated", "reason": "r",
                "expires": expires, "scope": scope})
            }
            ("POST", "/users") => {
                json!({"name": format!("user{}", self.number()), "password": PASSWORD})
            }
            ("PATCH", path) if path.starts_with("/users") => json!({"disabled": true}),
            ("POST", "/roles") => {
                json!({"principal": {"kind": "group", "name": format!("g{}", self.number())},
                "role": "security_reader", "scope": scope, "namespaces": null})
            }
            ("POST", "/tokens") => {
                json!({"name": format!("t{}", self.number()), "role": "owner", "scope": scope,
                "namespaces": null, "expires": expires})
            }
            ("POST", "/enrolments/join") => {
                json!({"service_account_token": "no.such.token", "csr": self.csr})
            }
            ("POST" | "PUT", path) if path.starts_with("/assignments") => {
                let target = format!("control:{}", self.ids["controls"]);
                json!({"target": target, "scope": scope, "action": "audit"})
            }
            ("POST" | "PUT", path) if path.starts_with("/policy-sets") => {
                json!({"name": format!("set{}", self.number()), "scope": scope, "text": POLICIES})
            }
            ("POST", "/enrolments") => json!({"scope": scope, "manual_accept": true}),
            ("POST", "/enrolments/redeem") => {
                let made =
                    self.owner("POST", "/enrolments", Some(json!({"scope": "/org/a/"}))).await;
                json!({"token": made["token"], "csr": self.csr, "cluster_uid": format!("u{}", self.number()),
                    "cluster_name": format!("c{}", self.number()), "kind": "kubernetes", "agent_name": "a", "role": "sensor"})
            }
            _ => return None,
        })
    }

    /// Makes ready what the row acts on; its id.
    async fn prepare(&self, row: &Row) -> String {
        let path = row.path.trim_start_matches("/api/v1/");
        let noun = path.split('/').next().unwrap();
        let last = path.rsplit('/').next().unwrap();
        match (row.method.as_str(), noun, last) {
            ("POST", "alerts", "dismiss" | "take" | "resolve" | "reopen" | "bulk") => {
                self.alert_ready(last).await;
                self.ids["alerts"].clone()
            }
            ("POST", "exemptions", "grant" | "deny") => self.requested_exemption().await,
            ("POST", "exemptions", "revoke") => self.make("exemptions").await,
            ("POST", "agents", "revoke") => self.spare_agent().await,
            ("DELETE", "agents", _) => {
                let id = self.spare_agent().await;
                self.owner("POST", &format!("/agents/{id}/revoke"), None).await;
                id
            }
            ("PATCH", "users", _) | ("DELETE", ..) | ("POST", "users", "reset-password")
                if path.contains("{id}") =>
            {
                self.make(noun).await
            }
            ("POST", "enrolments", "accept") => self.waiting_enrolment().await,
            _ => self.ids.get(noun).cloned().unwrap_or_default(),
        }
    }

    /// Active, but dismissed where it is to be reopened.
    async fn alert_ready(&self, verb: &str) {
        let path = format!("/alerts/{}", self.ids["alerts"]);
        let state = self.owner("GET", &path, None).await["state"].as_str().unwrap().to_owned();
        if verb == "reopen" {
            if state == "active" {
                self.owner("POST", &format!("{path}/resolve"), None).await;
            }
        } else if state != "active" {
            self.owner("POST", &format!("{path}/reopen"), None).await;
        }
    }

    /// One that waits: a Contributor may ask, but not grant.
    async fn requested_exemption(&self) -> String {
        let body = self.body(&Method::POST, "/api/v1/exemptions", "/org/a/").await;
        let contributor = &self.tokens[7];
        let request = self.request(&Method::POST, "/api/v1/exemptions", Some(contributor), body);
        let (_, text) = send(&self.ready, request).await;
        let made: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(made["state"], "requested");
        made["id"].as_str().unwrap().to_owned()
    }

    /// One that a cluster waits with.
    async fn waiting_enrolment(&self) -> String {
        let body = self.body(&Method::POST, "/api/v1/enrolments", "/org/a/").await;
        let made = self.owner("POST", "/enrolments", body).await;
        let path = "/api/v1/enrolments/redeem";
        let mut body = self.body(&Method::POST, path, "/org/a/").await.unwrap();
        body["token"] = made["token"].clone();
        let (status, text) =
            send(&self.ready, self.request(&Method::POST, path, None, Some(body))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// Of the newest entry.
    async fn audit_position(&self) -> u64 {
        let page = self.owner("GET", "/audit?limit=1", None).await;
        page["items"][0]["position"].as_u64().unwrap()
    }

    async fn spare_agent(&self) -> String {
        let body = self.body(&Method::POST, "/api/v1/enrolments/redeem", "/org/a/").await;
        let agent = self.owner("POST", "/enrolments/redeem", body).await;
        agent["agent_id"].as_str().unwrap().to_owned()
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Request<Body> {
        // Limits count by the hub's clock: a second for each request lets all of them through, a minute for sign-ins.
        let pace =
            if path == "/api/v1/session" && *method == Method::POST { 60_000 } else { 1_000 };
        self.world.clock.advance(pace);
        let mut request = Request::builder().method(method.clone()).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        match body {
            Some(body) => request.body(Body::from(body.to_string())).unwrap(),
            None => request.body(Body::empty()).unwrap(),
        }
    }

    /// What `router` does with one cell of the table.
    async fn observe(
        &self,
        router: &Router,
        row: &Row,
        token: Option<&str>,
        accept: Option<&'static str>,
    ) -> Result<char, String> {
        let id = self.prepare(row).await;
        let mut path = row.path.replace("{id}", &id).replace("{noun}", &id);
        match row.path.trim_start_matches("/api/v1") {
            "/search" => path.push_str("?q=web"),
            "/scores" | "/frameworks" | "/frameworks/{id}" | "/frameworks/{id}/controls" => {
                path.push_str("?scope=/org/a/")
            }
            // Objects that cells make must not push the one looked for off the page.
            list if row.method == Method::GET && EXPORTS.contains(&list) => {
                path.push_str("?limit=500");
            }
            _ => {}
        }
        let body = self.body(&row.method, row.path, "/org/a/").await;
        let mut request = self.request(&row.method, &path, token, body);
        if let Some(accept) = accept {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        if row.method == Method::PATCH || row.method == Method::PUT {
            request.headers_mut().insert("if-match", "*".parse().unwrap());
        }
        if row.path.ends_with("/stream") {
            request.headers_mut().insert("last-event-id", "0".parse().unwrap());
            return Ok(self.observe_stream(router, request).await);
        }
        let before = self.audit_position().await;
        let (status, text) = send(router, request).await;
        let seen = match status.as_u16() {
            401 => 'u',
            403 => 'f',
            404 => 'n',
            409 => 'c',
            200..300 => self.shown(row, &id, &text),
            _ => return Err(format!("{} {path}: {status} {text}", row.method)),
        };
        // A step that found nothing to change is no write.
        let writes = (row.method != Method::GET && seen != '-') || accept.is_some();
        if writes && status.is_success() && self.audit_position().await == before {
            return Err(format!("{} {path} ({accept:?}) is not in the audit log", row.method));
        }
        Ok(seen)
    }

    /// Whether an answer holds the object.
    fn shown(&self, row: &Row, id: &str, text: &str) -> char {
        let marker = match row.path.trim_start_matches("/api/v1") {
            // Nothing of a scope is in these, or nothing of an object.
            "/session"
            | "/filters/{noun}"
            | "/detections"
            | "/detections/{id}"
            | "/controls"
            | "/controls/{id}"
            | "/audit/verify"
            | "/openapi.json"
            | "/enrolments/redeem"
            | "/images/{id}/findings"
            | "/users/{id}/reset-password" => return 'o',
            _ if row.method == Method::DELETE => return 'o',
            "/scopes" | "/users" | "/roles" | "/tokens" | "/enrolments" | "/exemptions"
            | "/assignments" | "/policy-sets"
                if row.method == Method::POST =>
            {
                return 'o';
            }
            "/overview" | "/clusters/status" => "uid-prod",
            "/search" => "Deployment/web",
            "/scopes" => "/org/a/",
            "/scores" | "/frameworks" | "/frameworks/{id}" => "/org/a/",
            "/frameworks/{id}/controls" => "failing",
            "/scores/history" => "/org/a/",
            "/features" => "\"name\":\"exec\"",
            "/alerts/facets" => "SW-D-9001",
            "/alerts/bulk" => "\"matched\":1",
            "/images/{id}/packages" => "django",
            "/audit" => "enrolment.create",
            _ => id,
        };
        if text.contains(marker) { '+' } else { '-' }
    }

    async fn observe_stream(&self, router: &Router, request: Request<Body>) -> char {
        let response = router.clone().oneshot(request).await.unwrap();
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return 'u',
            StatusCode::FORBIDDEN => return 'f',
            other => panic!("/stream: {other}"),
        }
        let mut events = response.into_body().into_data_stream();
        let mut text = Vec::new();
        let found = async {
            while let Some(Ok(bytes)) = events.next().await {
                let bytes: Bytes = bytes;
                text.extend_from_slice(&bytes);
                if String::from_utf8_lossy(&text).contains(&self.ids["alerts"]) {
                    return true;
                }
            }
            false
        };
        // The whole feed is there when the stream opens: what has not come by then does not come.
        let found = tokio::time::timeout(Duration::from_millis(250), found).await;
        if found.unwrap_or(false) { '+' } else { '-' }
    }

    /// Holds the enforcement of `permissions` against the table; the first cell that differs.
    /// `first` is looked at before the rest: where a difference is expected.
    async fn check(
        &self,
        permissions: Permissions,
        first: Option<(Role, Action)>,
    ) -> Result<(), Difference> {
        let router = self.world.hub.router(permissions);
        let accesses: BTreeMap<(String, String), Access> = seawall_hub::endpoints()
            .into_iter()
            .map(|endpoint| ((endpoint.method, endpoint.path), endpoint.access))
            .collect();
        let action = |row: &Row| match accesses[&(row.method.to_string(), row.path.to_owned())] {
            Access::May(action) => Some(action),
            Access::Public | Access::SignedIn => None,
        };
        let mut rows = rows();
        if let Some((_, flipped)) = first {
            if !rows.iter().any(|row| action(row) == Some(flipped)) {
                // No endpoint takes it yet: only the list of actions can tell.
                self.check_actions(&router).await?;
            }
            rows.sort_by_key(|row| action(row) != Some(flipped));
        }
        for row in &rows {
            let mut columns: Vec<usize> = (0..13).collect();
            if let Some((role, _)) = first {
                columns.sort_by_key(|column| column / 3 != role as usize);
            }
            for column in columns {
                if let Err(text) = self.check_cell(&router, row, column).await {
                    let role = Role::ALL.get(column / 3).copied();
                    return Err(Difference { role, action: action(row), text });
                }
            }
        }
        self.check_actions(&router).await
    }

    async fn check_cell(&self, router: &Router, row: &Row, column: usize) -> Result<(), String> {
        let token = self.tokens.get(column).map(String::as_str);
        let export =
            row.method == Method::GET && EXPORTS.contains(&row.path.trim_start_matches("/api/v1"));
        let forms: &[Option<&str>] =
            if export { &[None, Some("text/csv"), Some("application/x-ndjson")] } else { &[None] };
        for &accept in forms {
            let seen = self.observe(router, row, token, accept).await?;
            let expected = row.cells[column];
            if seen != expected {
                return Err(format!(
                    "{} {} ({accept:?}) in column {column} at {}: `{seen}`, the table has `{expected}`",
                    row.method,
                    row.path,
                    SCOPES[column % 3]
                ));
            }
        }
        Ok(())
    }

    async fn check_actions(&self, router: &Router) -> Result<(), Difference> {
        for (role, expected) in ACTIONS {
            let token = &self.tokens[role as usize * 3];
            let request = self.request(&Method::GET, "/api/v1/session", Some(token), None);
            let (_, text) = send(router, request).await;
            let session: Value = serde_json::from_str(&text).unwrap();
            let told: BTreeSet<&str> = session["actions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect();
            let expected: BTreeSet<&str> = expected.iter().copied().collect();
            if let Some(word) = told.symmetric_difference(&expected).next() {
                let action = Action::ALL.into_iter().find(|action| action.as_str() == *word);
                let text = format!("{role} is told {told:?}");
                return Err(Difference { role: Some(role), action, text });
            }
        }
        Ok(())
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn every_endpoint_stands_in_the_table() {
    let of_hub: BTreeSet<(String, String)> = seawall_hub::endpoints()
        .into_iter()
        .map(|endpoint| (endpoint.method, endpoint.path))
        .collect();
    let of_table: BTreeSet<(String, String)> =
        rows().into_iter().map(|row| (row.method.to_string(), row.path.to_owned())).collect();
    assert_eq!(of_hub, of_table);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_holds() {
    let estate = Estate::build().await;
    if let Err(difference) = estate.check(PERMISSIONS, None).await {
        panic!("{difference:?}");
    }
    let log = estate.world.get("/audit/verify").await.expect(200);
    assert_eq!(log["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_cell_is_noticed() {
    let estate = Estate::build().await;
    for role in Role::ALL {
        for action in Action::ALL {
            let flipped = PERMISSIONS.flipped(role, action);
            let difference = estate.check(flipped, Some((role, action))).await;
            let difference = difference.expect_err("a flipped cell that nothing notices");
            let place = (difference.role, difference.action);
            assert_eq!(place, (Some(role), Some(action)), "{}", difference.text);
        }
    }
}
