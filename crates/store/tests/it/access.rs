//! Users, sessions, roles, tokens, the audit log, idempotency keys, settings.
use crate::bench::{Bench, DAY, NOW};
use seawall_model::access::{Principal, Role, User};
use seawall_model::scope::{ScopeKind, ScopePath};
use seawall_store::*;
use serde_json::json;

const HOUR: i64 = 3_600_000;

async fn user(bench: &Bench, name: &str) -> User {
    let password_hash = "$argon2id$x".to_owned();
    let new = NewUser { name: name.to_owned(), password_hash, must_change_password: true };
    bench.store.create_user(&new).await.unwrap()
}

async fn owner(bench: &Bench, user: &User) -> seawall_model::access::RoleAssignment {
    bench.store.assign_role(&root_owner(user)).await.unwrap()
}

fn root_owner(user: &User) -> NewAssignment {
    NewAssignment {
        principal: Principal::User { id: user.id },
        role: Role::Owner,
        scope: ScopePath::root(),
        namespaces: None,
    }
}

pub(crate) async fn users_and_sessions(bench: &Bench) {
    let store = &bench.store;
    let alice = user(bench, " Ålice ").await;
    assert_eq!(alice.name, "Ålice");
    let again = NewUser {
        name: "ålicE".to_owned(),
        password_hash: String::new(),
        must_change_password: false,
    };
    assert!(matches!(store.create_user(&again).await, Err(Error::Exists { .. })));
    let nameless = NewUser { name: " ".to_owned(), ..again };
    assert!(matches!(
        store.create_user(&nameless).await,
        Err(Error::Invalid { field: "name", .. })
    ));

    let credential = store.credential("ÅLICE").await.unwrap().unwrap();
    assert_eq!((credential.user.id, credential.password_hash.as_str()), (alice.id, "$argon2id$x"));
    assert!(store.credential("bob").await.unwrap().is_none());

    for digest in ["s1", "s2"] {
        store.create_session(digest, alice.id, NOW + 12 * HOUR).await.unwrap();
    }
    let (session, found) = store.session("s1", HOUR).await.unwrap().unwrap();
    assert_eq!((session.user, found.id, session.expires), (alice.id, alice.id, NOW + 12 * HOUR));
    let changed = store.set_password(alice.id, "$new", false, Some("s1")).await.unwrap().unwrap();
    assert!(!changed.must_change_password);
    assert!(store.session("s1", HOUR).await.unwrap().is_some(), "the session in use is kept");
    assert!(store.session("s2", HOUR).await.unwrap().is_none(), "others end with the password");
    assert_eq!(store.credential("ålice").await.unwrap().unwrap().password_hash, "$new");

    // Use moves the idle limit; disuse and the absolute limit end the session.
    for _ in 0..3 {
        bench.clock.advance(HOUR - 1);
        assert!(store.session("s1", HOUR).await.unwrap().is_some());
    }
    bench.clock.advance(HOUR);
    assert!(store.session("s1", HOUR).await.unwrap().is_none());
    store.create_session("s3", alice.id, NOW + 12 * HOUR).await.unwrap();
    bench.clock.advance(9 * HOUR);
    assert!(store.session("s3", DAY).await.unwrap().is_none());
    assert_eq!(store.purge_sessions(HOUR).await.unwrap(), 2);

    store.signed_in(alice.id).await.unwrap();
    let seen: User = store.get(&Visible::system(), alice.id).await.unwrap().unwrap();
    assert!(seen.last_sign_in > Some(NOW));
    assert_eq!(store.credential("ålice").await.unwrap().unwrap().password_hash, "$new");
}

/// Two hubs start on one empty database.
pub(crate) async fn one_first_owner(bench: &Bench) {
    let new = |name: &str| NewUser {
        name: name.to_owned(),
        password_hash: String::new(),
        must_change_password: true,
    };
    let hub = || async {
        // SQLite has one process; there the two only race for the transaction.
        match &bench.location {
            Location::Directory(_) => bench.store.create_first_owner(&new("admin")).await.unwrap(),
            location => {
                let store =
                    Store::open(location, crate::bench::context(&bench.clock)).await.unwrap();
                let made = store.create_first_owner(&new("admin")).await.unwrap();
                store.close().await;
                made
            }
        }
    };
    let (a, b, c) = futures::join!(hub(), hub(), hub());
    let made: Vec<User> = [a, b, c].into_iter().flatten().collect();
    assert_eq!(made.len(), 1);
    let roles = bench.store.roles_of(&[Principal::User { id: made[0].id }]).await.unwrap();
    assert_eq!((roles.len(), roles[0].role), (1, Role::Owner));
    assert_eq!(roles[0].scope, ScopePath::root());
    assert!(bench.store.create_first_owner(&new("other")).await.unwrap().is_none());
}

