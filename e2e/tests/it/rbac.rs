//! Who may do what, as the API server's own authorizer says: generated roles and bindings, random questions.
use seawall_e2e::server::Server;
use seawall_posture::rbac::{Access, Change, Question, Subject};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const QUESTIONS: usize = 10_000;
/// Requests in flight; more do not make one API server faster.
const PARALLEL: usize = 32;
const NAMESPACES: [&str; 3] = ["red", "green", "blue"];
const VERBS: [&str; 9] =
    ["get", "list", "create", "update", "delete", "impersonate", "escalate", "fly", "*"];
const GROUPS: [&str; 5] = ["", "apps", "rbac.authorization.k8s.io", "x.example", "*"];
const RESOURCES: [&str; 12] = [
    "pods",
    "pods/log",
    "pods/exec",
    "secrets",
    "deployments",
    "deployments/scale",
    "widgets",
    "widgets/scale",
    "clusterroles",
    "*",
    "*/scale",
    "*/log",
];
const PATHS: [&str; 7] = ["/healthz", "/metrics", "/metrics/*", "/a/*", "/logs/x", "/a/b/c", "*"];

/// Knuth's linear congruential generator: the same objects and questions in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.roll(list.len())]
    }

    /// One to `most` different members.
    fn some<'a>(&mut self, list: &[&'a str], most: usize) -> BTreeSet<&'a str> {
        (0..=self.roll(most)).map(|_| self.pick(list)).collect()
    }
}

