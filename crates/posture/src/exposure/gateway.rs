//! Routes of the Gateway API, attached to Gateways, and Istio's VirtualServices on Istio's Gateways.
use super::entry::Step;
use super::route::{Backend, Door, Namespaces, Route, Services};
use super::{Service, list, namespace_of, selector_of, text};
use crate::selector::Selector;
use crate::world::{Object, World};
use serde_json::{Value, json};

pub(crate) const GROUP: &str = "gateway.networking.k8s.io";
pub(crate) const ROUTES: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];
const ISTIO: &str = "networking.istio.io";

pub(super) fn routes<'w>(
    world: &World<'w>,
    namespaces: &Namespaces<'w>,
    services: &Services<'w>,
    found: &mut Vec<(Backend, Route<'w>)>,
) {
    for kind in ROUTES {
        for route in world.of_kind(GROUP, kind) {
            for parent in list(route.value(), "/spec/parentRefs") {
                let Some((name, door)) = attached(world, namespaces, route, parent) else {
                    continue;
                };
                let own = namespace_of(route);
                let steps = vec![
                    Step {
                        object: name,
                        value: json!({"class": door.map(|gateway| text(gateway.value(), "/spec/gatewayClassName"))}),
                    },
                    Step {
                        object: format!("{kind}/{own}/{}", route.name()),
                        value: json!({"hostnames": route.value().pointer("/spec/hostnames")}),
                    },
                ];
                for backend in backends(route.value()) {
                    let namespace = match text(backend, "/namespace") {
                        "" => own,
                        namespace if granted(world, route, namespace, text(backend, "/name")) => {
                            namespace
                        }
                        _ => continue,
                    };
                    let backend = (namespace.to_owned(), text(backend, "/name").to_owned());
                    let door = Door::Gateway(door);
                    found.push((backend, Route { steps: steps.clone(), gateway: true, door }));
                }
            }
        }
    }
    for service in world.of_kind(ISTIO, "VirtualService") {
        virtual_service(world, services, service, found);
    }
}

/// The backends of a route that are Services.
pub(crate) fn backends(route: &Value) -> impl Iterator<Item = &Value> {
    let all = list(route, "/spec/rules").flat_map(|rule| list(rule, "/backendRefs"));
    all.filter(|backend| {
        matches!(text(backend, "/kind"), "" | "Service") && text(backend, "/group").is_empty()
    })
}

/// The Gateway of a parent reference, as `Gateway/namespace/name`, and its object where it is known; `None` where
/// the parent is no Gateway or takes no routes of that namespace. Source: Gateway API, `AllowedRoutes`.
fn attached<'w>(
    world: &World<'w>,
    namespaces: &Namespaces<'w>,
    route: Object<'w>,
    parent: &Value,
) -> Option<(String, Option<Object<'w>>)> {
    if !matches!(text(parent, "/kind"), "" | "Gateway") {
        return None;
    }
    let own = namespace_of(route);
    let namespace = match text(parent, "/namespace") {
        "" => own,
        namespace => namespace,
    };
    let name = text(parent, "/name");
    let shown = format!("Gateway/{namespace}/{name}");
    let find = |namespace: &str| world.find(GROUP, "Gateway", namespace, name);
    let gateway = find(namespace).or_else(|| find("").filter(|_| namespace == "default"));
    let Some(gateway) = gateway else { return Some((shown, None)) };
    let section = text(parent, "/sectionName");
    let takes = |listener: &Value| {
        let from = listener.pointer("/allowedRoutes/namespaces");
        let named = section.is_empty() || text(listener, "/name") == section;
        named
            && match from.map(|from| text(from, "/from")).unwrap_or_default() {
                "All" => true,
                "None" => false,
                "Selector" => {
                    let selector = from.and_then(|from| from.get("selector")).map(Selector::read);
                    let labels = namespaces
                        .get(own)
                        .and_then(|object| object.value().pointer("/metadata/labels"));
                    let mut labels = labels.cloned().unwrap_or_else(|| json!({}));
                    labels["kubernetes.io/metadata.name"] = own.into();
                    // A selector that is not understood may select.
                    selector
                        .is_none_or(|selector| selector.is_ok_and(|found| found.matches(&labels)))
                }
                _ => own == namespace,
            }
    };
    list(gateway.value(), "/spec/listeners").any(takes).then_some((shown, Some(gateway)))
}

