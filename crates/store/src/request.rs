//! Idempotency keys of POST requests, and settings such as the hub's own keys.
use crate::cell::clip;
use crate::db::{Db, Sql};
use crate::error::{Error, Result};
use crate::store::{Store, Tx};
use seawall_model::Millis;

/// A key that one request holds. Writes of [`Store::claimed`] commit together with the mark that it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    principal: String,
    key: String,
    /// Tells this claim from a later one of the same key.
    at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// First time: do it, then [`Idempotency::finish_request`].
    Fresh(Claimed),
    /// Done before: answer the same.
    Replay { status: u16, body: Vec<u8> },
    /// Its write was committed, then its hub died: the answer is lost.
    Done,
    /// The key was used with another body.
    Mismatch,
    /// The first request still runs.
    Running,
}

pub trait Idempotency {
    /// Keys belong to one principal. A claim whose hub died before it wrote anything is free again after five minutes.
    async fn claim_request(&self, principal: &str, key: &str, body_digest: &str) -> Result<Claim>;
    async fn finish_request(&self, claimed: &Claimed, status: u16, body: &[u8]) -> Result<()>;
    /// The request failed in a way that may be tried again; one that wrote something keeps its key.
    async fn release_request(&self, claimed: &Claimed) -> Result<()>;
    /// Forgets keys older than 24 hours; returns how many.
    async fn purge_requests(&self) -> Result<u64>;
}

pub trait Settings {
    async fn setting(&self, key: &str) -> Result<Option<Vec<u8>>>;
    async fn set_setting(&self, key: &str, value: &[u8]) -> Result<()>;
    /// Keeps what is there: of two hubs that start together both get the first one's value.
    async fn setting_or_insert(&self, key: &str, value: &[u8]) -> Result<Vec<u8>>;
}

/// A claim without an answer after this long lost its hub; requests end long before.
const ABANDONED: Millis = 5 * 60_000;
/// How long a key is kept.
const KEPT: Millis = 24 * 3_600_000;
/// The status of a request whose write was committed and whose answer is not kept yet.
const DONE: i64 = 0;

/// Marks the claim as done within the transaction of its write. Fails where the claim was given up meanwhile: another
/// request with this key may have run, so this one's write must not be.
pub(crate) async fn mark_done(tx: &mut Tx, claimed: &Claimed) -> Result<()> {
    let sql = "UPDATE requests SET status = coalesce(status, $4) \
               WHERE principal = $1 AND name = $2 AND at = $3";
    let sql = Sql::new(sql).text(&claimed.principal).text(&claimed.key).int(claimed.at).int(DONE);
    match tx.execute("mark a request as done", sql).await? {
        0 => Err(Error::GivenUp),
        _ => Ok(()),
    }
}

impl Idempotency for Store {
    async fn claim_request(&self, principal: &str, key: &str, body_digest: &str) -> Result<Claim> {
        let mut tx = self.begin().await?;
        let (principal, key) = (clip(principal), clip(key));
        tx.lock(&format!("request {principal} {key}")).await?;
        let sql =
            "SELECT body_digest, at, status, body FROM requests WHERE principal = $1 AND name = $2";
        let row = tx.row("read a request", Sql::new(sql).text(&principal).text(&key)).await?;
        if let Some(row) = row {
            let (age, status) = (tx.now.saturating_sub(row.int(1)), row.opt_int(2));
            let limit = if status.is_some() { KEPT } else { ABANDONED };
            if age < limit {
                return Ok(match status {
                    _ if row.text(0) != body_digest => Claim::Mismatch,
                    Some(DONE) if age >= ABANDONED => Claim::Done,
                    None | Some(DONE) => Claim::Running,
                    Some(status) => Claim::Replay {
                        status: u16::try_from(status).unwrap_or_default(),
                        body: row.bytes(3),
                    },
                });
            }
        }
        let sql = "INSERT INTO requests (principal, name, body_digest, at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (principal, name) DO UPDATE \
                   SET body_digest = excluded.body_digest, at = excluded.at, status = NULL, body = NULL";
        let sql = Sql::new(sql).text(&principal).text(&key).text(body_digest).int(tx.now);
        tx.execute("claim a request", sql).await?;
        let claimed = Claimed { principal, key, at: tx.now };
        tx.commit().await?;
        Ok(Claim::Fresh(claimed))
    }

    async fn finish_request(&self, claimed: &Claimed, status: u16, body: &[u8]) -> Result<()> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE requests SET status = $4, body = $5 \
                   WHERE principal = $1 AND name = $2 AND at = $3";
        let sql = Sql::new(sql).text(&claimed.principal).text(&claimed.key).int(claimed.at);
        tx.execute("finish a request", sql.int(i64::from(status)).bytes(body)).await?;
        tx.commit().await
    }

    async fn release_request(&self, claimed: &Claimed) -> Result<()> {
        let mut tx = self.begin().await?;
        let sql = "DELETE FROM requests \
                   WHERE principal = $1 AND name = $2 AND at = $3 AND status IS NULL";
        let sql = Sql::new(sql).text(&claimed.principal).text(&claimed.key).int(claimed.at);
        tx.execute("release a request", sql).await?;
        tx.commit().await
    }

    async fn purge_requests(&self) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("DELETE FROM requests WHERE at <= $1").int(tx.now.saturating_sub(KEPT));
        let gone = tx.execute("purge requests", sql).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// Keeps what is there; also used before the store stands.
pub(crate) async fn insert_setting(db: &Db, key: &str, value: &[u8]) -> Result<Vec<u8>> {
    let mut tx = db.begin().await?;
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    tx.execute("insert a setting", Sql::new(sql).text(key).bytes(value)).await?;
    let sql = Sql::new("SELECT value FROM settings WHERE name = $1").text(key);
    let row = tx.row("read a setting", sql).await?;
    tx.commit().await?;
    Ok(row.map_or_else(|| value.to_owned(), |row| row.bytes(0)))
}

impl Settings for Store {
    async fn setting(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let sql = Sql::new("SELECT value FROM settings WHERE name = $1").text(key);
        Ok(self.db().row("read a setting", sql).await?.map(|row| row.bytes(0)))
    }

    async fn set_setting(&self, key: &str, value: &[u8]) -> Result<()> {
        let mut tx = self.begin().await?;
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        tx.execute("write a setting", Sql::new(sql).text(key).bytes(value)).await?;
        tx.commit().await
    }

    async fn setting_or_insert(&self, key: &str, value: &[u8]) -> Result<Vec<u8>> {
        insert_setting(self.db(), key, value).await
    }
}
