//! Open-loop load on the webhook: each review is due at its time, and its clock runs from there, so that a server
//! that falls behind cannot slow its own measurement down.
use super::child::Other;
use super::quantiles::Quantiles;
use super::{processor, row};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// Distinct reviews, sent in turn.
const RECORDED: usize = 200;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Reviews a second
    #[arg(long, default_value_t = 500)]
    rate: u32,
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// What the webhook is started with
    #[arg(last = true, default_values_t = ["--controls".to_owned(), "100".to_owned()])]
    webhook: Vec<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let ca = folder.path().join("ca.pem");
        let arguments = ["webhook", "--ca"].map(str::to_owned).into_iter();
        let arguments =
            arguments.chain([ca.display().to_string()]).chain(self.webhook.iter().cloned());
        let (server, url) = Other::start(&arguments.collect::<Vec<_>>())?;
        let address = url.trim_start_matches("https: //").to_owned();
        let client = Arc::new(Client::new(address, &std::fs::read(&ca)?)?);
        let reviews: Vec<Bytes> =
            seawall_bench::reviews::reviews(RECORDED).into_iter().map(Bytes::from).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let times = runtime.block_on(self.send(&client, &reviews))?;
        row("reviews", &format!("{} at {}/s", times.len(), self.rate))?;
        row("client, from when each was due", &Quantiles::new(times).to_string())?;
        row(
            "client",
            &format!("{} connections, {:.1} s of processor", client.connections(), processor()?),
        )?;
        for line in server.end()?.lines() {
            if let Some((what, seen)) = line.split_once(": ") {
                row(what, seen)?;
            }
        }
        Ok(())
    }

    async fn send(&self, client: &Arc<Client>, reviews: &[Bytes]) -> anyhow::Result<Vec<Duration>> {
        let (mut under_way, mut times) = (JoinSet::new(), Vec::new());
        let (start, gap) = (Instant::now(), Duration::from_secs(1) / self.rate);
        let count = self.rate * self.seconds;
        for (number, review) in (0..count).zip(reviews.iter().cycle()) {
            let due = start + gap * number;
            tokio::time::sleep_until(due).await;
            let (client, review) = (client.clone(), review.clone());
            under_way.spawn(async move {
                client.ask(review).await?;
                anyhow::Ok(due.elapsed())
            });
            while let Some(done) = under_way.try_join_next() {
                times.push(done??);
            }
        }
        while let Some(done) = under_way.join_next().await {
            times.push(done??);
        }
        Ok(times)
    }
}

/// HTTP/1.1 connections that are kept open, as an API server's client has them.
struct Client {
    address: String,
    tls: TlsConnector,
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<SendRequest<Full<Bytes>>>,
    opened: usize,
}

impl Client {
    fn new(address: String, ca: &[u8]) -> anyhow::Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(
            CertificateDer::from_pem_slice(ca).context("the webhook's CA is no certificate")?,
        )?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: TlsConnector::from(Arc::new(config)), pool: Mutex::default() })
    }

    async fn ask(&self, review: Bytes) -> anyhow::Result<()> {
        let mut connection = match self.idle() {
            Some(idle) => idle,
            None => self.open().await?,
        };
        let request = Request::post("/admit?timeout=5s").header("host", &self.address);
        let request = request.header("content-type", "application/json").body(Full::new(review))?;
        connection.ready().await?;
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status == StatusCode::OK && !body.is_empty(), "answered {status}");
        self.pool().idle.push(connection);
        Ok(())
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut pool = self.pool();
        std::iter::from_fn(|| pool.idle.pop()).find(|connection| !connection.is_closed())
    }

    async fn open(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        self.pool().opened += 1;
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let stream = self.tls.connect(ServerName::try_from("127.0.0.1")?, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn connections(&self) -> usize {
        self.pool().opened
    }
}
