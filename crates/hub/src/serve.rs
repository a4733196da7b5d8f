//! One accept loop for both ports: TLS, HTTP/1.1 and HTTP/2, bounded connections, an end that lets answers finish.
use crate::app::stopped;
use axum::Router;
use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Connections of one port at a time, about 50 KiB each with TLS; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 2_048;
/// A peer that has not finished its handshake by then is cut off.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// HTTP/1.1 request heads arrive within this.
const HEADER_DEADLINE: Duration = Duration::from_secs(15);
/// HTTP/2 pings find a peer that is gone, so that revoked and dead agents do not keep a connection.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Answers that are under way at the end get this long.
const DRAIN_DEADLINE: Duration = Duration::from_secs(3);
/// Streams on one HTTP/2 connection: a browser page opens fewer than twenty.
const MAX_STREAMS: u32 = 100;

/// Who is at the other end of the connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Verified against the port's CA; `None` where the port asks for none.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// Serves `router` until `stop` holds true. Every request carries its [`Peer`].
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = connections.clone().acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors: accepting again at once would spin.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection =
            connection(stream, address, acceptor.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%address, %error, "connection ended");
            }
        });
    }
    drop(listener);
    let drained = connections.acquire_many(MAX_CONNECTIONS as u32);
    if tokio::time::timeout(DRAIN_DEADLINE, drained).await.is_err() {
        tracing::info!("connections were cut off at the end");
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await??;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = Peer { address, certificate: certificate.map(|der| der.clone().into_owned()) };
    let service =
        hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request)
        });

    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(MAX_STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => return outcome,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    tokio::time::timeout(DRAIN_DEADLINE, connection).await?
}
