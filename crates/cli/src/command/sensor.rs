//! `seawall sensor`: kernel events of this node, to a hub or to stdout.
use crate::command::hub;
use crate::entry::{Candidate, HubOptions, Waiting};
use crate::exit::{Exit, Failure, Outcome};
use crate::link;
use crate::node::{self, Node, Settings};
use crate::output::{self, Format};
use anyhow::{Context, anyhow};
use seawall_agent::health::{Health, Probes};
use seawall_model::asset::{AgentRole, CapabilityState, ClusterKind};
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_sensor::{Outputs, Recorder, Sensor};
use seawall_uplink::Uplink;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Without a hub alerts are printed as JSON lines.
    #[command(flatten)]
    hub: HubOptions,
    /// Where identity and spool lie [default: sensor/ in the data directory]
    #[arg(long, env = "SEAWALL_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Name of this node [default: the host's]
    #[arg(long, env = "SEAWALL_NODE", value_name = "NAME")]
    node: Option<String>,
    /// Where the node's root file system is seen, in a pod
    #[arg(long, env = "SEAWALL_ROOT", default_value = "/", value_name = "DIR")]
    root: PathBuf,
    /// Serve /livez, /readyz and /metrics here, plain HTTP
    #[arg(long, env = "SEAWALL_HEALTH", value_name = "ADDR")]
    health: Option<SocketAddr>,
    /// Socket of containerd or a CRI runtime such as CRI-O [default: the usual places]
    #[arg(long, value_name = "ADDR")]
    containerd: Option<PathBuf>,
    /// Print what this kernel and its container runtimes let the sensor see, and end (exit 4 if anything is absent)
    #[arg(long, conflicts_with_all = ["hub", "record"])]
    probe: bool,
    /// Print this node's facts as JSON, for `scan cluster --node-facts`, and end (exit 4 if something was not read)
    #[arg(long, conflicts_with_all = ["hub", "record", "probe"])]
    print_node_facts: bool,
    /// Write every event to this file as JSON lines, for `seawall replay`
    #[arg(long, conflicts_with = "hub", value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        if self.probe {
            return probe(&node::sensor_config(&self.settings()), self.format);
        }
        if self.print_node_facts {
            return print_node_facts(&node::sensor_config(&self.settings()));
        }
        let runtime = tokio::runtime::Runtime::new()?;
        match &self.hub.hub {
            Some(hub) => runtime.block_on(self.report(hub)),
            None => runtime.block_on(self.print()),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            state_dir: self.state_dir.clone().unwrap_or_else(|| output::data_dir().join("sensor")),
            cluster: link::machine(),
            node: self.node.clone().unwrap_or_else(link::host_name),
            root: self.root.clone(),
            runtime: self.containerd.clone(),
        }
    }

    async fn report(&self, hub: &str) -> Outcome {
        let mut settings = self.settings();
        let (waiting, uplink) = (Waiting::default(), Arc::new(OnceLock::new()));
        let _health = match self.health {
            Some(address) => Some(health(address, waiting.clone(), uplink.clone()).await?),
            None => None,
        };
        if self.hub.service_account_token.is_some() {
            let state_dir = settings.state_dir.clone();
            let name = settings.node.clone();
            let candidate = Candidate {
                state_dir: &state_dir,
                role: AgentRole::Sensor,
                name: &name,
                cluster: None,
            };
            let identity = tokio::select! {
                identity = self.hub.enter(hub, &candidate, &waiting) => identity?,
                ended = hub::ended() => return ended.map(|()| Exit::Pass),
            };
            if let Some(known) = identity.cluster {
                settings.cluster =
                    link::cluster(known.uid, known.name, ClusterKind::Kubernetes, None);
            }
        }
        let token = || async {
            let file = self.hub.token_file.as_deref();
            link::read_token(file.ok_or_else(|| {
                Failure::usage(anyhow!("--hub needs --token-file or --service-account-token"))
            })?)
        };
        let started = Node::start(settings, hub, self.hub.hub_agents.clone(), token);
        let (node, reason) = started.await?;
        if let Some(reason) = reason {
            node.stop().await;
            return Err(Failure::could_not_run(reason));
        }
        uplink.get_or_init(|| node.uplink());
        tokio::select! {
            ended = hub::ended() => ended?,
            () = node.count_losses() => {}
        }
        node.stop().await;
        Ok(Exit::Pass)
    }

    /// Alerts as JSON lines on stdout until Ctrl-C; with `--record` every event into the file as well.
    async fn print(&self) -> Outcome {
        let record = |record: Record| {
            if let Record::Firing(firing) = record
                && let Err(error) = output::print_json_line(&firing)
            {
                tracing::error!(%error, "alert not printed");
            }
        };
        let mut outputs = Outputs { record: Arc::new(record), event: None };
        if let Some(path) = &self.record {
            let recorder = Recorder::create(path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            let mut recorder = Some(recorder);
            // Dropped with the sensor, which writes out what is buffered.
            outputs.event = Some(Box::new(move |event| {
                if let Some(open) = &mut recorder
                    && let Err(error) = open.add(event)
                {
                    tracing::error!(%error, "recording ended early");
                    recorder = None;
                }
            }));
        }
        let config = node::sensor_config(&self.settings());
        let sensor = Sensor::start(config, node::detections(), Arc::new(SystemClock), outputs)
            .map_err(Failure::could_not_run)?;
        eprintln!("sensor is running; Ctrl-C ends it");
        hub::ended().await?;
        let losses = sensor.losses();
        sensor.stop();
        let lost: u64 = losses.iter().map(|lost| lost.count).sum();
        for lost in losses.iter().filter(|lost| lost.count > 0) {
            eprintln!("lost {} records: {}", lost.count, lost.class);
        }
        Ok(if lost == 0 { Exit::Pass } else { Exit::Incomplete })
    }
}

