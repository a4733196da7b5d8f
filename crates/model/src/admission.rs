//! What is demanded of objects when they are created or changed, and what was answered.
//!
//! ```text
//! Assignment (people, in the hub) ─resolve per cluster─► Policy ─Desired─► agent ─judge a request─► Decision ─► hub
//! ```
use crate::finding::Resource;
use crate::ids::Id;
use crate::policy_set::DesiredSet;
use crate::scope::ScopePath;
use crate::severity::Severity;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// What a failing control means for a request.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyAction {
    /// Not judged at admission; the assessment of what runs goes on.
    Off,
    /// Allowed and recorded.
    #[default]
    Audit,
    /// Allowed with a warning to whoever asked, and recorded.
    Warn,
    /// Refused and recorded.
    Deny,
}

impl PolicyAction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// Which controls an assignment is about, as text `control:SW-C-0001` or `framework:NAME@VERSION`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AssignmentTarget {
    Control(String),
    /// Without a version, the newest.
    Framework {
        name: String,
        version: Option<String>,
    },
}

/// The text names no target.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no target: expected control:ID or framework:NAME@VERSION")]
pub struct InvalidTarget(String);

impl FromStr for AssignmentTarget {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.to_owned());
        match text.split_once(':').ok_or_else(invalid)? {
            ("control", id) if !id.is_empty() => Ok(Self::Control(id.to_owned())),
            ("framework", name) if !name.is_empty() => Ok(match name.split_once('@') {
                Some((name, version)) if !name.is_empty() && !version.is_empty() => {
                    Self::Framework { name: name.to_owned(), version: Some(version.to_owned()) }
                }
                Some(_) => return Err(invalid()),
                None => Self::Framework { name: name.to_owned(), version: None },
            }),
            _ => Err(invalid()),
        }
    }
}

impl TryFrom<String> for AssignmentTarget {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl From<AssignmentTarget> for String {
    fn from(target: AssignmentTarget) -> Self {
        target.to_string()
    }
}

impl fmt::Display for AssignmentTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(id) => write!(f, "control:{id}"),
            Self::Framework { name, version: Some(version) } => {
                write!(f, "framework:{name}@{version}")
            }
            Self::Framework { name, version: None } => write!(f, "framework:{name}"),
        }
    }
}

/// What a control or framework means at and below a scope. Of several that fit an object the nearest scope counts,
/// within it the strictest action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Assignment {
    pub id: Id,
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "control:SW-C-0001"))]
    pub target: AssignmentTarget,
    pub scope: ScopePath,
    #[serde(flatten)]
    pub narrowing: Narrowing,
    pub action: PolicyAction,
    /// Values of the control's parameters; what is absent has its default.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub params: Map<String, Value>,
    pub created: Millis,
    pub updated: Millis,
    /// Raised by every change; the `ETag`.
    pub revision: u64,
}

/// The objects of a scope that an assignment is about. Empty lists narrow nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Narrowing {
    /// Names or globs.
    pub namespaces: Vec<String>,
    pub excluded_namespaces: Vec<String>,
    /// Every pair has to stand on the object.
    pub labels: Vec<(String, String)>,
    /// `Deployment`, `Pod`, …
    pub kinds: Vec<String>,
}

impl Narrowing {
    /// Whether objects of `namespace` can be meant; it is empty for objects of the cluster, which of all patterns only
    /// `*` names. As agents decide it.
    pub fn holds_in(&self, namespace: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|glob| fits(glob, namespace));
        (self.namespaces.is_empty() || named(&self.namespaces)) && !named(&self.excluded_namespaces)
    }
}

/// Whether `name` fits `glob`, in which `*` stands for any text.
fn fits(glob: &str, name: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The leftmost find of each part leaves most room for the next.
    for part in middle.split('*') {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

/// One control as an agent holds requests against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub assignment: Id,
    pub control: String,
    /// How near the assignment's scope is: segments of its path. The greatest that fits an object counts.
    pub depth: u32,
    #[serde(flatten)]
    pub narrowing: Narrowing,
    pub action: PolicyAction,
    pub params: Map<String, Value>,
}

/// What the hub wants of one cluster's agents; travels as JSON in the wire's `Desired`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    pub policies: Vec<Policy>,
    #[serde(default)]
    pub sets: Vec<DesiredSet>,
}

