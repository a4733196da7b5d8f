//! Server-sent events: what changed, for who may see it, from where the client stood.
use crate::records::firing;
use crate::world::{PASSWORD, World};
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

/// Reads events until `done` fits the text, for at most `patience`.
async fn read(
    world: &World,
    token: &str,
    last: Option<&str>,
    patience: Duration,
    done: impl Fn(&str) -> bool,
) -> String {
    let mut request = world.client.get(world.url("/stream")).bearer_auth(token);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.bytes_stream();
    let mut text = String::new();
    let _ = tokio::time::timeout(patience, async {
        while let Some(Ok(bytes)) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&bytes));
            if done(&text) {
                break;
            }
        }
    })
    .await;
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_arrives_and_only_where_it_may_be_seen() {
    let world = World::start().await;
    let (a, b) = (world.scope("/org/", "a").await, world.scope("/org/", "b").await);
    let agent = world.agent(&a, "prod").await;
    let (inside, outside) = (
        world.token("security_reader", &a, None).await,
        world.token("security_reader", &b, None).await,
    );
    // Only a cluster has namespaces.
    let cluster = world.items("/clusters").await[0]["scope"].as_str().unwrap().to_owned();
    let narrowed = world.token("security_reader", &cluster, Some(&["bank"])).await;
    let patience = Duration::from_secs(10);
    let send = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        agent.send(vec![firing("prod", "Deployment/web", 1_795_000_000_000)]).await;
    };
    let is_alert = |text: &str| text.contains("event: alert");
    let (seen, ()) = tokio::join!(read(&world, &inside, None, patience, is_alert), send);
    let alert = world.items("/alerts").await.remove(0);
    let data = format!(
        "data: {{\"id\":{},\"noun\":\"alert\",\"revision\":{}}}",
        alert["id"], alert["revision"]
    );
    assert!(seen.contains(&data), "{seen}");

    let short = Duration::from_millis(500);
    for token in [&outside, &narrowed] {
        let seen = read(&world, token, Some("0"), short, is_alert).await;
        assert!(!seen.contains(alert["id"].as_str().unwrap()), "{seen}");
    }
    // Resumed from the start of the feed, the past is told; from beyond its end, the client starts over.
    let seen = read(&world, &inside, Some("0"), patience, is_alert).await;
    assert!(seen.contains(&data) && !seen.contains("resync"), "{seen}");
    let seen =
        read(&world, &inside, Some("999999999"), patience, |text| text.contains("resync")).await;
    assert!(seen.contains("event: resync"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_hub() {
    let world = World::start().await;
    let response = world.client.get(world.url("/stream")).bearer_auth(&world.owner).send();
    let mut body = response.await.unwrap().bytes_stream();
    let started = std::time::Instant::now();
    let World { hub, .. } = world;
    hub.shutdown().await;
    while let Some(Ok(_)) = body.next().await {}
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// What takes the right to listen away.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Account,
    Role,
    Session,
    Password,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_stream_ends_with_account_role_and_session() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let mut next = 0;
    for loss in [Loss::Account, Loss::Role, Loss::Session, Loss::Password] {
        let name = format!("{loss:?}");
        let created = json!({"name": &name, "password": "a first password"});
        let user = world.post("/users", created).await.expect(201);
        let id = user["id"].as_str().unwrap();
        let role = json!({"principal": {"kind": "user", "id": id}, "role": "owner",
            "scope": "/org/", "namespaces": null});
        let role = world.post("/roles", role).await.expect(201);
        let cookie = world.sign_in(&name, "a first password").await;
        let change = json!({"current": "a first password", "new": PASSWORD});
        world.browser(&cookie, Method::PUT, "/session/password", Some(change)).await.expect(204);
        let stream = world.client.get(world.url("/stream")).header("cookie", &cookie);
        let mut body = stream.send().await.unwrap().bytes_stream();

        let delete = |path: String| {
            World::answer(world.client.delete(world.url(&path)).bearer_auth(&world.owner))
        };
        match loss {
            Loss::Account => delete(format!("/users/{id}")).await.expect(204),
            Loss::Role => {
                delete(format!("/roles/{}", role["id"].as_str().unwrap())).await.expect(204)
            }
            Loss::Session => {
                world.browser(&cookie, Method::DELETE, "/session", None).await.expect(204)
            }
            Loss::Password => {
                world.post(&format!("/users/{id}/reset-password"), json!({})).await.expect(200)
            }
        };
        // Changes come faster than the stream could pause.
        let noise = async {
            loop {
                next += 1;
                agent.send(vec![firing("prod", &format!("Deployment/web{next}"), next)]).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let ended = async { while let Some(Ok(_)) = body.next().await {} };
        tokio::select! {
            () = ended => {}
            () = noise => {}
            () = tokio::time::sleep(Duration::from_secs(5)) => panic!("{loss:?}: still told"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_has_sixteen_streams() {
    let world = World::start().await;
    let other = world.token("security_reader", "/org/", None).await;
    let open = async |token: &str| {
        let request = world.client.get(world.url("/stream")).bearer_auth(token);
        request.send().await.unwrap()
    };
    let mut streams = Vec::new();
    for _ in 0..16 {
        streams.push(open(&world.owner).await);
        assert_eq!(streams.last().unwrap().status(), 200);
    }
    let refused = open(&world.owner).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"5".parse().unwrap())
    );
    assert_eq!(open(&other).await.status(), 200, "principals are apart");
    streams.pop();
    let started = std::time::Instant::now();
    while open(&world.owner).await.status() != 200 {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the seat of a closed stream stays taken"
        );
        world.clock.advance(100);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
