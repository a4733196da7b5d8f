//! Roles and bindings of a large cluster.
use crate::dice::Dice;
use serde_json::{Value, json};

const API: &str = "rbac.authorization.k8s.io/v1";

/// Bindings with a role to every tenth, two to five rules each, to users, groups and service accounts of 200
/// namespaces; every tenth of the cluster, every fiftieth role with a wildcard.
pub fn bindings(count: usize) -> Vec<Value> {
    let mut dice = Dice::new();
    let mut objects: Vec<Value> = (0..count / 10).map(|number| role(number, &mut dice)).collect();
    objects.extend((0..count).map(|number| binding(number, count / 10, &mut dice)));
    objects
}

fn role(number: usize, dice: &mut Dice) -> Value {
    let resources =
        ["pods", "pods/log", "configmaps", "services", "deployments", "secrets", "events", "jobs"];
    let rules: Vec<Value> = (0..2 + dice.roll(4))
        .map(|_| {
            let resource = if number.is_multiple_of(50) { "*" } else { dice.pick(&resources) };
            json!({"verbs": ["get", "list", dice.pick(&["watch", "create", "patch", "delete"])],
                "apiGroups": [dice.pick(&["", "apps", "batch"])], "resources": [resource, format!("widgets{}", dice.roll(40))]})
        })
        .collect();
    json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": format!("role-{number}")}, "rules": rules})
}

/// The binding of that number, to one of `roles`.
fn binding(number: usize, roles: usize, dice: &mut Dice) -> Value {
    let namespace = format!("ns-{}", dice.roll(200));
    let subjects: Vec<Value> = (0..=dice.roll(2))
        .map(|_| match dice.roll(4) {
            0 => json!({"kind": "User", "name": format!("user-{}", dice.roll(2_000))}),
            1 => json!({"kind": "Group", "name": format!("group-{}", dice.roll(200))}),
            _ => json!({"kind": "ServiceAccount", "namespace": namespace, "name": format!("sa-{}", dice.roll(20))}),
        })
        .collect();
    let kind = if number.is_multiple_of(10) { "ClusterRoleBinding" } else { "RoleBinding" };
    let mut object = json!({"apiVersion": API, "kind": kind, "metadata": {"name": format!("binding-{number}")},
        "roleRef": {"kind": "ClusterRole", "name": format!("role-{}", dice.roll(roles))}, "subjects": subjects});
    if kind == "RoleBinding" {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}
