//! Later pods of a cluster join by the service-account tokens of its API server.
use crate::wire::dial;
use crate::world::{MINUTE, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use seawall_model::time::Clock;
use seawall_uplink::Identity;
use seawall_wire::v1;
use seawall_wire::v1::hub_client::HubClient;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

/// An API server that signs tokens.
struct ApiServer {
    pair: EcdsaKeyPair,
    kid: &'static str,
}

impl ApiServer {
    fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap(), kid }
    }

    fn jwks(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "use": "sig",
            "x": encode(&point[1..33]), "y": encode(&point[33..])}]})
    }

    /// A token of `account` on node-1, good for ten minutes from `now`.
    fn token(&self, now: i64, account: &str, audience: &str) -> String {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(json!({"alg": "ES256", "kid": self.kid}));
        let claims = encode(json!({"iss": "https://kubernetes.default.svc", "aud": [audience],
            "exp": now / 1_000 + 600, "nbf": now / 1_000,
            "kubernetes.io": {"namespace": "seawall", "serviceaccount": {"name": account, "uid": "u"},
                "pod": {"name": "pod-1", "uid": "p"}, "node": {"name": "node-1", "uid": "n"}}}));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn request() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap()
}

async fn enrol_first(world: &World, server: &ApiServer) -> Value {
    enrol(world, server, "prod").await
}

async fn enrol(world: &World, server: &ApiServer, cluster: &str) -> Value {
    let token = world.enrolment("/org/").await;
    let uid = format!("uid-{cluster}");
    let body = json!({"token": token, "csr": request(), "cluster_uid": uid, "cluster_name": cluster,
        "kind": "kubernetes", "agent_name": "agent-0", "role": "cluster_agent",
        "issuer": "https://kubernetes.default.svc", "jwks": server.jwks(),
        "joiners": [{"service_account": "seawall/seawall-sensor", "role": "sensor"},
            {"service_account": "seawall/seawall-agent", "role": "cluster_agent"}]});
    World::answer(world.client.post(world.url("/enrolments/redeem")).json(&body)).await.expect(200)
}

