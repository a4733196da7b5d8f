//! Users' policy sets in this agent: what the hub wants, what they look up, and what they were tried on.
//!
//! Invariant: a set refuses and warns only after this agent held its cluster's objects against that very text; until
//! then it records what it would refuse, whatever the hub says.
use crate::known::Known;
use crate::recent::Recent;
use seawall_model::admission::PolicyAction;
use seawall_model::policy_set::DesiredSet;
use seawall_model::{Id, Problem};
use seawall_posture::admission::Sets;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Version of the text of each set that has been tried in this cluster.
pub(crate) type Tried = BTreeMap<Id, u64>;

/// Shared by the agent's loop, which tries sets, and the webhook, which judges by them.
#[derive(Debug)]
pub struct PolicySets {
    /// `1.N` of the cluster, whose functions expressions may use.
    pub(crate) minor: u32,
    pub(crate) known: Known,
    pub(crate) recent: Recent,
    held: Mutex<Held>,
    /// Raised when what is held changes.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Held {
    desired: Vec<DesiredSet>,
    tried: Tried,
}

impl PolicySets {
    pub fn new(minor: u32) -> Arc<Self> {
        let (known, recent, held) = (Known::default(), Recent::default(), Mutex::default());
        Arc::new(Self { minor, known, recent, held, changed: watch::Sender::new(0) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the hub wants from now on.
    pub fn want(&self, sets: &[DesiredSet]) {
        let mut held = self.held();
        if held.desired != sets {
            held.desired = sets.to_vec();
            let wanted: Vec<Id> = sets.iter().map(|set| set.set).collect();
            held.tried.retain(|set, _| wanted.contains(set));
            drop(held);
            self.changed.send_modify(|turn| *turn += 1);
        }
    }

    /// The first that fits, as the hub wants it.
    pub(crate) fn find(&self, fits: impl Fn(&DesiredSet) -> bool) -> Option<DesiredSet> {
        self.held().desired.iter().find(|set| fits(set)).cloned()
    }

    /// Whether the hub wants this very text.
    pub(crate) fn wants(&self, set: Id, version: u64) -> bool {
        self.held().desired.iter().any(|own| (own.set, own.version) == (set, version))
    }

    /// Compiled as they count now; what they look up is looked for from now on.
    pub(crate) fn load(&self) -> (Sets, Vec<Problem>) {
        let (sets, problems) = Sets::load(&self.in_force(), self.minor);
        self.known.need(sets.needs());
        (sets, problems)
    }

    /// As they count now.
    fn in_force(&self) -> Vec<DesiredSet> {
        let held = self.held();
        let lowered = held.desired.iter().cloned().map(|mut set| {
            if held.tried.get(&set.set) != Some(&set.version) {
                set.action = set.action.min(PolicyAction::Audit);
            }
            set
        });
        lowered.collect()
    }

    /// A set has been tried in this cluster.
    pub(crate) fn set_tried(&self, set: Id, version: u64) {
        if self.held().tried.insert(set, version) != Some(version) {
            self.changed.send_modify(|turn| *turn += 1);
        }
    }

    /// What an earlier process tried.
    pub(crate) fn restore(&self, tried: Tried) {
        self.held().tried = tried;
    }

    pub(crate) fn tried(&self) -> Tried {
        self.held().tried.clone()
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[test]
fn a_set_refuses_once_it_was_tried() {
    let sets = PolicySets::new(36);
    let id = Id::new(1, [0; 10]);
    let set = |version, action| DesiredSet {
        set: id,
        name: "s".to_owned(),
        version,
        text: String::new(),
        action,
    };
    #[track_caller]
    fn check(sets: &PolicySets, expected: PolicyAction) {
        assert_eq!(sets.in_force()[0].action, expected);
    }
    sets.want(&[set(1, PolicyAction::Deny)]);
    check(&sets, PolicyAction::Audit);
    sets.set_tried(id, 1);
    check(&sets, PolicyAction::Deny);
    sets.want(&[set(2, PolicyAction::Deny)]);
    check(&sets, PolicyAction::Audit);
    sets.want(&[set(2, PolicyAction::Off)]);
    check(&sets, PolicyAction::Off);
    sets.want(&[]);
    assert_eq!(sets.tried(), Tried::new());
}
