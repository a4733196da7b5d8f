//! Findings, recommendations, exemptions, scores.
use crate::bench::*;
use seawall_model::asset::Asset;
use seawall_model::exemption::{
    Category, Exemption, ExemptionSource, ExemptionState, ExemptionTarget,
};
use seawall_model::finding::{
    Detail, ExemptionRef, Finding, FindingKind, FixStatus, ObjectAssessment, Resource, State,
};
use seawall_model::package::Target;
use seawall_model::recommendation::{Recommendation, Score, ScoreDelta, Status};
use seawall_model::record::Record;
use seawall_model::scope::ScopePath;
use seawall_model::{Problem, Severity};
use seawall_store::*;

use State::{Healthy, Unhealthy, Unknown};

pub(crate) async fn assessments_replace(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let both = |a, b| assessed("shop", "web", &[("SW-C-1", a), ("SW-C-2", b)], NOW);
    let changed = bench.send(&agent, vec![both(Unhealthy, Healthy)]).await;
    assert_eq!(
        (changed.findings.len(), changed.assets.len()),
        (1, 1),
        "what is in order is no finding"
    );
    assert_eq!(changed.satisfied.iter().collect::<Vec<_>>(), ["SW-C-2"]);
    assert_eq!((changed.findings[0].before, changed.findings[0].after), (None, Some(Unhealthy)));
    let before: Vec<Finding> = bench.seen(&Visible::system(), "rule:SW-C-1").await;
    assert_eq!(before[0].cluster.as_deref(), Some("prod"));
    assert_eq!(
        (before[0].resource.as_str(), before[0].resource_key.as_str()),
        ("Deployment/web", "uid-shop-web")
    );

    // The same again moves nothing but `last`.
    bench.clock.advance(1_000);
    let same = bench.send(&agent, vec![both(Unhealthy, Healthy)]).await;
    assert!(same.findings.is_empty() && same.assets.is_empty() && same.satisfied.is_empty());
    let again: Vec<Finding> = bench.seen(&Visible::system(), "rule:SW-C-1").await;
    assert_eq!((again[0].revision, again[0].last), (before[0].revision, NOW + 1_000));

    let healed = bench.send(&agent, vec![both(Healthy, Healthy)]).await;
    assert_eq!(healed.findings.len(), 1);
    assert_eq!(
        (healed.findings[0].before, healed.findings[0].after),
        (Some(Unhealthy), Some(Healthy))
    );
    let after: Vec<Finding> = bench.seen(&Visible::system(), "rule:SW-C-1").await;
    assert_eq!((after[0].id, after[0].first), (before[0].id, before[0].first));

    // What an assessment no longer names is gone; so is everything of a deleted object.
    let less = bench.send(&agent, vec![assessed("shop", "web", &[("SW-C-2", Healthy)], NOW)]).await;
    assert_eq!((less.findings[0].rule.as_str(), less.findings[0].after), ("SW-C-1", None));
    let mut gone = assessment("shop", "web", &[], NOW);
    gone.deleted = true;
    let gone = bench.send(&agent, vec![Record::Assessment(Box::new(gone))]).await;
    assert_eq!((gone.findings.len(), gone.satisfied.len()), (0, 1));
    assert!(bench.all::<Finding>().await.is_empty() && bench.all::<Asset>().await.is_empty());
    assert!(bench.store.verdicts(&agent.scope).await.unwrap().is_empty());
    assert!(bench.store.tallies(&Visible::system(), &agent.scope).await.unwrap().is_empty());
}

