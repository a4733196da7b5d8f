//! Bounds of assignments: of one, and of all that an agent is told together.
use super::covered;
use crate::api::problem::Refusal;
use crate::api::room::{self, Share, json_bytes};
use crate::app::App;
use crate::content::{Content, ControlEntry};
use seawall_model::admission::{Assignment, AssignmentTarget};
use seawall_store::NewAdmission;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Names of one list; a namespace has at most 63 characters.
const MAX_NAMES: usize = 200;
const MAX_NAME_CHARS: usize = 253;
/// Of one list: every policy that the assignment becomes has it.
const MAX_LIST_BYTES: usize = 8 << 10;
/// Parameters of controls are a few words and numbers, at most lists of names.
const MAX_PARAMS: usize = 50;
const MAX_PARAMS_BYTES: usize = 4 << 10;

pub(super) fn check_names(pointer: &str, names: &[&String]) -> Result<(), Refusal> {
    if names.len() > MAX_NAMES {
        return Err(Refusal::invalid(pointer, format!("has over {MAX_NAMES} entries")));
    }
    if names.iter().map(|name| name.len()).sum::<usize>() > MAX_LIST_BYTES {
        return Err(Refusal::invalid(pointer, format!("has over {MAX_LIST_BYTES} bytes")));
    }
    let bad =
        |name: &&&String| name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control);
    match names.iter().find(bad) {
        Some(name) => Err(Refusal::invalid(pointer, format!("`{name:.60}` is no name"))),
        None => Ok(()),
    }
}

/// Every parameter has to be one of a control that the target covers, and of its type: an agent leaves out a policy
/// whose parameters it cannot bind.
pub(super) fn check_params(
    content: &Content,
    target: &AssignmentTarget,
    params: &Map<String, Value>,
) -> Result<(), Refusal> {
    if params.len() > MAX_PARAMS {
        return Err(Refusal::invalid("/params", format!("has over {MAX_PARAMS} entries")));
    }
    if json_bytes(params) > MAX_PARAMS_BYTES {
        let detail = format!("has over {MAX_PARAMS_BYTES} bytes as JSON");
        return Err(Refusal::invalid("/params", detail));
    }
    let controls = covered(content, target).into_iter().filter_map(|id| content.control(id));
    let controls: Vec<_> = controls.collect();
    for (name, value) in params {
        let pointer = format!("/params/{}", name.replace('~', "~0").replace('/', "~1"));
        let mut declared =
            controls.iter().filter_map(|control| control.params.get(name)).peekable();
        if declared.peek().is_none() {
            return Err(Refusal::invalid(pointer, unknown_param(target, &controls)));
        }
        if let Some(expected) = declared.find(|kind| !kind.takes(value)) {
            return Err(Refusal::invalid(pointer, format!("must be {}", expected.as_str())));
        }
    }
    Ok(())
}

fn unknown_param(target: &AssignmentTarget, controls: &[&ControlEntry]) -> String {
    let names: BTreeSet<&str> =
        controls.iter().flat_map(|control| control.params.keys()).map(String::as_str).collect();
    match names.is_empty() {
        true => format!("`{target}` has no parameters"),
        false => {
            let names: Vec<&str> = names.into_iter().collect();
            format!("`{target}` has no such parameter; there are {}", names.join(", "))
        }
    }
}

/// Refuses what would make the policies of any place at or below `scope` more than an agent is told. `replaced` is the
/// assignment that `new` stands in for: target and scope are that one's.
pub(super) async fn check_room(
    app: &App,
    new: &NewAdmission,
    replaced: Option<&Assignment>,
) -> Result<(), Refusal> {
    let target = replaced.map_or(&new.target, |old| &old.target);
    let scope = replaced.map_or(&new.scope, |old| &old.scope);
    let own = Share::of_assignment(&app.content, target, &new.narrowing, new.action, &new.params);
    let others = room::around(app, scope, replaced.map(|old| old.id)).await?;
    room::check("/target", own, scope, &others)
}
