//! Scopes, enrolment, agents.
use crate::bench::{Bench, DAY, NOW, container, grant, image, new_agent, running};
use seawall_model::asset::{Agent, AgentRole, Capability, CapabilityState, Cluster};
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_store::*;
use std::collections::BTreeSet;

pub(crate) async fn scopes_form_a_tree(bench: &Bench) {
    let store = &bench.store;
    let root = ScopePath::root();
    let team = bench.scope(&root, ScopeKind::Account, "Team A").await;
    assert_eq!(team.as_str(), "/org/team-a/");
    let again =
        NewScope { parent: root.clone(), kind: ScopeKind::Account, name: "team a".to_owned() };
    assert!(matches!(store.create_scope(&again).await, Err(Error::Exists { .. })));
    let orphan = NewScope { parent: root.child("x"), ..again };
    assert!(matches!(store.create_scope(&orphan).await, Err(Error::Missing { .. })));
    let paths = |scopes: Vec<Scope>| -> Vec<String> {
        scopes.iter().map(|scope| scope.path.to_string()).collect()
    };
    assert_eq!(paths(bench.all().await), ["/org/", "/org/team-a/"]);
    assert_eq!(paths(bench.seen(&grant(&team, None), "").await), ["/org/team-a/"]);
    assert!(store.scope(&grant(&team, None), &root).await.unwrap().is_none());
    let mut deep = team;
    let error = loop {
        let name = "d".repeat(48);
        let new = NewScope { parent: deep.clone(), kind: ScopeKind::Account, name };
        match store.create_scope(&new).await {
            Ok(scope) => deep = scope.path,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Invalid { field: "name", .. }), "{error}");

    let made = async |parent: &ScopePath, kind, name: &str| {
        let new = NewScope { parent: parent.clone(), kind, name: name.to_owned() };
        let made = store.create_scope(&new).await;
        made.map(|scope| {
            assert_eq!(scope.path, new.path(), "what is told beforehand is what is stored");
            scope.path
        })
    };
    use ScopeKind::{Account, Cluster, Node, Organisation, Registry};
    let cluster = made(&root, Cluster, " prod ").await.unwrap();
    let long = "x".repeat(49);
    let refused = [
        (&root, Organisation, "second", "kind"),
        (&root, Account, " ", "name"),
        (&root, Account, long.as_str(), "name"),
        (&root, Account, "a\nb", "name"),
        (&root, Account, "..", "name"),
        (&cluster, Account, "team", "parent"),
        (&cluster, Node, "n", "parent"),
    ];
    for (parent, kind, name, expected) in refused {
        match made(parent, kind, name).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected, "{name:?}"),
            other => panic!("{name:?}: {other:?}"),
        }
    }
    let mut paths = BTreeSet::new();
    for name in ["東京", "大阪", "!!", "@@", "Équipe", "Àquipe", "équipf"] {
        assert!(paths.insert(made(&root, Registry, name).await.unwrap()), "{name}");
    }
    assert!(matches!(made(&root, Registry, "ÉQUIPE").await, Err(Error::Exists { .. })));
}

pub(crate) async fn enrolment_refuses(bench: &Bench) {
    let store = &bench.store;
    let root = ScopePath::root();
    let team = bench.scope(&root, ScopeKind::Account, "team").await;
    let other = bench.scope(&root, ScopeKind::Account, "other").await;
    let token = |digest: &str, scope: &ScopePath, manual_accept| NewEnrolment {
        digest: digest.to_owned(),
        scope: scope.clone(),
        expires: NOW + DAY,
        uses_allowed: 1,
        manual_accept,
        trusted: false,
    };
    let one = store.create_enrolment(&token("one", &team, false)).await.unwrap();
    let refused = async |digest: &str, cluster: &str| match store
        .redeem_enrolment(digest, &new_agent(cluster, "n"))
        .await
        .unwrap()
    {
        Redeemed::Refused { reason, .. } => Some(reason),
        Redeemed::Accepted { .. } => None,
    };
    assert_eq!(refused("nothing", "c").await, Some(Refusal::Unknown));
    assert_eq!(refused("one", "prod").await, None);
    assert_eq!(refused("one", "prod").await, Some(Refusal::Used));
    let cluster = store.cluster_by_uid(&Visible::system(), "uid-prod").await.unwrap().unwrap();
    assert_eq!(cluster.scope.as_str(), "/org/team/prod/");
    assert!(store.cluster_by_uid(&grant(&other, None), "uid-prod").await.unwrap().is_none());

    // A cluster that another token of another place brought in.
    store.create_enrolment(&token("foreign", &other, false)).await.unwrap();
    assert_eq!(refused("foreign", "prod").await, Some(Refusal::Foreign));
    let gone = store.create_enrolment(&token("gone", &team, false)).await.unwrap();
    store.revoke_enrolment(&Visible::system(), gone.id).await.unwrap();
    assert_eq!(refused("gone", "x").await, Some(Refusal::Revoked));
    store.create_enrolment(&token("late", &team, false)).await.unwrap();
    bench.clock.advance(DAY);
    assert_eq!(refused("late", "x").await, Some(Refusal::Expired));

    let listed: Vec<Enrolment> = bench.seen(&grant(&team, None), "").await;
    let one = listed.iter().find(|enrolment| enrolment.id == one.id).unwrap();
    assert_eq!((one.uses.len(), one.refused, one.refusals[0].reason), (1, 1, Refusal::Used));
    assert!(listed.iter().all(|enrolment| enrolment.scope == team));
    let too_long = NewEnrolment { expires: NOW + 30 * DAY, ..token("long", &team, false) };
    assert!(matches!(
        store.create_enrolment(&too_long).await,
        Err(Error::Invalid { field: "expires", .. })
    ));
}

