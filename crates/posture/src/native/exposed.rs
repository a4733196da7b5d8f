//! Workloads that are reached from the internet: by a Service or an Ingress, or through a gateway.
use super::{Native, Subjects, inputs, values};
use crate::evaluate::Judgement;
use crate::exposure::{Class, Exposure, Outside, Workload};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value, json};

pub(super) static NATIVE: Native = Native {
    name: "exposed",
    subjects: Subjects::Workloads,
    inputs: &inputs::ROUTES,
    judge: |subject, world, params| judge(subject, world, params, false),
};

pub(super) static GATEWAY: Native = Native {
    name: "exposed-gateway",
    subjects: Subjects::Workloads,
    inputs: &inputs::ROUTES,
    judge: |subject, world, params| judge(subject, world, params, true),
};

/// What the parameters say is not outside.
pub(super) fn outside(params: &Map<String, Value>) -> Outside<'_> {
    let annotations = params.get("internalAnnotations").and_then(Value::as_object);
    let annotations = annotations.into_iter().flatten();
    Outside {
        internal_annotations: annotations
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect(),
        internal_classes: values(params, "internalClasses"),
    }
}

/// The subject as a workload.
pub(super) fn workload<'n, 'w>(
    subject: &Subject<'_>,
    world: &'n World<'w>,
) -> Option<&'n Workload<'w>> {
    world.network().workload(subject.object?)
}

/// Each object of the way, from the outside in.
pub(super) fn chain(exposure: &Exposure) -> Vec<Evidence> {
    let steps = exposure.chain.iter();
    steps.map(|step| Evidence { path: step.object.clone(), value: step.value.clone() }).collect()
}

fn judge(
    subject: &Subject<'_>,
    world: &World<'_>,
    params: &Map<String, Value>,
    gateway: bool,
) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    if values(params, "excludedNamespaces").contains(&workload.namespace) {
        return Judgement::not_applicable("out-of-scope");
    }
    let exposures = world.network().exposures(workload, &outside(params));
    let ways: Vec<&Exposure> = exposures
        .iter()
        .filter(|way| way.gateway == gateway && way.class == Class::Internet)
        .collect();
    if ways.is_empty() {
        return Judgement::healthy();
    }
    let told: Vec<String> = ways.iter().map(|way| words(way)).collect();
    let mut evidence: Vec<Evidence> = ways.iter().flat_map(|way| chain(way)).collect();
    let labels = Evidence { path: "pod labels".to_owned(), value: json!(workload.labels) };
    evidence.push(labels);
    Judgement::unhealthy(format!("reached from the internet: {}", told.join("; ")), evidence)
}

pub(super) fn words(exposure: &Exposure) -> String {
    let steps: Vec<&str> = exposure.chain.iter().map(|step| step.object.as_str()).collect();
    steps.join(" → ")
}
