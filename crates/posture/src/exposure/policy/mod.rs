//! What network policies of Kubernetes, Cilium and Calico leave open to a workload.
//!
//! Each is read into one [`Policy`]: whom it selects, and how far it opens what it then closes.
mod calico;
mod cilium;
mod expression;
mod kubernetes;

use super::{Cni, Network, Workload};
use crate::world::{Object, World};
use serde_json::Value;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    pub const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// How far the rules of a policy open a direction that it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Opens {
    /// To nobody, or to peers that are named.
    Named,
    /// To everybody, on some ports.
    Ports,
    Everything,
}

/// What stands between a workload and everybody else, in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Denied by default: at most named peers get through.
    Denied,
    /// Everybody gets through on some ports.
    Partial,
    Open,
    /// Why it cannot be told.
    Unknown(String),
}

/// One policy, understood.
#[derive(Debug)]
pub(crate) struct Policy<'w> {
    pub(crate) object: Object<'w>,
    /// Whose workloads it may be about; `None`: any namespace's.
    pub(crate) namespace: Option<&'w str>,
    pub(crate) selects: Selects,
    /// `None`: says nothing of that direction.
    pub(crate) ingress: Option<Rules>,
    pub(crate) egress: Option<Rules>,
}

/// How far each rule opens, with its pointer.
pub(crate) type Rules = Vec<(Opens, String)>;

/// Whom a policy is about.
#[derive(Debug)]
pub(crate) enum Selects {
    /// Labels of pods.
    Labels(crate::selector::Selector),
    Cilium(cilium::Endpoints),
    Calico(calico::Endpoints),
    Nobody,
}

/// All policies: those of one namespace, and those of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Policies<'w> {
    by_namespace: HashMap<&'w str, Vec<Policy<'w>>>,
    cluster: Vec<Policy<'w>>,
    /// Policies that were not understood, by namespace; the cluster's under the empty one.
    unread: HashMap<&'w str, Vec<String>>,
}

/// (Group, kind) of the policies that are read.
pub(crate) const KINDS: [(&str, &str); 7] = [
    ("networking.k8s.io", "NetworkPolicy"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
];

/// Policies that change what others allow, and are not read.
const UNSUPPORTED: [&str; 3] =
    ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"];

impl<'w> Policies<'w> {
    pub(super) fn of(world: &World<'w>) -> Self {
        let mut policies = Self::default();
        for (group, kind) in KINDS {
            for object in world.of_kind(group, kind) {
                let clusterwide = kind.contains("luster") || kind.starts_with("Global");
                let namespace = if clusterwide { "" } else { super::namespace_of(object) };
                let own = (!clusterwide).then_some(namespace);
                let read = match group {
                    "networking.k8s.io" => kubernetes::read(object, own),
                    "cilium.io" => cilium::read(object, own),
                    _ => calico::read(object, own),
                };
                match read {
                    Ok(found) if clusterwide => policies.cluster.extend(found),
                    Ok(found) => policies.by_namespace.entry(namespace).or_default().extend(found),
                    Err(reason) => {
                        let told = format!("{kind} {}: {reason}", object.name());
                        policies.unread.entry(namespace).or_default().push(told);
                    }
                }
            }
        }
        for kind in UNSUPPORTED {
            for object in world.of_kind("policy.networking.k8s.io", kind) {
                let told = format!("{kind} {} is not understood", object.name());
                policies.unread.entry("").or_default().push(told);
            }
        }
        policies
    }

    /// Those that may be about workloads of a namespace.
    pub(crate) fn about(&self, namespace: &str) -> impl Iterator<Item = &Policy<'w>> {
        self.by_namespace.get(namespace).into_iter().flatten().chain(&self.cluster)
    }

    /// Why what is said of workloads of a namespace may be wrong.
    pub(crate) fn unread(&self, namespace: &str) -> Option<&String> {
        let of = |namespace: &str| self.unread.get(namespace)?.first();
        of("").or_else(|| of(namespace))
    }

    /// The parts of one policy object.
    pub(crate) fn parts_of<'s>(
        &'s self,
        object: Object<'w>,
    ) -> impl Iterator<Item = &'s Policy<'w>> {
        let all = self.by_namespace.values().flatten().chain(&self.cluster);
        all.filter(move |policy| std::ptr::eq(policy.object.value(), object.value()))
    }
}

impl<'w> Policy<'w> {
    pub(crate) fn rules(&self, direction: Direction) -> Option<&Rules> {
        match direction {
            Direction::Ingress => self.ingress.as_ref(),
            Direction::Egress => self.egress.as_ref(),
        }
    }

    /// Whether it is about the pods of a workload.
    pub(crate) fn selects(&self, workload: &Workload<'_>, network: &Network<'_>) -> bool {
        if self.namespace.is_some_and(|own| own != workload.namespace) {
            return false;
        }
        match &self.selects {
            Selects::Nobody => false,
            Selects::Labels(selector) => selector.matches(workload.labels),
            Selects::Cilium(endpoints) => endpoints.select(workload, network),
            Selects::Calico(endpoints) => endpoints.select(workload, network),
        }
    }
}

impl<'w> Network<'w> {
    /// The workloads that a policy is about.
    pub(crate) fn selected_by<'s>(
        &'s self,
        policy: &'s Policy<'w>,
    ) -> impl Iterator<Item = &'s Workload<'w>> {
        let own = policy.namespace.into_iter().flat_map(|own| self.workloads_in(own));
        let all = policy.namespace.is_none().then(|| self.workloads()).into_iter().flatten();
        own.chain(all).filter(move |workload| policy.selects(workload, self))
    }

    /// What the policies leave open to a workload, and the policies that are about it.
    pub fn coverage(
        &self,
        workload: &Workload<'w>,
        direction: Direction,
    ) -> (Coverage, Vec<Object<'w>>) {
        let (mut opens, mut about) = (None, Vec::new());
        for policy in self.policies().about(workload.namespace) {
            let Some(rules) = policy.rules(direction) else { continue };
            if policy.selects(workload, self) {
                let widest = rules.iter().map(|(opens, _)| *opens).max().unwrap_or(Opens::Named);
                opens = opens.max(Some(widest));
                about.push(policy.object);
            }
        }
        let coverage = match opens {
            None | Some(Opens::Everything) => match self.policies().unread(workload.namespace) {
                Some(reason) => Coverage::Unknown(reason.clone()),
                None => Coverage::Open,
            },
            Some(Opens::Ports) => Coverage::Partial,
            Some(Opens::Named) => Coverage::Denied,
        };
        (coverage, about)
    }

    /// The same under the network plugin of a whole cluster: policies that nothing enforces close nothing.
    pub fn enforced(&self, workload: &Workload<'w>, direction: Direction, whole: bool) -> Coverage {
        let (coverage, _) = self.coverage(workload, direction);
        match (&coverage, &self.cni) {
            (Coverage::Open | Coverage::Unknown(_), _) => coverage,
            (_, Cni::Open(_)) => Coverage::Open,
            (_, Cni::Unrecognised) if whole => {
                Coverage::Unknown("the network plugin is not recognised".to_owned())
            }
            _ => coverage,
        }
    }
}

/// Whether a JSON list is there and not empty.
pub(super) fn filled(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
}
