//! Paths, bounds, deadlines, certificates and their rotation.
use crate::client::{Authority, Client, Version};
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use seawall_cluster::webhook::{
    Admitted, AuditOutcome, AuditTrust, Handler, MAX_AUDIT_BODY, MAX_REVIEW_BODY, Route, Served,
    Server, Tls,
};
use seawall_model::time::FixedClock;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// 2026-01-05, in epoch milliseconds.
const NOW: i64 = 1_767_571_200_000;
const NAME: &str = "seawall-audit:c1";

/// Answers what the body asks for.
#[derive(Default)]
struct Stub {
    ready: AtomicBool,
    answered: AtomicU64,
    served: Mutex<Vec<Served>>,
    /// Between a review's arrival and when judging must end.
    patience: Mutex<Duration>,
}

impl Handler for Stub {
    async fn admit(&self, body: Bytes, deadline: Instant) -> Admitted {
        *self.patience.lock().unwrap() = deadline - Instant::now();
        self.answered.fetch_add(1, Ordering::Relaxed);
        match &body[..] {
            b"bad" => Admitted::Malformed("no JSON".to_owned()),
            b"long" => Admitted::TooLarge,
            b"broken" => Admitted::Failed("a panic".to_owned()),
            b"slow" => {
                tokio::time::sleep(Duration::from_secs(20)).await;
                Admitted::Answer(body.to_vec())
            }
            b"half a second" => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Admitted::Answer(body.to_vec())
            }
            _ => Admitted::Answer(format!("{} bytes", body.len()).into_bytes()),
        }
    }

    async fn audit(&self, body: Bytes) -> AuditOutcome {
        match &body[..] {
            b"full" => AuditOutcome::Busy,
            b"bad" => AuditOutcome::Malformed("no events".to_owned()),
            _ => AuditOutcome::Taken,
        }
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn served(&self, served: Served) {
        self.served.lock().unwrap().push(served);
    }
}

struct World {
    authority: Authority,
    clock: Arc<FixedClock>,
    stub: Arc<Stub>,
    server: Server,
}

impl World {
    async fn new() -> Self {
        let authority = Authority::new();
        let clock = Arc::new(FixedClock::at(NOW));
        let stub = Arc::new(Stub::default());
        let tls = tls(&authority, &authority, &clock);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), tls, stub.clone()).await.unwrap();
        Self { authority, clock, stub, server }
    }

    async fn client(&self, version: Version) -> Client {
        Client::connect(self.server.address, version, &[&self.authority], None).await.unwrap()
    }
}

fn tls(server: &Authority, audit: &Authority, clock: &Arc<FixedClock>) -> Tls {
    let pair = server.server();
    let trust = AuditTrust { ca_pem: audit.pem.clone(), client_name: NAME.to_owned() };
    Tls::new(&pair.chain, &pair.key, Some(&trust), clock.clone()).unwrap()
}

#[tokio::test]
async fn paths_and_answers() {
    let world = World::new().await;
    for version in [Version::One, Version::Two] {
        let mut client = world.client(version).await;
        world.stub.ready.store(false, Ordering::Relaxed);
        for (method, path, body, status, answer) in [
            ("POST", "/admit", "{}", 200, "2 bytes"),
            ("POST", "/admit?timeout=10s", "", 200, "0 bytes"),
            ("POST", "/admit", "bad", 400, "no JSON"),
            ("POST", "/admit", "long", 413, "the body is too large"),
            ("POST", "/admit", "broken", 500, "a panic"),
            ("GET", "/admit", "", 405, "no such method here"),
            ("POST", "/readyz", "", 405, "no such method here"),
            ("GET", "/readyz", "", 503, "not ready"),
            ("GET", "/admit/x", "", 404, "no such path"),
            ("POST", "/", "", 404, "no such path"),
            ("POST", "/audit", "[]", 401, "the API server's audit certificate is required"),
        ] {
            let (found, text) = client.ask(method, path, body).await.unwrap();
            assert_eq!((found, &text[..]), (status, answer.as_bytes()), "{method} {path} {body}");
        }
        world.stub.ready.store(true, Ordering::Relaxed);
        assert_eq!(client.ask("GET", "/readyz", "").await.unwrap().0, 200);
    }
    let served = world.stub.served.lock().unwrap();
    let admitted = served.iter().filter(|served| served.route == Route::Admit);
    let statuses: Vec<u16> = admitted.map(|served| served.status).take(6).collect();
    assert_eq!(statuses, [200, 200, 400, 413, 500, 405]);
}

#[tokio::test]
async fn bodies_are_bounded_whether_their_length_is_told_or_not() {
    let world = World::new().await;
    let client = world.authority.client(NAME);
    for (path, limit) in [("/admit", MAX_REVIEW_BODY), ("/audit", MAX_AUDIT_BODY)] {
        for (length, status) in [(limit, 200), (limit + 1, 413)] {
            let connect = async || {
                let (address, trusted) = (world.server.address, [&world.authority]);
                Client::connect(address, Version::Two, &trusted, Some(&client)).await.unwrap()
            };
            let body = Bytes::from(vec![b' '; length]);
            let (told, _) = connect().await.ask("POST", path, body.clone()).await.unwrap();
            assert_eq!(told, status, "{path} {length}");
            let chunks: Vec<Result<_, Infallible>> = (0..length)
                .step_by(1 << 20)
                .map(|at| Ok(Frame::data(body.slice(at..length.min(at + (1 << 20))))))
                .collect();
            let streamed = StreamBody::new(stream::iter(chunks)).boxed();
            let answer = connect().await.send("POST", path, streamed).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path} {length} streamed");
        }
    }
}

