//! Roles and what aggregation makes of them.
use super::permission::{Bits, Universe};
use super::rule::Rule;
use super::{Name, RoleRef};
use crate::selector::Selector;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rules of one aggregated role. The controller writes them into one object, which etcd takes up to 1.5 MiB of, and a
/// rule takes 50 bytes.
const MAX_AGGREGATED: usize = 32_768;

#[derive(Debug)]
pub(super) struct Role {
    pub(super) labels: Value,
    /// Of `aggregationRule`. With one, the role's own rules are what the controller last wrote, and are not read.
    pub(super) aggregation: Option<Vec<Selector>>,
    pub(super) rules: Vec<Arc<Rule>>,
    pub(super) effective: Arc<Effective>,
}

/// What a role grants after aggregation.
#[derive(Debug, Default)]
pub(super) struct Effective {
    pub(super) rules: Vec<Granted>,
    pub(super) scope: Scope,
}

/// A rule and where it stands: `role` is the aggregated one's source.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) role: RoleRef,
    pub(super) index: usize,
    pub(super) rule: Arc<Rule>,
}

/// Permissions in one scope: the cluster or one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Known permissions granted on every name.
    pub(super) bits: Bits,
    /// *All, also future*: some rule grants more than the bits say.
    pub(super) open: bool,
    /// Some rule grants on given names only.
    pub(super) named: bool,
    /// Some rule grants paths.
    pub(super) urls: bool,
    /// A role had more rules than are kept.
    pub(super) cut: bool,
}

impl Scope {
    pub(super) fn union(&mut self, other: &Self) {
        self.bits.union(&other.bits);
        self.open |= other.open;
        self.named |= other.named;
        self.urls |= other.urls;
        self.cut |= other.cut;
    }
}

impl Role {
    /// `object` is a Role or ClusterRole. Only a ClusterRole's aggregation is read. Problems: an unreadable selector.
    pub(super) fn read(object: &Value, problems: &mut Vec<String>) -> Self {
        let rules = object.get("rules").and_then(Value::as_array).into_iter().flatten();
        let aggregation = object.get("aggregationRule").filter(|value| value.is_object());
        let aggregation = aggregation.map(|rule| {
            let selectors = rule.get("clusterRoleSelectors").and_then(Value::as_array);
            let read = |value| match Selector::read(value) {
                Ok(selector) => Some(selector),
                Err(message) => {
                    problems.push(format!("clusterRoleSelectors: {message}"));
                    None
                }
            };
            selectors.into_iter().flatten().filter_map(read).collect()
        });
        Self {
            labels: object.pointer("/metadata/labels").cloned().unwrap_or_default(),
            aggregation,
            rules: rules.map(|rule| Arc::new(Rule::read(rule))).collect(),
            effective: Arc::default(),
        }
    }

    pub(super) fn selects(&self, labels: &Value) -> bool {
        self.aggregation.iter().flatten().any(|selector| selector.matches(labels))
    }
}

/// The rules of `name` after aggregation, each source once, and their bits. Aggregation may be nested and circular.
pub(super) fn effective(
    roles: &BTreeMap<RoleRef, Role>,
    name: &RoleRef,
    universe: &mut Universe,
) -> Effective {
    let mut found = Effective::default();
    let (mut open, mut seen) = (vec![name.clone()], BTreeSet::from([name.clone()]));
    while let Some(name) = open.pop() {
        let Some(role) = roles.get(&name) else { continue };
        if role.aggregation.is_none() {
            let room = MAX_AGGREGATED.saturating_sub(found.rules.len());
            found.scope.cut |= role.rules.len() > room;
            let granted = role.rules.iter().enumerate().take(room);
            found.rules.extend(granted.map(|(index, rule)| Granted {
                role: name.clone(),
                index,
                rule: rule.clone(),
            }));
            continue;
        }
        for (other, candidate) in cluster_roles(roles) {
            if role.selects(&candidate.labels) && seen.insert(other.clone()) {
                open.push(other.clone());
            }
        }
    }
    let scope = &mut found.scope;
    for granted in &found.rules {
        scope.open |= granted.rule.spell(universe, &mut scope.bits);
        scope.named |= !granted.rule.names.is_empty();
        scope.urls |= !granted.rule.urls.is_empty();
    }
    found
}

pub(super) fn cluster_roles(
    roles: &BTreeMap<RoleRef, Role>,
) -> impl Iterator<Item = (&RoleRef, &Role)> {
    // No namespace sorts first.
    roles.iter().take_while(|(name, _)| name.0.namespace.is_none())
}

/// The cluster roles whose rules may change when `changed`, with the labels it had and has, does.
pub(super) fn dependants(
    roles: &BTreeMap<RoleRef, Role>,
    changed: &RoleRef,
    labels: &[Value],
) -> BTreeSet<RoleRef> {
    let mut found = BTreeSet::from([changed.clone()]);
    if changed.0.namespace.is_some() {
        return found;
    }
    let selectors: Vec<_> =
        cluster_roles(roles).filter(|(_, role)| role.aggregation.is_some()).collect();
    let mut open: Vec<Value> = labels.to_vec();
    while let Some(labels) = open.pop() {
        for (name, role) in &selectors {
            if role.selects(&labels) && found.insert((*name).clone()) {
                open.push(role.labels.clone());
            }
        }
    }
    found
}

impl RoleRef {
    pub fn cluster(name: &str) -> Self {
        Self(Name { namespace: None, name: name.into() })
    }

    pub fn namespaced(namespace: &str, name: &str) -> Self {
        Self(Name { namespace: Some(namespace.into()), name: name.into() })
    }
}