/// Sums by control follow every object, its weight and its exemptions, on both databases to the last tenth.
pub(crate) async fn tallies_follow(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let of = |namespace, name, weight_tenths, state| {
        let mut assessment = assessment(namespace, name, &[("SW-C-1", state)], NOW);
        assessment.weight_tenths = weight_tenths;
        Record::Assessment(Box::new(assessment))
    };
    let everything = Visible::system();
    let tally = async |visible: &Visible| {
        let mut tallies = bench.store.tallies(visible, &agent.scope).await.unwrap();
        let tally = tallies.remove("SW-C-1").unwrap_or_default();
        [tally.healthy, tally.unhealthy, tally.unknown, tally.mitigated, tally.accepted]
            .map(|sum| (sum.resources, sum.tenths))
    };
    let none = (0, 0);
    let sent = vec![
        of("shop", "web", 33, Healthy),
        of("shop", "db", 10, Healthy),
        of("bank", "app", 10, Unhealthy),
        of("bank", "api", 22, Unknown),
    ];
    bench.send(&agent, sent).await;
    assert_eq!(tally(&everything).await, [(2, 43), (1, 10), (1, 22), none, none]);
    let shop = grant(&agent.scope, Some(&["shop"]));
    assert_eq!(tally(&shop).await, [(2, 43), none, none, none, none]);

    // What it does not concern is counted beside, once an object, and moves no score.
    let concerns_nothing = |name, reasons: &[(&str, &[&str])]| {
        let mut assessment = assessment("shop", name, &[], NOW);
        let reason = |(reason, controls): &(&str, &[&str])| {
            ((*reason).to_owned(), controls.iter().map(|&control| control.to_owned()).collect())
        };
        assessment.not_applicable = reasons.iter().map(reason).collect();
        Record::Assessment(Box::new(assessment))
    };
    let not_applicable = async |visible: &Visible, control: &str| {
        let tallies = bench.store.tallies(visible, &agent.scope).await.unwrap();
        tallies.get(control).map(|tally| (tally.not_applicable, tally.is_asked()))
    };
    let win =
        concerns_nothing("win", &[("windows", &["SW-C-1", "SW-C-3"]), ("version", &["SW-C-3"])]);
    let changed = bench.send(&agent, vec![win]).await;
    assert!(changed.satisfied.is_empty(), "{:?}", changed.satisfied);
    assert_eq!(not_applicable(&everything, "SW-C-1").await, Some((1, true)));
    assert_eq!(not_applicable(&shop, "SW-C-3").await, Some((1, false)));
    let bank = grant(&agent.scope, Some(&["bank"]));
    assert_eq!(not_applicable(&bank, "SW-C-3").await, None);
    bench.send(&agent, vec![concerns_nothing("win", &[("version", &["SW-C-1"])])]).await;
    assert_eq!(not_applicable(&everything, "SW-C-1").await, Some((1, true)));
    assert_eq!(not_applicable(&everything, "SW-C-3").await, None);

    // Scaled up, and one turns: the same object never counts twice.
    bench.send(&agent, vec![of("shop", "web", 110, Healthy)]).await;
    bench.send(&agent, vec![of("shop", "db", 10, Unhealthy)]).await;
    assert_eq!(tally(&everything).await, [(1, 110), (2, 20), (1, 22), none, none]);
    bench.send(&agent, vec![of("shop", "db", 10, Healthy)]).await;
    assert_eq!(tally(&everything).await, [(2, 120), (1, 10), (1, 22), none, none]);

    let mut findings: Vec<Finding> = bench.seen(&everything, "state:unhealthy").await;
    let mut exempt = |category: &str| {
        let finding = &mut findings[0];
        finding.state = State::Exempt;
        if let Detail::Control(control) = &mut finding.detail {
            control.state = State::Exempt;
            control.exemption = Some(ExemptionRef {
                id: "e".to_owned(),
                category: category.to_owned(),
                reason: "r".to_owned(),
                by: None,
                expires: None,
            });
        }
        findings.clone()
    };
    bench.store.put_findings(exempt("mitigated")).await.unwrap();
    assert_eq!(tally(&everything).await, [(2, 120), none, (1, 22), (1, 10), none]);
}

