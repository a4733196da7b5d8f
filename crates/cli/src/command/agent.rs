//! `seawall agent`: watches a cluster, answers its API server, and tells a hub.
mod print;

use crate::command::hub::ended;
use crate::entry::{Candidate, HubOptions, Waiting};
use crate::exit::{self, Exit, Failure, Outcome};
use crate::link::{self, Linked};
use crate::node;
use crate::output;
use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seawall_agent::health::{Health, Probes};
use seawall_agent::webhook::{self, CALM, FailurePolicy, Files, Running, WebhookHealth};
use seawall_agent::{Agent, NativePolicies, NativeStatus, Status, Target};
use seawall_model::asset::{AgentRole, Cluster, ClusterKind};
use seawall_model::time::SystemClock;
use seawall_uplink::Uplink;
use seawall_wire::v1;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Our webhook's name in the chart's configuration, by which the API server's audit speaks of it.
const WEBHOOK_NAME: &str = "workloads.seawall.internal";
/// How often the API server is asked for its keys; it announces a new one hours before tokens are signed with it.
const ISSUER_EVERY: Duration = Duration::from_secs(10 * 60);
const ISSUER_RETRY: Duration = Duration::from_secs(10);
/// For the last records on their way to the spool.
const FORWARD_END: Duration = Duration::from_secs(5);
/// Records between the watch and the spool: few, so that a slow disk slows the watch rather than fill memory.
const RECORDS: usize = 256;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubOptions,
    /// Service account, NAMESPACE/NAME, whose pods may join as sensors
    #[arg(long, env = "SEAWALL_SENSOR_SERVICE_ACCOUNT", value_name = "NAMESPACE/NAME")]
    sensor_service_account: Option<String>,
    /// Where identity, spool and policies lie [default: agent/ in the data directory]
    #[arg(long, env = "SEAWALL_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Kubeconfig of the cluster [default: the pod's service account, else as kubectl does]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Name of this agent [default: the host's, in a pod the pod's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How the hub's pages call the cluster [default: as the kubeconfig does, else its UID]
    #[arg(long, env = "SEAWALL_CLUSTER_NAME", value_name = "NAME")]
    cluster_name: Option<String>,
    /// Answer admission reviews and take audit events here, TLS
    #[arg(long, requires = "webhook_service", value_name = "ADDR")]
    webhook: Option<SocketAddr>,
    /// The Service that leads to --webhook
    #[arg(long, env = "SEAWALL_WEBHOOK_SERVICE", value_name = "NAMESPACE/NAME", value_parser = service)]
    webhook_service: Option<String>,
    /// The ValidatingWebhookConfiguration to keep our values in [default: none, its owner does]
    #[arg(long, value_name = "NAME")]
    webhook_configuration: Option<String>,
    /// What is to become of requests that nobody judges; Fail only with two ready agents on two nodes and a day without
    /// errors
    #[arg(long, default_value = "Ignore", value_name = "Ignore|Fail", requires = "webhook_configuration", value_parser = failure_policy)]
    failure_policy: FailurePolicy,
    /// Seconds that the API server waits for an answer, as that configuration says
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=30))]
    webhook_timeout: u64,
    /// Let the API server judge assigned controls by itself where it can, as ValidatingAdmissionPolicies
    #[arg(long)]
    native_policies: bool,
    /// A namespace that --native-policies leaves alone, besides this agent's and those of the system; repeatable
    #[arg(long = "native-excluded-namespace", requires = "native_policies", value_name = "NAME")]
    native_excluded_namespaces: Vec<String>,
    /// Certificate chain (PEM) of the webhook, instead of one that the hub signs
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM) of --tls-cert
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Serve /livez, /readyz and /metrics here, plain HTTP
    #[arg(long, env = "SEAWALL_HEALTH", value_name = "ADDR")]
    health: Option<SocketAddr>,
    #[command(flatten)]
    print: Print,
}

