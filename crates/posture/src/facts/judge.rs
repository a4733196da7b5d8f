//! Facts and controls → findings: of one node, and of all that a cluster shows of its nodes and control plane.
use super::{mirror, provider};
use crate::Selection;
use crate::control::{Facts, Matches};
use seawall_model::facts::{ControlPlaneFacts, NodeFacts};
use seawall_model::finding::{ControlFinding, Resource, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What there is to judge a cluster's machines by.
#[derive(Clone, Copy, Debug)]
pub struct Machines<'a> {
    /// The cluster's name in findings that concern no single node.
    pub cluster: &'a str,
    /// Node objects.
    pub nodes: &'a [&'a Value],
    /// Pod objects, of which mirror pods count.
    pub pods: &'a [&'a Value],
    /// What sensors told.
    pub facts: &'a [NodeFacts],
}

/// Labels of nodes that run the control plane; the latter until Kubernetes 1.24.
/// Source: kubernetes.io/docs/reference/labels-annotations-taints.
const CONTROL_PLANE_LABELS: [&str; 2] =
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

const UNREAD: &str = "no sensor told of this node: let the sensors' DaemonSet run there, as the chart's profiles `agent` \
                      and `both` install it, or run `seawall sensor` under the node's name";

const NO_SENSOR: &str = "no sensor told of this node: its files and processes were not read";

/// What controls find of one node, and of the control plane's programs on it. `labels` are those of its object, as far
/// as they are known.
pub fn node(
    selection: &Selection,
    facts: &NodeFacts,
    labels: &[(String, String)],
) -> Vec<ControlFinding> {
    let resource = node_resource(&facts.node, None);
    let mut findings = selection.evaluate_facts(Facts::Node, &facts.document(), &resource, labels);
    if let Some(control_plane) = &facts.control_plane {
        let document = control_plane.document();
        let of = Facts::ControlPlane;
        findings.extend(selection.evaluate_facts(of, &document, &resource, labels));
    }
    findings
}

/// What controls find of a node of which no sensor told: that nobody knows. Of the control plane's programs the same,
/// where its labels say that they run there and no provider runs them.
pub fn unread_node(
    selection: &Selection,
    name: &str,
    labels: &[(String, String)],
) -> Vec<ControlFinding> {
    let resource = node_resource(name, None);
    let names = || labels.iter().map(|(name, _)| name.as_str());
    let mut unread = vec![Facts::Node];
    if names().any(|name| CONTROL_PLANE_LABELS.contains(&name))
        && provider::of(None, names()).is_none()
    {
        unread.push(Facts::ControlPlane);
    }
    let undecided =
        |facts| selection.without_facts(facts, &resource, State::Unknown, "not-collected", UNREAD);
    unread.into_iter().flat_map(undecided).collect()
}

/// What controls find of all nodes and of the control plane, wherever it runs. What nobody told is unknown.
pub fn machines(selection: &Selection, seen: &Machines<'_>) -> Vec<ControlFinding> {
    let mut findings = Vec::new();
    let uids: BTreeMap<&str, Option<&str>> =
        seen.nodes.iter().filter_map(|node| named(node)).collect();
    let names: BTreeSet<&str> =
        uids.keys().copied().chain(seen.facts.iter().map(|facts| facts.node.as_str())).collect();
    let facts_of = |name: &str| seen.facts.iter().find(|facts| facts.node == name);
    let not_collected = |facts, resource: &Resource, message: &str| {
        selection.without_facts(facts, resource, State::Unknown, "not-collected", message)
    };
    for name in &names {
        let resource = node_resource(name, uids.get(name).copied().flatten());
        findings.extend(match facts_of(name) {
            Some(facts) => selection.evaluate_facts(Facts::Node, &facts.document(), &resource, &[]),
            None => not_collected(Facts::Node, &resource, NO_SENSOR),
        });
    }
    let cluster = cluster_resource(seen.cluster);
    if names.is_empty() {
        let message = "neither nodes nor facts of nodes were given";
        findings.extend(not_collected(Facts::Node, &cluster, message));
    }
    let control_planes = control_planes(seen);
    for facts in &control_planes {
        let name = facts.node.as_deref().unwrap_or_default();
        let resource = node_resource(name, uids.get(name).copied().flatten());
        findings.extend(control_plane_of(selection, facts, &resource));
    }
    if control_planes.is_empty() {
        let of_nodes = seen.nodes.iter().find_map(|node| provider::of_node(node));
        let of_facts = || seen.facts.iter().find_map(|facts| facts.provider.as_deref());
        findings.extend(match of_nodes.or_else(of_facts) {
            Some(provider) => provider_managed(selection, provider, &cluster),
            None => {
                let message = "no mirror pod and no sensor showed the control plane's programs";
                not_collected(Facts::ControlPlane, &cluster, message)
            }
        });
    }
    findings
}