pub(crate) async fn acceptance_is_spent(bench: &Bench) {
    let store = &bench.store;
    let root = ScopePath::root();
    let everything = Visible::system();
    let team = bench.scope(&root, ScopeKind::Account, "team").await;
    let token = |digest: &str, uses_allowed, manual_accept| NewEnrolment {
        digest: digest.to_owned(),
        scope: team.clone(),
        expires: NOW + DAY,
        uses_allowed,
        manual_accept,
        trusted: false,
    };
    let redeem = async |digest: &str, cluster: &str| {
        store.redeem_enrolment(digest, &new_agent(cluster, "n")).await.unwrap()
    };
    let waits = async |digest: &str, cluster: &str| match redeem(digest, cluster).await {
        Redeemed::Refused { reason: Refusal::Waiting, twin } => {
            Some(twin.map(|twin| twin.cluster.name))
        }
        Redeemed::Refused { reason, .. } => panic!("{reason:?}"),
        Redeemed::Accepted { .. } => None,
    };
    let accept = async |id, uid: Option<&str>| store.accept_enrolment(&everything, id, uid).await;
    let refused =
        |result: Result<Option<Enrolment>>| matches!(result, Err(Error::Transition { .. }));

    let manual = store.create_enrolment(&token("manual", 3, true)).await.unwrap();
    assert!(refused(accept(manual.id, None).await), "nobody waits yet");
    assert_eq!(waits("manual", "a").await, Some(None));
    assert_eq!(waits("manual", "b").await, Some(None));
    let elsewhere = grant(&root.child("x"), None);
    assert!(store.accept_enrolment(&elsewhere, manual.id, None).await.unwrap().is_none());
    let accepted = accept(manual.id, None).await.unwrap().unwrap();
    let waiting: Vec<_> = accepted.waiting.iter().map(|one| one.cluster_uid.as_str()).collect();
    assert_eq!((waiting, accepted.accepted), (vec!["uid-a"], true), "the newest was let in");
    assert_eq!(
        waits("manual", "a").await,
        Some(None),
        "another cluster's acceptance is not its own"
    );
    assert_eq!(waits("manual", "b").await, None);
    assert_eq!(
        waits("manual", "b").await,
        Some(None),
        "an acceptance is good for one registration"
    );
    assert!(refused(accept(manual.id, Some("uid-c")).await));
    accept(manual.id, Some("uid-a")).await.unwrap().unwrap();
    assert_eq!(waits("manual", "a").await, None);

    // A second agent that shows the UID of a known cluster, whoever was accepted before.
    let second = store.create_enrolment(&token("second", 4, false)).await.unwrap();
    assert_eq!(waits("second", "a").await, Some(Some("a".to_owned())));
    accept(second.id, None).await.unwrap().unwrap();
    assert_eq!(waits("second", "b").await, Some(Some("b".to_owned())));
    assert_eq!(waits("second", "a").await, None);
    assert_eq!(waits("second", "a").await, None, "by now it is this token's own cluster");
    assert_eq!(waits("second", "new").await, None);
    assert_eq!(waits("second", "b").await, Some(Some("b".to_owned())));
    accept(second.id, None).await.unwrap().unwrap();
    assert_eq!(waits("second", "b").await, None);
    let listed: Vec<Enrolment> = bench.seen(&everything, "").await;
    let listed = listed.iter().find(|enrolment| enrolment.id == second.id).unwrap();
    assert_eq!((listed.uses.len(), listed.waiting.len(), listed.admitted.len()), (4, 0, 0));
    let judged = store.judge_enrolment("second", &new_agent("a", "n")).await.unwrap();
    assert_eq!(judged, Some(Refusal::Used));
}

