//! What agents send to the hub.
use crate::admission::{Decision, Gap};
use crate::alert::Firing;
use crate::asset::{AgentRole, Capability, RunningContainer};
use crate::facts::NodeFacts;
use crate::finding::ObjectAssessment;
use crate::package::Inventory;
use crate::policy_set::Trial;
use crate::time::Millis;

/// One record of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Firing(Box<Firing>),
    /// The packages of one image or node; replaces what was known of it.
    Inventory(Box<Inventory>),
    /// One object, judged whole.
    Assessment(Box<ObjectAssessment>),
    /// The sensor's node. `assessment` is the hub's, which judges what the sensor only reads; it does not travel.
    Node {
        facts: Box<NodeFacts>,
        assessment: Option<Box<ObjectAssessment>>,
    },
    /// The containers that run on the agent's node now.
    Running {
        containers: Vec<RunningContainer>,
        observed: Millis,
    },
    Capabilities(Vec<Capability>),
    /// A full listing ended: objects of the cluster not assessed since are gone.
    Sync {
        since: Millis,
    },
    /// A request that failed a control.
    Decision(Box<Decision>),
    /// Requests passed unjudged.
    Gap(Gap),
    /// What a policy set would do in the cluster; replaces what was told of it before.
    Trial(Box<Trial>),
    /// Audit events reached the agent: when the newest was made, and how many since the last such record.
    AuditSeen {
        last: Millis,
        events: u64,
    },
}

/// The `source` of firings on Kubernetes audit events, which reach cluster agents alone.
pub const AUDIT_SOURCE: &str = "k8s_audit";
/// The `source` of what the hub itself finds; no agent speaks for it.
pub const HUB_SOURCE: &str = "hub";

impl Record {
    /// Whether agents of this role tell of such things: a sensor knows its node, a cluster agent the objects, requests
    /// and audit events of its cluster.
    pub fn is_of(&self, role: AgentRole) -> bool {
        let sensor = match self {
            Self::Firing(firing) if firing.source == HUB_SOURCE => return false,
            // Sources that are not known yet are a newer sensor's.
            Self::Firing(firing) => firing.source != AUDIT_SOURCE,
            Self::Inventory(_)
            | Self::Running { .. }
            | Self::Capabilities(_)
            | Self::Node { .. } => true,
            Self::Assessment(_)
            | Self::Sync { .. }
            | Self::Decision(_)
            | Self::Gap(_)
            | Self::Trial(_)
            | Self::AuditSeen { .. } => false,
        };
        sensor == (role == AgentRole::Sensor)
    }
}
