//! The sensor with its uplink: kernel events, the packages of this node and its images, and the node's facts.
use crate::exit::Failure;
use crate::link::Linked;
use seawall_model::asset::{AgentRole, Capability, Cluster};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_rules::attack::Attack;
use seawall_rules::firing::Detections;
use seawall_sensor::{CannotRun, FactsTask, InventoryTask, Outputs, Sensor};
use seawall_uplink::Uplink;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Losses reach the spool's counters this often.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// What a node's sensor is run with.
pub(crate) struct Settings {
    pub(crate) state_dir: PathBuf,
    pub(crate) cluster: Cluster,
    pub(crate) node: String,
    /// Where the host's root file system is seen from here.
    pub(crate) root: PathBuf,
    /// Socket of containerd or a CRI runtime; none probes the usual ones.
    pub(crate) runtime: Option<PathBuf>,
}

/// A running sensor whose records go to the hub.
pub(crate) struct Node {
    sensor: Option<Sensor>,
    inventory: InventoryTask,
    facts: FactsTask,
    uplink: Uplink,
    pub(crate) capabilities: Vec<Capability>,
}

/// The rules in the binary.
pub(crate) fn detections() -> Detections {
    let (rules, problems) = crate::command::rules::catalogue();
    for problem in problems {
        tracing::error!(%problem, "built-in rule not loaded");
    }
    let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    Detections { rules: Arc::new(rules), attack: Arc::new(attack) }
}

/// The sensor's settings for a node.
pub(crate) fn sensor_config(settings: &Settings) -> seawall_sensor::Config {
    let mut config =
        seawall_sensor::Config::new(&settings.node, &settings.cluster.name, &settings.root);
    if let Some(socket) = &settings.runtime {
        config.runtimes = vec![socket.clone()];
    }
    config
}

impl Node {
    /// Connects the uplink, then starts the sensor. Why the kernel part cannot run comes beside a node that still
    /// reports packages.
    pub(crate) async fn start<F>(
        settings: Settings,
        hub_url: &str,
        agents_address: Option<String>,
        token: impl FnOnce() -> F,
    ) -> Result<(Self, Option<CannotRun>), Failure>
    where
        F: Future<Output = Result<String, Failure>>,
    {
        let linked = Linked {
            state_dir: settings.state_dir.clone(),
            role: AgentRole::Sensor,
            name: settings.node.clone(),
            cluster: settings.cluster.clone(),
            // The sensor reports them as its first record.
            capabilities: Vec::new(),
            trust: crate::link::no_trust(),
        };
        let uplink = linked.connect(hub_url, agents_address, token).await?;
        let sink = uplink.clone();
        // What does not fit is counted by the spool itself.
        let record: Arc<dyn Fn(Record) + Send + Sync> = Arc::new(move |record| {
            sink.send(vec![record]);
        });
        let outputs = Outputs { record: record.clone(), event: None };
        let config = sensor_config(&settings);
        let started = tokio::task::spawn_blocking(move || {
            Sensor::start(config, detections(), Arc::new(SystemClock), outputs)
        });
        let started = started.await.map_err(Failure::could_not_run)?;
        let (sensor, reason) = match started {
            Ok(sensor) => (Some(sensor), None),
            Err(reason) => (None, Some(reason)),
        };
        let capabilities =
            sensor.as_ref().map(|sensor| sensor.capabilities().to_vec()).unwrap_or_default();
        let inventory = InventoryTask::start(
            sensor_config(&settings),
            Some(&settings.state_dir.join("layers")),
            capabilities.clone(),
            record.clone(),
        );
        let facts = FactsTask::start(sensor_config(&settings), record)?;
        let node = Self { sensor, inventory: inventory?, facts, uplink, capabilities };
        Ok((node, reason))
    }

    /// Passes the sensor's losses on until the future is dropped.
    pub(crate) async fn count_losses(&self) {
        let told: Mutex<HashMap<String, u64>> = Mutex::default();
        let mut every = tokio::time::interval(COUNT_EVERY);
        loop {
            every.tick().await;
            for lost in self.sensor.iter().flat_map(Sensor::losses) {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let before = told.entry(lost.class.clone()).or_default();
                self.uplink.count_dropped(&lost.class, lost.count.saturating_sub(*before));
                *before = lost.count;
            }
        }
    }

    pub(crate) fn uplink(&self) -> Uplink {
        self.uplink.clone()
    }

    /// Ends the sensor, then gives the hub a moment to take what is left.
    pub(crate) async fn stop(mut self) {
        let (sensor, inventory, facts) = (self.sensor.take(), self.inventory, self.facts);
        let stopped = tokio::task::spawn_blocking(move || {
            drop(sensor);
            drop(inventory);
            drop(facts);
        });
        if stopped.await.is_err() {
            tracing::error!("sensor ended by a panic");
        }
        self.uplink.close(Duration::from_secs(3)).await;
    }
}
