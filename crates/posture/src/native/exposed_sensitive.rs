//! An interface for administrators, or of a machine learning system, that is reached from outside.
use super::exposed::{chain, outside, words, workload};
use super::{Native, Subjects, inputs, values};
use crate::evaluate::Judgement;
use crate::exposure::{Class, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "exposed-sensitive",
    subjects: Subjects::Workloads,
    inputs: &inputs::ROUTES,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let interfaces = values(params, "interfaces");
    let images = workload.containers().map(|container| text(container, "/image"));
    let known = images.filter_map(|image| {
        let repository = repository(image);
        let whole =
            |name: &&&str| repository == **name || repository.ends_with(&format!("/{name}"));
        Some((image, *interfaces.iter().find(whole)?))
    });
    let Some((image, interface)) = known.into_iter().next() else {
        return Judgement::not_applicable("out-of-scope");
    };
    let exposures = world.network().exposures(workload, &outside(params));
    let Some(way) = exposures.iter().find(|way| way.class > Class::Cluster) else {
        return Judgement::healthy();
    };
    let mut evidence = chain(way);
    evidence.push(Evidence { path: "image".to_owned(), value: image.into() });
    let class = way.class.as_str();
    Judgement::unhealthy(
        format!("{interface} is reached from outside ({class}): {}", words(way)),
        evidence,
    )
}

/// An image's name without registry port, tag and digest.
pub(super) fn repository(image: &str) -> &str {
    let named = image.split('@').next().unwrap_or(image);
    match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => named,
    }
}

#[test]
fn repositories() {
    for (image, expected) in [
        ("argoproj/argocd:v2", "argoproj/argocd"),
        ("registry.example:5000/argocd", "registry.example:5000/argocd"),
        ("a/b:1@sha256:00", "a/b"),
    ] {
        assert_eq!(repository(image), expected);
    }
}
