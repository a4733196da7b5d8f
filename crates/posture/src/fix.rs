//! From a failing element to a JSON Patch that heals it, or to the reason why none is offered.
use crate::control::{Control, FixOp, Validation};
use crate::evaluate::Failing;
use crate::workload::View;
use crate::{patch, pointer, quantity};
use seawall_model::finding::State;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The patch for `failures`, tried in memory: it applies, the control no longer fails, and the API server would take
/// the result. `Ok` is empty where the control has no fix; `Err` says why one is withheld.
pub(crate) fn build(
    control: &Control,
    view: &View<'_>,
    params: &Map<String, Value>,
    failures: &[Failing],
) -> Result<Vec<Value>, String> {
    if control.fix.is_empty() {
        return Ok(Vec::new());
    }
    let validations = control.rules().map_or(&[][..], |rules| rules.validations.as_slice());
    let mut healed = view.object().clone();
    let mut operations = Vec::new();
    let mut named: HashSet<&str> = HashSet::new();
    let mut failures: Vec<&Failing> = failures.iter().collect();
    if control.fix.iter().any(|op| op.value.is_none() && op.path.tail().is_empty()) {
        // Last element first: removing one must not move those still to be changed.
        failures.reverse();
    }
    for failing in failures {
        for op in control.fix.iter().filter(|op| heals(validations, op, failing)) {
            let path = &validations[failing.validation].path;
            let depth = path.shared_lists(&op.path).min(failing.elements.len());
            let elements = &failing.elements[..depth];
            for element in elements {
                if named.insert(element) {
                    // The index alone would hit another element once someone reorders the list.
                    let path = pointer::join(element, ["name"]);
                    if let Some(name) = healed.pointer(&path) {
                        operations.push(json!({"op": "test", "path": path, "value": name}));
                    }
                }
            }
            let base = elements.last().map_or(failing.root, String::as_str);
            for place in places(op, depth, base, &healed) {
                for operation in expand(op, &place, &healed)? {
                    patch::apply_one(&mut healed, &operation)?;
                    operations.push(operation);
                }
            }
        }
    }
    let healed_view = View::new(&healed);
    if control.judge(&healed_view, params).state == State::Unhealthy {
        return Err("it does not heal".to_owned());
    }
    let before: HashSet<String> = refused(view).into_iter().collect();
    if let Some(reason) = refused(&healed_view).into_iter().find(|reason| !before.contains(reason))
    {
        return Err(reason);
    }
    Ok(operations)
}

/// An operation heals the validation of its own path; one whose path no validation has heals all of its list.
fn heals(validations: &[Validation], op: &FixOp, failing: &Failing) -> bool {
    let path = &validations[failing.validation].path;
    let exact = validations.iter().any(|validation| validation.path == op.path);
    if exact {
        return *path == op.path;
    }
    // What fails in a list may be mended at the root, where nothing else claims that change.
    let at_root = op.path.depth() == 0
        && (path.depth() == 0 || validations.iter().all(|other| other.path.depth() > 0));
    at_root || path.shares_list(&op.path)
}

/// The places an operation is made at: `base`, or every element of the lists below it, last first.
fn places(op: &FixOp, depth: usize, base: &str, object: &Value) -> Vec<String> {
    let mut places = vec![base.to_owned()];
    for deeper in depth..op.path.depth() {
        let lists = places
            .iter()
            .map(|place| pointer::join(place, op.path.list(deeper).iter().map(String::as_str)));
        let elements = lists.flat_map(|list| {
            let length = object.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
            (0..length).rev().map(move |index| format!("{list}/{index}"))
        });
        places = elements.collect();
    }
    places
}

/// The operations that make one change at `base`: tests of what is replaced, missing parents created.
fn expand(op: &FixOp, base: &str, object: &Value) -> Result<Vec<Value>, String> {
    let target = pointer::join(base, op.path.tail().iter().map(String::as_str));
    let present = object.pointer(&target);
    let test = |present: &Value| json!({"op": "test", "path": target, "value": present});
    match (&op.value, present) {
        (None, None) => Ok(Vec::new()),
        (None, Some(present)) => Ok(vec![test(present), json!({"op": "remove", "path": target})]),
        (Some(value), Some(present)) if value == present => Ok(Vec::new()),
        (Some(value), Some(present)) => {
            Ok(vec![test(present), json!({"op": "replace", "path": target, "value": value})])
        }
        (Some(value), None) => {
            let mut at = base.to_owned();
            let mut fields = op.path.tail().iter();
            for field in fields.by_ref() {
                let parent = object.pointer(&at).ok_or_else(|| format!("nothing at {at}"))?;
                if !parent.is_object() {
                    return Err(format!("{at} is no object"));
                }
                pointer::push(&mut at, field);
                if object.pointer(&at).is_none() {
                    break;
                }
            }
            let value = fields.rev().fold(value.clone(), |value, field| json!({field: value}));
            Ok(vec![json!({"op": "add", "path": at, "value": value})])
        }
    }
}

/// Why the API server would refuse the pod spec, as far as our fixes can cause it.
/// Source: kubernetes `pkg/apis/core/validation`: ValidateSecurityContext, ValidateContainerResourceRequirements,
/// validateMountPropagation, validateEphemeralContainers.
fn refused(view: &View<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let spec = view.pod_spec().unwrap_or(&Value::Null);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in spec.get(list).and_then(Value::as_array).into_iter().flatten() {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            let at = |pointer: &str| container.pointer(pointer);
            let privileged = at("/securityContext/privileged") == Some(&Value::Bool(true));
            let admin = at("/securityContext/capabilities/add")
                .and_then(Value::as_array)
                .is_some_and(|added| added.contains(&json!("CAP_SYS_ADMIN")));
            if at("/securityContext/allowPrivilegeEscalation") == Some(&Value::Bool(false))
                && (privileged || admin)
            {
                let why = if privileged { "is privileged" } else { "adds CAP_SYS_ADMIN" };
                reasons.push(format!(
                    "container {name} {why}, mend that first: the API server refuses both together"
                ));
            }
            let mounts = at("/volumeMounts").and_then(Value::as_array).into_iter().flatten();
            if !privileged
                && mounts
                    .into_iter()
                    .any(|mount| mount.get("mountPropagation") == Some(&json!("Bidirectional")))
            {
                reasons.push(format!("container {name} has a Bidirectional mount, which only privileged containers may"));
            }
            let limits = at("/resources/limits").and_then(Value::as_object).into_iter().flatten();
            for (resource, limit) in limits {
                let request = at("/resources/requests").and_then(|requests| requests.get(resource));
                let exceeds = request
                    .and_then(quantity::amount)
                    .zip(quantity::amount(limit))
                    .is_some_and(|(request, limit)| request > limit);
                if exceeds {
                    reasons.push(format!("container {name} requests more {resource} than the suggested limit: choose one yourself"));
                }
            }
            if list == "ephemeralContainers" && at("/resources").is_some() {
                reasons.push(format!("ephemeral container {name} may not have resources"));
            }
        }
    }
    reasons
}
