//! Revocations by people, which joining must not undo. An agent that gave way to its successor has none: its pod may
//! always come again.
use super::NewAgent;
use crate::cell::clip;
use crate::db::Sql;
use crate::error::Result;
use crate::store::Tx;
use seawall_model::Id;
use seawall_model::asset::{Agent, AgentRole};
use seawall_model::scope::ScopePath;

/// Revocations kept of one cluster: as many as it may have agents. The oldest go.
const MAX_REVOCATIONS: i64 = 10_000;

/// Whom a revocation keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Who has the agent's role, service account and name.
    Name,
    /// Who has its role and service account.
    Account,
    /// Everybody.
    Cluster,
}

impl Reach {
    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Account => "account",
            Self::Cluster => "cluster",
        }
    }
}

fn word(role: AgentRole) -> &'static str {
    match role {
        AgentRole::ClusterAgent => "cluster_agent",
        AgentRole::Sensor => "sensor",
    }
}

/// Whether a person has revoked who wants to join.
pub(super) async fn refuses(tx: &mut Tx, scope: &ScopePath, new: &NewAgent) -> Result<bool> {
    let sql = "SELECT 1 FROM revocations WHERE scope = $1 AND (reach = 'cluster' OR (role = $2 \
               AND (service_account IS NULL OR service_account = $3) AND (reach = 'account' OR name = $4))) LIMIT 1";
    let account = new.service_account.as_deref().map(clip);
    let sql = Sql::new(sql).text(scope).text(word(new.role)).opt_text(account);
    let sql = sql.text(clip(&new.name));
    Ok(tx.row("look for a revocation", sql).await?.is_some())
}

/// Notes that a person revoked the agent, which no longer counts as living.
pub(super) async fn remember(tx: &mut Tx, agent: &Agent) -> Result<()> {
    let reach = reach(tx, agent).await?;
    let sql = "INSERT INTO revocations (agent, scope, role, service_account, name, reach, at) \
               SELECT id, scope, role, service_account, name, $2, $3 FROM agents WHERE id = $1 \
               ON CONFLICT (agent) DO NOTHING";
    let sql = Sql::new(sql).text(agent.id).text(reach.as_str()).int(tx.now);
    tx.execute("note a revocation", sql).await?;
    let sql = format!(
        "DELETE FROM revocations WHERE agent IN (SELECT agent FROM revocations WHERE scope = $1 \
         ORDER BY at DESC, agent DESC LIMIT 100 OFFSET {MAX_REVOCATIONS})"
    );
    tx.execute("forget revocations", Sql::new(sql).text(&agent.scope)).await?;
    Ok(())
}

async fn reach(tx: &mut Tx, agent: &Agent) -> Result<Reach> {
    let sql = "SELECT 1 FROM agents WHERE scope = $1 AND revoked = 0 LIMIT 1";
    if tx.row("look for a living agent", Sql::new(sql).text(&agent.scope)).await?.is_none() {
        return Ok(Reach::Cluster);
    }
    if agent.role == AgentRole::Sensor {
        return Ok(Reach::Name);
    }
    // One that enrolled has no service account, and may be a pod of any.
    let sql = "SELECT 1 FROM agents a JOIN agents b ON b.scope = a.scope AND b.role = a.role \
               WHERE a.id = $1 AND b.revoked = 0 AND (a.service_account IS NULL OR b.service_account IS NULL \
               OR a.service_account = b.service_account) LIMIT 1";
    let others = tx.row("look for agents of an account", Sql::new(sql).text(agent.id)).await?;
    Ok(if others.is_some() { Reach::Name } else { Reach::Account })
}

/// Ends what refuses this agent, and what its presence makes untrue: that all are revoked.
pub(super) async fn readmit(tx: &mut Tx, scope: &ScopePath, new: &NewAgent) -> Result<()> {
    let role = word(new.role);
    let sql = "DELETE FROM revocations WHERE scope = $1 AND role = $2 AND name = $3";
    let sql = Sql::new(sql).text(scope).text(role).text(clip(&new.name));
    tx.execute("end a revocation", sql).await?;
    let sql = "UPDATE revocations SET reach = CASE WHEN role = 'cluster_agent' AND role <> $2 \
               THEN 'account' ELSE 'name' END WHERE scope = $1 AND (reach = 'cluster' OR role = $2)";
    let sql = Sql::new(sql).text(scope).text(role);
    tx.execute("narrow revocations", sql).await?;
    Ok(())
}

pub(super) async fn undo(tx: &mut Tx, agent: Id) -> Result<()> {
    let sql = Sql::new("DELETE FROM revocations WHERE agent = $1").text(agent);
    tx.execute("end a revocation", sql).await?;
    Ok(())
}
