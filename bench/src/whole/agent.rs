//! An agent that watches a generated cluster: what it holds in memory, and how long a change takes to its record.
use super::child::Other;
use super::quantiles::Quantiles;
use super::{memory, processor, row};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use seawall_agent::{Agent, Config, Target};
use seawall_model::finding::{ObjectAssessment, State};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// After the last change, and before memory is looked at once more.
const SETTLE: Duration = Duration::from_secs(10);
/// Records under way, as between agent and spool.
const CAPACITY: usize = 64;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Deployments
    #[arg(long, default_value_t = 10_000)]
    workloads: usize,
    /// Pods of each, below a ReplicaSet
    #[arg(long, default_value_t = 0)]
    pods: usize,
    /// Objects changed, one after the other; every tenth is a Service
    #[arg(long, default_value_t = 0)]
    changes: usize,
    /// Milliseconds from one change to the next
    #[arg(long, default_value_t = 50)]
    every: u64,
}

/// What the agent said: how much, and what and when while somebody wants to know. Kept from the start it would be
/// taken for the agent's own memory.
#[derive(Default)]
struct Heard {
    count: usize,
    kept: Option<Vec<(Instant, Box<ObjectAssessment>)>>,
}

type Shared = Arc<Mutex<Heard>>;

fn heard(shared: &Shared) -> MutexGuard<'_, Heard> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let shape = [("--workloads", self.workloads), ("--pods", self.pods)];
        let arguments =
            shape.iter().flat_map(|(name, count)| [(*name).to_owned(), count.to_string()]);
        let (api, url) =
            Other::start(&["api".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>())?;
        let address = url.trim_start_matches("http: //").to_owned();
        let folder = tempfile::tempdir()?;
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(
            &kubeconfig,
            json!({"apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [],
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}]})
            .to_string(),
        )?;
        let target = Target { kubeconfig: Some(kubeconfig), context: None };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(self.watch(target, &address))?;
        drop(api);
        Ok(())
    }

    async fn watch(&self, target: Target, address: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        let (sink, records) = mpsc::channel(CAPACITY);
        let shared = listen(records);
        let agent = Agent::start(Config::new(target, Arc::new(SystemClock)), sink).await?;
        let mut status = agent.status();
        let status = status.wait_for(|status| status.synced).await?.clone();
        ensure!(status.forbidden.is_empty() && status.broken.is_empty(), "{status:?}");
        row("objects", &format!("{} of {} MB", status.objects, status.bytes / 1_000_000))?;
        row(
            "until all are judged",
            &format!("{:.1?}, {:.1} s of processor", started.elapsed(), processor()?),
        )?;
        row("records", &heard(&shared).count.to_string())?;
        let (resident, peak) = memory()?;
        row("resident", &format!("{resident} MB, most {peak} MB"))?;
        if self.changes > 0 {
            let before = processor()?;
            let delays = self.change(address, &shared).await?;
            row("from change to record", &delays.to_string())?;
            row(
                "processor of a change",
                &format!("{:.1} ms", (processor()? - before) * 1e3 / self.changes as f64),
            )?;
        }
        tokio::time::sleep(SETTLE).await;
        row("resident later", &format!("{} MB", memory()?.0))?;
        agent.stop().await;
        Ok(())
    }

    /// The clock of each runs from before the request that changes it.
    async fn change(&self, address: &str, shared: &Shared) -> anyhow::Result<Quantiles> {
        let (mut client, connection) =
            handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
        let connection = tokio::spawn(connection);
        let mut ticks = tokio::time::interval(Duration::from_millis(self.every));
        let mut changed = Vec::new();
        heard(shared).kept = Some(Vec::new());
        for number in 0..self.changes {
            ticks.tick().await;
            let at = Instant::now();
            changed.push((at, ask(&mut client, number).await?));
        }
        tokio::time::sleep(SETTLE).await;
        connection.abort();
        let said = heard(shared).kept.take().unwrap_or_default();
        let one = |(at, change): &(Instant, Value)| {
            let found =
                said.iter().find(|(when, assessment)| when >= at && says(assessment, change));
            let (when, _) = found.with_context(|| format!("no record of {change}"))?;
            Ok(when.duration_since(*at))
        };
        Ok(Quantiles::new(changed.iter().map(one).collect::<anyhow::Result<_>>()?))
    }
}

fn listen(mut records: mpsc::Receiver<Record>) -> Shared {
    let shared = Shared::default();
    let writer = shared.clone();
    tokio::spawn(async move {
        while let Some(record) = records.recv().await {
            let Record::Assessment(assessment) = record else { continue };
            let mut heard = heard(&writer);
            heard.count += 1;
            if let Some(kept) = &mut heard.kept {
                kept.push((Instant::now(), assessment));
            }
        }
    });
    shared
}

async fn ask(client: &mut SendRequest<Empty<Bytes>>, number: usize) -> anyhow::Result<Value> {
    client.ready().await?;
    let request = Request::post(format!("/change?number={number}"))
        .header("host", "api")
        .body(Empty::new())?;
    let body = client.send_request(request).await?.into_body().collect().await?.to_bytes();
    Ok(serde_json::from_slice(&body)?)
}

/// Whether this is the record that the change must lead to.
fn says(assessment: &ObjectAssessment, change: &Value) -> bool {
    let resource = &assessment.resource;
    let same = change["kind"] == resource.kind.as_str()
        && change["name"] == resource.name.as_str()
        && change["namespace"].as_str() == resource.namespace.as_deref();
    let unhealthy = assessment.findings.iter().any(|finding| {
        change["control"] == finding.control.as_str() && finding.state == State::Unhealthy
    });
    same && change["unhealthy"] == unhealthy
}
