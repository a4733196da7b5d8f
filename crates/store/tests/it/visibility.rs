//! Tenants are apart; the change feed shows what lists show.
use crate::bench::*;
use seawall_model::alert::Alert;
use seawall_model::asset::{Agent, Asset, Cluster};
use seawall_model::finding::{Finding, FixStatus, State};
use seawall_model::package::Target;
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_model::{Id, Severity};
use seawall_store::*;
use std::collections::BTreeSet;

pub(crate) async fn the_change_feed_resumes(bench: &Bench) {
    let store = &bench.store;
    let mut watch = store.watch_changes();
    let agent = bench.agent("prod", "node-1").await;
    assert!(watch.has_changed().unwrap(), "watchers wake");
    let start = store.last_change().await.unwrap();
    assert_eq!(*watch.borrow_and_update(), start);
    let twice = vec![
        fired(firing("SW-D-1", Some("shop"), "w", NOW)),
        fired(firing("SW-D-2", Some("bank"), "w", NOW)),
    ];
    let alerts = bench.send(&agent, twice).await.alerts;
    let step = AlertStep::Take;
    store.step_alert(&Visible::system(), alerts[1].id, &step, "a", None).await.unwrap();
    let read =
        async |visible: &Visible, after| match store.changes_after(visible, after).await.unwrap() {
            Feed::Changes { items, last } => {
                let items: Vec<_> = items
                    .into_iter()
                    .map(|change| (change.noun, change.id, change.revision))
                    .collect();
                (items, last)
            }
            Feed::Resync { last } => (Vec::new(), u64::MAX - last),
        };
    let alert = |alert: &Alert, revision| ("alert".to_owned(), alert.id, revision);
    let (items, last) = read(&Visible::system(), start).await;
    assert_eq!(items, [alert(&alerts[0], 1), alert(&alerts[1], 1), alert(&alerts[1], 2)]);
    assert_eq!(last, store.last_change().await.unwrap());
    assert_eq!(read(&Visible::system(), last).await, (Vec::new(), last));
    // What is hidden is passed over, not waited for.
    let (items, seen) = read(&grant(&agent.scope, Some(&["shop"])), start).await;
    assert_eq!((items, seen), (vec![alert(&alerts[0], 1)], last));
    assert_eq!(read(&grant(&ScopePath::root().child("x"), None), start).await, (Vec::new(), last));

    assert_eq!(
        read(&Visible::system(), last + 1).await.1,
        u64::MAX - last,
        "from the future: resync"
    );
    store.prune_changes(1).await.unwrap();
    assert_eq!(read(&Visible::system(), start).await.1, u64::MAX - last, "pruned: resync");
    assert_eq!(read(&Visible::system(), last - 1).await.0.len(), 1);
    store.prune_changes(0).await.unwrap();
    assert_eq!(read(&Visible::system(), last).await, (Vec::new(), last));
    assert_eq!(read(&Visible::system(), last - 1).await.1, u64::MAX - last);
}

/// A small generator, so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

const NAMESPACES: [&str; 4] = ["shop", "bank", "kube-system", "a,b"];

