//! What a scan knows of a cluster beside its objects: kinds that could not be read, and facts about its machines and
//! its provider.
use crate::catalogue::Selection;
use crate::cloud::{self, Description};
use crate::control::{Facts, group_version};
use crate::facts::{Machines, machines, provider};
use seawall_model::facts::NodeFacts;
use seawall_model::finding::{ControlFinding, Resource, State};
use serde_json::{Value, json};

/// The name of what could not be read: any object of the kind.
pub(super) const EVERY: &str = "*";

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub unseen: Vec<Unseen>,
    /// What sensors told.
    pub nodes: Vec<NodeFacts>,
    /// What the cloud says of it.
    pub cloud: Option<Description>,
    /// Whether nothing but what is unseen is missing among the objects.
    pub whole: bool,
}

/// A kind whose objects could not be read.
#[derive(Clone, Debug)]
pub struct Unseen {
    pub api_version: String,
    pub kind: String,
    /// `forbidden`, `timeout`, `limit` or `error`.
    pub reason: String,
    /// What the server said.
    pub message: String,
}

impl Unseen {
    pub(super) fn group(&self) -> &str {
        group_version(&self.api_version).0
    }
}

impl Cluster {
    /// Controls of one object are unknown of kinds that could not be read.
    pub(super) fn unseen(&self, selection: &Selection) -> Vec<ControlFinding> {
        let findings = self.unseen.iter().flat_map(|unseen| {
            let any = json!({"apiVersion": unseen.api_version, "kind": unseen.kind, "metadata": {"name": EVERY}});
            selection.undecided(&any, &unseen.reason, &unseen.message)
        });
        findings.collect()
    }

    /// Controls on machines, control plane and cloud: judged where there are facts, else why there are none.
    /// `name`: of the cluster, for what concerns no single node.
    pub(super) fn facts<'v>(
        &self,
        selection: &Selection,
        name: &str,
        objects: impl Iterator<Item = &'v Value> + Clone,
    ) -> Vec<ControlFinding> {
        let of_kind = |kind: &str| -> Vec<&Value> {
            let is = |object: &&Value| {
                object.get("kind").and_then(Value::as_str) == Some(kind)
                    && object.get("apiVersion").and_then(Value::as_str) == Some("v1")
            };
            objects.clone().filter(is).collect()
        };
        let (nodes, pods) = (of_kind("Node"), of_kind("Pod"));
        let seen = Machines { cluster: name, nodes: &nodes, pods: &pods, facts: &self.nodes };
        let mut findings = machines(selection, &seen);
        let told = nodes.iter().find_map(|node| provider::of_node(node));
        let told = told.or(self.nodes.iter().find_map(|node| node.provider.as_deref()));
        for facts in [Facts::Aks, Facts::Eks, Facts::Gke] {
            findings.extend(match &self.cloud {
                Some(cluster) if cluster.provider == facts => cloud::judge(selection, cluster),
                Some(_) => other_cloud(selection, facts, name),
                None if told == Some(facts.as_str()) => not_described(selection, facts, name),
                None => other_cloud(selection, facts, name),
            });
        }
        findings
    }
}

fn not_described(selection: &Selection, facts: Facts, name: &str) -> Vec<ControlFinding> {
    let message = "no description of the cluster: name it with `--cloud`";
    selection.without_facts(facts, &cluster(name), State::Unknown, "not-collected", message)
}

fn other_cloud(selection: &Selection, facts: Facts, name: &str) -> Vec<ControlFinding> {
    let message = format!("the cluster is not known to be of {}", facts.as_str());
    let state = State::NotApplicable;
    selection.without_facts(facts, &cluster(name), state, "out-of-scope", &message)
}

/// What no object of the API stands for.
fn cluster(name: &str) -> Resource {
    let (api_version, kind) = (String::new(), "Cluster".to_owned());
    Resource { api_version, kind, namespace: None, name: name.to_owned(), uid: None }
}
