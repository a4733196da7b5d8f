//! Recommendations, counted from findings; only evidence resolves them. Scores and their moves.
use crate::cell::clip;
use crate::db::{Row, Sql};
use crate::error::{Error, Result, check_revision};
use crate::list::{fetch, fetch_where};
use crate::noun::Narrowing;
use crate::put::{PAYLOAD_VERSION, put};
use crate::store::{NewChange, Store, Tx};
use crate::verdict;
use crate::visible::{Visible, push_clause};
use seawall_model::finding::FindingKind;
use seawall_model::recommendation::{Recommendation, Score, ScoreDelta, Status};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis, Severity};
use std::collections::HashMap;

/// The words of a recommendation; the numbers come from the findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Guidance {
    /// The control id, or `update:<ecosystem>/<package>`: the `work` of its findings.
    pub work: String,
    pub kind: FindingKind,
    pub title: String,
    pub severity: Severity,
    pub description: String,
    pub remediation: String,
    pub score_group: Option<String>,
    pub frameworks: Vec<String>,
}

/// `None` leaves a value; `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assign {
    pub owner: Option<Option<String>>,
    pub due: Option<Option<Millis>>,
}

pub trait Recommendations {
    /// Counts the findings of each work at exactly `scope` and moves the status by that evidence; a work that never
    /// had an unhealthy resource gets none. Returns those that changed.
    async fn refresh_recommendations(
        &self,
        scope: &ScopePath,
        guidance: &[Guidance],
    ) -> Result<Vec<Recommendation>>;
    /// `None` when it is unknown or `visible` does not cover its whole scope, whose work it is; `Error::Stale` where
    /// `expected` is another revision.
    async fn assign_recommendation(
        &self,
        visible: &Visible,
        id: Id,
        assign: &Assign,
        expected: Option<u64>,
    ) -> Result<Option<Recommendation>>;
}

pub trait Scores {
    /// Stores the score of its scope; a move of `secure` is kept with its cause and returned.
    async fn record_score(&self, score: &Score, cause: &str) -> Result<Option<ScoreDelta>>;
    /// `None` before the first, or where no whole grant covers the scope.
    async fn score(&self, visible: &Visible, scope: &ScopePath) -> Result<Option<Score>>;
}

/// Findings of one work by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Evidence {
    affected: u64,
    healthy: u64,
    unknown: u64,
    exempt: u64,
}

impl Evidence {
    fn of(recommendation: &Recommendation) -> Self {
        let Recommendation { affected, healthy, unknown, exempt, .. } = *recommendation;
        Self { affected, healthy, unknown, exempt }
    }

    fn add(&mut self, state: &str, count: u64) {
        match state {
            "unhealthy" => self.affected += count,
            "healthy" => self.healthy += count,
            "unknown" => self.unknown += count,
            "exempt" => self.exempt += count,
            // `not_applicable` is nobody's work.
            _ => {}
        }
    }
}

/// What was known of a recommendation before it was counted again.
#[derive(Clone, Copy, Debug)]
struct Before {
    status: Status,
    exempt: u64,
}

impl Before {
    fn of(recommendation: &Recommendation) -> Self {
        Self { status: recommendation.status, exempt: recommendation.exempt }
    }
}

/// Where the evidence moves a recommendation. What cannot be judged and what is only excused is not done: it keeps
/// the status. What comes back out of an exemption was never mended, so it did not regress either.
fn status(before: Option<Before>, owner: Option<&String>, counts: Evidence) -> Status {
    use Status::{Assigned, Open, Regressed, Resolved};
    let open = if owner.is_some() { Assigned } else { Open };
    if (counts.affected, counts.unknown, counts.exempt) == (0, 0, 0) {
        return Resolved;
    }
    let Some(before) = before else { return open };
    let no_longer_exempt = before.exempt.saturating_sub(counts.exempt);
    match before.status {
        Open | Assigned => open,
        kept @ (Resolved | Regressed) if counts.affected == 0 => kept,
        Resolved if counts.affected <= no_longer_exempt => open,
        Resolved | Regressed => Regressed,
    }
}

async fn evidence(
    tx: &mut Tx,
    scope: &ScopePath,
    works: &[&str],
) -> Result<HashMap<String, Evidence>> {
    let sql = format!(
        "SELECT work, state, count(*) FROM findings WHERE scope = $1 AND work IN {} \
         AND NOT (kind = 'control' AND state = 'healthy') GROUP BY work, state",
        tx.db().texts(2)
    );
    let works: Vec<String> = works.iter().map(|work| clip(work)).collect();
    let sql = Sql::new(sql).text(scope).text(serde_json::json!(works));
    let mut evidence: HashMap<String, Evidence> = HashMap::new();
    for row in tx.rows("count findings by work", sql).await? {
        evidence.entry(row.text(0)).or_default().add(&row.text(1), row.uint(2));
    }
    for (control, resources) in verdict::satisfied(tx, scope, &works).await? {
        evidence.entry(control).or_default().healthy += resources;
    }
    Ok(evidence)
}

