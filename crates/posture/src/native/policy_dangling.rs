//! A network policy that is about no workload.
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::namespace_of;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "policy-dangling",
    subjects: Subjects::Kinds(&crate::exposure::policy::KINDS),
    inputs: &inputs::WORKLOADS,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    let network = world.network();
    let mut parts = network.policies().parts_of(object).peekable();
    if parts.peek().is_none() {
        return Judgement::unknown("unsupported", "the policy is not understood");
    }
    let clusterwide = object.namespace().is_empty() && object.kind() != "NetworkPolicy";
    // Among files, those beside it tell whether its workloads are to be seen.
    let seen = world.is_whole()
        || !clusterwide && network.workloads_in(namespace_of(object)).next().is_some();
    if parts.any(|policy| network.selected_by(policy).next().is_some()) {
        return Judgement::healthy();
    }
    let selector = ["/spec/podSelector", "/spec/endpointSelector", "/spec/selector"];
    let found = selector.iter().find_map(|at| Some((*at, object.value().pointer(at)?.clone())));
    let (path, value) = found.unwrap_or(("/spec", Value::Null));
    // An empty selector waits for whatever will come.
    let empty = value.is_null()
        || value == "all()"
        || value.as_object().is_some_and(|members| members.is_empty());
    if empty {
        return Judgement::healthy();
    }
    if !seen {
        return Judgement::not_applicable("out-of-scope");
    }
    Judgement::unhealthy("selects no workload", vec![Evidence { path: path.to_owned(), value }])
}
