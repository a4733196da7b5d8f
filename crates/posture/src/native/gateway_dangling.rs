//! A route of the Gateway API that leads to a Service which is not there, or which it may not name.
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::{granted, list, namespace_of, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "gateway-dangling",
    subjects: Subjects::Kinds(&[
        (inputs::GATEWAY, "HTTPRoute"),
        (inputs::GATEWAY, "GRPCRoute"),
        (inputs::GATEWAY, "TLSRoute"),
        (inputs::GATEWAY, "TCPRoute"),
        (inputs::GATEWAY, "UDPRoute"),
    ]),
    inputs: &inputs::BACKENDS,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    let own = namespace_of(object);
    let network = world.network();
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    for (rule_index, rule) in list(object.value(), "/spec/rules").enumerate() {
        for (index, backend) in list(rule, "/backendRefs").enumerate() {
            if !matches!(text(backend, "/kind"), "" | "Service")
                || !text(backend, "/group").is_empty()
            {
                continue;
            }
            let (name, namespace) = (text(backend, "/name"), text(backend, "/namespace"));
            let namespace = if namespace.is_empty() { own } else { namespace };
            // Among files, those beside it tell whether its Services are to be seen.
            if !world.is_whole() && network.services_in(namespace).is_empty() {
                continue;
            }
            let why = if network.service(namespace, name).is_none() {
                format!("there is no Service {namespace}/{name}")
            } else if !granted(world, object, namespace, name) {
                format!("no ReferenceGrant allows Service {namespace}/{name}")
            } else {
                continue;
            };
            told.push(why);
            let path = format!("/spec/rules/{rule_index}/backendRefs/{index}");
            evidence.push(Evidence { path, value: backend.clone() });
        }
    }
    if told.is_empty() {
        Judgement::healthy()
    } else {
        Judgement::unhealthy(told.join("; "), evidence)
    }
}
