//! Alerts and the firings behind them.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::alert::{Alert, DismissReason, Firing};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};

/// One firing as stored: which alert it joined, and where it came from. (agent, sequence, index) is unique.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFiring {
    pub id: Id,
    pub scope: ScopePath,
    pub alert: Id,
    pub agent: Id,
    pub sequence: u64,
    /// Position within the batch.
    pub index: u64,
    pub time: Millis,
    pub firing: Firing,
}

/// A step of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertStep {
    /// active → in progress
    Take,
    /// active, in progress → resolved
    Resolve,
    /// active, in progress → dismissed
    Dismiss { reason: DismissReason, note: String },
    /// in progress, resolved, dismissed → active
    Reopen,
}

/// What a bulk action is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Ids(Vec<Id>),
    Filter(String),
}

/// Alerts changed by one bulk action, so that one transaction stays short; `Error::TooMany` above.
pub const MAX_BULK: usize = 10_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bulk {
    /// Visible alerts selected.
    pub matched: u64,
    /// Those for which the state machine has the step.
    pub changed: u64,
}

pub trait Alerts {
    /// `None` when it is unknown or not visible; `Error::Stale` where `expected` is another revision;
    /// `Error::Transition` where the state has no such step.
    async fn step_alert(
        &self,
        visible: &Visible,
        id: Id,
        step: &AlertStep,
        by: &str,
        expected: Option<u64>,
    ) -> Result<Option<Alert>>;
    /// A dry run changes nothing and counts the same.
    async fn step_alerts(
        &self,
        visible: &Visible,
        selection: &Selection,
        step: &AlertStep,
        by: &str,
        dry_run: bool,
    ) -> Result<Bulk>;
}
