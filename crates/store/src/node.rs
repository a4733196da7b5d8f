//! Nodes: what sensors told of them last, what their objects are labelled with, and what controls say of either.
use crate::asset::OBJECT;
use crate::cell::clip;
use crate::db::{Row, Sql};
use crate::error::{Error, Result};
use crate::finding::{self, Draft, Subject};
use crate::ingest::Changed;
use crate::list::{self, fetch_where, select_of};
use crate::store::{Store, Tx};
use crate::verdict::{self, Settled};
use seawall_model::asset::{Asset, Cluster};
use seawall_model::facts::NodeFacts;
use seawall_model::finding::ObjectAssessment;
use seawall_model::scope::ScopePath;

/// One node of a cluster, or one machine, by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub scope: ScopePath,
    pub name: String,
    /// Of its object; none where no cluster agent told of one.
    pub labels: Option<Vec<(String, String)>>,
    /// None where no sensor told of it.
    pub facts: Option<NodeFacts>,
    /// Of the facts; rises whenever they are told.
    revision: u64,
}

pub trait Nodes {
    /// Names of all nodes at exactly `scope` that have an object or facts.
    async fn node_names(&self, scope: &ScopePath) -> Result<Vec<String>>;
    async fn node(&self, scope: &ScopePath, name: &str) -> Result<Node>;
    /// Replaces what controls say of the node. Nothing happens, and `None` is returned, where it is gone, or is not any
    /// more what it was when `node` was read.
    async fn judge_node(&self, node: &Node, said: ObjectAssessment) -> Result<Option<Changed>>;
}

impl Nodes for Store {
    async fn node_names(&self, scope: &ScopePath) -> Result<Vec<String>> {
        let sql = "SELECT node FROM node_facts WHERE scope = $1 UNION \
                   SELECT name FROM assets WHERE scope = $1 AND kind = 'Node' \
                   AND api_version = 'v1' AND origin = $2 ORDER BY 1";
        let sql = Sql::new(sql).text(scope).text(OBJECT);
        let rows = self.db().rows("list nodes", sql).await?;
        Ok(rows.iter().map(|row| row.text(0)).collect())
    }

    async fn node(&self, scope: &ScopePath, name: &str) -> Result<Node> {
        let object = self.db().row("look for a node's object", object(scope, name)).await?;
        let facts = self.db().row("read a node's facts", facts(scope, name)).await?;
        read(scope, name, object.as_ref(), facts.as_ref())
    }

    async fn judge_node(&self, node: &Node, said: ObjectAssessment) -> Result<Option<Changed>> {
        let Node { scope, name, .. } = node;
        let mut tx = self.begin().await?;
        tx.lock(scope.as_str()).await?;
        let object = tx.row("look for a node's object", object(scope, name)).await?;
        let facts = tx.row("read a node's facts", facts(scope, name)).await?;
        let known = object.is_some() || facts.is_some();
        if !known || read(scope, name, object.as_ref(), facts.as_ref())? != *node {
            return Ok(None);
        }
        let clusters: Vec<Cluster> = fetch_where(&mut tx, "t.scope = $1", scope).await?;
        let cluster = clusters.first().map(|cluster| cluster.name.clone());
        let mut changed = Changed { scope: Some(scope.clone()), ..Changed::default() };
        replace(&mut tx, &subject(scope, cluster, name), name, Some(said), &mut changed).await?;
        tx.commit().await?;
        Ok(Some(changed))
    }
}

fn object(scope: &ScopePath, name: &str) -> Sql {
    let mut sql = select_of::<Asset>().text(scope).text(clip(name)).text(OBJECT);
    sql.push(
        "t.scope = $1 AND t.name = $2 AND t.origin = $3 AND t.kind = 'Node' AND t.api_version = 'v1' \
         ORDER BY t.id LIMIT 1",
    );
    sql
}

fn facts(scope: &ScopePath, name: &str) -> Sql {
    let sql = "SELECT facts, revision FROM node_facts WHERE scope = $1 AND node = $2";
    Sql::new(sql).text(scope).text(clip(name))
}

fn read(scope: &ScopePath, name: &str, object: Option<&Row>, facts: Option<&Row>) -> Result<Node> {
    let labels = object.map(list::decode::<Asset>).transpose()?.map(|asset| asset.labels);
    // What another version of the hub wrote and this one cannot read was not told: the sensor tells it again.
    let read = facts.and_then(|row| serde_json::from_str(&row.text(0)).ok());
    let revision = facts.map_or(0, |row| row.uint(1));
    Ok(Node { scope: scope.clone(), name: name.to_owned(), labels, facts: read, revision })
}

pub(crate) fn subject(scope: &ScopePath, cluster: Option<String>, name: &str) -> Subject {
    let name = format!("node:{scope}{}", clip(name));
    Subject { name, scope: scope.clone(), cluster, image: None }
}

/// Keeps what a sensor told.
pub(crate) async fn keep(tx: &mut Tx, scope: &ScopePath, facts: &NodeFacts) -> Result<()> {
    let text = serde_json::to_string(facts)
        .map_err(|source| Error::Encode { noun: "node facts", source })?;
    let sql = "INSERT INTO node_facts (scope, node, revision, facts) VALUES ($1, $2, 1, $3) \
               ON CONFLICT (scope, node) DO UPDATE \
               SET facts = excluded.facts, revision = node_facts.revision + 1";
    let sql = Sql::new(sql).text(scope).text(clip(&facts.node)).text(text);
    tx.execute("write a node's facts", sql).await?;
    Ok(())
}

/// Makes `said` all that controls say of the node; none: it is gone.
pub(crate) async fn replace(
    tx: &mut Tx,
    subject: &Subject,
    name: &str,
    said: Option<ObjectAssessment>,
    changed: &mut Changed,
) -> Result<()> {
    let (settled, drafts) = match said {
        Some(mut said) => {
            let settled = Settled::of(&mut said);
            let drafts = said.findings.into_iter().map(|finding| Draft::control(finding, name));
            (Some(settled), drafts.collect())
        }
        None => (None, Vec::new()),
    };
    changed.satisfied.extend(verdict::replace(tx, subject, None, name, settled.as_ref()).await?);
    let settled = settled.unwrap_or_default();
    changed.findings.extend(finding::replace(tx, subject, drafts, &settled).await?);
    Ok(())
}

/// The node's object is gone: so is what a sensor told, and all that was said of it.
pub(crate) async fn end(
    tx: &mut Tx,
    scope: &ScopePath,
    name: &str,
    changed: &mut Changed,
) -> Result<()> {
    let sql = Sql::new("DELETE FROM node_facts WHERE scope = $1 AND node = $2");
    tx.execute("forget a node's facts", sql.text(scope).text(clip(name))).await?;
    replace(tx, &subject(scope, None, name), name, None, changed).await
}
