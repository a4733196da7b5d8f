//! Kinds that several native controls read, each list written once.
use super::{Input, Join, Through};
use crate::exposure::is_in_front;

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";
pub(super) const GATEWAY: &str = "gateway.networking.k8s.io";
pub(super) const ISTIO: &str = "networking.istio.io";

const fn every(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Every }
}

const fn near(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Namespace }
}

/// The inputs of both lists.
const fn joined<const A: usize, const B: usize, const N: usize>(
    a: &[Input; A],
    b: &[Input; B],
) -> [Input; N] {
    assert!(A + B == N, "the length is that of both");
    let mut all = [a[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < A { a[at] } else { b[at - A] };
        at += 1;
    }
    all
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
pub(super) static POLICIES: [Input; 17] = joined(
    &[
        near("networking.k8s.io", "NetworkPolicy"),
        near("cilium.io", "CiliumNetworkPolicy"),
        every("cilium.io", "CiliumClusterwideNetworkPolicy"),
        near("crd.projectcalico.org", "NetworkPolicy"),
        every("crd.projectcalico.org", "GlobalNetworkPolicy"),
        near("projectcalico.org", "NetworkPolicy"),
        every("projectcalico.org", "GlobalNetworkPolicy"),
        near("", "Namespace"),
        every("apps", "DaemonSet"),
    ],
    &WORKLOADS,
);

/// An Istio gateway is reached through the Service before it, in another namespace than what it leads to.
static BEFORE_GATEWAY: Through = Through { group: ISTIO, kind: "Gateway", leads: is_in_front };

/// What leads from outside to a workload.
pub(super) static ROUTES: [Input; 13] = [
    Input { group: "", kind: "Service", join: Join::Through(&BEFORE_GATEWAY) },
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

/// What leads to the workloads that a policy selects.
pub(super) static SELECTED_ROUTES: [Input; 21] = joined(&ROUTES, &WORKLOADS);

const fn named(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Names }
}

/// That there are workloads, and where.
pub(super) static NAMED_WORKLOADS: [Input; 8] = [
    named("", "Pod"),
    named("", "ReplicationController"),
    named("apps", "Deployment"),
    named("apps", "StatefulSet"),
    named("apps", "DaemonSet"),
    named("apps", "ReplicaSet"),
    named("batch", "Job"),
    named("batch", "CronJob"),
];

const fn holding(group: &'static str, kind: &'static str, texts: &'static [&'static str]) -> Input {
    Input { group, kind, join: Join::Holding(texts) }
}

/// A volume's driver and a pod's annotation that bring secrets from elsewhere.
pub(super) const SECRETS_DRIVER: &str = "secrets-store.csi.k8s.io";
pub(super) const SECRETS_INJECTED: &str = "vault.hashicorp.com/agent-inject";
const MOUNTED: &[&str] = &[SECRETS_DRIVER, SECRETS_INJECTED];

/// Objects that bring secrets from elsewhere or keep them sealed, and workloads that mount them: few among all that a
/// cluster runs.
pub(super) static SECRETS: [Input; 14] = joined(
    &[
        every("secrets-store.csi.x-k8s.io", "SecretProviderClass"),
        every("external-secrets.io", "ExternalSecret"),
        every("external-secrets.io", "ClusterExternalSecret"),
        every("bitnami.com", "SealedSecret"),
        every("secrets.hashicorp.com", "VaultStaticSecret"),
        every("secrets.hashicorp.com", "VaultDynamicSecret"),
    ],
    &[
        holding("", "Pod", MOUNTED),
        holding("", "ReplicationController", MOUNTED),
        holding("apps", "Deployment", MOUNTED),
        holding("apps", "StatefulSet", MOUNTED),
        holding("apps", "DaemonSet", MOUNTED),
        holding("apps", "ReplicaSet", MOUNTED),
        holding("batch", "Job", MOUNTED),
        holding("batch", "CronJob", MOUNTED),
    ],
);

/// Service accounts and workloads of the subject's namespace.
pub(super) static ACCOUNTS: [Input; 9] = joined(&[near("", "ServiceAccount")], &WORKLOADS);

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
