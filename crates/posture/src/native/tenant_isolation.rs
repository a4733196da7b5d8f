//! A workload of an untrusted namespace without a sandbox or nodes of its own.
use super::exposed::workload;
use super::{Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::text;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native =
    Native { name: "tenant-isolation", subjects: Subjects::Workloads, inputs: &[], judge };

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    if !values(params, "untrustedNamespaces").contains(&workload.namespace) {
        return Judgement::not_applicable("out-of-scope");
    }
    let class = text(workload.pod_spec, "/runtimeClassName");
    let selected = workload.pod_spec.get("nodeSelector").and_then(Value::as_object);
    let required = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    let apart = selected.is_some_and(|labels| !labels.is_empty())
        || workload.pod_spec.pointer(required).is_some();
    if apart || values(params, "sandboxes").contains(&class) {
        return Judgement::healthy();
    }
    let evidence = Evidence { path: "runtimeClassName".to_owned(), value: class.into() };
    Judgement::unhealthy("shares kernel and nodes with trusted workloads", vec![evidence])
}