impl Recommendations for Store {
    async fn refresh_recommendations(
        &self,
        scope: &ScopePath,
        guidance: &[Guidance],
    ) -> Result<Vec<Recommendation>> {
        let mut tx = self.begin().await?;
        // As for ingest: one writer of a cluster's rows at a time.
        tx.lock(scope.as_str()).await?;
        let works: Vec<&str> = guidance.iter().map(|guidance| guidance.work.as_str()).collect();
        let evidence = evidence(&mut tx, scope, &works).await?;
        let there: Vec<Recommendation> = fetch_where(&mut tx, "t.scope = $1", scope).await?;
        let mut there: HashMap<String, Recommendation> =
            there.into_iter().map(|found| (clip(&found.rule), found)).collect();
        let mut changed = Vec::new();
        for guidance in guidance {
            let work = clip(&guidance.work);
            let counts = evidence.get(&work).copied().unwrap_or_default();
            let before = there.remove(&work);
            if before.is_none() && counts.affected == 0 {
                continue;
            }
            let id = before.as_ref().map_or_else(|| tx.new_id(), |before| before.id);
            let after = refreshed(before.as_ref(), id, scope, guidance, counts, tx.now);
            if before.is_none_or(|before| differs(&before, &after)) {
                changed.push(after);
            }
        }
        write(&mut tx, &changed).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn assign_recommendation(
        &self,
        visible: &Visible,
        id: Id,
        assign: &Assign,
        expected: Option<u64>,
    ) -> Result<Option<Recommendation>> {
        let mut tx = self.begin().await?;
        let found: Option<Recommendation> = fetch(&mut tx, visible, id).await?;
        let found = found.filter(|found| visible.covers(&found.scope));
        let Some(mut recommendation) = found else { return Ok(None) };
        check_revision(expected, recommendation.revision)?;
        if let Some(owner) = &assign.owner {
            recommendation.owner.clone_from(owner);
        }
        if let Some(due) = assign.due {
            recommendation.due = due;
        }
        // A regressed one stays regressed until evidence resolves it.
        if matches!(recommendation.status, Status::Open | Status::Assigned) {
            let before = Some(Before::of(&recommendation));
            recommendation.status =
                status(before, recommendation.owner.as_ref(), Evidence::of(&recommendation));
        }
        recommendation.revision += 1;
        write(&mut tx, std::slice::from_ref(&recommendation)).await?;
        tx.commit().await?;
        Ok(Some(recommendation))
    }
}

fn refreshed(
    before: Option<&Recommendation>,
    id: Id,
    scope: &ScopePath,
    guidance: &Guidance,
    counts: Evidence,
    now: Millis,
) -> Recommendation {
    let owner = before.and_then(|before| before.owner.clone());
    Recommendation {
        id,
        scope: scope.clone(),
        rule: guidance.work.clone(),
        kind: guidance.kind,
        title: guidance.title.clone(),
        severity: guidance.severity,
        status: status(before.map(Before::of), owner.as_ref(), counts),
        due: before.and_then(|before| before.due),
        owner,
        affected: counts.affected,
        healthy: counts.healthy,
        unknown: counts.unknown,
        exempt: counts.exempt,
        description: guidance.description.clone(),
        remediation: guidance.remediation.clone(),
        score_group: guidance.score_group.clone(),
        frameworks: guidance.frameworks.clone(),
        first: before.map_or(now, |before| before.first),
        last: now,
        revision: before.map_or(1, |before| before.revision + 1),
    }
}

/// Whether more than time and revision differ.
fn differs(before: &Recommendation, after: &Recommendation) -> bool {
    let settled = Recommendation { last: before.last, revision: before.revision, ..after.clone() };
    settled != *before
}

async fn write(tx: &mut Tx, recommendations: &[Recommendation]) -> Result<()> {
    put(tx, recommendations).await?;
    for recommendation in recommendations {
        tx.changed(NewChange {
            noun: "recommendation",
            id: recommendation.id,
            revision: recommendation.revision,
            scope: recommendation.scope.clone(),
            namespace: None,
            image: None,
        });
    }
    Ok(())
}

/// Replaces the counts by those of the findings that `visible` shows, where it shows only some namespaces.
pub(crate) async fn recount_for(
    store: &Store,
    visible: &Visible,
    items: &mut [Recommendation],
) -> Result<()> {
    if !visible.is_narrowed() {
        return Ok(());
    }
    for item in items.iter_mut().filter(|item| !visible.covers(&item.scope)) {
        let sql = "SELECT t.state, count(*) FROM findings t WHERE t.scope = $1 AND t.work = $2 \
             AND NOT (t.kind = 'control' AND t.state = 'healthy') AND ";
        let mut sql = Sql::new(sql).text(&item.scope).text(clip(&item.rule));
        push_clause(store.db(), &mut sql, visible, Narrowing::NamespaceOrRunning);
        sql.push(" GROUP BY t.state");
        let mut counts = Evidence::default();
        for row in store.db().rows("count visible findings", sql).await? {
            counts.add(&row.text(0), row.uint(1));
        }
        counts.healthy += verdict::satisfied_for(store, visible, &item.scope, &item.rule).await?;
        (item.affected, item.healthy) = (counts.affected, counts.healthy);
        (item.unknown, item.exempt) = (counts.unknown, counts.exempt);
    }
    Ok(())
}

impl Scores for Store {
    async fn record_score(&self, score: &Score, cause: &str) -> Result<Option<ScoreDelta>> {
        let mut tx = self.begin().await?;
        tx.lock(score.scope.as_str()).await?;
        let before = read_score(
            tx.row("read a score", Sql::new(READ_SCORE).text(&score.scope)).await?,
            &score.scope,
        )?;
        let unchanged = before.as_ref().is_some_and(|before| {
            let settled = Score { at: before.at, ..score.clone() };
            settled == *before
        });
        if unchanged {
            return Ok(None);
        }
        let payload = serde_json::to_string(score)
            .map_err(|source| Error::Encode { noun: "score", source })?;
        let sql = "INSERT INTO scores (scope, version, at, payload) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (scope) DO UPDATE \
                   SET version = excluded.version, at = excluded.at, payload = excluded.payload";
        let sql = Sql::new(sql).text(&score.scope).int(PAYLOAD_VERSION).int(score.at).text(payload);
        tx.execute("write a score", sql).await?;
        let from = before.and_then(|before| before.secure);
        let id = tx.new_id();
        let delta = (from != score.secure).then(|| ScoreDelta {
            id,
            scope: score.scope.clone(),
            at: score.at,
            from,
            to: score.secure,
            cause: cause.to_owned(),
        });
        put(&mut tx, delta.as_slice()).await?;
        tx.changed(NewChange {
            noun: "score",
            id,
            revision: u64::try_from(score.at).unwrap_or_default(),
            scope: score.scope.clone(),
            namespace: None,
            image: None,
        });
        tx.commit().await?;
        Ok(delta)
    }

