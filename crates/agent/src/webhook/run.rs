//! The webhook as it runs beside a hub: certificate signed and renewed, policies followed, our entry in the API server
//! kept, the moments without an answer recorded.
use super::Detections;
use super::adopt::{Adopting, follow};
use super::asking::authorizer;
use super::audit::audit_sink;
use super::entry::{Entry, follow_errors};
use super::{AuditTrust, Lifeline, Reason, Server, Settings, Tls, TlsError, Webhook};
use crate::keep::Keep;
use crate::run::Agent;
use seawall_cluster::{FailurePolicy, Guard, RegistrationEvent, Replicas, Standing};
use seawall_model::Millis;
use seawall_model::admission::audit_client_name;
use seawall_model::record::Record;
use seawall_model::time::Clock;
use seawall_uplink::{Signed, Uplink};
use seawall_wire::v1::SignPurpose;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// A certificate is renewed with this part of its life left.
const RENEW_AT: f64 = 0.25;
/// How often it is looked at, and files for a change.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Waits between attempts to have it signed.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// How long the end waits for the API server to take `Fail` back.
const LET_GO: Duration = Duration::from_secs(5);
/// Answers go on for this long after the stop began, until the Service leads elsewhere.
const LEAVE: Duration = Duration::from_secs(2);

/// Where the webhook listens, and by whose word.
pub struct Config {
    /// Name of this agent in decisions.
    pub agent: String,
    /// The namespace it runs in; never judged.
    pub namespace: Option<String>,
    pub listen: SocketAddr,
    /// `NAMESPACE/NAME` of the Service that leads here.
    pub service: String,
    /// The ValidatingWebhookConfiguration to keep our values in; none where its owner does.
    pub configuration: Option<String>,
    /// What is to become of requests that nobody judges; `Fail` stands only while it stops no cluster.
    pub failure_policy: FailurePolicy,
    /// How long there must have been no error for that; [`seawall_cluster::CALM`] but in tests.
    pub calm: Duration,
    /// Agents of this cluster that are ready.
    pub replicas: watch::Receiver<Option<Replicas>>,
    /// Controls that the API server judges by itself, which are left to it; none where it is asked for none.
    pub native: Option<watch::Receiver<BTreeSet<String>>>,
    /// Our webhook's name in it, by which audit events tell of requests that passed unjudged.
    pub webhook: String,
    /// What the API server gives us for an answer.
    pub timeout: Duration,
    /// A certificate of one's own instead of one that the hub signs.
    pub files: Option<Files>,
    pub state_dir: PathBuf,
    pub cluster_uid: String,
    /// As alerts name the cluster.
    pub cluster_name: String,
    /// What audit events are judged by.
    pub detections: Detections,
}

/// PEM files, read again when they change.
#[derive(Clone, Debug)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// How the webhook stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Where it listens; none before the first certificate.
    pub address: Option<SocketAddr>,
    pub certificate_expires: Option<Millis>,
    /// What is wrong with the certificate.
    pub certificate_error: Option<String>,
    /// Policies have been given, now or before a restart.
    pub has_policies: bool,
    /// The entry in the API server is ours to keep.
    pub keeps_entry: bool,
    /// What is known of it.
    pub entry: Option<RegistrationEvent>,
    /// What becomes of requests that nobody judges.
    pub standing: Option<Standing>,
    /// Which requests that policies are about are never asked about.
    pub unjudged: Vec<String>,
}

