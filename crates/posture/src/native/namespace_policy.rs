//! A namespace with workloads, none of which any network policy is about.
use super::{MAX_TOLD, Native, Subjects, inputs, values};
use crate::evaluate::Judgement;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "namespace-policy",
    subjects: Subjects::Kinds(&[("", "Namespace")]),
    inputs: &inputs::POLICIES,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let name = subject.resource.name.as_str();
    let network = world.network();
    let mut own = network.workloads_in(name).peekable();
    if values(params, "excludedNamespaces").contains(&name) || own.peek().is_none() {
        return Judgement::not_applicable("out-of-scope");
    }
    let policies = network.policies();
    if let Some(reason) = policies.unread(name) {
        return Judgement::unknown("unsupported", reason.clone());
    }
    let mut about = policies.about(name);
    if about
        .any(|policy| network.workloads_in(name).any(|workload| policy.selects(workload, network)))
    {
        return Judgement::healthy();
    }
    let evidence = own.take(MAX_TOLD).map(|workload| Evidence {
        path: format!("{}/{name}/{}", workload.object.kind(), workload.object.name()),
        value: Value::Null,
    });
    Judgement::unhealthy(
        "no network policy selects a workload of this namespace",
        evidence.collect(),
    )
}
