//! The stream to the hub: connect, tell what the hub lacks, forget what it has.
mod renewal;
mod sign;

pub use sign::{SignError, Signed, sign};

use crate::identity::{Identity, IdentityError};
use crate::pin::{Anchor, HubVerifier};
use crate::spool::{Spool, SpoolError};
use hyper_util::rt::TokioIo;
use prost::Message;
use renewal::Renewal;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use seawall_model::admission::Desired;
use seawall_model::asset::{Capability, Cluster, Dropped};
use seawall_model::record::Record;
use seawall_model::time::Clock;
use seawall_wire::v1;
use seawall_wire::v1::hub_client::HubClient;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

/// Batches sent but not yet acknowledged: enough for a round trip of 100 ms at 500 batches/s.
const IN_FLIGHT: u64 = 64;
/// Says that the agent lives; the hub calls one silent for three of them stale.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// First wait after a lost connection; doubles up to the longest.
const SHORTEST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// A hub that accepts and then says nothing is as good as down.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// What was appended survives a power loss after at most this long.
const SYNC_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("cannot connect to the hub at {0}")]
    Connect(String, #[source] tonic::transport::Error),
    #[error("the hub at {0} did not answer")]
    Silent(String),
    #[error("the hub ended the stream")]
    Stream(#[from] tonic::Status),
    #[error("cannot renew the certificate")]
    Renew(#[source] tonic::Status),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the identity cannot be used for TLS")]
    Tls(#[from] rustls::Error),
}

/// What an uplink needs; `state_dir` holds identity and spool.
pub struct Config {
    pub state_dir: PathBuf,
    pub identity: Identity,
    pub role: v1::Role,
    /// Node or pod name.
    pub name: String,
    pub cluster: Cluster,
    pub version: String,
    pub capabilities: Vec<Capability>,
    /// From a cluster's agent: by whose word later pods may join. A change is told by a new connection.
    pub trust: watch::Receiver<Option<v1::Trust>>,
    /// Bytes of batches the hub has not committed; what comes beyond is dropped and counted.
    pub spool_bytes: u64,
    pub clock: Arc<dyn Clock>,
}

/// How the connection stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub connected: bool,
    /// At least once since the start.
    pub was_connected: bool,
    /// Why it is not connected.
    pub error: Option<String>,
    pub last_sequence: u64,
    pub acknowledged: u64,
    pub dropped: Vec<Dropped>,
}

/// A running uplink. [`Uplink::send`] may be called from any thread.
#[derive(Clone)]
pub struct Uplink {
    shared: Arc<Shared>,
    stop: Arc<watch::Sender<bool>>,
    status: watch::Receiver<Status>,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    hub: watch::Receiver<Option<HubClient<Channel>>>,
}

struct Shared {
    spool: Mutex<Spool>,
    appended: Notify,
}

impl Shared {
    /// A panic while the lock was held leaves a spool that is still valid: frames are checked when read.
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what was appended, and counts nobody was told yet, on disk.
    fn sync(&self) {
        let mut spool = self.spool();
        if spool.has_unreported() {
            spool.append(Vec::new());
            self.appended.notify_one();
        }
        if let Err(error) = spool.sync() {
            tracing::warn!(%error, "spool not synced");
        }
    }
}

impl Uplink {
    /// Opens the spool and keeps a connection until [`Uplink::close`]. A hub that is away is no error.
    pub fn start(config: Config) -> Result<Self, SpoolError> {
        let spool = Spool::open(&config.state_dir.join("spool"), config.spool_bytes)?;
        let shared = Arc::new(Shared { spool: Mutex::new(spool), appended: Notify::new() });
        let (stop, stopped) = watch::channel(false);
        let (status_sender, status) = watch::channel(Status::default());
        let (desired_sender, desired) = watch::channel(None);
        let (hub_sender, hub) = watch::channel(None);
        let connection = Connection {
            config,
            shared: shared.clone(),
            stopped,
            status: status_sender,
            desired: desired_sender,
            hub: hub_sender,
            renewed: None,
        };
        tokio::spawn(connection.run());
        Ok(Self { shared, stop: Arc::new(stop), status, desired, hub })
    }

    /// Puts records into the spool, in order; they are safe from the death of this process once it returns.
    /// Returns the batch's sequence, or none if the spool is full: the records are then counted as dropped.
    pub fn send(&self, records: Vec<Record>) -> Option<u64> {
        let mut last = None;
        let mut batch = Vec::new();
        let mut bytes = 0;
        for record in records.into_iter().map(v1::Record::from) {
            let size = record.encoded_len();
            if batch.len() == seawall_wire::MAX_BATCH_RECORDS
                || bytes + size > seawall_wire::MAX_BATCH_BYTES / 2
            {
                last = self.shared.spool().append(std::mem::take(&mut batch)).or(last);
                bytes = 0;
            }
            bytes += size;
            batch.push(record);
        }
        if !batch.is_empty() {
            last = self.shared.spool().append(batch).or(last);
        }
        self.shared.appended.notify_one();
        last
    }

    /// Counts records that were lost before they reached the spool; the next batch tells the hub.
    pub fn count_dropped(&self, class: &str, count: u64) {
        self.shared.spool().count(class, count);
    }

    /// What the hub wants of this cluster's agents; none before it has said so. It stays while the hub is away.
    pub fn desired(&self) -> watch::Receiver<Option<Arc<Desired>>> {
        self.desired.clone()
    }

    /// Has the hub sign a new key for `purpose`; `names` are those of a server certificate. Waits for a connection.
    pub async fn sign(
        &self,
        purpose: v1::SignPurpose,
        names: &[String],
    ) -> Result<Signed, SignError> {
        sign::by_connection(self.hub.clone(), purpose, names).await
    }

    pub fn status(&self) -> Status {
        let mut status = self.status.borrow().clone();
        let spool = self.shared.spool();
        status.last_sequence = spool.last_sequence();
        status.acknowledged = spool.acknowledged();
        status.dropped = spool.dropped();
        status
    }

    /// Waits at most `patience` until the hub has everything, then ends the connection; the rest stays on disk.
    pub async fn close(self, patience: Duration) {
        let drained = async {
            loop {
                let status = self.status();
                if status.acknowledged >= status.last_sequence {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(patience, drained).await.is_err() {
            tracing::info!("batches stay in the spool for the next start");
        }
        self.stop.send_replace(true);
        if let Err(error) = self.shared.spool().sync() {
            tracing::warn!(%error, "spool not synced");
        }
    }
}

struct Connection {
    config: Config,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
    status: watch::Sender<Status>,
    desired: watch::Sender<Option<Arc<Desired>>>,
    /// The hub while it answers.
    hub: watch::Sender<Option<HubClient<Channel>>>,
    /// When the certificate was last renewed.
    renewed: Option<Instant>,
}

/// How a connection ended without an error.
enum Ended {
    ByHub,
    /// Nothing is under way; the next connection shows the new certificate.
    Renewed,
}

impl Connection {
    async fn run(mut self) {
        let mut backoff = SHORTEST_BACKOFF;
        let mut stopped = self.stopped.clone();
        loop {
            let mut was_connected = false;
            let outcome = tokio::select! {
                outcome = self.connected(&mut was_connected) => outcome,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            self.hub.send_replace(None);
            if was_connected {
                backoff = SHORTEST_BACKOFF;
            }
            let error = match outcome {
                Ok(Ended::Renewed) => continue,
                Ok(Ended::ByHub) => "the hub closed the stream".to_owned(),
                Err(error) => chain(&error),
            };
            tracing::debug!(%error, "hub connection lost");
            self.status
                .send_modify(|status| (status.connected, status.error) = (false, Some(error)));
            // Agents of a fleet must not return in step: the lowest bits of the clock spread them over half the wait.
            let jitter =
                backoff.mul_f64(0.5 * (self.config.clock.now().rem_euclid(997) as f64) / 997.0);
            tokio::select! {
                () = tokio::time::sleep(backoff + jitter) => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// One connection, from dial to loss.
    async fn connected(&mut self, was_connected: &mut bool) -> Result<Ended, ConnectionError> {
        let hub = self.config.identity.hub.clone();
        let channel = dial(&self.config.identity).await?;
        let mut client = HubClient::new(channel)
            .max_decoding_message_size(seawall_wire::MAX_BATCH_BYTES)
            .max_encoding_message_size(2 * seawall_wire::MAX_BATCH_BYTES);
        let config = &self.config;
        if renewal::is_expired(&config.identity, config.clock.now())
            && renewal::may_renew(self.renewed)
        {
            let request = renewal::request(client, config.identity.clone(), config.name.clone());
            let identity = request.await?;
            self.adopt(identity);
            return Ok(Ended::Renewed);
        }
        let (frames, outgoing) = mpsc::channel(8);
        let hello = v1::from_agent::Frame::Hello(self.hello());
        frames
            .try_send(v1::FromAgent { frame: Some(hello) })
            .expect("the channel is empty and open");
        let stream = client.connect(tokio_stream::wrappers::ReceiverStream::new(outgoing));
        let stream = tokio::time::timeout(CONNECT_DEADLINE, stream).await;
        let mut incoming = stream.map_err(|_| ConnectionError::Silent(hub.clone()))??.into_inner();
        let first = tokio::time::timeout(CONNECT_DEADLINE, incoming.message()).await;
        let first = first.map_err(|_| ConnectionError::Silent(hub))??;
        let Some(v1::FromHub { frame: Some(v1::from_hub::Frame::Ack(ack)) }) = first else {
            return Ok(Ended::ByHub);
        };
        self.resume(ack.sequence)?;
        *was_connected = true;
        self.status.send_modify(|status| {
            (status.connected, status.was_connected, status.error) = (true, true, None);
        });
        self.hub.send_replace(Some(client.clone()));
        tracing::info!(hub = %self.config.identity.hub, committed = ack.sequence, "hub connected");
        self.exchange(client, &frames, &mut incoming, ack.sequence).await
    }

    fn hello(&mut self) -> v1::Hello {
        let config = &mut self.config;
        v1::Hello {
            version: config.version.clone(),
            role: config.role.into(),
            name: config.name.clone(),
            capabilities: config.capabilities.iter().cloned().map(Into::into).collect(),
            last_sequence: self.shared.spool().last_sequence(),
            content: String::new(),
            cluster: Some((&config.cluster).into()),
            trust: config.trust.borrow_and_update().clone(),
        }
    }

    /// The hub has committed up to `committed`. A spool that knows less was lost and begins above it.
    fn resume(&self, committed: u64) -> Result<(), SpoolError> {
        let mut spool = self.shared.spool();
        if committed > spool.last_sequence() {
            tracing::warn!(
                committed,
                own = spool.last_sequence(),
                "spool is younger than the hub's record"
            );
            return spool.renumber(committed);
        }
        spool.acknowledge(committed);
        Ok(())
    }

    /// Sends batches and takes acknowledgements. After a renewal, or once there is more to say of trust, no further batch
    /// is sent, and the connection ends when all are acknowledged: nothing is sent twice.
    async fn exchange(
        &mut self,
        client: HubClient<Channel>,
        frames: &mpsc::Sender<v1::FromAgent>,
        incoming: &mut tonic::Streaming<v1::FromHub>,
        committed: u64,
    ) -> Result<Ended, ConnectionError> {
        let shared = self.shared.clone();
        let config = &self.config;
        let (identity, name, clock) =
            (config.identity.clone(), config.name.clone(), config.clock.clone());
        let mut renewal = Renewal::new(client, identity, name, clock, self.renewed);
        let mut is_ending = false;
        let mut trust = config.trust.clone();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut sync = tokio::time::interval(SYNC_EVERY);
        let (mut sent, mut acknowledged) = (committed, committed);
        loop {
            if is_ending && acknowledged == sent {
                return Ok(Ended::Renewed);
            }
            while !is_ending && sent - acknowledged < IN_FLIGHT {
                let next = shared.spool().after(sent)?;
                let Some((sequence, batch)) = next else { break };
                if frames.send(batch_frame(sequence, &batch)).await.is_err() {
                    return Ok(Ended::ByHub);
                }
                sent = sequence;
            }
            tokio::select! {
                () = shared.appended.notified() => {}
                message = incoming.message() => match message? {
                    None => return Ok(Ended::ByHub),
                    Some(v1::FromHub { frame: Some(v1::from_hub::Frame::Ack(ack)) }) => {
                        acknowledged = acknowledged.max(ack.sequence).min(sent);
                        shared.spool().acknowledge(acknowledged);
                    }
                    Some(v1::FromHub { frame: Some(v1::from_hub::Frame::Desired(desired)) }) => {
                        adopt_desired(&self.desired, &desired.config_json);
                    }
                    Some(_) => {}
                },
                identity = renewal.renewed(), if !is_ending => {
                    self.adopt(identity);
                    is_ending = true;
                }
                // A sender that is gone changes nothing any more.
                Ok(()) = trust.changed(), if !is_ending => is_ending = true,
                _ = heartbeat.tick() => {
                    let last_sequence = shared.spool().last_sequence();
                    let beat = v1::from_agent::Frame::Heartbeat(v1::Heartbeat { last_sequence });
                    if frames.send(v1::FromAgent { frame: Some(beat) }).await.is_err() {
                        return Ok(Ended::ByHub);
                    }
                }
                _ = sync.tick() => shared.sync(),
            }
        }
    }

    /// From the next dial on the hub is shown this identity. One that cannot be kept serves until the next start, which
    /// renews with the old one.
    fn adopt(&mut self, identity: Identity) {
        if let Err(error) = identity.save(&self.config.state_dir) {
            tracing::error!(error = chain(&error), "renewed certificate not saved");
        }
        self.config.identity = identity;
        self.renewed = Some(Instant::now());
        tracing::info!("certificate renewed");
    }
}

/// The hub's listener for agents, as `identity` knows it and is known there.
async fn dial(identity: &Identity) -> Result<Channel, ConnectionError> {
    let dialling = async {
        let parts = identity.parts()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for ca in parts.ca {
            roots.add(ca)?;
        }
        let verifier = HubVerifier::new(Anchor::Roots(Arc::new(roots)), provider.clone());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(parts.chain, parts.key)?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let tls = Arc::new(tls);
        let hub = identity.hub.clone();
        let address = hub.clone();
        // The scheme is http because the connector does TLS itself.
        let endpoint = Endpoint::from_shared(format!("http://{hub}"))
            .map_err(|error| ConnectionError::Connect(hub.clone(), error))?
            .http2_keep_alive_interval(HEARTBEAT)
            .keep_alive_timeout(CONNECT_DEADLINE);
        let connector =
            tower::service_fn(move |_: http::Uri| connect_tls(address.clone(), tls.clone()));
        endpoint
            .connect_with_connector(connector)
            .await
            .map_err(|error| ConnectionError::Connect(hub, error))
    };
    let dialled = tokio::time::timeout(CONNECT_DEADLINE, dialling).await;
    dialled.map_err(|_| ConnectionError::Silent(identity.hub.clone()))?
}

/// Keeps what was wanted before where the hub's words cannot be read: a newer hub must not switch admission off.
fn adopt_desired(current: &watch::Sender<Option<Arc<Desired>>>, json: &[u8]) {
    match serde_json::from_slice(json) {
        Ok(desired) => {
            current.send_replace(Some(Arc::new(desired)));
        }
        Err(error) => tracing::error!(%error, "what the hub wants cannot be read"),
    }
}

/// The CRC held, so the frame is what was encoded; a batch of a future version decodes leniently.
fn batch_frame(sequence: u64, batch: &[u8]) -> v1::FromAgent {
    let mut batch = v1::Batch::decode(batch).unwrap_or_default();
    batch.sequence = sequence;
    v1::FromAgent { frame: Some(v1::from_agent::Frame::Batch(batch)) }
}

async fn connect_tls(
    address: String,
    tls: Arc<ClientConfig>,
) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>> {
    let stream = tokio::net::TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let host = address
        .rsplit_once(':')
        .map_or(address.as_str(), |(host, _)| host)
        .trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(TokioIo::new(tokio_rustls::TlsConnector::from(tls).connect(name, stream).await?))
}

/// The error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
