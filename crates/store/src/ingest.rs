//! One batch of an agent, committed whole or not at all.
use crate::error::Result;
use crate::finding::FindingChange;
use seawall_model::Id;
use seawall_model::alert::Alert;
use seawall_model::asset::Dropped;
use seawall_model::record::Record;
use seawall_model::scope::ScopePath;

/// What one agent sent under one sequence. Records of a batch apply in order.
#[derive(Clone, Debug)]
pub struct Batch {
    pub agent: Id,
    pub sequence: u64,
    pub records: Vec<Record>,
    /// Lost since the last batch; unreadable records count here too.
    pub dropped: Vec<Dropped>,
}

#[derive(Clone, Debug)]
pub enum Ingested {
    Committed(Changed),
    /// The sequence was committed before; `last` may be acknowledged.
    Duplicate {
        last: u64,
    },
    /// Unknown or revoked agent: nothing was stored.
    Refused,
}

/// What a batch changed, so that scores, recommendations and matching follow.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// The agent's cluster, where everything below was written.
    pub scope: Option<ScopePath>,
    /// New alerts and those whose count rose, as they are now, each once.
    pub alerts: Vec<Alert>,
    /// Inventories that are new or differ; unchanged ones need no matching.
    pub inventories: Vec<Id>,
    pub findings: Vec<FindingChange>,
    /// Assets that appeared, changed or went.
    pub assets: Vec<Id>,
    pub images: Vec<Id>,
}

pub trait Ingest {
    /// Everything lands in the agent's own cluster, whatever the records say. Firings join the open alert of their
    /// correlation; inventories, assessments and running lists replace what was known; a full listing ends what it no
    /// longer names; watermark, counters and change feed commit with them.
    async fn ingest(&self, batch: Batch) -> Result<Ingested>;
}
