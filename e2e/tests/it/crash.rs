//! Hub and agents die at any moment; every alert that was produced is stored once, in order.
use crate::api::Api;
use crate::begin;
use crate::rig::seawall;
use crate::up::{PASSWORD, Up};
use anyhow::{Context, Result, ensure};
use seawall_model::alert::Firing;
use seawall_model::asset::{AgentRole, Cluster, ClusterKind};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_uplink::{Config, Enrolment, Uplink};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often each process is killed; `make oracles` sets 100.
fn kills() -> usize {
    std::env::var("SEAWALL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// A free port of loopback, so that a restarted hub is where its agents look for it.
fn free_port() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A hub process that is killed and started again on the same addresses.
struct Hub {
    dir: tempfile::TempDir,
    listen: String,
    agents: String,
    up: Option<Up>,
}

impl Hub {
    fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut hub = Self { dir, listen: free_port()?, agents: free_port()?, up: None };
        hub.run()?;
        Ok(hub)
    }

    fn run(&mut self) -> Result<()> {
        let arguments = ["--agents", self.agents.as_str()];
        self.up = Some(Up::command(self.dir.path(), "hub", &self.listen, &arguments)?);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        if let Some(mut up) = self.up.take() {
            up.child.kill()?;
            up.child.wait()?;
        }
        Ok(())
    }

    async fn owner(&self) -> Result<Api> {
        self.up.as_ref().context("the hub runs")?.owner().await
    }

    /// An enrolled sensor of this hub, as far as the wire is concerned.
    async fn uplink(&self, state: &Path, spool_bytes: u64) -> Result<Uplink> {
        let token = token(&self.owner().await?).await?;
        let (url, cluster) = (self.url(), machine());
        let role = AgentRole::Sensor;
        let enrolment =
            Enrolment { hub: &url, token: &token, cluster: &cluster, role, name: "node-1" };
        let identity = seawall_uplink::enrol(&enrolment).await?;
        Ok(Uplink::start(config(state, identity, cluster, spool_bytes))?)
    }

    fn url(&self) -> String {
        format!("https://{}", self.listen)
    }
}

async fn token(api: &Api) -> Result<String> {
    let body = json!({"scope": "/org/", "expires": null, "uses": 1, "manual_accept": false});
    let answer = api.post("/enrolments", body).await?;
    answer["token"].as_str().map(str::to_owned).context("an enrolment has a token")
}

fn firing(number: usize) -> Result<Firing> {
    Ok(serde_json::from_value(json!({
        "detection": "SW-D-0001", "title": "Shell joined to an outbound connection", "severity": "high",
        "tactics": ["execution"], "mitre": ["T1059.004"], "parity": [], "source": "syscall",
        "time": 1_795_473_451_540_i64 + number as i64,
        "where": {"cluster": "machine", "node": "n", "namespace": null, "workload": null, "pod": null, "pod_uid": null,
            "container": null, "container_id": null, "image": null, "identity": "complete"},
        "process": [{"exec_id": number.to_string(), "pid": 7, "name": "sh", "exe": format!("/bin/sh{}", number % 50),
            "args": ["sh"], "cwd": null, "user": null, "uid": 0, "start": 1}],
        "actor": null, "object": null, "why": [], "output": format!("number {number}"), "remediation": "r",
        "action": {"mode": "alert", "result": "none"}, "lost_nearby": 0
    }))?)
}

/// The stored firings of one agent are exactly these outputs, in this order.
#[track_caller]
fn stored_equal(mut events: Vec<Value>, produced: &[String]) {
    events.sort_by_key(|event| (event["sequence"].as_u64(), event["index"].as_u64()));
    let places: BTreeSet<_> =
        events.iter().map(|event| (event["sequence"].as_u64(), event["index"].as_u64())).collect();
    assert_eq!(places.len(), events.len(), "a firing is stored twice");
    let outputs: Vec<&str> =
        events.iter().filter_map(|event| event["firing"]["output"].as_str()).collect();
    assert_eq!(outputs.len(), produced.len(), "stored and produced differ in number");
    for (stored, produced) in outputs.iter().zip(produced) {
        assert_eq!(stored, produced);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_hub_loses_and_doubles_nothing() -> Result<()> {
    let Some(_turn) = begin("a killed hub loses and doubles nothing") else { return Ok(()) };
    let mut hub = Hub::start()?;
    let state = tempfile::tempdir()?;
    let uplink = hub.uplink(state.path(), 64 << 20).await?;

    // 200 alerts a second, whatever happens to the hub.
    let producer = uplink.clone();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let producing = std::thread::spawn(move || -> Result<Vec<String>> {
        let mut produced = Vec::new();
        while stopped.recv_timeout(Duration::from_millis(5)).is_err() {
            let firing = firing(produced.len())?;
            produced.push(firing.output.clone());
            ensure!(
                producer.send(vec![Record::Firing(Box::new(firing))]).is_some(),
                "the spool has room"
            );
        }
        Ok(produced)
    });
    for round in 0..kills() {
        // Spread over the commit cycle: from at once to a second after the start.
        tokio::time::sleep(Duration::from_millis((round as u64 * 7919) % 1000)).await;
        hub.kill()?;
        hub.run()?;
    }
    stop.send(())?;
    let produced = producing.join().expect("the producer does not panic")?;
    let began = Instant::now();
    while uplink.status().acknowledged < uplink.status().last_sequence {
        ensure!(began.elapsed() < Duration::from_secs(60), "not drained: {:?}", uplink.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let api = Api::sign_in(&hub.url(), "admin", PASSWORD).await?;
    let events = api.list("events", "").await?;
    eprintln!(
        "{} alerts over {} kills, drained {:?} after the last",
        produced.len(),
        kills(),
        began.elapsed()
    );
    stored_equal(events, &produced);
    uplink.close(Duration::from_secs(1)).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_bound_the_missing_equal_the_drops_shown() -> Result<()> {
    let Some(_turn) = begin("past the spool's bound the missing equal the drops shown") else {
        return Ok(());
    };
    let mut hub = Hub::start()?;
    let state = tempfile::tempdir()?;
    let uplink = hub.uplink(state.path(), 64 << 10).await?;
    hub.kill()?;
    let given = 500;
    for number in 0..given {
        uplink.send(vec![Record::Firing(Box::new(firing(number)?))]);
    }
    hub.run()?;
    let api = Api::sign_in(&hub.url(), "admin", PASSWORD).await?;
    let shown = |items: &[Value]| -> u64 {
        let dropped = items.iter().filter_map(|agent| agent["dropped"].as_array()).flatten();
        dropped.filter_map(|dropped| dropped["count"].as_u64()).sum()
    };
    let (_, agents) =
        api.wait_for("agents", "", Duration::from_secs(30), |items| shown(items) > 0).await?;
    let stored = api.list("events", "").await?.len() as u64;
    assert!(stored > 10, "what fitted is stored: {stored}");
    assert_eq!(stored + shown(&agents), given as u64, "missing = shown as dropped");
    uplink.close(Duration::from_secs(1)).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sensor_loses_and_doubles_nothing_it_produced() -> Result<()> {
    let Some(_turn) = begin("a killed sensor loses and doubles nothing it produced") else {
        return Ok(());
    };
    let hub = Hub::start()?;
    let api = hub.owner().await?;
    let dir = tempfile::tempdir()?;
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, token(&api).await?)?;
    let sensor = || -> Result<Child> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(dir.path().join("sensor.log"))?;
        Ok(Command::new(seawall())
            .args(["sensor", "--hub", &hub.url(), "--token-file"])
            .arg(&token_file)
            .arg("--state-dir")
            .arg(dir.path().join("state"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?)
    };
    // A shell runs programs on outbound connections, up to 200 a second: each is an alert. It connects anew each time,
    // since a sensor cannot know which side opened a connection that is older than itself.
    let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = server.local_addr()?.port();
    std::thread::spawn(move || server.incoming().for_each(drop));
    let script = format!(
        "while :; do exec 3<>/dev/tcp/127.0.0.1/{port}; /bin/true <&3 >&3; exec 3>&-; /bin/sleep 0.003; done"
    );
    let mut attack = Command::new("bash").args(["-c", &script]).spawn()?;
    let outcome = sensor_rounds(&sensor);
    drop(attack.kill());
    drop(attack.wait());
    let mut last = outcome?;
    let spool = dir.path().join("state/spool");
    // Everything in the spool's numbering has arrived.
    let began = Instant::now();
    let events = loop {
        let events = api.list("events", "").await?;
        let agents = api.list("agents", "role:sensor").await?;
        let committed =
            agents.iter().filter_map(|agent| agent["last_sequence"].as_u64()).max().unwrap_or(0);
        if committed > 0 && committed == last_sequence(&spool)? {
            break events;
        }
        let log = std::fs::read_to_string(dir.path().join("sensor.log")).unwrap_or_default();
        ensure!(began.elapsed() < Duration::from_secs(60), "not drained: {committed}\n{log}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    last.kill()?;
    last.wait()?;
    ensure!(!events.is_empty(), "the sensor saw nothing");
    let outputs: Vec<&str> =
        events.iter().filter_map(|event| event["firing"]["output"].as_str()).collect();
    let distinct: BTreeSet<(Option<u64>, Option<u64>)> =
        events.iter().map(|event| (event["sequence"].as_u64(), event["index"].as_u64())).collect();
    assert_eq!(distinct.len(), outputs.len(), "a firing is stored twice");
    eprintln!("{} alerts over {} kills of the sensor", outputs.len(), kills());
    Ok(())
}

/// Starts and kills the sensor; returns the last one, alive.
fn sensor_rounds(sensor: &dyn Fn() -> Result<Child>) -> Result<Child> {
    for round in 0..kills() {
        let mut running = sensor()?;
        std::thread::sleep(Duration::from_millis(800 + (round as u64 * 7919) % 1500));
        running.kill()?;
        running.wait()?;
    }
    let last = sensor()?;
    std::thread::sleep(Duration::from_secs(3));
    Ok(last)
}

/// The last sequence that the spool's files hold.
fn last_sequence(spool: &Path) -> Result<u64> {
    // A copy, so that a frame half written by the living sensor is cut off in the copy alone.
    let copy = tempfile::tempdir()?;
    for entry in std::fs::read_dir(spool)? {
        let entry = entry?;
        std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    Ok(seawall_uplink::Spool::open(copy.path(), 64 << 20)?.last_sequence())
}

fn machine() -> Cluster {
    let id = seawall_model::Id::new(0, [0; 10]);
    Cluster {
        id,
        scope: seawall_model::scope::ScopePath::root(),
        uid: "3e6b5d0a-machine".to_owned(),
        name: "machine".to_owned(),
        kind: ClusterKind::Machine,
        version: None,
        first_seen: 0,
        last_seen: 0,
    }
}

fn config(
    state: &Path,
    identity: seawall_uplink::Identity,
    cluster: Cluster,
    spool_bytes: u64,
) -> Config {
    Config {
        state_dir: state.to_owned(),
        identity,
        role: seawall_wire::v1::Role::Sensor,
        name: "node-1".to_owned(),
        cluster,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: Vec::new(),
        trust: tokio::sync::watch::channel(None).1,
        spool_bytes,
        clock: Arc::new(SystemClock),
    }
}
