//! Assignments: which controls mean what at admission, and where.
use crate::db::Sql;
use crate::error::{Error, Result, check_revision};
use crate::list::{fetch, read_where};
use crate::put::put;
use crate::store::{NewChange, Store, Tx};
use crate::visible::Visible;
use seawall_model::admission::{Assignment, AssignmentTarget, Narrowing, PolicyAction};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde_json::{Map, Value};

#[derive(Clone, Debug)]
pub struct NewAdmission {
    pub target: AssignmentTarget,
    pub scope: ScopePath,
    pub narrowing: Narrowing,
    pub action: PolicyAction,
    pub params: Map<String, Value>,
}

pub trait Assignments {
    async fn create_assignment(&self, new: &NewAdmission) -> Result<Assignment>;
    /// Target and scope stay. `None` when it is unknown or not visible.
    async fn replace_assignment(
        &self,
        visible: &Visible,
        id: Id,
        new: &NewAdmission,
        expected: Option<u64>,
    ) -> Result<Option<Assignment>>;
    async fn delete_assignment(&self, visible: &Visible, id: Id) -> Result<Option<Assignment>>;
    /// Those that hold at `scope`: made there or above.
    async fn assignments_at(&self, scope: &ScopePath) -> Result<Vec<Assignment>>;
    /// Those, and those made below.
    async fn assignments_around(&self, scope: &ScopePath) -> Result<Vec<Assignment>>;
    /// Forgets decisions made and gaps ended before `before`; returns how many. In many short transactions, so that
    /// batches of agents come through between them.
    async fn prune_admission(&self, before: Millis) -> Result<u64>;
}

/// Rows of one transaction: tens of milliseconds.
const PRUNED_AT_ONCE: i64 = 1_000;

impl Assignments for Store {
    async fn create_assignment(&self, new: &NewAdmission) -> Result<Assignment> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("SELECT 1 FROM scopes WHERE scope = $1").text(&new.scope);
        if tx.row("look for a scope", sql).await?.is_none() {
            return Err(Error::Missing { what: format!("scope {}", new.scope) });
        }
        let assignment = Assignment {
            id: tx.new_id(),
            target: new.target.clone(),
            scope: new.scope.clone(),
            narrowing: new.narrowing.clone(),
            action: new.action,
            params: new.params.clone(),
            created: tx.now,
            updated: tx.now,
            revision: 1,
        };
        put(&mut tx, std::slice::from_ref(&assignment)).await?;
        note(&mut tx, &assignment);
        tx.commit().await?;
        Ok(assignment)
    }

    async fn replace_assignment(
        &self,
        visible: &Visible,
        id: Id,
        new: &NewAdmission,
        expected: Option<u64>,
    ) -> Result<Option<Assignment>> {
        let mut tx = self.begin().await?;
        let Some(mut assignment) = fetch::<Assignment>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        check_revision(expected, assignment.revision)?;
        assignment.narrowing.clone_from(&new.narrowing);
        assignment.action = new.action;
        assignment.params.clone_from(&new.params);
        assignment.updated = tx.now;
        assignment.revision += 1;
        put(&mut tx, std::slice::from_ref(&assignment)).await?;
        note(&mut tx, &assignment);
        tx.commit().await?;
        Ok(Some(assignment))
    }

    async fn delete_assignment(&self, visible: &Visible, id: Id) -> Result<Option<Assignment>> {
        let mut tx = self.begin().await?;
        let Some(mut assignment) = fetch::<Assignment>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        let sql = Sql::new("DELETE FROM assignments WHERE id = $1").text(id);
        tx.execute("delete an assignment", sql).await?;
        assignment.revision += 1;
        note(&mut tx, &assignment);
        tx.commit().await?;
        Ok(Some(assignment))
    }

    async fn assignments_at(&self, scope: &ScopePath) -> Result<Vec<Assignment>> {
        // Few: they are made by people. Above a scope are at most eight others.
        let all: Vec<Assignment> = read_where(self.db(), "$1 = $1", "all").await?;
        Ok(all.into_iter().filter(|one| scope.is_within(&one.scope)).collect())
    }

    async fn assignments_around(&self, scope: &ScopePath) -> Result<Vec<Assignment>> {
        let all: Vec<Assignment> = read_where(self.db(), "$1 = $1", "all").await?;
        let near = |one: &Assignment| scope.is_within(&one.scope) || one.scope.is_within(scope);
        Ok(all.into_iter().filter(near).collect())
    }

    async fn prune_admission(&self, before: Millis) -> Result<u64> {
        let decisions = prune(self, ("decisions", "time"), before).await?;
        Ok(decisions + prune(self, ("gaps", "ended"), before).await?)
    }
}

/// How many went.
async fn prune(store: &Store, (table, column): (&str, &str), before: Millis) -> Result<u64> {
    let mut all = 0;
    loop {
        let mut tx = store.begin().await?;
        let sql = format!(
            "DELETE FROM {table} WHERE id IN \
             (SELECT id FROM {table} WHERE {column} < $1 ORDER BY {column}, id LIMIT $2)"
        );
        let sql = Sql::new(sql).int(before).int(PRUNED_AT_ONCE);
        let gone = tx.execute("prune what was said of admission", sql).await?;
        tx.commit().await?;
        all += gone;
        if gone < PRUNED_AT_ONCE.unsigned_abs() {
            return Ok(all);
        }
    }
}

fn note(tx: &mut Tx, assignment: &Assignment) {
    tx.changed(NewChange {
        noun: "assignment",
        id: assignment.id,
        revision: assignment.revision,
        scope: assignment.scope.clone(),
        namespace: None,
        image: None,
    });
}
