//! Whose control plane it is: told by what the providers themselves write on nodes.
use serde_json::Value;

/// The provider whose managed nodes carry a label of this name. Clusters that merely run on a cloud's machines do not.
fn of_label(name: &str) -> Option<&'static str> {
    // learn.microsoft.com/azure/aks/use-labels; docs.aws.amazon.com/eks (eks.amazonaws.com/nodegroup,
    // …/compute-type); cloud.google.com/kubernetes-engine (cloud.google.com/gke-nodepool).
    match name {
        "kubernetes.azure.com/cluster" | "kubernetes.azure.com/agentpool" => Some("aks"),
        _ if name.starts_with("eks.amazonaws.com/") => Some("eks"),
        _ if name.starts_with("cloud.google.com/gke-") => Some("gke"),
        _ => None,
    }
}

/// By a kubelet's version, such as `v1.29.3-gke.100`, and the names of its node's labels.
pub fn of<'a>(
    version: Option<&str>,
    labels: impl IntoIterator<Item = &'a str>,
) -> Option<&'static str> {
    let version = version.unwrap_or_default();
    let built = [("-eks-", "eks"), ("-gke.", "gke")];
    let of_build = built.iter().find(|(mark, _)| version.contains(mark)).map(|(_, name)| *name);
    of_build.or_else(|| labels.into_iter().find_map(of_label))
}

/// By a Node object.
pub fn of_node(node: &Value) -> Option<&'static str> {
    let version = node.pointer("/status/nodeInfo/kubeletVersion").and_then(Value::as_str);
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    of(version, labels.into_iter().flat_map(|labels| labels.keys().map(String::as_str)))
}

/// The names in a kubelet's `--node-labels`.
pub fn label_names(flag: &str) -> impl Iterator<Item = &str> {
    flag.split(',').map(|label| label.split('=').next().unwrap_or_default())
}

/// `v1.35.1` of `registry.k8s.io/kube-apiserver:v1.35.1@sha256:…`.
pub fn version_of_image(image: &str) -> Option<String> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit_once('/').unwrap_or(("", name)).1.split_once(':')?;
    let digits = |c: char| c.is_ascii_digit();
    (tag.starts_with("v1.") && tag[3..].starts_with(digits)).then(|| tag.to_owned())
}

#[test]
fn table() {
    #[track_caller]
    fn check(version: &str, labels: &[&str], expected: Option<&str>) {
        assert_eq!(of(Some(version), labels.iter().copied()), expected, "{version} {labels:?}");
    }
    check("v1.29.3-gke.100", &[], Some("gke"));
    check("v1.30.0-eks-036c24b", &[], Some("eks"));
    check("v1.30.0", &["kubernetes.azure.com/agentpool"], Some("aks"));
    check("v1.30.0", &["cloud.google.com/gke-nodepool"], Some("gke"));
    check("v1.30.0", &["kubernetes.io/os", "topology.kubernetes.io/zone"], None);
    assert_eq!(
        version_of_image("r:5000/kube-apiserver:v1.2.3@sha256:0"),
        Some("v1.2.3".to_owned())
    );
    assert_eq!(version_of_image("r:5000/kube-apiserver"), None);
    assert_eq!(version_of_image("kube-apiserver:latest"), None);
    let names: Vec<&str> = label_names("a/b=c,d=e").collect();
    assert_eq!(names, ["a/b", "d"]);
}