/// Facts and inventory share the node's asset, and neither takes the other's findings away.
pub(crate) async fn nodes_are_judged(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let facts =
        |state| crate::bench::node_facts("node-1", &[("SW-C-1", state), ("SW-C-2", Unknown)]);
    let changed = bench.send(&agent, vec![facts(Unhealthy)]).await;
    assert_eq!((changed.findings.len(), changed.assets.len()), (2, 1));
    let target = Target::Node { name: "node-1".to_owned() };
    bench.send(&agent, vec![inventory(target, Vec::new())]).await;
    let assets: Vec<Asset> = bench.all().await;
    assert_eq!((assets.len(), assets[0].kind.as_str()), (1, "Node"));
    let found: Vec<Finding> = bench.seen(&Visible::system(), "rule:SW-C-1").await;
    assert_eq!(
        (found[0].resource.as_str(), found[0].resource_key.as_str()),
        ("Node/node-1", "node-1")
    );
    assert_eq!(found[0].cluster.as_deref(), Some("prod"));
    let healed = bench.send(&agent, vec![facts(Healthy)]).await;
    assert_eq!(
        (healed.findings[0].before, healed.findings[0].after),
        (Some(Unhealthy), Some(Healthy))
    );
    bench.send(&agent, vec![Record::Sync { since: NOW + 10 }]).await;
    assert_eq!(bench.all::<Finding>().await.len(), 2, "a listing of objects ends no node");
}

pub(crate) async fn what_is_said_of_a_node(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let object = |pool: &str, deleted: bool| {
        let resource = Resource {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            namespace: None,
            name: "node-1".to_owned(),
            uid: Some("uid-node-1".to_owned()),
        };
        let labels = vec![("pool".to_owned(), pool.to_owned())];
        let assessment =
            ObjectAssessment { labels, deleted, ..ObjectAssessment::of(resource, NOW) };
        Record::Assessment(Box::new(assessment))
    };
    let facts = |state| crate::bench::node_facts("node-1", &[("SW-C-1", state)]);
    let said = |state| match facts(state) {
        Record::Node { assessment: Some(said), .. } => *said,
        other => panic!("{other:?}"),
    };
    let states = async || -> Vec<State> {
        let found: Vec<Finding> = bench.seen(&Visible::system(), "rule:SW-C-1").await;
        found.iter().map(|finding| finding.state).collect()
    };
    let nodes = |changed: &Changed| changed.nodes.len();
    assert_eq!(nodes(&bench.send(&agent, vec![object("a", false)]).await), 1);
    assert_eq!(nodes(&bench.send(&agent, vec![object("a", false)]).await), 0, "nothing new");
    let scope = agent.scope.clone();
    assert_eq!(bench.store.node_names(&scope).await.unwrap(), ["node-1"]);
    let bare = bench.store.node(&scope, "node-1").await.unwrap();
    assert!(bare.facts.is_none() && bare.labels.is_some());
    let unread = bench.store.judge_node(&bare, said(Unknown)).await.unwrap().unwrap();
    assert_eq!((unread.findings.len(), states().await), (1, vec![Unknown]));

    // Facts turn it into a verdict; what was decided without them comes too late.
    let told = bench.send(&agent, vec![facts(Unhealthy)]).await;
    assert_eq!((told.findings[0].before, nodes(&told)), (Some(Unknown), 1));
    assert!(bench.store.judge_node(&bare, said(Unknown)).await.unwrap().is_none());
    assert_eq!(states().await, [Unhealthy]);
    let known = bench.store.node(&scope, "node-1").await.unwrap();
    assert_eq!(known.facts.as_ref().unwrap().node, "node-1");
    assert_eq!(nodes(&bench.send(&agent, vec![object("b", false)]).await), 1, "labels narrow");
    assert!(bench.store.judge_node(&known, said(Healthy)).await.unwrap().is_none());

    let gone = bench.send(&agent, vec![object("b", true)]).await;
    assert_eq!((gone.findings[0].after, states().await), (None, Vec::new()));
    assert!(bench.store.node_names(&scope).await.unwrap().is_empty());
    let none = bench.store.node(&scope, "node-1").await.unwrap();
    assert!(bench.store.judge_node(&none, said(Unknown)).await.unwrap().is_none());
}