pub(crate) async fn a_key_is_one_clusters(bench: &Bench) {
    let store = &bench.store;
    let first = bench.agent("first", "a").await;
    bench.agent("second", "a").await;
    let document = |keys: &[&str]| keys.join(",").into_bytes();
    let keep = async |uid: &str, keys: &[&str]| {
        store.keep_cluster_trust(uid, keys, document).await.unwrap()
    };
    let kept = async |uid: &str| {
        store.cluster_trust(uid).await.unwrap().map(|kept| String::from_utf8(kept).unwrap())
    };
    let of = async |key: &str| store.cluster_of_key(key).await.unwrap();
    assert!(keep("uid-first", &["k1", "k2"]).await.is_empty());
    assert_eq!(keep("uid-second", &["k2", "k3"]).await, ["k2"]);
    assert_eq!(kept("uid-second").await.as_deref(), Some("k3"), "without the other's key");
    assert_eq!(of("k2").await.as_deref(), Some("uid-first"));
    // What a cluster no longer lists is free.
    assert!(keep("uid-first", &["k1"]).await.is_empty());
    assert_eq!(of("k2").await, None);
    assert!(keep("uid-second", &["k2", "k3"]).await.is_empty());
    assert_eq!(keep("uid-first", &["k1", "k2"]).await, ["k2"]);
    // And what none can use any more.
    assert_eq!(keep("uid-second", &["k1"]).await, ["k1"]);
    store.revoke_agent(&Visible::system(), first.id).await.unwrap();
    assert!(keep("uid-second", &["k1"]).await.is_empty());
    assert_eq!((of("k1").await.as_deref(), of("k3").await), (Some("uid-second"), None));
}

#[track_caller]
fn joined(join: Join) -> JoinedAgent {
    match join {
        Join::Joined(joined) => *joined,
        other => panic!("{other:?}"),
    }
}

/// An agent that a person revoked joined again by its service account.
pub(crate) async fn revocations_hold(bench: &Bench) {
    use AgentRole::{ClusterAgent, Sensor};
    let (store, everything) = (&bench.store, Visible::system());
    let join = async |role, name: &str, account: &str| {
        let service_account = Some(account.to_owned());
        let new = NewAgent { service_account, role, ..new_agent("prod", name) };
        match store.join_agent(&new).await.unwrap() {
            Join::Joined(joined) => Some(joined.agent.id),
            Join::Revoked => None,
            Join::UnknownCluster => panic!("unknown"),
        }
    };
    let revoke = async |id| store.revoke_agent(&everything, id).await.unwrap().unwrap();
    let first = bench.agent("prod", "node-0").await;
    let one = join(Sensor, "node-1", "ns/sensor").await.unwrap();
    revoke(one).await;
    assert_eq!(join(Sensor, "node-1", "ns/sensor").await, None);
    assert!(join(Sensor, "node-1", "ns/other").await.is_some(), "another service account");
    let two = join(Sensor, "node-2", "ns/sensor").await.unwrap();
    // Whose place was taken comes again, also when a person revokes what is gone already.
    assert!(join(Sensor, "node-2", "ns/sensor").await.is_some());
    revoke(two).await;
    assert!(join(Sensor, "node-2", "ns/sensor").await.is_some());

    // Pods of a cluster agent have ever new names: the last one stands for its account.
    let a = join(ClusterAgent, "pod-a", "ns/agent").await.unwrap();
    let b = join(ClusterAgent, "pod-b", "ns/agent").await.unwrap();
    revoke(a).await;
    assert_eq!(join(ClusterAgent, "pod-a", "ns/agent").await, None);
    let c = join(ClusterAgent, "pod-c", "ns/agent").await.unwrap();
    revoke(b).await;
    revoke(c).await;
    assert_eq!(join(ClusterAgent, "pod-d", "ns/agent").await, None);
    assert!(join(Sensor, "node-3", "ns/sensor").await.is_some(), "sensors are not meant");

    // The row may go, as whoever enrols decides.
    assert!(matches!(
        store.forget_agent(&everything, first.id).await,
        Err(Error::Transition { .. })
    ));
    let elsewhere = grant(&ScopePath::root().child("x"), None);
    assert!(store.forget_agent(&elsewhere, one).await.unwrap().is_none());
    store.forget_agent(&everything, one).await.unwrap().unwrap();
    assert!(store.get::<Agent>(&everything, one).await.unwrap().is_none());
    assert!(join(Sensor, "node-1", "ns/sensor").await.is_some());

    // All of a cluster.
    for agent in bench.seen::<Agent>(&everything, "revoked:false").await {
        revoke(agent.id).await;
    }
    assert_eq!(join(Sensor, "node-9", "ns/sensor").await, None);
    bench.agent("prod", "node-1").await;
    assert!(join(Sensor, "node-9", "ns/sensor").await.is_some(), "enrolled anew");
    assert!(join(Sensor, "node-1", "ns/sensor").await.is_some(), "and this one by its name");
    assert_eq!(join(Sensor, "node-2", "ns/sensor").await, None);
    assert_eq!(join(ClusterAgent, "pod-d", "ns/agent").await, None);
}

