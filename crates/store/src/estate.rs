//! Scopes, clusters and agents: what is watched, and who watches.
mod revocation;
mod room;

use crate::cell::clip;
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::filter::fold;
use crate::list::{decode, fetch, fetch_where, read_where, select_of};
use crate::noun::Noun;
use crate::put::{put, remove};
use crate::store::{NewChange, Store, Tx};
use crate::visible::{Visible, push_clause};
use seawall_model::asset::{Agent, AgentRole, Capability, Cluster, ClusterKind};
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Clone, Debug)]
pub struct NewScope {
    pub parent: ScopePath,
    pub kind: ScopeKind,
    pub name: String,
}

impl NewScope {
    /// Where it will lie. Not yet checked: the parent may have no room or not exist.
    pub fn path(&self) -> ScopePath {
        self.parent.child(&segment(&self.name))
    }

    fn check(&self) -> Result<()> {
        let name = self.name.trim();
        let invalid = |field, message: String| Err(Error::Invalid { field, message });
        if !(1..=MAX_SEGMENT).contains(&name.chars().count()) || name.chars().any(char::is_control)
        {
            let message = format!("must have 1 to {MAX_SEGMENT} characters, none of them control");
            return invalid("name", message);
        }
        if matches!(name, "." | "..") {
            return invalid("name", format!("`{name}` would be read as another place"));
        }
        if self.kind == ScopeKind::Organisation {
            return invalid("kind", "there is one organisation, the root".to_owned());
        }
        Ok(())
    }
}

pub trait Scopes {
    /// `Error::Invalid` for a name that is none and below what holds no scopes; `Error::Missing` where the parent is not, `Error::Exists` for a second child of one path.
    async fn create_scope(&self, new: &NewScope) -> Result<Scope>;
    async fn scope(&self, visible: &Visible, path: &ScopePath) -> Result<Option<Scope>>;
}

pub trait Clusters {
    /// By the UID of its `kube-system` namespace, or the machine id.
    async fn cluster_by_uid(&self, visible: &Visible, uid: &str) -> Result<Option<Cluster>>;
    /// The cluster that lies at this place itself.
    async fn cluster_at(&self, scope: &ScopePath) -> Result<Option<Cluster>>;
}

#[derive(Clone, Debug)]
pub struct NewAgent {
    pub cluster_uid: String,
    pub cluster_name: String,
    pub cluster_kind: ClusterKind,
    /// Node name for sensors, pod or host name for cluster agents.
    pub name: String,
    pub role: AgentRole,
    /// `NAMESPACE/NAME`, where its token said so; `None` for one that enrols.
    pub service_account: Option<String>,
    /// End of the certificate the caller is about to sign.
    pub certificate_expires: Millis,
}

/// What became of an agent that came by its service account.
#[derive(Clone, Debug)]
pub enum Join {
    Joined(Box<JoinedAgent>),
    /// Nobody knows the cluster.
    UnknownCluster,
    /// A person revoked this agent, or all that could let it in.
    Revoked,
}

/// An agent that came by its service account.
#[derive(Clone, Debug)]
pub struct JoinedAgent {
    pub cluster: Cluster,
    pub agent: Agent,
    /// Those whose place it took: revoked.
    pub replaced: Vec<Id>,
}

/// What an agent says of itself when it connects.
#[derive(Clone, Debug)]
pub struct Greeting {
    pub version: String,
    pub capabilities: Vec<Capability>,
    /// Server version of its cluster.
    pub cluster_version: Option<String>,
}

