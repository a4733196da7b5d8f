//! An Ingress that leads to a Service or port that does not exist.
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::{list, namespace_of, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "ingress-dangling",
    subjects: Subjects::Kinds(&[("networking.k8s.io", "Ingress")]),
    inputs: &inputs::SERVICES,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    let namespace = namespace_of(object);
    let network = world.network();
    // Among files, those beside it tell whether its Services are to be seen.
    if !world.is_whole() && network.services_in(namespace).is_empty() {
        return Judgement::not_applicable("out-of-scope");
    }
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    for (pointer, backend) in backends(object.value()) {
        let Some(service) = backend.get("service") else { continue };
        let name = text(service, "/name");
        let why = match network.service(namespace, name) {
            None => format!("there is no Service {name}"),
            Some(found) if !has_port(found.object.value(), service) => {
                format!("Service {name} has no such port")
            }
            Some(_) => continue,
        };
        told.push(why);
        evidence.push(Evidence { path: pointer, value: service.clone() });
    }
    if told.is_empty() {
        Judgement::healthy()
    } else {
        Judgement::unhealthy(told.join("; "), evidence)
    }
}

/// Every backend with its pointer.
fn backends(ingress: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let default = "/spec/defaultBackend";
    found.extend(ingress.pointer(default).map(|backend| (default.to_owned(), backend)));
    for (rule_index, rule) in list(ingress, "/spec/rules").enumerate() {
        for (index, path) in list(rule, "/http/paths").enumerate() {
            let pointer = format!("/spec/rules/{rule_index}/http/paths/{index}/backend");
            found.extend(path.get("backend").map(|backend| (pointer, backend)));
        }
    }
    found
}

fn has_port(service: &Value, backend: &Value) -> bool {
    let (number, name) = (backend.pointer("/port/number"), text(backend, "/port/name"));
    // What an ExternalName leads to knows its own ports.
    text(service, "/spec/type") == "ExternalName"
        || list(service, "/spec/ports").any(|port| {
            number.is_some_and(|number| port.get("port") == Some(number))
                || !name.is_empty() && text(port, "/name") == name
        })
}