pub(crate) async fn a_full_listing_ends(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let other = bench.agent("test", "agent").await;
    let rule = [("SW-C-1", Unhealthy)];
    let first = vec![assessed("shop", "web", &rule, NOW), assessed("shop", "db", &rule, NOW)];
    bench.send(&agent, first).await;
    bench.send(&other, vec![assessed("shop", "web", &rule, NOW)]).await;
    let target = Target::Node { name: "node-1".to_owned() };
    bench.send(&agent, vec![inventory(target, Vec::new())]).await;
    let since = NOW + 10;
    let listing = vec![assessed("shop", "web", &rule, since), Record::Sync { since }];
    let changed = bench.send(&agent, listing).await;
    assert_eq!(changed.findings.len(), 1);
    assert_eq!(
        (changed.findings[0].resource.as_str(), changed.findings[0].after),
        ("Deployment/db", None)
    );
    let names: Vec<String> =
        bench.all::<Asset>().await.into_iter().map(|asset| asset.name).collect();
    assert_eq!(names, ["node-1", "web", "web"], "neither the node nor another cluster is touched");
}

pub(crate) async fn vulnerabilities_replace(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let (old, new) = (package("requests", "2.0"), package("urllib3", "1.0"));
    let target = Target::Image { image: image("reg/shop:1", "aa") };
    let sent = vec![inventory(target.clone(), vec![old.clone(), new.clone()])];
    let changed = bench.send(&agent, sent.clone()).await;
    let id = changed.inventories[0];
    let unmatched: Vec<Image> = bench.all().await;
    assert_eq!(
        (unmatched[0].package_count, unmatched[0].counts),
        (Some(2), None),
        "unknown is not zero"
    );
    assert!(bench.send(&agent, sent).await.inventories.is_empty(), "unchanged needs no matching");

    let flaws = vec![
        flaw("CVE-1", &old, Severity::Critical, FixStatus::Available),
        flaw("CVE-2", &old, Severity::Low, FixStatus::None),
        flaw("CVE-3", &new, Severity::Critical, FixStatus::None),
    ];
    let store = &bench.store;
    let problems = vec![Problem::gap("no-feed", "no feed covers it")];
    let changes = store.replace_vulnerabilities(id, flaws.clone(), problems).await.unwrap();
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[0].work, "update:pypi/requests");
    let counted: Vec<Image> = bench.all().await;
    let counts = counted[0].counts.unwrap();
    assert_eq!((counts.critical, counts.low, counted[0].fixable), (2, 1, Some(1)));
    assert_eq!(counted[0].coverage_problems[0].code, "no-feed");
    let packages = store.image_packages(&Visible::system(), counted[0].id).await.unwrap().unwrap();
    assert_eq!((packages[0].counts.critical, packages[0].counts.low), (1, 1));
    let findings: Vec<Finding> = bench.seen(&Visible::system(), "alias:GHSA-CVE-3 fix:none").await;
    assert_eq!((findings.len(), findings[0].resource.as_str()), (1, "reg/shop:1"));
    assert_eq!(findings[0].resource_key, "sha256:aa");

    let changes = store.replace_vulnerabilities(id, flaws[..1].to_vec(), Vec::new()).await.unwrap();
    assert_eq!(changes.iter().filter(|change| change.after.is_none()).count(), 2);
    assert_eq!(bench.all::<Image>().await[0].counts.unwrap().critical, 1);
    let walked = store.inventories_after(None, 10).await.unwrap();
    assert_eq!(walked, [id]);
    assert!(store.inventories_after(Some(id), 10).await.unwrap().is_empty());
    let stored = store.inventory(id).await.unwrap().unwrap();
    assert_eq!((stored.inventory.target, stored.inventory.packages), (target, vec![old, new]));
}

