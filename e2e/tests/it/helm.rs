//! Seawall as a platform team installs it: by Helm, hub, agent and sensor in the cluster, three pillars through them.
mod sets;

use crate::api::Api;
use crate::begin;
use crate::chart::{Right, rights_of};
use crate::rig::Rig;
use crate::up::PASSWORD;
use anyhow::{Context, Result, bail, ensure};
use seawall_model::time::{Clock, SystemClock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const NAMESPACE: &str = "seawall";
const FIRST_PASSWORD: &str = "the first one of all";
const SECOND: Duration = Duration::from_secs(1);

/// The chart on the rig, with more values set; installs or upgrades, and waits for nothing.
fn helm_upgrade(rig: &Rig, values: &[String]) -> Result<()> {
    let mut arguments =
        vec!["upgrade", "--install", "seawall", "deploy/helm/seawall", "--namespace", NAMESPACE];
    arguments.extend(["--values", "e2e/rig/values.yaml"]);
    for value in values {
        arguments.extend(["--set", value]);
    }
    rig.helm(&arguments).map(drop)
}

/// Seawall in the rig's cluster.
pub(crate) struct Installed {
    pub(crate) rig: Rig,
    pub(crate) api: Api,
    /// What the chart was given.
    values: Vec<String>,
    /// From `helm upgrade` with the agent until agent and sensor were Ready.
    pub(crate) ready_after: Duration,
}

impl Installed {
    /// As the chart's notes say: the hub first, then agent and sensor by its fingerprint and a token.
    pub(crate) async fn up(rig: Rig, more: &[&str]) -> Result<Self> {
        rig.dns()?;
        rig.import_seawall()?;
        rig.kubectl(&["create", "namespace", NAMESPACE])?;
        let secret = |name: &str, value: &str| {
            let value = format!("--from-literal={value}");
            rig.kubectl(&["-n", NAMESPACE, "create", "secret", "generic", name, &value])
        };
        secret("first-password", &format!("password={FIRST_PASSWORD}"))?;
        let mut values: Vec<String> = vec![
            "profile=hub".to_owned(),
            "hub.firstPassword.existingSecret=first-password".to_owned(),
        ];
        helm_upgrade(&rig, &values)?;
        rollout(&rig, "statefulset/seawall-hub")?;
        let url = hub_url(&rig)?;
        let api = Api::sign_in(&url, "admin", FIRST_PASSWORD).await?;
        let change = json!({"current": FIRST_PASSWORD, "new": PASSWORD});
        api.put("/session/password", change).await?;
        let api = Api::sign_in(&url, "admin", PASSWORD).await?;

        let token = api.post("/enrolments", json!({"scope": "/org/"})).await?;
        let token = token["token"].as_str().context("token")?.to_owned();
        secret("enrolment", &format!("token={token}"))?;
        let (_, ca) = token.rsplit_once('.').context("a token ends with the hub's fingerprint")?;
        values[0] = "profile=both".to_owned();
        values.push(format!("hub.ca=sha256:{ca}"));
        values.push("agent.token.existingSecret=enrolment".to_owned());
        values.push("clusterName=rig".to_owned());
        values.push(format!("sensor.containerd={}", rig.containerd().display()));
        values.push(format!("sensor.stateDir={}", rig.path("sensor-state")));
        values.extend(more.iter().map(|value| (*value).to_owned()));
        let began = Instant::now();
        helm_upgrade(&rig, &values)?;
        rollout(&rig, "deployment/seawall-agent")?;
        rollout(&rig, "daemonset/seawall-sensor")?;
        let ready_after = began.elapsed();
        let both =
            |items: &[Value]| items.iter().filter(|agent| agent["connected"] == true).count() == 2;
        if let Err(error) = api.wait_for("agents", "", 10 * SECOND, both).await {
            bail!("{error:#}\n{}", situation(&rig)?);
        }
        Ok(Self { rig, api, values, ready_after })
    }

    /// Assigns a control to the cluster.
    async fn assign(&self, control: &str, action: &str) -> Result<Value> {
        let target = format!("control:{control}");
        let body = json!({"target": target, "scope": "/org/rig/", "action": action});
        self.api.post("/assignments", body).await
    }
}

fn rollout(rig: &Rig, what: &str) -> Result<()> {
    let status = rig.kubectl(&["-n", NAMESPACE, "rollout", "status", what, "--timeout=60s"]);
    if let Err(error) = status {
        bail!("{error:#}\n{}", situation(rig)?);
    }
    Ok(())
}

/// What somebody who has to find out why would ask first.
fn situation(rig: &Rig) -> Result<String> {
    let mut text = rig.kubectl(&["-n", NAMESPACE, "describe", "pods"])?;
    for role in ["hub", "agent", "sensor"] {
        let of = format!("app.kubernetes.io/component={role}");
        let logs = rig.kubectl(&["-n", NAMESPACE, "logs", "--selector", &of, "--tail=50"]);
        text += &format!("\n{role}:\n{}", logs.unwrap_or_else(|error| error.to_string()));
    }
    Ok(text)
}

/// Pods of the rig are reached from the host by their own addresses.
fn hub_url(rig: &Rig) -> Result<String> {
    let pod = ["-n", NAMESPACE, "get", "pod", "seawall-hub-0", "-o", "jsonpath={.status.podIP}"];
    Ok(format!("https://{}:8443", rig.kubectl(&pod)?))
}

/// Every object of every kind but those that Kubernetes itself makes and renews all the time.
fn objects(rig: &Rig) -> Result<BTreeSet<String>> {
    let kinds = rig.kubectl(&["api-resources", "--verbs=list", "-o", "name"])?;
    let passing =
        ["events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses"];
    let kinds: Vec<&str> = kinds.lines().filter(|kind| !passing.contains(kind)).collect();
    let list = "custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name";
    let listed = rig.kubectl(&["get", &kinds.join(","), "-A", "--no-headers", "-o", list])?;
    Ok(listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// What a node could keep of us: mounts, control groups and BPF programs, each by a name that stays.
fn node_state() -> Result<BTreeSet<String>> {
    let mut state = BTreeSet::new();
    for line in std::fs::read_to_string("/proc/self/mounts")?.lines() {
        state.extend(line.split(' ').nth(1).map(|place| format!("mount {place}")));
    }
    let mut folders = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        // All of the rig's groups are below one of its own. The kubelet makes those of a class of pods with its first
        // pod, and keeps them.
        let is_rigs = folder.iter().any(|name| name == "seawall-rig");
        if is_rigs && !(folder.ends_with("besteffort") || folder.ends_with("burstable")) {
            state.insert(format!("cgroup {}", folder.display()));
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()),
        );
    }
    // Ours live by file descriptors alone: nothing is pinned.
    for process in std::fs::read_dir("/proc")?.flatten() {
        let files =
            std::fs::read_dir(process.path().join("fdinfo")).into_iter().flatten().flatten();
        for file in files {
            let info = std::fs::read_to_string(file.path()).unwrap_or_default();
            let program = info.lines().find_map(|line| line.strip_prefix("prog_id:"));
            state.extend(program.map(|id| format!("bpf program {}", id.trim())));
        }
    }
    Ok(state)
}

const PRIVILEGED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: main, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '86400'], securityContext: {privileged: true}}
";

