//! Server-sent events: what changed, for who may see it, from where the client stood.
use crate::records::firing;
use crate::world::World;
use futures::StreamExt;
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
