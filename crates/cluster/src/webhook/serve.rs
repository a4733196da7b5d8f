//! The accept loop: TLS by the newest certificate, HTTP/1.1 and HTTP/2, bounded connections, an end that lets answers
//! finish.
use super::Handler;
use super::request::{Peer, Service};
use super::tls::Tls;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Connections at a time, about 50 KiB each with TLS; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 2_048;
/// Of one address: API servers open one for each HTTP/1.1 request under way; a single pod must not take them all.
const MAX_PER_ADDRESS: usize = 512;
/// A peer that has not finished its handshake by then is cut off; the API server has given up long before.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// Request heads arrive within this, idle time between requests included. Go's client drops idle connections after
/// 90 s: closing before it would meet a request under way now and then, which is then not judged.
const HEADER_DEADLINE: Duration = Duration::from_secs(120);
/// HTTP/2 pings find a peer that is gone.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Streams on one HTTP/2 connection: what Go's server grants.
const MAX_STREAMS: u32 = 250;
/// Bytes that an HTTP/2 peer may send ahead of being read, for a stream and for the connection: bodies wait outside for
/// their room.
const STREAM_WINDOW: u32 = 128 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;
/// Request heads in bytes, tokens of proxies included.
const MAX_HEAD: usize = 64 << 10;
/// Answers that are under way at the end get this long: more than the longest review.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// A running server; dropping it cuts it off, [`Server::stop`] lets answers finish.
pub struct Server {
    /// Where it listens, with the port that was free where none was named.
    pub address: SocketAddr,
    tls: watch::Sender<Arc<Tls>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn bind<H: Handler>(
        address: SocketAddr,
        tls: Tls,
        handler: Arc<H>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (tls, newest) = watch::channel(Arc::new(tls));
        let (stop, stopped) = watch::channel(false);
        let service = Arc::new(Service::new(handler));
        let task = tokio::spawn(accept(listener, newest, service, stopped));
        Ok(Self { address, tls, stop, task })
    }

    /// Serves another certificate, and another trust, from the next handshake on.
    pub fn reload(&self, tls: Tls) {
        self.tls.send_replace(Arc::new(tls));
    }

    /// Stops listening and waits for the answers under way, for at most ten seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if (&mut self.task).await.is_err() {
            tracing::error!("webhook server ended by a panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<H: Handler>(
    listener: TcpListener,
    tls: watch::Receiver<Arc<Tls>>,
    service: Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let addresses = Arc::new(Addresses::default());
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
                tracing::warn!(%error, "webhook connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(counted) = Addresses::enter(&addresses, address.ip()) else {
            tracing::warn!(%address, "webhook connection refused: too many of this address");
            continue;
        };
        let newest = tls.borrow().clone();
        let connection = connection(stream, newest, service.clone(), stop.clone());
        tokio::spawn(async move {
            let (_permit, _counted) = (permit, counted);
            if let Err(error) = connection.await {
                tracing::debug!(%address, %error, "webhook connection ended");
            }
        });
    }
    drop(listener);
    let drained = connections.acquire_many(MAX_CONNECTIONS as u32);
    if tokio::time::timeout(DRAIN_DEADLINE, drained).await.is_err() {
        tracing::info!("webhook connections were cut off at the end");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone is a stop too.
    let _gone = stop.wait_for(|stop| *stop).await;
}

async fn connection<H: Handler>(
    stream: TcpStream,
    tls: Arc<Tls>,
    service: Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let acceptor = TlsAcceptor::from(tls.config.clone());
    let stream = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await??;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let audit = certificate.and_then(|certificate| tls.audit_peer(certificate));
    let peer = Peer { audit, clock: tls.clock.clone() };
    let service = hyper::service::service_fn(move |request| {
        let (service, peer) = (service.clone(), peer.clone());
        async move { service.serve(request, &peer).await }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEAD as u32);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => return outcome,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    tokio::time::timeout(DRAIN_DEADLINE, connection).await?
}

/// Open connections by address.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// One of them; gone when dropped.
struct Counted(Arc<Addresses>, IpAddr);

impl Addresses {
    /// None where the address has as many as it may have.
    fn enter(addresses: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let mut open = addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= MAX_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Counted(addresses.clone(), address))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

#[test]
fn one_address_has_its_bound_and_leaves_nothing_behind() {
    let addresses = Arc::new(Addresses::default());
    let (one, other) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let mut open: Vec<_> =
        (0..MAX_PER_ADDRESS).map(|_| Addresses::enter(&addresses, one).unwrap()).collect();
    assert!(Addresses::enter(&addresses, one).is_none());
    let guest = Addresses::enter(&addresses, other);
    assert!(guest.is_some());
    open.pop();
    assert!(Addresses::enter(&addresses, one).is_some());
    drop((open, guest));
    assert!(addresses.0.lock().unwrap().is_empty());
}