fn pod(name: &str, namespace: &str, privileged: bool) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{\
         terminationGracePeriodSeconds: 0, containers: [{{name: main, image: 'seawall.test/busybox:1', \
         imagePullPolicy: Never, command: [sleep, '86400'], securityContext: {{privileged: {privileged}}}}}]}}}}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn installed_by_helm_three_pillars_live_and_nothing_stays() -> Result<()> {
    let test = "installed by Helm, three pillars live and nothing stays";
    let (Some(_turn), Some(_)) = (begin(test), crate::chart::helm(test)) else { return Ok(()) };
    let rig = Rig::up()?;
    rig.dns()?;
    let (objects_before, node_before) = (objects(&rig)?, node_state()?);
    let installed = Installed::up(rig, &[]).await?;
    eprintln!("agent and sensor Ready and enrolled after {:?}", installed.ready_after);
    ensure!(installed.ready_after < 60 * SECOND, "{:?}", installed.ready_after);

    runtime(&installed).await?;
    hardening(&installed).await?;
    admission(&installed).await?;
    sets::tried_then_refusing(&installed).await?;
    fail_open(&installed).await?;
    rights_are_used(&installed.rig)?;
    optional_rights_come_and_go(&installed)?;

    let Installed { rig, .. } = installed;
    rig.helm(&["uninstall", "seawall", "--namespace", NAMESPACE, "--wait"])?;
    rig.kubectl(&["delete", "deployment,pod", "--all", "-n", "default", "--wait"])?;
    rig.kubectl(&["-n", "kube-system", "delete", "pod", "not-judged", "--wait"])?;
    rig.kubectl(&["delete", "namespace", NAMESPACE, "--wait"])?;
    unchanged(|| Ok((objects(&rig)?, objects_before.clone())), "objects").await?;
    unchanged(|| Ok((node_state()?, node_before.clone())), "the node").await
}

