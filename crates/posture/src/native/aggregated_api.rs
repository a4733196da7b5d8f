//! An API server that may be redirected by an aggregated API (CVE-2022-3172), and such an API.
use super::version_outdated::of_cluster;
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "aggregated-api",
    subjects: Subjects::Kinds(&[("apiregistration.k8s.io", "APIService")]),
    inputs: &[Input {
        group: "apiregistration.k8s.io",
        kind: "APIService",
        join: Join::When(never),
    }],
    judge,
};

/// The API and the API server alone decide.
fn never(_changed: &Value, _subject: &Subject<'_>) -> bool {
    false
}

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let service = subject.object.and_then(|object| object.value().pointer("/spec/service"));
    let Some(service) = service.filter(|service| !service.is_null()) else {
        // The API server answers for it itself.
        return Judgement::not_applicable("out-of-scope");
    };
    let Some(version) = of_cluster(world) else {
        return Judgement::unknown("not-collected", "the version of the API server is not known");
    };
    let affected = values(params, "affected");
    // `1.24` stands for any of its patches: the lowest and the highest must agree.
    let told = world.kubernetes().unwrap_or_default();
    let highest = super::version::Version::read(&format!("{told}.999")).unwrap_or(version.clone());
    let exact = version.precision() > 2;
    let (low, high) = (
        version.is_in(&affected),
        if exact { version.is_in(&affected) } else { highest.is_in(&affected) },
    );
    match (low, high) {
        (false, false) => Judgement::healthy(),
        (true, true) => {
            let evidence = vec![
                Evidence { path: "version".to_owned(), value: told.into() },
                Evidence { path: "/spec/service".to_owned(), value: service.clone() },
            ];
            Judgement::unhealthy(
                format!("API server {told} follows this API's redirects"),
                evidence,
            )
        }
        _ => Judgement::unknown(
            "not-collected",
            format!("the patch version of API server {told} is not known"),
        ),
    }
}