/// Files for the API server, instead of running.
#[derive(clap::Args)]
#[group(multiple = true)]
struct Print {
    /// Print the ValidatingWebhookConfiguration
    #[arg(long, group = "printed", requires = "webhook_service")]
    print_webhook: bool,
    /// Print an audit policy that the detections need
    #[arg(long, group = "printed")]
    print_audit_policy: bool,
    /// Print a kubeconfig for the API server's audit webhook, with a certificate that the hub signs
    #[arg(long, group = "printed", requires_all = ["webhook_service", "audit_server"])]
    print_audit_kubeconfig: bool,
    /// Print what kubeadm needs to use both
    #[arg(long, group = "printed")]
    print_kubeadm_patch: bool,
    /// Where the API server reaches the webhook: the audit Service's address, for it resolves no cluster names
    #[arg(long, value_name = "https://HOST:PORT")]
    audit_server: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let (print, service) = (&self.print, self.webhook_service.as_deref().unwrap_or_default());
        if print.print_webhook {
            return print::webhook(
                service,
                self.webhook_configuration.as_deref().unwrap_or("seawall"),
            );
        }
        if print.print_audit_policy {
            return print::audit_policy();
        }
        if print.print_kubeadm_patch {
            return print::kubeadm_patch();
        }
        let runtime = tokio::runtime::Runtime::new()?;
        if print.print_audit_kubeconfig {
            let server = print.audit_server.as_deref().unwrap_or_default().trim_end_matches('/');
            let (state_dir, agents) = (self.state_dir(), self.hub.hub_agents.as_deref());
            return runtime.block_on(print::audit_kubeconfig(&state_dir, agents, server, service));
        }
        runtime.block_on(self.watch())
    }

    fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| output::data_dir().join("agent"))
    }

    async fn watch(&self) -> Outcome {
        let (waiting, health) = (Waiting::default(), Arc::new(OnceLock::new()));
        waiting.set(Some("connecting to the cluster".to_owned()));
        let _page = match self.health {
            Some(address) => Some(serve_health(address, waiting.clone(), health.clone()).await?),
            None => None,
        };
        let watching = tokio::select! {
            started = self.start(&waiting) => started?,
            ended = ended() => return ended.map(|()| Exit::Pass),
        };
        health.get_or_init(|| watching.health());
        ended().await?;
        watching.stop().await;
        Ok(Exit::Pass)
    }

    /// Returns once the hub has let this agent in.
    async fn start(&self, waiting: &Waiting) -> Result<Watching, Failure> {
        let hub = self.hub.hub.as_deref().ok_or_else(|| {
            Failure::usage(anyhow!("--hub is missing")).with_help(
                "name the hub, whose policies the agent follows: --hub https://HOST:8443",
            )
        })?;
        let target = Target { kubeconfig: self.kubeconfig.clone(), context: None };
        let (records, received) = mpsc::channel(RECORDS);
        let mut config = seawall_agent::Config::new(target, Arc::new(SystemClock));
        config.namespace = self.namespace();
        let agent = Agent::start(config, records.clone()).await.map_err(|error| {
            Failure::could_not_run(error).with_help(
                "--kubeconfig names a file whose current context reaches the API server; a pod needs its service account",
            )
        })?;
        let cluster = self.cluster(&agent);
        let name = self.name.clone().unwrap_or_else(link::host_name);
        let (state_dir, role) = (self.state_dir(), AgentRole::ClusterAgent);
        agent.restore(&state_dir);
        let candidate =
            Candidate { state_dir: &state_dir, role, name: &name, cluster: Some(&cluster) };
        waiting.set(None);
        self.hub.enter(hub, &candidate, waiting).await?;
        let (trust, trusting) = self.trust(&agent);
        let linked = Linked {
            state_dir: state_dir.clone(),
            role,
            name: name.clone(),
            cluster: cluster.clone(),
            capabilities: Vec::new(),
            trust,
        };
        let gone = || async { Err(Failure::could_not_run(anyhow!("the identity is gone"))) };
        let uplink = linked.connect(hub, self.hub.hub_agents.clone(), gone).await?;
        let forward = link::forward(received, uplink.clone());
        let native = self.native(&agent, &uplink);
        let webhook = self.webhook.map(|listen| {
            let mut config = self.webhook(listen, name, &agent, &cluster);
            config.native = native.as_ref().map(NativePolicies::in_force);
            Running::start(config, Arc::new(SystemClock), records, &agent, &uplink)
        });
        if webhook.is_none() {
            // It ends with the uplink.
            let _following = agent.follow(uplink.desired(), &state_dir);
        }
        Ok(Watching { agent, webhook, native, uplink, forward, trusting })
    }

    /// Follows the hub's wishes, where that is wanted.
    fn native(&self, agent: &Agent, uplink: &Uplink) -> Option<NativePolicies> {
        let spared = self.native_excluded_namespaces.iter().cloned().chain(self.namespace());
        let (connection, catalogue) = (agent.connection.clone(), agent.catalogue.clone());
        self.native_policies
            .then(|| NativePolicies::start(connection, uplink.desired(), catalogue, spared))
    }

    fn cluster(&self, agent: &Agent) -> Cluster {
        let info = &agent.cluster;
        let name = self.cluster_name.clone().or_else(|| info.name.clone());
        let name = name.unwrap_or_else(|| info.uid.clone());
        let version = Some(info.version.clone());
        link::cluster(info.uid.clone(), name, ClusterKind::Kubernetes, version)
    }

    /// Where Seawall itself runs, which is never judged.
    fn namespace(&self) -> Option<String> {
        let own = self.webhook_service.clone().or_else(|| self.own_service_account())?;
        let (namespace, _) = own.split_once('/')?;
        Some(namespace.to_owned())
    }

    /// By whose word later pods of this cluster may join, as the API server says now and then: it rotates its keys.
    fn trust(&self, agent: &Agent) -> (watch::Receiver<Option<v1::Trust>>, JoinHandle<()>) {
        let joiner = |account: Option<String>, role: v1::Role| {
            account.map(|service_account| v1::Joiner { service_account, role: role.into() })
        };
        let joiners = [
            joiner(self.sensor_service_account.clone(), v1::Role::Sensor),
            joiner(self.own_service_account(), v1::Role::ClusterAgent),
        ];
        let joiners: Vec<v1::Joiner> = joiners.into_iter().flatten().collect();
        let (sender, trust) = watch::channel(None);
        let connection = agent.connection.clone();
        let asking = tokio::spawn(async move {
            loop {
                let wait = match seawall_agent::issuer(&connection).await {
                    Ok(issuer) => {
                        let jwks_json = issuer.jwks.to_string().into_bytes();
                        let joiners = joiners.clone();
                        let now = Some(v1::Trust { issuer: issuer.issuer, jwks_json, joiners });
                        sender.send_if_modified(|trust| {
                            let changed = *trust != now;
                            *trust = now;
                            changed
                        });
                        ISSUER_EVERY
                    }
                    Err(error) => {
                        let error = exit::chain(&anyhow::Error::new(error));
                        tracing::warn!(error, "keys of service-account tokens not read");
                        ISSUER_RETRY
                    }
                };
                tokio::time::sleep(wait).await;
            }
        });
        (trust, asking)
    }

    /// `NAMESPACE/NAME`, as the projected token says.
    fn own_service_account(&self) -> Option<String> {
        let token = std::fs::read_to_string(self.hub.service_account_token.as_ref()?).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        let subject = claims["sub"].as_str()?.strip_prefix("system:serviceaccount:")?;
        Some(subject.replace(':', "/"))
    }

    fn webhook(
        &self,
        listen: SocketAddr,
        name: String,
        agent: &Agent,
        cluster: &Cluster,
    ) -> webhook::Config {
        let files = self.tls_cert.clone().zip(self.tls_key.clone());
        webhook::Config {
            agent: name,
            namespace: self.namespace(),
            listen,
            service: self.webhook_service.clone().unwrap_or_default(),
            configuration: self.webhook_configuration.clone(),
            failure_policy: self.failure_policy,
            calm: CALM,
            replicas: agent.replicas(),
            native: None,
            webhook: WEBHOOK_NAME.to_owned(),
            timeout: Duration::from_secs(self.webhook_timeout),
            files: files.map(|(certificate, key)| Files { certificate, key }),
            state_dir: self.state_dir(),
            cluster_uid: cluster.uid.clone(),
            cluster_name: cluster.name.clone(),
            detections: node::detections(),
        }
    }
}

