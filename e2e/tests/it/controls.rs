//! The API server judges our controls: each is exported, bound to its own cases and asked about every one of them.
//!
//! The cases are those of the control files, as all eight kinds. What the API server refuses for reasons of its own
//! is no case of anybody's; still every control has to be seen healthy and unhealthy on objects it takes.
use reqwest::{Client, Method, StatusCode};
use seawall_e2e::server::Server;
use seawall_model::admission::PolicyAction;
use seawall_model::finding::State;
use seawall_posture::exemption::Exemptions;
use seawall_posture::export::export;
use seawall_posture::manifests::{self, File};
use seawall_posture::{Case, Catalogue, Control, Request, Selection, cases};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Ties an object to the one policy that is asked about it.
const LABEL: &str = "seawall.test/policy";

/// Controls that no object fails before a policy: the API server writes both fields of the service account first, it
/// refuses a selector that does not match the template, and our policies leave out the namespaces of the system.
const NOT_AT_ADMISSION: [&str; 3] = ["SW-C-0142", "SW-C-0164", "SW-C-0160"];

/// How long the API server may take to pick a policy up.
const EFFECTIVE: Duration = Duration::from_secs(60);

struct Cluster {
    server: Server,
    client: Client,
    url: String,
    /// (apiVersion, kind) → (plural, namespaced).
    resources: HashMap<(String, String), (String, bool)>,
}

/// What the API server says of an object.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Admitted,
    Denied,
    /// For a reason of its own.
    Refused(String),
}

/// One control under one set of parameters.
struct Asked<'c> {
    control: &'c Control,
    selection: Selection,
    policy: String,
    cases: Vec<Case>,
}

impl Cluster {
    async fn start() -> Option<Self> {
        let server = Server::start_lone()?;
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .danger_accept_invalid_certs(true) // It signed its certificate itself, a second ago.
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client of plain settings");
        let mut cluster = Self { url: server.url(), server, client, resources: HashMap::new() };
        cluster.discover().await;
        Some(cluster)
    }