pub trait Agents {
    /// Another agent of a known cluster, in the place of those of its role and name, whose identity was lost: they are
    /// revoked, and what they said of running containers is gone. Those of another service account stay: it is not
    /// theirs to give up. `Error::Transition` where the cluster is full.
    async fn join_agent(&self, agent: &NewAgent) -> Result<Join>;
    /// The agent and the last sequence that was committed for it. `None` when unknown or revoked.
    async fn agent_connected(&self, agent: Id, greeting: &Greeting) -> Result<Option<Agent>>;
    async fn agent_disconnected(&self, agent: Id) -> Result<()>;
    /// A heartbeat came. Cheap: at most one write per agent and 10 s.
    async fn agent_seen(&self, agent: Id) -> Result<()>;
    /// The certificate was renewed. `None` when unknown or revoked.
    async fn agent_renewed(&self, agent: Id, certificate_expires: Millis) -> Result<Option<Agent>>;
    /// By a person: for ever, and who has its role, name and service account does not join again. Of cluster agents,
    /// whose name is their pod's, the last of a service account stands for all pods of it; the last agent of a cluster
    /// for all of the cluster. `None` when it is unknown or not visible.
    async fn revoke_agent(&self, visible: &Visible, agent: Id) -> Result<Option<Agent>>;
    /// The living agent that joined in the place of this one, which is revoked.
    async fn successor(&self, agent: Id) -> Result<Option<Agent>>;
    /// Removes a revoked agent, and with it what its revocation refuses. `None` when it is unknown or not visible,
    /// `Error::Transition` where it is not revoked.
    async fn forget_agent(&self, visible: &Visible, agent: Id) -> Result<Option<Agent>>;
    /// Revokes cluster agents that joined and were last heard before `silent_since`: their pods are gone, and joining
    /// brings back who is not. The last heard of each cluster stays: it tells since when the cluster is silent, and the
    /// cluster keeps its keys by it. At most [`RETIRED_AT_ONCE`]; returns them.
    async fn retire_agents(&self, silent_since: Millis) -> Result<Vec<Agent>>;
    /// Of the agents of the cluster at `scope` that are not revoked the first `limit`: those connected, then the last
    /// heard.
    async fn agents_of_cluster(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        limit: u32,
    ) -> Result<Vec<Agent>>;
    /// A starting hub on SQLite knows that nobody is connected.
    async fn disconnect_all(&self) -> Result<u64>;
    /// The last committed sequence; 0 at first, `None` when the agent is unknown.
    async fn watermark(&self, agent: Id) -> Result<Option<u64>>;
}

/// Each is a row and what runs there: a transaction of below a second.
pub const RETIRED_AT_ONCE: i64 = 500;
/// Heartbeats are noted no more often than this.
const SEEN: Millis = 10_000;
/// Characters of a path segment, so that eight levels fit the path's bound.
const MAX_SEGMENT: usize = 48;

/// An agent as written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredAgent {
    pub(crate) agent: Agent,
    #[serde(skip)]
    pub(crate) cluster_uid: String,
    #[serde(skip)]
    pub(crate) service_account: Option<String>,
}

pub(crate) async fn ensure_root(store: &Store) -> Result<()> {
    let root = ScopePath::root();
    if store.scope(&Visible::system(), &root).await?.is_some() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    tx.lock("scopes").await?;
    if scope_kind(&mut tx, &root).await?.is_none() {
        let name = "Organisation".to_owned();
        insert_scope(&mut tx, root, ScopeKind::Organisation, name).await?;
    }
    tx.commit().await
}

async fn scope_kind(tx: &mut Tx, path: &ScopePath) -> Result<Option<ScopeKind>> {
    let scopes: Vec<Scope> = fetch_where(tx, "t.scope = $1", path).await?;
    Ok(scopes.first().map(|scope| scope.kind))
}

async fn insert_scope(
    tx: &mut Tx,
    path: ScopePath,
    kind: ScopeKind,
    name: String,
) -> Result<Scope> {
    let scope = Scope { id: tx.new_id(), path, kind, name, created: tx.now };
    put(tx, std::slice::from_ref(&scope)).await?;
    note(tx, "scope", scope.id, &scope.path);
    Ok(scope)
}

/// A change of something that has no revision of its own: its time stands for it.
fn note(tx: &mut Tx, noun: &'static str, id: Id, scope: &ScopePath) {
    let revision = u64::try_from(tx.now).unwrap_or_default();
    let scope = scope.clone();
    tx.changed(NewChange { noun, id, revision, scope, namespace: None, image: None });
}

/// A name as path segment, bounded. Where it has letters that a path cannot hold, or none at all, a hash keeps it apart
/// from others: `child` alone would make `--` of both 東京 and 大阪.
fn segment(name: &str) -> String {
    let name = name.trim();
    let has_letters = name.chars().any(|c| c.is_ascii_alphanumeric());
    if has_letters && name.is_ascii() {
        return name.chars().take(MAX_SEGMENT).collect();
    }
    let hash = hex::encode(&Sha256::digest(fold(name))[..4]);
    let room = MAX_SEGMENT - hash.len() - 1;
    match has_letters {
        true => format!("{}-{hash}", name.chars().take(room).collect::<String>()),
        false => hash,
    }
}