/// `NAMESPACE/NAME`
fn service(text: &str) -> Result<String, String> {
    match webhook::service_names(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected NAMESPACE/NAME of a Service".to_owned()),
    }
}

fn failure_policy(text: &str) -> Result<FailurePolicy, String> {
    match text {
        "Ignore" => Ok(FailurePolicy::Ignore),
        "Fail" => Ok(FailurePolicy::Fail),
        _ => Err("expected Ignore or Fail".to_owned()),
    }
}

/// The agent at work.
struct Watching {
    agent: Agent,
    webhook: Option<Running>,
    native: Option<NativePolicies>,
    uplink: Uplink,
    forward: JoinHandle<()>,
    trusting: JoinHandle<()>,
}

/// What its health page asks. It keeps no channel of records open.
struct AgentHealth {
    status: watch::Receiver<Status>,
    webhook: Option<WebhookHealth>,
    native: Option<watch::Receiver<NativeStatus>>,
    uplink: Uplink,
}

impl AgentHealth {
    /// A hub that is away later is no reason to take the agent out of its Service.
    fn missing(&self) -> Option<String> {
        if !self.uplink.status().was_connected {
            return Some("the hub has not been reached yet".to_owned());
        }
        if !self.status.borrow().synced {
            return Some("the cluster has not been read yet".to_owned());
        }
        self.webhook.as_ref().and_then(WebhookHealth::missing)
    }