/// Controllers and the kubelet clean up behind us, within seconds.
async fn unchanged(
    look: impl Fn() -> Result<(BTreeSet<String>, BTreeSet<String>)>,
    what: &str,
) -> Result<()> {
    let began = Instant::now();
    loop {
        let (now, before) = look()?;
        if now == before {
            return Ok(());
        }
        if began.elapsed() > 60 * SECOND {
            let more: Vec<_> = now.difference(&before).collect();
            let fewer: Vec<_> = before.difference(&now).collect();
            bail!("{what} differ after the removal: more {more:#?}, fewer {fewer:#?}");
        }
        tokio::time::sleep(SECOND).await;
    }
}

async fn runtime(installed: &Installed) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    rig.pod("victim", "seawall.test/debian:1")?;
    rig.kubectl(&["exec", "victim", "--", "cat", "/etc/shadow"])?;
    let told = |items: &[Value]| items.iter().any(|alert| alert["detection"] == "SW-D-0003");
    let (_, alerts) = api.wait_for("alerts", "pod:victim", 10 * SECOND, told).await?;
    let place = &alerts[0]["where"];
    assert_eq!(
        (&place["cluster"], &place["node"], &place["workload"], &place["image"]["name"]),
        (&json!("rig"), &json!("node-1"), &json!("Pod/victim"), &json!("seawall.test/debian:1"))
    );
    ensure!(place["image"]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    // The node's images are scanned through the same sensor.
    let scanned = |items: &[Value]| items.iter().any(|i| i["name"] == "seawall.test/debian:1");
    api.wait_for("images", "", 60 * SECOND, scanned).await?;
    Ok(())
}

async fn hardening(installed: &Installed) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    rig.apply(PRIVILEGED)?;
    let filter = "state:unhealthy resource:Deployment/web rule:SW-C-0001";
    api.wait_for("findings", filter, 10 * SECOND, |items| items.len() == 1).await?;
    Ok(())
}

async fn admission(installed: &Installed) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    let assignment = installed.assign("SW-C-0001", "deny").await?;
    assert_eq!(assignment["would_refuse"], 1, "the Deployment that is there already");
    let id = assignment["id"].as_str().context("id")?.to_owned();
    // What fails already passes an update that adds nothing, with a warning.
    refused_soon(rig, &pod("refused", "default", true)).await?;
    let refused = refusal(rig, &pod("refused", "default", true))?.context("refused")?;
    for told in ["[SW-C-0001]", "/spec/containers/0/securityContext/privileged", "fix:"] {
        ensure!(refused.contains(told), "{told} is missing: {refused}");
    }
    let label = ["label", "deployment", "web", "touched=yes"];
    let updated = rig.kubectl_output(&label)?;
    ensure!(updated.status.success(), "{}", String::from_utf8_lossy(&updated.stderr));
    ensure!(String::from_utf8_lossy(&updated.stderr).contains("[SW-C-0001]"), "a warning is given");
    let second = PRIVILEGED.replace("name: web,", "name: second,");
    ensure!(refusal(rig, &second)?.is_some_and(|told| told.contains("/spec/template/spec/")));
    // Never ours, never the system's.
    for (name, namespace) in [("not-judged", "kube-system"), ("not-judged", NAMESPACE)] {
        assert_eq!(refusal(rig, &pod(name, namespace, true))?, None, "{namespace}");
    }
    let denied = |items: &[Value]| {
        items.iter().any(|decision| {
            decision["verdict"] == "denied" && decision["resource"]["name"] == "second"
        })
    };
    api.wait_for("decisions", "verdict:denied", 10 * SECOND, denied).await?;

    let revision = assignment["revision"].as_u64().context("revision")?;
    let warn = json!({"target": "control:SW-C-0001", "scope": "/org/rig/", "action": "warn"});
    api.put_if_match(&format!("/assignments/{id}"), revision, warn).await?;
    let began = Instant::now();
    loop {
        let applied = apply(rig, &pod("warned", "default", true))?;
        let told = String::from_utf8_lossy(&applied.stderr).into_owned();
        if applied.status.success() {
            ensure!(told.contains("Warning: [SW-C-0001]"), "{told}");
            break;
        }
        ensure!(began.elapsed() < 10 * SECOND, "still refused: {told}");
        tokio::time::sleep(SECOND / 5).await;
    }
    Ok(())
}

