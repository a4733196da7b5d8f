//! The judge of the Pod Security Standards: Kubernetes' own admission plugin, in a lone API server.
//!
//! A namespace for every level and version, thousands of pods in dry runs, and for each the question whether the API
//! server and our controls agree: on the verdict, and on every check that fails.

mod pods;
mod server_side;

use anyhow::{Context, Result, ensure};
use pods::{Case, Numbers};
use seawall_model::finding::{ControlFinding, State};
use seawall_posture::{Catalogue, Request, Selection, yaml};
use serde_json::{Value, json};
use server_side::{Answer, ApiServer, Form};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// Minor versions that people run; older ones are still policies one may ask for.
const CURRENT: std::ops::RangeInclusive<u32> = 25..=36;

/// A level at a version: the namespace where the API server enforces it, and our selection for it.
struct Place {
    level: &'static str,
    minor: u32,
    namespace: String,
    selection: Selection,
}

/// One question to both.
#[derive(Clone)]
struct Trial {
    place: usize,
    case: Arc<Case>,
    form: Form,
}

/// Control → the API server's words for the check, in baseline and in restricted, whose checks replace some.
const CHECKS: [(&str, &str, &str); 23] = [
    ("SW-C-0001", "privileged", "privileged"),
    ("SW-C-0002", "hostPath volumes", "restricted volume types"),
    ("SW-C-0017", "", "allowPrivilegeEscalation != false"),
    ("SW-C-0100", "host namespaces", "host namespaces"),
    ("SW-C-0101", "host namespaces", "host namespaces"),
    ("SW-C-0102", "host namespaces", "host namespaces"),
    ("SW-C-0103", "hostPort", "hostPort"),
    ("SW-C-0104", "non-default capabilities", "unrestricted capabilities"),
    ("SW-C-0105", "", "unrestricted capabilities"),
    ("SW-C-0106", "forbidden AppArmor profile", "forbidden AppArmor profile"),
    ("SW-C-0107", "seLinuxOptions", "seLinuxOptions"),
    ("SW-C-0108", "procMount", "procMount"),
    ("SW-C-0109", "seccompProfile", "seccompProfile"),
    ("SW-C-0110", "", "seccompProfile"),
    ("SW-C-0111", "forbidden sysctls", "forbidden sysctls"),
    ("SW-C-0112", "hostProcess", "hostProcess"),
    ("SW-C-0113", "probe or lifecycle host", "probe or lifecycle host"),
    ("SW-C-0114", "", "runAsNonRoot != true"),
    ("SW-C-0115", "", "runAsUser=0"),
    ("SW-C-0116", "", "restricted volume types"),
    ("SW-C-0117", "forbidden AppArmor profile", "forbidden AppArmor profile"),
    ("SW-C-0118", "seccompProfile", "seccompProfile"),
    // Restricted asks nothing about capabilities before 1.22.
    ("SW-C-0104 before 1.22", "non-default capabilities", "non-default capabilities"),
];

impl Place {
    /// The failing checks in the API server's words. Errors: a question without an answer, a control of no check.
    fn judge(&self, object: &Value) -> Result<BTreeSet<String>> {
        let findings = self.selection.evaluate(object, None).context("it is no workload")?;
        let mut failing = BTreeSet::new();
        for finding in findings {
            match finding.state {
                State::Unhealthy => _ = failing.insert(self.check(&finding)?.to_owned()),
                State::Healthy | State::NotApplicable => {}
                other => anyhow::bail!("{}: {other:?}: {:?}", finding.control, finding.message),
            }
        }
        Ok(failing)
    }

    fn check(&self, finding: &ControlFinding) -> Result<&'static str> {
        let key = match finding.control.as_str() {
            "SW-C-0104" if self.minor < 22 => "SW-C-0104 before 1.22",
            control => control,
        };
        let row = CHECKS.iter().find(|(control, ..)| *control == key);
        let (_, baseline, restricted) = row.with_context(|| format!("{key} is of no check"))?;
        Ok(if self.level == "baseline" { baseline } else { restricted })
    }
}

