//! First and second start, and the errors that say what to do.
use crate::authorisation::send;
use crate::records::{decision, gap};
use crate::world::{DAY, PASSWORD, World, config};
use axum::body::Body;
use http::Request;
use seawall_hub::{Hub, SystemEntropy, TlsFiles};
use seawall_model::time::{Clock, FixedClock, SystemClock};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_resumes() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let fingerprint = world.hub.ca_fingerprint().to_owned();
    let World { hub, clock, directory, owner, .. } = world;
    drop(agent);
    hub.shutdown().await;
    let hub = Hub::start(config(directory.path(), clock.clone())).await.unwrap();
    assert_eq!(hub.first_password(), None);
    assert_eq!(hub.ca_fingerprint(), fingerprint, "agents and browsers trust the same CA");
    let base = format!("https://localhost:{}", hub.address().port());
    let client = crate::world::client(&hub);
    let world = World { hub, clock, directory, base, client, owner };
    world.sign_in("admin", PASSWORD).await;
    assert_eq!(world.items("/agents").await[0]["connected"], false);
    let check = world.get("/audit/verify").await.expect(200);
    assert_eq!((&check["ok"], &check["broken_at"]), (&true.into(), &serde_json::Value::Null));
}

/// A hub cleans as it starts, and every few minutes after.
#[tokio::test(flavor = "multi_thread")]
async fn decisions_and_gaps_are_kept_for_90_days() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let now = world.clock.now();
    agent.send(vec![decision("SW-C-0001", now), gap(now)]).await;
    agent.send(vec![decision("SW-C-0001", now - DAY), gap(now - DAY)]).await;
    drop(agent);
    let World { hub, clock, directory, owner, .. } = world;
    hub.shutdown().await;
    clock.advance(90 * DAY - 60_000);
    let hub = Hub::start(config(directory.path(), clock.clone())).await.unwrap();
    // In process: the certificate of that day is not valid yet on this one.
    let router = hub.router(seawall_hub::PERMISSIONS);
    for path in ["/api/v1/decisions", "/api/v1/gaps"] {
        let started = std::time::Instant::now();
        loop {
            let request = Request::builder().uri(path);
            let request = request.header("authorization", format!("Bearer {owner}"));
            let (status, text) = send(&router, request.body(Body::empty()).unwrap()).await;
            assert!(status.is_success(), "{text}");
            let page: serde_json::Value = serde_json::from_str(&text).unwrap();
            if page["total"]["value"] == 1 {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(20);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let fresh = || config(directory.path(), clock.clone());
    let refused = async |config| match Hub::start(config).await {
        Ok(_) => panic!("the hub started"),
        Err(error) => {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                error.source()
            });
            causes.map(|error| error.to_string()).collect::<Vec<_>>().join(": ")
        }
    };
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = fresh();
    config.listen = taken.local_addr().unwrap();
    let said = refused(config).await;
    assert!(said.contains("another program does") && said.contains("--listen"), "{said}");
    let mut config = fresh();
    config.agents_listen = taken.local_addr().unwrap();
    assert!(refused(config).await.contains("--agents"));

    let file = directory.path().join("file");
    std::fs::write(&file, "no certificate").unwrap();
    let mut config = fresh();
    config.database = seawall_hub::Location::Directory(file.join("below"));
    let said = refused(config).await;
    assert!(said.contains("data directory"), "{said}");
    let mut config = fresh();
    config.tls = Some(TlsFiles { certificate: directory.path().join("none"), key: file.clone() });
    assert!(refused(config).await.contains("--tls-cert"));
    let mut config = fresh();
    config.tls = Some(TlsFiles { certificate: file.clone(), key: file });
    assert!(refused(config).await.contains("no certificate"));
    for url in ["http://hub", "https://hub/path", "hub", "https://"] {
        let mut config = fresh();
        config.base_url = Some(url.to_owned());
        assert!(refused(config).await.contains("expected https://HOST"), "{url}");
    }

    let mut config = fresh();
    config.tls_names = vec!["hub.example".to_owned(), "https://hub".to_owned()];
    let said = refused(config).await;
    assert!(said.contains("`https://hub`") && said.contains("--tls-name"), "{said}");
    let mut config = fresh();
    config.first_password = Some("too short".to_owned());
    let said = refused(config).await;
    assert!(said.contains("fewer than 12 characters") && !said.contains("too short"), "{said}");

    let mut config = fresh();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    config.database = seawall_hub::Location::Url(format!("postgres://seawall@{closed}/seawall"));
    let started = std::time::Instant::now();
    let said = refused(config).await;
    assert!(said.contains(&closed.to_string()) && said.contains("refused"), "{said}");
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());

    let first = Hub::start(fresh()).await.unwrap();
    let said = refused(fresh()).await;
    assert!(said.contains("in use by another Seawall process"), "{said}");
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_is_served_and_pinned() {
    let directory = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.path().join("tls.crt"), directory.path().join("tls.key"));
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let mut with_own = config(directory.path(), clock.clone());
    with_own.tls = Some(TlsFiles { certificate, key });
    let hub = Hub::start(with_own).await.unwrap();
    use sha2::Digest;
    let expected = hex::encode(sha2::Sha256::digest(own.cert.der()));
    assert_eq!(hub.ca_fingerprint(), expected);
    let token = hub.local_enrolment().await.unwrap();
    assert!(token.starts_with("swe_") && token.ends_with(&expected), "{token}");
    let enrolment = seawall_uplink::Enrolment {
        hub: &format!("https://127.0.0.1:{}", hub.address().port()),
        token: &token,
        cluster: &crate::world::cluster("own"),
        role: seawall_model::asset::AgentRole::Sensor,
        name: "n1",
    };
    seawall_uplink::enrol(&enrolment).await.unwrap();
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_on_the_machine() {
    let world = World::start().await;
    let World { hub, clock, directory, owner, .. } = world;
    hub.shutdown().await;
    let database = config(directory.path(), clock.clone()).database;
    let entropy = Arc::new(SystemEntropy);
    let reset = |name: &'static str| {
        seawall_hub::reset_password(&database, name, clock.clone(), entropy.clone())
    };
    assert_eq!(reset("nobody").await.unwrap(), None);
    let wrong = directory.path().join("wrong");
    let elsewhere = seawall_hub::Location::Directory(wrong.clone());
    let reset_there =
        seawall_hub::reset_password(&elsewhere, "admin", clock.clone(), entropy.clone());
    let said = reset_there.await.unwrap_err().to_string();
    assert!(said.contains("wrong") && said.contains("holds no Seawall data"), "{said}");
    assert!(!wrong.exists(), "nothing was made");
    let password = reset("Admin").await.unwrap().unwrap();
    let hub = Hub::start(config(directory.path(), clock.clone())).await.unwrap();
    let base = format!("https://localhost:{}", hub.address().port());
    let client = crate::world::client(&hub);
    let world = World { hub, clock, directory, base, client, owner };
    world.try_sign_in("admin", PASSWORD).await.expect(401);
    let session = world.try_sign_in("admin", &password).await.expect(200);
    assert_eq!(session["user"]["must_change_password"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_that_was_given_opens_once_and_is_told_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let given = |password: &str| {
        let first_password = Some(password.to_owned());
        seawall_hub::Config { first_password, ..config(directory.path(), clock.clone()) }
    };
    let hub = Hub::start(given("from a mounted secret")).await.unwrap();
    assert_eq!(hub.first_password(), None, "nothing to print");
    hub.shutdown().await;
    // The account is there: another password changes nothing.
    let hub = Hub::start(given("from another secret")).await.unwrap();
    let base = format!("https://localhost:{}", hub.address().port());
    let client = crate::world::client(&hub);
    let world = World { hub, clock, directory, base, client, owner: String::new() };
    world.try_sign_in("admin", "from another secret").await.expect(401);
    let session = world.try_sign_in("admin", "from a mounted secret").await.expect(200);
    assert_eq!(session["user"]["must_change_password"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_certificate_is_for_further_names() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let mut named = config(directory.path(), clock);
    named.tls_names = vec!["Seawall-Hub.seawall.svc".to_owned(), "192.0.2.7".to_owned()];
    let hub = Hub::start(named).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(hub.ca_certificate().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .no_proxy()
        .resolve("seawall-hub.seawall.svc", hub.address())
        .resolve("other.seawall.svc", hub.address())
        .build()
        .unwrap();
    let port = hub.address().port();
    let health = async |name: &str| {
        let answer = client.get(format!("https://{name}:{port}/healthz")).send().await;
        answer.map(|answer| answer.status().as_u16()).ok()
    };
    assert_eq!(health("seawall-hub.seawall.svc").await, Some(200));
    assert_eq!(health("localhost").await, Some(200));
    assert_eq!(health("other.seawall.svc").await, None);
    hub.shutdown().await;
}

/// Versions before had one authority for everything.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_gets_its_second_authority_once() {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use seawall_store::{Context, Settings, Store};
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let config = || config(directory.path(), clock.clone());
    let open = async || {
        let context = Context { clock: clock.clone(), random: Arc::new(|| [7; 10]) };
        Store::open(&config().database, context).await.unwrap()
    };
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let old = params.self_signed(&key).unwrap();
    let stored = json!({"key": key.serialize_pem(), "certificate": old.pem()}).to_string();
    let store = open().await;
    store.set_setting("certificate-authority", stored.as_bytes()).await.unwrap();
    store.close().await;
    drop(store);
    let mut made = Vec::new();
    for _ in 0..2 {
        let hub = Hub::start(config()).await.unwrap();
        use sha2::Digest;
        assert_eq!(hub.ca_fingerprint(), hex::encode(sha2::Sha256::digest(old.der())));
        hub.shutdown().await;
        let store = open().await;
        made.push(store.setting("cluster-certificate-authority").await.unwrap().unwrap());
        store.close().await;
    }
    assert_eq!(made[0], made[1]);
}

/// Versions before wrote user and role one after the other; a kill in between left this.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_owner_without_a_role_gets_it_back() {
    use seawall_store::{Context, NewUser, Store, Users};
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let config = || config(directory.path(), clock.clone());
    let context = Context { clock: clock.clone(), random: Arc::new(|| [7; 10]) };
    let store = Store::open(&config().database, context).await.unwrap();
    let password_hash = "none".to_owned();
    let admin = NewUser { name: "admin".to_owned(), password_hash, must_change_password: true };
    store.create_user(&admin).await.unwrap();
    store.close().await;
    drop(store);
    let reset = async || {
        let database = config().database;
        seawall_hub::reset_password(&database, "admin", clock.clone(), Arc::new(SystemEntropy))
            .await
    };
    reset().await.unwrap();
    let password = reset().await.unwrap().unwrap();
    let hub = Hub::start(config()).await.unwrap();
    let base = format!("https://localhost:{}", hub.address().port());
    let client = crate::world::client(&hub);
    let world = World { hub, clock, directory, base, client, owner: String::new() };
    let session = world.try_sign_in("admin", &password).await.expect(200);
    let owner = serde_json::json!([{"role": "owner", "scope": "/org/", "namespaces": null}]);
    assert_eq!(session["roles"], owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_answers_carry_their_headers() {
    let world = World::start().await;
    let page = World::answer(world.client.get(&world.base)).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{page:?}");
    let deep = World::answer(world.client.get(format!("{}/alerts/1", world.base))).await;
    assert!(deep.header("content-type").starts_with("text/html"), "the interface routes itself");
    World::answer(world.client.get(format!("{}/assets/none.js", world.base))).await.expect(404);
    for name in ["strict-transport-security", "x-content-type-options", "x-frame-options"] {
        assert!(!page.header(name).is_empty(), "{name}");
    }
    let api = world.get("/session").await;
    assert_eq!(api.header("cache-control"), "no-store");
    assert_eq!(api.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    let health = World::answer(world.client.get(format!("{}/healthz", world.base))).await;
    assert_eq!((health.status.as_u16(), health.text.as_str()), (200, "ok\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_enrolment_command_names_an_address_that_can_be_reached() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let mut everywhere = config(directory.path(), clock.clone());
    everywhere.listen = ([0, 0, 0, 0], 0).into();
    let hub = Hub::start(everywhere).await.unwrap();
    let url = hub.url();
    assert_eq!(url, format!("https://localhost:{}", hub.address().port()));
    let world = World::with(hub, clock, directory).await;
    let created = world.post("/enrolments", json!({"scope": "/org/"})).await.expect(201);
    let command = created["command"].as_str().unwrap();
    assert!(command.contains(&format!("--hub {url} ")), "{command}");
}
