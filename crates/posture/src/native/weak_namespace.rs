//! Somebody may run code or take tokens in a namespace where a service account could take over the cluster.
use super::inputs::RBAC;
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::rbac::{Held, Subject as Who, binding_of, proof};
use crate::world::{Subject, World};
use serde_json::{Map, Value};

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

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(binding) = binding_of(subject) else {
        return Judgement::unknown("error", "the binding has no name");
    };
    let access = world.access();
    let Some(namespace) = binding.0.namespace.clone() else { return Judgement::healthy() };
    let excluded = values(params, "excludedNamespaces");
    let powerful = |who: &Who| POWERFUL.iter().find_map(|risk| access.has_risk(who, risk, None));
    let accounts = access.subjects().filter(|who| {
        matches!(who, Who::Account { .. }) && who.namespace() == Some(namespace.as_ref())
    });
    // Accounts of the namespace that no binding names have what their groups have.
    let strong: Vec<(&Who, Held)> =
        accounts.filter_map(|account| Some((account, powerful(account)?))).collect();
    for who in access.subjects_of(&binding) {
        let skipped = who.namespace().is_some_and(|of| excluded.contains(&of))
            || world.library().bootstrap.binds(access, &binding, who);
        if skipped || powerful(who).is_some() {
            continue;
        }
        let taken = TAKES.iter().find_map(|risk| access.has_risk(who, risk, Some(&namespace)));
        let adds = |held: &Held| {
            let grants = held.chains.iter().flat_map(|chain| &chain.grant);
            grants.into_iter().any(|grant| grant.binding == binding)
        };
        let Some(taken) = taken.filter(adds) else { continue };
        if let Some((account, power)) = strong.iter().find(|(account, _)| *account != who) {
            let told = |held: &Held| {
                held.chains.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
            };
            let message = format!("{}, where {account} may more: {}", told(&taken), told(power));
            let chains = taken.chains.iter().chain(&power.chains);
            return Judgement::unhealthy(
                message,
                chains.flat_map(|chain| proof(subject, chain)).collect(),
            );
        }
    }
    crate::rbac::undecided(world, access.role_of(&binding)).unwrap_or_else(Judgement::healthy)
}