/// Whether a ReferenceGrant lets a route name a Service of another namespace.
pub(crate) fn granted(
    world: &World<'_>,
    route: Object<'_>,
    namespace: &str,
    service: &str,
) -> bool {
    if namespace == namespace_of(route) {
        return true;
    }
    let from = |from: &Value| {
        text(from, "/group") == GROUP
            && text(from, "/kind") == route.kind()
            && text(from, "/namespace") == namespace_of(route)
    };
    let to = |to: &Value| {
        text(to, "/group").is_empty()
            && text(to, "/kind") == "Service"
            && matches!(text(to, "/name"), name if name.is_empty() || name == service)
    };
    world.of_kind(GROUP, "ReferenceGrant").any(|grant| {
        namespace_of(grant) == namespace
            && list(grant.value(), "/spec/from").any(from)
            && list(grant.value(), "/spec/to").any(to)
    })
}

/// Source: Istio, `VirtualService.gateways` and `Destination.host`; without gateways it speaks of the mesh alone.
fn virtual_service<'w>(
    world: &World<'w>,
    services: &Services<'w>,
    object: Object<'w>,
    found: &mut Vec<(Backend, Route<'w>)>,
) {
    let own = namespace_of(object);
    for gateway in list(object.value(), "/spec/gateways").filter_map(Value::as_str) {
        if gateway == "mesh" {
            continue;
        }
        let (namespace, name) = gateway.split_once('/').unwrap_or((own, gateway));
        let known = world.find(ISTIO, "Gateway", namespace, name);
        let doors = known.map(|gateway| in_front(services, gateway)).unwrap_or_default();
        let steps = vec![
            Step {
                object: format!("Gateway/{namespace}/{name}"),
                value: json!({"selector": known.and_then(|gateway| gateway.value().pointer("/spec/selector"))}),
            },
            Step {
                object: format!("VirtualService/{own}/{}", object.name()),
                value: json!({"hosts": object.value().pointer("/spec/hosts")}),
            },
        ];
        for protocol in ["/spec/http", "/spec/tls", "/spec/tcp"] {
            let rules = list(object.value(), protocol);
            for destination in rules.flat_map(|rule| list(rule, "/route")) {
                let mut host = text(destination, "/destination/host").split('.');
                let name = host.next().unwrap_or_default().to_owned();
                let backend = (host.next().unwrap_or(own).to_owned(), name);
                let door = Door::Istio(doors.clone());
                found.push((backend, Route { steps: steps.clone(), gateway: true, door }));
            }
        }
    }
}

/// The Services that select the pods which an Istio Gateway is for.
fn in_front<'w>(services: &Services<'w>, gateway: Object<'w>) -> Vec<(&'w str, &'w str)> {
    let selects = |service: &&Service<'_>| {
        service.selector.as_ref().is_some_and(|selector| selects(selector, gateway.value()))
    };
    let all = services.values().flatten().filter(selects);
    all.map(|service| (service.namespace, service.object.name())).collect()
}

/// Whether a Service selects the pods which an Istio Gateway is for.
pub(crate) fn is_in_front(gateway: &Value, service: &Value) -> bool {
    selector_of(service).is_some_and(|selector| selects(&selector, gateway))
}

/// The gateway selects pods that have all its labels; a Service that asks for no other selects them too.
fn selects(selector: &Selector, gateway: &Value) -> bool {
    gateway.pointer("/spec/selector").is_some_and(|labels| selector.matches(labels))
}
