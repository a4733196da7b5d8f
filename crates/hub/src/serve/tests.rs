//! A port with short limits and peers that hold connections without asking for anything.
use super::*;
use axum::routing::get;
use futures::StreamExt;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SHORT: Limits = Limits {
    per_address: 3,
    first_request: Duration::from_millis(300),
    idle: Duration::from_millis(300),
};
/// The end of a connection takes the limit and the drain.
const PATIENCE: Duration = Duration::from_secs(5);

struct Door {
    address: SocketAddr,
    connector: TlsConnector,
    _stop: watch::Sender<bool>,
}

impl Door {
    /// `/` answers at once, `/events` goes on for a second.
    async fn open() -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let events = || async {
            let ticks = futures::stream::iter(0..10).then(|tick| async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok::<_, Infallible>(format!("{tick}\n"))
            });
            Body::from_stream(ticks)
        };
        let router =
            Router::new().route("/", get(|| async { "hello" })).route("/events", get(events));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let proxies = Arc::from([]);
        let port = Port { acceptor, router, stop: stopped, limits: SHORT, proxies };
        tokio::spawn(serve_port(listener, port));
        Self { address, connector: TlsConnector::from(Arc::new(client)), _stop: stop }
    }

    async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        self.connector.connect("localhost".try_into().unwrap(), stream).await
    }
}

/// What comes until the port closes the connection.
async fn rest(mut stream: TlsStream<TcpStream>) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the connection is still open");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn who_asks_for_nothing_is_cut_off() {
    let door = Door::open().await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for sent in ["", "PRI * HT", preface, "GET / HTTP/1.1\r\nhost: lo"] {
        let mut stream = door.connect().await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let rest = rest(stream).await;
        assert!(!rest.contains("hello"), "{sent:?}: {rest}");
    }
}

#[tokio::test]
async fn an_answer_may_take_its_time_and_an_idle_connection_may_not() {
    let door = Door::open().await;
    let mut stream = door.connect().await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let rest = rest(stream).await;
    assert!(rest.contains("\n9\n"), "the answer was whole before the end: {rest}");
}

#[tokio::test]
async fn one_address_does_not_fill_the_port() {
    let door = Door::open().await;
    let mut held = Vec::new();
    for _ in 0..SHORT.per_address {
        held.push(door.connect().await.unwrap());
    }
    assert!(door.connect().await.is_err());
    held.pop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    door.connect().await.unwrap();
}

#[test]
fn an_ipv6_peer_is_its_network() {
    let check = |address: &str, expected: &str| {
        assert_eq!(network(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
    };
    check("192.0.2.7", "192.0.2.7");
    check("::ffff:192.0.2.7", "192.0.2.7");
    check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
}
