//! Disruption budgets and the workloads they select: one that is missing, and one that leaves no room.
use super::exposed::workload;
use super::inputs::{BUDGETS, WORKLOADS};
use super::{Native, Subjects};
use crate::evaluate::Judgement;
use crate::exposure::{Workload, namespace_of};
use crate::selector::Selector;
use crate::world::{Object, Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static MISSING: Native = Native {
    name: "budget-missing",
    subjects: Subjects::Kinds(&[("apps", "Deployment"), ("apps", "StatefulSet")]),
    inputs: &BUDGETS,
    judge: missing,
};

pub(super) static BLOCKS: Native = Native {
    name: "budget-blocks",
    subjects: Subjects::Kinds(&[("policy", "PodDisruptionBudget")]),
    inputs: &WORKLOADS,
    judge: blocks,
};

/// One where nothing is said, as in Kubernetes.
fn replicas(object: &Value) -> u64 {
    object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// Without a selector a budget is about no pod, with an empty one about every pod of its namespace.
fn selects(budget: Object<'_>, workload: &Workload<'_>) -> bool {
    let selector = budget.value().pointer("/spec/selector").filter(|selector| !selector.is_null());
    namespace_of(budget) == workload.namespace
        && selector
            .and_then(|selector| Selector::read(selector).ok())
            .is_some_and(|selector| selector.matches(workload.labels))
}

fn missing(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let replicas = replicas(workload.object.value());
    if replicas < 2 {
        return Judgement::not_applicable("out-of-scope");
    }
    let mut budgets = world.of_kind("policy", "PodDisruptionBudget").peekable();
    // Among files without any budget its absence proves nothing.
    if !world.is_whole() && budgets.peek().is_none() {
        return Judgement::not_applicable("out-of-scope");
    }
    if budgets.any(|budget| selects(budget, workload)) {
        return Judgement::healthy();
    }
    let evidence = Evidence { path: "/spec/replicas".to_owned(), value: replicas.into() };
    Judgement::unhealthy("no disruption budget selects its pods", vec![evidence])
}

fn blocks(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(budget) = subject.object else { return Judgement::healthy() };
    let own: Vec<_> = world
        .network()
        .workloads_in(namespace_of(budget))
        .filter(|workload| workload.object.value().pointer("/spec/replicas").is_some())
        .filter(|workload| selects(budget, workload))
        .collect();
    let expected: u64 = own.iter().map(|workload| replicas(workload.object.value())).sum();
    let path = "/spec/minAvailable";
    let minimum = budget.value().pointer(path);
    let (Some(minimum), true) = (minimum, expected > 0) else {
        return Judgement::not_applicable("out-of-scope");
    };
    let needed = match minimum {
        Value::Number(number) => number.as_u64(),
        // A share of the pods is rounded up.
        Value::String(text) => text
            .strip_suffix('%')
            .and_then(|share| share.parse::<u64>().ok())
            .map(|share| share.min(100).saturating_mul(expected).div_ceil(100)),
        _ => None,
    };
    let Some(needed) = needed else {
        return Judgement::unknown("error", "minAvailable is neither a number nor a percentage");
    };
    if needed < expected {
        return Judgement::healthy();
    }
    let mut evidence = vec![Evidence { path: path.to_owned(), value: minimum.clone() }];
    evidence.extend(own.iter().take(super::MAX_TOLD).map(|workload| Evidence {
        path: format!("{}/{}", workload.object.kind(), workload.object.name()),
        value: replicas(workload.object.value()).into(),
    }));
    Judgement::unhealthy(format!("{needed} of {expected} pods must always be there"), evidence)
}
