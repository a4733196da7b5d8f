//! The same host and path in Ingresses of several namespaces: whose it is, the controller decides.
use super::{Input, Join, Native, Subjects};
use crate::evaluate::Judgement;
use crate::exposure::{hosts, ingress_class, namespace_of};
use crate::world::{Object, Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value, json};

pub(super) static NATIVE: Native = Native {
    name: "ingress-host",
    subjects: Subjects::Kinds(&[("networking.k8s.io", "Ingress"), ("extensions", "Ingress")]),
    inputs: &[Input { group: "networking.k8s.io", kind: "Ingress", join: Join::When(shares_host) }],
    judge,
};

fn shares_host(changed: &Value, subject: &Subject<'_>) -> bool {
    subject.object.is_some_and(|object| {
        hosts(object.value()).any(|own| hosts(changed).any(|other| own.0 == other.0))
    })
}

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    let (own, class) = (namespace_of(object), ingress_class(object.value()));
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    let elsewhere =
        |other: &&Object<'_>| namespace_of(**other) != own && ingress_class(other.value()) == class;
    for (host, path) in hosts(object.value()).filter(|(host, _)| !host.is_empty()) {
        for other in world.network().claiming(host, path).iter().filter(elsewhere) {
            let name = format!("Ingress/{}/{}", namespace_of(*other), other.name());
            told.push(format!("{host}{path} also in {name}"));
            evidence.push(Evidence { path: name, value: json!({"host": host, "path": path}) });
        }
    }
    if told.is_empty() {
        return Judgement::healthy();
    }
    told.truncate(super::MAX_TOLD);
    evidence.truncate(super::MAX_TOLD);
    Judgement::unhealthy(told.join("; "), evidence)
}
