//! Signing in: first password, cookies, origins, throttles, ends.
use crate::world::{MINUTE, PASSWORD, World};
use reqwest::Method;
use seawall_hub::Hub;
use seawall_model::time::{Clock, FixedClock, SystemClock};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_password_must_be_changed_before_anything_else() {
    let world = World::start().await;
    let created = json!({"name": "Reader", "password": "a first password"});
    let user = world.post("/users", created).await.expect(201);
    let role = json!({"principal": {"kind": "user", "id": user["id"]}, "role": "security_reader",
        "scope": "/org/", "namespaces": null});
    world.post("/roles", role).await.expect(201);
    let cookie = world.sign_in("reader", "a first password").await;
    let session = world.browser(&cookie, Method::GET, "/session", None).await.expect(200);
    assert_eq!(session["user"]["must_change_password"], true);
    let refused = world.browser(&cookie, Method::GET, "/alerts", None).await.expect(403);
    assert_eq!(refused["type"], "/problems/password-change-required");

    for (new, pointer) in [("short", "/new"), ("a first password", "/new")] {
        let change = json!({"current": "a first password", "new": new});
        let refused = world.browser(&cookie, Method::PUT, "/session/password", Some(change)).await;
        assert_eq!(refused.expect(400)["errors"][0]["pointer"], pointer);
    }
    let wrong = json!({"current": "not the password", "new": PASSWORD});
    let refused = world.browser(&cookie, Method::PUT, "/session/password", Some(wrong)).await;
    assert_eq!(refused.expect(400)["errors"][0]["pointer"], "/current");
    let change = json!({"current": "a first password", "new": PASSWORD});
    world.browser(&cookie, Method::PUT, "/session/password", Some(change)).await.expect(204);
    world.browser(&cookie, Method::GET, "/alerts", None).await.expect(200);
    let session = world.browser(&cookie, Method::GET, "/session", None).await.expect(200);
    assert_eq!(
        session["roles"],
        json!([{"role": "security_reader", "scope": "/org/", "namespaces": null}])
    );
    assert_eq!(session["actions"], json!(["view", "view_audit"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_bound_to_the_hubs_own_pages() {
    let world = World::start().await;
    let answer = world.try_sign_in("admin", PASSWORD).await;
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["__Host-seawall=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let origins =
        [(Some("https://evil.example"), 403), (None, 403), (Some(world.base.as_str()), 204)];
    for (origin, status) in origins {
        let mut request = world.client.delete(world.url("/session")).header("cookie", &cookie);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        World::answer(request).await.expect(status);
    }
    world.browser(&cookie, Method::GET, "/session", None).await.expect(401);
    let foreign = world.client.post(world.url("/session")).header("origin", "https://evil.example");
    let body = json!({"user": "admin", "password": PASSWORD});
    World::answer(foreign.json(&body)).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_when_idle_and_after_twelve_hours() {
    let world = World::start().await;
    let idle = world.sign_in("admin", PASSWORD).await;
    world.clock.advance(59 * MINUTE);
    world.browser(&idle, Method::GET, "/session", None).await.expect(200);
    world.clock.advance(61 * MINUTE);
    world.browser(&idle, Method::GET, "/session", None).await.expect(401);
    let busy = world.sign_in("admin", PASSWORD).await;
    for _ in 0..14 {
        world.clock.advance(50 * MINUTE);
        world.browser(&busy, Method::GET, "/session", None).await.expect(200);
    }
    world.clock.advance(50 * MINUTE);
    world.browser(&busy, Method::GET, "/session", None).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_throttled_and_told_in_the_audit_log() {
    let world = World::start().await;
    world.clock.advance(10 * MINUTE);
    for _ in 0..5 {
        let refused = world.try_sign_in("ADMIN", "a wrong password").await.expect(401);
        assert_eq!(refused["type"], "/problems/wrong-password");
    }
    let throttled = world.try_sign_in("admin", PASSWORD).await;
    assert_eq!(throttled.header("retry-after"), "12");
    throttled.expect(429);
    // The address: 20 a minute, whatever the account.
    for guess in 0..14 {
        world.try_sign_in(&format!("user{guess}"), "a wrong password").await.expect(401);
    }
    world.try_sign_in("user14", "a wrong password").await.expect(429);
    world.clock.advance(12 * 1000);
    world.sign_in("admin", PASSWORD).await;
    let refused = world.items("/audit?filter=action:session.refuse&limit=100").await;
    assert_eq!(refused.len(), 19);
    assert_eq!(refused.last().unwrap()["actor"], "user:ADMIN");
    let check = world.get("/audit/verify").await.expect(200);
    assert_eq!(check["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_out_at_once_and_the_last_owner_stays() {
    let world = World::start().await;
    let created = json!({"name": "short-lived", "password": PASSWORD});
    let user = world.post("/users", created).await.expect(201);
    let cookie = world.sign_in("short-lived", PASSWORD).await;
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    let send = |tag: Option<&'static str>, disabled: bool| {
        let mut request = world.client.patch(world.url(&path)).bearer_auth(&world.owner);
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        World::answer(request.json(&json!({"disabled": disabled})))
    };
    let patch = |disabled: bool| send(Some("*"), disabled);
    send(None, true).await.expect(428);
    send(Some("W/\"1\""), true).await.expect(412);
    send(Some("\"7\", \"8\""), true).await.expect(412);
    let changed = send(Some("\"7\", \"1\""), true).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    send(Some("\"1\""), false).await.expect(412);
    patch(true).await.expect(200);
    world.browser(&cookie, Method::GET, "/session", None).await.expect(401);
    world.try_sign_in("short-lived", PASSWORD).await.expect(401);
    patch(false).await.expect(200);
    let reset = world.post(&format!("{path}/reset-password"), json!({})).await.expect(200);
    let cookie = world.sign_in("short-lived", reset["password"].as_str().unwrap()).await;
    let session = world.browser(&cookie, Method::GET, "/session", None).await.expect(200);
    assert_eq!(session["user"]["must_change_password"], true);

    let users = world.items("/users?filter=name:admin").await;
    let admin = users[0]["id"].as_str().unwrap();
    let request = world.client.delete(world.url(&format!("/users/{admin}")));
    let refused = World::answer(request.bearer_auth(&world.owner)).await.expect(409);
    assert_eq!(refused["type"], "/problems/last-owner");
    let roles = world.items(&format!("/roles?filter=user:{admin}")).await;
    let role = format!("/roles/{}", roles[0]["id"].as_str().unwrap());
    let request = world.client.delete(world.url(&role)).bearer_auth(&world.owner);
    World::answer(request).await.expect(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_has_fifty_requests_a_second() {
    let world = World::start().await;
    world.clock.advance(MINUTE);
    for _ in 0..100 {
        world.get("/session").await.expect(200);
    }
    let throttled = world.get("/session").await;
    assert_eq!(throttled.header("retry-after"), "1");
    throttled.expect(429);
    world.clock.advance(20);
    world.get("/session").await.expect(200);
    World::answer(world.client.get(world.url("/session"))).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_behind_a_trusted_proxy_are_throttled_apart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    for (trusted, status) in [(vec!["127.0.0.0/8".parse().unwrap()], 401), (Vec::new(), 429)] {
        let mut config = crate::world::config(directory.path(), clock.clone());
        config.trusted_proxies = trusted;
        let hub = Hub::start(config).await.unwrap();
        let url = format!("https://127.0.0.1:{}/api/v1/session", hub.address().port());
        let client = crate::world::client(&hub);
        let sign_in = |guess: usize, address: &str| {
            let body = json!({"user": format!("user{guess}"), "password": "a wrong password"});
            World::answer(client.post(&url).header("x-forwarded-for", address).json(&body))
        };
        for guess in 0..20 {
            sign_in(guess, "192.0.2.7").await.expect(401);
        }
        sign_in(20, "192.0.2.7").await.expect(429);
        sign_in(21, "192.0.2.8").await.expect(status);
        hub.shutdown().await;
    }
}