pub(crate) async fn agents_join(bench: &Bench) {
    let store = &bench.store;
    let join = async |name: &str, account: &str| {
        let service_account = Some(account.to_owned());
        let new = NewAgent { service_account, ..new_agent("prod", name) };
        joined(store.join_agent(&new).await.unwrap())
    };
    let stranger = store.join_agent(&new_agent("nobody", "node-1")).await.unwrap();
    assert!(matches!(stranger, Join::UnknownCluster));
    let first = bench.agent("prod", "node-1").await;
    let shop = image("reg/shop:1", "aa");
    bench.send(&first, vec![running(vec![container("c1", &shop, "shop")])]).await;
    let again = join("node-1", "seawall/sensor").await;
    assert_eq!((again.cluster.name.as_str(), &again.agent.scope), ("prod", &first.scope));
    assert_eq!(again.replaced, [first.id]);
    let listed: Vec<Image> = bench.all().await;
    assert_eq!(listed[0].running_count, 0, "nobody says any longer that it runs");
    let refused = store.agent_renewed(first.id, NOW + DAY).await.unwrap();
    assert!(refused.is_none(), "the lost identity is no good any more");

    // Another name, and another service account on the same node, take nobody's place.
    let other = join("node-2", "seawall/sensor").await;
    let foreign = join("node-1", "team/sensor").await;
    assert!(other.replaced.is_empty() && foreign.replaced.is_empty());
    let last = join("node-1", "seawall/sensor").await;
    assert_eq!(last.replaced, [again.agent.id]);
    let successor = async |agent| store.successor(agent).await.unwrap().map(|agent| agent.id);
    assert_eq!(successor(again.agent.id).await, Some(last.agent.id));
    assert_eq!(successor(other.agent.id).await, None, "it is there itself");
    let living: Vec<Agent> = bench.seen(&Visible::system(), "revoked:false").await;
    let living: BTreeSet<_> = living.into_iter().map(|agent| agent.id).collect();
    assert_eq!(living, BTreeSet::from([last.agent.id, other.agent.id, foreign.agent.id]));
    // What is written of an agent later does not forget whose it is.
    let greeting =
        Greeting { version: String::new(), capabilities: Vec::new(), cluster_version: None };
    store.agent_connected(foreign.agent.id, &greeting).await.unwrap().unwrap();
    assert_eq!(join("node-1", "seawall/sensor").await.replaced, [last.agent.id]);

    let scope = &first.scope;
    let of = async |visible: &Visible, limit: u32| {
        let agents = store.agents_of_cluster(visible, scope, limit).await.unwrap();
        agents.into_iter().map(|agent| agent.id).collect::<Vec<_>>()
    };
    let all = of(&Visible::system(), 10).await;
    assert_eq!((all.len(), all[0]), (3, foreign.agent.id), "the connected one first");
    assert_eq!(of(&Visible::system(), 1).await, [foreign.agent.id]);
    assert_eq!(of(&grant(scope, None), 10).await.len(), 3);
    assert!(of(&grant(&ScopePath::root().child("other"), None), 10).await.is_empty());
}

