//! One accept loop for both ports: TLS, HTTP/1.1 and HTTP/2, bounded connections, an end that lets answers finish.
mod busy;
mod forwarded;

use crate::app::stopped;
use crate::seats::{Seat, Seats};
use axum::Router;
use axum::body::Body;
use busy::{Answer, Busy};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use ipnet::IpNet;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
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

/// What a peer may hold that has not yet shown who it is.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections of one address. An agent gives its seat back once its certificate is verified, so that a fleet
    /// behind one NAT does not count.
    per_address: usize,
    /// From the handshake to the first whole request head: the preface of HTTP/2 and idle frames are none.
    first_request: Duration,
    /// Without a request under way; a stream of events is one.
    idle: Duration,
}

const LIMITS: Limits = Limits {
    // Browsers open six each; an office behind one address stays below. Eight addresses fill the port.
    per_address: 256,
    first_request: Duration::from_secs(10),
    // Longer than a reader pauses between pages; clients reconnect without being asked.
    idle: Duration::from_secs(60),
};

/// Who is at the other end of the connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The client's, where a trusted proxy sent the request; the port is then the proxy's.
    pub(crate) address: SocketAddr,
    /// Verified against the port's CA; `None` where the port asks for none.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// What all connections of a port share.
#[derive(Clone)]
struct Port {
    acceptor: TlsAcceptor,
    router: Router,
    stop: watch::Receiver<bool>,
    limits: Limits,
    proxies: Arc<[IpNet]>,
}

/// Serves `router` until `stop` holds true. Every request carries its [`Peer`]; of `proxies` it is the client they
/// name, and they share no limit of connections.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    proxies: Arc<[IpNet]>,
    stop: watch::Receiver<bool>,
) {
    let port = Port { acceptor: TlsAcceptor::from(tls), router, stop, limits: LIMITS, proxies };
    serve_port(listener, port).await;
}

async fn serve_port(listener: TcpListener, port: Port) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let addresses = Seats::new(port.limits.per_address);
    let mut stop = port.stop.clone();
    loop {
        let permit = tokio::select! {
            permit = connections.clone().acquire_owned() => permit,
            () = stopped(&mut stop) => break,
        };
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
        let is_proxy = forwarded::is_trusted(&port.proxies, address.ip());
        let seat = addresses.take(network(address.ip()));
        if seat.is_none() && !is_proxy {
            tracing::debug!(%address, "connection closed: its address has too many");
            continue;
        }
        let connection = connection(stream, address, seat, port.clone());
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

/// What one peer is given of addresses: in IPv6 a network of 64 bits. Source: RFC 6177, section 2.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    seat: Option<Seat<IpAddr>>,
    port: Port,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Port { acceptor, router, mut stop, limits, proxies } = port;
    stream.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await??;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = Peer { address, certificate: certificate.map(|der| der.clone().into_owned()) };
    let _seat = seat.filter(|_| peer.certificate.is_none());
    let busy = Busy::default();
    let requests = busy.clone();
    let service =
        hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let _under_way = requests.begin();
            let mut request = request.map(Body::new);
            let mut peer = peer.clone();
            peer.address.set_ip(forwarded::client(request.headers(), address.ip(), &proxies));
            request.extensions_mut().insert(peer);
            let answer = router.clone().oneshot(request);
            async move {
                let answer = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| Answer { body, _under_way }))
            }
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
    let (mut patience, mut is_closing) = (limits, false);
    loop {
        tokio::select! {
            outcome = connection.as_mut() => return outcome,
            () = stopped(&mut stop) => break,
            () = busy.idle(&patience) => {
                if is_closing {
                    return Ok(());
                }
                // What the peer asked meanwhile is still answered.
                connection.as_mut().graceful_shutdown();
                is_closing = true;
                patience.first_request = DRAIN_DEADLINE;
                patience.idle = DRAIN_DEADLINE;
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    tokio::time::timeout(DRAIN_DEADLINE, connection).await?
}

#[cfg(test)]
mod tests;
