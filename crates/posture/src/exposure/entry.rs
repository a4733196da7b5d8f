//! From where a Service, and with it a workload, is reached.
use super::{Network, Service, Workload, is_private, list, text};
use crate::world::World;
use serde_json::{Value, json};

/// Chains told of one workload.
const MAX_CHAINS: usize = 16;

/// From where it is reached, the widest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// From within the cluster alone.
    Cluster,
    /// From networks that are not routed in the internet.
    Private,
    Internet,
}

impl Class {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Private => "private",
            Self::Internet => "internet",
        }
    }
}

/// One way to a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    pub class: Class,
    /// From the outside in; the Service comes last.
    pub chain: Vec<Step>,
    /// Through the Gateway API or Istio.
    pub gateway: bool,
}

/// An object on the way, and what about it matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `Kind/namespace/name`.
    pub object: String,
    pub value: Value,
}

/// What counts as not outside, as assigned.
#[derive(Clone, Debug, Default)]
pub struct Outside<'p> {
    /// Annotations that make a load balancer internal, and their value; `*` is any but `false`.
    pub internal_annotations: Vec<(&'p str, &'p str)>,
    /// Classes of ingresses and gateways that are internal.
    pub internal_classes: Vec<&'p str>,
}

impl Outside<'_> {
    /// Whether `object` has one of the annotations, with the value where one is named.
    pub(crate) fn is_internal(&self, object: &Value) -> bool {
        let annotations = object.pointer("/metadata/annotations");
        self.internal_annotations.iter().any(|(key, value)| {
            let found = annotations.and_then(|all| all.get(key)).and_then(Value::as_str);
            found.is_some_and(|found| match *value {
                "*" => found != "false",
                value => found == value,
            })
        })
    }

    pub(crate) fn is_internal_class(&self, class: &str) -> bool {
        self.internal_classes.contains(&class)
    }
}

/// Whether the addresses that a load balancer was given are all private; `None` where none is known.
pub(super) fn given_private(addresses: &[&str]) -> Option<bool> {
    let known: Vec<bool> = addresses.iter().filter_map(|address| is_private(address)).collect();
    (!known.is_empty() && known.len() == addresses.len())
        .then(|| known.iter().all(|private| *private))
}

/// Whether a node has a public address; `None` where no node is known.
pub(super) fn public_nodes(world: &World<'_>) -> Option<bool> {
    let mut nodes = world.of_kind("", "Node").peekable();
    nodes.peek()?;
    let public = |address: &Value| {
        text(address, "/type") == "ExternalIP"
            || is_private(text(address, "/address")) == Some(false)
    };
    Some(nodes.any(|node| list(node.value(), "/status/addresses").any(public)))
}

impl<'w> Network<'w> {
    /// From where a Service itself is reached, and why; no routes considered.
    pub fn class_of(&self, service: &Service<'w>, outside: &Outside<'_>) -> (Class, Value) {
        let object = service.object.value();
        let kind = service.kind();
        let external: Vec<&str> =
            list(object, "/spec/externalIPs").filter_map(Value::as_str).collect();
        let mut found = match kind {
            "LoadBalancer" => (self.load_balancer(object, outside), json!({"type": kind})),
            "NodePort" => {
                let class =
                    if self.nodes == Some(false) { Class::Private } else { Class::Internet };
                (class, json!({"type": kind}))
            }
            _ => (Class::Cluster, json!({"type": kind})),
        };
        if !external.is_empty() {
            let private = external.iter().all(|address| is_private(address) == Some(true));
            let class = if private { Class::Private } else { Class::Internet };
            found.0 = found.0.max(class);
            found.1["externalIPs"] = json!(external);
        }
        found
    }

    fn load_balancer(&self, object: &Value, outside: &Outside<'_>) -> Class {
        let ranges: Vec<&str> =
            list(object, "/spec/loadBalancerSourceRanges").filter_map(Value::as_str).collect();
        let private_ranges =
            !ranges.is_empty() && ranges.iter().all(|range| is_private(range) == Some(true));
        let given: Vec<&str> = list(object, "/status/loadBalancer/ingress")
            .map(|ingress| text(ingress, "/ip"))
            .filter(|address| !address.is_empty())
            .collect();
        let internal =
            outside.is_internal(object) || private_ranges || given_private(&given) == Some(true);
        if internal { Class::Private } else { Class::Internet }
    }

    /// Every way to a workload, the widest first.
    pub fn exposures(&self, workload: &Workload<'w>, outside: &Outside<'_>) -> Vec<Exposure> {
        let mut found = Vec::new();
        let selecting = self.services_in(workload.namespace).iter();
        for service in selecting.filter(|service| service.selects(workload)) {
            let (class, value) = self.class_of(service, outside);
            let object = format!("Service/{}/{}", service.namespace, service.object.name());
            let step = Step { object, value };
            found.push(Exposure { class, chain: vec![step.clone()], gateway: false });
            let backend = (service.namespace.to_owned(), service.object.name().to_owned());
            for route in self.routes.get(&backend).into_iter().flatten() {
                let class = route.class(self, outside);
                let mut chain = route.steps.clone();
                chain.push(step.clone());
                found.push(Exposure { class, chain, gateway: route.gateway });
            }
        }
        found.sort_by_key(|exposure| std::cmp::Reverse(exposure.class));
        found.truncate(MAX_CHAINS);
        found
    }
}
