//! Batches: firings into alerts, once each; the alert state machine.
use crate::bench::{Bench, DAY, NOW, assessed, fired, firing, grant, inventory, running};
use seawall_model::admission::{Gap, StoredDecision};
use seawall_model::alert::{Alert, AlertState, DismissReason};
use seawall_model::asset::{Agent, AgentRole, Dropped};
use seawall_model::package::Target;
use seawall_model::record::Record;
use seawall_model::scope::ScopePath;
use seawall_store::*;

pub(crate) async fn firings_join_alerts(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let shell = |time| fired(firing("SW-D-1", Some("shop"), "Deployment/web", time));
    let other = |time| fired(firing("SW-D-1", Some("shop"), "Deployment/db", time));
    // A late firing counts and reaches back; the latest is shown.
    let changed =
        bench.send(&agent, vec![shell(NOW), other(NOW), shell(NOW + 5), shell(NOW - 5)]).await;
    assert_eq!(changed.alerts.len(), 2);
    let alert = bench.alert(changed.alerts[0].id).await;
    assert_eq!(alert, changed.alerts[0]);
    assert_eq!((alert.count, alert.first, alert.last), (3, NOW - 5, NOW + 5));
    assert_eq!(alert.firing.time, NOW + 5);
    assert_eq!(alert.firing.location.cluster, "prod", "the hub knows the name");
    assert_eq!(alert.firing.process[0].exec_id, "18446744073709551615");

    let again = bench.send(&agent, vec![shell(NOW + 9)]).await;
    assert_eq!((again.alerts[0].id, again.alerts[0].count), (alert.id, 4));
    assert!(again.alerts[0].revision > alert.revision);

    // After closing, fresh evidence opens a new one that links back.
    let step = AlertStep::Dismiss { reason: DismissReason::Test, note: "drill".to_owned() };
    bench.store.step_alert(&Visible::system(), alert.id, &step, "alice", None).await.unwrap();
    let next = bench.send(&agent, vec![shell(NOW + 20), shell(NOW + 21)]).await.alerts.remove(0);
    assert_eq!((next.previous, next.count, next.first), (Some(alert.id), 2, NOW + 20));
    assert_eq!(bench.alert(alert.id).await.count, 4, "the closed one rests");

    let events: Vec<StoredFiring> =
        bench.seen(&Visible::system(), &format!("alert:{}", alert.id)).await;
    assert_eq!(events.len(), 4);
    let times: Vec<i64> = events.iter().map(|event| event.time - NOW).collect();
    assert_eq!(times, [9, 5, 0, -5], "newest first");
    assert_eq!(bench.all::<StoredFiring>().await.len(), 7);
}

pub(crate) async fn an_agents_clock_is_bounded(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let (oldest, newest) = (NOW - 400 * DAY, NOW + 600_000);
    let times = [
        ("late", NOW - DAY, NOW - DAY),
        ("ahead", NOW + 60_000, NOW + 60_000),
        ("future", i64::MAX, newest),
        ("past", i64::MIN, oldest),
    ];
    for (workload, told, kept) in times {
        let fired = fired(firing("SW-D-1", None, workload, told));
        let alert = bench.send(&agent, vec![fired]).await.alerts.remove(0);
        assert_eq!((alert.first, alert.last, alert.firing.time), (kept, kept, kept), "{workload}");
    }
    let events: Vec<StoredFiring> = bench.all().await;
    assert_eq!((events[0].time, events[3].time), (newest, oldest));
}

pub(crate) async fn batches_commit_once(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let store = &bench.store;
    let batch = |sequence, time| Batch {
        agent: agent.id,
        sequence,
        records: vec![fired(firing("SW-D-1", None, "w", time))],
        dropped: vec![Dropped { class: "ring:data".to_owned(), count: 3 }],
    };
    assert!(matches!(store.ingest(batch(1, NOW)).await.unwrap(), Ingested::Committed(_)));
    assert!(matches!(store.ingest(batch(1, NOW)).await.unwrap(), Ingested::Duplicate { last: 1 }));
    // A spool that lost batches goes on further up.
    assert!(matches!(store.ingest(batch(5, NOW)).await.unwrap(), Ingested::Committed(_)));
    assert!(matches!(store.ingest(batch(4, NOW)).await.unwrap(), Ingested::Duplicate { last: 5 }));
    assert_eq!(store.watermark(agent.id).await.unwrap(), Some(5));
    let alerts = bench.all::<Alert>().await;
    assert_eq!((alerts.len(), alerts[0].count), (1, 2));
    let agent: Agent = store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
    assert_eq!(agent.dropped, [Dropped { class: "ring:data".to_owned(), count: 6 }]);
    assert_eq!(agent.last_sequence, 5);
    let stranger = Batch { agent: seawall_model::Id::new(NOW, [9; 10]), ..batch(1, NOW) };
    assert!(matches!(store.ingest(stranger).await.unwrap(), Ingested::Refused));
}

