//! A binding whose role or service account is gone: whoever makes one of that name gets the rest.
use super::inputs::RBAC;
use super::{Input, Join, Native, Subjects};
use crate::evaluate::Judgement;
use crate::rbac::{Subject as Who, binding_of};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "stale-binding",
    subjects: Subjects::Kinds(&[(RBAC, "ClusterRoleBinding"), (RBAC, "RoleBinding")]),
    inputs: &[
        Input { group: RBAC, kind: "ClusterRole", join: Join::When(is_role) },
        Input { group: RBAC, kind: "Role", join: Join::When(is_role) },
        Input { group: "", kind: "ServiceAccount", join: Join::When(is_subject) },
    ],
    judge,
};

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn is_role(changed: &Value, subject: &Subject<'_>) -> bool {
    subject.object.is_some_and(|binding| {
        text(binding.value(), "/roleRef/name") == text(changed, "/metadata/name")
    })
}

fn is_subject(changed: &Value, subject: &Subject<'_>) -> bool {
    let name = text(changed, "/metadata/name");
    subject.object.is_some_and(|binding| {
        let listed = binding.value().get("subjects").and_then(Value::as_array);
        listed.into_iter().flatten().any(|value| text(value, "/name") == name)
    })
}

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let (Some(object), Some(binding)) = (subject.object, binding_of(subject)) else {
        return Judgement::unknown("error", "the binding has no name");
    };
    // Among files the absence of an object proves nothing.
    if !world.is_whole() {
        return Judgement::not_applicable("out-of-scope");
    }
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    if let Some(role) = world.access().role_of(&binding)
        && !world.access().has_role(role)
    {
        told.push(format!("{role} does not exist"));
        let value = object.value().get("roleRef").cloned().unwrap_or_default();
        evidence.push(Evidence { path: "/roleRef".to_owned(), value });
    }
    let listed = object.value().get("subjects").and_then(Value::as_array);
    for (index, value) in listed.into_iter().flatten().enumerate() {
        let Some(who) = Who::read(value, binding.0.namespace.as_deref()) else { continue };
        // The API server's own bindings name controllers that some clusters do not run.
        let built_in = || world.library().bootstrap.binds(world.access(), &binding, &who);
        if let Who::Account { namespace, name } = &who
            && world.find("", "ServiceAccount", namespace, name).is_none()
            && !built_in()
        {
            told.push(format!("{who} does not exist"));
            evidence.push(Evidence { path: format!("/subjects/{index}"), value: value.clone() });
        }
    }
    if told.is_empty() {
        Judgement::healthy()
    } else {
        Judgement::unhealthy(told.join("; "), evidence)
    }
}