pub(crate) async fn the_last_owner_stays(bench: &Bench) {
    let store = &bench.store;
    let (alice, bob) = (user(bench, "alice").await, user(bench, "bob").await);
    let first = owner(bench, &alice).await;
    assert!(matches!(store.assign_role(&root_owner(&alice)).await, Err(Error::Exists { .. })));
    assert!(matches!(store.remove_role(first.id).await, Err(Error::LastOwner)));
    assert!(matches!(store.set_disabled(alice.id, true, None).await, Err(Error::LastOwner)));
    assert!(matches!(store.delete_user(alice.id).await, Err(Error::LastOwner)));
    assert_eq!(store.roles_of(&[Principal::User { id: alice.id }]).await.unwrap().len(), 1);
    // Somebody who holds nothing goes freely, and a disabled Owner does not count.
    let second = owner(bench, &bob).await;
    store.create_session("b", bob.id, NOW + DAY).await.unwrap();
    assert!(store.set_disabled(bob.id, true, None).await.unwrap().unwrap().disabled);
    assert!(store.session("b", DAY).await.unwrap().is_none());
    assert!(matches!(store.remove_role(first.id).await, Err(Error::LastOwner)));
    store.set_disabled(bob.id, false, None).await.unwrap();
    assert!(store.remove_role(first.id).await.unwrap());
    assert!(matches!(store.remove_role(second.id).await, Err(Error::LastOwner)));
    assert!(store.delete_user(alice.id).await.unwrap());
    assert!(!store.delete_user(alice.id).await.unwrap());

    // Places of a grant.
    let cluster = bench.scope(&ScopePath::root(), ScopeKind::Cluster, "prod").await;
    let at = |scope: &ScopePath, namespaces: Option<Vec<String>>| NewAssignment {
        role: Role::Contributor,
        scope: scope.clone(),
        namespaces,
        ..root_owner(&bob)
    };
    let shop = || Some(vec!["shop".to_owned()]);
    store.assign_role(&at(&cluster, shop())).await.unwrap();
    let every = || Some(vec!["shop".to_owned(), "*".to_owned()]);
    let refused =
        [at(&ScopePath::root(), shop()), at(&cluster, Some(Vec::new())), at(&cluster, every())];
    for new in refused {
        assert!(matches!(
            store.assign_role(&new).await,
            Err(Error::Invalid { field: "namespaces", .. })
        ));
    }
    let nowhere = at(&ScopePath::root().child("nowhere"), None);
    assert!(matches!(store.assign_role(&nowhere).await, Err(Error::Missing { .. })));
    assert!(matches!(store.assign_role(&root_owner(&alice)).await, Err(Error::Missing { .. })));
}

pub(crate) async fn tokens_expire(bench: &Bench) {
    let store = &bench.store;
    let new = NewToken {
        name: "ci".to_owned(),
        digest: "d1".to_owned(),
        role: Role::SecurityReader,
        scope: ScopePath::root(),
        namespaces: None,
        expires: NOW + DAY,
    };
    let token = store.create_token(&new).await.unwrap();
    let found = store.token_by_digest("d1").await.unwrap().unwrap();
    assert_eq!((found.id, found.last_used), (token.id, Some(NOW)));
    assert_eq!(found.assignment().principal, Principal::Token { id: token.id });
    let listed = bench.all::<Token>().await;
    assert_eq!(listed[0].last_used, Some(NOW), "the live column shows in lists");
    assert!(store.token_by_digest("d2").await.unwrap().is_none());
    bench.clock.advance(DAY);
    assert!(store.token_by_digest("d1").await.unwrap().is_none(), "expired");
    assert_eq!(store.purge_tokens(DAY).await.unwrap(), 0);
    assert_eq!(store.purge_tokens(0).await.unwrap(), 1);
    assert!(!store.delete_token(token.id).await.unwrap());
}

fn entry(action: &str) -> NewAuditEntry {
    NewAuditEntry {
        actor: "user:alice".to_owned(),
        action: action.to_owned(),
        target: "alerts/1".to_owned(),
        detail: json!({"z": 0.1, "a": [1.5e300, "é\u{0}", null], "n": 1.7976931348623157e308}),
    }
}