/// A sensor's certificate, taken from its node, was good for decisions, assessments and the end of all objects.
pub(crate) async fn agents_tell_what_is_theirs(bench: &Bench) {
    let sensor = bench.agent("prod", "node-1").await;
    let cluster_agent = bench.companion(&sensor).await;
    let of = |source: &str| {
        let mut firing = firing("SW-D-1", Some("shop"), source, NOW);
        source.clone_into(&mut firing.source);
        fired(firing)
    };
    let gap = Gap { from: NOW, to: NOW, requests: None, reason: "restart".to_owned() };
    let decision = crate::admission::decision(NOW);
    let node = Target::Node { name: "node-1".to_owned() };
    let (sensors, agents) = (&[AgentRole::Sensor][..], &[AgentRole::ClusterAgent][..]);
    let table = [
        (of("syscall"), sensors),
        (of("a newer source"), sensors),
        (of("k8s_audit"), agents),
        (of("hub"), &[]),
        (inventory(node, Vec::new()), sensors),
        (crate::bench::node_facts("node-1", &[]), sensors),
        (running(Vec::new()), sensors),
        (Record::Capabilities(Vec::new()), sensors),
        (assessed("shop", "web", &[], NOW), agents),
        (Record::Sync { since: NOW + 1 }, agents),
        (Record::Decision(Box::new(decision)), agents),
        (Record::Gap(gap), agents),
        (Record::AuditSeen { last: NOW, events: 1 }, agents),
    ];
    let mut refused = [0, 0];
    for (sequence, (record, who)) in (100..).zip(&table) {
        for (agent, refused) in [&sensor, &cluster_agent].into_iter().zip(&mut refused) {
            *refused += u64::from(!who.contains(&agent.role));
            let (records, dropped) = (vec![record.clone()], Vec::new());
            let batch = Batch { agent: agent.id, sequence, records, dropped };
            let done = bench.store.ingest(batch).await.unwrap();
            assert!(matches!(done, Ingested::Committed(_)), "{record:?}: {done:?}");
            let now: Agent = bench.store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
            let counted = now.dropped.iter().find(|lost| lost.class == "hub:not-of-role");
            assert_eq!(counted.map_or(0, |lost| lost.count), *refused, "{record:?}");
        }
    }
    let sources: Vec<String> =
        bench.all::<StoredFiring>().await.into_iter().map(|event| event.firing.source).collect();
    assert_eq!(sources.len(), 3, "{sources:?}");
    assert!(!sources.contains(&"hub".to_owned()));
    assert_eq!(bench.all::<StoredDecision>().await.len(), 1);
}

