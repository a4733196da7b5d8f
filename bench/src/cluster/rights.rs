//! Accounts and what they may do.
use super::object;
use crate::dice::Dice;
use serde_json::{Value, json};

const API: &str = "rbac.authorization.k8s.io/v1";
/// Accounts of a namespace; workloads choose among them.
pub(super) const ACCOUNTS: usize = 5;

pub(super) fn of_cluster(dice: &mut Dice) -> Vec<Value> {
    let mut objects: Vec<Value> = (0..40)
        .map(|number| {
            object(
                API,
                "ClusterRole",
                None,
                &format!("role-{number}"),
                json!({"rules": rules(dice)}),
            )
        })
        .collect();
    objects.extend((0..60).map(|number| {
        let name = format!("group-{number}");
        let subject =
            json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name});
        let role = format!("role-{}", dice.roll(40));
        object(API, "ClusterRoleBinding", None, &name, binding("ClusterRole", &role, &subject))
    }));
    objects
}

pub(super) fn of_namespace(namespace: &str, dice: &mut Dice) -> Vec<Value> {
    let mut objects = Vec::new();
    for number in 0..ACCOUNTS {
        let name = format!("account-{number}");
        let body = json!({"automountServiceAccountToken": dice.roll(2) == 0});
        objects.push(object("v1", "ServiceAccount", Some(namespace), &name, body));
        let subject = json!({"kind": "ServiceAccount", "namespace": namespace, "name": name});
        let (kind, role) = match dice.roll(2) {
            0 => ("ClusterRole", format!("role-{}", dice.roll(40))),
            _ => ("Role", format!("role-{number}")),
        };
        objects.push(object(
            API,
            "Role",
            Some(namespace),
            &format!("role-{number}"),
            json!({"rules": rules(dice)}),
        ));
        objects.push(object(
            API,
            "RoleBinding",
            Some(namespace),
            &name,
            binding(kind, &role, &subject),
        ));
    }
    objects
}

fn rules(dice: &mut Dice) -> Vec<Value> {
    let resources =
        ["pods", "pods/log", "configmaps", "services", "deployments", "secrets", "events", "jobs"];
    let rule = |dice: &mut Dice| {
        let resource = if dice.roll(60) == 0 { "*" } else { dice.pick(&resources) };
        json!({"apiGroups": [dice.pick(&["", "apps", "batch"])], "resources": [resource],
            "verbs": ["get", "list", dice.pick(&["watch", "create", "patch", "delete"])]})
    };
    (0..1 + dice.roll(4)).map(|_| rule(dice)).collect()
}

fn binding(kind: &str, role: &str, subject: &Value) -> Value {
    json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}, "subjects": [subject]})
}
