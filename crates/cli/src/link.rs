//! The connection of a sensor or cluster agent to its hub: enrolled once, resumed ever after.
use crate::exit::Failure;
use anyhow::Context;
use seawall_model::asset::{AgentRole, Capability, Cluster, ClusterKind};
use seawall_model::record::Record;
use seawall_model::scope::ScopePath;
use seawall_model::time::SystemClock;
use seawall_uplink::{Config, Enrolment, Identity, Uplink};
use seawall_wire::v1;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Batches that the hub has not committed: hours of alerts of a noisy node.
const SPOOL_BYTES: u64 = 256 << 20;

/// Who connects.
pub(crate) struct Linked {
    /// Holds identity and spool.
    pub(crate) state_dir: PathBuf,
    pub(crate) role: AgentRole,
    pub(crate) name: String,
    pub(crate) cluster: Cluster,
    pub(crate) capabilities: Vec<Capability>,
    /// By whose word later pods of the cluster may join; from a cluster agent.
    pub(crate) trust: watch::Receiver<Option<v1::Trust>>,
}

impl Linked {
    /// Connects with the identity in the state directory; `token` is asked for only where there is none.
    /// `agents_address` overrides where the identity says the hub listens.
    pub(crate) async fn connect<F>(
        self,
        hub_url: &str,
        agents_address: Option<String>,
        token: impl FnOnce() -> F,
    ) -> Result<Uplink, Failure>
    where
        F: Future<Output = Result<String, Failure>>,
    {
        let known = Identity::load(&self.state_dir).map_err(Failure::could_not_run)?;
        let mut identity = match known {
            Some(identity) => identity,
            None => self.enrol(hub_url, &token().await?).await?,
        };
        if let Some(address) = agents_address {
            identity.hub = address;
        }
        let config = Config {
            state_dir: self.state_dir,
            identity,
            role: v1::Role::from(self.role),
            name: self.name,
            cluster: self.cluster,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capabilities: self.capabilities,
            trust: self.trust,
            spool_bytes: SPOOL_BYTES,
            clock: Arc::new(SystemClock),
        };
        Uplink::start(config).map_err(Failure::could_not_run)
    }

    async fn enrol(&self, hub: &str, token: &str) -> Result<Identity, Failure> {
        let enrolment =
            Enrolment { hub, token, cluster: &self.cluster, role: self.role, name: &self.name };
        let identity = seawall_uplink::enrol(&enrolment).await.map_err(|error| {
            Failure::could_not_run(error).with_help(
                "make a new token: hub, Settings, Enrolment; a token serves once and expires",
            )
        })?;
        identity.save(&self.state_dir).map_err(Failure::could_not_run)?;
        Ok(identity)
    }
}

/// Of agents whose word lets nobody join.
pub(crate) fn no_trust() -> watch::Receiver<Option<v1::Trust>> {
    watch::channel(None).1
}

/// Passes records on until their senders are gone. A slow hub slows them through the channel's bound.
pub(crate) fn forward(mut records: mpsc::Receiver<Record>, uplink: Uplink) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut batch = Vec::new();
        while records.recv_many(&mut batch, seawall_wire::MAX_BATCH_RECORDS).await > 0 {
            uplink.send(std::mem::take(&mut batch));
        }
    })
}

/// How the connection stands, in Prometheus' exposition format 0.0.4.
pub(crate) fn metrics(status: &seawall_uplink::Status) -> String {
    let mut text = String::from(
        "# HELP seawall_hub_connected 1 while the hub is connected.\n# TYPE seawall_hub_connected gauge\n",
    );
    text += &format!("seawall_hub_connected {}\n", u8::from(status.connected));
    text += "# HELP seawall_spool_batches Batches that the hub has not committed.\n# TYPE seawall_spool_batches gauge\n";
    let waiting = status.last_sequence.saturating_sub(status.acknowledged);
    text += &format!("seawall_spool_batches {waiting}\n");
    text += "# HELP seawall_dropped_total Records lost, by class.\n# TYPE seawall_dropped_total counter\n";
    for lost in &status.dropped {
        text += &format!("seawall_dropped_total{{class=\"{}\"}} {}\n", lost.class, lost.count);
    }
    text
}

/// A token that lies in a file, so that no process list shows it.
pub(crate) fn read_token(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the enrolment token from {}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// This machine as a cluster of its own: a machine outside Kubernetes.
pub(crate) fn machine() -> Cluster {
    let name = host_name();
    // A container image or a fresh system may have no machine id; the name is then all there is.
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let uid = if id.trim().is_empty() { format!("host-{name}") } else { id.trim().to_owned() };
    cluster(uid, name, ClusterKind::Machine, None)
}

/// A cluster as an agent names it; the hub gives id, scope and times.
pub(crate) fn cluster(
    uid: String,
    name: String,
    kind: ClusterKind,
    version: Option<String>,
) -> Cluster {
    let id = seawall_model::Id::new(0, [0; 10]);
    Cluster { id, scope: ScopePath::root(), uid, name, kind, version, first_seen: 0, last_seen: 0 }
}

/// The host's name as the kernel has it.
pub(crate) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}