pub(crate) async fn nodes_keep_what_was_left_out(bench: &Bench) {
    let agent = bench.agent("prod", "node-1").await;
    let target = Target::Node { name: "node-1".to_owned() };
    let changed = bench.send(&agent, vec![inventory(target.clone(), Vec::new())]).await;
    let left_out = |assets: Vec<Asset>| assets[0].coverage_problems.clone();
    assert_eq!(left_out(bench.all().await), None, "not matched is not complete");
    let id = changed.inventories[0];
    let problems = vec![Problem::note("n", "a note"), Problem::gap("no-feed", "no feed covers it")];
    bench.store.replace_vulnerabilities(id, Vec::new(), problems.clone()).await.unwrap();
    assert_eq!(left_out(bench.all().await), Some(problems[1..].to_vec()));
    // The node's next word changes nothing of it, the next match does.
    bench.send(&agent, vec![inventory(target, Vec::new())]).await;
    assert_eq!(left_out(bench.all().await), Some(problems[1..].to_vec()));
    bench.store.replace_vulnerabilities(id, Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(left_out(bench.all().await), Some(Vec::new()));
}

fn guidance(work: &str) -> Guidance {
    Guidance {
        work: work.to_owned(),
        kind: FindingKind::Control,
        title: format!("Title of {work}"),
        severity: Severity::High,
        description: "why".to_owned(),
        remediation: "how".to_owned(),
        score_group: Some("configuration".to_owned()),
        frameworks: Vec::new(),
    }
}

pub(crate) async fn evidence_moves(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let store = &bench.store;
    let words = [guidance("SW-C-1"), guidance("SW-C-2")];
    let refresh = async || store.refresh_recommendations(&agent.scope, &words).await.unwrap();
    let verdicts = |web, db| {
        vec![
            assessed("shop", "web", &[("SW-C-1", web)], NOW),
            assessed("bank", "db", &[("SW-C-1", db)], NOW),
        ]
    };
    assert!(refresh().await.is_empty(), "nothing to do, nothing said");
    bench.send(&agent, verdicts(Unhealthy, Unknown)).await;
    let first = refresh().await.remove(0);
    assert_eq!((first.rule.as_str(), first.status), ("SW-C-1", Status::Open));
    assert_eq!((first.affected, first.unknown, first.healthy), (1, 1, 0));
    assert!(refresh().await.is_empty(), "no change, no revision");

    let assign = Assign { owner: Some(Some("platform".to_owned())), due: Some(Some(NOW + DAY)) };
    let everything = Visible::system();
    let assigned = store
        .assign_recommendation(&everything, first.id, &assign, Some(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((assigned.status, assigned.due), (Status::Assigned, Some(NOW + DAY)));
    let stale = store.assign_recommendation(&everything, first.id, &assign, Some(1)).await;
    assert!(matches!(stale, Err(Error::Stale { .. })));
    for namespace in ["other", "shop"] {
        let narrow = grant(&agent.scope, Some(&[namespace]));
        let changed = store.assign_recommendation(&narrow, first.id, &assign, None).await.unwrap();
        assert!(changed.is_none(), "it is the work of the whole cluster");
    }

    bench.send(&agent, verdicts(Healthy, Unknown)).await;
    assert_eq!(refresh().await[0].status, Status::Assigned, "unknown is no pass");
    bench.send(&agent, verdicts(Healthy, Healthy)).await;
    assert_eq!(refresh().await[0].status, Status::Resolved);
    bench.send(&agent, verdicts(Healthy, Unhealthy)).await;
    let regressed = refresh().await.remove(0);
    assert_eq!(
        (regressed.status, regressed.owner.as_deref()),
        (Status::Regressed, Some("platform"))
    );

    // A narrowed grant counts its own namespaces, and cannot sound out the others.
    let shop = grant(&agent.scope, Some(&["shop"]));
    let seen: Vec<Recommendation> = bench.seen(&shop, "status:regressed").await;
    assert_eq!((seen[0].affected, seen[0].healthy), (0, 1));
    let sounding = store.count::<Recommendation>(&shop, "affected:>0").await;
    assert!(matches!(sounding, Err(Error::Invalid { .. })));
    let sorted = Query { sort: Some("-affected".to_owned()), ..Query::default() };
    assert!(matches!(
        store.list::<Recommendation>(&shop, &sorted).await,
        Err(Error::Invalid { .. })
    ));
    assert_eq!(store.count::<Recommendation>(&everything, "affected:>0").await.unwrap(), 1);
}

pub(crate) async fn exemptions_count_matches(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let store = &bench.store;
    bench.send(&agent, vec![assessed("shop", "web", &[("SW-C-1", Unhealthy)], NOW)]).await;
    let new = NewExemption {
        scope: ScopePath::root(),
        target: ExemptionTarget {
            rule: "SW-C-1".to_owned(),
            namespace: Some("shop".to_owned()),
            resource: None,
            package: None,
            path: None,
        },
        category: Category::RiskAccepted,
        reason: "legacy".to_owned(),
        owner: "alice".to_owned(),
        state: ExemptionState::Requested,
        expires: NOW + DAY,
        source: ExemptionSource::Ui,
    };
    let asked = store.create_exemption(&new).await.unwrap();
    assert!(store.exemptions_in_force(&agent.scope).await.unwrap().is_empty());
    let everything = Visible::system();
    let decide = async |state| store.decide_exemption(&everything, asked.id, state, None).await;
    assert!(matches!(decide(ExemptionState::Revoked).await, Err(Error::Transition { .. })));
    decide(ExemptionState::Granted).await.unwrap().unwrap();
    assert_eq!(store.exemptions_in_force(&agent.scope).await.unwrap().len(), 1);
    let never = NewExemption { expires: NOW, ..new.clone() };
    assert!(matches!(
        store.create_exemption(&never).await,
        Err(Error::Invalid { field: "expires", .. })
    ));

    // A reconciler writes the verdict back; the store counts.
    let mut finding: Finding = bench.all().await.remove(0);
    finding.state = State::Exempt;
    let Detail::Control(control) = &mut finding.detail else { panic!("a control") };
    control.state = State::Exempt;
    control.exemption = Some(ExemptionRef {
        id: asked.id.to_string(),
        category: "risk_accepted".to_owned(),
        reason: "legacy".to_owned(),
        by: None,
        expires: None,
    });
    let excused = finding.detail.clone();
    let changes = store.put_findings(vec![finding.clone()]).await.unwrap();
    assert_eq!((changes[0].before, changes[0].after), (Some(Unhealthy), Some(State::Exempt)));
    assert!(store.put_findings(vec![finding.clone()]).await.unwrap().is_empty());
    // What was judged anew meanwhile stands: an old verdict does not come back.
    bench.send(&agent, vec![assessed("shop", "web", &[("SW-C-1", Healthy)], NOW)]).await;
    assert!(store.put_findings(vec![finding]).await.unwrap().is_empty());
    assert_eq!(bench.all::<Finding>().await[0].state, Healthy);
    bench.send(&agent, vec![assessed("shop", "web", &[("SW-C-1", Unhealthy)], NOW)]).await;
    let mut finding: Finding = bench.all().await.remove(0);
    (finding.state, finding.detail) = (State::Exempt, excused);
    assert_eq!(store.put_findings(vec![finding]).await.unwrap().len(), 1);
    let states = store
        .finding_states(&everything, &ScopePath::root(), Some(FindingKind::Control))
        .await
        .unwrap();
    assert_eq!(
        (states[0].state, states[0].exemption.as_deref()),
        (State::Exempt, Some("risk_accepted"))
    );
    assert_eq!(store.recount_exemptions().await.unwrap()[0].matches, 1);
    assert!(store.recount_exemptions().await.unwrap().is_empty());

    assert_eq!(store.next_exemption_end().await.unwrap(), Some(NOW + DAY));
    bench.clock.advance(DAY);
    assert!(store.exemptions_in_force(&agent.scope).await.unwrap().is_empty());
    assert_eq!(store.expire_exemptions().await.unwrap()[0].state, ExemptionState::Expired);
    assert_eq!(store.next_exemption_end().await.unwrap(), None);
    assert!(store.expire_exemptions().await.unwrap().is_empty());
    assert_eq!(bench.seen::<Exemption>(&everything, "state:expired matches:>0").await.len(), 1);
}

pub(crate) async fn scores_keep_their_moves(bench: &Bench) {
    let store = &bench.store;
    let agent = bench.agent("prod", "agent").await;
    let score = |secure, at| Score {
        scope: agent.scope.clone(),
        at,
        secure,
        coverage: Some(0.1 + 0.2),
        decided: 3,
        undecided: 7,
        groups: Vec::new(),
        risk: secure,
        compliance: Vec::new(),
    };
    let record = async |secure, at| store.record_score(&score(secure, at), "why").await.unwrap();
    let third = Some(100.0 / 3.0);
    let first = record(third, NOW).await.unwrap();
    assert_eq!((first.from, first.to), (None, third));
    assert!(record(third, NOW + 1).await.is_none(), "the same again is no move");
    let moved = record(Some(50.0), NOW + 2).await.unwrap();
    assert_eq!((moved.from, moved.to, moved.cause.as_str()), (third, Some(50.0), "why"));
    record(None, NOW + 3).await.unwrap();
    let read = store.score(&Visible::system(), &agent.scope).await.unwrap().unwrap();
    assert_eq!(read, score(None, NOW + 3));
    // Replaying the moves reproduces the score.
    let mut deltas: Vec<ScoreDelta> = bench.all().await;
    deltas.reverse();
    let replayed = deltas.iter().try_fold(None, |at, delta| (delta.from == at).then_some(delta.to));
    assert_eq!(replayed, Some(read.secure));
    let narrow = grant(&agent.scope, Some(&["shop"]));
    assert!(store.score(&narrow, &agent.scope).await.unwrap().is_none());
    assert!(bench.seen::<ScoreDelta>(&narrow, "").await.is_empty());
}

pub(crate) async fn failing_resources(bench: &Bench) {
    let agent = bench.agent("prod", "agent").await;
    let (bad, good) = (State::Unhealthy, State::Healthy);
    let both = [("SW-C-1", bad), ("SW-C-2", bad)];
    bench
        .send(
            &agent,
            vec![
                assessed("shop", "web", &both, NOW),
                assessed("shop", "db", &[("SW-C-1", good), ("SW-C-2", bad)], NOW),
                assessed("bank", "web", &[("SW-C-1", bad), ("SW-C-2", State::Exempt)], NOW),
            ],
        )
        .await;
    let count = async |visible: &Visible, controls: &[&str], kinds: &[&str]| {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        let root = ScopePath::root();
        let found = bench.store.failing_resources(visible, &root, controls, &kinds).await.unwrap();
        let text = |(namespace, count): (Option<String>, u64)| {
            format!("{}:{count}", namespace.unwrap_or_default())
        };
        found.into_iter().map(text).collect::<Vec<_>>().join(" ")
    };
    let all = Visible::system();
    assert_eq!(count(&all, &["SW-C-1", "SW-C-2"], &[]).await, "bank:1 shop:2");
    assert_eq!(count(&all, &["SW-C-2"], &[]).await, "shop:2");
    assert_eq!(count(&all, &["SW-C-1"], &["Pod", "Deployment"]).await, "bank:1 shop:1");
    assert_eq!(count(&all, &["SW-C-1"], &["Deploy"]).await, "");
    assert_eq!(count(&grant(&agent.scope, Some(&["bank"])), &["SW-C-1"], &[]).await, "bank:1");
}
