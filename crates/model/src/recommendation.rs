//! Work to do: findings grouped by what fixes them.
use crate::ids::Id;
use crate::scope::ScopePath;
use crate::severity::Severity;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// All findings of one control, or of one package to update, within one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Recommendation {
    pub id: Id,
    pub scope: ScopePath,
    /// The control id, or `update:<ecosystem>/<package>`.
    pub rule: String,
    pub kind: crate::finding::FindingKind,
    pub title: String,
    pub severity: Severity,
    pub status: Status,
    pub owner: Option<String>,
    /// Epoch milliseconds.
    pub due: Option<Millis>,
    /// Unhealthy resources now.
    pub affected: u64,
    pub healthy: u64,
    pub unknown: u64,
    pub exempt: u64,
    pub description: String,
    pub remediation: String,
    pub score_group: Option<String>,
    pub frameworks: Vec<String>,
    pub first: Millis,
    pub last: Millis,
    pub revision: u64,
}

/// Only evidence resolves; nobody closes by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Assigned,
    Resolved,
    Regressed,
}

/// The secure score of a scope at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Score {
    pub scope: ScopePath,
    pub at: Millis,
    /// 0 to 100; `None` while nothing is decided.
    pub secure: Option<f64>,
    /// decided / (decided + unknown); `None` while nothing was assessed.
    pub coverage: Option<f64>,
    /// Questions with an answer, and those without.
    #[serde(default)]
    pub decided: u64,
    #[serde(default)]
    pub undecided: u64,
    pub groups: Vec<GroupScore>,
    /// 0 to 100, 0 is best: how much of what could fail does, by weight of resources and severity of controls.
    #[serde(default)]
    pub risk: Option<f64>,
    #[serde(default)]
    pub compliance: Vec<Compliance>,
}

/// How much of one framework a scope satisfies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Compliance {
    /// `NAME@VERSION`.
    pub framework: String,
    /// Mean over its controls of the part of resources that satisfy them, 0 to 100. `None` while nothing is decided.
    pub score: Option<f64>,
    /// As for the whole scope, over this framework's controls.
    pub risk: Option<f64>,
    pub controls: u64,
    /// Controls that a resource fails.
    pub failing: u64,
    /// Controls with a resource that could not be decided.
    pub undecided: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GroupScore {
    pub group: String,
    pub max: f64,
    pub score: f64,
    pub healthy: u64,
    pub unhealthy: u64,
    pub unknown: u64,
}

/// One move of the score with its cause; replaying the deltas reproduces the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScoreDelta {
    pub id: Id,
    pub scope: ScopePath,
    pub at: Millis,
    pub from: Option<f64>,
    pub to: Option<f64>,
    /// `1 resource became unhealthy: Privileged container (Deployment/web)`.
    pub cause: String,
}
