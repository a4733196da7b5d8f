//! `seawall up`: hub, sensor and cluster agent on one machine, over the same wire as a fleet.
use crate::command::hub::{self, Serve};
use crate::exit::{Exit, Failure, Outcome};
use crate::link::{self, Linked};
use crate::node::{Node, Settings};
use crate::output;
use seawall_agent::Agent;
use seawall_hub::Hub;
use seawall_model::asset::{AgentRole, Cluster, ClusterKind};
use seawall_model::time::SystemClock;
use seawall_uplink::Uplink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    serve: Serve,
    /// Also watch the cluster of this kubeconfig; this machine is taken for a node of it
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Socket of containerd or a CRI runtime such as CRI-O [default: the usual places]
    #[arg(long, value_name = "ADDR")]
    containerd: Option<PathBuf>,
    /// Do not look at this machine: neither kernel events nor packages
    #[arg(long)]
    no_sensor: bool,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        tokio::runtime::Runtime::new()?.block_on(self.watch())
    }

    async fn watch(self) -> Outcome {
        let hub = self.serve.start().await?;
        let outcome = self.with_agents(&hub).await;
        hub.shutdown().await;
        outcome
    }

    async fn with_agents(&self, hub: &Hub) -> Outcome {
        // The agents first: what they cannot do belongs on the page's first line, not in a log.
        let cluster = match &self.kubeconfig {
            None => None,
            Some(kubeconfig) => Some(self.cluster(hub, kubeconfig).await?),
        };
        let place = cluster.as_ref().map_or_else(link::machine, |watched| watched.cluster.clone());
        let node = if self.no_sensor { None } else { Some(self.node(hub, place).await?) };

        output::print("Seawall is running.\n")?;
        output::print(&hub::banner(hub))?;
        output::print(&self.agents_banner(cluster.as_ref(), node.as_ref()))?;
        output::print("\nCtrl-C ends it.\n")?;
        match &node {
            Some((node, _)) => tokio::select! {
                ended = hub::ended() => ended?,
                () = node.count_losses() => {}
            },
            None => hub::ended().await?,
        }
        if let Some((node, _)) = node {
            node.stop().await;
        }
        if let Some(watched) = cluster {
            watched.stop().await;
        }
        Ok(Exit::Pass)
    }

    fn agents_banner(
        &self,
        cluster: Option<&Watched>,
        node: Option<&(Node, Option<seawall_sensor::CannotRun>)>,
    ) -> String {
        let sensor = match node {
            None => "not started (--no-sensor)".to_owned(),
            Some((_, Some(reason))) => format!("no kernel events: {reason}"),
            Some((node, None)) => {
                let not_full = node.capabilities.iter().filter(|capability| {
                    capability.state != seawall_model::asset::CapabilityState::Full
                });
                let names: Vec<&str> =
                    not_full.map(|capability| capability.name.as_str()).collect();
                if names.is_empty() {
                    "running".to_owned()
                } else {
                    format!("running, limited: {}", names.join(", "))
                }
            }
        };
        let cluster = match cluster {
            None => "none (watch one with --kubeconfig FILE)".to_owned(),
            Some(watched) => {
                format!(
                    "{} {}",
                    watched.cluster.name,
                    watched.cluster.version.as_deref().unwrap_or_default()
                )
            }
        };
        let feeds = match &self.serve.feeds {
            Some(feeds) => format!("built from {feeds}"),
            None if self.serve.store.directory().join("index/index.json").exists() => {
                "from an earlier start".to_owned()
            }
            None => "none yet: give --feeds DIR, or run `seawall db update --db DATA-DIR/index`"
                .to_owned(),
        };
        format!("  sensor    {sensor}\n  cluster   {cluster}\n  feeds     {feeds}\n")
    }

    /// Connects to the cluster, enrols, and passes assessments on.
    async fn cluster(&self, hub: &Hub, kubeconfig: &std::path::Path) -> Result<Watched, Failure> {
        let target =
            seawall_agent::Target { kubeconfig: Some(kubeconfig.to_owned()), context: None };
        let config = seawall_agent::Config::new(target, Arc::new(SystemClock));
        // Small, so that a hub that is slow slows the watch rather than fill memory.
        let (sink, records) = mpsc::channel(256);
        let agent = Agent::start(config, sink).await.map_err(|error| {
            Failure::could_not_run(error)
                .with_help("--kubeconfig names a file whose current context reaches the API server")
        })?;
        let info = &agent.cluster;
        let host =
            info.url.trim_start_matches("https://").split(['/', ':']).next().unwrap_or("cluster");
        let version = Some(info.version.clone());
        let name = info.name.clone().unwrap_or_else(|| host.to_owned());
        let cluster = link::cluster(info.uid.clone(), name, ClusterKind::Kubernetes, version);
        let state_dir = self.agent_dir(&cluster, "agent");
        agent.restore(&state_dir);
        let linked = Linked {
            state_dir: state_dir.clone(),
            role: AgentRole::ClusterAgent,
            name: link::host_name(),
            cluster: cluster.clone(),
            capabilities: Vec::new(),
            trust: link::no_trust(),
        };
        let uplink = linked
            .connect(&hub.url(), Some(hub.agents_address().to_string()), || local_token(hub))
            .await?;
        let forward = link::forward(records, uplink.clone());
        // It ends with the uplink.
        let _following = agent.follow(uplink.desired(), &state_dir);
        Ok(Watched { agent, uplink, forward, cluster })
    }

    async fn node(
        &self,
        hub: &Hub,
        cluster: Cluster,
    ) -> Result<(Node, Option<seawall_sensor::CannotRun>), Failure> {
        let settings = Settings {
            state_dir: self.agent_dir(&cluster, "sensor"),
            cluster,
            node: link::host_name(),
            root: "/".into(),
            runtime: self.containerd.clone(),
        };
        Node::start(settings, &hub.url(), Some(hub.agents_address().to_string()), || {
            local_token(hub)
        })
        .await
    }

    /// One identity a cluster: another kubeconfig is another agent.
    fn agent_dir(&self, cluster: &Cluster, role: &str) -> PathBuf {
        self.serve.store.directory().join("agents").join(&cluster.uid).join(role)
    }
}

async fn local_token(hub: &Hub) -> Result<String, Failure> {
    hub.local_enrolment().await.map_err(Failure::could_not_run)
}

/// A watched cluster and its uplink.
struct Watched {
    agent: Agent,
    uplink: Uplink,
    forward: tokio::task::JoinHandle<()>,
    cluster: Cluster,
}

impl Watched {
    async fn stop(self) {
        self.agent.stop().await;
        // The agent held the only sender: the forwarder ends once it has passed on what is left.
        if self.forward.await.is_err() {
            tracing::error!("forwarding of assessments ended by a panic");
        }
        self.uplink.close(Duration::from_secs(3)).await;
    }
}
