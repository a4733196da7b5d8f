//! Enrolment and the agents' stream over real mTLS.
use crate::records::{firing, gap, running};
use crate::world::{DAY, MINUTE, World, cluster};
use rcgen::{CertificateParams, KeyPair};
use seawall_model::asset::AgentRole;
use seawall_model::time::Clock;
use seawall_uplink::{EnrolError, Enrolment, enrol};
use serde_json::{Value, json};
use std::time::Duration;

fn request() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap()
}

fn redeem(token: &str, cluster: &str) -> Value {
    json!({"token": token, "csr": request(), "cluster_uid": format!("uid-{cluster}"), "cluster_name": cluster,
        "kind": "kubernetes", "agent_name": "agent-0", "role": "cluster_agent"})
}

async fn refused(world: &World, token: &str, cluster: &str, code: &str) {
    let request = world.client.post(world.url("/enrolments/redeem")).json(&redeem(token, cluster));
    let problem = World::answer(request).await.expect(403);
    assert_eq!(problem["type"], format!("/problems/{code}"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_must_not_enrol_is_refused_by_name() {
    let world = World::start().await;
    let token = world.enrolment("/org/").await;
    let broken = json!({"token": token, "csr": "no request", "cluster_uid": "u", "cluster_name": "n",
        "kind": "kubernetes", "agent_name": "a", "role": "sensor"});
    let post =
        |body: &Value| World::answer(world.client.post(world.url("/enrolments/redeem")).json(body));
    let problem = post(&broken).await.expect(400);
    assert_eq!(problem["errors"][0]["pointer"], "/csr", "and the token is not used up");
    let answer = post(&redeem(&token, "prod")).await.expect(200);
    assert_eq!(answer["hub_agents_addr"], world.hub.agents_address().to_string());
    refused(&world, &token, "prod", "token-used").await;

    let token = world.enrolment("/org/").await;
    world.clock.advance(61 * MINUTE);
    refused(&world, &token, "prod", "token-expired").await;
    let token = world.enrolment("/org/").await;
    let (_, hash) = token.split_once('.').unwrap();
    refused(&world, &format!("swe_guess.{hash}"), "prod", "token-unknown").await;
    let foreign = token.replace(hash, &"0".repeat(64));
    refused(&world, &foreign, "prod", "token-foreign").await;
    let listed = world.items("/enrolments").await;
    let id = listed[0]["id"].as_str().unwrap();
    let delete =
        world.client.delete(world.url(&format!("/enrolments/{id}"))).bearer_auth(&world.owner);
    World::answer(delete).await.expect(204);
    refused(&world, &token, "new", "token-revoked").await;

    let waiting = json!({"scope": "/org/", "manual_accept": true, "uses": 2});
    let created = world.post("/enrolments", waiting).await.expect(201);
    let token = created["token"].as_str().unwrap();
    assert!(created["command"].as_str().unwrap().contains("seawall sensor --hub https://"));
    refused(&world, token, "shy", "token-waiting").await;
    let accept = format!("/enrolments/{}/accept", created["id"].as_str().unwrap());
    world.post(&accept, json!({})).await.expect(200);
    post(&redeem(token, "shy")).await.expect(200);

    let listed = world.items("/enrolments?sort=-created&limit=500").await;
    let refusals = listed.iter().map(|enrolment| enrolment["refusals"].as_array().unwrap().len());
    assert!(refusals.sum::<usize>() >= 4, "{listed:?}");
    assert!(!serde_json::to_string(&listed).unwrap().contains("swe_"), "tokens are never listed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_alone_enrols() {
    let world = World::start().await;
    let token = world.enrolment("/org/").await;
    let keys = json!({"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}]});
    let body = json!({"token": token, "csr": request(), "cluster_uid": "uid-1", "issuer": "https://issuer",
        "jwks": keys});
    let request = world.client.post(world.url("/enrolments/redeem")).json(&body);
    World::answer(request).await.expect(200);
    let (cluster, agent) = (&world.items("/clusters").await[0], &world.items("/agents").await[0]);
    assert_eq!((&cluster["name"], &cluster["kind"]), (&json!("uid-1"), &json!("kubernetes")));
    assert_eq!(
        (&agent["name"], &agent["role"]),
        (&json!("cluster-agent"), &json!("cluster_agent"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_logged_and_a_guesser_cannot_fill_the_log() {
    let world = World::start().await;
    let token = world.enrolment("/org/").await;
    let (_, hash) = token.split_once('.').unwrap();
    let tokens = [
        ("no token", "token-unknown"),
        (&format!("swe_guess.{hash}"), "token-unknown"),
        (&token.replace(hash, &"0".repeat(64)), "token-foreign"),
    ];
    // The token is judged before anything else is looked at.
    for (token, code) in tokens {
        let body = json!({"token": token, "csr": "no request", "cluster_uid": ""});
        let request = world.client.post(world.url("/enrolments/redeem")).json(&body);
        let problem = World::answer(request).await.expect(403);
        assert_eq!(problem["type"], format!("/problems/{code}"));
    }
    let logged = async || world.items("/audit?filter=action:enrolment.refuse&sort=position").await;
    let reasons: Vec<Value> =
        logged().await.iter().map(|entry| entry["detail"]["reason"].clone()).collect();
    assert_eq!(reasons, ["unknown", "unknown", "foreign"]);
    let spent = redeem(&token, "prod");
    let post = || World::answer(world.client.post(world.url("/enrolments/redeem")).json(&spent));
    post().await.expect(200);
    for _ in 0..30 {
        post().await.expect(403);
    }
    assert_eq!(logged().await.len(), 20);
    assert_eq!(logged().await[3]["detail"]["reason"], "used");
    let redeemed = world.items("/audit?filter=action:enrolment.redeem").await;
    assert_eq!(redeemed.len(), 1, "a refusal is no redemption");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_cluster_with_a_known_identity_waits_and_raises_an_alert() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let token = world.enrolment("/org/").await;
    refused(&world, &token, "prod", "token-waiting").await;
    refused(&world, &token, "prod", "token-waiting").await;
    let alert = world.items("/alerts").await.remove(0);
    assert_eq!(alert["title"], "Second cluster shows a known identity");
    assert_eq!((&alert["scope"], &alert["count"]), (&json!("/org/prod/"), &json!(2)));
    assert_eq!(alert["where"]["cluster"], "prod");
    let events = format!("/events?filter=alert:{}", alert["id"].as_str().unwrap());
    assert_eq!(world.items(&events).await.len(), 2);

    let enrolments = world.items("/enrolments").await;
    let enrolment = enrolments.iter().find(|enrolment| enrolment["waiting"] != json!([]));
    let enrolment = enrolment.expect("one has a cluster that waits");
    assert_eq!(enrolment["waiting"][0]["cluster_uid"], "uid-prod");
    let accept = format!("/enrolments/{}/accept", enrolment["id"].as_str().unwrap());
    world.post(&accept, json!({"cluster_uid": "uid-other"})).await.expect(409);
    let accepted = world.post(&accept, json!({"cluster_uid": "uid-prod"})).await.expect(200);
    assert_eq!((&accepted["waiting"], &accepted["admitted"]), (&json!([]), &json!(["uid-prod"])));
    let request = world.client.post(world.url("/enrolments/redeem")).json(&redeem(&token, "prod"));
    World::answer(request).await.expect(200);
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_trusts_only_the_hub_that_made_the_token() {
    let (world, other) = (World::start().await, World::start().await);
    let token = world.enrolment("/org/").await;
    let cluster = cluster("prod");
    let to = |hub: &'static str, base: &str| (hub, base.to_owned());
    let (_, base) = to("other", &other.base);
    let enrolment = Enrolment {
        hub: &base,
        token: &token,
        cluster: &cluster,
        role: AgentRole::Sensor,
        name: "n",
    };
    assert!(matches!(enrol(&enrolment).await, Err(EnrolError::Connect { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_commit_once_and_alerts_join() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let time = world.clock.now();
    agent.send(vec![firing("prod", "Deployment/web", time)]).await;
    agent
        .send(vec![
            firing("prod", "Deployment/web", time + 1),
            firing("prod", "Deployment/api", time + 2),
        ])
        .await;
    let alerts = world.items("/alerts?sort=workload").await;
    let counts: Vec<_> = alerts.iter().map(|alert| alert["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2]);
    assert_eq!(world.items("/events").await.len(), 3);
    let listed = world.get(&format!("/agents/{}", agent.id)).await.expect(200);
    assert_eq!((&listed["connected"], &listed["last_sequence"]), (&json!(true), &json!(2)));

    agent.uplink.count_dropped("ring:data", 7);
    agent.send(vec![firing("prod", "Deployment/web", time + 3)]).await;
    let overview = world.get("/overview").await.expect(200);
    assert_eq!(overview["agents"]["dropped"]["ring:data"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_does_not_tell_is_refused_and_counted() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let sensor = world.sensor_of(&agent).await;
    sensor.send(vec![firing("prod", "Deployment/web", world.clock.now()), gap(9)]).await;
    agent.send(vec![gap(world.clock.now())]).await;
    assert!(world.items("/alerts").await.is_empty());
    assert_eq!(world.items("/gaps").await.len(), 1);
    let lost = json!([{"class": "hub:not-of-role", "count": 2}]);
    assert_eq!(world.items("/clusters/status").await[0]["dropped"], lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_writes_about_its_own_cluster_whatever_it_says() {
    let world = World::start().await;
    let (a, b) = (world.scope("/org/", "a").await, world.scope("/org/", "b").await);
    let victim = world.agent(&b, "victim").await;
    victim.send(vec![firing("victim", "Deployment/web", world.clock.now())]).await;
    let hostile = world.agent(&a, "hostile").await;
    hostile.send(vec![firing("victim", "Deployment/web", world.clock.now())]).await;
    let alerts = world.items("/alerts").await;
    let inside = |scope: &str| {
        alerts.iter().filter(|alert| alert["scope"].as_str().unwrap().starts_with(scope)).count()
    };
    assert_eq!((inside(&a), inside(&b)), (1, 1), "{alerts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_cuts_the_live_stream_and_refuses_the_next() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/web", world.clock.now())]).await;
    assert!(agent.uplink.status().connected);
    let started = std::time::Instant::now();
    world.post(&format!("/agents/{}/revoke", agent.id), json!({})).await.expect(200);
    while agent.uplink.status().connected {
        assert!(started.elapsed() < Duration::from_secs(10), "still connected");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    agent.uplink.send(vec![firing("prod", "Deployment/late", world.clock.now())]);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let status = agent.uplink.status();
    assert!(!status.connected && status.acknowledged < status.last_sequence, "{status:?}");
    assert!(status.error.unwrap().contains("revoked"));
    assert_eq!(world.items("/alerts").await.len(), 1);
    let listed = world.get(&format!("/agents/{}", agent.id)).await.expect(200);
    assert_eq!((&listed["revoked"], &listed["connected"]), (&json!(true), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_connected_does_not_count_as_working() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/web", world.clock.now())]).await;
    let capability = |answer: &Value| answer["capabilities"][0].clone();
    let status = async || world.items("/clusters/status").await.remove(0);
    let features = async || world.get("/features").await.expect(200);
    assert_eq!(capability(&status().await)["full"], 1);
    assert_eq!(capability(&features().await)["full"], 1);
    let id = agent.id.clone();
    drop(agent);
    let path = format!("/agents/{id}");
    let patience = Duration::from_secs(10);
    world.wait(&path, patience, |agent| agent["connected"] == false).await;
    let told = capability(&status().await);
    assert_eq!((&told["full"], &told["unknown"]), (&json!(0), &json!(1)), "{told}");
    assert_eq!(told["reasons"], json!(["agent-0 is not connected"]));
    let told = features().await;
    let unknown = capability(&told);
    assert_eq!((&unknown["full"], &unknown["unknown"]), (&json!(0), &json!(1)), "{told}");
    let working = told["clusters"][0]["working"].as_object().unwrap();
    let needing = told["features"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|feature| feature["needs"].as_array().unwrap().contains(&json!("exec")));
    for feature in needing {
        assert_ne!(working[feature["id"].as_str().unwrap()], "working", "{feature}");
    }
    world.post(&format!("{path}/revoke"), json!({})).await.expect(200);
    assert_eq!(status().await["capabilities"], json!([]));
    assert_eq!(features().await["capabilities"], json!([]));
}

/// Nodes that went away months ago were counted as sensors of the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_long_gone_is_not_counted() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let sensor = world.sensor_of(&agent).await;
    agent.send(vec![gap(world.clock.now())]).await;
    sensor.send(vec![running(world.clock.now())]).await;
    let numbers = async || world.items("/clusters/status").await[0]["agents"].clone();
    let all = json!({"cluster_agents": 1, "sensors": 1, "connected": 2, "outdated": 0});
    assert_eq!(numbers().await, all);
    let path = format!("/agents/{}", sensor.id);
    drop(sensor);
    world.wait(&path, Duration::from_secs(10), |agent| agent["connected"] == false).await;
    assert_eq!(numbers().await["sensors"], 1, "it may come back");
    world.clock.advance(DAY);
    let left = json!({"cluster_agents": 1, "sensors": 0, "connected": 1, "outdated": 0});
    assert_eq!(numbers().await, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_demanded_and_renewed() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/web", world.clock.now())]).await;
    let before = world.get(&format!("/agents/{}", agent.id)).await.expect(200);
    // Without a certificate of the hub's CA there is no stream.
    let plain = crate::world::client(&world.hub);
    let address = format!("https://localhost:{}/", world.hub.agents_address().port());
    assert!(plain.get(address).send().await.is_err());
    // By the hub's clock the certificate is over: the stream ends, the agent renews with it, and streams again.
    world.clock.advance(8 * DAY);
    let expires = |agent: &Value| agent["certificate_expires"].as_i64().unwrap();
    let end = world.clock.now();
    assert!(expires(&before) < end);
    let path = format!("/agents/{}", agent.id);
    let patience = Duration::from_secs(15);
    world.wait(&path, patience, |agent| expires(agent) > end + 6 * DAY).await;
    agent.send(vec![firing("prod", "Deployment/late", world.clock.now())]).await;
    let renewals = world.items("/audit?filter=action:agent.renew").await;
    // Twice where the hub cuts the expired stream before the first answer is through.
    assert!((1..=2).contains(&renewals.len()), "{renewals:#?}");
    assert_eq!(renewals[0]["target"], json!(agent.id));
    assert!(renewals[0]["detail"]["expires"].as_i64().unwrap() > end);
    // Past the grace of 30 days even that is refused: the agent has to enrol again.
    world.clock.advance(40 * DAY);
    agent.uplink.send(vec![firing("prod", "Deployment/never", world.clock.now())]);
    tokio::time::sleep(Duration::from_secs(8)).await;
    let status = agent.uplink.status();
    assert!(!status.connected && status.acknowledged < status.last_sequence, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stable_stream_renews_before_the_hub_has_to_cut_it() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/web0", world.clock.now())]).await;
    // Less than a fifth of seven days left: by now every agent renews.
    world.clock.advance(DAY / 10 * 57);
    let end = world.clock.now();
    let path = format!("/agents/{}", agent.id);
    let sending = async {
        for n in 1.. {
            let workload = format!("Deployment/web{n}");
            agent.uplink.send(vec![firing("prod", &workload, world.clock.now())]);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let status = agent.uplink.status();
            assert!(status.connected && status.error.is_none(), "{status:?}");
        }
    };
    let renewed = world.wait(&path, Duration::from_secs(15), |agent| {
        agent["certificate_expires"].as_i64().unwrap() > end + 6 * DAY
    });
    tokio::select! {
        () = sending => {}
        _ = renewed => {}
    }
    // The certificate that the stream began with is over, and nothing happens.
    world.clock.advance(2 * DAY);
    tokio::time::sleep(Duration::from_secs(6)).await;
    agent.send(vec![firing("prod", "Deployment/late", world.clock.now())]).await;
    let status = agent.uplink.status();
    assert!(status.connected && status.error.is_none(), "{status:?}");
    assert!(status.dropped.is_empty(), "{status:?}");
    let total = world.get("/alerts").await.expect(200)["total"]["value"].as_u64().unwrap();
    assert_eq!(total, status.acknowledged, "one alert of each batch");
}
