//! Assignments, decisions, gaps, and what an agent says of audit events.
use crate::bench::*;
use seawall_model::Millis;
use seawall_model::admission::{
    Assignment, Decision, Gap, Narrowing, PolicyAction, StoredDecision, StoredGap, Verdict,
};
use seawall_model::asset::Agent;
use seawall_model::finding::Resource;
use seawall_model::record::Record;
use seawall_model::scope::{ScopeKind, ScopePath};
use seawall_store::*;

pub(crate) async fn assignments_hold_downwards(bench: &Bench) {
    let (store, root) = (&bench.store, ScopePath::root());
    let team = bench.scope(&root, ScopeKind::Account, "team").await;
    let other = bench.scope(&root, ScopeKind::Account, "other").await;
    let new = |scope: &ScopePath, action| NewAdmission {
        target: "control:SW-C-0001".parse().unwrap(),
        scope: scope.clone(),
        narrowing: Narrowing { namespaces: vec!["shop-*".to_owned()], ..Narrowing::default() },
        action,
        params: serde_json::Map::new(),
    };
    let wide = store.create_assignment(&new(&root, PolicyAction::Audit)).await.unwrap();
    let near = store.create_assignment(&new(&team, PolicyAction::Deny)).await.unwrap();
    let nowhere = new(&root.child("nowhere"), PolicyAction::Deny);
    assert!(matches!(store.create_assignment(&nowhere).await, Err(Error::Missing { .. })));
    let at = |mut found: Vec<Assignment>| {
        found.sort_by_key(|one| one.id);
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(at(store.assignments_at(&team.child("prod")).await.unwrap()), [wide.id, near.id]);
    assert_eq!(at(store.assignments_at(&other).await.unwrap()), [wide.id]);
    assert_eq!(at(store.assignments_around(&root).await.unwrap()), [wide.id, near.id]);
    assert_eq!(at(store.assignments_around(&other).await.unwrap()), [wide.id]);

    let seen = grant(&team, None);
    assert_eq!(at(bench.seen(&seen, "action:deny").await), [near.id]);
    let warn = new(&team, PolicyAction::Warn);
    let stale = store.replace_assignment(&seen, near.id, &warn, Some(7)).await;
    assert!(matches!(stale, Err(Error::Stale { .. })));
    let replaced = store.replace_assignment(&seen, near.id, &warn, Some(1)).await.unwrap().unwrap();
    assert_eq!((replaced.action, replaced.revision), (PolicyAction::Warn, 2));
    assert!(store.delete_assignment(&seen, wide.id).await.unwrap().is_none(), "not its own");
    assert!(store.delete_assignment(&seen, near.id).await.unwrap().is_some());
    assert_eq!(at(bench.all().await), [wide.id]);
}

pub(crate) async fn what_agents_say_of_admission(bench: &Bench) {
    let sensor = bench.agent("prod", "agent").await;
    let agent = bench.companion(&sensor).await;
    let decision = decision(NOW);
    let gap = Gap { from: NOW - 5, to: NOW, requests: None, reason: "restart".to_owned() };
    let records = vec![
        Record::Decision(Box::new(decision)),
        Record::Gap(gap),
        Record::AuditSeen { last: NOW, events: 3 },
        Record::AuditSeen { last: NOW - 9, events: 2 },
    ];
    bench.send(&agent, records).await;
    let in_shop = grant(&agent.scope, Some(&["shop"]));
    let denied: Vec<StoredDecision> = bench.seen(&in_shop, "verdict:denied kind:Pod").await;
    assert_eq!(denied[0].decision.agent, "agent", "the agent is who sent it");
    let elsewhere = grant(&agent.scope, Some(&["bank"]));
    assert!(bench.seen::<StoredDecision>(&elsewhere, "").await.is_empty());
    assert!(bench.seen::<StoredGap>(&in_shop, "").await.is_empty(), "a gap is of the cluster");
    assert_eq!(bench.all::<StoredGap>().await[0].gap.requests, None);
    let agent: Agent = bench.store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
    assert_eq!((agent.last_audit_event, agent.audit_events), (Some(NOW), 5));
}

pub(crate) fn decision(time: Millis) -> Decision {
    let resource = Resource {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        namespace: Some("shop".to_owned()),
        name: "web-1".to_owned(),
        uid: None,
    };
    Decision {
        time,
        verdict: Verdict::Denied,
        operation: "CREATE".to_owned(),
        resource,
        owner: None,
        user: "u".to_owned(),
        groups: Vec::new(),
        controls: Vec::new(),
        agent: "somebody else".to_owned(),
    }
}

pub(crate) async fn times_of_admission_are_bounded(bench: &Bench) {
    let sensor = bench.agent("prod", "agent").await;
    let agent = bench.companion(&sensor).await;
    let (oldest, newest) = (NOW - 30 * DAY, NOW + 5 * 60_000);
    let times = [
        (NOW - DAY, NOW - DAY),
        (NOW + 60_000, NOW + 60_000),
        (i64::MAX, newest),
        (i64::MIN, oldest),
    ];
    for (told, kept) in times {
        bench.send(&agent, vec![Record::Decision(Box::new(decision(told)))]).await;
        let decisions: Vec<StoredDecision> = bench.all().await;
        let found = decisions.iter().any(|stored| stored.decision.time == kept);
        assert!(found, "{told}: {decisions:?}");
    }
    let gaps = [
        ((NOW - 5, NOW), (NOW - 5, NOW)),
        ((NOW, NOW - 5), (NOW, NOW)),
        ((i64::MIN, i64::MAX), (oldest, newest)),
        ((i64::MAX, i64::MIN), (newest, newest)),
    ];
    for ((from, to), kept) in gaps {
        let gap = Gap { from, to, requests: None, reason: "restart".to_owned() };
        bench.send(&agent, vec![Record::Gap(gap)]).await;
        let gaps: Vec<StoredGap> = bench.all().await;
        let found = gaps.iter().any(|stored| (stored.gap.from, stored.gap.to) == kept);
        assert!(found, "{from} to {to}: {gaps:?}");
    }
    for (told, kept) in [(i64::MIN, oldest), (NOW, NOW), (i64::MAX, newest)] {
        bench.send(&agent, vec![Record::AuditSeen { last: told, events: 1 }]).await;
        let agent = bench.store.get::<Agent>(&Visible::system(), agent.id).await.unwrap().unwrap();
        assert_eq!(agent.last_audit_event, Some(kept), "{told}");
    }
}

/// Nothing ended them.
pub(crate) async fn decisions_and_gaps_end(bench: &Bench) {
    let sensor = bench.agent("prod", "agent").await;
    let agent = bench.companion(&sensor).await;
    let gap = |to: Millis| {
        let (from, reason) = (to - 5, "restart".to_owned());
        Record::Gap(Gap { from, to, requests: None, reason })
    };
    let old = NOW - DAY;
    // More than one transaction takes.
    for _ in 0..5 {
        let many = std::iter::repeat_n(decision(old), 500);
        bench.send(&agent, many.map(|one| Record::Decision(Box::new(one))).collect()).await;
    }
    let kept = Record::Decision(Box::new(decision(NOW)));
    bench.send(&agent, vec![kept, gap(old), gap(NOW)]).await;
    assert_eq!(bench.store.prune_admission(NOW).await.unwrap(), 2_501);
    let decisions: Vec<StoredDecision> = bench.all().await;
    assert_eq!((decisions.len(), decisions[0].decision.time), (1, NOW));
    let gaps: Vec<StoredGap> = bench.all().await;
    assert_eq!((gaps.len(), gaps[0].gap.to), (1, NOW));
    assert_eq!(bench.store.prune_admission(NOW).await.unwrap(), 0);
}
