//! What a scan knows of a cluster beside its objects: kinds that could not be read, and facts about its machines and
//! its provider.
use crate::catalogue::Selection;
use crate::control::{Facts, group_version};
use seawall_model::finding::{ControlFinding, Resource, State};
use serde_json::{Value, json};

/// The name of what could not be read: any object of the kind.
pub(super) const EVERY: &str = "*";

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub(super) unseen: Vec<Unseen>,
    facts: Vec<FactsDocument>,
    /// `aks`, `eks` or `gke`, whose control plane is the provider's; `None`: nobody's, or not known.
    provider: Option<String>,
    /// Whether nothing but what is unseen is missing.
    pub(super) whole: bool,
}

/// A kind whose objects could not be read.
#[derive(Clone, Debug)]
pub struct Unseen {
    pub api_version: String,
    pub kind: String,
    /// `forbidden` or `not-collected`.
    pub reason: String,
    /// What the server said.
    pub message: String,
}

/// A document about a machine, a control plane or a managed cluster.
#[derive(Clone, Debug)]
pub struct FactsDocument {
    pub facts: Facts,
    /// What it is about, such as a node.
    pub resource: Resource,
    pub document: Value,
}

impl Unseen {
    pub(super) fn group(&self) -> &str {
        group_version(&self.api_version).0
    }
}

impl FactsDocument {
    /// What a cloud says of a managed cluster, told by its shape. `Err` says what is wrong.
    pub fn of_cloud(document: Value) -> Result<Self, String> {
        let has = |pointer: &str| document.pointer(pointer).is_some();
        let starts = |pointer: &str, text: &str| {
            let value = document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            value.to_ascii_lowercase().starts_with(text)
        };
        let facts = if has("/agentPoolProfiles")
            || starts("/type", "microsoft.containerservice/managedclusters")
        {
            Facts::Aks
        } else if starts("/cluster/arn", "arn:aws") || starts("/arn", "arn:aws") {
            Facts::Eks
        } else if has("/nodePools") || starts("/selfLink", "https://container.googleapis.com/") {
            Facts::Gke
        } else {
            return Err("it describes no cluster of a known cloud".to_owned());
        };
        let name = document.pointer("/cluster/name").or(document.get("name"));
        let name = name.and_then(Value::as_str).unwrap_or(EVERY).to_owned();
        Ok(Self { facts, resource: resource("Cluster", name), document })
    }

    /// What a sensor says of a node, and of the control plane where that runs there. `Err` says what is wrong.
    pub fn of_node(document: Value) -> Result<Vec<Self>, String> {
        let Some(node) = document.get("node").and_then(Value::as_str) else {
            return Err("it holds no facts of a node".to_owned());
        };
        let node = node.to_owned();
        let plane = document.get("controlPlane").filter(|plane| plane.is_object()).cloned();
        let plane = plane.map(|document| Self {
            facts: Facts::ControlPlane,
            resource: resource("ControlPlane", node.clone()),
            document,
        });
        let mut found =
            vec![Self { facts: Facts::Node, resource: resource("Node", node), document }];
        found.extend(plane);
        Ok(found)
    }
}

impl Cluster {
    /// `whole`: nothing but what is `unseen` is missing among the objects.
    pub fn new(facts: Vec<FactsDocument>, unseen: Vec<Unseen>, whole: bool) -> Self {
        let of_cloud = facts
            .iter()
            .find(|document| matches!(document.facts, Facts::Aks | Facts::Eks | Facts::Gke));
        let provider = of_cloud.map(|document| document.facts.as_str().to_owned());
        Self { unseen, facts, provider, whole }
    }

    /// Controls of one object are unknown of kinds that could not be read.
    pub(super) fn unseen(&self, selection: &Selection) -> Vec<ControlFinding> {
        let findings = self.unseen.iter().flat_map(|unseen| {
            let any = json!({"apiVersion": unseen.api_version, "kind": unseen.kind, "metadata": {"name": EVERY}});
            selection.undecided(&any, &unseen.reason, &unseen.message)
        });
        findings.collect()
    }

    /// Controls on facts: judged where there are any, else why there are none.
    pub(super) fn facts(&self, selection: &Selection) -> Vec<ControlFinding> {
        let mut findings = Vec::new();
        for facts in [Facts::Node, Facts::ControlPlane, Facts::Aks, Facts::Eks, Facts::Gke] {
            let mut documents =
                self.facts.iter().filter(|document| document.facts == facts).peekable();
            if documents.peek().is_none() {
                findings.extend(self.missing(selection, facts));
            }
            for one in documents {
                findings.extend(selection.evaluate_facts(facts, &one.document, &one.resource));
            }
        }
        findings
    }

    fn missing(&self, selection: &Selection, facts: Facts) -> Vec<ControlFinding> {
        let provider = self.provider.as_deref();
        let (kind, state, reason, message) = match facts {
            Facts::Node => (
                "Node",
                State::Unknown,
                "not-collected",
                "no facts of nodes: name them with `--node-facts`".to_owned(),
            ),
            Facts::ControlPlane => match provider {
                Some(provider) => (
                    "ControlPlane",
                    State::NotApplicable,
                    "provider-managed",
                    format!(
                        "the control plane is the provider's: the {provider} controls answer for it"
                    ),
                ),
                None => (
                    "ControlPlane",
                    State::Unknown,
                    "not-collected",
                    "no facts of the control plane: name them with `--node-facts`".to_owned(),
                ),
            },
            Facts::Aks | Facts::Eks | Facts::Gke if provider == Some(facts.as_str()) => (
                "Cluster",
                State::Unknown,
                "not-collected",
                "no description of the cluster: name it with `--cloud`".to_owned(),
            ),
            Facts::Aks | Facts::Eks | Facts::Gke => (
                "Cluster",
                State::NotApplicable,
                "out-of-scope",
                format!("the cluster is not of {}", facts.as_str()),
            ),
        };
        let resource = resource(kind, EVERY.to_owned());
        selection.without_facts(facts, &resource, state, reason, &message)
    }
}

/// What no object of the API stands for.
fn resource(kind: &str, name: String) -> Resource {
    let (api_version, kind) = (String::new(), kind.to_owned());
    Resource { api_version, kind, namespace: None, name, uid: None }
}
