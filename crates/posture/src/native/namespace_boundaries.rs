//! All workloads of the cluster share one namespace.
use super::{Native, Subjects, cluster, inputs, values};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Workloads that are one application still.
const FEW: usize = 2;

pub(super) static NATIVE: Native = Native {
    name: "namespace-boundaries",
    subjects: Subjects::Listed(cluster),
    inputs: &inputs::NAMED_WORKLOADS,
    judge,
};

fn judge(_subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let excluded = values(params, "excludedNamespaces");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for workload in world.network().workloads() {
        if !excluded.contains(&workload.namespace) {
            *counts.entry(workload.namespace).or_default() += 1;
        }
    }
    let evidence = counts.iter().take(super::MAX_TOLD).map(|(namespace, count)| Evidence {
        path: format!("Namespace/{namespace}"),
        value: (*count).into(),
    });
    let evidence: Vec<Evidence> = evidence.collect();
    match counts.iter().next() {
        Some((namespace, count)) if counts.len() == 1 && *count > FEW => Judgement::unhealthy(
            format!("all {count} workloads are in namespace {namespace}"),
            evidence,
        ),
        _ => Judgement::healthy(),
    }
}
