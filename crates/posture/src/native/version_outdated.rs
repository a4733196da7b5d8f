//! The cluster's Kubernetes is older than what is still mended.
use super::version::Version;
use super::{Input, Join, Native, Subjects, cluster};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "version-outdated",
    subjects: Subjects::Listed(cluster),
    inputs: &[Input { group: "", kind: "Node", join: Join::Every }],
    judge,
};

/// Version of the API server, where it is known.
pub(super) fn of_cluster(world: &World<'_>) -> Option<Version> {
    Version::read(world.kubernetes()?)
}

fn judge(_subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(version) = of_cluster(world) else {
        return Judgement::unknown("not-collected", "the version of the API server is not known");
    };
    let number = |name: &str| params.get(name).and_then(Value::as_u64).unwrap_or_default();
    let oldest = number("newest").saturating_sub(number("behind"));
    if version.minor() >= oldest {
        return Judgement::healthy();
    }
    let value = world.kubernetes().into();
    let message = format!("1.{} is older than 1.{oldest}", version.minor());
    Judgement::unhealthy(message, vec![Evidence { path: "version".to_owned(), value }])
}