#[tokio::test]
async fn audit_takes_the_api_servers_certificate_alone() {
    let world = World::new().await;
    let stranger = Authority::new();
    let connect = async |pair: &crate::client::Pair| {
        Client::connect(world.server.address, Version::Two, &[&world.authority], Some(pair)).await
    };
    // An agent's certificate of the same CA, and another cluster's API server.
    for name in ["0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e", "seawall-audit:c2", ""] {
        let mut client = connect(&world.authority.client(name)).await.unwrap();
        assert_eq!(client.ask("POST", "/audit", "[]").await.unwrap().0, 401, "{name}");
        assert_eq!(client.ask("POST", "/admit", "{}").await.unwrap().0, 200, "{name}");
    }
    // Another CA, and a certificate for servers: not even a connection.
    for pair in [stranger.client(NAME), world.authority.server()] {
        let refused = match connect(&pair).await {
            Ok(mut client) => client.ask("POST", "/audit", "[]").await.is_err(),
            Err(_) => true,
        };
        assert!(refused);
    }
    let mut client = connect(&world.authority.client(NAME)).await.unwrap();
    for (body, status) in [("[]", 200), ("bad", 400), ("full", 429)] {
        assert_eq!(client.ask("POST", "/audit", body).await.unwrap().0, status, "{body}");
    }
    // A connection does not outlive its certificate.
    world.clock.advance(20 * 365 * 24 * 60 * 60 * 1000);
    assert_eq!(client.ask("POST", "/audit", "[]").await.unwrap().0, 401);
}

#[tokio::test]
async fn without_a_trusted_ca_nobody_sends_audit_events() {
    let authority = Authority::new();
    let clock = Arc::new(FixedClock::at(NOW));
    let pair = authority.server();
    let tls = Tls::new(&pair.chain, &pair.key, None, clock).unwrap();
    let server =
        Server::bind(([127, 0, 0, 1], 0).into(), tls, Arc::new(Stub::default())).await.unwrap();
    let pair = authority.client(NAME);
    let connected = Client::connect(server.address, Version::One, &[&authority], Some(&pair)).await;
    assert_eq!(connected.unwrap().ask("POST", "/audit", "[]").await.unwrap().0, 401);
}

#[tokio::test]
async fn an_answer_comes_in_time_or_not_at_all() {
    let world = World::new().await;
    let mut client = world.client(Version::One).await;
    let started = Instant::now();
    let (status, _) = client.ask("POST", "/admit?timeout=1s", "slow").await.unwrap();
    let took = started.elapsed();
    assert_eq!(status, 504);
    assert!(Duration::from_millis(850) < took && took < Duration::from_millis(990), "{took:?}");
    let patience = *world.stub.patience.lock().unwrap();
    assert!(Duration::from_millis(700) < patience && patience <= Duration::from_millis(800));
    assert!(world.stub.served.lock().unwrap().last().unwrap().timed_out);
    // The connection goes on.
    assert_eq!(client.ask("POST", "/admit", "{}").await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_drops_no_request() {
    const WORKERS: usize = 6;
    const ROTATIONS: u64 = 20;
    let world = World::new().await;
    let second = Arc::new(Authority::new());
    let first = Arc::new(world.authority);
    let done = Arc::new(AtomicBool::new(false));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let (first, second, done) = (first.clone(), second.clone(), done.clone());
        let address = world.server.address;
        workers.spawn(async move {
            let version = if worker % 2 == 0 { Version::One } else { Version::Two };
            let (mut asked, mut certificates) = (0_u64, BTreeSet::new());
            while !done.load(Ordering::Relaxed) {
                // As API servers do during a rotation, both CAs are trusted.
                let connected = Client::connect(address, version, &[&first, &second], None).await;
                let mut client = connected.unwrap();
                certificates.insert(client.certificate.to_vec());
                for _ in 0..20 {
                    assert_eq!(client.ask("POST", "/admit", "{}").await.unwrap().0, 200);
                    asked += 1;
                }
            }
            (asked, certificates)
        });
    }
    for rotation in 0..ROTATIONS {
        tokio::time::sleep(Duration::from_millis(75)).await;
        let signer = if rotation % 2 == 0 { &second } else { &first };
        world.server.reload(tls(signer, &first, &world.clock));
    }
    done.store(true, Ordering::Relaxed);
    let (mut asked, mut certificates) = (0, BTreeSet::new());
    while let Some(worker) = workers.join_next().await {
        let (of_worker, seen) = worker.unwrap();
        asked += of_worker;
        certificates.extend(seen);
    }
    assert_eq!(world.stub.answered.load(Ordering::Relaxed), asked);
    assert!(certificates.len() as u64 > ROTATIONS / 2, "{} certificates", certificates.len());
    println!("{asked} requests over {} certificates", certificates.len());
}

#[tokio::test]
async fn answers_under_way_are_finished_at_the_end() {
    let world = World::new().await;
    for version in [Version::One, Version::Two] {
        let stub = Arc::new(Stub::default());
        let tls = tls(&world.authority, &world.authority, &world.clock);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), tls, stub.clone()).await.unwrap();
        let address = server.address;
        let connected = Client::connect(address, version, &[&world.authority], None).await;
        let mut client = connected.unwrap();
        let asked = tokio::spawn(async move {
            client.ask("POST", "/admit", "half a second").await.map(|(status, _)| status)
        });
        while stub.answered.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.stop().await;
        assert_eq!(asked.await.unwrap().unwrap(), 200);
        assert!(Client::connect(address, version, &[&world.authority], None).await.is_err());
    }
}