pub(crate) async fn agents_come_and_go(bench: &Bench) {
    let store = &bench.store;
    let agent = bench.agent("prod", "node-1").await;
    assert_eq!((agent.role, agent.connected, agent.last_sequence), (AgentRole::Sensor, false, 0));
    // Two clusters of one name get two places.
    let twin = NewAgent { cluster_uid: "12345678-twin".to_owned(), ..new_agent("prod", "node-9") };
    let new = NewEnrolment {
        digest: "twin".to_owned(),
        scope: ScopePath::root(),
        expires: NOW + DAY,
        uses_allowed: 1,
        manual_accept: false,
        trusted: false,
    };
    store.create_enrolment(&new).await.unwrap();
    let Redeemed::Accepted { cluster, .. } = store.redeem_enrolment("twin", &twin).await.unwrap()
    else {
        panic!("refused");
    };
    assert_eq!(cluster.scope.as_str(), "/org/12345678-twin/");

    let greeting = Greeting {
        version: "0.1.0".to_owned(),
        capabilities: Vec::new(),
        cluster_version: Some("v1.36.3".to_owned()),
    };
    bench.clock.advance(60_000);
    let connected = store.agent_connected(agent.id, &greeting).await.unwrap().unwrap();
    assert!(connected.connected && connected.version == "0.1.0");
    let clusters: Vec<Cluster> = bench.seen(&Visible::system(), "name:prod version:v1.36*").await;
    assert_eq!((clusters.len(), clusters[0].last_seen), (1, NOW + 60_000));
    assert_eq!(bench.seen::<Agent>(&Visible::system(), "connected:true").await.len(), 1);
    bench.clock.advance(60_000);
    store.agent_seen(agent.id).await.unwrap();
    let seen: Agent = store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
    assert_eq!(seen.last_seen, NOW + 120_000);
    store.agent_disconnected(agent.id).await.unwrap();
    let seen: Agent = store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
    assert!(!seen.connected, "the live column is read back");
    let open = Capability {
        name: "open".to_owned(),
        state: CapabilityState::Full,
        tier: None,
        reason: None,
    };
    let able = Greeting { capabilities: vec![open.clone()], ..greeting.clone() };
    store.agent_connected(agent.id, &able).await.unwrap();
    let again = store.agent_connected(agent.id, &greeting).await.unwrap().unwrap();
    assert_eq!(again.capabilities, [open], "a greeting that tells none takes none away");
    assert_eq!(store.disconnect_all().await.unwrap(), 1);
    assert!(store.agent_renewed(agent.id, NOW + 9 * DAY).await.unwrap().is_some());

    let elsewhere = grant(&cluster.scope, None);
    assert!(store.revoke_agent(&elsewhere, agent.id).await.unwrap().is_none());
    assert!(store.revoke_agent(&Visible::system(), agent.id).await.unwrap().unwrap().revoked);
    assert!(store.agent_connected(agent.id, &greeting).await.unwrap().is_none());
    assert!(store.agent_renewed(agent.id, NOW + 9 * DAY).await.unwrap().is_none());
    let batch = Batch { agent: agent.id, sequence: 1, records: Vec::new(), dropped: Vec::new() };
    assert!(matches!(store.ingest(batch).await.unwrap(), Ingested::Refused));
}

/// Each restart of a cluster agent left a row that lived for ever.
pub(crate) async fn silent_pods_are_retired(bench: &Bench) {
    let store = &bench.store;
    let enrolled = bench.agent("prod", "enrolled").await;
    let join = async |role, name: &str| {
        let service_account = Some("ns/agent".to_owned());
        let new = NewAgent { service_account, role, ..new_agent("prod", name) };
        joined(store.join_agent(&new).await.unwrap()).agent
    };
    let greeting =
        Greeting { version: String::new(), capabilities: Vec::new(), cluster_version: None };
    let held = join(AgentRole::ClusterAgent, "pod-0").await;
    store.agent_connected(held.id, &greeting).await.unwrap().unwrap();
    let sensor = join(AgentRole::Sensor, "node-1").await;
    let one = join(AgentRole::ClusterAgent, "pod-1").await;
    bench.clock.advance(1_000);
    let two = join(AgentRole::ClusterAgent, "pod-2").await;
    let ids = |agents: Vec<Agent>| agents.into_iter().map(|agent| agent.id).collect::<Vec<_>>();
    let retire = async |since| ids(store.retire_agents(since).await.unwrap());
    assert!(retire(NOW).await.is_empty(), "nobody is silent for so long");
    assert_eq!(retire(NOW + 1).await, [one.id]);
    assert!(retire(NOW + 2_000).await.is_empty(), "the last heard stays");
    bench.clock.advance(1_000);
    let three = join(AgentRole::ClusterAgent, "pod-3").await;
    assert_eq!(retire(NOW + 3_000).await, [two.id]);
    let living: BTreeSet<_> =
        ids(bench.seen(&Visible::system(), "revoked:false").await).into_iter().collect();
    assert_eq!(living, BTreeSet::from([enrolled.id, held.id, sensor.id, three.id]));
    // No person revoked them: a pod of that name may come.
    join(AgentRole::ClusterAgent, "pod-1").await;
}
