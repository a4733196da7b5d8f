//! Policy sets, their trials, and from when on one may refuse.
use crate::bench::*;
use seawall_model::Id;
use seawall_model::admission::PolicyAction;
use seawall_model::asset::Agent;
use seawall_model::policy_set::{PolicySet, StoredTrial, Trial, Tried};
use seawall_model::record::Record;
use seawall_model::scope::{ScopeKind, ScopePath};
use seawall_store::*;

fn new(name: &str, scope: &ScopePath, text: &str, action: PolicyAction) -> NewPolicySet {
    let (name, text) = (name.to_owned(), text.to_owned());
    NewPolicySet { name, scope: scope.clone(), text, action }
}

fn trial(set: Id, version: u64, refused: u64) -> Record {
    let tried = Tried { judged: refused.saturating_add(5), refused, warned: 1, undecided: 0 };
    Record::Trial(Box::new(Trial {
        set,
        version,
        time: NOW,
        took: 12,
        objects: tried,
        requests: Tried { judged: 2, refused: 1, warned: 0, undecided: 1 },
        samples: Vec::new(),
        problems: vec!["kind Widget is not at hand".to_owned()],
    }))
}

/// A cluster agent whose stream is open.
async fn connected(bench: &Bench, scope: &ScopePath, cluster: &str) -> Agent {
    let agent = bench.companion(&bench.agent_at(scope, cluster, "agent").await).await;
    let greeting =
        Greeting { version: "1".to_owned(), capabilities: Vec::new(), cluster_version: None };
    bench.store.agent_connected(agent.id, &greeting).await.unwrap().unwrap()
}

async fn replace(
    bench: &Bench,
    set: &PolicySet,
    text: &str,
    action: PolicyAction,
) -> Result<PolicySet> {
    let new = new(&set.name, &set.scope, text, action);
    let replaced = bench.store.replace_policy_set(&Visible::system(), set.id, &new, None).await?;
    Ok(replaced.unwrap())
}

pub(crate) async fn policy_sets_are_kept(bench: &Bench) {
    let (store, root) = (&bench.store, ScopePath::root());
    let team = bench.scope(&root, ScopeKind::Account, "team").await;
    let wide = store
        .create_policy_set(&new("library", &root, "a: \"1\"\n", PolicyAction::Audit))
        .await
        .unwrap();
    let near =
        store.create_policy_set(&new("library", &team, "b", PolicyAction::Off)).await.unwrap();
    let twice = store.create_policy_set(&new("library", &team, "c", PolicyAction::Off)).await;
    assert!(matches!(twice, Err(Error::Exists { .. })), "{twice:?}");
    let nowhere = new("x", &root.child("nowhere"), "c", PolicyAction::Off);
    assert!(matches!(store.create_policy_set(&nowhere).await, Err(Error::Missing { .. })));
    for action in [PolicyAction::Warn, PolicyAction::Deny] {
        let untried = store.create_policy_set(&new("y", &root, "c", action)).await;
        assert!(matches!(untried, Err(Error::Invalid { field: "action", .. })), "{untried:?}");
    }
    let seen = grant(&team, None);
    let listed: Vec<PolicySetEntry> = bench.seen(&seen, "name:library version:1").await;
    assert_eq!((listed.len(), listed[0].id, listed[0].size), (1, near.id, 1));
    assert!(store.policy_set(&seen, wide.id).await.unwrap().is_none(), "not its own");
    assert_eq!(store.policy_set(&seen, near.id).await.unwrap(), Some(near.clone()));
    let at = |found: Vec<PolicySetEntry>| found.into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(at(store.policy_sets_at(&team.child("prod")).await.unwrap()), [wide.id]);
    let sizes = store.policy_set_sizes(&root).await.unwrap();
    let sizes: Vec<_> = sizes.iter().map(|one| (one.id, one.text, one.quoted)).collect();
    assert_eq!(sizes, [(wide.id, 7, 12), (near.id, 1, 3)]);

    let named = new("renamed", &team, "b", PolicyAction::Audit);
    let stale = store.replace_policy_set(&seen, near.id, &named, Some(7)).await;
    assert!(matches!(stale, Err(Error::Stale { .. })));
    let same = store.replace_policy_set(&seen, near.id, &named, Some(1)).await.unwrap().unwrap();
    assert_eq!((same.version, same.revision, same.name.as_str()), (1, 2, "renamed"));
    let other = replace(bench, &same, "longer", PolicyAction::Audit).await.unwrap();
    assert_eq!((other.version, other.revision), (2, 3));
    let texts = store.policy_set_texts(&[near.id]).await.unwrap();
    assert_eq!(texts[&near.id], (2, "longer".to_owned()));
    assert!(store.delete_policy_set(&seen, wide.id).await.unwrap().is_none(), "not its own");
    assert!(store.delete_policy_set(&seen, near.id).await.unwrap().is_some());
    assert_eq!(bench.all::<PolicySetEntry>().await.len(), 1);
}

