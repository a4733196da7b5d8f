//! An excuse for a finding: who, why, until when, and what it matches.
use crate::ids::Id;
use crate::scope::ScopePath;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Exemption {
    pub id: Id,
    pub scope: ScopePath,
    pub target: ExemptionTarget,
    pub category: Category,
    pub reason: String,
    pub owner: String,
    /// `requested` until someone with the right grants it.
    pub state: ExemptionState,
    pub expires: Millis,
    pub source: ExemptionSource,
    /// Findings it excuses now; nothing for seven days warns.
    pub matches: u64,
    pub last_match: Option<Millis>,
    pub created: Millis,
    pub revision: u64,
}

/// What is excused; every given part must fit, `*` at an end is a wildcard. A part that is not known is refused, also
/// in what was stored: left out, it would excuse more than was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExemptionTarget {
    /// Control or flaw id.
    pub rule: String,
    pub namespace: Option<String>,
    /// `Deployment/web` or an image name; an exemption for one name never leaks to another with the same digest.
    pub resource: Option<String>,
    /// Package name or purl.
    pub package: Option<String>,
    /// JSON Pointer of the excused element: one container, one volume. Another failing element keeps the
    /// resource unhealthy.
    pub path: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Counts as healthy.
    Mitigated,
    /// Leaves the denominator.
    RiskAccepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExemptionState {
    Requested,
    Granted,
    Denied,
    Expired,
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExemptionSource {
    Ui,
    Api,
    Annotation,
    IgnoreFile,
    Vex,
}
