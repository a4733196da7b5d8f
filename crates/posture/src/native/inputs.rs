//! Kinds that several native controls read, each list written once.
use super::{Input, Join};

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";
pub(super) const GATEWAY: &str = "gateway.networking.k8s.io";
pub(super) const ISTIO: &str = "networking.istio.io";

const fn every(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Every }
}

const fn near(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Namespace }
}

/// The eight kinds that run pods, where those of the subject's namespace count.
pub(super) static WORKLOADS: [Input; 8] = [
    near("", "Pod"),
    near("", "ReplicationController"),
    near("apps", "Deployment"),
    near("apps", "StatefulSet"),
    near("apps", "DaemonSet"),
    near("apps", "ReplicaSet"),
    near("batch", "Job"),
    near("batch", "CronJob"),
];

/// Policies, namespaces whose labels they select, workloads they are about, and what tells the network plugin.
pub(super) static POLICIES: [Input; 15] = [
    near("networking.k8s.io", "NetworkPolicy"),
    near("cilium.io", "CiliumNetworkPolicy"),
    every("cilium.io", "CiliumClusterwideNetworkPolicy"),
    near("crd.projectcalico.org", "NetworkPolicy"),
    every("crd.projectcalico.org", "GlobalNetworkPolicy"),
    near("projectcalico.org", "NetworkPolicy"),
    every("projectcalico.org", "GlobalNetworkPolicy"),
    near("", "Namespace"),
    near("", "Pod"),
    near("apps", "Deployment"),
    near("apps", "StatefulSet"),
    every("apps", "DaemonSet"),
    near("apps", "ReplicaSet"),
    near("batch", "Job"),
    near("batch", "CronJob"),
];

/// What leads from outside to a workload.
pub(super) static ROUTES: [Input; 13] = [
    near("", "Service"),
    near("networking.k8s.io", "Ingress"),
    every("", "Node"),
    every("", "Namespace"),
    every(GATEWAY, "Gateway"),
    every(GATEWAY, "HTTPRoute"),
    every(GATEWAY, "GRPCRoute"),
    every(GATEWAY, "TLSRoute"),
    every(GATEWAY, "TCPRoute"),
    every(GATEWAY, "UDPRoute"),
    every(GATEWAY, "ReferenceGrant"),
    every(ISTIO, "Gateway"),
    every(ISTIO, "VirtualService"),
];

/// Service accounts and workloads of the subject's namespace.
pub(super) static ACCOUNTS: [Input; 9] = [
    near("", "ServiceAccount"),
    near("", "Pod"),
    near("", "ReplicationController"),
    near("apps", "Deployment"),
    near("apps", "StatefulSet"),
    near("apps", "DaemonSet"),
    near("apps", "ReplicaSet"),
    near("batch", "Job"),
    near("batch", "CronJob"),
];

/// Services of the subject's namespace.
pub(super) static SERVICES: [Input; 1] = [near("", "Service")];

/// Services and grants of any namespace.
pub(super) static BACKENDS: [Input; 2] = [every("", "Service"), every(GATEWAY, "ReferenceGrant")];

/// Services, and the workloads they select.
pub(super) static SELECTED: [Input; 9] = [
    near("", "Service"),
    near("", "Pod"),
    near("", "ReplicationController"),
    near("apps", "Deployment"),
    near("apps", "StatefulSet"),
    near("apps", "DaemonSet"),
    near("apps", "ReplicaSet"),
    near("batch", "Job"),
    near("batch", "CronJob"),
];

/// The service accounts of the subject's namespace.
pub(super) static ACCOUNT: [Input; 1] = [near("", "ServiceAccount")];

/// Those, and what anybody may do.
pub(super) static ACCOUNT_RIGHTS: [Input; 5] = [
    near("", "ServiceAccount"),
    every(RBAC, "ClusterRole"),
    every(RBAC, "Role"),
    every(RBAC, "ClusterRoleBinding"),
    every(RBAC, "RoleBinding"),
];

/// Disruption budgets of the subject's namespace.
pub(super) static BUDGETS: [Input; 1] = [near("policy", "PodDisruptionBudget")];

/// What an autoscaler may scale among the built-in kinds.
pub(super) static SCALED: [Input; 4] = [
    near("apps", "Deployment"),
    near("apps", "StatefulSet"),
    near("apps", "ReplicaSet"),
    near("", "ReplicationController"),
];

/// Policies that may keep a workload from an address, and the machines that answer there.
pub(super) static METADATA: [Input; 9] = [
    every("", "Node"),
    near("", "Namespace"),
    near("networking.k8s.io", "NetworkPolicy"),
    near("cilium.io", "CiliumNetworkPolicy"),
    every("cilium.io", "CiliumClusterwideNetworkPolicy"),
    near("crd.projectcalico.org", "NetworkPolicy"),
    every("crd.projectcalico.org", "GlobalNetworkPolicy"),
    near("projectcalico.org", "NetworkPolicy"),
    every("projectcalico.org", "GlobalNetworkPolicy"),
];
