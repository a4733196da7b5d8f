//! Routes from outside to Services: Ingress, and what [`super::gateway`] knows.
use super::entry::{Class, Outside, Step, given_private};
use super::{Network, Service, gateway, list, namespace_of, text};
use crate::world::{Object, World};
use serde_json::{Value, json};
use std::collections::HashMap;

/// One way to a Service.
#[derive(Clone, Debug)]
pub(super) struct Route<'w> {
    pub(super) steps: Vec<Step>,
    pub(super) gateway: bool,
    pub(super) door: Door<'w>,
}

/// What a route is entered by.
#[derive(Clone, Debug)]
pub(super) enum Door<'w> {
    Ingress(Object<'w>),
    /// The Gateway, where it is known.
    Gateway(Option<Object<'w>>),
    /// Services in front of Istio's gateway, by namespace and name; none where none is known.
    Istio(Vec<(&'w str, &'w str)>),
}

pub(super) type Backend = (String, String);
pub(super) type Namespaces<'w> = HashMap<&'w str, Object<'w>>;
pub(super) type Services<'w> = HashMap<&'w str, Vec<Service<'w>>>;

/// Every route with the namespace and name of the Service it leads to.
pub(super) fn all<'w>(
    world: &World<'w>,
    namespaces: &Namespaces<'w>,
    services: &Services<'w>,
) -> Vec<(Backend, Route<'w>)> {
    let mut found = Vec::new();
    for object in ingresses(world) {
        for (host, path, service) in backends(object.value()) {
            let namespace = namespace_of(object);
            let step = Step {
                object: format!("Ingress/{namespace}/{}", object.name()),
                value: json!({"class": ingress_class(object.value()), "host": host, "path": path}),
            };
            let backend = (namespace.to_owned(), service.to_owned());
            let door = Door::Ingress(object);
            found.push((backend, Route { steps: vec![step], gateway: false, door }));
        }
    }
    gateway::routes(world, namespaces, services, &mut found);
    found
}

pub(crate) fn ingresses<'w>(world: &World<'w>) -> impl Iterator<Item = Object<'w>> {
    let groups = ["networking.k8s.io", "extensions"];
    let found: Vec<_> = groups.iter().flat_map(|group| world.of_kind(group, "Ingress")).collect();
    found.into_iter()
}

/// Host, path and Service of each backend of an Ingress.
pub(crate) fn backends(ingress: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    let default = ingress.pointer("/spec/defaultBackend/service/name").and_then(Value::as_str);
    let rules = list(ingress, "/spec/rules").flat_map(|rule| {
        let paths = list(rule, "/http/paths");
        paths.filter_map(|path| {
            let service =
                path.pointer("/backend/service/name").or(path.pointer("/backend/serviceName"));
            Some((text(rule, "/host"), text(path, "/path"), service?.as_str()?))
        })
    });
    default.map(|service| ("", "", service)).into_iter().chain(rules)
}

/// Host and path of each rule of an Ingress.
pub(crate) fn hosts(ingress: &Value) -> impl Iterator<Item = (&str, &str)> {
    let rules = list(ingress, "/spec/rules");
    rules.flat_map(|rule| {
        list(rule, "/http/paths").map(|path| (text(rule, "/host"), text(path, "/path")))
    })
}

pub(crate) fn ingress_class(ingress: &Value) -> &str {
    match text(ingress, "/spec/ingressClassName") {
        "" => text(ingress, "/metadata/annotations/kubernetes.io~1ingress.class"),
        class => class,
    }
}

impl<'w> Route<'w> {
    /// From where it is entered. A door that is not known is taken for public.
    pub(super) fn class(&self, network: &Network<'w>, outside: &Outside<'_>) -> Class {
        let internal = match &self.door {
            Door::Ingress(object) => {
                let value = object.value();
                let given: Vec<&str> = list(value, "/status/loadBalancer/ingress")
                    .map(|ingress| text(ingress, "/ip"))
                    .filter(|address| !address.is_empty())
                    .collect();
                // The AWS controller makes internal load balancers unless told otherwise.
                let scheme = text(value, "/metadata/annotations/alb.ingress.kubernetes.io~1scheme");
                let class = ingress_class(value);
                outside.is_internal(value)
                    || outside.is_internal_class(class)
                    || class == "alb" && scheme != "internet-facing"
                    || given_private(&given) == Some(true)
            }
            Door::Gateway(None) => false,
            Door::Gateway(Some(object)) => {
                let value = object.value();
                let given: Vec<&str> = list(value, "/status/addresses")
                    .map(|address| text(address, "/value"))
                    .collect();
                outside.is_internal(value)
                    || outside.is_internal_class(text(value, "/spec/gatewayClassName"))
                    || given_private(&given) == Some(true)
            }
            Door::Istio(services) => {
                let known = services.iter().filter_map(|(namespace, name)| {
                    network
                        .service(namespace, name)
                        .map(|service| network.class_of(service, outside).0)
                });
                return known.max().unwrap_or(Class::Internet);
            }
        };
        if internal { Class::Private } else { Class::Internet }
    }
}
