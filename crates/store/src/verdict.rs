//! What objects satisfy, by control id alone, and the sums of it: findings stand only for what was ever out of order.
use crate::cell::without_nul;
use crate::db::Sql;
use crate::error::Result;
use crate::finding::Subject;
use crate::list;
use crate::noun::Narrowing;
use crate::store::{Store, Tx};
use crate::visible::{Visible, push_clause};
use seawall_model::finding::{ObjectAssessment, State};
use seawall_model::scope::ScopePath;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The controls that one object satisfies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub scope: ScopePath,
    pub resource_key: String,
    /// A JSON array of control ids.
    pub healthy: String,
}

/// One control over all objects of a scope; weights are `ObjectAssessment::weight_tenths`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub healthy: Weighed,
    pub unhealthy: Weighed,
    pub unknown: Weighed,
    /// Exempt as mitigated.
    pub mitigated: Weighed,
    /// Exempt as an accepted risk.
    pub accepted: Weighed,
}

/// Objects and the sum of their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    pub resources: u64,
    pub tenths: u64,
}

impl Weighed {
    fn add(&mut self, resources: u64, tenths: u64) {
        self.resources += resources;
        self.tenths += tenths;
    }
}

pub trait Verdicts {
    /// What objects at and below `scope` satisfy.
    async fn verdicts(&self, scope: &ScopePath) -> Result<Vec<Verdict>>;
    /// Every control that something at or below `scope` was judged by, as far as `visible` shows.
    async fn tallies(
        &self,
        visible: &Visible,
        scope: &ScopePath,
    ) -> Result<BTreeMap<String, Tally>>;
}

/// Verdicts of one assessment that are no findings.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    healthy: BTreeSet<String>,
    not_applicable: BTreeMap<String, Vec<String>>,
    weight: u64,
}

impl Settled {
    pub(crate) fn of(assessment: &mut ObjectAssessment) -> Self {
        let weight = assessment.weight_tenths;
        let findings = std::mem::take(&mut assessment.findings);
        assessment.take(findings);
        Self {
            healthy: std::mem::take(&mut assessment.healthy).into_iter().map(without_nul).collect(),
            not_applicable: std::mem::take(&mut assessment.not_applicable)
                .into_iter()
                .map(|(reason, controls)| {
                    (without_nul(reason), controls.into_iter().map(without_nul).collect())
                })
                .collect(),
            weight,
        }
    }

    /// What it says of a control, with the reason where it has one.
    pub(crate) fn of_control(&self, control: &str) -> Option<(State, Option<&str>)> {
        if self.healthy.contains(control) {
            return Some((State::Healthy, None));
        }
        let (reason, _) = self
            .not_applicable
            .iter()
            .find(|(_, controls)| controls.iter().any(|own| own == control))?;
        Some((State::NotApplicable, Some(reason)))
    }
}

/// Makes `settled` all that the subject satisfies; `None`: it is gone. The controls whose sums moved.
pub(crate) async fn replace(
    tx: &mut Tx,
    subject: &Subject,
    namespace: Option<&str>,
    resource_key: &str,
    settled: Option<&Settled>,
) -> Result<BTreeSet<String>> {
    let sql = "SELECT healthy, weight FROM verdicts WHERE subject = $1";
    let row = tx.row("read what an object satisfies", Sql::new(sql).text(&subject.name)).await?;
    let mut moved: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    if let Some(row) = &row {
        let before: Vec<String> = serde_json::from_str(&row.text(0)).unwrap_or_default();
        for control in before {
            moved.insert(control, (-1, -row.int(1)));
        }
    }
    let Some(settled) = settled else {
        let sql = Sql::new("DELETE FROM verdicts WHERE subject = $1").text(&subject.name);
        tx.execute("forget what an object satisfied", sql).await?;
        return add(tx, &subject.scope, namespace, moved).await;
    };
    let weight = i64::try_from(settled.weight).unwrap_or(i64::MAX);
    for control in &settled.healthy {
        let sums = moved.entry(control.clone()).or_default();
        *sums = (sums.0 + 1, sums.1.saturating_add(weight));
    }
    moved.retain(|_, sums| *sums != (0, 0));
    let sql = "INSERT INTO verdicts \
               (subject, scope, namespace, resource_key, weight, healthy, not_applicable) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject) DO UPDATE \
               SET weight = excluded.weight, healthy = excluded.healthy, \
               not_applicable = excluded.not_applicable";
    let sql = Sql::new(sql).text(&subject.name).text(&subject.scope).opt_text(namespace);
    let sql = sql.text(resource_key).int(weight);
    let sql = sql.text(json!(settled.healthy)).text(json!(settled.not_applicable));
    tx.execute("write what an object satisfies", sql).await?;
    add(tx, &subject.scope, namespace, moved).await
}

