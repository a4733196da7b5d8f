//! A Service whose selector matches no workload.
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::Service;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "service-dangling",
    subjects: Subjects::Kinds(&[("", "Service")]),
    inputs: &inputs::WORKLOADS,
    judge,
};

/// The subject as the network has it.
pub(super) fn service<'n, 'w>(
    subject: &Subject<'_>,
    world: &'n World<'w>,
) -> Option<&'n Service<'w>> {
    let object = subject.object?;
    let own = world.network().services_in(crate::exposure::namespace_of(object));
    own.iter().find(|service| std::ptr::eq(service.object.value(), object.value()))
}

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(service) = service(subject, world) else { return Judgement::healthy() };
    if service.selector.is_none() || service.kind() == "ExternalName" {
        return Judgement::not_applicable("out-of-scope");
    }
    let mut own = world.network().workloads_in(service.namespace).peekable();
    // Among files, those beside it tell whether its workloads are to be seen.
    if !world.is_whole() && own.peek().is_none() {
        return Judgement::not_applicable("out-of-scope");
    }
    if own.any(|workload| service.selects(workload)) {
        return Judgement::healthy();
    }
    let path = "/spec/selector";
    let value = service.object.value().pointer(path).cloned().unwrap_or_default();
    Judgement::unhealthy("selects no workload", vec![Evidence { path: path.to_owned(), value }])
}
