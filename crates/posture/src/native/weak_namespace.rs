//! Somebody may run code or take tokens in a namespace where a service account could take over the cluster.
use super::inputs::RBAC;
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::rbac::{Access, Ask, Held, Subject as Who, binding_of, proof};
use crate::world::{Subject, World};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Accounts that could take over the cluster and by what, by namespace.
pub(crate) type Powerful = HashMap<Arc<str>, Vec<(Who, Held)>>;

/// Risky permissions that make one the service account of a pod in the namespace.
const TAKES: [&str; 5] =
    ["pods-exec", "pods-create", "pods-ephemeral", "token-create", "secrets-read"];
/// Risky permissions that, held in the whole cluster, end in every other.
const POWERFUL: [&str; 11] = [
    "everything",
    "bind-escalate",
    "create-bindings",
    "impersonate",
    "csr-approve",
    "webhooks",
    "nodes-proxy",
    "secrets-read",
    "token-create",
    "pods-create",
    "pods-exec",
];

pub(super) static NATIVE: Native = Native {
    name: "weak-namespace",
    subjects: Subjects::Kinds(&[(RBAC, "RoleBinding")]),
    inputs: &[
        Input { group: RBAC, kind: "ClusterRole", join: Join::Every },
        Input { group: RBAC, kind: "Role", join: Join::Every },
        Input { group: RBAC, kind: "ClusterRoleBinding", join: Join::Every },
        Input { group: RBAC, kind: "RoleBinding", join: Join::Every },
    ],
    judge,
};

/// What lets `who` take over the cluster, if something does.
fn power_of(access: &Access, who: &Who) -> Option<Held> {
    POWERFUL.iter().find_map(|risk| access.has_risk(who, risk, None))
}

/// The powerful service accounts that bindings name, by namespace.
pub(crate) fn powerful(access: &Access) -> Powerful {
    let mut found = Powerful::new();
    for who in access.subjects() {
        if let Who::Account { namespace, .. } = who
            && let Some(held) = power_of(access, who)
        {
            found.entry(namespace.clone()).or_default().push((who.clone(), held));
        }
    }
    found
}

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(binding) = binding_of(subject) else {
        return Judgement::unknown("error", "the binding has no name");
    };
    let access = world.access();
    let Some(namespace) = binding.0.namespace.clone() else { return Judgement::healthy() };
    let excluded = values(params, "excludedNamespaces");
    let strong = world.powerful().get(&namespace).map_or(&[][..], Vec::as_slice);
    if strong.is_empty() {
        return crate::rbac::undecided(world, access.role_of(&binding))
            .unwrap_or_else(Judgement::healthy);
    }
    let skip = |who: &Who| {
        who.namespace().is_some_and(|of| excluded.contains(&of))
            || world.library().bootstrap.binds(access, &binding, who)
            || power_of(access, who).is_some()
    };
    let exists = |_: &str| false;
    for risk in TAKES {
        let ask = Ask { risk, binding: &binding, skip: &skip, exists: &exists };
        for taken in access.risk_through(&ask).into_iter().flatten() {
            let other = strong.iter().find(|(account, _)| *account != taken.subject);
            let Some((account, power)) = other else { continue };
            let told = |held: &Held| {
                held.chains.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
            };
            let message = format!("{}, where {account} may more: {}", told(&taken), told(power));
            let chains = taken.chains.iter().chain(&power.chains);
            let evidence = chains.flat_map(|chain| proof(subject, chain)).collect();
            return Judgement::unhealthy(message, evidence);
        }
    }
    crate::rbac::undecided(world, access.role_of(&binding)).unwrap_or_else(Judgement::healthy)
}
