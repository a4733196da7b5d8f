//! An autoscaler whose target does not exist, or whose bounds leave it nothing to do.
use super::inputs::SCALED;
use super::{Native, Subjects};
use crate::control::group_version;
use crate::evaluate::Judgement;
use crate::exposure::{namespace_of, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "autoscaler-target",
    subjects: Subjects::Kinds(&[("autoscaling", "HorizontalPodAutoscaler")]),
    inputs: &SCALED,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(autoscaler) = subject.object else { return Judgement::healthy() };
    let value = autoscaler.value();
    let number = |path: &str| value.pointer(path).and_then(Value::as_u64);
    let minimum = number("/spec/minReplicas").unwrap_or(1);
    if number("/spec/maxReplicas").is_none_or(|maximum| maximum < minimum) {
        let path = "/spec/maxReplicas";
        let evidence = Evidence {
            path: path.to_owned(),
            value: value.pointer(path).cloned().unwrap_or_default(),
        };
        return Judgement::unhealthy("maxReplicas is below minReplicas", vec![evidence]);
    }
    let path = "/spec/scaleTargetRef";
    let (kind, name) =
        (text(value, "/spec/scaleTargetRef/kind"), text(value, "/spec/scaleTargetRef/name"));
    let group = group_version(text(value, "/spec/scaleTargetRef/apiVersion")).0;
    let known = SCALED.iter().any(|input| (input.group, input.kind) == (group, kind));
    if !known {
        // Custom resources can be scaled too, but their kinds are not read.
        return Judgement::not_applicable("out-of-scope");
    }
    if world.find(group, kind, autoscaler.namespace(), name).is_some()
        || world.find(group, kind, namespace_of(autoscaler), name).is_some()
    {
        return Judgement::healthy();
    }
    if !world.is_whole() {
        return Judgement::not_applicable("out-of-scope");
    }
    let value = value.pointer(path).cloned().unwrap_or_default();
    let message = format!("there is no {kind} {name}");
    Judgement::unhealthy(message, vec![Evidence { path: path.to_owned(), value }])
}
