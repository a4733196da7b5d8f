//! Scopes, clusters and agents: what is watched, and who watches.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::asset::{Agent, AgentRole, Capability, Cluster, ClusterKind};
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_model::{Id, Millis};

#[derive(Clone, Debug)]
pub struct NewScope {
    pub parent: ScopePath,
    pub kind: ScopeKind,
    pub name: String,
}

pub trait Scopes {
    /// `Error::Missing` where the parent is not, `Error::Exists` for a second child of one path.
    async fn create_scope(&self, new: &NewScope) -> Result<Scope>;
    async fn scope(&self, visible: &Visible, path: &ScopePath) -> Result<Option<Scope>>;
}

pub trait Clusters {
    /// By the UID of its `kube-system` namespace, or the machine id.
    async fn cluster_by_uid(&self, visible: &Visible, uid: &str) -> Result<Option<Cluster>>;
}

#[derive(Clone, Debug)]
pub struct NewAgent {
    pub cluster_uid: String,
    pub cluster_name: String,
    pub cluster_kind: ClusterKind,
    /// Node name for sensors, pod or host name for cluster agents.
    pub name: String,
    pub role: AgentRole,
    /// End of the certificate the caller is about to sign.
    pub certificate_expires: Millis,
}

/// What an agent says of itself when it connects.
#[derive(Clone, Debug)]
pub struct Greeting {
    pub version: String,
    pub capabilities: Vec<Capability>,
    /// Server version of its cluster.
    pub cluster_version: Option<String>,
}

pub trait Agents {
    /// The agent and the last sequence that was committed for it. `None` when unknown or revoked.
    async fn agent_connected(&self, agent: Id, greeting: &Greeting) -> Result<Option<Agent>>;
    async fn agent_disconnected(&self, agent: Id) -> Result<()>;
    /// A heartbeat came. Cheap: at most one write per agent and 10 s.
    async fn agent_seen(&self, agent: Id) -> Result<()>;
    /// The certificate was renewed. `None` when unknown or revoked.
    async fn agent_renewed(&self, agent: Id, certificate_expires: Millis) -> Result<Option<Agent>>;
    /// For ever. `None` when it is unknown or not visible.
    async fn revoke_agent(&self, visible: &Visible, agent: Id) -> Result<Option<Agent>>;
    /// A starting hub on SQLite knows that nobody is connected.
    async fn disconnect_all(&self) -> Result<u64>;
    /// The last committed sequence; 0 at first, `None` when the agent is unknown.
    async fn watermark(&self, agent: Id) -> Result<Option<u64>>;
}
