//! Bounds of assignments: of one, and of all that an agent is told together.
use super::covered;
use crate::api::problem::Refusal;
use crate::app::App;
use crate::content::{Content, ControlEntry};
use seawall_model::Id;
use seawall_model::admission::{Assignment, AssignmentTarget, Narrowing, Policy, PolicyAction};
use seawall_model::scope::ScopePath;
use seawall_store::{Assignments, NewAdmission};
use seawall_wire::{MAX_DESIRED_BYTES, MAX_DESIRED_POLICIES};
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

/// What one assignment adds to what the agents of a cluster are told, at most: each control is told its own parameters.
#[derive(Clone, Copy, Default)]
struct Share {
    policies: usize,
    bytes: usize,
}

impl Share {
    fn of(
        content: &Content,
        target: &AssignmentTarget,
        narrowing: &Narrowing,
        action: PolicyAction,
        params: &Map<String, Value>,
    ) -> Self {
        let controls = covered(content, target);
        let policy = Policy {
            assignment: Id::new(0, [0; 10]),
            control: String::new(),
            depth: u32::MAX,
            narrowing: narrowing.clone(),
            action,
            params: params.clone(),
        };
        // Its comma, and the control's name.
        let alike = json_bytes(&policy) + 1;
        let bytes = controls.iter().map(|control| alike + control.len()).sum();
        Self { policies: controls.len(), bytes }
    }

    fn with(self, other: Self) -> Self {
        let policies = self.policies + other.policies;
        Self { policies, bytes: self.bytes + other.bytes }
    }

    /// Room for what is around the policies.
    fn fits(self) -> bool {
        self.policies <= MAX_DESIRED_POLICIES && self.bytes + 64 <= MAX_DESIRED_BYTES
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
    let own = Share::of(&app.content, target, &new.narrowing, new.action, &new.params);
    let around = app.store.assignments_around(scope).await?;
    let others = around.iter().filter(|one| replaced.is_none_or(|old| old.id != one.id));
    let others: Vec<(&ScopePath, Share)> = others
        .map(|one| {
            let Assignment { target, narrowing, action, params, .. } = one;
            (&one.scope, Share::of(&app.content, target, narrowing, *action, params))
        })
        .collect();
    // Where something is assigned most comes together: a cluster further down has no more than the place above it.
    let below = others.iter().map(|(place, _)| *place).filter(|place| place.is_within(scope));
    for place in below.chain([scope]) {
        let here = others.iter().filter(|(above, _)| place.is_within(above));
        let all = here.fold(own, |all, (_, share)| all.with(*share));
        if !all.fits() {
            let detail = format!(
                "with what is assigned already, clusters at {place} would have {} policies of {} bytes; at most \
                 {MAX_DESIRED_POLICIES} of {MAX_DESIRED_BYTES} reach an agent: assign fewer or narrow them less",
                all.policies, all.bytes
            );
            return Err(Refusal::invalid("/target", detail));
        }
    }
    Ok(())
}

fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}