/// A running webhook; dropping it cuts it off, [`Running::stop`] lets answers finish.
pub struct Running {
    pub health: WebhookHealth,
    webhook: Arc<Webhook>,
    server: Arc<Mutex<Option<Server>>>,
    leaving: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// What health pages ask. It keeps neither the webhook nor its records' channel open.
#[derive(Clone)]
pub struct WebhookHealth {
    webhook: Weak<Webhook>,
    state: watch::Receiver<State>,
    clock: Arc<dyn Clock>,
}

/// The DNS names of a Service `NAMESPACE/NAME`, by which the API server calls it.
pub fn service_names(service: &str) -> Option<Vec<String>> {
    let (namespace, name) = service.split_once('/')?;
    let is_label = |label: &str| !label.is_empty() && !label.contains(['/', '.', ' ']);
    let named = format!("{name}.{namespace}.svc");
    (is_label(namespace) && is_label(name))
        .then(|| vec![named.clone(), format!("{named}.cluster.local")])
}

impl Running {
    /// Starts everything; the server listens once there is a certificate. `records` gets decisions, gaps and what audit
    /// events tell.
    pub fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        records: mpsc::Sender<Record>,
        agent: &Agent,
        uplink: &Uplink,
    ) -> Self {
        let keep = Arc::new(Mutex::new(Keep::load(&config.state_dir)));
        let lifeline = Lifeline::load(&config.state_dir, config.webhook.as_str(), config.timeout);
        let webhook = Webhook::new(Settings {
            agent: config.agent.clone(),
            namespace: config.namespace.clone(),
            clock: clock.clone(),
            records: records.clone(),
            audit: audit_sink(
                config.detections.clone(),
                config.cluster_name.clone(),
                clock.clone(),
                lifeline.clone(),
                records.clone(),
            ),
            policy_sets: agent.policy_sets.clone(),
            authorizer: Some(authorizer(agent.connection.clone())),
        });
        let keeps_entry = config.configuration.is_some();
        let (state_sender, state) = watch::channel(State { keeps_entry, ..State::default() });
        let (ca, ca_pem) = watch::channel(String::new());
        let (rules_sender, rules) = watch::channel(Vec::new());
        let (leaving, left) = watch::channel(false);
        let server = Arc::new(Mutex::new(None));
        let config = Arc::new(config);

        let certificates = Certificates {
            config: config.clone(),
            uplink: uplink.clone(),
            clock: clock.clone(),
            keep: keep.clone(),
            webhook: webhook.clone(),
            server: server.clone(),
            state: state_sender.clone(),
            ca,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(certificates.run());
        tasks.spawn(beat(lifeline.clone(), clock.clone(), records.clone(), state.clone()));
        if let Some(name) = config.configuration.clone() {
            let (errors, last_error) = watch::channel(lifeline.last_failure());
            let state = state.clone();
            tasks.spawn(follow_errors(webhook.clone(), lifeline, state, clock.clone(), errors));
            let guard = Guard {
                clock: clock.clone(),
                replicas: config.replicas.clone(),
                last_error,
                calm: config.calm,
                leaving: left.clone(),
            };
            let entry = Entry {
                name,
                cluster: config.cluster_name.clone(),
                records,
                state: state_sender.clone(),
                failure_policy: config.failure_policy,
                guard,
                ca_pem: config.files.is_none().then_some(ca_pem),
                rules,
                served: agent.served.clone(),
            };
            tasks.spawn(entry.keep(agent.connection.clone()));
        }
        tasks.spawn(readiness(state.clone(), left, webhook.clone()));
        let adopting = Adopting {
            webhook: webhook.clone(),
            catalogue: agent.catalogue.clone(),
            policy_sets: agent.policy_sets.clone(),
            assignments: agent.assignments.clone(),
            native: config.native.clone().unwrap_or_else(|| watch::channel(BTreeSet::new()).1),
            rules: rules_sender,
            state: state_sender,
        };
        tasks.spawn(follow(uplink.desired(), adopting, keep));
        let health = WebhookHealth { webhook: Arc::downgrade(&webhook), state, clock };
        Self { health, webhook, server, leaving, tasks }
    }

    /// Says that it is not ready, waits until the API server hears of it, and ends once answers under way are given.
    pub async fn stop(mut self) {
        self.leaving.send_replace(true);
        self.webhook.set_ready(false);
        tokio::time::sleep(LEAVE).await;
        let refuses = |state: &State| {
            state.standing.is_some_and(|standing| standing.policy == FailurePolicy::Fail)
        };
        let let_go = self.health.state.wait_for(|state| !refuses(state));
        if tokio::time::timeout(LET_GO, let_go).await.is_err() {
            tracing::warn!("requests that nobody judges are refused: Fail could not be taken back");
        }
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop().await;
        }
        // The beat last: until here reviews were answered.
        self.tasks.shutdown().await;
    }
}

impl WebhookHealth {
    /// Prometheus' exposition format 0.0.4.
    pub fn metrics(&self) -> String {
        let expires = self.state.borrow().certificate_expires;
        let webhook = self.webhook.upgrade();
        let counted = webhook.map(|webhook| webhook.prometheus(expires.unwrap_or_default()));
        counted.unwrap_or_default() + &failure_policy_gauge(self.state.borrow().standing)
    }

