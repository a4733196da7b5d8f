//! Room for agents: who gives way to one that comes.
use super::{NewAgent, RETIRED_AT_ONCE, note};
use crate::cell::clip;
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::image;
use crate::list::fetch_where;
use crate::put::{put, remove};
use crate::store::Tx;
use seawall_model::asset::Agent;
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde_json::Value;

/// Agents of one cluster that may connect: twice the 5,000 nodes that Kubernetes supports, as pods and nodes that went
/// stay for a while.
const MAX_AGENTS: u64 = 10_000;
/// Revoked agents kept of one cluster, for who looks back.
const MAX_REVOKED: i64 = 1_000;
/// Forgotten with one that comes: more than one can add.
const FORGOTTEN_AT_ONCE: i64 = 20;

/// Keeps a cluster's agents bounded: of those that may connect the one that is longest away goes, of the revoked ones
/// the oldest are forgotten.
pub(super) async fn make(tx: &mut Tx, scope: &ScopePath) -> Result<()> {
    let sql = "SELECT count(*) FROM agents WHERE scope = $1 AND revoked = 0";
    let living = tx.row("count agents", Sql::new(sql).text(scope)).await?;
    if living.is_some_and(|row| row.uint(0) >= MAX_AGENTS) {
        let away = "SELECT id FROM agents WHERE scope = $1 AND revoked = 0 AND connected = 0 \
                    ORDER BY last, id LIMIT $2";
        let Some(mut agent) = few(tx, Sql::new(away).text(scope).int(1)).await?.pop() else {
            let message = format!("{scope} has {MAX_AGENTS} agents, all of them connected");
            return Err(Error::Transition { message });
        };
        revoke(tx, &mut agent).await?;
    }
    let old = format!(
        "SELECT id FROM agents WHERE scope = $1 AND revoked = 1 \
         ORDER BY last DESC, id DESC LIMIT $2 OFFSET {MAX_REVOKED}"
    );
    let forgotten = few(tx, Sql::new(old).text(scope).int(FORGOTTEN_AT_ONCE)).await?;
    for agent in &forgotten {
        image::replace_running(tx, agent, &[]).await?;
        note(tx, "agent", agent.id, &agent.scope);
    }
    let ids: Vec<Id> = forgotten.iter().map(|agent| agent.id).collect();
    remove::<Agent>(tx, &ids).await?;
    Ok(())
}

/// The agents whose ids `sql` selects.
async fn few(tx: &mut Tx, sql: Sql) -> Result<Vec<Agent>> {
    let rows = tx.rows("look for agents", sql).await?;
    let ids = Value::Array(rows.iter().map(|row| row.text(0).into()).collect());
    let condition = format!("t.id IN {}", tx.db().texts(1));
    fetch_where(tx, &condition, ids).await
}

/// Pods that are gone: each restart of a cluster agent's Deployment leaves one.
pub(super) async fn retire(tx: &mut Tx, silent_since: Millis) -> Result<Vec<Agent>> {
    let sql = "SELECT a.id FROM agents a WHERE a.revoked = 0 AND a.connected = 0 \
               AND a.role = 'cluster_agent' AND a.service_account IS NOT NULL AND a.last < $1 \
               AND EXISTS (SELECT 1 FROM agents b WHERE b.scope = a.scope AND b.revoked = 0 \
               AND b.role = a.role AND (b.last > a.last OR (b.last = a.last AND b.id > a.id))) \
               ORDER BY a.last, a.id LIMIT $2";
    let mut retired = few(tx, Sql::new(sql).int(silent_since).int(RETIRED_AT_ONCE)).await?;
    for agent in &mut retired {
        revoke(tx, agent).await?;
    }
    Ok(retired)
}

/// For ever. Nobody says any longer what runs there.
pub(super) async fn revoke(tx: &mut Tx, agent: &mut Agent) -> Result<()> {
    (agent.revoked, agent.connected) = (true, false);
    put(tx, std::slice::from_ref(agent)).await?;
    note(tx, "agent", agent.id, &agent.scope);
    image::replace_running(tx, agent, &[]).await?;
    Ok(())
}

