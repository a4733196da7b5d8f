//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of cilium.io/v2.
use super::{Opens, Policy, Rules, Selects, filled};
use crate::exposure::{Network, Workload, is_everybody, list};
use crate::selector::Selector;
use crate::world::Object;
use serde_json::{Value, json};

/// An endpoint selector, on labels as Cilium knows them.
#[derive(Debug)]
pub(crate) struct Endpoints(Selector);

/// Labels of a pod's namespace among its own. Source: Cilium, "Kubernetes constructs in policy".
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

impl Endpoints {
    fn read(selector: &Value) -> Result<Self, String> {
        // The source of a label stands before it; pods have labels of the source k8s, `any` is every source.
        let plain = |key: &str| -> String {
            ["k8s:", "any:", "k8s.", "any."]
                .iter()
                .find_map(|source| key.strip_prefix(source))
                .unwrap_or(key)
                .to_owned()
        };
        let mut selector = selector.clone();
        if let Some(labels) = selector.get_mut("matchLabels").and_then(Value::as_object_mut) {
            *labels = std::mem::take(labels)
                .into_iter()
                .map(|(key, value)| (plain(&key), value))
                .collect();
        }
        let expressions = selector.get_mut("matchExpressions").and_then(Value::as_array_mut);
        for expression in expressions.into_iter().flatten() {
            if let Some(key) = expression.get("key").and_then(Value::as_str) {
                expression["key"] = plain(key).into();
            }
        }
        Selector::read(&selector).map(Self)
    }

    pub(super) fn select(&self, workload: &Workload<'_>, network: &Network<'_>) -> bool {
        let mut labels = workload.labels.clone();
        if !labels.is_object() {
            labels = json!({});
        }
        labels[NAMESPACE] = workload.namespace.into();
        let account = workload.pod_spec.get("serviceAccountName").and_then(Value::as_str);
        labels[ACCOUNT] = account.unwrap_or("default").into();
        let of_namespace = network.namespace_labels(workload.namespace);
        for (key, value) in of_namespace.as_object().into_iter().flatten() {
            labels[format!("{NAMESPACE_LABELS}{key}")] = value.clone();
        }
        self.0.matches(&labels)
    }
}

/// `spec` or each of `specs`. One that selects nodes is about no pod.
pub(super) fn read<'w>(
    object: Object<'w>,
    namespace: Option<&'w str>,
) -> Result<Vec<Policy<'w>>, String> {
    let value = object.value();
    let one =
        value.get("spec").filter(|spec| spec.is_object()).map(|spec| ("/spec".to_owned(), spec));
    let many = list(value, "/specs").enumerate().map(|(at, spec)| (format!("/specs/{at}"), spec));
    one.into_iter()
        .chain(many)
        .map(|(pointer, spec)| policy(object, namespace, &pointer, spec))
        .collect()
}

fn policy<'w>(
    object: Object<'w>,
    namespace: Option<&'w str>,
    pointer: &str,
    spec: &Value,
) -> Result<Policy<'w>, String> {
    let selects = match spec.get("endpointSelector") {
        Some(selector) => Selects::Cilium(Endpoints::read(selector)?),
        None => Selects::Nobody,
    };
    Ok(Policy {
        object,
        namespace,
        selects,
        ingress: rules(object, pointer, spec, "ingress", "from"),
        egress: rules(object, pointer, spec, "egress", "to"),
    })
}

/// A direction is closed where it has a rule, be it an empty one, unless `enableDefaultDeny` says otherwise.
fn rules(
    object: Object<'_>,
    pointer: &str,
    spec: &Value,
    direction: &str,
    prefix: &str,
) -> Option<Rules> {
    let ruled = filled(spec, direction) || filled(spec, &format!("{direction}Deny"));
    let default = spec.pointer(&format!("/enableDefaultDeny/{direction}")).and_then(Value::as_bool);
    if !default.unwrap_or(ruled) {
        return None;
    }
    let read = |(index, rule): (usize, &Value)| {
        (opens(object, rule, prefix), format!("{pointer}/{direction}/{index}"))
    };
    Some(list(spec, &format!("/{direction}")).enumerate().map(read).collect())
}

fn opens(object: Object<'_>, rule: &Value, prefix: &str) -> Opens {
    const PEERS: [&str; 9] = [
        "Endpoints",
        "Entities",
        "CIDR",
        "CIDRSet",
        "Groups",
        "Nodes",
        "Requires",
        "FQDNs",
        "Services",
    ];
    let peers = |suffix: &str| list(rule, &format!("/{prefix}{suffix}")).collect::<Vec<_>>();
    let named = PEERS.iter().any(|suffix| rule.get(format!("{prefix}{suffix}")).is_some());
    let ports = filled(rule, "toPorts") || filled(rule, "icmps");
    // A rule that names neither peers nor ports allows nothing.
    let any_peer = !named && ports;
    let entities = peers("Entities").into_iter().any(|entity| entity == "all" || entity == "world");
    let ranges = peers("CIDR").into_iter().filter_map(Value::as_str).any(is_everybody)
        || peers("CIDRSet")
            .into_iter()
            .any(|set| is_everybody(crate::exposure::text(set, "/cidr")) && !filled(set, "except"));
    // Of the cluster, an empty selector is every pod; in a namespace, every pod of that namespace.
    let clusterwide = object.kind() == "CiliumClusterwideNetworkPolicy";
    let everybody = clusterwide
        && peers("Endpoints")
            .into_iter()
            .any(|selector| selector.as_object().is_some_and(|members| members.is_empty()));
    match (any_peer || entities || ranges || everybody, ports) {
        (false, _) => Opens::Named,
        (true, true) => Opens::Ports,
        (true, false) => Opens::Everything,
    }
}

#[test]
fn sources_of_labels_are_dropped() {
    let selector =
        Endpoints::read(&json!({"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"},
        "matchExpressions": [{"key": "any:app", "operator": "Exists"}]}));
    let labels = json!({"io.kubernetes.pod.namespace": "shop", "app": "x"});
    assert!(selector.unwrap().0.matches(&labels));
    let object = json!({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "a"}});
    let opens = |rule: Value| opens(Object::new(&object), &rule, "from");
    assert_eq!(opens(json!({})), Opens::Named);
    assert_eq!(opens(json!({"fromEntities": ["world"]})), Opens::Everything);
    assert_eq!(opens(json!({"toPorts": [{"ports": [{"port": "80"}]}]})), Opens::Ports);
    assert_eq!(opens(json!({"fromEndpoints": [{}]})), Opens::Named);
}