fn rule(dice: &mut Dice, cluster: bool) -> Value {
    // A wildcard in every second rule would let everybody do everything.
    let narrow = |list: &[&'static str], dice: &mut Dice| -> Vec<&'static str> {
        let wild = dice.roll(8) == 0;
        list.iter().copied().filter(|item| wild || !item.starts_with('*')).collect()
    };
    let verbs = narrow(&VERBS, dice);
    let verbs = dice.some(&verbs, 3);
    if cluster && dice.roll(5) == 0 {
        return json!({"verbs": verbs, "nonResourceURLs": dice.some(&PATHS, 2)});
    }
    let (groups, resources) = (narrow(&GROUPS, dice), narrow(&RESOURCES, dice));
    let mut rule = json!({"verbs": verbs, "apiGroups": dice.some(&groups, 2), "resources": dice.some(&resources, 3)});
    if dice.roll(4) == 0 {
        rule["resourceNames"] = json!(dice.some(&["a", "b", "c"], 2));
    }
    rule
}

fn subject(dice: &mut Dice) -> Value {
    let kind = |kind: &str, name: String| json!({"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"});
    match dice.roll(8) {
        0..3 => kind("User", format!("user-{}", dice.roll(20))),
        3 => kind(
            "User",
            format!("system:serviceaccount:{}:sa-{}", dice.pick(&NAMESPACES), dice.roll(5)),
        ),
        4 => kind("Group", format!("team-{}", dice.roll(6))),
        5 if dice.roll(4) == 0 => {
            let all = [
                "system:authenticated",
                "system:unauthenticated",
                "system:serviceaccounts",
                "system:serviceaccounts:red",
            ];
            kind("Group", dice.pick(&all).to_owned())
        }
        _ => {
            json!({"kind": "ServiceAccount", "namespace": dice.pick(&NAMESPACES), "name": format!("sa-{}", dice.roll(5))})
        }
    }
}

/// Paths to post to, and objects.
fn objects(dice: &mut Dice) -> Vec<(String, Value)> {
    const API: &str = "/apis/rbac.authorization.k8s.io/v1";
    let mut all: Vec<(String, Value)> = NAMESPACES
        .iter()
        .map(|name| ("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": name}})))
        .collect();
    let labels = ["one", "two", "three"];
    for number in 0..60 {
        let mut role = json!({"metadata": {"name": format!("role-{number}")},
            "rules": (0..=dice.roll(3)).map(|_| rule(dice, true)).collect::<Vec<_>>()});
        if number % 12 != 0 && dice.roll(2) == 0 {
            role["metadata"]["labels"] = json!({"aggregate": dice.pick(&labels)});
        }
        if number % 12 == 0 {
            // Nested, but in no circle: roles that aggregate each other are rewritten without end.
            role["metadata"]["labels"] = json!({"tier": format!("t{number}")});
            let below = format!("t{}", (number + 48) % 60);
            let below = json!({"matchLabels": {"tier": if number == 0 { "none" } else { &below }}});
            let own = match dice.roll(2) {
                0 => json!({"matchLabels": {"aggregate": dice.pick(&labels)}}),
                _ => {
                    json!({"matchExpressions": [{"key": "aggregate", "operator": "In", "values": dice.some(&labels, 2)}]})
                }
            };
            role["aggregationRule"] = json!({"clusterRoleSelectors": [own, below]});
            role.as_object_mut().unwrap().remove("rules");
        }
        all.push((format!("{API}/clusterroles"), role));
        let namespace = dice.pick(&NAMESPACES);
        let rules: Vec<_> = (0..=dice.roll(3)).map(|_| rule(dice, false)).collect();
        all.push((
            format!("{API}/namespaces/{namespace}/roles"),
            json!({"metadata": {"name": format!("role-{number}"), "namespace": namespace}, "rules": rules}),
        ));
    }
    for number in 0..360 {
        let subjects: Vec<_> = (0..=dice.roll(3)).map(|_| subject(dice)).collect();
        let kind = if dice.roll(2) == 0 { "Role" } else { "ClusterRole" };
        // Some refer to roles that do not exist.
        let mut binding = json!({"metadata": {"name": format!("binding-{number}")}, "subjects": subjects,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": format!("role-{}", dice.roll(64))}});
        if number % 4 == 0 {
            binding["roleRef"]["kind"] = json!("ClusterRole");
            all.push((format!("{API}/clusterrolebindings"), binding));
        } else {
            let namespace = dice.pick(&NAMESPACES);
            binding["metadata"]["namespace"] = json!(namespace);
            all.push((format!("{API}/namespaces/{namespace}/rolebindings"), binding));
        }
    }
    all
}

/// A question as the API server takes it, and the same for us.
struct Asked {
    review: Value,
    subject: Subject,
    groups: Vec<Subject>,
}

fn question(dice: &mut Dice) -> Asked {
    let (user, mut groups) = match dice.roll(8) {
        0..4 => (format!("user-{}", dice.roll(22)), Vec::new()),
        4 => ("system:anonymous".to_owned(), Vec::new()),
        _ => {
            let namespace = dice.pick(&NAMESPACES);
            (format!("system:serviceaccount:{namespace}:sa-{}", dice.roll(6)), Vec::new())
        }
    };
    if user.starts_with("user") {
        groups.extend((0..dice.roll(3)).map(|_| format!("team-{}", dice.roll(7))));
        if dice.roll(100) == 0 {
            groups.push("system:masters".to_owned());
        }
    }
    let subject = Subject::user(&user);
    let implied = subject.implied();
    let named = implied.iter().map(|group| match group {
        Subject::Group(name) => name.to_string(),
        other => panic!("{other} is no group"),
    });
    let all: Vec<String> = groups.iter().cloned().chain(named).collect();
    let mut spec = json!({"user": user, "groups": all});
    if dice.roll(6) == 0 {
        spec["nonResourceAttributes"] =
            json!({"verb": dice.pick(&VERBS), "path": dice.pick(&PATHS)});
    } else {
        let (resource, subresource) = match dice.pick(&RESOURCES).split_once('/') {
            Some((resource, subresource)) => (resource, subresource),
            None => (dice.pick(&["pods", "secrets", "deployments", "widgets", "nodes"]), ""),
        };
        let namespace = if dice.roll(4) == 0 { "" } else { dice.pick(&NAMESPACES) };
        spec["resourceAttributes"] = json!({"verb": dice.pick(&VERBS), "group": dice.pick(&GROUPS), "resource": resource,
            "subresource": subresource, "namespace": namespace, "name": dice.pick(&["", "", "a", "b", "z"])});
    }
    Asked {
        review: spec,
        subject,
        groups: groups.iter().map(|name| Subject::group(name)).collect(),
    }
}

fn ours(access: &Access, asked: &Asked) -> Option<String> {
    let text = |value: &'_ Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let resource = &asked.review["resourceAttributes"];
    let chain = if resource.is_object() {
        let full = match text(resource, "subresource") {
            empty if empty.is_empty() => text(resource, "resource"),
            subresource => format!("{}/{subresource}", text(resource, "resource")),
        };
        let (verb, group, name, namespace) = (
            text(resource, "verb"),
            text(resource, "group"),
            text(resource, "name"),
            text(resource, "namespace"),
        );
        let namespace = (!namespace.is_empty()).then_some(namespace.as_str());
        let question = Question::Resource {
            verb: &verb,
            group: &group,
            resource: &full,
            namespace,
            name: &name,
        };
        access.can(&asked.subject, &asked.groups, &question)
    } else {
        let path = &asked.review["nonResourceAttributes"];
        let (verb, path) = (text(path, "verb"), text(path, "path"));
        access.can(&asked.subject, &asked.groups, &Question::Url { verb: &verb, path: &path })
    };
    chain.map(|chain| chain.to_string())
}

/// The admin's requests to one API server.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    server: Arc<str>,
}

