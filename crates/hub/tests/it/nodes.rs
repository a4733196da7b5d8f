//! Nodes with and without a sensor, and what is assigned there.
use crate::world::World;
use reqwest::Method;
use seawall_model::finding::{ObjectAssessment, Resource};
use seawall_model::record::Record;
use serde_json::{Value, json};
use std::time::Duration;

/// The rate of a kubelet's events.
const EVENTS: &str = "SW-C-0549";
const PATIENCE: Duration = Duration::from_secs(5);

/// The Node object of `node-1`.
fn object(pool: &str, deleted: bool) -> Record {
    let resource = Resource {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: "node-1".to_owned(),
        uid: Some("uid-node-1".to_owned()),
    };
    let labels = vec![("pool".to_owned(), pool.to_owned())];
    Record::Assessment(Box::new(ObjectAssessment {
        labels,
        deleted,
        ..ObjectAssessment::of(resource, 9)
    }))
}

fn facts(rate: u64) -> Record {
    let document =
        json!({"node": "node-1", "kubelet": {"flags": {}, "config": {"eventRecordQPS": rate}}});
    let facts = serde_json::from_value(document).unwrap();
    Record::Node { facts: Box::new(facts), assessment: None }
}

/// Waits until the rate of events is in that state.
async fn until(world: &World, state: &str) -> Value {
    let path = format!("/findings?filter=rule:{EVENTS}");
    let is = |page: &Value| page["items"][0]["state"] == state;
    let page = world.wait(&path, PATIENCE, is).await;
    page["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_sensor_is_unknown_until_facts_come_and_goes_with_its_object() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![object("a", false)]).await;
    let unread = until(&world, "unknown").await;
    assert_eq!(
        (&unread["reason"], &unread["resource"]),
        (&json!("not-collected"), &json!("Node/node-1"))
    );
    let message = unread["detail"]["message"].as_str().unwrap();
    assert!(message.contains("seawall sensor"), "{message}");
    let score = world.wait("/scores", PATIENCE, |score| score["undecided"] != 0).await;
    assert!(score["groups"].as_array().unwrap().iter().all(|group| group["unhealthy"] == 0));

    let sensor = world.sensor_of(&agent).await;
    sensor.send(vec![facts(500)]).await;
    let judged = until(&world, "unhealthy").await;
    assert_eq!(judged["id"], unread["id"], "the same finding, now a verdict");
    agent.send(vec![object("a", true)]).await;
    let none = |page: &Value| page["total"]["value"] == 0;
    world.wait(&format!("/findings?filter=rule:{EVENTS}"), PATIENCE, none).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_facts_are_judged_anew_by_what_is_assigned() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let sensor = world.sensor_of(&agent).await;
    sensor.send(vec![facts(500)]).await;
    until(&world, "unhealthy").await;
    let assign = async |kind: &str, label: &str| {
        let body = json!({"target": format!("control:{EVENTS}"), "scope": "/org/", "action": "off", "kinds": [kind],
            "labels": [["pool", label]], "params": {"maximum": 1000}});
        let assigned = world.post("/assignments", body).await.expect(201);
        format!("/assignments/{}", assigned["id"].as_str().unwrap())
    };
    assign("Pod", "a").await;
    let of_nodes = assign("Node", "a").await;
    // The labels are those of the object, which comes now.
    agent.send(vec![object("a", false)]).await;
    until(&world, "healthy").await;
    agent.send(vec![object("b", false)]).await;
    until(&world, "unhealthy").await;
    agent.send(vec![object("a", false)]).await;
    until(&world, "healthy").await;
    // New facts are judged so on their way in.
    sensor.send(vec![facts(2_000)]).await;
    until(&world, "unhealthy").await;
    sensor.send(vec![facts(900)]).await;
    until(&world, "healthy").await;
    let request = world.client.request(Method::DELETE, world.url(&of_nodes));
    World::answer(request.bearer_auth(&world.owner)).await.expect(204);
    until(&world, "unhealthy").await;
}
