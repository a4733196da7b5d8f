//! Users' policy sets: texts of people, what clusters said of them, and from when on one may refuse.
use crate::db::{Arg, Db, Row, Sql};
use crate::error::{Error, Result, check_revision};
use crate::list::{decode, fetch, id, parsed, read_where};
use crate::noun::Narrowing;
use crate::put::{id_array, put};
use crate::store::{NewChange, Store, Tx};
use crate::visible::{Visible, push_clause};
use seawall_model::admission::PolicyAction;
use seawall_model::policy_set::{PolicySet, Tried};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

#[derive(Clone, Debug)]
pub struct NewPolicySet {
    /// One of its scope.
    pub name: String,
    pub scope: ScopePath,
    pub text: String,
    pub action: PolicyAction,
}

/// A set as lists have it: without its text, with what its trials came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicySetEntry {
    pub id: Id,
    pub name: String,
    pub scope: ScopePath,
    /// Bytes of the text.
    pub size: u64,
    /// Raised by every change of the text; trials name it.
    pub version: u64,
    pub action: PolicyAction,
    pub trials: TrialSums,
    pub created: Millis,
    pub updated: Millis,
    pub revision: u64,
}

/// What the present text would do, over all clusters that tried it and that the caller sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrialSums {
    pub clusters: u64,
    pub objects: Tried,
    pub requests: Tried,
}

/// How much of what an agent is told one set takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySetSize {
    pub id: Id,
    pub scope: ScopePath,
    /// Bytes of the text.
    pub text: u64,
    /// Bytes of the text as JSON.
    pub quoted: u64,
}

pub trait PolicySets {
    /// Errors: `Exists` for a name of the same scope, `Invalid` for an action over `audit`.
    async fn create_policy_set(&self, new: &NewPolicySet) -> Result<PolicySet>;
    /// The scope stays. `None` when it is unknown or not visible. Errors: `Untried` where it is to warn or refuse and a
    /// connected cluster has not tried the present text, `Transition` where that changes with it.
    async fn replace_policy_set(
        &self,
        visible: &Visible,
        id: Id,
        new: &NewPolicySet,
        expected: Option<u64>,
    ) -> Result<Option<PolicySet>>;
    /// Its trials go with it.
    async fn delete_policy_set(&self, visible: &Visible, id: Id) -> Result<Option<PolicySetEntry>>;
    async fn policy_set(&self, visible: &Visible, id: Id) -> Result<Option<PolicySet>>;
    /// Those that hold at `scope`, made there or above, and are not `off`. Nobody filled in their trials.
    async fn policy_sets_at(&self, scope: &ScopePath) -> Result<Vec<PolicySetEntry>>;
    /// Of those, the ones whose present text was tried at exactly `scope`.
    async fn tried_at(&self, scope: &ScopePath) -> Result<HashSet<Id>>;
    /// Texts by id, with the versions they are of.
    async fn policy_set_texts(&self, ids: &[Id]) -> Result<HashMap<Id, (u64, String)>>;
    /// Of those that hold at `scope` or were made below.
    async fn policy_set_sizes(&self, scope: &ScopePath) -> Result<Vec<PolicySetSize>>;
    async fn trial_sums(&self, visible: &Visible, set: Id) -> Result<TrialSums>;
    /// Names of connected clusters at and below the set's scope that have not tried its present text; at most
    /// [`MAX_UNTRIED`].
    async fn untried(&self, visible: &Visible, set: &PolicySet) -> Result<Vec<String>>;
}

/// Clusters that are named: a person reads no more.
pub const MAX_UNTRIED: usize = 50;
/// Held by who makes or renames a set: names are unique at a scope.
const LOCK: &str = "policy_sets";

impl PolicySetEntry {
    fn with(self, text: String) -> PolicySet {
        let Self { id, name, scope, version, action, created, updated, revision, .. } = self;
        PolicySet { id, name, scope, text, version, action, created, updated, revision }
    }
}

impl PolicySets for Store {
    async fn create_policy_set(&self, new: &NewPolicySet) -> Result<PolicySet> {
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        let sql = Sql::new("SELECT 1 FROM scopes WHERE scope = $1").text(&new.scope);
        if tx.row("look for a scope", sql).await?.is_none() {
            return Err(Error::Missing { what: format!("scope {}", new.scope) });
        }
        if new.action > PolicyAction::Audit {
            let message =
                "begins at `audit` or `off`: raise it once every connected cluster has tried it";
            return Err(Error::Invalid { field: "action", message: message.to_owned() });
        }
        check_name(&mut tx, &new.scope, &new.name).await?;
        let entry = PolicySetEntry {
            id: tx.new_id(),
            name: new.name.clone(),
            scope: new.scope.clone(),
            size: new.text.len() as u64,
            version: 1,
            action: new.action,
            trials: TrialSums::default(),
            created: tx.now,
            updated: tx.now,
            revision: 1,
        };
        put(&mut tx, std::slice::from_ref(&entry)).await?;
        write_text(&mut tx, entry.id, &new.text).await?;
        note(&mut tx, &entry);
        tx.commit().await?;
        Ok(entry.with(new.text.clone()))
    }