impl Scopes for Store {
    async fn create_scope(&self, new: &NewScope) -> Result<Scope> {
        new.check()?;
        let mut tx = self.begin().await?;
        tx.lock("scopes").await?;
        match scope_kind(&mut tx, &new.parent).await? {
            None => return Err(Error::Missing { what: format!("scope {}", new.parent) }),
            Some(ScopeKind::Organisation | ScopeKind::Account) => {}
            Some(ScopeKind::Cluster | ScopeKind::Registry | ScopeKind::Node) => {
                let message = format!("{} holds no scopes: only accounts do", new.parent);
                return Err(Error::Invalid { field: "parent", message });
            }
        }
        let path = new.path();
        // A path that is too long for its bound is none.
        let path: ScopePath = path.as_str().parse().map_err(|_| Error::Invalid {
            field: "name",
            message: format!("{path} lies too deep"),
        })?;
        if scope_kind(&mut tx, &path).await?.is_some() {
            return Err(Error::Exists { what: format!("scope {path}") });
        }
        let scope = insert_scope(&mut tx, path, new.kind, new.name.trim().to_owned()).await?;
        tx.commit().await?;
        Ok(scope)
    }

    async fn scope(&self, visible: &Visible, path: &ScopePath) -> Result<Option<Scope>> {
        let scopes: Vec<Scope> = read_where(self.db(), "t.scope = $1", path).await?;
        let place = |scope: &Scope| visible.touches(&scope.path);
        Ok(scopes.into_iter().find(place))
    }
}

impl Clusters for Store {
    async fn cluster_by_uid(&self, visible: &Visible, uid: &str) -> Result<Option<Cluster>> {
        let clusters: Vec<Cluster> = read_where(self.db(), "t.uid = $1", clip(uid)).await?;
        Ok(clusters.into_iter().find(|cluster| visible.touches(&cluster.scope)))
    }

    async fn cluster_at(&self, scope: &ScopePath) -> Result<Option<Cluster>> {
        let clusters: Vec<Cluster> = read_where(self.db(), "t.scope = $1", scope).await?;
        Ok(clusters.into_iter().next())
    }
}

pub(crate) async fn find_cluster(tx: &mut Tx, uid: &str) -> Result<Option<Cluster>> {
    let clusters: Vec<Cluster> = fetch_where(tx, "t.uid = $1", clip(uid)).await?;
    Ok(clusters.into_iter().next())
}

/// The cluster of this agent, made below `parent` if nobody saw it before. Hold the lock `scopes`.
pub(crate) async fn register_cluster(
    tx: &mut Tx,
    parent: &ScopePath,
    new: &NewAgent,
) -> Result<Cluster> {
    let now = tx.now;
    if let Some(mut cluster) = find_cluster(tx, &new.cluster_uid).await? {
        cluster.last_seen = now;
        put(tx, std::slice::from_ref(&cluster)).await?;
        note(tx, "cluster", cluster.id, &cluster.scope);
        return Ok(cluster);
    }
    let name =
        if new.cluster_name.trim().is_empty() { &new.cluster_uid } else { &new.cluster_name };
    let scope = place_cluster(tx, parent, name, new).await?;
    let cluster = Cluster {
        id: tx.new_id(),
        scope,
        uid: clip(&new.cluster_uid),
        name: clip(name),
        kind: new.cluster_kind,
        version: None,
        first_seen: now,
        last_seen: now,
    };
    put(tx, std::slice::from_ref(&cluster)).await?;
    note(tx, "cluster", cluster.id, &cluster.scope);
    Ok(cluster)
}

/// A scope made for a cluster beforehand takes the first that comes; others get a new one below, by name, and by UID
/// where the name is taken.
async fn place_cluster(
    tx: &mut Tx,
    parent: &ScopePath,
    name: &str,
    new: &NewAgent,
) -> Result<ScopePath> {
    let prepared =
        matches!(scope_kind(tx, parent).await?, Some(ScopeKind::Cluster | ScopeKind::Node));
    if prepared {
        let there: Vec<Cluster> = fetch_where(tx, "t.scope = $1", parent).await?;
        if there.is_empty() {
            return Ok(parent.clone());
        }
    }
    let kind = match new.cluster_kind {
        ClusterKind::Kubernetes => ScopeKind::Cluster,
        ClusterKind::Machine => ScopeKind::Node,
    };
    let by_name = parent.child(&segment(name));
    let by_uid = parent.child(&segment(&new.cluster_uid));
    for path in [by_name, by_uid] {
        let fits = path.as_str().parse::<ScopePath>().is_ok();
        if fits && scope_kind(tx, &path).await?.is_none() {
            insert_scope(tx, path.clone(), kind, clip(name)).await?;
            return Ok(path);
        }
    }
    Err(Error::Exists { what: format!("a scope for {name} below {parent}") })
}

