//! What agents send to the hub.
use crate::admission::{Decision, Gap};
use crate::alert::Firing;
use crate::asset::{Capability, RunningContainer};
use crate::finding::ObjectAssessment;
use crate::package::Inventory;
use crate::time::Millis;

/// One record of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Firing(Box<Firing>),
    /// The packages of one image or node; replaces what was known of it.
    Inventory(Box<Inventory>),
    /// One object, judged whole.
    Assessment(Box<ObjectAssessment>),
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
    /// Audit events reached the agent: when the newest was made, and how many since the last such record.
    AuditSeen {
        last: Millis,
        events: u64,
    },
}
