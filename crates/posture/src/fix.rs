//! From a failing element to a JSON Patch that heals it, or to the reason why none is offered.
use crate::control::{Control, FixOp, Validation};
use crate::evaluate::Failing;
use crate::patch::{self, Undo};
use crate::pointer;
use crate::refused::refused;
use crate::workload::View;
use seawall_model::finding::State;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Why a fix is not offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Withheld {
    /// It cannot be applied, or the control still fails.
    #[error("{0}")]
    Useless(String),
    /// The API server would not take the result.
    #[error("{0}")]
    Refused(String),
}

/// The patch for `failures`, tried in memory: it applies, the control no longer fails, and the API server would take
/// the result. `Ok` is empty where the control has no fix; `Err` says why one is withheld.
pub(crate) fn build(
    control: &Control,
    view: &View<'_>,
    params: &Map<String, Value>,
    failures: &[Failing],
) -> Result<Vec<Value>, Withheld> {
    if control.fix.is_empty() {
        return Ok(Vec::new());
    }
    let mut healed = view.scratch();
    let mut done = Vec::new();
    let built = try_on(control, view, params, failures, &mut healed, &mut done);
    done.into_iter().rev().for_each(|done| patch::undo(&mut healed, done));
    built
}

/// The same on `healed`, a copy of the object; `done` is what has to be taken back.
fn try_on(
    control: &Control,
    view: &View<'_>,
    params: &Map<String, Value>,
    failures: &[Failing],
    healed: &mut Value,
    done: &mut Vec<Undo>,
) -> Result<Vec<Value>, Withheld> {
    let validations = control.rules().map_or(&[][..], |rules| rules.validations.as_slice());
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
                    if let Some(name) = pointer::get(healed, &path) {
                        operations.push(json!({"op": "test", "path": path, "value": name}));
                    }
                }
            }
            let base = elements.last().map_or(failing.root, String::as_str);
            for place in places(op, depth, base, healed) {
                for operation in expand(op, &place, healed).map_err(Withheld::Useless)? {
                    let undo =
                        patch::apply_undoable(healed, &operation).map_err(Withheld::Useless)?;
                    done.push(undo);
                    operations.push(operation);
                }
            }
        }
    }
    // Fixes write what the API has.
    let healed_view = View::healed(healed, view);
    if control.judge(&healed_view, params).state == State::Unhealthy {
        return Err(Withheld::Useless("it does not heal".to_owned()));
    }
    let before = view.refused();
    if let Some(reason) = refused(&healed_view).into_iter().find(|reason| !before.contains(reason))
    {
        return Err(Withheld::Refused(reason));
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
            let length = pointer::get(object, &list).and_then(Value::as_array).map_or(0, Vec::len);
            (0..length).rev().map(move |index| format!("{list}/{index}"))
        });
        places = elements.collect();
    }
    places
}

/// The operations that make one change at `base`: tests of what is replaced, missing parents created.
fn expand(op: &FixOp, base: &str, object: &Value) -> Result<Vec<Value>, String> {
    let target = pointer::join(base, op.path.tail().iter().map(String::as_str));
    let present = pointer::get(object, &target);
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
                let parent = pointer::get(object, &at).ok_or_else(|| format!("nothing at {at}"))?;
                if !parent.is_object() {
                    return Err(format!("{at} is no object"));
                }
                pointer::push(&mut at, field);
                if pointer::get(object, &at).is_none() {
                    break;
                }
            }
            let value = fields.rev().fold(value.clone(), |value, field| json!({field: value}));
            Ok(vec![json!({"op": "add", "path": at, "value": value})])
        }
    }
}