/// Every version of both levels: first the current ones, then those before.
fn places(catalogue: &Catalogue) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for minor in CURRENT.chain(0..*CURRENT.start()) {
        for level in ["baseline", "restricted"] {
            let request = Request {
                frameworks: vec![format!("pss-{level}@1.{minor}")],
                ..Request::default()
            };
            let selection =
                catalogue.select(&request).map_err(|problem| anyhow::anyhow!("{problem}"))?;
            places.push(Place { level, minor, namespace: format!("{level}-{minor}"), selection });
        }
    }
    Ok(places)
}

fn catalogue() -> Result<Catalogue> {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, problems) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    ensure!(problems.is_empty(), "{problems:?}");
    Ok(catalogue)
}

/// In the short form each pod meets one place; in the whole form, with `random` pods, four current ones and an older.
fn trials(places: usize, current: usize, random: Option<usize>) -> Vec<Trial> {
    let mut numbers = Numbers(2);
    let mut trials = Vec::new();
    let mut ask = |case: Case, form: Form, whole: bool| {
        let case = Arc::new(case);
        let start = numbers.below(current);
        let mut chosen: Vec<usize> = match whole {
            true => (0..4).map(|step| (start + step * 7) % current).collect(),
            false => Vec::new(),
        };
        let older = if whole { current } else { 0 };
        chosen.push(older + numbers.below(places - older));
        trials.extend(chosen.into_iter().map(|place| Trial { place, case: case.clone(), form }));
    };
    for case in pods::systematic() {
        ask(case, Form::Pod, random.is_some());
    }
    for case in pods::ephemeral() {
        ask(case, Form::Ephemeral, random.is_some());
    }
    for (index, case) in pods::random(random.unwrap_or(3_000), 1).into_iter().enumerate() {
        let form = if index % 4 == 0 { Form::Template(index / 4 % 7) } else { Form::Pod };
        ask(case, form, false);
    }
    trials
}

/// What both said, counted.
#[derive(Default)]
struct Tally {
    allowed: usize,
    denied: usize,
    invalid: usize,
    /// Check → how often the API server denied for it, and how often for it alone.
    checks: BTreeMap<String, (usize, usize)>,
    differences: Vec<String>,
}

impl Tally {
    fn count(&mut self, place: &Place, trial: &Trial, object: &Value, answer: Answer) {
        let checks = match answer {
            Answer::Invalid => {
                self.invalid += 1;
                return;
            }
            Answer::Allowed => BTreeSet::new(),
            Answer::Denied(checks) => checks,
        };
        if checks.is_empty() {
            self.allowed += 1
        } else {
            self.denied += 1
        }
        for check in &checks {
            let (all, alone) = self.checks.entry(check.clone()).or_default();
            *all += 1;
            *alone += usize::from(checks.len() == 1);
        }
        let different = |ours: &str| {
            format!(
                "{} ({:?}) in {}: the API server {checks:?}, we {ours}",
                trial.case.name, trial.form, place.namespace
            )
        };
        match place.judge(object) {
            Ok(mut ours) => {
                // In the node's network the API server gives every port of a pod its host port; we tell what is written.
                if object.pointer("/spec/hostNetwork") == Some(&Value::Bool(true))
                    && checks.contains("hostPort")
                {
                    ours.insert("hostPort".to_owned());
                }
                if ours != checks {
                    self.differences.push(different(&format!("{ours:?}")));
                }
            }
            Err(error) => self.differences.push(different(&format!("{error:#}"))),
        }
    }

