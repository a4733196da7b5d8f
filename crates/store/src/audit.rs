//! The hub audit log: a hash chain, so that a changed, removed or inserted entry shows.
use crate::cell::clip;
use crate::db::Sql;
use crate::error::Result;
use crate::list::decode;
use crate::noun::document;
use crate::put::put;
use crate::store::{Store, Tx};
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct NewAuditEntry {
    /// `user:alice`, `token:ci`, `agent:…`, `hub`.
    pub actor: String,
    /// `session.create`, `alert.dismiss`, `export.alerts`, …
    pub action: String,
    pub target: String,
    pub detail: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: Id,
    /// From 1, without holes.
    pub position: u64,
    pub at: Millis,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub detail: Value,
    /// SHA-256 over the previous hash and every field above, each with its length; hexadecimal.
    pub hash: String,
    pub previous: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditCheck {
    pub ok: bool,
    pub entries: u64,
    /// The first position whose entry does not fit.
    pub broken_at: Option<u64>,
}

/// See also [`crate::Store::audited`]: an entry that commits with the write it tells of.
pub trait Audit {
    async fn append_audit(&self, new: &NewAuditEntry) -> Result<AuditEntry>;
    async fn verify_audit(&self) -> Result<AuditCheck>;
}

/// What the first entry follows.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries read at once while verifying.
const VERIFY_PAGE: i64 = 1_000;

impl AuditEntry {
    fn computed_hash(&self) -> String {
        let detail = canonical(&self.detail);
        let (id, position, at) =
            (self.id.to_string(), self.position.to_string(), self.at.to_string());
        let parts =
            [&self.previous, &id, &position, &at, &self.actor, &self.action, &self.target, &detail];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(hash.finalize())
    }
}

/// JSON with sorted keys: the text that is hashed does not depend on who wrote it.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, String> =
                fields.iter().map(|(key, value)| (key, canonical(value))).collect();
            let fields: Vec<String> =
                sorted.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// Appends within a transaction; the chain has one end, so writers queue here.
pub(crate) async fn append(tx: &mut Tx, new: &NewAuditEntry) -> Result<AuditEntry> {
    tx.lock("audit").await?;
    let sql = Sql::new("SELECT id, version, payload FROM audit ORDER BY position DESC LIMIT 1");
    let last = tx.row("read the end of the audit log", sql).await?;
    let last: Option<AuditEntry> = last.as_ref().map(decode).transpose()?;
    let text = |text: &str| text.replace('\0', "\u{fffd}");
    let mut entry = AuditEntry {
        id: tx.new_id(),
        position: last.as_ref().map_or(1, |last| last.position + 1),
        at: tx.now,
        actor: text(&new.actor),
        action: text(&new.action),
        target: text(&new.target),
        // As it will be read back: the hash is of that.
        detail: new.detail.clone(),
        hash: String::new(),
        previous: last.map_or_else(|| GENESIS.to_owned(), |last| last.hash),
    };
    if let Some(detail) = document(&entry)?.get("detail") {
        entry.detail = detail.clone();
    }
    entry.hash = entry.computed_hash();
    put(tx, std::slice::from_ref(&entry)).await?;
    // Also the loss of the newest entries shows.
    let sql = Sql::new("UPDATE counters SET value = $1 WHERE name = 'audit'").uint(entry.position);
    tx.execute("count audit entries", sql).await?;
    Ok(entry)
}

impl Audit for Store {
    async fn append_audit(&self, new: &NewAuditEntry) -> Result<AuditEntry> {
        let mut tx = self.begin().await?;
        let entry = append(&mut tx, new).await?;
        tx.commit().await?;
        Ok(entry)
    }

    async fn verify_audit(&self) -> Result<AuditCheck> {
        let (mut entries, mut previous) = (0, GENESIS.to_owned());
        loop {
            let sql = "SELECT id, version, payload, position, actor, action, target, at FROM audit \
                       WHERE position > $1 ORDER BY position LIMIT $2";
            let sql = Sql::new(sql).uint(entries).int(VERIFY_PAGE);
            let rows = self.db().rows("read the audit log", sql).await?;
            if rows.is_empty() {
                let sql = Sql::new("SELECT value FROM counters WHERE name = 'audit'");
                let counted = self.db().row("count audit entries", sql).await?;
                let ok = counted.is_some_and(|row| row.uint(0) <= entries);
                let broken_at = (!ok).then_some(entries + 1);
                return Ok(AuditCheck { ok, entries, broken_at });
            }
            for row in &rows {
                // The columns that lists filter by must say what the hashed payload says.
                let fits = decode::<AuditEntry>(row).ok().filter(|entry| {
                    entry.id.to_string() == row.text(0)
                        && entry.position == entries + 1
                        && entry.position == row.uint(3)
                        && clip(&entry.actor) == row.text(4)
                        && clip(&entry.action) == row.text(5)
                        && clip(&entry.target) == row.text(6)
                        && entry.at == row.int(7)
                        && entry.previous == previous
                        && entry.hash == entry.computed_hash()
                });
                let Some(entry) = fits else {
                    let broken_at = Some(entries + 1);
                    return Ok(AuditCheck { ok: false, entries, broken_at });
                };
                entries += 1;
                previous = entry.hash;
            }
        }
    }
}

#[test]
fn canonical_json_ignores_key_order() {
    let (a, b) = (
        json!({"b": [1, {"y": 2, "x": null}], "a": "é"}),
        json!({"a": "é", "b": [1, {"x": null, "y": 2}]}),
    );
    assert_eq!(canonical(&a), canonical(&b));
    assert_eq!(canonical(&a), r#"{"a":"é","b":[1,{"x":null,"y":2}]}"#);
}
