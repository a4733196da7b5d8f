//! A workload's service account: whether it exists, whether its token means anything, and whether it means too much.
use super::exposed::workload;
use super::inputs::{ACCOUNT, ACCOUNT_RIGHTS};
use super::{Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::{Workload, list, text};
use crate::rbac::{Subject as Who, proof, undecided};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static MISSING: Native = Native {
    name: "account-missing",
    subjects: Subjects::Workloads,
    inputs: &ACCOUNT,
    judge: missing,
};

pub(super) static BOUND: Native = Native {
    name: "token-bound",
    subjects: Subjects::Workloads,
    inputs: &ACCOUNT_RIGHTS,
    judge: bound,
};

/// Its parameters `risks` and `namespaces` say which permissions, in the whole cluster or in one of these namespaces.
pub(super) static RISKY: Native = Native {
    name: "account-risky",
    subjects: Subjects::Workloads,
    inputs: &ACCOUNT_RIGHTS,
    judge: risky,
};

/// The name of the account that the pods run as.
fn account<'w>(workload: &Workload<'w>) -> &'w str {
    let named = [
        text(workload.pod_spec, "/serviceAccountName"),
        text(workload.pod_spec, "/serviceAccount"),
    ];
    named.into_iter().find(|name| !name.is_empty()).unwrap_or("default")
}

/// Whether a token lies in the pods: mounted unless the pod, or else its account, says no; or asked for as a volume.
fn has_token(workload: &Workload<'_>, world: &World<'_>) -> bool {
    let automount =
        |value: &Value| value.get("automountServiceAccountToken").and_then(Value::as_bool);
    let of_account = || {
        let found = world.find("", "ServiceAccount", workload.namespace, account(workload))?;
        automount(found.value())
    };
    let projected = || {
        let sources = list(workload.pod_spec, "/volumes")
            .flat_map(|volume| list(volume, "/projected/sources").collect::<Vec<_>>());
        sources.into_iter().any(|source| source.get("serviceAccountToken").is_some())
    };
    automount(workload.pod_spec).or_else(of_account).unwrap_or(true) || projected()
}

fn missing(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let name = account(workload);
    // Every namespace has it.
    if name == "default" || world.find("", "ServiceAccount", workload.namespace, name).is_some() {
        return Judgement::healthy();
    }
    if !world.is_whole() {
        // Among files the absence of an account proves nothing.
        return Judgement::not_applicable("out-of-scope");
    }
    let evidence = Evidence { path: "serviceAccountName".to_owned(), value: name.into() };
    Judgement::unhealthy(format!("there is no service account {name}"), vec![evidence])
}

fn bound(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let (workload, who) = match identity(subject, world, params) {
        Ok(found) => found,
        Err(judgement) => return judgement,
    };
    let access = world.access();
    let bindings: Vec<Evidence> = access
        .bindings_of(&who)
        .take(super::MAX_TOLD)
        .map(|binding| Evidence {
            path: binding.to_string(),
            value: access.role_of(binding).map_or(Value::Null, |role| role.to_string().into()),
        })
        .collect();
    if !bindings.is_empty() {
        let message = format!("the pods hold a token of {}, which has roles", account(workload));
        return Judgement::unhealthy(message, bindings);
    }
    without_risk(world)
}

fn risky(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let (_, who) = match identity(subject, world, params) {
        Ok(found) => found,
        Err(judgement) => return judgement,
    };
    let access = world.access();
    let scopes = || [None].into_iter().chain(values(params, "namespaces").into_iter().map(Some));
    let held = values(params, "risks")
        .into_iter()
        .find_map(|risk| scopes().find_map(|scope| access.has_risk(&who, risk, scope)));
    let Some(held) = held else { return without_risk(world) };
    let told: Vec<_> = held.chains.iter().map(ToString::to_string).collect();
    let evidence = held.chains.iter().flat_map(|chain| proof(subject, chain)).collect();
    Judgement::unhealthy(told.join(" and "), evidence)
}

/// The workload with its account, as long as its pods hold a token of it.
fn identity<'n, 'w>(
    subject: &Subject<'_>,
    world: &'n World<'w>,
    params: &Map<String, Value>,
) -> Result<(&'n Workload<'w>, Who), Judgement> {
    let Some(workload) = workload(subject, world) else {
        return Err(Judgement::unknown("error", "the workload has no pod template"));
    };
    if values(params, "excludedNamespaces").contains(&workload.namespace) {
        return Err(Judgement::not_applicable("out-of-scope"));
    }
    if !has_token(workload, world) {
        return Err(Judgement::healthy());
    }
    Ok((workload, Who::account(workload.namespace, account(workload))))
}

/// Among files without any binding nobody knows what accounts may do.
fn without_risk(world: &World<'_>) -> Judgement {
    if !world.is_whole() && world.access().bindings().next().is_none() {
        return Judgement::not_applicable("out-of-scope");
    }
    undecided(world, None).unwrap_or_else(Judgement::healthy)
}
