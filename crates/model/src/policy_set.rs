//! Users' own policies as the hub keeps them, and what they would do in a cluster.
//!
//! ```text
//! PolicySet (people, in the hub) ─Desired─► agent ─hold objects and recorded requests against it─► Trial ─► hub
//!                                             └─judge a request─► Decision ─► hub
//! ```
use crate::admission::PolicyAction;
use crate::finding::Resource;
use crate::ids::Id;
use crate::scope::ScopePath;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// Bytes of one set's text; etcd takes 1.5 MiB, and Gatekeeper's whole library has 400 KB.
pub const MAX_TEXT: usize = 512 << 10;
/// Samples of one trial: what a person reads before a policy may refuse.
pub const MAX_SAMPLES: usize = 100;

/// ValidatingAdmissionPolicies with bindings and params, Gatekeeper's templates, constraints and expansions, in force
/// at a scope and below. Bindings and enforcement actions say what each policy does, `action` the most that any may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicySet {
    pub id: Id,
    pub name: String,
    pub scope: ScopePath,
    /// YAML documents as their authors keep them, at most [`MAX_TEXT`] bytes.
    pub text: String,
    /// Raised by every change of the text; trials name it.
    pub version: u64,
    /// `audit` records what the policies would refuse, `off` leaves them out.
    pub action: PolicyAction,
    pub created: Millis,
    pub updated: Millis,
    /// Raised by every change; the `ETag`.
    pub revision: u64,
}

/// A set as an agent gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredSet {
    pub set: Id,
    pub name: String,
    pub version: u64,
    pub text: String,
    pub action: PolicyAction,
}

/// What a set would do in one cluster: all that is there, and the requests that came lately, held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Trial {
    pub set: Id,
    pub version: u64,
    /// When it ended.
    pub time: Millis,
    /// How long it took, in milliseconds.
    pub took: Millis,
    pub objects: Tried,
    pub requests: Tried,
    /// At most [`MAX_SAMPLES`], refusals first.
    pub samples: Vec<TrialSample>,
    /// Documents that did not load, and kinds that are not at hand, in words.
    pub problems: Vec<String>,
}

/// Counts of what was held against a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Tried {
    /// Those that a policy of the set is for.
    pub judged: u64,
    /// Those that would be refused.
    pub refused: u64,
    /// Those that would pass with a warning.
    pub warned: u64,
    /// Those of which a policy could not tell.
    pub undecided: u64,
}

/// One refusal, or one question without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrialSample {
    /// `ValidatingAdmissionPolicy/NAME`, or kind and name of a constraint.
    pub policy: String,
    pub outcome: TrialOutcome,
    pub message: String,
    pub resource: Resource,
    /// Who asked, where it was a request.
    pub user: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    Refused,
    Warned,
    Undecided,
}

/// The last trial of a set in one cluster, as the hub stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredTrial {
    /// Stays when a newer trial of the set in the cluster takes its place.
    pub id: Id,
    pub scope: ScopePath,
    /// Display name of the cluster.
    pub cluster: String,
    #[serde(flatten)]
    pub trial: Trial,
}