/// Random grants × every noun with a place: what the database shows is what [`Visible::shows`] says, nothing else, by
/// list, get, count, export, search and feed.
pub(crate) async fn tenants_are_apart(bench: &Bench) {
    let store = &bench.store;
    let root = ScopePath::root();
    let a = bench.scope(&root, ScopeKind::Account, "a").await;
    let ab = bench.scope(&root, ScopeKind::Account, "ab").await;
    let start = store.last_change().await.unwrap();
    let mut places = vec![root.clone(), a.clone(), ab.clone()];
    for (parent, cluster) in [(&a, "c1"), (&a, "c2"), (&ab, "c3")] {
        let agent = bench.agent_at(parent, cluster, "agent").await;
        places.push(agent.scope.clone());
        for (number, namespace) in NAMESPACES.into_iter().enumerate() {
            let records = vec![
                fired(firing("SW-D-1", Some(namespace), &format!("w{number}"), NOW)),
                assessed(namespace, &format!("web{number}"), &[("SW-C-1", State::Unhealthy)], NOW),
            ];
            bench.send(&agent, records).await;
        }
        bench.send(&agent, vec![fired(firing("SW-D-9", None, "host", NOW))]).await;
    }
    let alerts: Vec<Alert> = bench.all().await;
    let findings: Vec<Finding> = bench.all().await;
    let assets: Vec<Asset> = bench.all().await;
    assert_eq!((alerts.len(), findings.len(), assets.len()), (15, 12, 12));
    let mut dice = Dice(7);
    for _ in 0..60 {
        let grants: Vec<_> = (0..dice.roll(4))
            .map(|_| {
                let names: Vec<&str> =
                    NAMESPACES.into_iter().filter(|_| dice.roll(2) == 0).collect();
                let narrowed = dice.roll(2) == 0 && !names.is_empty();
                assignment(&places[dice.roll(places.len())], narrowed.then_some(&names[..]))
            })
            .collect();
        let visible = Visible::of(&grants);
        let shown = |alert: &&Alert| {
            visible.shows(&alert.scope, alert.firing.location.namespace.as_deref())
        };
        let expected: BTreeSet<Id> = alerts.iter().filter(shown).map(|alert| alert.id).collect();
        let ids =
            |alerts: Vec<Alert>| alerts.iter().map(|alert| alert.id).collect::<BTreeSet<Id>>();
        assert_eq!(ids(bench.seen(&visible, "").await), expected, "{grants:?}");
        let page: Page<Alert> = store.list(&visible, &Query::default()).await.unwrap();
        assert_eq!(page.total.value as usize, expected.len());
        assert_eq!(store.count::<Alert>(&visible, "").await.unwrap() as usize, expected.len());
        let facet = store.facet::<Alert>(&visible, "", "cluster", 9).await.unwrap();
        assert_eq!(facet.iter().map(|facet| facet.count).sum::<u64>() as usize, expected.len());
        for alert in &alerts {
            let got: Option<Alert> = store.get(&visible, alert.id).await.unwrap();
            assert_eq!(got.is_some(), expected.contains(&alert.id));
        }
        let shown =
            |finding: &&Finding| visible.shows(&finding.scope, finding.namespace.as_deref());
        let expected_findings: BTreeSet<Id> =
            findings.iter().filter(shown).map(|finding| finding.id).collect();
        let seen: Vec<Finding> = bench.seen(&visible, "").await;
        assert_eq!(
            seen.iter().map(|finding| finding.id).collect::<BTreeSet<Id>>(),
            expected_findings
        );
        let shown = |asset: &&Asset| visible.shows(&asset.scope, asset.namespace.as_deref());
        let expected_assets: BTreeSet<Id> =
            assets.iter().filter(shown).map(|asset| asset.id).collect();
        let seen: Vec<Asset> = bench.seen(&visible, "").await;
        assert_eq!(seen.iter().map(|asset| asset.id).collect::<BTreeSet<Id>>(), expected_assets);
        let states = store.finding_states(&visible, &root, None).await.unwrap();
        assert_eq!(states.len(), expected_findings.len());
        let places: Vec<Scope> = bench.seen(&visible, "").await;
        assert!(places.iter().all(|scope| visible.touches(&scope.path)));

        let hits = store.search(&visible, "e", 100).await.unwrap();
        let all: BTreeSet<Id> =
            expected.iter().chain(&expected_findings).chain(&expected_assets).copied().collect();
        let tenant = |noun: &str| ["alert", "finding", "asset"].contains(&noun);
        assert!(hits.iter().filter(|hit| tenant(hit.noun)).all(|hit| all.contains(&hit.id)));
        let Feed::Changes { items, .. } = store.changes_after(&visible, start).await.unwrap()
        else {
            panic!("resync")
        };
        let told: BTreeSet<Id> =
            items.iter().filter(|change| tenant(&change.noun)).map(|change| change.id).collect();
        assert_eq!(told, all, "the feed tells of what lists show");
    }
}

pub(crate) async fn namespaces_narrow(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let shop_image = image("reg/shop:1", "aa");
    let requests = package("requests", "2.0");
    let sent = vec![
        inventory(Target::Image { image: shop_image.clone() }, vec![requests.clone()]),
        running(vec![container("c", &shop_image, "shop")]),
    ];
    let id = bench.send(&agent, sent).await.inventories[0];
    let flaws = vec![flaw("CVE-1", &requests, Severity::High, FixStatus::None)];
    bench.store.replace_vulnerabilities(id, flaws, Vec::new()).await.unwrap();
    let (shop, bank) = (grant(&agent.scope, Some(&["shop"])), grant(&agent.scope, Some(&["bank"])));
    // Findings of an image belong to whoever runs it.
    assert_eq!(bench.seen::<Finding>(&shop, "").await.len(), 1);
    assert_eq!(bench.seen::<Finding>(&bank, "").await.len(), 0);
    let image = bench.seen::<Image>(&shop, "").await.remove(0);
    assert!(bench.store.image_packages(&bank, image.id).await.unwrap().is_none());
    // The place itself is known; who watches it is not.
    assert_eq!(bench.seen::<Cluster>(&bank, "").await.len(), 1);
    assert!(bench.seen::<Agent>(&bank, "").await.is_empty());
    let elsewhere = grant(&ScopePath::root().child("x"), None);
    assert!(bench.seen::<Cluster>(&elsewhere, "").await.is_empty());
    let nothing = Visible::of(&[]);
    assert!(nothing.is_empty() && bench.seen::<Finding>(&nothing, "").await.is_empty());
    assert!(bench.seen::<AuditEntry>(&shop, "").await.is_empty());
}
