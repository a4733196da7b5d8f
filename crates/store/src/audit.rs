//! The hub audit log: a hash chain, so that a changed, removed or inserted entry shows. Its end is sealed with a key of
//! the hub: entries cut from the end or put behind it show as well.
use crate::cell::{clip, search_text};
use crate::cursor::keyed;
use crate::db::{Db, Row, Sql};
use crate::error::{Error, Result};
use crate::list::decode;
use crate::noun::{Noun, document};
use crate::put::put;
use crate::request::insert_setting;
use crate::store::{Store, Tx};
use seawall_model::scope::ScopePath;
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

/// The setting that holds the sealed head.
const HEAD: &str = "audit-head";
/// The setting that holds the key of the seal.
const KEY: &str = "audit-key";

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    position: u64,
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct SealedHead {
    head: Head,
    /// Hexadecimal.
    seal: String,
}

impl Head {
    fn mark(&self, key: &[u8]) -> String {
        hex::encode(keyed(key, &[&self.position.to_be_bytes(), self.hash.as_bytes()]))
    }

    fn seal(&self, key: &[u8]) -> Result<Vec<u8>> {
        let sealed = SealedHead { head: self.clone(), seal: self.mark(key) };
        serde_json::to_vec(&sealed).map_err(|source| Error::Encode { noun: "audit head", source })
    }

    /// `None` where it is damaged or another key made it.
    fn open(sealed: &[u8], key: &[u8]) -> Option<Self> {
        let SealedHead { head, seal } = serde_json::from_slice(sealed).ok()?;
        (seal == head.mark(key)).then_some(head)
    }
}

/// The key of the seal. Where it is new, a log that an earlier version wrote is sealed as it stands.
pub(crate) async fn key(db: &Db, fresh: &[u8]) -> Result<Vec<u8>> {
    let key = insert_setting(db, KEY, fresh).await?;
    if key == fresh
        && let Some(last) = last(db.row("read the end of the audit log", Sql::new(LAST)).await?)?
    {
        let head = Head { position: last.position, hash: last.hash };
        insert_setting(db, HEAD, &head.seal(&key)?).await?;
    }
    Ok(key)
}

const LAST: &str = "SELECT id, version, payload FROM audit ORDER BY position DESC LIMIT 1";

fn last(row: Option<Row>) -> Result<Option<AuditEntry>> {
    row.as_ref().map(decode).transpose()
}

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
    let last = last(tx.row("read the end of the audit log", Sql::new(LAST)).await?)?;
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
    let head = Head { position: entry.position, hash: entry.hash.clone() };
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let sealed = head.seal(tx.audit_key())?;
    tx.execute("seal the audit log", Sql::new(sql).text(HEAD).bytes(&sealed)).await?;
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
        let broken = |entries| AuditCheck { ok: false, entries, broken_at: Some(entries + 1) };
        loop {
            let sql = "SELECT id, version, payload, position, actor, action, target, at, scope, search \
                       FROM audit WHERE position > $1 ORDER BY position LIMIT $2";
            let sql = Sql::new(sql).uint(entries).int(VERIFY_PAGE);
            let rows = self.db().rows("read the audit log", sql).await?;
            for row in &rows {
                let Some(entry) = entry_of(row)
                    .filter(|entry| entry.position == entries + 1 && entry.previous == previous)
                else {
                    return Ok(broken(entries));
                };
                entries += 1;
                previous = entry.hash;
            }
            if !rows.is_empty() {
                continue;
            }
            // Read after the entries it speaks of: others go on appending meanwhile.
            let sql = Sql::new("SELECT value FROM settings WHERE name = $1").text(HEAD);
            let sealed = self.db().row("read the head of the audit log", sql).await?;
            let head = sealed.and_then(|row| Head::open(&row.bytes(0), self.audit_key()));
            let end = Head { position: entries, hash: previous.clone() };
            return match head {
                Some(head) if head == end => Ok(AuditCheck { ok: true, entries, broken_at: None }),
                Some(head) if head.position > entries && self.reaches(head.position).await? => {
                    continue;
                }
                Some(head) if head.position < entries => {
                    Ok(AuditCheck { ok: false, entries, broken_at: Some(head.position + 1) })
                }
                None if entries == 0 => Ok(AuditCheck { ok: true, entries, broken_at: None }),
                _ => Ok(broken(entries)),
            };
        }
    }
}

impl Store {
    /// Whether the log has that entry.
    async fn reaches(&self, position: u64) -> Result<bool> {
        let sql = Sql::new("SELECT 1 FROM audit WHERE position = $1").uint(position);
        Ok(self.db().row("look for an audit entry", sql).await?.is_some())
    }
}

/// The entry, if the columns that lists filter, search and show by say what the hashed payload says.
fn entry_of(row: &Row) -> Option<AuditEntry> {
    let entry: AuditEntry = decode(row).ok()?;
    let search = search_text(AuditEntry::TABLE, &document(&entry).ok()?);
    let fits = entry.id.to_string() == row.text(0)
        && entry.position == row.uint(3)
        && clip(&entry.actor) == row.text(4)
        && clip(&entry.action) == row.text(5)
        && clip(&entry.target) == row.text(6)
        && entry.at == row.int(7)
        && row.opt_text(8).as_deref() == Some(ScopePath::root().as_str())
        && search == row.text(9)
        && entry.hash == entry.computed_hash();
    fits.then_some(entry)
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
