//! The change feed: one row per changed object, numbered in commit order, for the stream of server-sent events.
use crate::db::{Db, Sql};
use crate::error::Result;
use crate::noun::{Narrowing, storable};
use crate::store::{NewChange, Store, Tx};
use crate::visible::Visible;
use seawall_model::{Id, Millis};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::collections::HashSet;
use std::time::Duration;

/// One object changed. Its noun is `alert`, `finding`, `recommendation`, `score`, `image`, `asset`, `agent`, `cluster`,
/// `scope` or `exemption`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

/// What the feed is not read for as long as a subscriber reconnects.
const LISTEN_RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn newest(db: &Db) -> Result<u64> {
    let sql = Sql::new("SELECT value FROM counters WHERE name = 'changes'");
    Ok(db.row("read the newest change", sql).await?.map_or(0, |row| row.uint(0)))
}

/// Wakes watchers when another hub commits; `None` where there can be no other hub.
pub(crate) fn listen(
    db: &Db,
    changes: tokio::sync::watch::Sender<u64>,
) -> Option<tokio::task::JoinHandle<()>> {
    let Db::Pg(pool) = db else { return None };
    let pool = pool.clone();
    Some(tokio::spawn(async move {
        loop {
            if let Err(error) = follow(&pool, &changes).await {
                tracing::warn!(%error, "change notifications interrupted");
                tokio::time::sleep(LISTEN_RETRY).await;
            }
        }
    }))
}

async fn follow(pool: &PgPool, changes: &tokio::sync::watch::Sender<u64>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("seawall_changes").await?;
    // What was committed before the subscription stood.
    let newest = "SELECT coalesce(max(value), 0) FROM counters WHERE name = 'changes'";
    let newest: i64 = sqlx::query_scalar(newest).fetch_one(pool).await?;
    raise(changes, u64::try_from(newest).unwrap_or_default());
    // `try_recv` says when the connection was lost, and with it perhaps notifications.
    while let Some(note) = listener.try_recv().await? {
        raise(changes, note.payload().parse().unwrap_or_default());
    }
    Ok(())
}

pub(crate) fn raise(changes: &tokio::sync::watch::Sender<u64>, newest: u64) {
    changes.send_if_modified(|known| {
        let newer = newest > *known;
        *known = newest.max(*known);
        newer
    });
}

/// Numbers and stores the changes of one transaction; the counter's row makes transactions take numbers in the order
/// of their commits, so a reader never skips one that commits late. Returns the newest number.
pub(crate) async fn write(tx: &mut Tx, changes: Vec<NewChange>) -> Result<Option<u64>> {
    // The last change of an object says all.
    let mut seen = HashSet::new();
    let mut latest: Vec<NewChange> =
        changes.into_iter().rev().filter(|change| seen.insert((change.noun, change.id))).collect();
    latest.reverse();
    if latest.is_empty() {
        return Ok(None);
    }
    let count = latest.len() as u64;
    let take = "UPDATE counters SET value = value + $1 WHERE name = 'changes' RETURNING value";
    let row = tx.row("number changes", Sql::new(take).uint(count)).await?;
    let newest = row.map_or(count, |row| row.uint(0));
    let mut rows: Value = latest
        .iter()
        .zip(newest - count + 1..)
        .map(|(change, sequence)| {
            json!([
                sequence,
                change.noun,
                change.id,
                change.revision,
                change.scope,
                change.namespace,
                change.image,
                tx.now
            ])
        })
        .collect();
    storable(&mut rows, 0);
    let insert = format!(
        "INSERT INTO changes (sequence, noun, id, revision, scope, namespace, image, at) \
         SELECT CAST(r.value ->> 0 AS BIGINT), r.value ->> 1, r.value ->> 2, \
         CAST(r.value ->> 3 AS BIGINT), r.value ->> 4, r.value ->> 5, r.value ->> 6, \
         CAST(r.value ->> 7 AS BIGINT) FROM {}",
        tx.db().elements(1)
    );
    tx.execute("write changes", Sql::new(insert).text(rows)).await?;
    if let Some(notify) = tx.db().notify() {
        tx.rows("notify", Sql::new(notify).text(newest)).await?;
    }
    Ok(Some(newest))
}

impl Changes for Store {
    async fn last_change(&self) -> Result<u64> {
        newest(self.db()).await
    }

    async fn changes_after(&self, visible: &Visible, sequence: u64) -> Result<Feed> {
        let bounds = "SELECT coalesce(min(sequence), 0), coalesce(max(sequence), 0), \
                      (SELECT value FROM counters WHERE name = 'changes') FROM changes";
        let bounds = self.db().row("read the change feed's bounds", Sql::new(bounds)).await?;
        let (first, last, counted) = match &bounds {
            Some(row) => (row.uint(0), row.uint(1), row.uint(2)),
            None => (0, 0, 0),
        };
        if sequence > counted || (sequence + 1 < first) || (last == 0 && sequence < counted) {
            return Ok(Feed::Resync { last: counted });
        }
        // The window is cut before visibility, so that a narrow viewer still moves on.
        let upper = last.min(sequence + u64::from(MAX_CHANGES)).max(sequence);
        let mut sql = Sql::new(
            "SELECT t.sequence, t.noun, t.id, t.revision, t.at FROM changes t \
             WHERE t.sequence > $1 AND t.sequence <= $2 AND ",
        )
        .uint(sequence)
        .uint(upper);
        crate::visible::push_clause(self.db(), &mut sql, visible, Narrowing::Change);
        sql.push(" ORDER BY t.sequence");
        let rows = self.db().rows("read changes", sql).await?;
        let items = rows.iter().map(|row| {
            Ok(Change {
                sequence: row.uint(0),
                noun: row.text(1),
                id: crate::list::id(row, 2)?,
                revision: row.uint(3),
                at: row.int(4),
            })
        });
        Ok(Feed::Changes { items: items.collect::<Result<_>>()?, last: upper })
    }

    fn watch_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    async fn prune_changes(&self, keep: u64) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = "DELETE FROM changes WHERE sequence <= \
                   (SELECT value FROM counters WHERE name = 'changes') - $1";
        let gone = tx.execute("prune changes", Sql::new(sql).uint(keep)).await?;
        tx.commit().await?;
        Ok(gone)
    }
}
