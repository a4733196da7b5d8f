//! What every write keeps: idempotency, revisions, problem documents, the audit log.
use crate::records::{assessment_in, firing};
use crate::world::{DAY, World};
use reqwest::Method;
use seawall_model::time::Clock;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_post_is_done_once() {
    let world = World::start().await;
    let send = |key: &'static str, body: Value| {
        let request = world.client.post(world.url("/scopes")).bearer_auth(&world.owner);
        World::answer(request.header("idempotency-key", key).json(&body))
    };
    let body = json!({"parent": "/org/", "kind": "account", "name": "One"});
    let first = send("k1", body.clone()).await.expect(201);
    let again = send("k1", body.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(201), first);
    let other = json!({"parent": "/org/", "kind": "account", "name": "Two"});
    send("k1", other).await.expect(422);
    send("k2", body.clone()).await.expect(409);
    // What failed may be tried again under the same key.
    let wrong = json!({"parent": "/org/", "kind": "account", "name": ""});
    send("k3", wrong.clone()).await.expect(400);
    send("k3", wrong).await.expect(400);
    world.clock.advance(25 * 60 * 60 * 1000);
    send("k1", body).await.expect(409);

    let token = json!({"name": "t", "role": "owner", "scope": "/org/", "namespaces": null,
        "expires": world.clock.now() + DAY});
    let request = || {
        let request = world.client.post(world.url("/tokens")).bearer_auth(&world.owner);
        World::answer(request.header("idempotency-key", "secret").json(&token))
    };
    assert!(request().await.expect(201)["token"].as_str().unwrap().starts_with("swt_"));
    assert_eq!(request().await.expect(201)["token"], Value::Null, "a secret is shown once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_does_not_stop_its_write() {
    let world = World::start().await;
    // Hashing a password takes tens of milliseconds: some of these leave in the middle of it.
    for patience in [1, 3, 10, 30, 60, 100] {
        let name = format!("after-{patience}");
        let body = json!({"name": name, "password": "a first password"});
        let request = || {
            let request = world.client.post(world.url("/users")).bearer_auth(&world.owner);
            request.header("idempotency-key", &name).json(&body)
        };
        let _ = request().timeout(Duration::from_millis(patience)).send().await;
        let started = std::time::Instant::now();
        let created = loop {
            let answer = World::answer(request()).await;
            if answer.status != 409 {
                break answer.expect(201);
            }
            assert_eq!(answer.json()["type"], "/problems/idempotency-running");
            assert!(started.elapsed() < Duration::from_secs(5), "{patience} ms: the key is stuck");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(world.items(&format!("/users?filter=name:{name}")).await, [created]);
        world.clock.advance(1_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_have_a_place_and_a_request_id() {
    let world = World::start().await;
    let check = async |method: Method,
                       path: &str,
                       body: &'static str,
                       status: u16,
                       pointer: &str,
                       says: &str| {
        let request = world.client.request(method, world.url(path)).bearer_auth(&world.owner);
        let request = request.header("content-type", "application/json").body(body);
        let answer = World::answer(request).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        let id = answer.header("x-request-id").to_owned();
        let problem = answer.expect(status);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], Value::String(id));
        let expected = if pointer == "none" { Value::Null } else { json!(pointer) };
        assert_eq!(problem["errors"][0]["pointer"], expected, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    };
    let get = Method::GET;
    check(get.clone(), "/alerts?filter=severty:high", "", 400, "?filter", "severity").await;
    check(get.clone(), "/alerts?filter=(a", "", 400, "?filter", "").await;
    check(get.clone(), "/alerts?sort=colour", "", 400, "?sort", "colour").await;
    check(get.clone(), "/alerts?after=abc", "", 400, "?after", "cursor").await;
    check(get.clone(), "/alerts?colour=red", "", 400, "?colour", "there are filter, sort").await;
    check(get.clone(), "/alerts?fiter=x", "", 400, "?fiter", "did you mean `filter`?").await;
    check(get.clone(), "/alerts?limit=abc", "", 400, "?limit", "digit").await;
    check(get.clone(), "/alerts?limit=1&limit=2", "", 400, "?limit", "duplicate").await;
    check(get.clone(), "/search", "", 400, "?q", "missing").await;
    check(
        get.clone(),
        "/alerts/0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e",
        "",
        404,
        "none",
        "no such alert",
    )
    .await;
    check(get.clone(), "/alerts/no-id", "", 404, "none", "no id").await;
    check(get.clone(), "/nothing", "", 404, "none", "nothing at this address").await;
    check(Method::PUT, "/alerts", "", 405, "none", "method").await;
    let post = Method::POST;
    check(post.clone(), "/scopes", "{", 400, "", "").await;
    check(post.clone(), "/scopes", r#"["/org/","account","x"]"#, 400, "", "not an array").await;
    check(post.clone(), "/scopes", r#"{"name":1}"#, 400, "/name", "expected a string").await;
    check(
        post.clone(),
        "/scopes",
        r#"{"parent":"/org/","kind":"planet","name":"x"}"#,
        400,
        "/kind",
        "account",
    )
    .await;
    check(
        post.clone(),
        "/scopes",
        r#"{"parent":"/org/","colour":1}"#,
        400,
        "/colour",
        "unknown field",
    )
    .await;
    check(
        post.clone(),
        "/scopes",
        r#"{"parent":"/org/none/","kind":"account","name":"x"}"#,
        422,
        "none",
        "",
    )
    .await;
    // A part that is dropped would widen what the rest means.
    check(
        post.clone(),
        "/exemptions",
        r#"{"target":{"rule":"SW-C-0001","namespce":"shop"}}"#,
        400,
        "/target/namespce",
        "unknown field",
    )
    .await;
    check(
        post.clone(),
        "/roles",
        r#"{"principal":{"kind":"group","name":"g","nmae":"h"}}"#,
        400,
        "/principal/nmae",
        "unknown field",
    )
    .await;
    check(
        post,
        "/alerts/bulk",
        r#"{"action":"dismiss","filter":"","note":"n"}"#,
        400,
        "/reason",
        "missing",
    )
    .await;

    let large = "x".repeat((1 << 20) + 1);
    let request = world.client.post(world.url("/scopes")).bearer_auth(&world.owner).body(large);
    World::answer(request).await.expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_and_grants_are_checked_where_they_are_made() {
    let world = World::start().await;
    let scope = |parent: &str, kind: &str, name: &str| json!({"parent": parent, "kind": kind, "name": name});
    world.post("/scopes", scope("/org/", "cluster", "prod")).await.expect(201);
    let role = |name: &str, namespaces: Value| {
        json!({"principal": {"kind": "group", "name": name}, "role": "owner", "scope": "/org/prod/",
            "namespaces": namespaces})
    };
    let token = json!({"name": "t", "role": "owner", "scope": "/org/prod/", "namespaces": ["shop", "*"],
        "expires": world.clock.now() + DAY});
    let mistakes = [
        ("/scopes", scope("/org/", "account", ".."), "/name"),
        ("/scopes", scope("/org/", "account", &"x".repeat(49)), "/name"),
        ("/scopes", scope("/org/", "organisation", "x"), "/kind"),
        ("/scopes", scope("/org/prod/", "account", "x"), "/parent"),
        ("/roles", role("", Value::Null), "/principal/name"),
        ("/roles", role("a\u{7}", Value::Null), "/principal/name"),
        ("/roles", role(&"x".repeat(201), Value::Null), "/principal/name"),
        ("/roles", role("g", json!(["*"])), "/namespaces/0"),
        ("/tokens", token, "/namespaces/1"),
    ];
    for (path, body, pointer) in mistakes {
        let refused = world.post(path, body.clone()).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    let made = world.post("/scopes", scope("/org/", "account", "東京")).await.expect(201);
    let entry = world.items("/audit?filter=action:scope.create&limit=1").await.remove(0);
    assert_eq!(entry["target"], made["path"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_revision_is_refused() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    agent.send(vec![firing("prod", "Deployment/web", 1_795_000_000_000)]).await;
    let alert = world.items("/alerts").await.remove(0);
    let id = alert["id"].as_str().unwrap();
    let get = world.get(&format!("/alerts/{id}")).await;
    let tag = get.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", alert["revision"]));
    let step = |verb: &'static str, tag: Option<String>| {
        let mut request = world.client.post(world.url(&format!("/alerts/{id}/{verb}")));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        World::answer(request.bearer_auth(&world.owner))
    };
    let taken = step("take", Some(tag.clone())).await.expect(200);
    assert_eq!(taken["state"], "in_progress");
    step("resolve", Some(tag)).await.expect(412);
    let keyed = || {
        let request = world.client.post(world.url(&format!("/alerts/{id}/resolve")));
        World::answer(request.bearer_auth(&world.owner).header("idempotency-key", "resolve"))
    };
    let first = keyed().await;
    let again = keyed().await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("etag"), format!("\"{}\"", first.json()["revision"]));
    step("reopen", None).await.expect(200);
    step("resolve", Some("\"x\"".to_owned())).await.expect(412);
    step("resolve", Some("x".to_owned())).await.expect(400);
    let resolved = step("resolve", None).await.expect(200);
    assert_eq!(resolved["state"], "resolved");
    let refused = step("take", None).await.expect(409);
    assert_eq!(refused["type"], "/problems/transition");
    step("reopen", None).await.expect(200);

    let dismiss = |body: Value| async { world.post(&format!("/alerts/{id}/dismiss"), body).await };
    let empty = dismiss(json!({"reason": "test", "note": " "})).await.expect(400);
    assert_eq!(empty["errors"][0]["pointer"], "/note");
    let dismissed = dismiss(json!({"reason": "test", "note": "a drill"})).await.expect(200);
    assert_eq!(dismissed["dismissal"]["by"], "token:tests");

    let actions = world.items(&format!("/audit?filter=target:{id}&sort=position")).await;
    let actions: Vec<_> = actions.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "alert.take",
            "alert.resolve",
            "alert.reopen",
            "alert.resolve",
            "alert.reopen",
            "alert.dismiss",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_steps_preview_and_then_change() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let firings = (0..3).map(|n| firing("prod", &format!("Deployment/web{n}"), 1_795_000_000_000));
    agent.send(firings.collect()).await;
    let body = |dry_run: bool| {
        json!({"action": "dismiss", "filter": "workload:Deployment/web1,Deployment/web2",
        "reason": "expected", "note": "n", "dry_run": dry_run})
    };
    let preview = world.post("/alerts/bulk", body(true)).await.expect(200);
    assert_eq!(preview, json!({"matched": 2, "changed": 2}));
    assert_eq!(world.items("/alerts?filter=state:active").await.len(), 3);
    world.post("/alerts/bulk", body(false)).await.expect(200);
    assert_eq!(world.items("/alerts?filter=state:active").await.len(), 1);
    let again = world.post("/alerts/bulk", body(false)).await.expect(200);
    assert_eq!(again, json!({"matched": 2, "changed": 0}));
    let facets = world.get("/alerts/facets").await.expect(200);
    assert_eq!(facets["state"], json!({"active": 1, "dismissed": 2}));
    assert_eq!(facets["severity"], json!({"high": 3}));
    assert_eq!(facets["detection"][0]["title"], "Shell joined to an outbound connection");
    let both = json!({"action": "take", "ids": [], "filter": ""});
    world.post("/alerts/bulk", both).await.expect(400);
    let wrong = json!({"action": "take", "filter": "("});
    let refused = world.post("/alerts/bulk", wrong).await.expect(400);
    assert_eq!(refused["errors"][0]["pointer"], "/filter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_actors_apart() {
    let world = World::start().await;
    let token = |name: &str| {
        json!({"name": name, "role": "owner", "scope": "/org/", "namespaces": null,
            "expires": world.clock.now() + DAY})
    };
    let created = world.post("/tokens", token("ci")).await.expect(201);
    let taken = world.post("/tokens", token(" ci ")).await.expect(409);
    assert_eq!(taken["type"], "/problems/exists");
    for (path, body) in [
        ("/tokens", token("ci\u{200b}")),
        ("/users", json!({"name": "ad\u{2060}min", "password": "a first password"})),
    ] {
        let refused = world.post(path, body).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], "/name");
    }
    let request =
        world.client.post(world.url("/scopes")).bearer_auth(created["token"].as_str().unwrap());
    let scope = json!({"parent": "/org/", "kind": "account", "name": "One"});
    World::answer(request.json(&scope)).await.expect(201);
    let entry = world.items("/audit?filter=action:scope.create").await.remove(0);
    assert_eq!(entry["actor"], "token:ci");
    assert_eq!(entry["detail"]["principal"], format!("token:{}", created["id"].as_str().unwrap()));
}

/// Every failing finding was counted, of whatever namespace and kind.
#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_tells_how_many_resources_it_would_refuse() {
    let world = World::start().await;
    let agent = world.agent("/org/", "prod").await;
    let failing = |namespace: &str, name: &str, control: &str| {
        assessment_in(namespace, control, name, "unhealthy", &["/spec"])
    };
    let one = "SW-C-0001";
    let records = vec![
        failing("shop", "web", one),
        failing("shop", "db", one),
        failing("bank-a", "web", one),
        failing("kube-system", "dns", one),
    ];
    agent.send(records).await;
    let body = |more: Value| {
        let mut body =
            json!({"target": format!("control:{one}"), "scope": "/org/prod/", "action": "deny"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let table = [
        (json!({}), 3),
        (json!({"namespaces": ["bank-*"]}), 1),
        (json!({"namespaces": ["*"], "excluded_namespaces": ["s*p"]}), 1),
        (json!({"namespaces": ["kube-*"]}), 0),
        (json!({"kinds": ["Deployment", "Pod"]}), 3),
        (json!({"kinds": ["Pod"]}), 0),
    ];
    for (more, expected) in table {
        let made = world.post("/assignments", body(more.clone())).await.expect(201);
        assert_eq!(made["would_refuse"], expected, "{more}");
    }
}

/// They were ignored, and the audit log named the target that was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn target_and_scope_of_an_assignment_stay() {
    let world = World::start().await;
    world.scope("/org/", "team").await;
    let body =
        |target: &str, scope: &str| json!({"target": target, "scope": scope, "action": "warn"});
    let (own, other) = ("control:SW-C-0001", "control:SW-C-0002");
    let made = world.post("/assignments", body(own, "/org/")).await.expect(201);
    let path = world.url(&format!("/assignments/{}", made["id"].as_str().unwrap()));
    let put = |body: Value| {
        let request = world.client.put(&path).bearer_auth(&world.owner).header("if-match", "*");
        World::answer(request.json(&body))
    };
    for (body, pointer) in [(body(other, "/org/"), "/target"), (body(own, "/org/team/"), "/scope")]
    {
        let refused = put(body).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    put(body(own, "/org/")).await.expect(200);
    let log = world.items("/audit?filter=action:assignment.replace").await;
    assert_eq!((log.len(), &log[0]["detail"]["target"]), (1, &json!(own)));
}