/// By node: what a sensor saw, and where it saw nothing of a program, what mirror pods show.
fn control_planes(seen: &Machines<'_>) -> Vec<ControlPlaneFacts> {
    let mirrored = mirror::control_planes(seen.pods.iter().copied());
    let told = seen.facts.iter().filter_map(|facts| {
        let control_plane = facts.control_plane.clone()?;
        Some(ControlPlaneFacts { node: Some(facts.node.clone()), ..control_plane })
    });
    let mut by_node: BTreeMap<Option<String>, ControlPlaneFacts> = BTreeMap::new();
    for mut facts in told.chain(mirrored) {
        match by_node.get_mut(&facts.node) {
            Some(known) => {
                for program in 0..mirror::PROGRAMS.len() {
                    let shown = mirror::part(&mut facts, program).take();
                    let part = mirror::part(known, program);
                    *part = part.take().or(shown);
                }
            }
            None => _ = by_node.insert(facts.node.clone(), facts),
        }
    }
    by_node.into_values().collect()
}

fn control_plane_of(
    selection: &Selection,
    facts: &ControlPlaneFacts,
    resource: &Resource,
) -> Vec<ControlFinding> {
    selection.evaluate_facts(Facts::ControlPlane, &facts.document(), resource, &[])
}

/// The provider runs the control plane: not applicable, with the control that asks the same of the cluster's
/// description, by the section of the provider's benchmark that both stand in.
fn provider_managed(
    selection: &Selection,
    provider: &str,
    resource: &Resource,
) -> Vec<ControlFinding> {
    let (facts, shown) = match provider {
        "aks" => (Facts::Aks, "AKS"),
        "eks" => (Facts::Eks, "EKS"),
        _ => (Facts::Gke, "GKE"),
    };
    let benchmark = format!("cis-{provider}");
    let sections = |control: &crate::Control| -> BTreeSet<String> {
        let own = control.frameworks.iter().filter(|own| own.framework == benchmark);
        own.flat_map(|own| own.sections.iter().cloned()).collect()
    };
    let answers: Vec<(&str, BTreeSet<String>)> = selection
        .controls()
        .filter(|control| control.matches == Matches::Facts(facts))
        .map(|control| (control.id.as_str(), sections(control)))
        .collect();
    let by_id: BTreeMap<&str, BTreeSet<String>> =
        selection.controls().map(|control| (control.id.as_str(), sections(control))).collect();
    let state = State::NotApplicable;
    let mut findings =
        selection.without_facts(Facts::ControlPlane, resource, state, "provider-managed", "");
    for finding in &mut findings {
        let own = by_id.get(finding.control.as_str());
        let shares = |theirs: &BTreeSet<String>| own.is_some_and(|own| !own.is_disjoint(theirs));
        let named: Vec<&str> =
            answers.iter().filter(|(_, theirs)| shares(theirs)).map(|(id, _)| *id).collect();
        finding.message = Some(match named.is_empty() {
            true => format!("{shown} runs the control plane and sets this itself"),
            false => format!(
                "{shown} runs the control plane; {} answers from the cluster's description (--cloud)",
                named.join(", ")
            ),
        });
    }
    findings
}

/// Name and UID of a Node object.
fn named<'v>(node: &&'v Value) -> Option<(&'v str, Option<&'v str>)> {
    let text = |pointer: &str| node.pointer(pointer).and_then(Value::as_str);
    (text("/kind") == Some("Node")).then_some((text("/metadata/name")?, text("/metadata/uid")))
}

fn node_resource(name: &str, uid: Option<&str>) -> Resource {
    Resource {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: name.to_owned(),
        uid: uid.map(str::to_owned),
    }
}

fn cluster_resource(name: &str) -> Resource {
    let api_version = "seawall/v1".to_owned();
    let (kind, name) = ("Cluster".to_owned(), name.to_owned());
    Resource { api_version, kind, namespace: None, name, uid: None }
}