    async fn replace_policy_set(
        &self,
        visible: &Visible,
        id: Id,
        new: &NewPolicySet,
        expected: Option<u64>,
    ) -> Result<Option<PolicySet>> {
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        let Some(mut entry) = fetch::<PolicySetEntry>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        check_revision(expected, entry.revision)?;
        if new.name != entry.name {
            check_name(&mut tx, &entry.scope, &new.name).await?;
        }
        let sql = Sql::new("SELECT text FROM policy_sets WHERE id = $1").text(id);
        let text = tx.row("read a policy set's text", sql).await?.map(|row| row.text(0));
        let same_text = text.as_ref() == Some(&new.text);
        check_action(&mut tx, &entry, new.action, same_text).await?;
        entry.name.clone_from(&new.name);
        entry.action = new.action;
        entry.updated = tx.now;
        entry.revision += 1;
        if !same_text {
            entry.version += 1;
            entry.size = new.text.len() as u64;
            write_text(&mut tx, id, &new.text).await?;
        }
        put(&mut tx, std::slice::from_ref(&entry)).await?;
        note(&mut tx, &entry);
        tx.commit().await?;
        Ok(Some(entry.with(new.text.clone())))
    }

    async fn delete_policy_set(&self, visible: &Visible, id: Id) -> Result<Option<PolicySetEntry>> {
        let mut tx = self.begin().await?;
        let Some(mut entry) = fetch::<PolicySetEntry>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        let sql = Sql::new("DELETE FROM policy_sets WHERE id = $1").text(id);
        tx.execute("delete a policy set", sql).await?;
        entry.revision += 1;
        note(&mut tx, &entry);
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn policy_set(&self, visible: &Visible, id: Id) -> Result<Option<PolicySet>> {
        let sql =
            "SELECT t.id, t.version, t.payload, t.text FROM policy_sets t WHERE t.id = $1 AND ";
        let mut sql = Sql::new(sql).text(id);
        push_clause(self.db(), &mut sql, visible, Narrowing::Nothing);
        let row = self.db().row("read a policy set", sql).await?;
        let read = |row: Row| Ok(decode::<PolicySetEntry>(&row)?.with(row.text(3)));
        row.map(read).transpose()
    }

    async fn policy_sets_at(&self, scope: &ScopePath) -> Result<Vec<PolicySetEntry>> {
        // Few: they are made by people.
        let all: Vec<PolicySetEntry> = read_where(self.db(), "t.action <> $1", "off").await?;
        Ok(all.into_iter().filter(|one| scope.is_within(&one.scope)).collect())
    }

    async fn tried_at(&self, scope: &ScopePath) -> Result<HashSet<Id>> {
        let sql = "SELECT t.policy_set FROM trials t JOIN policy_sets s ON s.id = t.policy_set \
                   AND s.text_version = t.text_version WHERE t.scope = $1 AND s.action <> 'off'";
        let rows = self.db().rows("look for trials", Sql::new(sql).text(scope)).await?;
        rows.iter().map(|row| id(row, 0)).collect()
    }

    async fn policy_set_texts(&self, ids: &[Id]) -> Result<HashMap<Id, (u64, String)>> {
        let texts = self.db().texts(1);
        let sql = format!("SELECT id, text_version, text FROM policy_sets WHERE id IN {texts}");
        let sql = Sql::new(sql).text(id_array(ids.iter().copied()));
        let rows = self.db().rows("read texts of policy sets", sql).await?;
        rows.iter().map(|row| Ok((id(row, 0)?, (row.uint(1), row.text(2))))).collect()
    }

    async fn policy_set_sizes(&self, scope: &ScopePath) -> Result<Vec<PolicySetSize>> {
        let sql = Sql::new("SELECT id, scope, size, quoted FROM policy_sets ORDER BY id");
        let rows = self.db().rows("read sizes of policy sets", sql).await?;
        let size = |row: &Row| {
            let scope = parsed("policy_set", &row.text(1))?;
            Ok(PolicySetSize { id: id(row, 0)?, scope, text: row.uint(2), quoted: row.uint(3) })
        };
        let all: Vec<PolicySetSize> = rows.iter().map(size).collect::<Result<_>>()?;
        let near = |one: &PolicySetSize| scope.is_within(&one.scope) || one.scope.is_within(scope);
        Ok(all.into_iter().filter(near).collect())
    }

    async fn trial_sums(&self, visible: &Visible, set: Id) -> Result<TrialSums> {
        Ok(sums(self.db(), visible, &[set]).await?.remove(&set).unwrap_or_default())
    }

    async fn untried(&self, visible: &Visible, set: &PolicySet) -> Result<Vec<String>> {
        let sql = untried(self.db(), visible, (set.id, set.version, &set.scope));
        let rows = self.db().rows("look for clusters without a trial", sql).await?;
        Ok(rows.iter().map(|row| row.text(0)).collect())
    }
}

/// What the list shows beside each set.
pub(crate) async fn fill_trials(
    store: &Store,
    visible: &Visible,
    items: &mut [PolicySetEntry],
) -> Result<()> {
    let ids: Vec<Id> = items.iter().map(|item| item.id).collect();
    let mut found = sums(store.db(), visible, &ids).await?;
    for item in items {
        item.trials = found.remove(&item.id).unwrap_or_default();
    }
    Ok(())
}

/// Counts in the order that [`sums`] reads them.
const COUNTS: [&str; 8] = [
    "objects_judged",
    "objects_refused",
    "objects_warned",
    "objects_undecided",
    "requests_judged",
    "requests_refused",
    "requests_warned",
    "requests_undecided",
];

async fn sums(db: &Db, visible: &Visible, sets: &[Id]) -> Result<HashMap<Id, TrialSums>> {
    let counts: String =
        COUNTS.iter().map(|count| format!(", CAST(sum(t.{count}) AS BIGINT)")).collect();
    let mut sql = Sql::new(format!(
        "SELECT t.policy_set, count(*){counts} FROM trials t JOIN policy_sets s \
         ON s.id = t.policy_set AND s.text_version = t.text_version WHERE t.policy_set IN {} AND ",
        db.texts(1)
    ))
    .text(id_array(sets.iter().copied()));
    push_clause(db, &mut sql, visible, Narrowing::Nothing);
    sql.push(" GROUP BY t.policy_set");
    let rows = db.rows("add trials up", sql).await?;
    let tried = |row: &Row, first: usize| Tried {
        judged: row.uint(first),
        refused: row.uint(first + 1),
        warned: row.uint(first + 2),
        undecided: row.uint(first + 3),
    };
    let sum = |row: &Row| {
        let (objects, requests) = (tried(row, 2), tried(row, 6));
        Ok((id(row, 0)?, TrialSums { clusters: row.uint(1), objects, requests }))
    };
    rows.iter().map(sum).collect()
}

/// Clusters whose cluster agent is connected, and of which no trial of this version is known: sensors try nothing.
fn untried(db: &Db, visible: &Visible, (set, version, scope): (Id, u64, &ScopePath)) -> Sql {
    let mut sql = Sql::new(
        "SELECT t.name FROM clusters t WHERE EXISTS (SELECT 1 FROM agents a WHERE a.scope = t.scope AND \
         a.role = 'cluster_agent' AND a.connected = 1 AND a.revoked = 0) AND NOT EXISTS (SELECT 1 FROM trials l \
         WHERE l.policy_set = $1 AND l.text_version = $2 AND l.scope = t.scope) AND t.scope >= $3 AND t.scope < $4 AND ",
    )
    .text(set)
    .uint(version)
    .text(scope)
    .text(scope.upper());
    push_clause(db, &mut sql, visible, Narrowing::Nothing);
    sql.push(" ORDER BY t.name, t.id LIMIT ").bind(Arg::Int(i64::try_from(MAX_UNTRIED).ok()));
    sql
}

/// Whether the set may do that: what warns or refuses was tried before, as it is.
async fn check_action(
    tx: &mut Tx,
    entry: &PolicySetEntry,
    action: PolicyAction,
    same_text: bool,
) -> Result<()> {
    if action <= PolicyAction::Audit {
        return Ok(());
    }
    if !same_text {
        let message = "a new text begins at `audit`: send the action `audit` with it, and raise it once every \
                       connected cluster has tried that text";
        return Err(Error::Transition { message: message.to_owned() });
    }
    if action <= entry.action {
        return Ok(());
    }
    let (id, version) = (entry.id, entry.version);
    let sql = untried(tx.db(), &Visible::system(), (id, version, &entry.scope));
    let rows = tx.rows("look for clusters without a trial", sql).await?;
    let missing: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    let sql = "SELECT 1 FROM trials WHERE policy_set = $1 AND text_version = $2 LIMIT 1";
    let sql = Sql::new(sql).text(id).uint(version);
    let is_tried = tx.row("look for a trial", sql).await?.is_some();
    match is_tried && missing.is_empty() {
        true => Ok(()),
        false => Err(Error::Untried { version, missing }),
    }
}

async fn check_name(tx: &mut Tx, scope: &ScopePath, name: &str) -> Result<()> {
    let sql = "SELECT 1 FROM policy_sets WHERE scope = $1 AND name = $2";
    let sql = Sql::new(sql).text(scope).text(name);
    match tx.row("look for a policy set of that name", sql).await? {
        Some(_) => Err(Error::Exists { what: format!("policy set `{name}` at {scope}") }),
        None => Ok(()),
    }
}

async fn write_text(tx: &mut Tx, id: Id, text: &str) -> Result<()> {
    let quoted = serde_json::json!(text).to_string().len() as u64;
    let sql = "UPDATE policy_sets SET text = $1, quoted = $2 WHERE id = $3";
    let sql = Sql::new(sql).text(text).uint(quoted).text(id);
    tx.execute("write a policy set's text", sql).await?;
    Ok(())
}

fn note(tx: &mut Tx, entry: &PolicySetEntry) {
    tx.changed(NewChange {
        noun: "policy_set",
        id: entry.id,
        revision: entry.revision,
        scope: entry.scope.clone(),
        namespace: None,
        image: None,
    });
}