/// A policy travels from hub to agent in moments.
async fn refused_soon(rig: &Rig, manifest: &str) -> Result<()> {
    let began = Instant::now();
    while refusal(rig, manifest)?.is_none() {
        rig.kubectl(&["delete", "pod", "refused", "--wait"])?;
        ensure!(began.elapsed() < 10 * SECOND, "a privileged pod is still let in");
    }
    Ok(())
}

/// What the API server says where it refuses.
fn refusal(rig: &Rig, manifest: &str) -> Result<Option<String>> {
    let output = apply(rig, manifest)?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(None);
    }
    ensure!(told.contains("denied the request"), "{told}");
    Ok(Some(told))
}

fn apply(rig: &Rig, manifest: &str) -> Result<std::process::Output> {
    let file = rig.file("object.yaml", manifest)?;
    rig.kubectl_output(&["apply", "-f", &file.display().to_string()])
}

/// Whatever happens to the agent, nobody is kept from working, and the times without an answer are on record. An expired
/// certificate and rotation are the agent's own tests, on an API server with a clock of theirs.
async fn fail_open(installed: &Installed) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    let pid = process(b"/seawall\0agent\0")?;
    let paused = SystemClock.now();
    signal(pid, "STOP")?;
    create(rig, "paused", 3)?;
    // A beat that is seconds late tells that the process stood still.
    tokio::time::sleep(3 * SECOND).await;
    signal(pid, "CONT")?;
    let resumed = SystemClock.now();
    tokio::time::sleep(3 * SECOND).await;
    let killed = SystemClock.now();
    signal(pid, "KILL")?;
    create(rig, "killed", 10)?;
    rollout(rig, "deployment/seawall-agent")?;
    let back = SystemClock.now();
    let began = Instant::now();
    // Told once audit events of that time could have come, a minute and a half later.
    let (_, gaps) = api.wait_for("gaps", "", 150 * SECOND, |items| items.len() >= 2).await?;
    eprintln!("on record {:?} after the agent was ready again: {gaps:?}", began.elapsed());
    let of = |reason: &str| gaps.iter().find(|gap| gap["reason"] == reason);
    for (reason, from, to) in [("unreachable", paused, resumed), ("restart", killed, back)] {
        let gap = of(reason).with_context(|| format!("a gap by {reason}: {gaps:?}"))?;
        let bound = |name: &str| gap[name].as_i64().context("a time");
        // The beat is a second, and what wrote it may have been late by another.
        ensure!((from - 3_000..=from + 1_000).contains(&bound("from")?), "from {from}: {gap}");
        ensure!((to - 10_000..=to + 3_000).contains(&bound("to")?), "to {to}: {gap}");
        assert_eq!(gap["requests"], Value::Null, "no audit event reaches the agent: unknown");
    }
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    Ok(())
}

fn create(rig: &Rig, name: &str, count: usize) -> Result<()> {
    for number in 0..count {
        let manifest = pod(&format!("{name}-{number}"), "default", true);
        assert_eq!(refusal(rig, &manifest)?, None, "{name}-{number}");
    }
    Ok(())
}

