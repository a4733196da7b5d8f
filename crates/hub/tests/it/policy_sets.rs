//! Policy sets: what is taken, what agents are told, and from when on a set may refuse.
use crate::records::{POLICIES, trial};
use crate::world::{Answer, TestAgent, World};
use seawall_model::admission::{Desired, PolicyAction};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn body(name: &str, scope: &str, text: &str, action: &str) -> Value {
    json!({"name": name, "scope": scope, "text": text, "action": action})
}

async fn put(world: &World, set: &Value, body: Value) -> Answer {
    let path = world.url(&format!("/policy-sets/{}", set["id"].as_str().unwrap()));
    let put = world.client.put(path).bearer_auth(&world.owner);
    World::answer(put.header("if-match", "*").json(&body)).await
}

/// What the agent is told last, once it holds.
async fn told(agent: &TestAgent, holds: impl Fn(&Desired) -> bool) -> Arc<Desired> {
    let mut desired = agent.uplink.desired();
    let wanted = async {
        loop {
            let now = desired.borrow_and_update().clone();
            if let Some(now) = now.filter(|now| holds(now)) {
                return now;
            }
            desired.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wanted).await.expect("the hub tells in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_tried_before_it_refuses() {
    let world = World::start().await;
    let prod = world.agent("/org/", "prod").await;
    for action in ["warn", "deny"] {
        let early = world.post("/policy-sets", body("replicas", "/org/", POLICIES, action)).await;
        let early = early.expect(400);
        assert_eq!(early["errors"][0]["pointer"], "/action", "{early}");
        assert!(early["detail"].as_str().unwrap().contains("begins at `audit`"), "{early}");
    }
    let made = world.post("/policy-sets", body(" replicas ", "/org/", POLICIES, "audit")).await;
    let made = made.expect(201);
    assert_eq!((&made["name"], &made["untried"]), (&json!("replicas"), &json!(["prod"])));
    let twice = world.post("/policy-sets", body("replicas", "/org/", POLICIES, "audit")).await;
    assert_eq!(twice.expect(409)["type"], "/problems/exists");

    let desired = told(&prod, |desired| !desired.sets.is_empty()).await;
    let set = &desired.sets[0];
    assert_eq!((set.version, set.action, set.text.as_str()), (1, PolicyAction::Audit, POLICIES));
    let id = set.set.to_string();
    let untried = put(&world, &made, body("replicas", "/org/", POLICIES, "deny")).await.expect(409);
    assert_eq!(untried["type"], "/problems/untried");
    assert!(untried["detail"].as_str().unwrap().contains("tried in prod:"), "{untried}");
    let of_cluster =
        async || world.items("/clusters/status").await[0]["admission"]["policy_sets"].clone();
    let counts = |deny, audit, untried| json!({"sets": 1, "deny": deny, "warn": 0, "audit": audit, "untried": untried});
    assert_eq!(of_cluster().await, counts(0, 1, 1));
    prod.send(vec![trial(&id, 1)]).await;
    assert_eq!(of_cluster().await, counts(0, 1, 0));
    let found = world.get("/search?q=replicas").await.expect(200);
    assert_eq!(
        (&found["items"][0]["noun"], &found["items"][0]["id"]),
        (&json!("policy_set"), &made["id"])
    );
    let raised = put(&world, &made, body("replicas", "/org/", POLICIES, "deny")).await.expect(200);
    assert_eq!((&raised["action"], &raised["untried"]), (&json!("deny"), &json!([])));
    let sums = (&raised["trials"]["clusters"], &raised["trials"]["objects"]["refused"]);
    assert_eq!(sums, (&json!(1), &json!(2)));
    assert_eq!(raised["trials"]["requests"]["refused"], 1);
    let refusing =
        |desired: &Desired| desired.sets.iter().any(|set| set.action == PolicyAction::Deny);
    told(&prod, refusing).await;

    let other = POLICIES.replace("<= 5", "<= 6");
    let changed = put(&world, &made, body("replicas", "/org/", &other, "deny")).await.expect(409);
    assert!(changed["detail"].as_str().unwrap().contains("`audit`"), "{changed}");
    let changed = put(&world, &made, body("replicas", "/org/", &other, "audit")).await.expect(200);
    assert_eq!((&changed["version"], &changed["trials"]["clusters"]), (&json!(2), &json!(0)));
    told(&prod, |desired| desired.sets.iter().any(|set| set.version == 2)).await;
    put(&world, &made, body("replicas", "/org/", &other, "off")).await.expect(200);
    told(&prod, |desired| desired.sets.is_empty()).await;

    let listed = &world.items("/policy-sets?filter=action:off").await[0];
    assert_eq!((&listed["text"], &listed["size"]), (&Value::Null, &json!(other.len())));
    let trials = world.items(&format!("/policy-sets/{id}/trials?filter=cluster:prod")).await;
    assert_eq!(
        (&trials[0]["version"], &trials[0]["samples"][0]["user"]),
        (&json!(1), &json!("ana"))
    );
    world.get("/filters/policy-sets").await.expect(200);
    let log = world.items("/audit?filter=action:policy_set.replace").await;
    assert_eq!(log[0]["detail"]["changes_text"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_load_is_not_kept() {
    let world = World::start().await;
    let team = world.scope("/org/", "team").await;
    let wrong = POLICIES.replace("<= 5'", "<='");
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    let told = world.post("/policy-sets", body("a", "/org/", &(wrong + pod), "audit")).await;
    let told = told.expect(400);
    let errors: Vec<&str> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["detail"].as_str().unwrap())
        .collect();
    assert!(errors[0].starts_with("line 1: ValidatingAdmissionPolicy replicas: "), "{errors:?}");
    assert!(errors.last().unwrap().starts_with("line 9: Pod web: "), "{errors:?}");
    let mistakes = [
        ("/text", json!({"text": ""})),
        ("/text", json!({"text": "#".repeat((512 << 10) + 1)})),
        ("/name", json!({"name": "a\u{200b}"})),
    ];
    for (pointer, change) in mistakes {
        let mut body = body("a", "/org/", POLICIES, "audit");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let told = world.post("/policy-sets", body).await.expect(400);
        assert_eq!(told["errors"][0]["pointer"], pointer, "{told}");
    }
    let made = world.post("/policy-sets", body("a", &team, POLICIES, "audit")).await.expect(201);
    let moved = put(&world, &made, body("a", "/org/", POLICIES, "audit")).await.expect(400);
    assert_eq!(moved["errors"][0]["pointer"], "/scope");
    let broken = put(&world, &made, body("a", &team, "a: [", "audit")).await.expect(400);
    assert_eq!(broken["errors"][0]["pointer"], "/text");

    // Two of these and a third above are more than an agent of the team is told.
    let large = format!("{POLICIES}# {}\n", "x".repeat(500 << 10));
    for name in ["b", "c"] {
        world.post("/policy-sets", body(name, &team, &large, "off")).await.expect(201);
    }
    let over = world.post("/policy-sets", body("d", "/org/", &large, "audit")).await.expect(400);
    assert!(over["detail"].as_str().unwrap().contains("/org/team/"), "{over}");
    let other = world.scope("/org/", "other").await;
    world.post("/policy-sets", body("d", &other, &large, "audit")).await.expect(201);
}