    fn judged(&self) -> usize {
        self.allowed + self.denied
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pod_security() -> Result<()> {
    let Some(server) = ApiServer::start()? else { return Ok(()) };
    let catalogue = catalogue()?;
    let places = places(&catalogue)?;
    let current = places.iter().filter(|place| CURRENT.contains(&place.minor)).count();
    for place in &places {
        server.namespace(&place.namespace, place.level, place.minor, &pods::restricted()).await?;
    }
    let random = std::env::var("SEAWALL_JUDGED_PODS").ok().map(|text| text.parse()).transpose()?;
    let started = std::time::Instant::now();
    let trials = trials(places.len(), current, random);
    let namespaces = trials.iter().map(|trial| places[trial.place].namespace.clone()).collect();
    let asked = server
        .ask_all(namespaces, trials.iter().map(|trial| (trial.form, trial.case.clone())).collect())
        .await?;
    let mut tally = Tally::default();
    for (trial, (object, answer)) in trials.iter().zip(asked) {
        tally.count(&places[trial.place], trial, &object, answer);
    }
    eprintln!(
        "pod security: {} pods judged in {:?}: {} allowed, {} denied, {} more refused as invalid; checks and those alone: {:?}",
        tally.judged(),
        started.elapsed(),
        tally.allowed,
        tally.denied,
        tally.invalid,
        tally.checks
    );
    let shown = tally.differences.len().min(40);
    ensure!(
        tally.differences.is_empty(),
        "{} differences:\n{}",
        tally.differences.len(),
        tally.differences[..shown].join("\n")
    );
    for (control, baseline, restricted) in &CHECKS {
        for check in [baseline, restricted].into_iter().filter(|check| !check.is_empty()) {
            let (all, alone) = tally.checks.get(*check).copied().unwrap_or_default();
            // A HostProcess pod has to be in the node's network too.
            let enough = if *check == "hostProcess" { all } else { alone };
            ensure!(enough > 0, "{control}: no pod was denied by `{check}` alone");
        }
    }
    ensure!(
        tally.judged() >= 4_000 && tally.allowed > tally.judged() / 10,
        "too few pods were judged"
    );
    upstream(&server, &places).await
}

/// Upstream's own pods: the API server, the folder they lie in and we have to agree.
async fn upstream(server: &ApiServer, places: &[Place]) -> Result<()> {
    let archive = crate::root().join("../shared/data/pod-security/v1.25.tar.gz");
    let Ok(file) = std::fs::File::open(&archive) else {
        eprintln!("skipped: upstream's pods are not beside the repository");
        return Ok(());
    };
    let mut judged = 0;
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        if !path.ends_with(".yaml") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        let pod = yaml::parse(&text).map_err(|problem| anyhow::anyhow!("{path}: {problem:?}"))?;
        let mut pod = pod.context("an empty file")?.to_json();
        let level = path.split('/').next().unwrap_or_default();
        let place = places.iter().find(|place| place.level == level && place.minor == 25);
        let place = place.context("a level that is none")?;
        pod["metadata"]["name"] = json!("case"); // Their own names are none that the API server takes.
        let answer = server.ask(&place.namespace, Form::Pod, &pod).await?.1;
        let ours = place.judge(&pod)?;
        let expected =
            if path.contains("/pass/") { Answer::Allowed } else { Answer::Denied(ours.clone()) };
        ensure!(answer == expected, "{path}: {answer:?}, expected {expected:?}");
        ensure!(ours.is_empty() == path.contains("/pass/"), "{path}: {ours:?}");
        judged += 1;
    }
    eprintln!("pod security: {judged} of upstream's pods judged");
    ensure!(judged == 126, "there are 126 of them");
    Ok(())
}

/// A pod inside another kind, for `Form::Template`.
fn template(kind: usize, pod: &Value) -> (Value, &'static str) {
    let workload = &seawall_posture::workload::WORKLOADS[kind + 1];
    let labels = json!({"app": "case"});
    let mut inner = json!({"metadata": pod["metadata"].clone(), "spec": pod["spec"].clone()});
    inner["metadata"]["labels"] = labels.clone();
    let selector = match workload.kind {
        "ReplicationController" => labels,
        _ => json!({"matchLabels": labels}),
    };
    let spec = match workload.kind {
        "Job" | "CronJob" => {
            inner["spec"]["restartPolicy"] = json!("Never");
            let job = json!({"template": inner});
            if workload.kind == "Job" {
                job
            } else {
                json!({"schedule": "@daily", "jobTemplate": {"spec": job}})
            }
        }
        "StatefulSet" => json!({"serviceName": "case", "selector": selector, "template": inner}),
        _ => json!({"selector": selector, "template": inner}),
    };
    let object = json!({"apiVersion": workload.api_version, "kind": workload.kind, "metadata": {"name": "case"}, "spec": spec});
    (object, workload.plural)
}
