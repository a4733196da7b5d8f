//! What sets of policies look up: their own objects first, then the cluster's.
use super::sets::Set;
use seawall_cel::authz::Answers;
use seawall_policy::gatekeeper::{Inventory, InventoryRead};
use seawall_policy::vap::{self, Params};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What the caller has at hand of a cluster. What is not at hand leaves a policy without an answer.
pub trait Lookup {
    /// The Namespace object; `None`: it is not at hand.
    fn namespace(&self, name: &str) -> Option<&Value>;
    /// All objects of a kind, in the order of their namespaces and names.
    fn params(&self, api_version: &str, kind: &str) -> Params<'_>;
    /// Holds at least what `reads` names. Error: what of it is not at hand, in words.
    fn inventory(&self, reads: &BTreeSet<InventoryRead>) -> Result<&Inventory, String>;
    /// Answers to the authorization checks that an answer asked for before.
    fn answers(&self) -> Arc<Answers>;
}

/// Knows nothing: policies that look something up have no answer.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Lookup for Nothing {
    fn namespace(&self, _: &str) -> Option<&Value> {
        None
    }

    fn params(&self, _: &str, _: &str) -> Params<'_> {
        Params::NotAtHand("is not at hand".to_owned())
    }

    fn inventory(&self, _: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        Err("the cluster's objects are not at hand".to_owned())
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::default()
    }
}

/// A cluster as the policies of one set see it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) set: &'a Set,
    pub(super) cluster: &'a dyn Lookup,
}

impl vap::Lookup for Seen<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.set.own.namespace(name).or_else(|| self.cluster.namespace(name))
    }

    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        let own: Vec<&Value> = self.set.own.of_kind(api_version, kind).collect();
        let cluster = self.cluster.params(api_version, kind);
        let Some(first) = own.first() else { return cluster };
        let namespaced = first.pointer("/metadata/namespace").is_some();
        match cluster {
            Params::NotAtHand(missing) => Params::Partial { namespaced, objects: own, missing },
            // The set knows of a kind that the cluster is yet to serve.
            Params::Unknown if namespaced => Params::Namespaced(own),
            Params::Unknown => Params::Cluster(own),
            Params::Cluster(objects) => Params::Cluster(joined(own, objects)),
            Params::Namespaced(objects) => Params::Namespaced(joined(own, objects)),
            Params::Partial { namespaced, objects, missing } => {
                Params::Partial { namespaced, objects: joined(own, objects), missing }
            }
        }
    }

    fn answers(&self) -> Arc<Answers> {
        self.cluster.answers()
    }
}

/// Of two objects of one name the set's own.
fn joined<'a>(own: Vec<&'a Value>, cluster: Vec<&'a Value>) -> Vec<&'a Value> {
    let known: HashSet<_> = own.iter().copied().map(name).collect();
    let mut all = own;
    all.extend(cluster.into_iter().filter(|object| !known.contains(&name(object))));
    all.sort_by_key(|object| name(object));
    all
}

/// Namespace and name.
fn name(object: &Value) -> (&str, &str) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/metadata/namespace"), text("/metadata/name"))
}
