//! By whose word pods join: what a cluster says of its service-account issuer, and whose each of its keys is.
//!
//! A key is one cluster's: two settings, the cluster's document by its UID and the UID by the key's id, are written
//! together, and a key counts only where both say so.
use crate::db::Sql;
use crate::error::Result;
use crate::store::{Store, Tx};

pub trait ClusterTrust {
    /// The document that is kept for the cluster.
    async fn cluster_trust(&self, cluster_uid: &str) -> Result<Option<Vec<u8>>>;
    /// UID of the cluster that holds the key.
    async fn cluster_of_key(&self, key_id: &str) -> Result<Option<String>>;
    /// Makes `key_ids` all keys that the cluster holds, and keeps the document that `document` makes of them. A key
    /// that another cluster holds stays with it, as long as that one has an agent that is not revoked: those come back,
    /// and the document is made without them.
    async fn keep_cluster_trust(
        &self,
        cluster_uid: &str,
        key_ids: &[&str],
        document: impl Fn(&[&str]) -> Vec<u8> + Send,
    ) -> Result<Vec<String>>;
}

const TRUST: &str = "cluster-trust:";
const KEY: &str = "cluster-trust-key:";

impl ClusterTrust for Store {
    async fn cluster_trust(&self, cluster_uid: &str) -> Result<Option<Vec<u8>>> {
        let sql = setting(TRUST, cluster_uid);
        Ok(self.db().row("read a cluster's trust", sql).await?.map(|row| row.bytes(0)))
    }

    async fn cluster_of_key(&self, key_id: &str) -> Result<Option<String>> {
        let sql = setting(KEY, key_id);
        let row = self.db().row("read whose a key is", sql).await?;
        Ok(row.map(|row| String::from_utf8_lossy(&row.bytes(0)).into_owned()))
    }

    async fn keep_cluster_trust(
        &self,
        cluster_uid: &str,
        key_ids: &[&str],
        document: impl Fn(&[&str]) -> Vec<u8> + Send,
    ) -> Result<Vec<String>> {
        let mut tx = self.begin().await?;
        tx.lock("cluster-trust").await?;
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        for &key_id in key_ids {
            match is_anothers(&mut tx, cluster_uid, key_id).await? {
                true => foreign.push(key_id.to_owned()),
                false => own.push(key_id),
            }
        }
        let document = document(&own);
        let kept = tx.row("read a cluster's trust", setting(TRUST, cluster_uid)).await?;
        if kept.is_some_and(|row| row.bytes(0) == document)
            && holds(&mut tx, cluster_uid, &own).await?
        {
            return Ok(foreign);
        }
        let sql = format!("DELETE FROM settings WHERE name LIKE '{KEY}%' AND value = $1");
        tx.execute("free a cluster's keys", Sql::new(sql).bytes(cluster_uid.as_bytes())).await?;
        for key_id in own {
            write(&mut tx, KEY, key_id, cluster_uid.as_bytes()).await?;
        }
        // Last: it is what makes the keys count.
        write(&mut tx, TRUST, cluster_uid, &document).await?;
        tx.commit().await?;
        Ok(foreign)
    }
}

/// Whether a cluster that lives holds the key; one none of whose agents may connect has lost it.
async fn is_anothers(tx: &mut Tx, cluster_uid: &str, key_id: &str) -> Result<bool> {
    let holder = tx.row("read whose a key is", setting(KEY, key_id)).await?;
    let Some(holder) = holder.map(|row| String::from_utf8_lossy(&row.bytes(0)).into_owned()) else {
        return Ok(false);
    };
    if holder == cluster_uid {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM agents a JOIN clusters c ON c.scope = a.scope \
               WHERE c.uid = $1 AND a.revoked = 0 LIMIT 1";
    Ok(tx.row("look for a living agent", Sql::new(sql).text(holder)).await?.is_some())
}

/// Whether the cluster holds these keys already.
async fn holds(tx: &mut Tx, cluster_uid: &str, key_ids: &[&str]) -> Result<bool> {
    for key_id in key_ids {
        let holder = tx.row("read whose a key is", setting(KEY, key_id)).await?;
        if holder.is_none_or(|row| row.bytes(0) != cluster_uid.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn setting(kind: &str, of: &str) -> Sql {
    Sql::new("SELECT value FROM settings WHERE name = $1").text(format!("{kind}{of}"))
}

async fn write(tx: &mut Tx, kind: &str, of: &str, value: &[u8]) -> Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let sql = Sql::new(sql).text(format!("{kind}{of}")).bytes(value);
    tx.execute("write a cluster's trust", sql).await?;
    Ok(())
}
