//! Background reconcilers: each brings one thing in step with the store, whenever something may have changed and
//! from time to time besides. What they are told is only a hint; at the start they look at everything.
//!
//! ```text
//! ingest ─inventories─► matching ─┐
//! ingest, assignments ─nodes─► nodes ─┤
//! ingest ─findings────────────────┼─► scoring ─► recommendations, scores
//! exemption granted, ended ─► exempting ─┘      housekeeping: sessions, keys, feed
//! ```

mod exempting;
mod housekeeping;
mod matching;
mod nodes;
mod scoring;

pub(crate) use exempting::{in_force, recheck};

use crate::app::{App, stopped};
use seawall_model::Id;
use seawall_model::scope::ScopePath;
use seawall_store::{Changed, FindingChange};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Changes of one scope kept to tell the cause of the next score; beyond it the cause names the first.
const MAX_CHANGES: usize = 2_000;

/// What moved at one scope since its last score.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    findings: Vec<FindingChange>,
    /// Controls that more or fewer objects satisfy.
    satisfied: BTreeSet<String>,
}

impl Moved {
    /// Keys of the recommendations that are concerned.
    fn works(&self) -> impl Iterator<Item = &str> {
        let findings = self.findings.iter().map(|change| change.work.as_str());
        findings.chain(self.satisfied.iter().map(String::as_str))
    }
}

/// Hints of what to look at next. Full looks at start make up for those that a crash loses.
#[derive(Default)]
pub(crate) struct Wakers {
    scores: Mutex<BTreeMap<ScopePath, Moved>>,
    scores_changed: Notify,
    inventories: Mutex<BTreeSet<Id>>,
    inventories_changed: Notify,
    /// Names by cluster.
    nodes: Mutex<BTreeMap<ScopePath, BTreeSet<String>>>,
    nodes_changed: Notify,
    exemptions: Mutex<BTreeSet<ScopePath>>,
    exemptions_changed: Notify,
    /// Counts changes of assignments and policy sets; agents' streams follow it.
    desired: watch::Sender<u64>,
}

/// A panic while a hint was noted leaves a set that is still a set of hints.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wakers {
    /// A batch was committed.
    pub(crate) fn ingested(&self, changed: Changed) {
        if !changed.inventories.is_empty() {
            locked(&self.inventories).extend(changed.inventories);
            self.inventories_changed.notify_one();
        }
        if let Some(scope) = &changed.scope {
            self.nodes_changed(scope, changed.nodes);
        }
        // New images and first assessments count too, though no finding changed.
        let Changed { scope, findings, satisfied, images, .. } = changed;
        if let Some(scope) = scope
            && !(findings.is_empty() && satisfied.is_empty() && images.is_empty())
        {
            self.moved(scope, Moved { findings, satisfied });
        }
    }

    /// Nodes at `scope` have to be judged again.
    pub(crate) fn nodes_changed(&self, scope: &ScopePath, names: impl IntoIterator<Item = String>) {
        let mut names = names.into_iter().peekable();
        if names.peek().is_some() {
            locked(&self.nodes).entry(scope.clone()).or_default().extend(names);
            self.nodes_changed.notify_one();
        }
    }

    /// Findings at `scope` changed.
    pub(crate) fn findings_changed(&self, scope: ScopePath, changes: Vec<FindingChange>) {
        self.moved(scope, Moved { findings: changes, satisfied: BTreeSet::new() });
    }

    fn moved(&self, scope: ScopePath, moved: Moved) {
        let mut scores = locked(&self.scores);
        let noted = scores.entry(scope).or_default();
        let room = MAX_CHANGES.saturating_sub(noted.findings.len());
        let (kept, rest) = moved.findings.split_at(room.min(moved.findings.len()));
        noted.findings.extend_from_slice(kept);
        // Their words are dropped, not the work that they are about.
        noted.satisfied.extend(rest.iter().map(|change| change.work.clone()));
        noted.satisfied.extend(moved.satisfied);
        drop(scores);
        self.scores_changed.notify_one();
    }

    /// Agents are told what is wanted now.
    pub(crate) fn desired_changed(&self) {
        self.desired.send_modify(|count| *count += 1);
    }

    pub(crate) fn desired(&self) -> watch::Receiver<u64> {
        self.desired.subscribe()
    }

    /// An exemption at `scope` was granted or ended.
    pub(crate) fn exemptions_changed(&self, scope: ScopePath) {
        locked(&self.exemptions).insert(scope);
        self.exemptions_changed.notify_one();
    }
}

/// Runs every reconciler until `stop`.
pub(crate) fn spawn(app: &App) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(until_stop(app.clone(), scoring::run(app.clone())));
    tasks.spawn(until_stop(app.clone(), matching::run(app.clone())));
    tasks.spawn(until_stop(app.clone(), nodes::run(app.clone())));
    tasks.spawn(until_stop(app.clone(), exempting::run(app.clone())));
    tasks.spawn(until_stop(app.clone(), housekeeping::run(app.clone())));
    tasks
}

async fn until_stop(app: App, task: impl Future<Output = ()>) {
    let mut stop = app.stop.clone();
    tokio::select! {
        () = task => {}
        () = stopped(&mut stop) => {}
    }
}

/// A store that failed is asked again after this.
const RETRY_AFTER: Duration = Duration::from_secs(2);
