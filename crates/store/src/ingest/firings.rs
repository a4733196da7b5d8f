//! Firings joined into alerts.
use crate::alert::{self, StoredFiring};
use crate::error::Result;
use crate::list::{self, decode, select_of};
use crate::put::put;
use crate::store::Tx;
use seawall_model::alert::{Alert, AlertState, Firing};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use std::collections::{BTreeMap, HashMap};

/// An agent's clock orders alerts only within these bounds around receipt: a wrong or hostile one must not lead every
/// list for ever. Alerts are kept for 400 days, so nothing older is asked for.
const OLDEST: Millis = 400 * 24 * 3_600_000;
/// Clocks that are kept differ by less.
const AHEAD: Millis = 10 * 60_000;

/// Who tells of firings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) scope: &'a ScopePath,
    /// The name of the cluster there.
    pub(crate) cluster: &'a str,
    pub(crate) agent: Id,
    pub(crate) sequence: u64,
}

/// Joins `firings`, with their positions in the batch and in order. Returns the alerts that are new or changed. Hold the
/// lock of the scope.
pub(crate) async fn store(
    tx: &mut Tx,
    source: Source<'_>,
    firings: Vec<(u64, Firing)>,
) -> Result<Vec<Alert>> {
    if firings.is_empty() {
        return Ok(Vec::new());
    }
    let mut keyed = Vec::with_capacity(firings.len());
    for (index, mut firing) in firings {
        // The agent knows its cluster's UID; people know the name. And an agent speaks of its own cluster only.
        source.cluster.clone_into(&mut firing.location.cluster);
        firing.time = firing.time.clamp(tx.now - OLDEST, tx.now + AHEAD);
        keyed.push((alert::correlation_of(&firing), index, firing));
    }
    let keys: Vec<&str> = keyed.iter().map(|(key, ..)| key.as_str()).collect();
    let mut open = open_alerts(tx, source.scope, &keys).await?;
    let previous = closed_alerts(tx, source.scope, &keys).await?;
    // Alerts of this batch, in the order of their first firing.
    let mut touched: BTreeMap<usize, Alert> = BTreeMap::new();
    let mut position_of: HashMap<String, usize> = HashMap::new();
    let mut events = Vec::with_capacity(keyed.len());
    for (key, index, firing) in keyed {
        let next = position_of.len();
        let position = *position_of.entry(key.clone()).or_insert(next);
        let alert = touched.entry(position).or_insert_with(|| match open.remove(&key) {
            Some(mut alert) => {
                alert.revision += 1;
                alert
            }
            None => new_alert(tx, source, previous.get(&key).copied(), &firing),
        });
        join(alert, &firing);
        events.push(StoredFiring {
            id: tx.new_id(),
            scope: source.scope.clone(),
            alert: alert.id,
            agent: source.agent,
            sequence: source.sequence,
            index,
            time: firing.time,
            firing,
        });
    }
    let alerts: Vec<Alert> = touched.into_values().collect();
    alert::write(tx, &alerts).await?;
    put(tx, &events).await?;
    Ok(alerts)
}

fn new_alert(tx: &Tx, source: Source<'_>, previous: Option<Id>, firing: &Firing) -> Alert {
    Alert {
        id: tx.new_id(),
        scope: source.scope.clone(),
        state: AlertState::Active,
        first: firing.time,
        last: firing.time,
        count: 0,
        dismissal: None,
        previous,
        revision: 1,
        firing: firing.clone(),
    }
}

fn join(alert: &mut Alert, firing: &Firing) {
    alert.count += 1;
    alert.first = alert.first.min(firing.time);
    // A late one counts, yet the alert shows the latest.
    if firing.time >= alert.last {
        alert.last = firing.time;
        alert.firing = firing.clone();
    }
}

async fn open_alerts(
    tx: &mut Tx,
    scope: &ScopePath,
    keys: &[&str],
) -> Result<HashMap<String, Alert>> {
    let mut sql = select_of::<Alert>().text(scope).text(serde_json::json!(keys));
    let texts = tx.db().texts(2);
    sql.push(&format!("t.scope = $1 AND t.is_open = 1 AND t.correlation IN {texts} ORDER BY t.id"));
    sql.push(tx.db().for_update());
    let rows = tx.rows("read open alerts", sql).await?;
    let keyed =
        |row| decode::<Alert>(row).map(|alert| (alert::correlation_of(&alert.firing), alert));
    rows.iter().map(keyed).collect()
}

/// The newest closed alert of each correlation, which a new one follows.
async fn closed_alerts(
    tx: &mut Tx,
    scope: &ScopePath,
    keys: &[&str],
) -> Result<HashMap<String, Id>> {
    let sql = format!(
        "SELECT correlation, max(id) FROM alerts \
         WHERE scope = $1 AND is_open = 0 AND correlation IN {} GROUP BY correlation",
        tx.db().texts(2)
    );
    let sql = crate::db::Sql::new(sql).text(scope).text(serde_json::json!(keys));
    let rows = tx.rows("read closed alerts", sql).await?;
    rows.iter().map(|row| Ok((row.text(0), list::id(row, 1)?))).collect()
}