/// The agents that may connect whose place one that joins takes.
pub(super) async fn namesakes(
    tx: &mut Tx,
    scope: &ScopePath,
    new: &NewAgent,
) -> Result<Vec<Agent>> {
    let sql = "SELECT id FROM agents WHERE scope = $1 AND revoked = 0 AND name = $2 \
               AND (service_account IS NULL OR service_account = $3)";
    let account = new.service_account.as_deref().map(clip);
    let sql = Sql::new(sql).text(scope).text(clip(&new.name)).opt_text(account);
    let found = few(tx, sql).await?;
    Ok(found.into_iter().filter(|agent| agent.role == new.role).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Agents, Context, Enrolments, Location, NewEnrolment, Reads, Redeemed, Store, Visible,
    };
    use seawall_model::asset::{AgentRole, ClusterKind};
    use seawall_model::time::FixedClock;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NOW: i64 = 1_795_478_400_000;

    fn new(name: &str) -> NewAgent {
        NewAgent {
            cluster_uid: "uid".to_owned(),
            cluster_name: "prod".to_owned(),
            cluster_kind: ClusterKind::Kubernetes,
            name: name.to_owned(),
            role: AgentRole::Sensor,
            service_account: Some("seawall/sensor".to_owned()),
            certificate_expires: NOW,
        }
    }

    async fn store(directory: &std::path::Path) -> (Store, Agent) {
        let counter = AtomicU64::new(1 << 40);
        let random = move || {
            let mut bytes = [0; 10];
            bytes[2..].copy_from_slice(&counter.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            bytes
        };
        let context = Context { clock: Arc::new(FixedClock::at(NOW)), random: Arc::new(random) };
        let location = Location::Directory(directory.to_owned());
        let store = Store::open(&location, context).await.unwrap();
        let token = NewEnrolment {
            digest: "d".to_owned(),
            scope: ScopePath::root(),
            expires: NOW + 1,
            uses_allowed: 1,
            manual_accept: false,
            trusted: false,
        };
        store.create_enrolment(&token).await.unwrap();
        match store.redeem_enrolment("d", &new("node")).await.unwrap() {
            Redeemed::Accepted { agent, .. } => (store, agent),
            Redeemed::Refused { reason, .. } => panic!("{reason:?}"),
        }
    }

    /// `count` more rows like the agent's; the later in number the longer away.
    async fn copies(store: &Store, agent: Id, count: i64) {
        let mut tx = store.begin().await.unwrap();
        let sql = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $2) \
                   INSERT INTO agents (id, version, name, role, cluster, agent_version, revoked, connected, \
                     sequence, certificate, scope, first, last, cluster_uid, search, payload) \
                   SELECT substr(id, 1, 24) || printf('%012x', n), version, name || n, role, cluster, \
                     agent_version, revoked, connected, sequence, certificate, scope, first, last - n, cluster_uid, \
                     search, replace(payload, id, substr(id, 1, 24) || printf('%012x', n)) \
                   FROM agents, n WHERE id = $1";
        tx.execute("copy", Sql::new(sql).text(agent).int(count)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn all(store: &Store, sql: &'static str) {
        let mut tx = store.begin().await.unwrap();
        tx.execute("change", Sql::new(sql)).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn agents_of_a_cluster_are_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let (store, agent) = store(directory.path()).await;
        let count =
            async |filter: &str| store.count::<Agent>(&Visible::system(), filter).await.unwrap();
        copies(&store, agent.id, 9_999).await;
        store.join_agent(&new("another")).await.unwrap();
        assert_eq!((count("revoked:false").await, count("revoked:true").await), (10_000, 1));
        assert_eq!(count("revoked:true last:<2026-11-24").await, 1, "the one longest away");

        all(&store, "UPDATE agents SET connected = 1 WHERE revoked = 0").await;
        let full = store.join_agent(&new("one more")).await;
        assert!(matches!(full, Err(Error::Transition { .. })), "{full:?}");
        // What is revoked is forgotten, but not all of it.
        all(&store, "UPDATE agents SET revoked = 1, connected = 0").await;
        for name in ["a", "b"] {
            store.join_agent(&new(name)).await.unwrap();
        }
        let sql = Sql::new("SELECT count(*) FROM agents WHERE revoked = 1");
        let left = store.db().row("count", sql).await.unwrap().unwrap().int(0);
        assert_eq!(left, 10_001 - 2 * FORGOTTEN_AT_ONCE);
    }
}