/// The answer to a request that failed a control. Requests that pass are counted, not recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Epoch milliseconds.
    pub time: Millis,
    pub verdict: Verdict,
    /// `CREATE`, `UPDATE` or `CONNECT`.
    pub operation: String,
    pub resource: Resource,
    /// Topmost owner known, as `Kind/name`.
    pub owner: Option<String>,
    pub user: String,
    pub groups: Vec<String>,
    pub controls: Vec<DecidedControl>,
    /// Name of the agent that answered.
    pub agent: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Audited,
    Warned,
    Denied,
}

/// One failing control of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DecidedControl {
    /// Id of a control; of a user's own policy its kind and name, with a slash.
    pub control: String,
    pub title: String,
    pub severity: Severity,
    pub action: PolicyAction,
    /// Whose word it is: an assignment, or the policy set of a user's own policy.
    pub assignment: Id,
    pub message: String,
    /// JSON Pointers into the object.
    pub paths: Vec<String>,
    /// A JSON Patch (RFC 6902) that heals the object; empty where none is known to.
    pub fix: Vec<Value>,
    /// Only an update that adds no failing path: told, never refused.
    pub already_failing: bool,
}

/// A time in which requests passed unjudged, because no agent answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Epoch milliseconds of the last moment an agent is known to have answered.
    pub from: Millis,
    /// Of the first moment one answers again.
    pub to: Millis,
    /// Requests the API server let pass unjudged, by its audit events; `None` where no audit reaches the agent.
    pub requests: Option<u64>,
    /// `restart`, `unreachable`, `expired` or `timeout`.
    pub reason: String,
}

/// Common name of the certificate by which a cluster's API server proves itself on an agent's `/audit`. One CA signs for
/// every cluster and for webhooks too, so the name says whose and what for.
pub fn audit_client_name(cluster_uid: &str) -> String {
    format!("seawall-audit:{cluster_uid}")
}

/// Common name of the certificate of a cluster's admission webhook; API servers look at its DNS names.
pub fn webhook_name(cluster_uid: &str) -> String {
    format!("seawall-webhook:{cluster_uid}")
}

/// A decision as the hub stores it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredDecision {
    pub id: Id,
    pub scope: ScopePath,
    /// Display name of the cluster.
    pub cluster: String,
    #[serde(flatten)]
    pub decision: Decision,
}

/// A gap as the hub stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredGap {
    pub id: Id,
    pub scope: ScopePath,
    pub cluster: String,
    #[serde(flatten)]
    pub gap: Gap,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_written() {
        for text in ["control:SW-C-0001", "framework:pss-restricted@1.36", "framework:nsa-cisa"] {
            assert_eq!(text.parse::<AssignmentTarget>().unwrap().to_string(), text);
        }
        for text in ["SW-C-0001", "control:", "framework:@1", "framework:x@", "plan:x"] {
            assert!(text.parse::<AssignmentTarget>().is_err(), "{text}");
        }
    }

    #[test]
    fn namespaces_are_globs() {
        #[track_caller]
        fn check(namespaces: &[&str], excluded: &[&str], namespace: &str, expected: bool) {
            let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let (namespaces, excluded_namespaces) = (own(namespaces), own(excluded));
            let narrowing = Narrowing { namespaces, excluded_namespaces, ..Narrowing::default() };
            assert_eq!(narrowing.holds_in(namespace), expected, "{narrowing:?} {namespace}");
        }
        check(&[], &[], "shop", true);
        check(&["shop"], &[], "shop", true);
        check(&["shop"], &[], "shop-1", false);
        check(&["sh*"], &[], "shop", true);
        check(&["*op"], &[], "shop", true);
        check(&["s*p"], &[], "shop", true);
        check(&["s*o*p"], &[], "shop", true);
        check(&["s*o*o*p"], &[], "shop", false);
        check(&["ab*ba"], &[], "aba", false);
        check(&["bank", "*"], &["sh*"], "shop", false);
        check(&["*"], &[], "", true);
        check(&["shop"], &[], "", false);
        check(&[], &["shop"], "", true);
    }

    #[test]
    fn stricter_is_greater() {
        assert!(PolicyAction::Off < PolicyAction::Audit && PolicyAction::Warn < PolicyAction::Deny);
    }
}