    /// What stands and is worth knowing: the failure policy and why it is not `Fail`, and what is never judged.
    pub fn told(&self) -> Vec<String> {
        let state = self.state.borrow();
        let standing = state.standing.map(|standing| standing.to_string());
        standing.into_iter().chain(state.unjudged.iter().cloned()).collect()
    }

    /// What is missing for reviews to be answered as they should be.
    pub fn missing(&self) -> Option<String> {
        let state = self.state.borrow();
        match (&state.certificate_error, state.address, state.has_policies) {
            (Some(error), None, _) => Some(format!("no certificate: {error}")),
            (None, None, _) => Some("no certificate yet".to_owned()),
            (_, Some(_), false) => Some("no policies from the hub yet".to_owned()),
            _ if state.certificate_expires.is_some_and(|ends| ends <= self.clock.now()) => {
                Some("the certificate has expired".to_owned())
            }
            _ => match &state.entry {
                None if state.keeps_entry => Some("the API server does not know us yet".to_owned()),
                Some(RegistrationEvent::Failed(reason)) => Some(reason.clone()),
                // Whoever deleted it is told by an alert; a pod that is not ready would tell nobody more.
                _ => None,
            },
        }
    }
}

async fn beat(
    lifeline: Lifeline,
    clock: Arc<dyn Clock>,
    records: mpsc::Sender<Record>,
    state: watch::Receiver<State>,
) {
    let now = clock.clone();
    let blocked = move || blocked(&state.borrow(), now.now());
    lifeline.beat(clock, records, blocked).await;
}

fn failure_policy_gauge(standing: Option<Standing>) -> String {
    let Some(standing) = standing else { return String::new() };
    let name = "seawall_agent_failure_policy_fail";
    let value = u8::from(standing.policy == FailurePolicy::Fail);
    format!(
        "# HELP {name} 1 where requests that nobody judges are refused.\n# TYPE {name} gauge\n{name} {value}\n"
    )
}

/// Why no review is answered now.
pub(super) fn blocked(state: &State, now: Millis) -> Option<Reason> {
    if state.certificate_expires.is_some_and(|ends| ends <= now) {
        return Some(Reason::Expired);
    }
    match &state.entry {
        Some(RegistrationEvent::Missing | RegistrationEvent::Failed(_)) => {
            Some(Reason::Unreachable)
        }
        None if state.keeps_entry => Some(Reason::Restart),
        _ => (state.address.is_none() || !state.has_policies).then_some(Reason::Restart),
    }
}

async fn readiness(
    mut state: watch::Receiver<State>,
    mut leaving: watch::Receiver<bool>,
    webhook: Arc<Webhook>,
) {
    loop {
        let ready = {
            let state = state.borrow_and_update();
            state.address.is_some() && state.has_policies
        };
        webhook.set_ready(ready);
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            _ = leaving.changed() => return,
        }
    }
}

/// Has certificates signed, or reads them, and serves the newest.
struct Certificates {
    config: Arc<Config>,
    uplink: Uplink,
    clock: Arc<dyn Clock>,
    keep: Arc<Mutex<Keep>>,
    webhook: Arc<Webhook>,
    server: Arc<Mutex<Option<Server>>>,
    state: watch::Sender<State>,
    ca: watch::Sender<String>,
}