/// The number of a container's process, seen from the host, by how its command line begins.
fn process(command: &[u8]) -> Result<u32> {
    for process in std::fs::read_dir("/proc")?.flatten() {
        let found = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if found.starts_with(command) {
            let name = process.file_name().to_string_lossy().into_owned();
            return Ok(name.parse()?);
        }
    }
    bail!("no such process: {}", String::from_utf8_lossy(command))
}

fn signal(pid: u32, signal: &str) -> Result<()> {
    let status =
        std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    ensure!(status?.success(), "kill -{signal} {pid}");
    Ok(())
}

/// By the API server's own audit log: what the chart grants the agent is what the agent asks for, and it asks for
/// nothing else. A right fewer is thus one of these requests refused, which the agent tells of its kind.
fn rights_are_used(rig: &Rig) -> Result<()> {
    // Rights to kinds that this cluster does not have cannot be used.
    let served = rig.kubectl(&["api-resources", "--output=name"])?;
    let served: BTreeSet<&str> = served.lines().collect();
    let is_served = |right: &Right| {
        let name = format!("{}.{}", right.resource, right.group);
        served.contains(name.trim_end_matches('.'))
    };
    let granted: BTreeSet<_> = rights_of("ClusterRole/seawall-agent")?
        .into_iter()
        .filter(is_served)
        .map(|right| (right.group, right.resource, right.verb))
        .collect();
    let mut used = BTreeSet::new();
    let log = std::fs::read_to_string(rig.path("node/audit.jsonl"))?;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line)?;
        let user = event["user"]["username"].as_str().unwrap_or_default();
        ensure!(user != "system:serviceaccount:seawall:seawall-sensor", "the sensor asks: {event}");
        let of = |field: &str| event["objectRef"][field].as_str().unwrap_or_default().to_owned();
        if user != "system:serviceaccount:seawall:seawall-agent" || of("resource").is_empty() {
            continue;
        }
        assert_ne!(event["responseStatus"]["code"], 403, "{event}");
        let verb = event["verb"].as_str().unwrap_or_default().to_owned();
        used.insert((of("apiGroup"), of("resource"), verb));
    }
    assert_eq!(used, granted);
    Ok(())
}

/// By the API server's own judgement of the agent's account: each right of the optional roles is there with its switch
/// and gone without.
fn optional_rights_come_and_go(installed: &Installed) -> Result<()> {
    let Installed { rig, values, .. } = installed;
    let may = |right: &Right| -> Result<bool> {
        let resource = format!("{}.{}", right.resource, right.group);
        let mut resource = resource.trim_end_matches('.').to_owned();
        if let Some(object) = &right.object {
            resource += &format!("/{object}");
        }
        let mut question = vec!["auth", "can-i", &right.verb, &resource];
        question.extend(["-n", NAMESPACE, "--as", "system:serviceaccount:seawall:seawall-agent"]);
        // It exits with 1 where the answer is no.
        let output = rig.kubectl_output(&question)?;
        let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(answer == "yes" || answer == "no", "{question:?}: {output:?}");
        Ok(answer == "yes")
    };
    let always = rights_of("ClusterRole/seawall-agent")?;
    for switch in ["enforcement", "installer"] {
        let mut rights = rights_of(&format!("ClusterRole/seawall-{switch}"))?;
        if switch == "installer" {
            rights.extend(rights_of("Role/seawall-installer")?);
        }
        // What the agent may do anyway says nothing of the role.
        rights.retain(|right| !always.contains(right));
        for on in [true, false] {
            // Those on native policies come with their own switch beside the role's.
            let native = format!("agent.nativePolicies.enabled={}", on && switch == "enforcement");
            let values = [&values[..], &[format!("rbac.{switch}={on}"), native]].concat();
            helm_upgrade(rig, &values)?;
            for right in &rights {
                let Right { verb, resource, .. } = right;
                assert_eq!(may(right)?, on, "{switch}={on}: {verb} {resource}");
            }
        }
    }
    Ok(())
}

