//! The agent's health over plain HTTP: `/livez` and `/readyz` for the kubelet, `/metrics` for Prometheus.
//!
//! Apart from the webhook's port, so that a certificate that is missing or expired is seen and not the reason why
//! nothing is.
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Connections at a time: a kubelet, a few scrapers, a person.
const MAX_CONNECTIONS: usize = 64;
/// Request heads arrive within this.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// What is told. Called for each request.
pub struct Probes {
    /// `Err` says what is wrong: the process should be started anew.
    pub live: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// `Err` says what is missing: no reviews should come yet. `Ok` has lines for whoever looks.
    pub ready: Box<dyn Fn() -> Result<Vec<String>, String> + Send + Sync>,
    /// Prometheus' exposition format 0.0.4.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
}

/// A running server; it ends when dropped.
pub struct Health {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Health {
    pub async fn bind(address: SocketAddr, probes: Probes) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, Arc::new(probes))) })
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, probes: Arc<Probes>) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = connections.clone().acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: accepting again at once would spin.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let probes = probes.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let service = hyper::service::service_fn(move |request| {
                let answer = answer(&request, &probes);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
            // A peer that breaks off is its own affair.
            let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(request: &Request<Incoming>, probes: &Probes) -> Response<Full<Bytes>> {
    let probed = |probe: Result<Vec<String>, String>| match probe {
        Ok(lines) => (StatusCode::OK, [vec!["ok".to_owned()], lines].concat().join("\n")),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    };
    let (status, text) = match (request.uri().path(), request.method()) {
        ("/livez" | "/readyz" | "/metrics", method)
            if method != Method::GET && method != Method::HEAD =>
        {
            (StatusCode::METHOD_NOT_ALLOWED, "no such method here".to_owned())
        }
        ("/livez", _) => probed((probes.live)().map(|()| Vec::new())),
        ("/readyz", _) => probed((probes.ready)()),
        ("/metrics", _) => (StatusCode::OK, (probes.metrics)()),
        _ => (StatusCode::NOT_FOUND, "no such path".to_owned()),
    };
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
