//! The change feed: one row per changed object, numbered in commit order, for the stream of server-sent events.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::{Id, Millis};
use serde::Serialize;

/// One object changed. Its noun is `alert`, `finding`, `recommendation`, `score`, `image`, `asset`, `agent`, `cluster`,
/// `scope` or `exemption`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Rises by one with every change, in the order of commits.
    pub sequence: u64,
    pub noun: String,
    pub id: Id,
    pub revision: u64,
    pub at: Millis,
}

/// What a reader that has seen everything up to a sequence gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Changes it may see, oldest first. `last` is how far the feed was read, invisible changes included: ask on from
    /// there.
    Changes { items: Vec<Change>, last: u64 },
    /// The feed no longer reaches back that far (or never reached so far): reload, then go on from `last`.
    Resync { last: u64 },
}

/// Changes read in one call.
pub const MAX_CHANGES: u32 = 1_000;

pub trait Changes {
    /// The number of the newest change; 0 when there is none.
    async fn last_change(&self) -> Result<u64>;
    /// At most [`MAX_CHANGES`] changes after `sequence`.
    async fn changes_after(&self, visible: &Visible, sequence: u64) -> Result<Feed>;
    /// Wakes when changes were committed, by any hub; the value is the newest sequence known.
    fn watch_changes(&self) -> tokio::sync::watch::Receiver<u64>;
    /// Forgets all but the newest `keep` changes; returns how many.
    async fn prune_changes(&self, keep: u64) -> Result<u64>;
}