/// One that enrols is readmitted, whatever was revoked before. Hold the lock `scopes`.
pub(crate) async fn enrol_agent(tx: &mut Tx, cluster: &Cluster, new: &NewAgent) -> Result<Agent> {
    revocation::readmit(tx, &cluster.scope, new).await?;
    insert_agent(tx, cluster, new).await
}

/// Hold the lock `scopes`. `Error::Transition` where the cluster is full of agents that are connected.
async fn insert_agent(tx: &mut Tx, cluster: &Cluster, new: &NewAgent) -> Result<Agent> {
    room::make(tx, &cluster.scope).await?;
    let agent = Agent {
        id: tx.new_id(),
        scope: cluster.scope.clone(),
        cluster: cluster.name.clone(),
        role: new.role,
        name: clip(&new.name),
        version: String::new(),
        capabilities: Vec::new(),
        dropped: Vec::new(),
        last_sequence: 0,
        certificate_expires: new.certificate_expires,
        revoked: false,
        connected: false,
        last_audit_event: None,
        audit_events: 0,
        first_seen: tx.now,
        last_seen: tx.now,
    };
    let service_account = new.service_account.as_deref().map(clip);
    let stored = StoredAgent { agent, cluster_uid: cluster.uid.clone(), service_account };
    put(tx, std::slice::from_ref(&stored)).await?;
    note(tx, "agent", stored.agent.id, &stored.agent.scope);
    Ok(stored.agent)
}

/// The agent for a change, unless it is unknown or revoked.
pub(crate) async fn living_agent(tx: &mut Tx, agent: Id) -> Result<Option<Agent>> {
    let agent: Option<Agent> = fetch(tx, &Visible::system(), agent).await?;
    Ok(agent.filter(|agent| !agent.revoked))
}

impl Agents for Store {
    async fn join_agent(&self, new: &NewAgent) -> Result<Join> {
        let mut tx = self.begin().await?;
        tx.lock("scopes").await?;
        let Some(cluster) = find_cluster(&mut tx, &new.cluster_uid).await? else {
            return Ok(Join::UnknownCluster);
        };
        if revocation::refuses(&mut tx, &cluster.scope, new).await? {
            return Ok(Join::Revoked);
        }
        let mut replaced = Vec::new();
        for mut agent in room::namesakes(&mut tx, &cluster.scope, new).await? {
            room::revoke(&mut tx, &mut agent).await?;
            replaced.push(agent.id);
        }
        let agent = insert_agent(&mut tx, &cluster, new).await?;
        tx.commit().await?;
        Ok(Join::Joined(Box::new(JoinedAgent { cluster, agent, replaced })))
    }

    async fn agent_connected(&self, agent: Id, greeting: &Greeting) -> Result<Option<Agent>> {
        let mut tx = self.begin().await?;
        let Some(mut agent) = living_agent(&mut tx, agent).await? else { return Ok(None) };
        agent.version = clip(&greeting.version);
        // Sensors tell theirs by records, which a new connection must not undo.
        if !greeting.capabilities.is_empty() {
            agent.capabilities.clone_from(&greeting.capabilities);
        }
        agent.connected = true;
        agent.last_seen = tx.now;
        put(&mut tx, std::slice::from_ref(&agent)).await?;
        note(&mut tx, "agent", agent.id, &agent.scope);
        let clusters: Vec<Cluster> = fetch_where(&mut tx, "t.scope = $1", &agent.scope).await?;
        for mut cluster in clusters {
            cluster.last_seen = tx.now;
            if greeting.cluster_version.is_some() {
                cluster.version.clone_from(&greeting.cluster_version);
            }
            put(&mut tx, std::slice::from_ref(&cluster)).await?;
            note(&mut tx, "cluster", cluster.id, &cluster.scope);
        }
        tx.commit().await?;
        Ok(Some(agent))
    }

    async fn agent_disconnected(&self, agent: Id) -> Result<()> {
        let mut tx = self.begin().await?;
        let agent: Option<Agent> = fetch(&mut tx, &Visible::system(), agent).await?;
        if let Some(agent) = agent.filter(|agent| agent.connected) {
            let sql = Sql::new("UPDATE agents SET connected = 0 WHERE id = $1").text(agent.id);
            tx.execute("note a disconnect", sql).await?;
            note(&mut tx, "agent", agent.id, &agent.scope);
            tx.commit().await?;
        }
        Ok(())
    }

