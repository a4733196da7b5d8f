//! A workload that network policies leave open, in one direction or both.
use super::exposed::workload;
use super::{Native, Subjects, inputs, values};
use crate::evaluate::Judgement;
use crate::exposure::{Cni, Coverage, Direction};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native =
    Native { name: "isolation", subjects: Subjects::Workloads, inputs: &inputs::POLICIES, judge };

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    if values(params, "excludedNamespaces").contains(&workload.namespace) {
        return Judgement::not_applicable("out-of-scope");
    }
    if workload.pod_spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        // Policies do not select pods in the node's network.
        return Judgement::not_applicable("out-of-scope");
    }
    let network = world.network();
    // Among files, the namespace or a policy in it tells whether its policies are to be seen.
    let seen = world.is_whole()
        || network.has_namespace(workload.namespace)
        || network.policies().about(workload.namespace).next().is_some();
    if !seen {
        return Judgement::not_applicable("out-of-scope");
    }
    let wanted = values(params, "directions");
    let (mut told, mut evidence, mut unknown) = (Vec::new(), Vec::new(), None);
    for direction in Direction::BOTH {
        if !wanted.contains(&direction.as_str()) {
            continue;
        }
        match network.enforced(workload, direction, world.is_whole()) {
            Coverage::Denied | Coverage::Partial => {}
            Coverage::Unknown(reason) => unknown = Some(reason),
            Coverage::Open => {
                let (_, about) = network.coverage(workload, direction);
                let why = match (&network.cni, about.is_empty()) {
                    (_, true) => "no policy selects it".to_owned(),
                    (Cni::Open(plugin), _) => format!("{plugin} enforces no policy"),
                    _ => "a policy allows everything".to_owned(),
                };
                told.push(format!("{} is open: {why}", direction.as_str()));
                evidence.extend(about.iter().take(super::MAX_TOLD).map(|policy| Evidence {
                    path: format!("{}/{}", policy.kind(), policy.name()),
                    value: direction.as_str().into(),
                }));
            }
        }
    }
    if told.is_empty() {
        return unknown
            .map_or_else(Judgement::healthy, |reason| Judgement::unknown("unsupported", reason));
    }
    evidence.push(Evidence { path: "pod labels".to_owned(), value: workload.labels.clone() });
    Judgement::unhealthy(told.join("; "), evidence)
}
