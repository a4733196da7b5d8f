//! Workloads run in a namespace that has no service account but `default`.
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "namespace-account",
    subjects: Subjects::Kinds(&[("", "Namespace")]),
    inputs: &inputs::ACCOUNTS,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let name = subject.resource.name.as_str();
    if super::values(params, "excludedNamespaces").contains(&name) {
        return Judgement::not_applicable("out-of-scope");
    }
    let own: Vec<_> = world.network().workloads_in(name).collect();
    // Among files the absence of an account proves nothing.
    if own.is_empty() || !world.is_whole() {
        return Judgement::not_applicable("out-of-scope");
    }
    let accounts = world.of_kind("", "ServiceAccount");
    let dedicated = |account: &str| account != "default";
    if accounts
        .filter(|account| account.namespace() == name)
        .any(|account| dedicated(account.name()))
    {
        return Judgement::healthy();
    }
    let evidence = own.iter().map(|workload| Evidence {
        path: format!("{}/{name}/{}", workload.object.kind(), workload.object.name()),
        value: Value::Null,
    });
    let message = "the workloads of this namespace have no service account but `default`";
    Judgement::unhealthy(message, evidence.take(super::MAX_TOLD).collect())
}
