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
    pub unseen: Vec<Unseen>,
    pub facts: Vec<FactsDocument>,
    /// `aks`, `eks` or `gke`, whose control plane is the provider's; `None`: nobody's, or not known.
    pub provider: Option<String>,
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

impl Cluster {
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
        let resource = Resource {
            api_version: String::new(),
            kind: kind.to_owned(),
            namespace: None,
            name: EVERY.to_owned(),
            uid: None,
        };
        selection.without_facts(facts, &resource, state, reason, &message)
    }
}
