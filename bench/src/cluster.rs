//! A cluster of that many workloads: what a few hundred teams run, some of them careless. The same in every run.
mod network;
mod rights;
mod workload;

use crate::dice::Dice;
use serde_json::{Value, json};

/// Workloads of one namespace; large clusters have some tens.
const PER_NAMESPACE: usize = 50;
const NODES: usize = 100;

/// How large, and whether it runs.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Deployments.
    pub workloads: usize,
    /// Pods of each Deployment, below a ReplicaSet; none: as files have it, where nothing runs.
    pub pods: usize,
}

/// Everything that such a cluster has, namespace by namespace: a large one is many gigabytes of parsed values at once.
pub fn objects(shape: Shape) -> impl Iterator<Item = Value> {
    let mut dice = Dice::new();
    let mut first: Vec<Value> = (0..NODES).map(node).collect();
    first.push(object("v1", "Namespace", None, "kube-system", json!({})));
    first.extend(rights::of_cluster(&mut dice));
    let namespaces = 0..shape.workloads.div_ceil(PER_NAMESPACE);
    first.into_iter().chain(namespaces.flat_map(move |number| namespace(shape, number, &mut dice)))
}

fn namespace(shape: Shape, number: usize, dice: &mut Dice) -> Vec<Value> {
    let name = format!("team-{number}");
    let mut objects = vec![labelled_namespace(&name, dice)];
    objects.extend(rights::of_namespace(&name, dice));
    let last = shape.workloads.min((number + 1) * PER_NAMESPACE);
    for workload in number * PER_NAMESPACE..last {
        let deployment = workload::deployment(&name, workload, dice);
        objects.extend(workload::running(&deployment, shape.pods, dice));
        objects.extend(network::of_workload(&name, workload, dice));
        objects.push(deployment);
    }
    objects.extend(network::of_namespace(&name, dice));
    objects
}

/// Pods as they are asked for, of one to three containers.
pub fn pods(count: usize) -> Vec<Value> {
    let mut dice = Dice::new();
    (0..count)
        .map(|number| workload::pod(&format!("team-{}", number % 20), number, &mut dice))
        .collect()
}

/// Deployments of that cluster.
pub fn deployments(count: usize) -> Vec<Value> {
    let mut dice = Dice::new();
    let one = |number| {
        workload::deployment(&format!("team-{}", number / PER_NAMESPACE), number, &mut dice)
    };
    (0..count).map(one).collect()
}

/// An object with the UID that its kind and place make.
fn object(
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    rest: Value,
) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "uid": uid(kind, namespace, name), "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z"}});
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}

fn uid(kind: &str, namespace: Option<&str>, name: &str) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, kind, namespace, name).hash(&mut hasher);
        hasher.finish()
    };
    let (high, low) = (half(0), half(1));
    let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    format!(
        "{first:08x}-{second:04x}-4{third:03x}-8{:03x}-{:012x}",
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Every third namespace names a Pod Security Standard.
fn labelled_namespace(name: &str, dice: &mut Dice) -> Value {
    let mut namespace = object("v1", "Namespace", None, name, json!({}));
    let mut labels = json!({"team": name, "kubernetes.io/metadata.name": name});
    if dice.roll(3) == 0 {
        labels["pod-security.kubernetes.io/enforce"] =
            dice.pick(&["privileged", "baseline", "restricted"]).into();
    }
    namespace["metadata"]["labels"] = labels;
    namespace
}

fn node(number: usize) -> Value {
    let address = format!("10.1.{}.{}", number / 250, number % 250);
    object(
        "v1",
        "Node",
        None,
        &format!("node-{number}"),
        json!({
        "spec": {"podCIDR": format!("10.2.{number}.0/24")},
        "status": {"addresses": [{"type": "InternalIP", "address": address}],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "kubeProxyVersion": "v1.36.3", "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": "6.1.0-30-amd64", "architecture": "amd64",
                "containerRuntimeVersion": "containerd://2.1.4"}}}),
    )
}

#[test]
fn it_is_large_enough_and_no_two_objects_are_one() {
    let shape = Shape { workloads: 200, pods: 2 };
    let objects: Vec<Value> = objects(shape).collect();
    let uids: std::collections::HashSet<&str> =
        objects.iter().filter_map(|object| object["metadata"]["uid"].as_str()).collect();
    assert_eq!(uids.len(), objects.len());
    let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
    assert_eq!(
        (of("Deployment"), of("ReplicaSet"), of("Pod"), of("Namespace")),
        (200, 200, 400, 5)
    );
    assert!(
        of("Service") > 100 && of("NetworkPolicy") > 4 && of("RoleBinding") > 10,
        "{}",
        of("Service")
    );
    assert!(self::objects(shape).eq(objects));
}

#[test]
fn pods_are_of_the_usual_size() {
    let sizes: Vec<usize> = pods(200).iter().map(|pod| pod.to_string().len()).collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((3_500..4_600).contains(&mean), "{mean}");
}
