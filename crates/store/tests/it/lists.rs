//! Paging, cursors, facets, search, errors.
use crate::bench::*;
use seawall_model::alert::Alert;
use seawall_model::asset::Asset;
use seawall_model::finding::State;
use seawall_store::*;
use std::cmp::Ordering;

/// Alerts with repeating, absent and multi-byte values.
async fn fill(bench: &Bench, count: usize) {
    let agent = bench.agent("prod", "node-1").await;
    let firings = (0..count).map(|n| {
        let namespace = [None, Some("shop"), Some("bank"), Some("Ärger"), Some("zoo")][n % 5];
        let mut firing = firing(
            &format!("SW-D-{}", n % 3),
            namespace,
            &format!("w{n:03}"),
            NOW - (n as i64 % 7),
        );
        firing.lost_nearby = n as u64 % 4;
        fired(firing)
    });
    bench.send(&agent, firings.collect()).await;
}

/// Walks the list in pages of `limit`.
async fn walk(bench: &Bench, sort: &str, limit: u32, filter: &str) -> Vec<Alert> {
    let mut query =
        Query { filter: filter.to_owned(), sort: Some(sort.to_owned()), limit, ..Query::default() };
    let mut all = Vec::new();
    loop {
        let page: Page<Alert> = bench.store.list(&Visible::system(), &query).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        assert!(page.total.exact);
        all.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => {
                assert_eq!(page.total.value as usize, all.len(), "{sort}");
                return all;
            }
        }
    }
}

pub(crate) async fn pages_meet(bench: &Bench) {
    fill(bench, 53).await;
    let everything = walk(bench, "-last", 500, "").await;
    assert_eq!(everything.len(), 53);
    let namespace = |alert: &Alert| alert.firing.location.namespace.clone();
    let absent_last = |a: &Alert, b: &Alert, descending: bool| match (namespace(a), namespace(b)) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
    };
    for (sort, descending) in [("namespace", false), ("-namespace", true)] {
        let mut expected = everything.clone();
        let tie = |a: &Alert, b: &Alert| if descending { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) };
        expected.sort_by(|a, b| absent_last(a, b, descending).then_with(|| tie(a, b)));
        for limit in [1, 7, 10, 53] {
            assert_eq!(walk(bench, sort, limit, "").await, expected, "{sort} by {limit}");
        }
    }
    for sort in
        ["last", "-last", "lost", "-lost", "severity", "workload", "-detection", "actor", "age"]
    {
        let whole = walk(bench, sort, 500, "").await;
        assert_eq!(walk(bench, sort, 9, "").await, whole, "{sort}");
        assert_eq!(whole.len(), 53);
    }
    assert_eq!(walk(bench, "-lost", 4, "namespace:shop").await.len(), 11);
}

pub(crate) async fn exports_hold_all_that_was_there(bench: &Bench) {
    use futures::{StreamExt, TryStreamExt};
    let agent = bench.agent("prod", "node-1").await;
    let count = 2 * MAX_LIMIT as usize + 7;
    let fire = async |numbers: std::ops::Range<usize>, time| {
        let firing = |n| fired(firing("SW-D-1", Some("shop"), &format!("w{n:04}"), time));
        bench.send(&agent, numbers.map(firing).collect()).await
    };
    fire(0..count, NOW).await;
    for sort in [None, Some("workload"), Some("-last"), Some("count")] {
        let query = Query {
            filter: "namespace:shop".to_owned(),
            within: "detection:SW-D-1".to_owned(),
            sort: sort.map(str::to_owned),
            ..Query::default()
        };
        let before: Vec<Alert> = bench.seen(&Visible::system(), "").await;
        let rows = bench.store.export::<Alert>(Visible::system(), query);
        futures::pin_mut!(rows);
        let mut exported = vec![rows.next().await.unwrap().unwrap().id];
        // What the list is sorted by moves, something arrives, something no longer matches.
        bench.clock.advance(1_000);
        let now = seawall_model::time::Clock::now(bench.clock.as_ref());
        fire(0..count, now).await;
        fired_elsewhere(bench, &agent, now).await;
        let rest: Vec<Alert> = rows.try_collect().await.unwrap();
        exported.extend(rest.iter().map(|alert| alert.id));
        if sort == Some("workload") {
            let names: Vec<_> = rest.iter().map(|alert| &alert.firing.location.workload).collect();
            assert!(names.is_sorted(), "ordered as asked");
        }
        let shop = before.iter().filter(|alert| is_shop(alert));
        let mut expected: Vec<_> = shop.map(|alert| alert.id).collect();
        expected.sort_unstable();
        exported.sort_unstable();
        assert_eq!(exported, expected, "{sort:?}");
    }
}

