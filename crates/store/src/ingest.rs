//! One batch of an agent, committed whole or not at all.
mod admission;
mod assessments;
pub(crate) mod firings;
mod inventories;
mod nodes;
mod trials;

use crate::cell::clip;
use crate::db::Sql;
use crate::error::Result;
use crate::estate::living_agent;
use crate::finding::FindingChange;
use crate::image;
use crate::put::put;
use crate::store::{NewChange, Store, Tx};
use seawall_model::alert::Alert;
use seawall_model::asset::{Agent, Capability, Dropped};
use seawall_model::record::Record;
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use std::collections::BTreeSet;

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
    /// Controls that more or fewer objects satisfy.
    pub satisfied: BTreeSet<String>,
    /// Assets that appeared, changed or went.
    pub assets: Vec<Id>,
    pub images: Vec<Id>,
    /// Nodes of which something changed by which they are judged: facts, or the labels of an object that came.
    pub nodes: BTreeSet<String>,
}

pub trait Ingest {
    /// Everything lands in the agent's own cluster, whatever the records say. Firings join the open alert of their
    /// correlation; inventories, assessments and running lists replace what was known; a full listing ends what it no
    /// longer names; watermark, counters and change feed commit with them. Records that the agent's role does not
    /// tell are left out and counted as dropped, and so are trials of a policy set that no longer holds there.
    async fn ingest(&self, batch: Batch) -> Result<Ingested>;
}

/// Classes of drops kept per agent; what an agent invents beyond them counts as `other`.
const MAX_CLASSES: usize = 64;
/// Where those are counted.
const OTHER: &str = "other";
/// The class of records that agents of this role do not tell.
const NOT_OF_ROLE: &str = "hub:not-of-role";
/// The class of trials of sets that are gone, of another scope or newer than what was tried.
const OUTDATED_TRIAL: &str = "hub:outdated-trial";

/// What the parts of one batch share.
pub(crate) struct Writer<'a> {
    tx: &'a mut Tx,
    agent: &'a Agent,
    cluster_uid: String,
    sequence: u64,
    changed: Changed,
    /// Newest audit event and number of events told in this batch.
    audit: Option<(Millis, u64)>,
    /// Trials that were left out.
    outdated: u64,
}

impl Ingest for Store {
    async fn ingest(&self, batch: Batch) -> Result<Ingested> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("SELECT scope, cluster_uid FROM agents WHERE id = $1").text(batch.agent);
        let Some(place) = tx.row("read an agent's place", sql).await? else {
            return Ok(Ingested::Refused);
        };
        // Batches of one cluster queue: they meet in its alerts and images.
        tx.lock(&place.text(0)).await?;
        let Some(mut agent) = living_agent(&mut tx, batch.agent).await? else {
            return Ok(Ingested::Refused);
        };
        if batch.sequence <= agent.last_sequence {
            return Ok(Ingested::Duplicate { last: agent.last_sequence });
        }
        let mut writer = Writer {
            tx: &mut tx,
            agent: &agent,
            cluster_uid: place.opt_text(1).unwrap_or_default(),
            sequence: batch.sequence,
            audit: None,
            outdated: 0,
            changed: Changed { scope: Some(agent.scope.clone()), ..Changed::default() },
        };
        let role = agent.role;
        let (records, foreign): (Vec<Record>, Vec<Record>) =
            batch.records.into_iter().partition(|record| record.is_of(role));
        let capabilities = writer.records(records).await?;
        let (audit, outdated) = (writer.audit, writer.outdated);
        let mut changed = writer.changed;
        changed.images.sort_unstable();
        changed.images.dedup();