    async fn score(&self, visible: &Visible, scope: &ScopePath) -> Result<Option<Score>> {
        if !visible.covers(scope) {
            return Ok(None);
        }
        let sql = Sql::new(READ_SCORE).text(scope);
        read_score(self.db().row("read a score", sql).await?, scope)
    }
}

const READ_SCORE: &str = "SELECT version, payload FROM scores WHERE scope = $1";

fn read_score(row: Option<Row>, scope: &ScopePath) -> Result<Option<Score>> {
    let Some(row) = row else { return Ok(None) };
    serde_json::from_str(&row.text(1)).map(Some).map_err(|source| Error::Payload {
        noun: "score",
        id: scope.to_string(),
        version: row.int(0),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Assigned, Open, Regressed, Resolved};

    /// `before` is status and exempt resources; `counts` are affected, unknown, exempt.
    #[track_caller]
    fn check(before: Option<(Status, u64)>, owned: bool, counts: [u64; 3], expected: Status) {
        let someone = "platform".to_owned();
        let before = before.map(|(status, exempt)| Before { status, exempt });
        let [affected, unknown, exempt] = counts;
        let evidence = Evidence { affected, healthy: 9, unknown, exempt };
        let moved = status(before, owned.then_some(&someone), evidence);
        assert_eq!(moved, expected, "{before:?} {owned} {counts:?}");
    }

    #[test]
    fn only_evidence_moves_the_status() {
        check(None, false, [3, 0, 0], Open);
        check(Some((Open, 0)), true, [3, 0, 0], Assigned);
        check(Some((Assigned, 0)), false, [3, 0, 0], Open);
        check(Some((Assigned, 0)), true, [0, 0, 0], Resolved);
        check(Some((Resolved, 0)), true, [1, 0, 0], Regressed);
        check(Some((Regressed, 0)), false, [1, 0, 0], Regressed);
        check(Some((Regressed, 0)), false, [0, 0, 0], Resolved);
    }

    #[test]
    fn unknown_and_exempt_resolve_nothing() {
        check(Some((Open, 0)), false, [0, 1, 0], Open);
        check(Some((Assigned, 0)), true, [0, 0, 1], Assigned);
        check(Some((Regressed, 0)), false, [0, 1, 0], Regressed);
        check(Some((Resolved, 0)), false, [0, 1, 1], Resolved);
        // The exemption ends.
        check(Some((Open, 1)), false, [1, 0, 0], Open);
        check(Some((Resolved, 1)), false, [1, 0, 0], Open);
        check(Some((Resolved, 2)), false, [1, 0, 1], Open);
        check(Some((Resolved, 1)), false, [2, 0, 0], Regressed);
    }
}