impl Client {
    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.server)).bearer_auth("admin");
        let response = request.json(body).send().await.unwrap();
        let (status, answer) = (response.status(), response.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{path}: {answer}\n{body}");
        answer
    }

    /// Every RBAC object there is, built-in ones included.
    async fn rbac(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for kind in ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"] {
            let plural = kind.to_lowercase() + "s";
            let url = format!("{}/apis/rbac.authorization.k8s.io/v1/{plural}", self.server);
            let answer = self.http.get(url).bearer_auth("admin").send().await.unwrap();
            let mut list: Value = answer.json().await.unwrap();
            for mut object in list["items"].as_array_mut().unwrap().drain(..) {
                object["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
                object["kind"] = json!(kind);
                all.push(object);
            }
        }
        all
    }
}

/// Asks every review, [`PARALLEL`] at a time, and returns the answers in order.
async fn ask(reviews: Vec<Value>, client: &Client) -> Vec<bool> {
    let (mut answers, mut running) = (Vec::new(), std::collections::VecDeque::new());
    for spec in reviews {
        if running.len() >= PARALLEL {
            let first: tokio::task::JoinHandle<bool> = running.pop_front().unwrap();
            answers.push(first.await.unwrap());
        }
        let client = client.clone();
        running.push_back(tokio::spawn(async move {
            let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            client.post(path, &review).await["status"]["allowed"] == true
        }));
    }
    for task in running {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_api_servers() {
    let Some(server) = Server::start() else { return };
    let _other_test_did = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let client = Client { http, server: server.url().into() };
    let mut dice = Dice(36);
    for (path, object) in objects(&mut dice) {
        client.post(&path, &object).await;
    }
    // The controller writes the rules of aggregating roles; the authorizer follows by its own watch.
    let (mut known, mut since) = (client.rbac().await, Instant::now());
    let started = Instant::now();
    while since.elapsed() < Duration::from_secs(3) {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the API server's roles do not settle"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = client.rbac().await;
        if now != known {
            (known, since) = (now, Instant::now());
        }
    }
    let mut access = Access::default();
    let (_, problems) = access.update(known.iter().map(Change::Set));
    assert_eq!(problems, Vec::<String>::new());
    let asked: Vec<Asked> = (0..QUESTIONS).map(|_| question(&mut dice)).collect();
    let reviews = asked.iter().map(|asked| asked.review.clone()).collect();
    let started = Instant::now();
    let theirs = ask(reviews, &client).await;
    let (mut yes, mut differ) = (0, Vec::new());
    for (asked, theirs) in asked.iter().zip(theirs) {
        let ours = ours(&access, asked);
        yes += usize::from(theirs);
        if ours.is_some() != theirs {
            differ.push(format!("theirs {theirs}, ours {ours:?}: {}", asked.review));
        }
    }
    println!(
        "{QUESTIONS} questions, {yes} allowed, {} differ, {:?}",
        differ.len(),
        started.elapsed()
    );
    assert!(
        differ.is_empty(),
        "{} differ, such as\n{}",
        differ.len(),
        differ[..differ.len().min(5)].join("\n")
    );
    assert!(yes > QUESTIONS / 10 && yes < QUESTIONS * 9 / 10, "{yes} allowed say little");
}
