//! Which kinds stand in namespaces, for objects of files that do not say.

/// Cluster-scoped kinds of Kubernetes' own groups; the group is empty for the core.
/// Source: `kubectl api-resources --namespaced=false`, Kubernetes 1.36.
const CLUSTER: [(&str, &str); 34] = [
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Whether the kind has namespaces. Kinds of Kubernetes' own groups that are not known to be the cluster's have; of
/// other groups nobody can tell without their definition, and one that names no namespace is taken for the cluster's.
pub fn is_namespaced(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let own = !group.contains('.') || group.ends_with(".k8s.io");
    own && !CLUSTER.contains(&(group, kind))
}

#[test]
fn kinds_of_the_cluster_are_known() {
    for (api_version, kind, expected) in [
        ("v1", "Pod", true),
        ("apps/v1", "Deployment", true),
        ("networking.k8s.io/v1", "Ingress", true),
        ("v1", "Node", false),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", false),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", true),
        ("example.test/v1", "Thing", false),
    ] {
        assert_eq!(is_namespaced(api_version, kind), expected, "{api_version} {kind}");
    }
}
