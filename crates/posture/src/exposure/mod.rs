//! Who reaches a workload: services, routes and network policies joined.
//!
//! ```text
//! Ingress, Gateway route, VirtualService ─backend─► Service ─selector─► workload ◄─selector─ policies
//! ```
//!
//! Built once per [`World`] and only read. What stands in no namespace in a file is taken for `default`.
mod address;
mod cni;
mod entry;
mod gateway;
pub(crate) mod policy;
mod route;

pub(crate) use address::{is_everybody, is_private};
pub use cni::Cni;
pub use entry::{Class, Exposure, Outside, Step};
pub(crate) use gateway::{granted, is_in_front};
pub use policy::{Coverage, Direction};
use route::ingresses;
pub(crate) use route::{hosts, ingress_class};

use crate::selector::Selector;
use crate::workload;
use crate::world::{Object, World};
use policy::Policies;
use route::Route;
use serde_json::Value;
use std::collections::HashMap;

/// A workload with what selectors and services look at.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'w> {
    pub object: Object<'w>,
    pub namespace: &'w str,
    /// Of its pods.
    pub labels: &'w Value,
    pub pod_spec: &'w Value,
}

/// A Service with its selector; none where it has none, as its endpoints are then made by hand.
#[derive(Clone, Debug)]
pub struct Service<'w> {
    pub object: Object<'w>,
    pub namespace: &'w str,
    pub selector: Option<Selector>,
}

/// Everything that is about the network, by namespace.
#[derive(Debug)]
pub struct Network<'w> {
    workloads: Vec<Workload<'w>>,
    by_namespace: HashMap<&'w str, Vec<usize>>,
    /// By the address of the object, which stays where it is as long as the world.
    by_object: HashMap<*const Value, usize>,
    services: HashMap<&'w str, Vec<Service<'w>>>,
    /// By namespace and name of the Service they lead to.
    routes: HashMap<(String, String), Vec<Route<'w>>>,
    /// Ingresses by host and path.
    hosts: HashMap<&'w str, HashMap<&'w str, Vec<Object<'w>>>>,
    namespaces: HashMap<&'w str, Object<'w>>,
    policies: Policies<'w>,
    pub cni: Cni,
    /// The addresses of nodes are known, and whether one of them is public.
    nodes: Option<bool>,
}

pub(crate) static NOTHING: Value = Value::Null;

/// The namespace an object is in.
pub(crate) fn namespace_of<'w>(object: Object<'w>) -> &'w str {
    if object.namespace().is_empty() { "default" } else { object.namespace() }
}

/// The elements of a list, none where there is no list.
pub(crate) fn list<'v>(
    value: &'v Value,
    pointer: &str,
) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl<'w> Network<'w> {
    pub(crate) fn of(world: &World<'w>) -> Self {
        let workloads: Vec<Workload<'w>> = world.workloads().filter_map(Workload::of).collect();
        let mut by_namespace: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_object = HashMap::new();
        for (index, workload) in workloads.iter().enumerate() {
            by_object.insert(std::ptr::from_ref(workload.object.value()), index);
            by_namespace.entry(workload.namespace).or_default().push(index);
        }
        let mut services: HashMap<&str, Vec<Service<'w>>> = HashMap::new();
        for object in world.of_kind("", "Service") {
            let service = Service::of(object);
            services.entry(service.namespace).or_default().push(service);
        }
        let namespaces = world.of_kind("", "Namespace").map(|object| (object.name(), object));
        let namespaces: HashMap<_, _> = namespaces.collect();
        let mut routes: HashMap<(String, String), Vec<Route<'w>>> = HashMap::new();
        for (backend, route) in route::all(world, &namespaces, &services) {
            routes.entry(backend).or_default().push(route);
        }
        let mut hosts: HashMap<&str, HashMap<&str, Vec<Object<'w>>>> = HashMap::new();
        for ingress in ingresses(world) {
            for (host, path) in route::hosts(ingress.value()) {
                hosts.entry(host).or_default().entry(path).or_default().push(ingress);
            }
        }
        let policies = Policies::of(world);
        let cni = Cni::of(world);
        Self {
            nodes: entry::public_nodes(world),
            workloads,
            by_namespace,
            by_object,
            hosts,
            services,
            routes,
            namespaces,
            policies,
            cni,
        }
    }

    /// The workloads of a namespace.
    pub fn workloads_in(&self, namespace: &str) -> impl Iterator<Item = &Workload<'w>> {
        let indexes = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        indexes.iter().map(|index| &self.workloads[*index])
    }

    /// The workload that this very object is.
    pub fn workload(&self, object: Object<'_>) -> Option<&Workload<'w>> {
        let index = self.by_object.get(&std::ptr::from_ref(object.value()))?;
        self.workloads.get(*index)
    }

    /// Ingresses that claim a host and path.
    pub fn claiming(&self, host: &str, path: &str) -> &[Object<'w>] {
        let paths = self.hosts.get(host);
        paths.and_then(|paths| paths.get(path)).map_or(&[], Vec::as_slice)
    }

    pub fn workloads(&self) -> impl Iterator<Item = &Workload<'w>> {
        self.workloads.iter()
    }

    pub fn services_in(&self, namespace: &str) -> &[Service<'w>] {
        self.services.get(namespace).map_or(&[], Vec::as_slice)
    }

    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service<'w>> {
        self.services_in(namespace).iter().find(|service| service.object.name() == name)
    }

    /// Whether the namespace itself is known, not only what is in it.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    /// Labels of a namespace. The API server gives each its own name as one.
    pub(crate) fn namespace_labels(&self, namespace: &str) -> Value {
        let object = self.namespaces.get(namespace);
        let labels = object.and_then(|object| object.value().pointer("/metadata/labels"));
        let mut labels = labels.cloned().unwrap_or_default();
        if !labels.is_object() {
            labels = Value::Object(Default::default());
        }
        labels["kubernetes.io/metadata.name"] = namespace.into();
        labels
    }

    pub(crate) fn policies(&self) -> &Policies<'w> {
        &self.policies
    }
}

impl<'w> Workload<'w> {
    /// `None`: it runs no pods.
    pub(crate) fn of(object: Object<'w>) -> Option<Self> {
        let kind = workload::kind(object.api_version(), object.kind())?;
        let value = object.value();
        let labels = value.pointer(kind.pod_meta).and_then(|meta| meta.get("labels"));
        Some(Self {
            object,
            namespace: namespace_of(object),
            labels: labels.unwrap_or(&NOTHING),
            pod_spec: value.pointer(kind.pod_spec).unwrap_or(&NOTHING),
        })
    }

    /// Containers and init containers that stay.
    pub fn containers(&self) -> impl Iterator<Item = &'w Value> {
        let pod_spec = self.pod_spec;
        ["/containers", "/initContainers"].into_iter().flat_map(move |at| list(pod_spec, at))
    }
}

fn selector_of(service: &Value) -> Option<Selector> {
    let selector = Selector::equal(service.pointer("/spec/selector")?).ok()?;
    (!selector.is_empty()).then_some(selector)
}

impl<'w> Service<'w> {
    fn of(object: Object<'w>) -> Self {
        Self { object, namespace: namespace_of(object), selector: selector_of(object.value()) }
    }

    pub fn selects(&self, workload: &Workload<'_>) -> bool {
        workload.namespace == self.namespace
            && self.selector.as_ref().is_some_and(|selector| selector.matches(workload.labels))
    }

    pub fn kind(&self) -> &'w str {
        match text(self.object.value(), "/spec/type") {
            "" => "ClusterIP",
            kind => kind,
        }
    }
}