/// Why a certificate is not served.
#[derive(Debug, thiserror::Error)]
enum CertificateError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Sign(#[from] seawall_uplink::SignError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

impl Certificates {
    async fn run(self) {
        match self.config.files.clone() {
            Some(files) => self.follow_files(&files).await,
            None => self.follow_hub().await,
        }
    }

    /// One that was kept serves until a new one is signed: the hub may be away.
    async fn follow_hub(&self) {
        let kept = self.keep.lock().unwrap_or_else(PoisonError::into_inner).certificate();
        let mut renew_at = match kept {
            Some(kept) => self.serve(&kept).await.map_or(0, |expires| self.renewal(expires)),
            None => 0,
        };
        let mut retry = SHORTEST_RETRY;
        loop {
            if self.clock.now() < renew_at {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            match self.renew().await {
                Ok(expires) => {
                    (renew_at, retry) = (self.renewal(expires), SHORTEST_RETRY);
                    self.state.send_modify(|state| state.certificate_error = None);
                }
                Err(error) => {
                    self.failed(&error);
                    tokio::time::sleep(retry).await;
                    retry = (retry * 2).min(LONGEST_RETRY);
                }
            }
        }
    }

    async fn renew(&self) -> Result<Millis, CertificateError> {
        let names = service_names(&self.config.service).unwrap_or_default();
        let signed = self.uplink.sign(SignPurpose::Webhook, &names).await?;
        let expires = self.serve(&signed).await?;
        self.keep.lock().unwrap_or_else(PoisonError::into_inner).set_certificate(&signed);
        Ok(expires)
    }

    fn renewal(&self, expires: Millis) -> Millis {
        let now = self.clock.now();
        now + ((expires - now) as f64 * (1.0 - RENEW_AT)) as Millis
    }

    async fn serve(&self, signed: &Signed) -> Result<Millis, CertificateError> {
        let client_name = audit_client_name(&self.config.cluster_uid);
        let audit = AuditTrust { ca_pem: signed.ca_pem.clone(), client_name };
        // The entry first: who is shown a certificate of a new CA must know it already.
        self.ca.send_replace(signed.ca_pem.clone());
        let tls =
            Tls::new(&signed.certificate_pem, &signed.key_pem, Some(&audit), self.clock.clone())?;
        self.listen(tls).await
    }

    async fn follow_files(&self, files: &Files) {
        let mut served = None;
        loop {
            match read_files(files) {
                Ok(pems) if served.as_ref() == Some(&pems) => {}
                Ok(pems) => {
                    let tls = Tls::new(&pems.0, &pems.1, None, self.clock.clone());
                    let listening = match tls {
                        Ok(tls) => self.listen(tls).await,
                        Err(error) => Err(error.into()),
                    };
                    match listening {
                        Ok(_) => {
                            served = Some(pems);
                            self.state.send_modify(|state| state.certificate_error = None);
                        }
                        Err(error) => self.failed(&error),
                    }
                }
                Err(error) => self.failed(&error),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn failed(&self, error: &CertificateError) {
        let source = std::error::Error::source(error);
        let told = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        tracing::warn!(error = told, "webhook certificate not renewed");
        self.state.send_modify(|state| state.certificate_error = Some(told));
    }

    /// Serves from the next handshake on; the first certificate opens the port.
    async fn listen(&self, tls: Tls) -> Result<Millis, CertificateError> {
        let expires = tls.expires();
        let reloaded = {
            let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            server.as_ref().map(|server| server.reload(tls.clone())).is_some()
        };
        if !reloaded {
            let address = self.config.listen;
            let server = Server::bind(address, tls, self.webhook.clone()).await;
            let server = server.map_err(|source| CertificateError::Listen { address, source })?;
            let address = server.address;
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
            self.state.send_modify(|state| state.address = Some(address));
        }
        self.state.send_modify(|state| state.certificate_expires = Some(expires));
        Ok(expires)
    }
}

fn read_files(files: &Files) -> Result<(String, String), CertificateError> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|source| CertificateError::Read { path: path.clone(), source })
    };
    Ok((read(&files.certificate)?, read(&files.key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_two_names() {
        assert_eq!(
            service_names("seawall/agent").unwrap(),
            ["agent.seawall.svc", "agent.seawall.svc.cluster.local"]
        );
        for wrong in ["seawall-agent", "/a", "a/", "a/b/c", "a.b/c"] {
            assert_eq!(service_names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_blocks_is_named() {
        let up = State {
            address: Some(([127, 0, 0, 1], 1).into()),
            certificate_expires: Some(1_000),
            has_policies: true,
            ..State::default()
        };
        let with =
            |entry: Option<RegistrationEvent>| State { keeps_entry: true, entry, ..up.clone() };
        assert_eq!(blocked(&up, 999), None);
        assert_eq!(blocked(&up, 1_000), Some(Reason::Expired));
        let unjudged = State { has_policies: false, ..up.clone() };
        assert_eq!(blocked(&unjudged, 0), Some(Reason::Restart));
        assert_eq!(blocked(&State::default(), 0), Some(Reason::Restart));
        assert_eq!(blocked(&with(None), 0), Some(Reason::Restart));
        assert_eq!(blocked(&with(Some(RegistrationEvent::Registered)), 0), None);
        let failed = RegistrationEvent::Failed("forbidden".to_owned());
        for entry in [RegistrationEvent::Missing, failed] {
            assert_eq!(blocked(&with(Some(entry)), 0), Some(Reason::Unreachable));
        }
    }
}
