//! Frameworks at a scope: counts, percentages, sections, what a caller sees, exports.
use crate::records::{assessment, assessment_in};
use crate::world::World;
use seawall_model::record::Record;
use serde_json::{Value, json};
use std::time::Duration;

/// A control of the Pod Security Standards, baseline, which restricted includes.
async fn member(world: &World) -> String {
    let detail = world.get("/frameworks/pss-baseline").await.expect(200);
    detail["sections"][0]["controls"][0]["id"].as_str().unwrap().to_owned()
}

fn concerns_nothing(control: &str, name: &str) -> Record {
    let Record::Assessment(mut record) = assessment(control, name, "healthy", &[]) else {
        unreachable!("records::assessment makes one")
    };
    record.healthy.clear();
    record.not_applicable.insert("windows".to_owned(), vec![control.to_owned()]);
    Record::Assessment(record)
}

fn entry<'a>(list: &'a [Value], name: &str) -> &'a Value {
    list.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_percentages_follow_what_is_stored() {
    let world = World::start().await;
    let nothing = world.items("/frameworks").await;
    let baseline = entry(&nothing, "pss-baseline");
    assert_eq!((&baseline["compliance"], &baseline["coverage"]), (&Value::Null, &Value::Null));
    assert_eq!(baseline["not_assessed"], baseline["controls"], "nothing was looked at: {baseline}");
    assert_eq!(entry(&nothing, "cis-k8s")["open_sections"], 2);

    let agent = world.agent("/org/", "prod").await;
    let control = member(&world).await;
    let sent = vec![
        assessment(&control, "db", "healthy", &[]),
        assessment(&control, "web", "unhealthy", &["/spec"]),
        assessment_in("bank", &control, "app", "unknown", &[]),
        concerns_nothing(&control, "win"),
    ];
    agent.send(sent).await;
    let frameworks = world.items("/frameworks").await;
    let baseline = entry(&frameworks, "pss-baseline");
    let controls = baseline["controls"].as_f64().unwrap();
    let expected = (100.0 * (controls - 1.0) + 50.0) / controls;
    assert!((baseline["compliance"].as_f64().unwrap() - expected).abs() < 1e-9, "{baseline}");
    assert!((baseline["coverage"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9, "{baseline}");
    assert_eq!((&baseline["failing"], &baseline["passing"]), (&json!(1), &json!(0)));
    // It is the score's own number, which is counted a moment later.
    let scored = |scores: &Value| {
        let all = scores["compliance"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["framework"] == baseline["id"])
    };
    let scores = world.wait("/scores", Duration::from_secs(5), |scores| scored(scores).is_some());
    let scored = scored(&scores.await).unwrap();
    assert_eq!(scored["score"], baseline["compliance"]);

    let path = format!("/frameworks/{}", baseline["id"].as_str().unwrap());
    let detail = world.get(&path).await.expect(200);
    assert_eq!(detail["compliance"], baseline["compliance"]);
    let of = |detail: &Value| -> Value {
        let sections = detail["sections"].as_array().unwrap().clone();
        let controls = sections.iter().flat_map(|section| section["controls"].as_array().unwrap());
        controls.clone().find(|one| one["id"] == control).unwrap().clone()
    };
    let counts = |one: &Value| {
        ["passed", "failed", "unknown", "not_applicable", "exempt"]
            .map(|count| one[count].as_u64().unwrap())
    };
    let one = of(&detail);
    assert_eq!(counts(&one), [1, 1, 1, 1, 0], "{one}");
    assert_eq!((&one["state"], &one["compliance"]), (&json!("failing"), &json!(50.0)));
    // The same control stands in what includes its framework, under that one's title.
    let restricted = world.get("/frameworks/pss-restricted").await.expect(200);
    assert_eq!(counts(&of(&restricted)), [1, 1, 1, 1, 0]);
    let titles: Vec<&Value> = restricted["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| &section["title"])
        .collect();
    assert_eq!(titles, [&Value::Null, &json!("Pod Security Standards, baseline")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_see_their_scopes_and_namespaces_alone() {
    let world = World::start().await;
    let (a, b) = (world.scope("/org/", "a").await, world.scope("/org/", "b").await);
    let agent = world.agent(&a, "prod").await;
    let control = member(&world).await;
    let sent = vec![
        assessment(&control, "web", "unhealthy", &["/spec"]),
        assessment_in("bank", &control, "app", "unhealthy", &["/spec"]),
    ];
    agent.send(sent).await;
    let failed = async |token: &str, query: &str| {
        let path =
            world.url(&format!("/frameworks/pss-baseline/controls?filter=id:{control}{query}"));
        let answer = World::answer(world.client.get(path).bearer_auth(token)).await;
        answer.status.is_success().then(|| answer.json()["items"][0]["failed"].as_u64().unwrap())
    };
    let everything = world.owner.clone();
    assert_eq!(failed(&everything, "").await, Some(2));
    assert_eq!(failed(&everything, &format!("&scope={b}")).await, Some(0));
    let clusters = world.items("/clusters").await;
    let cluster = clusters[0]["scope"].as_str().unwrap();
    let shop = world.token("security_reader", cluster, Some(&["shop"])).await;
    assert_eq!(failed(&shop, "").await, Some(1));
    assert_eq!(failed(&shop, &format!("&scope={cluster}")).await, None, "no sums of a whole scope");
    let other = world.token("security_reader", &b, None).await;
    assert_eq!(failed(&other, "").await, Some(0));
    assert_eq!(failed(&other, &format!("&scope={a}")).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_a_scope_keep_the_contract_of_lists() {
    let world = World::start().await;
    let gone = world.get("/frameworks/pss-baseline@1.25").await.expect(404);
    assert!(gone["detail"].as_str().unwrap().contains("cis-k8s@1.12"), "{gone}");
    for (query, pointer) in
        [("scop=/org/", "?scop"), ("scope=org", "?scope"), ("filter=colour:red", "?filter")]
    {
        let refused = world.get(&format!("/frameworks?{query}")).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let sections =
        world.items("/frameworks/cis-k8s/controls?filter=section:1.2.9&fields=sections").await;
    assert_eq!(sections, [json!({"sections": ["1.2.9"]})]);
    let request = world.client.get(world.url("/frameworks/cis-k8s/controls?scope=/org/&sort=id"));
    let csv = World::answer(request.bearer_auth(&world.owner).header("accept", "text/csv")).await;
    let head =
        "id,title,severity,preview,sections,state,passed,failed,unknown,not_applicable,exempt,";
    assert!(csv.text.starts_with(head), "{}", csv.text);
    let audit = world.items("/audit?filter=action:export.framework_controls").await;
    let detail = &audit[0]["detail"];
    assert_eq!((&detail["filter"], &detail["scope"]), (&json!(""), &json!("/org/")));
    for noun in ["frameworks", "framework-controls", "decisions", "gaps", "assignments"] {
        let fields = world.get(&format!("/filters/{noun}")).await.expect(200);
        assert!(fields.as_array().unwrap().len() > 3, "{noun}: {fields}");
    }
}
