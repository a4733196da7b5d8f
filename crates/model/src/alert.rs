//! An event that needs a person: what fired, where, on which evidence.
use crate::attack::{Tactic, Technique};
use crate::event::Identity;
use crate::ids::Id;
use crate::image::ImageRef;
use crate::severity::Severity;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// One firing of a detection, as a sensor or agent sends it. The hub joins firings with the same
/// [`Firing::correlation`] into one open [`Alert`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Firing {
    pub detection: String,
    pub title: String,
    pub severity: Severity,
    pub tactics: Vec<Tactic>,
    pub mitre: Vec<Technique>,
    /// Ids of Defender for Containers' alerts with the same meaning.
    pub parity: Vec<String>,
    /// `syscall` or `k8s_audit`.
    pub source: String,
    /// Epoch milliseconds of the event.
    pub time: Millis,
    #[serde(rename = "where")]
    pub location: Location,
    /// The process first, then its ancestors, nearest first.
    pub process: Vec<ProcessEvidence>,
    pub actor: Option<Actor>,
    #[cfg_attr(feature = "schema", schema(value_type = Option<AlertObject>))]
    pub object: Option<Object>,
    /// The true branch of the condition.
    pub why: Vec<Why>,
    pub output: String,
    pub remediation: String,
    pub action: Action,
    /// Records lost within 60 s on that node.
    pub lost_nearby: u64,
}

impl Firing {
    /// Detection, workload (or container, host, actor) and executable: a repeat raises the count of the open alert.
    pub fn correlation(&self) -> String {
        let place = &self.location;
        let owner = [&place.workload, &place.pod, &place.container_id]
            .into_iter()
            .find_map(Option::as_deref);
        let actor = self.actor.as_ref().map(|actor| actor.user.as_str());
        let who = owner.or(actor).or(place.node.as_deref()).unwrap_or("");
        let exe = self.process.first().map_or("", |process| process.exe.as_str());
        let namespace = place.namespace.as_deref().unwrap_or("");
        [self.detection.as_str(), place.cluster.as_str(), namespace, who, exe].join("\u{1f}")
    }
}

/// An alert as the hub stores and shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alert {
    pub id: Id,
    pub scope: crate::scope::ScopePath,
    pub state: AlertState,
    pub first: Millis,
    pub last: Millis,
    /// Firings joined.
    pub count: u64,
    pub dismissal: Option<Dismissal>,
    /// The closed alert that this one follows.
    pub previous: Option<Id>,
    /// Raised by every change; the `ETag` of the alert.
    pub revision: u64,
    /// The latest firing.
    #[serde(flatten)]
    pub firing: Firing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    Active,
    InProgress,
    Resolved,
    Dismissed,
}

impl AlertState {
    /// Fresh evidence joins an open alert; after closing it opens a new one.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::InProgress)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DismissReason {
    FalsePositive,
    Expected,
    AcceptedRisk,
    Test,
    Duplicate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Dismissal {
    pub reason: DismissReason,
    pub note: String,
    pub by: String,
    pub at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Location {
    /// Display name of the cluster or machine; its UID until the hub knows the name.
    pub cluster: String,
    pub node: Option<String>,
    pub namespace: Option<String>,
    /// `Deployment/web`.
    pub workload: Option<String>,
    pub pod: Option<String>,
    pub pod_uid: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    pub container_id: Option<String>,
    pub image: Option<ImageRef>,
    pub identity: Identity,
}

impl Location {
    /// A whole cluster or machine, by its display name or UID.
    pub fn of_cluster(cluster: &str, identity: Identity) -> Self {
        Self {
            cluster: cluster.to_owned(),
            node: None,
            namespace: None,
            workload: None,
            pod: None,
            pod_uid: None,
            container: None,
            container_id: None,
            image: None,
            identity,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProcessEvidence {
    /// Decimal text: 64 bits do not survive JavaScript's numbers.
    pub exec_id: String,
    pub pid: u32,
    pub name: String,
    pub exe: String,
    pub args: Vec<String>,
    pub cwd: Option<String>,
    pub user: Option<String>,
    pub uid: u32,
    /// Epoch milliseconds.
    pub start: Millis,
}

/// Who asked the API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Actor {
    pub user: String,
    pub groups: Vec<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// utoipa takes the word `Object` for JSON Schema's own.
#[cfg(feature = "schema")]
type AlertObject = Object;

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AlertObject))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Object {
    File { path: String },
    Socket { remote: String, port: u16, protocol: String },
    Executable { path: String, drifted: Option<bool> },
    Api { resource: String, namespace: Option<String>, name: Option<String>, verb: String },
}

/// One decisive comparison and the value that made it true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Why {
    pub expression: String,
    pub value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = AlertAction))]
pub struct Action {
    pub mode: ActionMode,
    pub result: ActionResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionMode {
    Audit,
    Alert,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    None,
    WouldBlock,
    Denied,
    KilledAtExec,
    KilledAfter,
    ConnectRefused,
}
