//! Which kinds are watched, and what for: those that controls look at, and those that policies look up besides.
//!
//! ```text
//! served, needs ─plan─► kinds and their purpose ─turn─► watches begin and end, as Turn tells
//! ```
//!
//! Invariant: no Secret is ever watched, and what is watched for policies alone never reaches a control.
use seawall_cluster::{Connection, Kind, Served, Watch, watch};
use seawall_posture::admission::Needs;
use seawall_posture::workload::WORKLOADS;
use std::collections::BTreeMap;

/// What a kind is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Controls look at it; policies may.
    Judged,
    /// Policies look it up, and nobody else.
    LookedUp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) kind: Kind,
    pub(crate) purpose: Purpose,
}

/// Something that a new plan changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Begun(usize, Followed),
    /// Nothing comes of it any more, and nothing takes its place: its objects are gone.
    Ended(usize, Followed),
    /// Another version takes its place, and has not been read yet: its objects stay until then.
    Replaced(usize),
}

/// Kinds by `apiVersion` and kind.
pub(crate) type Plan = BTreeMap<(String, String), Followed>;

/// Owned by the agent's loop.
pub(crate) struct Following {
    pub(crate) watch: Watch,
    followed: BTreeMap<usize, Followed>,
    /// What an index takes the place of, until all of its own objects have come.
    replaced: BTreeMap<usize, Vec<Kind>>,
}

/// Workloads and the kinds they refer to, then what else the cluster serves and `looks_at` means, each in its most stable
/// version; then what policies name, as far as it can be read.
pub(crate) fn plan(served: &Served, needs: &Needs, looks_at: impl Fn(&Kind) -> bool) -> Plan {
    let workloads =
        WORKLOADS.iter().map(|kind| Kind::new(kind.api_version, kind.kind, kind.plural));
    let others =
        [("Namespace", "namespaces"), ("Node", "nodes"), ("ServiceAccount", "serviceaccounts")];
    let others = others.map(|(kind, plural)| Kind::new("v1", kind, plural));
    let looked_at = served.kinds().iter().filter(|kind| looks_at(kind)).cloned();
    let named = served.kinds().iter().filter(|kind| needs.names.contains(&kind.kind)).cloned();
    let readable = served.all().filter(|served| served.listable).map(|served| served.kind);
    let needed = readable
        .filter(|kind| needs.kinds.contains(&(kind.api_version.clone(), kind.kind.clone())));
    let mut plan = Plan::new();
    let mut add = |kind: Kind, purpose| {
        let key = (kind.api_version.clone(), kind.kind.clone());
        plan.entry(key).or_insert(Followed { kind, purpose });
    };
    workloads.chain(others).chain(looked_at).for_each(|kind| add(kind, Purpose::Judged));
    named.chain(needed).for_each(|kind| add(kind, Purpose::LookedUp));
    plan
}

impl Following {
    pub(crate) fn new(connection: &Connection) -> Self {
        let watch = watch(connection, &[]);
        Self { watch, followed: BTreeMap::new(), replaced: BTreeMap::new() }
    }

    /// None where the watch has ended; its last events may still come.
    pub(crate) fn get(&self, index: usize) -> Option<&Followed> {
        self.followed.get(&index)
    }

    /// Begins and ends watches until they are those of the plan; what ends is told first.
    pub(crate) fn turn(&mut self, mut plan: Plan) -> Vec<Turn> {
        let mut gone = Vec::new();
        for (index, followed) in &self.followed {
            let key = (followed.kind.api_version.clone(), followed.kind.kind.clone());
            match plan.get(&key) {
                Some(wanted) if wanted == followed => drop(plan.remove(&key)),
                _ => gone.push((*index, followed.clone())),
            }
        }
        let mut begun = Vec::new();
        for followed in plan.into_values() {
            let index = self.watch.add(&followed.kind);
            self.followed.insert(index, followed.clone());
            begun.push((index, followed));
        }
        let mut turns = Vec::new();
        for (index, followed) in gone {
            self.watch.end(index);
            self.followed.remove(&index);
            let before = self.replaced.remove(&index).unwrap_or_default();
            let successor = begun.iter().find(|(_, new)| replaces(new, &followed));
            if let Some((new, _)) = successor {
                let replaced = self.replaced.entry(*new).or_default();
                replaced.extend(before.into_iter().chain([followed.kind]));
                turns.push(Turn::Replaced(index));
            } else {
                let purpose = followed.purpose;
                let before = before.into_iter().map(|kind| Followed { kind, purpose });
                turns.extend(before.map(|followed| Turn::Ended(index, followed)));
                turns.push(Turn::Ended(index, followed));
            }
        }
        turns.extend(begun.into_iter().map(|(index, followed)| Turn::Begun(index, followed)));
        turns
    }

    /// All objects of a kind have come: what it takes the place of.
    pub(crate) fn take_replaced(&mut self, index: usize) -> Vec<Kind> {
        self.replaced.remove(&index).unwrap_or_default()
    }

    /// Whether policies alone have a kind watched.
    pub(crate) fn is_looked_up(&self, kind: &Kind) -> bool {
        let own =
            |followed: &Followed| followed.kind == *kind && followed.purpose == Purpose::LookedUp;
        self.followed.values().any(own)
    }
}

/// Whether it is the same kind in another version.
fn replaces(new: &Followed, old: &Followed) -> bool {
    let group = |kind: &Kind| kind.api_version.split_once('/').map(|(group, _)| group.to_owned());
    new.purpose == Purpose::Judged
        && old.purpose == Purpose::Judged
        && new.kind.kind == old.kind.kind
        && group(&new.kind) == group(&old.kind)
}