        let mut lost = batch.dropped;
        if !foreign.is_empty() {
            let count = foreign.len() as u64;
            tracing::warn!(agent = %agent.id, ?role, count, "records of another role");
            lost.push(Dropped { class: NOT_OF_ROLE.to_owned(), count });
        }
        if outdated > 0 {
            lost.push(Dropped { class: OUTDATED_TRIAL.to_owned(), count: outdated });
        }
        let dropped = !lost.is_empty();
        let known = capabilities.is_some();
        for lost in lost {
            add(&mut agent.dropped, lost);
        }
        if let Some(capabilities) = capabilities {
            agent.capabilities = capabilities;
        }
        if let Some((last, events)) = audit {
            // A later one was told before times were bounded.
            let before = agent.last_audit_event.map(|before| admission::bounded(before, tx.now));
            agent.last_audit_event = before.max(Some(last));
            agent.audit_events = agent.audit_events.saturating_add(events);
        }
        (agent.last_sequence, agent.last_seen, agent.connected) = (batch.sequence, tx.now, true);
        put(&mut tx, std::slice::from_ref(&agent)).await?;
        if dropped || known {
            tx.changed(NewChange {
                noun: "agent",
                id: agent.id,
                revision: u64::try_from(tx.now).unwrap_or_default(),
                scope: agent.scope.clone(),
                namespace: None,
                image: None,
            });
        }
        tx.commit().await?;
        Ok(Ingested::Committed(changed))
    }
}

impl Writer<'_> {
    /// Returns the last capabilities among them. Firings are joined together at the end: nothing else reads them.
    async fn records(&mut self, records: Vec<Record>) -> Result<Option<Vec<Capability>>> {
        let (mut firings, mut decisions, mut capabilities) = (Vec::new(), Vec::new(), None);
        for (index, record) in (0..).zip(records) {
            match record {
                Record::Firing(firing) => firings.push((index, *firing)),
                Record::Inventory(inventory) => inventories::store(self, &inventory).await?,
                Record::Assessment(assessment) => assessments::store(self, *assessment).await?,
                Record::Node { facts, assessment } => {
                    nodes::store(self, &facts, assessment).await?
                }
                Record::Running { containers, observed: _ } => {
                    let agent = self.agent;
                    let images = image::replace_running(self.tx, agent, &containers).await?;
                    self.changed.images.extend(images);
                }
                Record::Capabilities(now) => capabilities = Some(now),
                Record::Sync { since } => assessments::sync(self, since).await?,
                Record::Decision(decision) => decisions.push(*decision),
                Record::Gap(gap) => admission::store_gap(self, gap).await?,
                Record::Trial(trial) => trials::store(self, *trial).await?,
                Record::AuditSeen { last, events } => {
                    let last = admission::bounded(last, self.tx.now);
                    let seen = self.audit.get_or_insert((last, 0));
                    *seen = (seen.0.max(last), seen.1.saturating_add(events));
                }
            }
        }
        let Writer { agent, sequence, .. } = *self;
        let source = firings::Source {
            scope: &agent.scope,
            cluster: &agent.cluster,
            agent: agent.id,
            sequence,
        };
        self.changed.alerts.extend(firings::store(self.tx, source, firings).await?);
        admission::store_decisions(self, decisions).await?;
        Ok(capabilities)
    }
}

fn add(dropped: &mut Vec<Dropped>, lost: Dropped) {
    let room = dropped.len() < MAX_CLASSES;
    let class = clip(&lost.class);
    let known = dropped.iter().any(|have| have.class == class);
    let class = if known || room { class } else { OTHER.to_owned() };
    match dropped.iter_mut().find(|have| have.class == class) {
        Some(have) => have.count = have.count.saturating_add(lost.count),
        None => dropped.push(Dropped { class, count: lost.count }),
    }
}

#[test]
fn drops_add_up_by_class() {
    let mut dropped = Vec::new();
    for number in 0..100 {
        add(&mut dropped, Dropped { class: format!("c{number}"), count: 1 });
    }
    add(&mut dropped, Dropped { class: "c0".to_owned(), count: 4 });
    assert_eq!(dropped.len(), MAX_CLASSES + 1);
    assert_eq!(dropped[0], Dropped { class: "c0".to_owned(), count: 5 });
    assert_eq!(dropped[MAX_CLASSES], Dropped { class: OTHER.to_owned(), count: 36 });
}