async fn add(
    tx: &mut Tx,
    scope: &ScopePath,
    namespace: Option<&str>,
    moved: BTreeMap<String, (i64, i64)>,
) -> Result<BTreeSet<String>> {
    if moved.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Value> = moved
        .iter()
        .map(|(control, (resources, weight))| json!([control, resources, weight]))
        .collect();
    let sql = format!(
        "INSERT INTO satisfied (scope, namespace, control, resources, weight) \
         SELECT $2, $3, r.value ->> 0, CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT) \
         FROM {} WHERE true ON CONFLICT (scope, namespace, control) DO UPDATE \
         SET resources = satisfied.resources + excluded.resources, \
         weight = satisfied.weight + excluded.weight",
        tx.db().elements(1)
    );
    let namespace = namespace.unwrap_or_default();
    let sql = Sql::new(sql).text(Value::Array(rows)).text(scope).text(namespace);
    tx.execute("count what is satisfied", sql).await?;
    let sql = "DELETE FROM satisfied WHERE scope = $1 AND namespace = $2 AND resources = 0";
    let sql = Sql::new(sql).text(scope).text(namespace);
    tx.execute("forget what nothing satisfies", sql).await?;
    Ok(moved.into_keys().collect())
}

impl Verdicts for Store {
    async fn verdicts(&self, scope: &ScopePath) -> Result<Vec<Verdict>> {
        let sql =
            "SELECT scope, resource_key, healthy FROM verdicts WHERE scope >= $1 AND scope < $2";
        let sql = Sql::new(sql).text(scope).text(scope.upper());
        let rows = self.db().rows("read what objects satisfy", sql).await?;
        let verdict = |row: &crate::db::Row| {
            Ok(Verdict {
                scope: list::parsed("verdict", &row.text(0))?,
                resource_key: row.text(1),
                healthy: row.text(2),
            })
        };
        rows.iter().map(verdict).collect()
    }

    async fn tallies(
        &self,
        visible: &Visible,
        scope: &ScopePath,
    ) -> Result<BTreeMap<String, Tally>> {
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut sql = Sql::new(
            "SELECT t.control, CAST(sum(t.resources) AS BIGINT), \
             CAST(sum(t.weight) AS BIGINT) FROM satisfied t \
             WHERE t.scope >= $1 AND t.scope < $2 AND ",
        )
        .text(scope)
        .text(scope.upper());
        push_clause(self.db(), &mut sql, visible, Narrowing::Namespace);
        sql.push(" GROUP BY t.control");
        for row in self.db().rows("sum what is satisfied", sql).await? {
            tallies.entry(row.text(0)).or_default().healthy.add(row.uint(1), row.uint(2));
        }
        // A finding of something that is no object, such as of a cluster as a whole, weighs as one object does.
        let mut sql = Sql::new(
            "SELECT t.rule, t.state, t.category, count(*), \
             CAST(sum(coalesce(v.weight, 10)) AS BIGINT) \
             FROM findings t LEFT JOIN verdicts v ON v.subject = t.subject \
             WHERE t.scope >= $1 AND t.scope < $2 AND t.kind = 'control' \
             AND t.state IN ('unhealthy', 'unknown', 'exempt') AND ",
        )
        .text(scope)
        .text(scope.upper());
        push_clause(self.db(), &mut sql, visible, Narrowing::NamespaceOrRunning);
        sql.push(" GROUP BY t.rule, t.state, t.category");
        for row in self.db().rows("sum findings by control", sql).await? {
            let tally = tallies.entry(row.text(0)).or_default();
            let sum = match (row.text(1).as_str(), row.opt_text(2).as_deref()) {
                ("unhealthy", _) => &mut tally.unhealthy,
                ("unknown", _) => &mut tally.unknown,
                (_, Some("mitigated")) => &mut tally.mitigated,
                _ => &mut tally.accepted,
            };
            sum.add(row.uint(3), row.uint(4));
        }
        Ok(tallies)
    }
}

/// How many objects of exactly `scope` satisfy each of `controls`, as far as `visible` shows.
pub(crate) async fn satisfied(
    tx: &mut Tx,
    scope: &ScopePath,
    controls: &[String],
) -> Result<BTreeMap<String, u64>> {
    let sql = format!(
        "SELECT control, CAST(sum(resources) AS BIGINT) FROM satisfied WHERE scope = $1 AND control IN {} \
         GROUP BY control",
        tx.db().texts(2)
    );
    let sql = Sql::new(sql).text(scope).text(json!(controls));
    let rows = tx.rows("sum what is satisfied", sql).await?;
    Ok(rows.iter().map(|row| (row.text(0), row.uint(1))).collect())
}

/// The same of one control, as far as `visible` shows.
pub(crate) async fn satisfied_for(
    store: &Store,
    visible: &Visible,
    scope: &ScopePath,
    control: &str,
) -> Result<u64> {
    let mut sql = Sql::new(
        "SELECT CAST(coalesce(sum(t.resources), 0) AS BIGINT) FROM satisfied t \
         WHERE t.scope = $1 AND t.control = $2 AND ",
    )
    .text(scope)
    .text(control);
    push_clause(store.db(), &mut sql, visible, Narrowing::Namespace);
    let row = store.db().row("sum what is satisfied", sql).await?;
    Ok(row.map_or(0, |row| row.uint(0)))
}