/// Two agents of one cluster send the same correlation at the same time: one alert, every firing counted.
pub(crate) async fn agents_of_one_cluster_meet(bench: &Bench) {
    const BATCHES: u64 = 20;
    let mut tasks = Vec::new();
    for name in ["node-1", "node-2"] {
        let agent = bench.agent("prod", name).await;
        let store = bench.store.clone();
        tasks.push(tokio::spawn(async move {
            for sequence in 1..=BATCHES {
                let records =
                    ["SW-D-1", "SW-D-2"].map(|rule| fired(firing(rule, Some("shop"), "w", NOW)));
                let records = records.to_vec();
                let batch = Batch { agent: agent.id, sequence, records, dropped: Vec::new() };
                assert!(matches!(store.ingest(batch).await.unwrap(), Ingested::Committed(_)));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let counts: Vec<u64> = bench.all::<Alert>().await.iter().map(|alert| alert.count).collect();
    assert_eq!(counts, [2 * BATCHES, 2 * BATCHES]);
    assert_eq!(bench.all::<StoredFiring>().await.len() as u64, 4 * BATCHES);
}

pub(crate) async fn alerts_follow_the_state_machine(bench: &Bench) {
    use AlertState::{Active, Dismissed, InProgress, Resolved};
    let agent = bench.agent("prod", "node-1").await;
    let store = &bench.store;
    let alert = bench
        .send(&agent, vec![fired(firing("SW-D-1", Some("shop"), "w", NOW))])
        .await
        .alerts
        .remove(0);
    let dismiss =
        AlertStep::Dismiss { reason: DismissReason::Expected, note: "planned".to_owned() };
    let everything = Visible::system();
    let step = async |step: &AlertStep| {
        let done = store.step_alert(&everything, alert.id, step, "alice", None).await;
        done.map(|alert| alert.unwrap().state)
    };
    let refused = |result: Result<AlertState>| matches!(result, Err(Error::Transition { .. }));
    assert!(refused(step(&AlertStep::Reopen).await));
    assert_eq!(step(&AlertStep::Take).await.unwrap(), InProgress);
    assert!(refused(step(&AlertStep::Take).await));
    assert_eq!(step(&AlertStep::Resolve).await.unwrap(), Resolved);
    assert!(refused(step(&dismiss).await));
    assert_eq!(step(&AlertStep::Reopen).await.unwrap(), Active);
    assert_eq!(step(&dismiss).await.unwrap(), Dismissed);
    let dismissed = bench.alert(alert.id).await;
    let dismissal = dismissed.dismissal.unwrap();
    assert_eq!(
        (dismissal.by.as_str(), dismissal.note.as_str(), dismissal.at),
        ("alice", "planned", NOW)
    );

    // A newer open one of the same correlation keeps the old one closed.
    bench.send(&agent, vec![fired(firing("SW-D-1", Some("shop"), "w", NOW))]).await;
    assert!(refused(step(&AlertStep::Reopen).await));

    let stale = store.step_alert(&everything, alert.id, &AlertStep::Reopen, "alice", Some(1)).await;
    assert!(matches!(stale, Err(Error::Stale { expected: 1, current: 5 })), "{stale:?}");
    let elsewhere = grant(&agent.scope, Some(&["bank"]));
    let hidden = store.step_alert(&elsewhere, alert.id, &AlertStep::Reopen, "alice", None).await;
    assert!(matches!(hidden, Ok(None)), "what is not visible does not exist");
}

pub(crate) async fn bulk_steps(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let store = &bench.store;
    let records = (0..6)
        .map(|n| fired(firing("SW-D-1", Some(["shop", "bank"][n % 2]), &format!("w{n}"), NOW)));
    let alerts = bench.send(&agent, records.collect()).await.alerts;
    let visible = grant(&ScopePath::root(), None);
    let shop = Selection::Filter("namespace:shop".to_owned());
    let bulk = async |visible: &Visible, selection: &Selection, step: &AlertStep, dry| {
        let done = store.step_alerts(visible, selection, step, "alice", dry).await.unwrap();
        (done.matched, done.changed)
    };
    let take = AlertStep::Take;
    assert_eq!(bulk(&visible, &shop, &take, true).await, (3, 3));
    assert!(
        bench.seen::<Alert>(&visible, "state:in_progress").await.is_empty(),
        "a dry run changes nothing"
    );
    assert_eq!(bulk(&visible, &shop, &take, false).await, (3, 3));
    assert_eq!(bulk(&visible, &shop, &take, false).await, (3, 0));
    let ids = Selection::Ids(alerts.iter().map(|alert| alert.id).collect());
    assert_eq!(bulk(&grant(&agent.scope, Some(&["bank"])), &ids, &take, false).await, (3, 3));
    assert_eq!(bulk(&grant(&ScopePath::root().child("x"), None), &ids, &take, false).await, (0, 0));
    assert_eq!(bulk(&visible, &ids, &AlertStep::Resolve, false).await, (6, 6));
    // Two closed alerts of one correlation: one may reopen.
    let twin = fired(firing("SW-D-1", Some("shop"), "w0", NOW));
    let twin = bench.send(&agent, vec![twin]).await.alerts.remove(0);
    store.step_alert(&visible, twin.id, &AlertStep::Resolve, "alice", None).await.unwrap();
    let all = Selection::Filter(String::new());
    assert_eq!(bulk(&visible, &all, &AlertStep::Reopen, true).await, (7, 6));
    assert_eq!(bulk(&visible, &all, &AlertStep::Reopen, false).await, (7, 6));
}