pub(crate) async fn trials_replace(bench: &Bench) {
    let (store, root) = (&bench.store, ScopePath::root());
    let other = bench.scope(&root, ScopeKind::Account, "other").await;
    let agent = connected(bench, &root, "prod").await;
    let create = |name: &'static str, scope: &ScopePath| new(name, scope, "a", PolicyAction::Audit);
    let set = store.create_policy_set(&create("here", &root)).await.unwrap();
    let elsewhere = store.create_policy_set(&create("elsewhere", &other)).await.unwrap();
    bench.send(&agent, vec![trial(set.id, 1, 3)]).await;
    let first: Vec<StoredTrial> = bench.seen(&grant(&agent.scope, None), "objects_refused:3").await;
    assert_eq!((first[0].cluster.as_str(), first[0].trial.version), ("prod", 1));
    replace(bench, &set, "b", PolicyAction::Audit).await.unwrap();
    let listed = &bench.seen::<PolicySetEntry>(&Visible::system(), "name:here").await[0];
    assert_eq!(listed.trials, TrialSums::default(), "of another text");
    // Of no set, of one that holds elsewhere, of a text that nobody wrote yet, and an older one after a newer one.
    let strays = vec![
        trial(agent.id, 1, 1),
        trial(elsewhere.id, 1, 1),
        trial(set.id, 3, 1),
        trial(set.id, 2, u64::MAX),
        trial(set.id, 1, 1),
    ];
    bench.send(&agent, strays).await;
    let trials: Vec<StoredTrial> = bench.all().await;
    assert_eq!((trials.len(), trials[0].id, trials[0].trial.version), (1, first[0].id, 2));
    let sender: Agent = store.get(&Visible::system(), agent.id).await.unwrap().unwrap();
    let lost = sender.dropped.iter().find(|lost| lost.class == "hub:outdated-trial").unwrap();
    assert_eq!(lost.count, 4);

    let second = connected(bench, &root, "stage").await;
    bench.send(&second, vec![trial(set.id, 2, 4)]).await;
    let sums = store.trial_sums(&Visible::system(), set.id).await.unwrap();
    assert_eq!(
        (sums.clusters, sums.objects.refused, sums.requests.undecided),
        (2, (1 << 40) + 4, 2)
    );
    let narrow = store.trial_sums(&grant(&second.scope, None), set.id).await.unwrap();
    assert_eq!((narrow.clusters, narrow.objects.refused), (1, 4), "what is seen");
    let listed = &bench.seen::<PolicySetEntry>(&Visible::system(), "name:here").await[0];
    assert_eq!(listed.trials, sums);
    store.delete_policy_set(&Visible::system(), set.id).await.unwrap().unwrap();
    assert!(bench.all::<StoredTrial>().await.is_empty(), "trials go with their set");
}

pub(crate) async fn a_set_refuses_once_it_was_tried(bench: &Bench) {
    use PolicyAction::{Audit, Deny, Off, Warn};
    let (store, root) = (&bench.store, ScopePath::root());
    let team = bench.scope(&root, ScopeKind::Account, "team").await;
    let set = store.create_policy_set(&new("s", &team, "a", Audit)).await.unwrap();
    let missing = async |action| match replace(bench, &set, "a", action).await {
        Err(Error::Untried { version: 1, missing }) => missing,
        other => panic!("{other:?}"),
    };
    assert!(missing(Deny).await.is_empty(), "no cluster is no trial");
    connected(bench, &root, "outside").await;
    let (a, b) = (connected(bench, &team, "a").await, connected(bench, &team, "b").await);
    assert_eq!(missing(Warn).await, ["a", "b"]);
    bench.send(&a, vec![trial(set.id, 1, 0)]).await;
    assert_eq!(missing(Deny).await, ["b"]);
    assert_eq!(store.untried(&Visible::system(), &set).await.unwrap(), ["b"]);
    assert!(store.untried(&grant(&a.scope, None), &set).await.unwrap().is_empty(), "not seen");
    store.agent_disconnected(b.id).await.unwrap();
    assert_eq!(replace(bench, &set, "a", Warn).await.unwrap().action, Warn);
    // Raised further: that one is there again.
    let greeting =
        Greeting { version: String::new(), capabilities: Vec::new(), cluster_version: None };
    store.agent_connected(b.id, &greeting).await.unwrap();
    assert_eq!(missing(Deny).await, ["b"]);
    bench.send(&b, vec![trial(set.id, 1, 0)]).await;
    assert_eq!(replace(bench, &set, "a", Deny).await.unwrap().action, Deny);
    for action in [Warn, Deny] {
        let changed = replace(bench, &set, "b", action).await;
        assert!(matches!(changed, Err(Error::Transition { .. })), "{changed:?}");
    }
    assert_eq!(replace(bench, &set, "a", Warn).await.unwrap().action, Warn, "lower is free");
    let changed = replace(bench, &set, "b", Audit).await.unwrap();
    assert_eq!((changed.version, changed.action), (2, Audit));
    let untried = replace(bench, &changed, "b", Deny).await;
    assert!(matches!(untried, Err(Error::Untried { version: 2, .. })), "{untried:?}");
    assert_eq!(replace(bench, &changed, "c", Off).await.unwrap().version, 3);
}
