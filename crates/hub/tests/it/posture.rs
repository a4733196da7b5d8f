//! From an object's assessment to score, recommendation and exemption, and from an inventory to findings.
use crate::records::{assessment, inventory, running};
use crate::world::{DAY, World};
use reqwest::Method;
use seawall_model::time::Clock;
use serde_json::{Value, json};
use std::time::Duration;

/// A control of the content that counts in the score.
async fn control(world: &World) -> String {
    let controls = world.items("/controls").await;
    let stable = controls.iter().find(|control| control["preview"] == false).unwrap();
    stable["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_score_moves_with_its_cause_within_a_second() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let control = control(&world).await;
    agent.send(vec![assessment(&control, "db", "healthy", &[])]).await;
    let second = Duration::from_secs(1);
    world.wait("/scores", second, |score| score["secure"] == 100.0).await;
    world.clock.advance(1_000);
    agent.send(vec![assessment(&control, "web", "unhealthy", &["/spec"])]).await;
    world.wait("/scores", second, |score| score["secure"] == 50.0).await;
    let moves = world.items("/scores/history?filter=scope:/org/").await;
    let cause = "1 resource became unhealthy: Privileged container (Deployment/web)";
    assert_eq!(
        (&moves[0]["cause"], &moves[0]["from"], &moves[0]["to"]),
        (&json!(cause), &json!(100.0), &json!(50.0))
    );
    let recommendations = world.items("/recommendations").await;
    assert_eq!(recommendations.len(), 1);
    assert_eq!(
        (&recommendations[0]["affected"], &recommendations[0]["status"]),
        (&json!(1), &json!("open"))
    );
    let id = recommendations[0]["id"].as_str().unwrap();
    let path = format!("/recommendations/{id}");
    let detail = world.get(&path).await.expect(200);
    assert_eq!(detail["resources"][0]["resource"], "Deployment/web");

    let assign = |revision: Option<String>| {
        let mut request =
            world.client.request(Method::PATCH, world.url(&path)).bearer_auth(&world.owner);
        if let Some(revision) = revision {
            request = request.header("if-match", revision);
        }
        World::answer(request.json(&json!({"owner": "platform"})))
    };
    assign(None).await.expect(428);
    assign(Some("\"99999\"".to_owned())).await.expect(412);
    let assigned = assign(Some(format!("\"{}\"", detail["revision"]))).await.expect(200);
    assert_eq!((&assigned["owner"], &assigned["status"]), (&json!("platform"), &json!("assigned")));

    // Moves of one millisecond have no order.
    world.clock.advance(1_000);
    agent.send(vec![assessment(&control, "web", "healthy", &[])]).await;
    world.wait("/scores", second, |score| score["secure"] == 100.0).await;
    assert_eq!(world.get(&path).await.expect(200)["status"], "resolved");
    world.clock.advance(1_000);
    agent.send(vec![assessment(&control, "web", "unhealthy", &["/spec"])]).await;
    world.wait(&path, second, |recommendation| recommendation["status"] == "regressed").await;
    // The current score is counted when asked for; its move is written a moment later.
    let newest = "/scores/history?filter=scope:/org/&limit=1";
    world.wait(newest, second, |moves| moves["items"][0]["to"] == 50.0).await;
    // The moves, replayed, give the score.
    let mut moves =
        world.items("/scores/history?filter=scope:/org/&sort=at&limit=500").await.into_iter();
    let mut score = moves.next().unwrap()["to"].clone();
    for step in moves {
        assert_eq!(step["from"], score);
        score = step["to"].clone();
    }
    assert_eq!(world.get("/scores").await.expect(200)["secure"], score);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_is_asked_for_granted_counted_and_ends() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let control = control(&world).await;
    agent
        .send(vec![
            assessment(&control, "db", "healthy", &[]),
            assessment(&control, "web", "unhealthy", &["/spec/template/spec/containers/0"]),
        ])
        .await;
    let patience = Duration::from_secs(5);
    world.wait("/scores", patience, |score| score["secure"] == 50.0).await;
    let contributor = world.token("contributor", "/org/", None).await;
    let body = json!({"target": {"rule": control, "namespace": "shop", "resource": "Deployment/web", "package": null,
        "path": null}, "category": "risk_accepted", "reason": "until the next release", "owner": null,
        "expires": world.clock.now() + DAY, "scope": "/org/"});
    let request = world.client.post(world.url("/exemptions")).bearer_auth(&contributor).json(&body);
    let requested = World::answer(request).await.expect(201);
    assert_eq!(
        (&requested["state"], &requested["owner"]),
        (&json!("requested"), &json!("token:contributor /org/"))
    );
    let path = format!("/exemptions/{}", requested["id"].as_str().unwrap());
    let grant = world.client.post(world.url(&format!("{path}/grant"))).bearer_auth(&contributor);
    World::answer(grant).await.expect(403);
    let finding = &world.items("/findings?filter=state:unhealthy").await[0];
    assert_eq!(finding["detail"]["exemption"], Value::Null, "asking excuses nothing");

    world.post(&format!("{path}/grant"), json!({})).await.expect(200);
    world.wait("/scores", patience, |score| score["secure"] == 100.0).await;
    let finding = &world.items("/findings?filter=state:exempt").await[0];
    assert_eq!(finding["detail"]["exemption"]["category"], "risk_accepted");
    world.wait(&path, patience, |exemption| exemption["matches"] == 1).await;
    // A new assessment of the same object is excused before it is stored: the score does not flicker.
    let before = world.items("/scores/history?limit=500").await.len();
    agent
        .send(vec![assessment(&control, "web", "unhealthy", &["/spec/template/spec/containers/0"])])
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.items("/scores/history?limit=500").await.len(), before);

    world.post(&format!("{path}/revoke"), json!({})).await.expect(200);
    world.wait("/scores", patience, |score| score["secure"] == 50.0).await;
    world.post(&format!("{path}/grant"), json!({})).await.expect(409);
    let past = json!({"target": {"rule": "x", "namespace": null, "resource": null, "package": null, "path": null},
        "category": "mitigated", "reason": "r", "expires": 1, "scope": "/org/"});
    let refused = world.post("/exemptions", past).await.expect(400);
    assert_eq!(refused["errors"][0]["pointer"], "/expires");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_ends_within_seconds_of_its_time() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let control = control(&world).await;
    agent.send(vec![assessment(&control, "web", "unhealthy", &["/spec"])]).await;
    let patience = Duration::from_secs(5);
    let work = async |affected: u64| {
        let counted = |page: &Value| page["items"][0]["affected"] == affected;
        let page = world.wait("/recommendations", patience, counted).await;
        page["items"][0]["status"].clone()
    };
    assert_eq!(work(1).await, "open");
    let body = json!({"target": {"rule": control}, "category": "risk_accepted", "reason": "r",
        "expires": world.clock.now() + DAY, "scope": "/org/"});
    world.post("/exemptions", body).await.expect(201);
    let count = |state: &str| format!("/findings?filter=state:{state}");
    let one = |page: &Value| page["total"]["value"] == 1;
    world.wait(&count("exempt"), patience, one).await;
    assert_eq!(work(0).await, "open", "what is only excused is not done");
    world.clock.advance(DAY);
    world.wait(&count("unhealthy"), patience, one).await;
    assert_eq!(work(1).await, "open", "and did not regress");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_for_namespaces_reaches_no_further() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let control = control(&world).await;
    agent.send(vec![assessment(&control, "web", "unhealthy", &["/spec"])]).await;
    let there = |page: &Value| page["total"]["value"] == 1;
    world.wait("/recommendations", Duration::from_secs(5), there).await;
    let shop = world.token("contributor", "/org/prod/", Some(&["shop"])).await;
    let exempt = async |namespace: Option<&str>, scope: &str| {
        let body = json!({"target": {"rule": control, "namespace": namespace}, "category": "mitigated",
            "reason": "r", "expires": world.clock.now() + DAY, "scope": scope});
        let request = world.client.post(world.url("/exemptions")).bearer_auth(&shop);
        World::answer(request.json(&body)).await
    };
    for namespace in [None, Some("*"), Some("sh*"), Some("bank")] {
        let refused = exempt(namespace, "/org/prod/").await.expect(403);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("target.namespace must be one of your own"), "{detail}");
    }
    exempt(Some("shop"), "/org/").await.expect(404);
    exempt(Some("shop"), "/org/prod/").await.expect(201);

    let work = world.items("/recommendations").await.remove(0);
    let path = world.url(&format!("/recommendations/{}", work["id"].as_str().unwrap()));
    let assign = async |token: &str, body: Value| {
        let request = world.client.patch(&path).bearer_auth(token).json(&body);
        World::answer(request.header("if-match", format!("\"{}\"", work["revision"]))).await
    };
    assign(&shop, json!({"owner": "mine"})).await.expect(403);
    let long = "x".repeat(201);
    let mistakes = [
        (json!({"owner": " "}), "/owner"),
        (json!({"owner": long}), "/owner"),
        (json!({"owner": "a\nb"}), "/owner"),
        (json!({"due": -1}), "/due"),
        (json!({"due": i64::MAX}), "/due"),
    ];
    for (body, pointer) in mistakes {
        let refused = assign(&world.owner, body).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    let body = json!({"owner": " platform ", "due": world.clock.now() + DAY});
    let assigned = assign(&world.owner, body).await.expect(200);
    let stored = world.items("/recommendations").await.remove(0);
    assert_eq!((&assigned["owner"], &assigned), (&json!("platform"), &stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_is_unknown_until_there_is_an_index_and_matched_once_there_is() {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feeds");
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let sensor = world.sensor_of(&agent).await;
    sensor.send(vec![inventory(), running(world.clock.now())]).await;
    let image = world.items("/images").await.remove(0);
    assert_eq!((&image["package_count"], &image["counts"]), (&json!(1), &Value::Null));
    assert_eq!(image["running"][0]["cluster"], "prod");
    if !std::path::Path::new(shared).exists() {
        println!("skipped: {shared} is not there");
        return;
    }
    // PyPI alone: the other exports take longer to read than this test says anything about them.
    let root = world.directory.path().join("feeds");
    std::fs::create_dir_all(root.join("osv")).unwrap();
    std::os::unix::fs::symlink(format!("{shared}/osv/PyPI"), root.join("osv/PyPI")).unwrap();
    let roots = seawall_feeds::Roots::below(root.to_str().unwrap()).unwrap();
    let index = world.directory.path().join("index");
    seawall_feeds::build(&roots, &seawall_feeds::ALL, &index).unwrap();
    let patience = Duration::from_secs(60);
    let path = format!("/images/{}", image["id"].as_str().unwrap());
    let matched = world.wait(&path, patience, |image| !image["counts"].is_null()).await;
    // The advisories for Django in this export carry no severity.
    assert!(matched["counts"]["unknown"].as_u64().unwrap() > 0, "Django 1.0 is old: {matched}");
    let gaps = matched["coverage_problems"].as_array().unwrap();
    assert!(gaps.is_empty(), "no Debian package, no gap: {gaps:?}");
    let findings = world.items(&format!("{path}/findings?limit=500")).await;
    assert!(findings.iter().all(|finding| finding["package"] == "django"));
    let packages = world.items(&format!("{path}/packages")).await;
    assert!(packages[0]["counts"]["unknown"].as_u64().unwrap() > 0);
    let work = world.wait("/recommendations", patience, |page| page["total"]["value"] == 1).await;
    assert_eq!(work["items"][0]["rule"], "update:pypi/django");
    assert_eq!(work["items"][0]["severity"], "unknown");
    assert_eq!(work["items"][0]["title"], "Vulnerable PyPI package django");
    let score = world.wait("/scores", patience, |score| score["secure"] == 0.0).await;
    assert_eq!(score["groups"][0]["group"], "vulnerabilities");
}