pub(crate) async fn pages_are_bounded_in_bytes(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    for n in 0..5 {
        let mut firing = firing("SW-D-1", Some("shop"), &format!("w{n:03}"), NOW + n);
        firing.output = "x".repeat(3 << 20);
        bench.send(&agent, vec![fired(firing)]).await;
    }
    let query = Query { limit: 50, ..Query::default() };
    let page: Page<Alert> = bench.store.list(&Visible::system(), &query).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some(), page.total.value), (2, true, 5));
    assert_eq!(walk(bench, "workload", 50, "").await.len(), 5, "and the next page goes on");
}

fn is_shop(alert: &Alert) -> bool {
    alert.firing.location.namespace.as_deref() == Some("shop")
}

async fn fired_elsewhere(bench: &Bench, agent: &seawall_model::asset::Agent, time: i64) {
    let fresh = format!("fresh{time}");
    bench.send(agent, vec![fired(firing("SW-D-1", Some("bank"), &fresh, time))]).await;
}

pub(crate) async fn a_filter_stays_inside(bench: &Bench) {
    fill(bench, 20).await;
    let within = async |filter: &str| {
        let query = Query {
            filter: filter.to_owned(),
            within: "namespace:shop".to_owned(),
            ..Query::default()
        };
        let page = bench.store.list::<Alert>(&Visible::system(), &query).await;
        page.map(|page| page.items.iter().filter(|alert| !is_shop(alert)).count())
    };
    for filter in ["", "namespace:bank OR namespace:shop", "-namespace:shop"] {
        assert_eq!(within(filter).await.unwrap(), 0, "{filter}");
    }
    for (filter, position) in [("x) OR (namespace:bank", 2), ("namespce:shop", 1), ("\"x", 1)] {
        match within(filter).await {
            Err(Error::Filter(error)) => assert_eq!(error.position, position, "{filter}: {error}"),
            other => panic!("{filter}: {other:?}"),
        }
    }
}

pub(crate) async fn cursors_belong(bench: &Bench) {
    fill(bench, 5).await;
    let store = &bench.store;
    let everything = Visible::system();
    let query = Query { filter: "age:<7d".to_owned(), limit: 2, ..Query::default() };
    let page: Page<Alert> = store.list(&everything, &query).await.unwrap();
    let after = page.next.unwrap();
    let follow = async |query: Query| store.list::<Alert>(&everything, &query).await;
    // Relative times stay those of the first page.
    bench.clock.advance(30 * DAY);
    let next = follow(Query { after: Some(after.clone()), ..query.clone() }).await.unwrap();
    assert_eq!((next.items.len(), next.total.value), (2, 5));
    let other_filter =
        Query { filter: "age:<8d".to_owned(), after: Some(after.clone()), ..query.clone() };
    let other_sort =
        Query { sort: Some("last".to_owned()), after: Some(after.clone()), ..query.clone() };
    let mut changed = after.clone();
    changed.replace_range(..1, if after.starts_with('0') { "1" } else { "0" });
    let changed = Query { after: Some(changed), ..query.clone() };
    for wrong in [other_filter, other_sort, changed] {
        assert!(matches!(follow(wrong).await, Err(Error::Cursor)));
    }
    let foreign = Query { filter: String::new(), after: Some(after), ..query };
    assert!(matches!(store.list::<Asset>(&everything, &foreign).await, Err(Error::Cursor)));
}

