//! What a violation does, and where. Source: constraint framework, `pkg/apis/constraints`; gatekeeper, `pkg/util`.
use super::{at, text};
use serde_json::Value;

/// What a violation does where it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Deny,
    Warn,
    /// Gatekeeper's `dryrun`: recorded only.
    Audit,
}

/// Where constraints are judged: enforcement points of scoped actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// `validation.gatekeeper.sh`: admission.
    Admission,
    /// `audit.gatekeeper.sh`: scans of a cluster.
    Audit,
    /// `gator.gatekeeper.sh`: the command line.
    Gator,
    /// `vap.k8s.io`: policies written for the API server.
    Export,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Self::Admission => "validation.gatekeeper.sh",
            Self::Audit => "audit.gatekeeper.sh",
            Self::Gator => "gator.gatekeeper.sh",
            Self::Export => "vap.k8s.io",
        }
    }
}

/// The actions of one constraint.
#[derive(Clone, Debug)]
pub(super) enum Actions {
    Everywhere(Action),
    /// Points by name, `*` for all.
    Scoped(Vec<(Action, Vec<String>)>),
}

impl Actions {
    /// Of a constraint's `spec`. The error says which action is none.
    pub(super) fn read(constraint: &Value) -> Result<Self, String> {
        let named = at(constraint, &["spec", "enforcementAction"]);
        if named.is_some_and(|action| !action.is_string()) {
            return Err("spec.enforcementAction is not a string".to_owned());
        }
        match text(constraint, &["spec", "enforcementAction"]) {
            "scoped" => {}
            "" => return Ok(Self::Everywhere(Action::Deny)),
            action => return Ok(Self::Everywhere(one(action)?)),
        }
        let Some(scoped) = at(constraint, &["spec", "scopedEnforcementActions"]) else {
            return Err("spec.scopedEnforcementActions must be defined".to_owned());
        };
        let shape = "scopedEnforcementActions value must be a [{action: string, enforcementPoints: [{name: string}]}]";
        let mut actions = Vec::new();
        for entry in scoped.as_array().ok_or(shape)? {
            let action = one(entry.get("action").and_then(Value::as_str).ok_or(shape)?)?;
            let points = entry.get("enforcementPoints").and_then(Value::as_array);
            let names = points.into_iter().flatten().map(|point| text(point, &["name"]).to_owned());
            actions.push((action, names.collect()));
        }
        Ok(Self::Scoped(actions))
    }

    /// What happens at `point`, the severest first; nothing if the constraint is not for it.
    pub(super) fn at(&self, point: Point) -> Vec<Action> {
        let mut actions: Vec<Action> = match self {
            Self::Everywhere(action) => vec![*action],
            Self::Scoped(scoped) => scoped
                .iter()
                .filter(|(_, points)| points.iter().any(|name| name == "*" || name == point.name()))
                .map(|(action, _)| *action)
                .collect(),
        };
        actions.sort_unstable();
        actions.dedup();
        actions
    }
}

pub(super) fn one(action: &str) -> Result<Action, String> {
    match action {
        "deny" => Ok(Action::Deny),
        "warn" => Ok(Action::Warn),
        "dryrun" => Ok(Action::Audit),
        other => Err(format!("enforcementAction {other:?} is none of deny, warn, dryrun, scoped")),
    }
}
