//! Controls that need several objects at once, in Rust: one file each, named in [`ALL`].
//!
//! Metadata, parameters and tests stand in the control's file, which names the code: `match: {native: NAME}`.
mod aggregated_api;
mod autoscaler_target;
mod disruption_budget;
mod exposed;
mod exposed_sensitive;
mod gateway_dangling;
mod image_provenance;
mod image_version;
mod ingress_dangling;
mod ingress_host;
mod inputs;
mod isolation;
mod masters;
mod metadata_service;
mod namespace_account;
mod namespace_boundaries;
mod namespace_limits;
mod namespace_policy;
mod network_plugin;
mod node_flaw_met;
mod node_version;
mod policy_allow_all;
mod policy_dangling;
mod policy_engine;
mod secret_store;
mod service_dangling;
mod service_selector;
mod stale_binding;
mod target_port;
mod tenant_isolation;
mod version;
mod version_outdated;
mod version_skew;
mod weak_namespace;
mod workload_account;

use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Resource;
use serde_json::{Map, Value};
pub(crate) use weak_namespace::{Powerful, powerful};

/// One control's code.
#[derive(Debug)]
pub struct Native {
    /// As `match: {native: NAME}` writes it.
    pub name: &'static str,
    pub subjects: Subjects,
    /// What it reads besides its subject.
    pub inputs: &'static [Input],
    /// Judges one subject with every parameter of the control bound.
    pub judge: fn(&Subject<'_>, &World<'_>, &Map<String, Value>) -> Judgement,
}

/// What a control judges, one by one.
#[derive(Clone, Copy, Debug)]
pub enum Subjects {
    /// The eight kinds that run pods, as far as they answer for themselves.
    Workloads,
    /// (group, kind); the core group is empty.
    Kinds(&'static [(&'static str, &'static str)]),
    /// What no object stands for, such as users, groups or the cluster itself.
    Listed(for<'w> fn(&World<'w>) -> Vec<Subject<'w>>),
}

/// A kind that a control reads. Where it cannot be read the control is `unknown`.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub group: &'static str,
    /// `*`: any kind of the group.
    pub kind: &'static str,
    pub join: Join,
}

impl Input {
    /// Whether it is about objects of that kind.
    pub(crate) fn reads(&self, group: &str, kind: &str) -> bool {
        self.group == group && (self.kind == kind || self.kind == "*")
    }
}

/// Which subjects are judged again when an object of the kind changes.
#[derive(Clone, Copy, Debug)]
pub enum Join {
    /// Every one.
    Every,
    /// Those of its namespace; of a Namespace, those in it. What belongs to no namespace is near to all of them.
    Namespace,
    /// Those of its namespace; and every one where an object of another kind leads to it.
    Through(&'static Through),
    /// Every one, where the object's JSON holds one of these texts, without which it means nothing to the control.
    Holding(&'static [&'static str]),
    /// Every one, when the object comes, goes, or has another owner or number of replicas: nothing else of it is read
    /// but its names.
    Names,
    /// Every one, where the object is one of these; the control asks for the first of its kind alone, in the order of
    /// namespaces and UIDs.
    First(fn(object: &Value) -> bool),
    /// Those for which this holds; it sees the object as it was and as it is.
    When(fn(changed: &Value, subject: &Subject<'_>) -> bool),
}

/// How an object comes to matter outside of its namespace.
#[derive(Debug)]
pub struct Through {
    pub group: &'static str,
    /// A kind that the control reads of every namespace.
    pub kind: &'static str,
    /// Whether an object of that kind leads to the other.
    pub leads: fn(object: &Value, to: &Value) -> bool,
}

/// Every native control's code.
pub static ALL: &[&Native] = &[
    &aggregated_api::NATIVE,
    &autoscaler_target::NATIVE,
    &disruption_budget::BLOCKS,
    &disruption_budget::MISSING,
    &exposed::GATEWAY,
    &exposed::NATIVE,
    &exposed_sensitive::NATIVE,
    &gateway_dangling::NATIVE,
    &image_provenance::NATIVE,
    &image_version::NATIVE,
    &ingress_dangling::NATIVE,
    &ingress_host::NATIVE,
    &isolation::NATIVE,
    &masters::NATIVE,
    &metadata_service::NATIVE,
    &namespace_account::NATIVE,
    &namespace_boundaries::NATIVE,
    &namespace_limits::QUOTA,
    &namespace_limits::RANGE,
    &namespace_policy::NATIVE,
    &network_plugin::NATIVE,
    &node_flaw_met::SUB_PATH,
    &node_version::KERNEL,
    &node_version::RUNTIME,
    &policy_allow_all::NATIVE,
    &policy_dangling::NATIVE,
    &policy_engine::NATIVE,
    &secret_store::NATIVE,
    &service_dangling::NATIVE,
    &service_selector::NATIVE,
    &stale_binding::NATIVE,
    &target_port::NATIVE,
    &tenant_isolation::NATIVE,
    &version_outdated::NATIVE,
    &version_skew::NATIVE,
    &weak_namespace::NATIVE,
    &workload_account::BOUND,
    &workload_account::MISSING,
    &workload_account::RISKY,
];

/// Pieces of evidence told where there may be many; a reader wants some, not all.
const MAX_TOLD: usize = 20;

/// The cluster itself, where all of it is seen.
pub(crate) fn cluster<'w>(world: &World<'w>) -> Vec<Subject<'w>> {
    let resource = Resource {
        api_version: String::new(),
        kind: "Cluster".to_owned(),
        namespace: None,
        name: "cluster".to_owned(),
        uid: None,
    };
    let subject = Subject { resource, object: None };
    if world.is_whole() { vec![subject] } else { Vec::new() }
}

/// The texts of a parameter of type `strings`.
pub(crate) fn values<'p>(params: &'p Map<String, Value>, name: &str) -> Vec<&'p str> {
    let listed = params.get(name).and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).collect()
}

/// The code of that name.
pub(crate) fn find(name: &str) -> Option<&'static Native> {
    ALL.iter().copied().find(|native| native.name == name)
}
