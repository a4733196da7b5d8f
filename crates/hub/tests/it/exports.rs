//! Lists: pages, fields, totals, exports.
use crate::records::firing;
use crate::world::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_exports_hold_everything() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let firings =
        (0..7).map(|n| firing("prod", &format!("Deployment/web{n}"), 1_795_000_000_000 + n));
    agent.send(firings.collect()).await;

    let mut seen = Vec::new();
    let mut path = "/alerts?sort=workload&limit=3".to_owned();
    loop {
        let page = world.get(&path).await.expect(200);
        assert_eq!(page["total"], json!({"value": 7, "exact": true}));
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items.iter().map(|item| item["where"]["workload"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/alerts?sort=workload&limit=3&after={next}");
    }
    let expected: Vec<String> = (0..7).map(|n| format!("Deployment/web{n}")).collect();
    assert_eq!(seen, expected);
    let page = world.get("/alerts?sort=workload&limit=3").await.expect(200);
    let foreign = format!("/alerts?sort=-workload&after={}", page["next"].as_str().unwrap());
    world.get(&foreign).await.expect(400);

    let fields = world.items("/alerts?sort=workload&limit=1&fields=where.workload,count").await;
    assert_eq!(fields, [json!({"where.workload": "Deployment/web0", "count": 1})]);
    let refused = world.get("/alerts?fields=workload").await.expect(400);
    assert_eq!(refused["errors"][0]["pointer"], "?fields");

    let export = async |accept: &str, query: &str| {
        let request = world.client.get(world.url(&format!("/alerts?{query}")));
        let answer =
            World::answer(request.bearer_auth(&world.owner).header("accept", accept)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    let csv = export("text/csv", "sort=workload&fields=where.workload,output&limit=2").await;
    assert!(csv.header("content-disposition").contains("seawall-alerts.csv"));
    let mut lines = csv.text.lines();
    assert_eq!(lines.next(), Some("where.workload,output"));
    assert_eq!(lines.next(), Some("Deployment/web0,'=cmd|shell"), "no cell is a formula");
    assert_eq!(lines.count(), 6, "an export has no limit");
    let whole = export("text/csv", "").await;
    assert!(whole.text.starts_with("id,scope,state,"), "{}", whole.text);
    let lines = export("application/x-ndjson", "filter=workload:Deployment/web3").await;
    let alert: Value = serde_json::from_str(lines.text.trim()).unwrap();
    assert_eq!(alert["where"]["workload"], "Deployment/web3");
    let refused = world.client.get(world.url("/alerts?filter=(")).bearer_auth(&world.owner);
    World::answer(refused.header("accept", "text/csv")).await.expect(400);

    let audit = world.items("/audit?filter=action:export.alerts").await;
    assert_eq!(audit.len(), 3);
    assert_eq!(audit[0]["detail"]["filter"], "workload:Deployment/web3");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_filters_and_search_answer() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/payments", 1_795_000_000_000)]).await;
    let hits = world.get("/search?q=payments").await.expect(200);
    assert_eq!(hits["items"][0]["noun"], "alert", "{hits}");
    let controls = world.items("/controls").await;
    assert!(!controls.is_empty());
    let id = controls[0]["id"].as_str().unwrap();
    let control = world.get(&format!("/controls/{id}")).await.expect(200);
    assert!(control["text"].as_str().unwrap().contains(id));
    let fields = world.get("/filters/alerts").await.expect(200);
    let severity =
        fields.as_array().unwrap().iter().find(|field| field["name"] == "severity").unwrap();
    assert_eq!(
        (&severity["type"], &severity["values"][0]),
        (&json!("severity"), &json!("critical"))
    );
    world.get("/filters/planets").await.expect(404);
    let overview = world.get("/overview").await.expect(200);
    assert_eq!(overview["alerts"]["high"], 1);
    assert_eq!(overview["clusters"][0]["freshness"], "fresh");
    assert_eq!(overview["agents"]["connected"], 1);
    assert_eq!(overview["empty"], json!(["no-images", "no-sensor", "no-index"]));
    world.get("/overview?scope=/org/none/").await.expect(200);
    world.get("/overview?scope=org").await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_memory_keep_the_contract_of_lists() {
    let world = World::start().await;
    let all = world.items("/detections").await;
    assert!(all.len() >= 2, "{all:?}");
    let total = json!({"value": all.len(), "exact": true});
    let mut seen = Vec::new();
    let mut path = "/detections?sort=-id&limit=1&fields=id".to_owned();
    loop {
        let page = world.get(&path).await.expect(200);
        assert_eq!(page["total"], total);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/detections?sort=-id&limit=1&fields=id&after={next}");
    }
    let expected: Vec<Value> = all.iter().rev().map(|item| json!({"id": item["id"]})).collect();
    assert_eq!(seen, expected);
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(world.items(&format!("/detections?filter=id:{id}")).await, [all[0].clone()]);
    for (query, pointer) in [
        ("fiter=x", "?fiter"),
        ("limit=abc", "?limit"),
        ("filter=colour:red", "?filter"),
        ("sort=colour", "?sort"),
        ("after=abc", "?after"),
        ("fields=colour", "?fields"),
    ] {
        for list in ["/detections", "/controls", "/alerts"] {
            let refused = world.get(&format!("{list}?{query}")).await.expect(400);
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{list}: {refused}");
        }
    }
    for (accept, start) in
        [("text/csv", "id,severity\r\n"), ("application/x-ndjson", "{\"id\":\"SW-C-")]
    {
        let request = world.client.get(world.url("/controls?fields=id,severity"));
        let request = request.bearer_auth(&world.owner).header("accept", accept);
        let answer = World::answer(request).await;
        assert!(answer.text.starts_with(start), "{answer:?}");
    }
    let exports = world.items("/audit?filter=action:export.controls").await;
    assert_eq!(exports.len(), 2, "an export is in the audit log");
}