/// The answer to a join: the agent's name and role, or the reason of the refusal.
async fn join(world: &World, token: &str, uid: Option<&str>) -> Result<Value, String> {
    let body = json!({"service_account_token": token, "csr": request(), "cluster_uid": uid});
    let answer = World::answer(world.client.post(world.url("/enrolments/join")).json(&body)).await;
    match answer.status.as_u16() {
        200 => Ok(answer.json()),
        403 => Err(answer.json()["type"].as_str().unwrap().trim_start_matches("/problems/").into()),
        _ => panic!("{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_a_known_cluster_join_and_no_others() {
    let world = World::start().await;
    let (server, other) = (ApiServer::new("k1"), ApiServer::new("k1"));
    let now = world.clock.now();
    let sensor = server.token(now, "seawall-sensor", "seawall");
    assert_eq!(join(&world, &sensor, None).await.unwrap_err(), "cluster-unknown");
    enrol_first(&world, &server).await;

    let joined = join(&world, &sensor, None).await.unwrap();
    assert_eq!((&joined["agent_name"], &joined["role"]), (&json!("node-1"), &json!("sensor")));
    assert_eq!(
        (&joined["cluster_uid"], &joined["cluster_name"]),
        (&json!("uid-prod"), &json!("prod"))
    );
    assert!(joined["certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let agent = server.token(now, "seawall-agent", "seawall");
    let joined_agent = join(&world, &agent, Some("uid-prod")).await.unwrap();
    assert_eq!(joined_agent["agent_name"], "pod-1");

    for (token, uid, reason) in [
        (other.token(now, "seawall-sensor", "seawall"), None, "token-invalid"),
        (server.token(now, "seawall-sensor", "vault"), None, "token-audience"),
        (server.token(now, "default", "seawall"), None, "service-account-not-allowed"),
        (server.token(now - 20 * MINUTE, "seawall-sensor", "seawall"), None, "token-expired"),
        (sensor.clone(), Some("uid-other"), "cluster-unknown"),
        ("no token".to_owned(), None, "cluster-unknown"),
    ] {
        assert_eq!(join(&world, &token, uid).await.unwrap_err(), reason);
    }

    // A sensor that lost its state comes back in the place of its former self.
    let again = join(&world, &sensor, None).await.unwrap();
    let former = world.get(&format!("/agents/{}", joined["agent_id"].as_str().unwrap())).await;
    assert_eq!(former.expect(200)["revoked"], true);
    let present = world.get(&format!("/agents/{}", again["agent_id"].as_str().unwrap())).await;
    assert_eq!(present.expect(200)["revoked"], false);
    let log = world.items("/audit?filter=action:enrolment.join").await;
    assert_eq!(log.len(), 3, "{log:#?}");
}

/// Joining undid what a person had revoked.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_revoked_does_not_join_again() {
    let world = World::start().await;
    let server = ApiServer::new("k1");
    let enrolled = enrol_first(&world, &server).await;
    let token = server.token(world.clock.now(), "seawall-sensor", "seawall");
    let revoke = async |agent: &Value| {
        let path = format!("/agents/{}/revoke", agent["agent_id"].as_str().unwrap());
        world.post(&path, json!({})).await.expect(200);
    };
    let delete = async |agent: &Value, status: u16| {
        let path = format!("/agents/{}", agent["agent_id"].as_str().unwrap());
        let request = world.client.delete(world.url(&path)).bearer_auth(&world.owner);
        World::answer(request).await.expect(status)
    };
    let sensor = join(&world, &token, None).await.unwrap();
    delete(&sensor, 409).await;
    revoke(&sensor).await;
    assert_eq!(join(&world, &token, None).await.unwrap_err(), "agent-revoked");
    let refused = world.items("/audit?filter=action:enrolment.refuse").await;
    assert_eq!(refused[0]["detail"]["reason"], "revoked");
    assert_eq!(world.items("/audit?filter=action:enrolment.join").await.len(), 1);
    delete(&sensor, 204).await;
    let again = join(&world, &token, None).await.unwrap();
    revoke(&again).await;
    revoke(&enrolled).await;
    let agent = server.token(world.clock.now(), "seawall-agent", "seawall");
    assert_eq!(join(&world, &agent, None).await.unwrap_err(), "agent-revoked");
}

/// Another cluster's agent listed the same key id, and that cluster's pods were taken for the other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_its_keys_whatever_another_lists() {
    let world = World::start().await;
    let (server, thief) = (ApiServer::new("k1"), ApiServer::new("k1"));
    let now = world.clock.now();
    enrol(&world, &server, "prod").await;
    enrol(&world, &thief, "other").await;
    let sensor = server.token(now, "seawall-sensor", "seawall");
    for uid in [None, Some("uid-prod")] {
        assert_eq!(join(&world, &sensor, uid).await.unwrap()["cluster_uid"], "uid-prod");
    }
    assert_eq!(join(&world, &sensor, Some("uid-other")).await.unwrap_err(), "cluster-unknown");
    // The very key, not just its name.
    enrol(&world, &server, "third").await;
    assert_eq!(join(&world, &sensor, None).await.unwrap()["cluster_uid"], "uid-prod");
    assert_eq!(join(&world, &sensor, Some("uid-third")).await.unwrap_err(), "cluster-unknown");
    let forged = thief.token(now, "seawall-sensor", "seawall");
    assert_eq!(join(&world, &forged, None).await.unwrap_err(), "token-invalid");
}

/// A join that can connect.
async fn joined(world: &World, token: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let body = json!({"service_account_token": token, "csr": csr});
    let request = world.client.post(world.url("/enrolments/join")).json(&body);
    let joined = World::answer(request).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Identity {
        agent_id: text(&joined["agent_id"]),
        hub: text(&joined["hub_agents_addr"]),
        key_pem: key.serialize_pem(),
        certificate_pem: text(&joined["certificate"]),
        ca_pem: text(&joined["ca"][0]),
        cluster: None,
        joined_by: Vec::new(),
    }
}

/// The first answer to a greeting, and what follows; the sender keeps the stream open.
async fn greet(
    client: &mut HubClient<Channel>,
) -> (Sender<v1::FromAgent>, Result<Streaming<v1::FromHub>, Code>) {
    let named = v1::Cluster { uid: "uid-prod".to_owned(), ..v1::Cluster::default() };
    let hello = v1::Hello { cluster: Some(named), ..v1::Hello::default() };
    let hello = v1::FromAgent { frame: Some(v1::from_agent::Frame::Hello(hello)) };
    let (frames, outgoing) = tokio::sync::mpsc::channel(1);
    frames.send(hello).await.unwrap();
    let mut answers = client.connect(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
    let first = answers.message().await;
    (frames, first.map(|_| answers).map_err(|status| status.code()))
}

/// A copy of a cluster has the same keys and names: nobody was told that it reports into the first one's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_displaced_agent_that_lives_on_raises_an_alert() {
    let world = World::start().await;
    let server = ApiServer::new("k1");
    enrol(&world, &server, "prod").await;
    let token = || server.token(world.clock.now(), "seawall-sensor", "seawall");
    let alerts = async || world.items("/alerts").await;
    let mut former = dial(&joined(&world, &token()).await).await;
    let (open, answered) = greet(&mut former).await;
    let _answers = answered.unwrap();
    let mut present = dial(&joined(&world, &token()).await).await;
    drop(open);
    // A pod that is being replaced dials until it has ended.
    world.clock.advance(30_000);
    assert_eq!(greet(&mut former).await.1.unwrap_err(), Code::PermissionDenied);
    assert!(alerts().await.is_empty());
    world.clock.advance(MINUTE);
    for _ in 0..2 {
        assert_eq!(greet(&mut former).await.1.unwrap_err(), Code::PermissionDenied);
    }
    let alert = alerts().await.remove(0);
    assert_eq!(alert["title"], "Two agents share one identity");
    assert_eq!((&alert["count"], &alert["scope"]), (&json!(1), &json!("/org/prod/")));
    assert!(greet(&mut present).await.1.is_ok(), "the one that joined is let in");
    world.clock.advance(60 * MINUTE);
    assert_eq!(greet(&mut former).await.1.unwrap_err(), Code::PermissionDenied);
    assert_eq!(alerts().await[0]["count"], 2);
}

/// An identity that comes out of an old backup is refused, and is nobody's twin.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_when_it_was_displaced_raises_none() {
    let world = World::start().await;
    let server = ApiServer::new("k1");
    enrol(&world, &server, "prod").await;
    let token = || server.token(world.clock.now(), "seawall-sensor", "seawall");
    let mut former = dial(&joined(&world, &token()).await).await;
    drop(greet(&mut former).await);
    world.clock.advance(5 * MINUTE);
    joined(&world, &token()).await;
    world.clock.advance(5 * MINUTE);
    assert_eq!(greet(&mut former).await.1.unwrap_err(), Code::PermissionDenied);
    assert!(world.items("/alerts").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_joins_again_cuts_off_its_former_self() {
    let world = World::start().await;
    let server = ApiServer::new("k1");
    enrol(&world, &server, "prod").await;
    let token = server.token(world.clock.now(), "seawall-sensor", "seawall");
    let mut client = dial(&joined(&world, &token).await).await;
    let (_open, answers) = greet(&mut client).await;
    let mut answers = answers.unwrap();

    join(&world, &token, None).await.unwrap();
    // Long before the hub looks at its agents again.
    let end = tokio::time::timeout(Duration::from_secs(3), answers.message()).await;
    assert_eq!(end.expect("cut off at once").unwrap_err().code(), Code::PermissionDenied);
    let again = client.renew(v1::RenewRequest { csr_der: request_der() }).await.unwrap_err();
    assert_eq!(again.code(), Code::PermissionDenied);
}

fn request_der() -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
}
