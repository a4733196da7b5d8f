//! The hub audit log: a hash chain, so that a changed, removed or inserted entry shows.
use crate::error::Result;
use seawall_model::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
pub struct AuditEntry {
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