pub(crate) async fn facets_counts_and_search(bench: &Bench) {
    fill(bench, 20).await;
    let store = &bench.store;
    let everything = Visible::system();
    let facet = async |filter: &str, field: &str| {
        let facets = store.facet::<Alert>(&everything, filter, field, 3).await.unwrap();
        let shown = facets.into_iter().map(|facet| (facet.value.unwrap_or_default(), facet.count));
        shown.collect::<Vec<_>>()
    };
    let pair = |value: &str, count| (value.to_owned(), count);
    assert_eq!(facet("", "severity").await, [pair("high", 20)]);
    assert_eq!(
        facet("-namespace:zoo", "namespace").await,
        [pair("bank", 4), pair("shop", 4), pair("Ärger", 4)]
    );
    assert_eq!(
        facet("namespace:zoo,shop", "detection").await,
        [pair("SW-D-1", 4), pair("SW-D-0", 2), pair("SW-D-2", 2)]
    );
    assert_eq!(store.count::<Alert>(&everything, "namespace:*").await.unwrap(), 16);

    let agent = bench.agent("test", "agent").await;
    bench
        .send(&agent, vec![assessed("shop", "Straßenbahn", &[("SW-C-1", State::Unhealthy)], NOW)])
        .await;
    let hits = store.search(&everything, "STRASSENBAHN", 5).await.unwrap();
    assert!(hits.is_empty(), "folding is by character: ß stays ß");
    let hits = store.search(&everything, " straßen  DEPLOY ", 5).await.unwrap();
    let found: Vec<(&str, &str)> = hits.iter().map(|hit| (hit.noun, hit.title.as_str())).collect();
    assert_eq!(found, [("asset", "Deployment/Straßenbahn"), ("finding", "Title of SW-C-1")]);
    let hits = store.search(&everything, "ärger w003", 5).await.unwrap();
    assert_eq!(
        (hits.len(), hits[0].noun, hits[0].subtitle.as_str()),
        (1, "alert", "prod / Ärger / w003")
    );
    assert!(store.search(&grant(&agent.scope, None), "ärger", 5).await.unwrap().is_empty());
    assert!(store.search(&everything, "  ", 5).await.unwrap().is_empty());
    assert_eq!(store.search(&everything, "w0", 2).await.unwrap().len(), 2);
}

pub(crate) async fn errors_point_at_their_place(bench: &Bench) {
    let store = &bench.store;
    let everything = Visible::system();
    let check =
        async |filter: &str, position: usize, words: &str, nearest: Option<&str>| match store
            .count::<Alert>(&everything, filter)
            .await
        {
            Err(Error::Filter(error)) => {
                assert_eq!(
                    (error.position, error.nearest.as_deref()),
                    (position, nearest),
                    "{error}"
                );
                assert!(error.message.contains(words), "{error}");
            }
            other => panic!("{filter}: {other:?}"),
        };
    check("sevrity:high", 1, "did you mean `severity`?", Some("severity")).await;
    check("x severity:hihg", 12, "did you mean `high`?", Some("high")).await;
    check("https://example.org", 1, "quote it", None).await;
    check("state:open", 7, "active, in_progress", None).await;
    check("namespace:>a", 12, "has no order", None).await;
    check("count:many", 7, "whole number", None).await;
    check("last:soon", 6, "2026-01-31", None).await;
    check("last:7d", 6, "last:<7d", None).await;
    check("severity:<unknown", 11, "neither above nor below", None).await;
    check("(a", 1, "not closed", None).await;
    let sort = |sort: &str| Query { sort: Some(sort.to_owned()), ..Query::default() };
    for (wrong, near) in [("-lst", Some("last")), ("tactic", None)] {
        match store.list::<Alert>(&everything, &sort(wrong)).await {
            Err(Error::Sort { nearest, .. }) => {
                assert!(near.is_none() || nearest.as_deref() == near, "{nearest:?}")
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    // Every field of every noun can be asked for and sorted by, in words of its kind.
    for table in TABLES {
        for info in table.field_infos() {
            assert!(!info.name.is_empty() && !info.kind.is_empty());
        }
    }
}
