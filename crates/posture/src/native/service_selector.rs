//! Two Services of a namespace with the same selector.
use super::service_dangling::service;
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "service-selector",
    subjects: Subjects::Kinds(&[("", "Service")]),
    inputs: &inputs::SERVICES,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(service) = service(subject, world) else { return Judgement::healthy() };
    let selector = |of: &crate::exposure::Service<'_>| {
        of.object.value().pointer("/spec/selector").filter(|_| of.selector.is_some()).cloned()
    };
    let Some(own) = selector(service) else {
        return Judgement::not_applicable("out-of-scope");
    };
    let others = world.network().services_in(service.namespace).iter();
    // Maps are compared whatever their order.
    let same = others.filter(|other| {
        !std::ptr::eq(other.object.value(), service.object.value())
            && selector(other).as_ref() == Some(&own)
    });
    let evidence: Vec<Evidence> = same
        .take(super::MAX_TOLD)
        .map(|other| Evidence {
            path: format!("Service/{}/{}", other.namespace, other.object.name()),
            value: own.clone(),
        })
        .collect();
    if evidence.is_empty() {
        return Judgement::healthy();
    }
    let names: Vec<&str> = evidence.iter().map(|found| found.path.as_str()).collect();
    Judgement::unhealthy(format!("{} has the same selector", names.join(", ")), evidence)
}
