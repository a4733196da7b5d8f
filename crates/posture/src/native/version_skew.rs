//! A kubelet older than its API server still talks to.
use super::version::Version;
use super::version_outdated::of_cluster;
use super::{Input, Join, Native, Subjects};
use crate::evaluate::Judgement;
use crate::exposure::text;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "version-skew",
    subjects: Subjects::Kinds(&[("", "Node")]),
    inputs: &[Input { group: "", kind: "Node", join: Join::When(never) }],
    judge,
};

/// The node and the API server alone decide.
fn never(_changed: &Value, _subject: &Subject<'_>) -> bool {
    false
}

/// Source: Kubernetes, "Version Skew Policy": three minor versions behind from 1.25 on, never ahead.
fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let path = "/status/nodeInfo/kubeletVersion";
    let own = subject.object.map(|object| text(object.value(), path)).unwrap_or_default();
    let (Some(kubelet), Some(server)) = (Version::read(own), of_cluster(world)) else {
        return Judgement::unknown("not-collected", "a version is not known");
    };
    let allowed = params.get("behind").and_then(Value::as_u64).unwrap_or_default();
    let (kubelet, server) = (kubelet.minor(), server.minor());
    let message = if kubelet > server {
        format!("kubelet 1.{kubelet} is ahead of API server 1.{server}")
    } else if server - kubelet > allowed {
        format!("kubelet 1.{kubelet} is over {allowed} behind API server 1.{server}")
    } else {
        return Judgement::healthy();
    };
    Judgement::unhealthy(message, vec![Evidence { path: path.to_owned(), value: own.into() }])
}