/// Ready once enrolled and connected for the first time: a hub that is away later is no reason to restart a sensor.
async fn health(
    address: SocketAddr,
    waiting: Waiting,
    uplink: Arc<OnceLock<Uplink>>,
) -> Result<Health, Failure> {
    let counted = uplink.clone();
    let probes = Probes {
        live: Box::new(|| Ok(())),
        ready: Box::new(move || match (waiting.reason(), uplink.get()) {
            (Some(reason), _) => Err(reason),
            (None, None) => Err("starting".to_owned()),
            (None, Some(uplink)) if !uplink.status().was_connected => {
                Err("the hub has not been reached yet".to_owned())
            }
            (None, Some(_)) => Ok(Vec::new()),
        }),
        metrics: Box::new(move || {
            counted.get().map(|uplink| link::metrics(&uplink.status())).unwrap_or_default()
        }),
    };
    let bound = Health::bind(address, probes).await;
    Ok(bound.with_context(|| format!("cannot listen on {address}"))?)
}

/// Needs no kernel events. What was not read is told in the document itself, and by the exit code.
fn print_node_facts(config: &seawall_sensor::Config) -> Outcome {
    let facts = seawall_sensor::node_facts(config, &mut seawall_sensor::Versions::default());
    output::print_json(&facts)?;
    Ok(if facts.problems.is_empty() { Exit::Pass } else { Exit::Incomplete })
}

fn probe(config: &seawall_sensor::Config, format: Format) -> Outcome {
    let mut capabilities = seawall_sensor::probe().map_err(Failure::could_not_run)?;
    capabilities.push(seawall_sensor::images(config));
    match format {
        Format::Json => output::print_json(&capabilities)?,
        Format::Table => {
            let state = |state| format!("{state:?}").to_lowercase();
            let row = |capability: &seawall_model::asset::Capability| {
                vec![
                    capability.name.clone(),
                    state(capability.state),
                    capability.tier.clone().unwrap_or("-".to_owned()),
                    capability.reason.clone().unwrap_or_default(),
                ]
            };
            let rows: Vec<_> = capabilities.iter().map(row).collect();
            output::print(&output::table(&["CAPABILITY", "STATE", "TIER", "REASON"], &rows))?;
        }
    }
    let absent = capabilities.iter().any(|capability| capability.state == CapabilityState::Absent);
    Ok(if absent { Exit::Incomplete } else { Exit::Pass })
}
