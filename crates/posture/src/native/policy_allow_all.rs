//! A network policy that opens a direction to everybody.
use super::exposed::outside;
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::policy::Opens;
use crate::exposure::{Class, Direction};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "policy-allow-all",
    subjects: Subjects::Kinds(&crate::exposure::policy::KINDS),
    inputs: &inputs::SELECTED_ROUTES,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    let network = world.network();
    let mut parts = network.policies().parts_of(object).peekable();
    if parts.peek().is_none() {
        return Judgement::unknown("unsupported", "the policy is not understood");
    }
    let outside = outside(params);
    let mut evidence = Vec::new();
    for policy in parts {
        let mut selected = network.selected_by(policy).peekable();
        let anybody = selected.peek().is_some();
        // What is meant for everybody on the internet may let everybody in.
        let edge = anybody
            && selected.all(|workload| {
                network
                    .exposures(workload, &outside)
                    .first()
                    .is_some_and(|way| way.class == Class::Internet)
            });
        for direction in Direction::BOTH {
            if direction == Direction::Ingress && edge {
                continue;
            }
            for (opens, pointer) in policy.rules(direction).into_iter().flatten() {
                if *opens == Opens::Everything {
                    let value = object.value().pointer(pointer).cloned().unwrap_or_default();
                    evidence.push(Evidence { path: pointer.clone(), value });
                }
            }
        }
    }
    if evidence.is_empty() {
        return Judgement::healthy();
    }
    Judgement::unhealthy("allows everybody on every port", evidence)
}
