//! Namespaces whose workloads nothing limits: no ResourceQuota, no LimitRange.
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use serde_json::{Map, Value};

pub(super) static QUOTA: Native = Native {
    name: "namespace-quota",
    subjects: Subjects::Kinds(&[("", "Namespace")]),
    inputs: &[Input { group: "", kind: "ResourceQuota", join: Join::Namespace }],
    judge: |subject, world, params| judge(subject, world, params, "ResourceQuota"),
};

pub(super) static RANGE: Native = Native {
    name: "namespace-limit-range",
    subjects: Subjects::Kinds(&[("", "Namespace")]),
    inputs: &[Input { group: "", kind: "LimitRange", join: Join::Namespace }],
    judge: |subject, world, params| judge(subject, world, params, "LimitRange"),
};

fn judge(
    subject: &Subject<'_>,
    world: &World<'_>,
    params: &Map<String, Value>,
    kind: &str,
) -> Judgement {
    let name = subject.resource.name.as_str();
    let here = || world.of_kind("", kind).any(|object| object.namespace() == name);
    if values(params, "excludedNamespaces").contains(&name) {
        return Judgement::not_applicable("out-of-scope");
    }
    if here() {
        return Judgement::healthy();
    }
    // Among files the absence of an object proves nothing.
    if !world.is_whole() {
        return Judgement::not_applicable("out-of-scope");
    }
    Judgement::unhealthy(format!("has no {kind}"), Vec::new())
}
