//! Alerts and the firings behind them.
use crate::db::{Arg, Sql};
use crate::error::{Error, Result, check_revision};
use crate::filter::{Filter, push_filter};
use crate::ingest::firings::{self, Source};
use crate::list;
use crate::noun::Noun;
use crate::put::{id_array, put};
use crate::store::{NewChange, Store, Tx};
use crate::visible::{Visible, push_clause};
use seawall_model::alert::{Alert, AlertState, DismissReason, Dismissal, Firing};
use seawall_model::asset::Cluster;
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One firing as stored: which alert it joined, and where it came from. (agent, sequence, index) is unique.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredFiring {
    pub id: Id,
    pub scope: ScopePath,
    pub alert: Id,
    /// For what the hub itself found: the object it found it at.
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bulk {
    /// Visible alerts selected.
    pub matched: u64,
    /// Those for which the state machine has the step.
    pub changed: u64,
}

pub trait Alerts {
    /// A firing of the hub itself about `cluster`. `found_at` and `sequence` name the occasion; each counts once.
    async fn raise_alert(
        &self,
        cluster: &Cluster,
        found_at: Id,
        sequence: u64,
        firing: Firing,
    ) -> Result<Alert>;
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

/// The next state, or why there is none.
fn next(alert: &Alert, step: &AlertStep) -> Result<AlertState> {
    use AlertState::{Active, Dismissed, InProgress, Resolved};
    match (alert.state, step) {
        (Active, AlertStep::Take) => Ok(InProgress),
        (Active | InProgress, AlertStep::Resolve) => Ok(Resolved),
        (Active | InProgress, AlertStep::Dismiss { .. }) => Ok(Dismissed),
        (InProgress | Resolved | Dismissed, AlertStep::Reopen) => Ok(Active),
        (state, step) => {
            let verb = match step {
                AlertStep::Take => "taken",
                AlertStep::Resolve => "resolved",
                AlertStep::Dismiss { .. } => "dismissed",
                AlertStep::Reopen => "reopened",
            };
            let state = match state {
                Active => "active",
                InProgress => "in progress",
                Resolved => "resolved",
                Dismissed => "dismissed",
            };
            Err(Error::Transition { message: format!("an alert that is {state} cannot be {verb}") })
        }
    }
}

fn apply(alert: &mut Alert, state: AlertState, step: &AlertStep, by: &str, now: Millis) {
    alert.state = state;
    alert.revision += 1;
    alert.dismissal = match step {
        AlertStep::Dismiss { reason, note } => {
            Some(Dismissal { reason: *reason, note: note.clone(), by: by.to_owned(), at: now })
        }
        AlertStep::Take | AlertStep::Resolve | AlertStep::Reopen => None,
    };
}

/// An alert that follows a closed one: reopening the old one would make two open ones of one correlation.
async fn open_sibling(tx: &mut Tx, alert: &Alert) -> Result<Option<Id>> {
    let sql = "SELECT id FROM alerts WHERE scope = $1 AND is_open = 1 AND id <> $2 \
               AND correlation = (SELECT correlation FROM alerts WHERE id = $2)";
    let sql = Sql::new(sql).text(&alert.scope).text(alert.id);
    let row = tx.row("look for an open alert", sql).await?;
    row.map(|row| list::id(&row, 0)).transpose()
}

/// The correlation as an index can hold it: executables may have paths of 4 KiB. NUL is replaced first, as it is
/// where the firing is stored.
pub(crate) fn correlation_of(firing: &Firing) -> String {
    hex::encode(Sha256::digest(firing.correlation().replace('\0', "\u{fffd}")))
}

pub(crate) async fn write(tx: &mut Tx, alerts: &[Alert]) -> Result<()> {
    put(tx, alerts).await?;
    for alert in alerts {
        tx.changed(NewChange {
            noun: "alert",
            id: alert.id,
            revision: alert.revision,
            scope: alert.scope.clone(),
            namespace: alert.firing.location.namespace.clone(),
            image: None,
        });
    }
    Ok(())
}

impl Alerts for Store {
    async fn raise_alert(
        &self,
        cluster: &Cluster,
        found_at: Id,
        sequence: u64,
        firing: Firing,
    ) -> Result<Alert> {
        let mut tx = self.begin().await?;
        tx.lock(cluster.scope.as_str()).await?;
        let source =
            Source { scope: &cluster.scope, cluster: &cluster.name, agent: found_at, sequence };
        let mut alerts = firings::store(&mut tx, source, vec![(0, firing)]).await?;
        tx.commit().await?;
        Ok(alerts.remove(0))
    }

    async fn step_alert(
        &self,
        visible: &Visible,
        id: Id,
        step: &AlertStep,
        by: &str,
        expected: Option<u64>,
    ) -> Result<Option<Alert>> {
        let mut tx = self.begin().await?;
        let Some(mut alert) = list::fetch::<Alert>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        check_revision(expected, alert.revision)?;
        let state = next(&alert, step)?;
        if !alert.state.is_open()
            && let Some(sibling) = open_sibling(&mut tx, &alert).await?
        {
            let message = format!("alert {sibling} follows it and is open: work on that one");
            return Err(Error::Transition { message });
        }
        apply(&mut alert, state, step, by, tx.now);
        write(&mut tx, std::slice::from_ref(&alert)).await?;
        tx.commit().await?;
        Ok(Some(alert))
    }

    async fn step_alerts(
        &self,
        visible: &Visible,
        selection: &Selection,
        step: &AlertStep,
        by: &str,
        dry_run: bool,
    ) -> Result<Bulk> {
        let mut tx = self.begin().await?;
        let selected = selected(&mut tx, visible, selection).await?;
        let matched = selected.len() as u64;
        let mut changed = Vec::new();
        for mut alert in selected {
            let Ok(state) = next(&alert, step) else { continue };
            if !alert.state.is_open() && open_sibling(&mut tx, &alert).await?.is_some() {
                continue;
            }
            apply(&mut alert, state, step, by, tx.now);
            // One by one where alerts reopen: the next one has to see this one open.
            if !dry_run && *step == AlertStep::Reopen {
                put(&mut tx, std::slice::from_ref(&alert)).await?;
            }
            changed.push(alert);
        }
        let count = match (dry_run, step) {
            // Of several closed alerts of one correlation only one can be reopened.
            (true, AlertStep::Reopen) => {
                let keys: std::collections::HashSet<(String, String)> = changed
                    .iter()
                    .map(|alert| (alert.scope.to_string(), alert.firing.correlation()))
                    .collect();
                keys.len()
            }
            _ => changed.len(),
        };
        if !dry_run && !changed.is_empty() {
            write(&mut tx, &changed).await?;
            tx.commit().await?;
        }
        Ok(Bulk { matched, changed: count as u64 })
    }
}

/// The visible alerts selected, held until the commit.
async fn selected(tx: &mut Tx, visible: &Visible, selection: &Selection) -> Result<Vec<Alert>> {
    let mut sql = list::select_of::<Alert>();
    match selection {
        Selection::Ids(ids) => {
            if ids.len() > MAX_BULK {
                return Err(Error::TooMany { limit: MAX_BULK });
            }
            let number = sql.number(Arg::Text(Some(id_array(ids.iter().copied()))));
            let texts = tx.db().texts(number);
            sql.push(&format!("t.id IN {texts}"));
        }
        Selection::Filter(filter) => {
            let filter = Filter::parse::<Alert>(filter, tx.now)?;
            push_filter(tx.db(), &mut sql, &filter.root);
        }
    }
    sql.push(" AND ");
    push_clause(tx.db(), &mut sql, visible, Alert::TABLE.narrowing);
    sql.push(" ORDER BY t.id LIMIT ").bind(Arg::Int(i64::try_from(MAX_BULK + 1).ok()));
    sql.push(tx.db().for_update());
    let rows = tx.rows("select alerts", sql).await?;
    if rows.len() > MAX_BULK {
        return Err(Error::TooMany { limit: MAX_BULK });
    }
    rows.iter().map(list::decode).collect()
}
