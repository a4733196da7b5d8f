//! Firings joined into alerts.
use super::Writer;
use crate::alert::{self, StoredFiring};
use crate::error::Result;
use crate::list::{self, decode, select_of};
use crate::put::put;
use seawall_model::alert::{Alert, AlertState, Firing};
use seawall_model::{Id, Millis};
use std::collections::{BTreeMap, HashMap};

/// An agent's clock orders alerts only within these bounds around receipt: a wrong or hostile one must not lead every
/// list for ever. Alerts are kept for 400 days, so nothing older is asked for.
const OLDEST: Millis = 400 * 24 * 3_600_000;
/// Clocks that are kept differ by less.
const AHEAD: Millis = 10 * 60_000;

/// `firings` with their positions in the batch, in order.
pub(super) async fn store(writer: &mut Writer<'_>, firings: Vec<(u64, Firing)>) -> Result<()> {
    if firings.is_empty() {
        return Ok(());
    }
    let mut keyed = Vec::with_capacity(firings.len());
    for (index, mut firing) in firings {
        // The agent knows its cluster's UID; people know the name. And an agent speaks of its own cluster only.
        firing.location.cluster.clone_from(&writer.agent.cluster);
        firing.time = firing.time.clamp(writer.tx.now - OLDEST, writer.tx.now + AHEAD);
        keyed.push((alert::correlation_of(&firing), index, firing));
    }
    let keys: Vec<&str> = keyed.iter().map(|(key, ..)| key.as_str()).collect();
    let mut open = open_alerts(writer, &keys).await?;
    let previous = closed_alerts(writer, &keys).await?;
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
            None => new_alert(writer, previous.get(&key).copied(), &firing),
        });
        join(alert, &firing);
        events.push(StoredFiring {
            id: writer.tx.new_id(),
            scope: writer.agent.scope.clone(),
            alert: alert.id,
            agent: writer.agent.id,
            sequence: writer.sequence,
            index,
            time: firing.time,
            firing,
        });
    }
    let alerts: Vec<Alert> = touched.into_values().collect();
    alert::write(writer.tx, &alerts).await?;
    put(writer.tx, &events).await?;
    writer.changed.alerts.extend(alerts);
    Ok(())
}

fn new_alert(writer: &Writer<'_>, previous: Option<Id>, firing: &Firing) -> Alert {
    Alert {
        id: writer.tx.new_id(),
        scope: writer.agent.scope.clone(),
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

async fn open_alerts(writer: &mut Writer<'_>, keys: &[&str]) -> Result<HashMap<String, Alert>> {
    let tx = &mut *writer.tx;
    let mut sql = select_of::<Alert>().text(&writer.agent.scope).text(serde_json::json!(keys));
    let texts = tx.db().texts(2);
    sql.push(&format!("t.scope = $1 AND t.is_open = 1 AND t.correlation IN {texts} ORDER BY t.id"));
    sql.push(tx.db().for_update());
    let rows = tx.rows("read open alerts", sql).await?;
    let keyed =
        |row| decode::<Alert>(row).map(|alert| (alert::correlation_of(&alert.firing), alert));
    rows.iter().map(keyed).collect()
}

/// The newest closed alert of each correlation, which a new one follows.
async fn closed_alerts(writer: &mut Writer<'_>, keys: &[&str]) -> Result<HashMap<String, Id>> {
    let sql = format!(
        "SELECT correlation, max(id) FROM alerts \
         WHERE scope = $1 AND is_open = 0 AND correlation IN {} GROUP BY correlation",
        writer.tx.db().texts(2)
    );
    let sql = crate::db::Sql::new(sql).text(&writer.agent.scope).text(serde_json::json!(keys));
    let rows = writer.tx.rows("read closed alerts", sql).await?;
    rows.iter().map(|row| Ok((row.text(0), list::id(row, 1)?))).collect()
}