pub(crate) async fn the_audit_log_shows_tampering(bench: &Bench) {
    let store = &bench.store;
    for number in 1..=5 {
        let appended = store.append_audit(&entry(&format!("step.{number}"))).await.unwrap();
        assert_eq!(appended.position, number);
    }
    let entries = bench.all::<AuditEntry>().await;
    assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    assert_eq!(entries[0].previous, entries[1].hash);
    let check = |ok, entries, broken_at| AuditCheck { ok, entries, broken_at };
    assert_eq!(store.verify_audit().await.unwrap(), check(true, 5, None));

    bench
        .sql("UPDATE audit SET payload = replace(payload, 'step.3', 'step.9') WHERE position = 3")
        .await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 2, Some(3)));
    bench
        .sql("UPDATE audit SET payload = replace(payload, 'step.9', 'step.3') WHERE position = 3")
        .await;
    assert_eq!(store.verify_audit().await.unwrap(), check(true, 5, None));
    // The column that lists filter by is part of the truth.
    bench.sql("UPDATE audit SET actor = 'user:mallory' WHERE position = 2").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 1, Some(2)));
    bench.sql("UPDATE audit SET actor = 'user:alice' WHERE position = 2").await;
    bench.sql("UPDATE audit SET search = '' WHERE position = 2").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 1, Some(2)));
    let restore = "UPDATE audit SET search = (SELECT replace(search, 'step.1', 'step.2') FROM audit \
                   WHERE position = 1) WHERE position = 2";
    bench.sql(restore).await;
    bench.sql("UPDATE audit SET scope = '/org/hidden/' WHERE position = 4").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 3, Some(4)));
    bench.sql("UPDATE audit SET scope = '/org/' WHERE position = 4").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(true, 5, None));
    // The newest entries cannot vanish either, nor one in the middle.
    bench.sql("DELETE FROM audit WHERE position = 5").await;
    bench.sql("UPDATE counters SET value = 4 WHERE name = 'audit'").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 4, Some(5)));
    bench.sql("DELETE FROM settings WHERE name = 'audit-head'").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 4, Some(5)));
    bench.sql("DELETE FROM audit WHERE position = 2").await;
    assert_eq!(store.verify_audit().await.unwrap(), check(false, 1, Some(2)));
}

pub(crate) async fn an_audited_write(bench: &Bench) {
    let store = &bench.store;
    let new =
        NewScope { parent: ScopePath::root(), kind: ScopeKind::Account, name: "a".to_owned() };
    store.audited(entry("scope.create")).create_scope(&new).await.unwrap();
    assert_eq!(bench.all::<AuditEntry>().await.len(), 1);
    // A refused write leaves no entry, and no half.
    assert!(store.audited(entry("scope.create")).create_scope(&new).await.is_err());
    assert_eq!(bench.all::<AuditEntry>().await.len(), 1);
    assert!(store.verify_audit().await.unwrap().ok);
}

pub(crate) async fn idempotency_keys(bench: &Bench) {
    let store = &bench.store;
    let claim =
        |principal: &'static str, body: &'static str| store.claim_request(principal, "k", body);
    let fresh = async |principal, body| match claim(principal, body).await.unwrap() {
        Claim::Fresh(claimed) => claimed,
        other => panic!("{principal} {body}: {other:?}"),
    };
    let alice = fresh("alice", "b1").await;
    assert_eq!(claim("alice", "b1").await.unwrap(), Claim::Running);
    // Keys belong to a principal.
    let bob = fresh("bob", "b2").await;
    store.finish_request(&alice, 201, b"{}").await.unwrap();
    let replay = Claim::Replay { status: 201, body: b"{}".to_vec() };
    assert_eq!(claim("alice", "b1").await.unwrap(), replay);
    assert_eq!(claim("alice", "b2").await.unwrap(), Claim::Mismatch);
    store.release_request(&bob).await.unwrap();
    fresh("bob", "b3").await;
    bench.clock.advance(5 * 60_000);
    // Its hub died before it wrote anything.
    fresh("bob", "b4").await;
    bench.clock.advance(DAY);
    assert_eq!(store.purge_requests().await.unwrap(), 2);
    fresh("alice", "b9").await;
}

pub(crate) async fn a_claimed_write(bench: &Bench) {
    let store = &bench.store;
    let claim = || store.claim_request("alice", "k", "b");
    let fresh = async || match claim().await.unwrap() {
        Claim::Fresh(claimed) => claimed,
        other => panic!("{other:?}"),
    };
    let write = async |claimed: &Claimed, name: &str| {
        let (parent, kind) = (ScopePath::root(), ScopeKind::Account);
        let new = NewScope { parent, kind, name: name.to_owned() };
        store.audited(entry("scope.create")).claimed(claimed.clone()).create_scope(&new).await
    };
    let slow = fresh().await;
    bench.clock.advance(5 * 60_000);
    let claimed = fresh().await;
    // Too late: it might be the second run of one request.
    assert!(matches!(write(&slow, "late").await, Err(Error::GivenUp)));
    write(&claimed, "once").await.unwrap();
    // A committed write is not run again, whatever became of its hub.
    store.release_request(&claimed).await.unwrap();
    assert_eq!(claim().await.unwrap(), Claim::Running);
    bench.clock.advance(5 * 60_000);
    assert_eq!(claim().await.unwrap(), Claim::Done);
    assert_eq!(bench.all::<AuditEntry>().await.len(), 1);
    store.finish_request(&claimed, 201, b"{}").await.unwrap();
    assert_eq!(claim().await.unwrap(), Claim::Replay { status: 201, body: b"{}".to_vec() });
}

pub(crate) async fn settings(bench: &Bench) {
    let store = &bench.store;
    assert_eq!(store.setting("ca").await.unwrap(), None);
    assert_eq!(store.setting_or_insert("ca", &[0, 255]).await.unwrap(), [0, 255]);
    assert_eq!(store.setting_or_insert("ca", b"second").await.unwrap(), [0, 255]);
    store.set_setting("ca", b"rotated").await.unwrap();
    assert_eq!(store.setting("ca").await.unwrap().unwrap(), b"rotated");
}