    async fn discover(&mut self) {
        let (_, groups) = self.send(Method::GET, "/apis", None).await;
        let versions = groups["groups"].as_array().into_iter().flatten();
        let mut versions: Vec<String> = versions
            .flat_map(|group| group["versions"].as_array().into_iter().flatten())
            .filter_map(|version| version["groupVersion"].as_str().map(str::to_owned))
            .collect();
        versions.push("v1".to_owned());
        for version in versions {
            let (_, list) = self.send(Method::GET, &prefix(&version), None).await;
            for resource in list["resources"].as_array().into_iter().flatten() {
                let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
                if !text("name").contains('/') {
                    let namespaced = resource["namespaced"] == true;
                    self.resources
                        .insert((version.clone(), text("kind")), (text("name"), namespaced));
                }
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        request = request.bearer_auth("admin");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("the API server answers");
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    }

    /// The collection an object belongs into; none for a kind this server does not know.
    fn collection(&self, object: &Value) -> Option<String> {
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let (plural, namespaced) = self.resources.get(&(text("apiVersion"), text("kind")))?;
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
        let prefix = prefix(&text("apiVersion"));
        Some(match namespaced {
            true => format!("{prefix}/namespaces/{namespace}/{plural}"),
            false => format!("{prefix}/{plural}"),
        })
    }

    async fn create(&self, object: &Value) {
        let path = self.collection(object).expect("a kind the API server knows");
        let (status, body) = self.send(Method::POST, &path, Some(object)).await;
        assert!(
            status.is_success() || status == StatusCode::CONFLICT,
            "{object}: {}",
            body["message"]
        );
    }

    /// Creates `object` without keeping it. A pod's ephemeral containers come by their subresource.
    async fn ask(&self, object: &Value, policy: &str) -> Answer {
        let mut object = object.clone();
        object["metadata"]["labels"][LABEL] = json!(policy);
        let Some(path) = self.collection(&object) else {
            return Answer::Refused("no such kind".to_owned());
        };
        let ephemeral = object["kind"] == "Pod" && object["spec"]["ephemeralContainers"].is_array();
        if !ephemeral {
            let options = "dryRun=All&fieldValidation=Strict";
            let created =
                self.answer(Method::POST, &format!("{path}?{options}"), &object, policy).await;
            return match created {
                // What every cluster has is changed instead.
                Answer::Refused(why) if why.ends_with("already exists") => {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    let path = format!("{path}/{name}?{options}");
                    self.answer(Method::PUT, &path, &object, policy).await
                }
                other => other,
            };
        }
        let mut pod = object.clone();
        pod["spec"].as_object_mut().expect("a pod has a spec").remove("ephemeralContainers");
        let first = format!("{path}?fieldValidation=Strict");
        let answer = self.answer(Method::POST, &first, &pod, policy).await;
        if answer != Answer::Admitted {
            return match answer {
                Answer::Denied => Answer::Refused("denied before it is debugged".to_owned()),
                other => other,
            };
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{path}/{name}");
        let debugged = format!("{path}/ephemeralcontainers?dryRun=All");
        let answer = self.answer(Method::PUT, &debugged, &object, policy).await;
        let now = json!({"gracePeriodSeconds": 0});
        self.send(Method::DELETE, &path, Some(&now)).await;
        answer
    }

    async fn answer(&self, method: Method, path: &str, object: &Value, policy: &str) -> Answer {
        let (status, body) = self.send(method, path, Some(object)).await;
        let message = body["message"].as_str().unwrap_or_default();
        if status.is_success() {
            Answer::Admitted
        } else if message.contains(&format!("ValidatingAdmissionPolicy '{policy}'")) {
            Answer::Denied
        } else {
            Answer::Refused(message.to_owned())
        }
    }

    /// The namespaces of all cases exist.
    async fn prepare(&self, all: &[Asked<'_>]) {
        for name in namespaces(all) {
            let namespace =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.create(&namespace).await;
        }
    }

    /// Creates the policy, bound to its own cases alone.
    async fn bind(&self, asked: &Asked<'_>) {
        let (mut exported, _) = export(&asked.selection, PolicyAction::Deny);
        let mut one = exported.pop().expect("a control on objects is exported");
        for object in [&mut one.policy, &mut one.binding] {
            object["metadata"]["name"] = json!(asked.policy);
        }
        one.binding["spec"]["policyName"] = json!(asked.policy);
        one.binding["spec"]["matchResources"]["objectSelector"] =
            json!({"matchLabels": {LABEL: asked.policy}});
        self.create(&one.policy).await;
        self.create(&one.binding).await;
    }

    /// Waits until the policy is in force: one of its failing cases that the server takes otherwise is denied.
    async fn wait(&self, asked: &Asked<'_>) {
        let failing = asked.cases.iter().filter(|case| case.expected == State::Unhealthy);
        let objects: Vec<&Value> = failing.flat_map(|case| &case.objects).collect();
        let started = Instant::now();
        while started.elapsed() < EFFECTIVE {
            let mut taken = false;
            for object in objects.iter().take(24) {
                match self.ask(object, &asked.policy).await {
                    Answer::Denied => return,
                    Answer::Admitted => {
                        taken = true;
                        break;
                    }
                    Answer::Refused(_) => {}
                }
            }
            if !taken {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn prefix(version: &str) -> String {
    if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") }
}

fn catalogue() -> Catalogue {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, problems) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    assert_eq!(problems, []);
    catalogue
}

/// The namespaces that cases name.
fn namespaces(all: &[Asked<'_>]) -> BTreeSet<String> {
    let objects = all.iter().flat_map(|asked| &asked.cases).flat_map(|case| &case.objects);
    let named = objects.filter_map(|object| object["metadata"]["namespace"].as_str());
    named.map(str::to_owned).collect()
}

/// Every control that judges objects one by one, once for each set of parameters its cases have.
fn asked(catalogue: &Catalogue) -> Vec<Asked<'_>> {
    let mut all = Vec::new();
    let decided = |control: &&Arc<Control>| !NOT_AT_ADMISSION.contains(&control.id.as_str());
    for control in catalogue.controls.iter().filter(decided) {
        let mut sets: Vec<(Map<String, Value>, Vec<Case>)> = Vec::new();
        for case in cases(control) {
            match sets.iter_mut().find(|(params, _)| *params == case.params) {
                Some((_, cases)) => cases.push(case),
                None => sets.push((case.params.clone(), vec![case])),
            }
        }
        for (index, (params, cases)) in sets.into_iter().enumerate() {
            let request = Request {
                controls: vec![control.id.clone()],
                params: BTreeMap::from([(control.id.clone(), params)]),
                ..Request::default()
            };
            let selection = catalogue.select(&request).expect("a control of the catalogue");
            let policy = format!("{}-{index}", control.id.to_lowercase());
            all.push(Asked { control, selection, policy, cases });
        }
    }
    all
}

/// What our engine says of an object.
fn ours(selection: &Selection, object: &Value) -> State {
    let findings = selection.evaluate(object, None).unwrap_or_default();
    findings.first().map_or(State::NotApplicable, |finding| finding.state)
}

fn shown(asked: &Asked<'_>, case: &Case, object: &Value) -> String {
    format!("{} line {} as {}", asked.control.id, case.line, object["kind"].as_str().unwrap_or("?"))
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_controls_agree_with_the_api_server() {
    let Some(cluster) = Cluster::start().await else { return };
    let catalogue = catalogue();
    let all = asked(&catalogue);
    cluster.prepare(&all).await;
    for asked in &all {
        cluster.bind(asked).await;
    }
    let (mut told, mut compared) = (Vec::new(), 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for asked in &all {
        cluster.wait(asked).await;
        for case in asked.cases.iter().filter(|case| case.expected != State::Unknown) {
            for object in &case.objects {
                let ours = ours(&asked.selection, object);
                let expected =
                    if ours == State::Unhealthy { Answer::Denied } else { Answer::Admitted };
                match cluster.ask(object, &asked.policy).await {
                    Answer::Refused(why) => {
                        *refused.entry(why.chars().take(200).collect()).or_default() += 1;
                    }
                    answer => {
                        compared += 1;
                        let (healthy, unhealthy) = seen.entry(&asked.control.id).or_default();
                        *healthy |= ours == State::Healthy;
                        *unhealthy |= ours == State::Unhealthy;
                        if answer != expected {
                            let shown = shown(asked, case, object);
                            told.push(format!("{shown}: {ours:?} here, {answer:?} there"));
                        }
                    }
                }
            }
        }
    }
    for (why, count) in &refused {
        eprintln!("refused {count} times: {why}");
    }
    // Of kinds that somebody else has to install nothing can be seen here.
    let known = |asked: &&Asked<'_>| {
        let mut objects = asked.cases.iter().flat_map(|case| &case.objects);
        objects.any(|object| cluster.collection(object).is_some())
    };
    let lacking: BTreeSet<&str> = all
        .iter()
        .filter(known)
        .map(|asked| asked.control.id.as_str())
        .filter(|id| seen.get(id) != Some(&(true, true)))
        .collect();
    eprintln!("{compared} objects compared, {} policies", all.len());
    assert_eq!(told, [""; 0]);
    assert_eq!(
        lacking,
        BTreeSet::new(),
        "seen healthy and unhealthy on objects the API server takes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fix_writes_passes_and_is_taken_by_the_api_server() {
    let Some(cluster) = Cluster::start().await else { return };
    let catalogue = catalogue();
    let (mut fixed, mut told) = (Vec::new(), Vec::new());
    let all = asked(&catalogue);
    cluster.prepare(&all).await;
    for asked in &all {
        for case in asked.cases.iter().filter(|case| case.expected == State::Unhealthy) {
            for object in &case.objects {
                // What is not taken as it is proves nothing of its fix. `kubectl apply` knows no subresource.
                let debugged =
                    object["kind"] == "Pod" && object["spec"]["ephemeralContainers"].is_array();
                if debugged || cluster.ask(object, "none").await != Answer::Admitted {
                    continue;
                }
                let mut named = object.clone();
                named["metadata"]["name"] = json!(format!("case-{}", fixed.len()));
                let text = serde_saphyr::to_string(&named).expect("an object is YAML");
                let file = File { path: "case.yaml", bytes: text.as_bytes(), found: false };
                let (repaired, left) = manifests::repair(
                    &manifests::read([file]),
                    &asked.selection,
                    &Exemptions::default(),
                );
                let Some(repaired) = repaired.first() else {
                    let withheld = left.iter().all(|problem| problem.code == "no-fix");
                    if !withheld {
                        told.push(format!("{}: {left:?}", shown(asked, case, object)));
                    }
                    continue;
                };
                let file =
                    File { path: "case.yaml", bytes: repaired.after.as_bytes(), found: false };
                let read = manifests::read([file]);
                let state = ours(&asked.selection, &read.objects[0].value);
                if state != State::Healthy {
                    told.push(format!("{}: {state:?} after --fix", shown(asked, case, object)));
                }
                fixed.push((shown(asked, case, object), repaired.after.clone()));
            }
        }
    }
    let texts: String = fixed.iter().map(|(_, text)| format!("---\n{text}")).collect();
    let path = cluster.server.kubeconfig("fixed.yaml");
    std::fs::write(&path, texts).expect("the server's folder is writable");
    let path = path.to_str().expect("a temporary folder has a plain name");
    let output = cluster.server.kubectl(&["apply", "--dry-run=server", "-f", path]);
    let taken = String::from_utf8_lossy(&output.stdout).lines().count();
    eprintln!("{} fixed objects, {taken} taken", fixed.len());
    let errors = String::from_utf8_lossy(&output.stderr);
    for (index, (shown, text)) in fixed.iter().enumerate() {
        let name = format!("\"case-{index}\"");
        for line in errors.lines().filter(|line| line.contains(&name)) {
            told.push(format!("{shown}: {line}\n{text}"));
        }
    }
    assert_eq!(told, [""; 0]);
    assert_eq!(taken, fixed.len(), "{errors}");
    assert!(fixed.len() >= 100, "{} fixes were tried", fixed.len());
}
