//! Which network plugin a cluster runs, and whether it enforces network policies.
use super::{list, text};
use crate::world::World;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cni {
    /// Known to enforce policies.
    Enforcing(&'static str),
    /// Known not to.
    Open(&'static str),
    Unrecognised,
}

/// (DaemonSet, container or none for any, plugin, enforces). The first that is there counts, so what enforces
/// beside a plugin that does not comes first. Sources: the plugins' own manifests.
const KNOWN: [(&str, Option<&str>, &str, bool); 19] = [
    ("cilium", None, "Cilium", true),
    ("anetd", None, "GKE Dataplane V2", true),
    ("calico-node", None, "Calico", true),
    ("canal", None, "Canal", true),
    ("rke2-canal", None, "Canal", true),
    ("antrea-agent", None, "Antrea", true),
    ("kube-router", None, "kube-router", true),
    ("weave-net", None, "Weave Net", true),
    ("ovnkube-node", None, "OVN-Kubernetes", true),
    ("kube-ovn-cni", None, "Kube-OVN", true),
    ("azure-npm", None, "Azure NPM", true),
    ("aws-node", Some("aws-eks-nodeagent"), "Amazon VPC CNI with its policy agent", true),
    ("aws-node", None, "Amazon VPC CNI", false),
    ("kindnet", None, "kindnet", true),
    ("kube-flannel-ds", None, "Flannel", false),
    ("kube-flannel", None, "Flannel", false),
    ("azure-cni", None, "Azure CNI without a policy engine", false),
    ("azure-cns", None, "Azure CNI without a policy engine", false),
    ("kube-multus-ds", None, "Multus", false),
];

impl Cni {
    pub(super) fn of(world: &World<'_>) -> Self {
        let sets: Vec<_> = world.of_kind("apps", "DaemonSet").collect();
        let runs = |name: &str, container: Option<&str>| {
            sets.iter().any(|set| {
                let mut containers = list(set.value(), "/spec/template/spec/containers");
                let named =
                    |found: &Value| container.is_none_or(|wanted| text(found, "/name") == wanted);
                set.name() == name && (container.is_none() || containers.any(named))
            })
        };
        let found = KNOWN.iter().find(|(name, container, ..)| runs(name, *container));
        match found {
            Some((_, _, plugin, true)) => Self::Enforcing(plugin),
            Some((_, _, plugin, false)) => Self::Open(plugin),
            None => Self::Unrecognised,
        }
    }
}
