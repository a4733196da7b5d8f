//! What is watched: clusters, their objects and nodes, images.
use crate::ids::Id;
use crate::image::ImageRef;
use crate::problem::Problem;
use crate::scope::ScopePath;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// One Kubernetes object or node that findings, alerts and links point to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Asset {
    pub id: Id,
    pub scope: ScopePath,
    /// UID of the `kube-system` namespace; for a machine outside a cluster its machine id.
    pub cluster: String,
    /// The object's own UID.
    pub uid: String,
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
    /// Topmost owner as `Kind/name`.
    pub owner: Option<String>,
    pub images: Vec<ImageRef>,
    pub labels: Vec<(String, String)>,
    /// What matching left out of a node's packages: gaps and errors. `None` while they were not matched, and for what
    /// holds none.
    #[serde(default)]
    pub coverage_problems: Option<Vec<Problem>>,
    pub first_seen: Millis,
    pub last_seen: Millis,
}

/// A connected Kubernetes cluster or single machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cluster {
    pub id: Id,
    pub scope: ScopePath,
    pub uid: String,
    pub name: String,
    /// `kubernetes` or `machine`.
    pub kind: ClusterKind,
    /// Server version such as `v1.36.3`.
    pub version: Option<String>,
    pub first_seen: Millis,
    pub last_seen: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClusterKind {
    Kubernetes,
    Machine,
}

/// A component with a certificate: cluster agent or node sensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Agent {
    pub id: Id,
    pub scope: ScopePath,
    pub cluster: String,
    pub role: AgentRole,
    /// Node name for sensors, pod or host name for cluster agents.
    pub name: String,
    pub version: String,
    pub capabilities: Vec<Capability>,
    /// Lost records by class since enrolment.
    pub dropped: Vec<Dropped>,
    /// The last batch the hub committed.
    pub last_sequence: u64,
    /// Epoch milliseconds at which the current certificate ends.
    pub certificate_expires: Millis,
    pub revoked: bool,
    pub connected: bool,
    /// When the newest audit event that reached this agent was made; from cluster agents alone.
    #[serde(default)]
    pub last_audit_event: Option<Millis>,
    #[serde(default)]
    pub audit_events: u64,
    pub first_seen: Millis,
    pub last_seen: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgentRole {
    ClusterAgent,
    Sensor,
}

/// What a sensor can see, found by trying, never by version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Capability {
    /// `exec`, `open`, `connect`, …
    pub name: String,
    pub state: CapabilityState,
    /// `A` (LSM, fentry) or `B` (tracepoints).
    pub tier: Option<String>,
    /// Why it is not `full`.
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CapabilityState {
    Full,
    Partial,
    Absent,
}

/// Records lost, by class such as `ring:data`, `spool`, `queue:identity`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Dropped {
    pub class: String,
    pub count: u64,
}

/// A container that runs on a node now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunningContainer {
    pub id: String,
    pub name: Option<String>,
    pub image: ImageRef,
    pub namespace: Option<String>,
    pub pod: Option<String>,
    pub pod_uid: Option<String>,
    pub workload: Option<String>,
}