/// How many; `make oracles` asks for more.
fn asked(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread")]
async fn short_lived_pods_are_named_and_a_hub_that_is_away_loses_nothing() -> Result<()> {
    let test = "short-lived pods are named and a hub that is away loses nothing";
    let (Some(_turn), Some(_)) = (begin(test), crate::chart::helm(test)) else { return Ok(()) };
    let installed = Installed::up(Rig::up()?, &[]).await?;
    short_lived(&installed, asked("SEAWALL_SHORT_PODS", 20)).await?;
    away(&installed, asked("SEAWALL_AWAY_SECONDS", 20)).await
}

/// Pods that are gone before anybody could ask about them.
async fn short_lived(installed: &Installed, count: u64) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    rig.kubectl(&["create", "namespace", "brief"])?;
    let brief = |number: u64| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: brief-{number}, namespace: brief}}, spec: {{\
             restartPolicy: Never, automountServiceAccountToken: false, containers: [{{name: main, \
             image: 'seawall.test/debian:1', imagePullPolicy: Never, command: [cat, /etc/shadow]}}]}}}}"
        )
    };
    let began = Instant::now();
    for batch in (0..count).collect::<Vec<_>>().chunks(20) {
        let manifests: Vec<String> = batch.iter().map(|number| brief(*number)).collect();
        rig.apply(&manifests.join("\n---\n"))?;
        let done = "--for=jsonpath={.status.phase}=Succeeded";
        rig.kubectl(&["-n", "brief", "wait", done, "pod", "--all", "--timeout=180s"])?;
        rig.kubectl(&["-n", "brief", "delete", "pod", "--all", "--force", "--grace-period=0"])?;
    }
    let all = |items: &[Value]| items.len() as u64 >= count;
    let found = api.wait_for("alerts", "namespace:brief", 30 * SECOND, all).await;
    let alerts = match found {
        Ok((_, alerts)) => alerts,
        Err(_) => api.list("alerts", "namespace:brief").await?,
    };
    let is_named = |alert: &&Value| {
        let place = &alert["where"];
        let pod = place["pod"].as_str().unwrap_or_default();
        place["workload"] == format!("Pod/{pod}")
            && pod.starts_with("brief-")
            && place["image"]["digest"].as_str().is_some_and(|d| d.starts_with("sha256:"))
    };
    let named: BTreeSet<&str> =
        alerts.iter().filter(is_named).filter_map(|alert| alert["where"]["pod"].as_str()).collect();
    eprintln!("{} of {count} short-lived pods named, in {:?}", named.len(), began.elapsed());
    if named.len() as u64 * 1000 < count * 999 {
        let all = api.list("alerts", "").await?;
        let places: Vec<_> = all.iter().map(|alert| (&alert["where"], &alert["count"])).collect();
        bail!("{places:#?}\n{}", situation(rig)?);
    }
    Ok(())
}

/// The hub cannot be reached while the sensor goes on: its spool holds what happens, and gives each once.
async fn away(installed: &Installed, seconds: u64) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    rig.pod("steady", "seawall.test/debian:1")?;
    let read = || rig.kubectl(&["exec", "steady", "--", "cat", "/etc/shadow"]).map(drop);
    read()?;
    let counted = |items: &[Value]| items.iter().filter_map(|a| a["count"].as_u64()).sum::<u64>();
    api.wait_for("alerts", "pod:steady", 10 * SECOND, |items| counted(items) == 1).await?;
    let pids = [process(b"/seawall\0agent\0")?, process(b"/seawall\0sensor\0")?];
    let memory = || pids.iter().map(|pid| resident_kib(*pid)).collect::<Result<Vec<_>>>();
    let before = memory()?;
    let cut = rig.cut(8444)?;
    let (began, mut reads) = (Instant::now(), 1);
    while began.elapsed() < Duration::from_secs(seconds) {
        read()?;
        reads += 1;
    }
    ensure!(counted(&api.list("alerts", "pod:steady").await?) == 1, "the hub was away");
    let during = memory()?;
    drop(cut);
    let back = Instant::now();
    // A peer that answers nothing is given up after 10 s, then the longest pause between attempts is 45 s.
    let all = |items: &[Value]| counted(items) >= reads;
    let (_, alerts) = api.wait_for("alerts", "pod:steady", 120 * SECOND, all).await?;
    assert_eq!(counted(&alerts), reads, "each once");
    eprintln!(
        "{reads} alerts over {seconds} s without the hub, all there {:?} after its return; KiB of agent and sensor \
         {before:?} before, {during:?} at the end",
        back.elapsed()
    );
    Ok(())
}

fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