    fn told(&self) -> Vec<String> {
        let mut lines = self.webhook.as_ref().map(WebhookHealth::told).unwrap_or_default();
        if let Some(native) = &self.native {
            lines.extend(native.borrow().told());
        }
        lines
    }
}

impl Watching {
    fn health(&self) -> AgentHealth {
        let webhook = self.webhook.as_ref().map(|webhook| webhook.health.clone());
        let native = self.native.as_ref().map(NativePolicies::status);
        AgentHealth { status: self.agent.status(), webhook, native, uplink: self.uplink.clone() }
    }

    async fn stop(self) {
        self.trusting.abort();
        if let Some(webhook) = self.webhook {
            webhook.stop().await;
        }
        self.agent.stop().await;
        // Both held the senders: the forwarder ends once it has passed on what is left. A connection that does not end
        // holds one too, and must not hold up the end.
        match tokio::time::timeout(FORWARD_END, self.forward).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("forwarding of records ended by a panic"),
            Err(_) => tracing::warn!("a connection of the webhook outlived the end"),
        }
        self.uplink.close(Duration::from_secs(3)).await;
    }
}

/// Ready once let in, once the cluster is read, and once reviews are answered as they should be.
async fn serve_health(
    address: SocketAddr,
    waiting: Waiting,
    health: Arc<OnceLock<AgentHealth>>,
) -> Result<Health, Failure> {
    let (counted, living) = (health.clone(), health.clone());
    let probes = Probes {
        // A watch that ended by a panic drops its side of the status.
        live: Box::new(move || match living.get() {
            Some(health) if health.status.has_changed().is_err() => {
                Err("the watch has ended".to_owned())
            }
            _ => Ok(()),
        }),
        ready: Box::new(move || match (waiting.reason(), health.get()) {
            (Some(reason), _) => Err(reason),
            (None, None) => Err("starting".to_owned()),
            (None, Some(health)) => match health.missing() {
                Some(missing) => Err(missing),
                None => Ok(health.told()),
            },
        }),
        metrics: Box::new(move || {
            let Some(health) = counted.get() else { return String::new() };
            let webhook = health.webhook.as_ref().map(WebhookHealth::metrics);
            let native = health.native.as_ref().map(|native| native.borrow().metrics());
            webhook.unwrap_or_default()
                + &native.unwrap_or_default()
                + &link::metrics(&health.uplink.status())
        }),
    };
    let bound = Health::bind(address, probes).await;
    Ok(bound.with_context(|| format!("cannot listen on {address}"))?)
}