    async fn agent_seen(&self, agent: Id) -> Result<()> {
        let now = self.now();
        let sql = "SELECT 1 FROM agents WHERE id = $1 AND last <= $2";
        let due = Sql::new(sql).text(agent).int(now.saturating_sub(SEEN));
        if self.db().row("read an agent", due).await?.is_none() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let sql = Sql::new("UPDATE agents SET last = $2 WHERE id = $1").text(agent).int(now);
        tx.execute("note a heartbeat", sql).await?;
        let sql =
            "UPDATE clusters SET last = $2 WHERE scope = (SELECT scope FROM agents WHERE id = $1)";
        tx.execute("note a heartbeat", Sql::new(sql).text(agent).int(now)).await?;
        tx.commit().await
    }

    async fn agent_renewed(&self, agent: Id, certificate_expires: Millis) -> Result<Option<Agent>> {
        let mut tx = self.begin().await?;
        let Some(mut agent) = living_agent(&mut tx, agent).await? else { return Ok(None) };
        agent.certificate_expires = certificate_expires;
        put(&mut tx, std::slice::from_ref(&agent)).await?;
        note(&mut tx, "agent", agent.id, &agent.scope);
        tx.commit().await?;
        Ok(Some(agent))
    }

    async fn revoke_agent(&self, visible: &Visible, agent: Id) -> Result<Option<Agent>> {
        let mut tx = self.begin().await?;
        // Nobody joins meanwhile: who is the last is counted.
        tx.lock("scopes").await?;
        let Some(mut agent) = fetch::<Agent>(&mut tx, visible, agent).await? else {
            return Ok(None);
        };
        let lived = !agent.revoked;
        room::revoke(&mut tx, &mut agent).await?;
        if lived {
            revocation::remember(&mut tx, &agent).await?;
        }
        tx.commit().await?;
        Ok(Some(agent))
    }

    async fn successor(&self, agent: Id) -> Result<Option<Agent>> {
        let mut sql = select_of::<Agent>().text(agent);
        sql.push(
            "t.revoked = 0 AND t.id = (SELECT max(b.id) FROM agents a JOIN agents b ON b.scope = a.scope \
             WHERE a.id = $1 AND a.revoked = 1 AND b.revoked = 0 AND b.role = a.role AND b.name = a.name \
             AND (a.service_account IS NULL OR a.service_account = b.service_account) \
             AND b.service_account IS NOT NULL)",
        );
        let row = self.db().row("look for an agent's successor", sql).await?;
        row.as_ref().map(decode).transpose()
    }

    async fn forget_agent(&self, visible: &Visible, agent: Id) -> Result<Option<Agent>> {
        let mut tx = self.begin().await?;
        tx.lock("scopes").await?;
        let Some(agent) = fetch::<Agent>(&mut tx, visible, agent).await? else {
            return Ok(None);
        };
        if !agent.revoked {
            let message = format!("{} is not revoked: revoke it first", agent.name);
            return Err(Error::Transition { message });
        }
        revocation::undo(&mut tx, agent.id).await?;
        remove::<Agent>(&mut tx, &[agent.id]).await?;
        note(&mut tx, "agent", agent.id, &agent.scope);
        tx.commit().await?;
        Ok(Some(agent))
    }

    async fn retire_agents(&self, silent_since: Millis) -> Result<Vec<Agent>> {
        let mut tx = self.begin().await?;
        tx.lock("scopes").await?;
        let retired = room::retire(&mut tx, silent_since).await?;
        if !retired.is_empty() {
            tx.commit().await?;
        }
        Ok(retired)
    }

    async fn agents_of_cluster(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        limit: u32,
    ) -> Result<Vec<Agent>> {
        let mut sql = select_of::<Agent>().text(scope).int(i64::from(limit));
        sql.push("t.scope = $1 AND t.revoked = 0 AND ");
        push_clause(self.db(), &mut sql, visible, Agent::TABLE.narrowing);
        sql.push(" ORDER BY t.connected DESC, t.last DESC, t.id LIMIT $2");
        let rows = self.db().rows("read a cluster's agents", sql).await?;
        rows.iter().map(decode).collect()
    }

    async fn disconnect_all(&self) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("UPDATE agents SET connected = 0 WHERE connected = 1");
        let changed = tx.execute("disconnect all agents", sql).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn watermark(&self, agent: Id) -> Result<Option<u64>> {
        let sql = Sql::new("SELECT sequence FROM agents WHERE id = $1").text(agent);
        Ok(self.db().row("read a watermark", sql).await?.map(|row| row.uint(0)))
    }
}
