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
    /// Objects that it does not concern; they weigh nothing.
    pub not_applicable: u64,
}

impl Tally {
    /// Whether it concerned any object.
    pub fn is_asked(&self) -> bool {
        let asked = [self.healthy, self.unhealthy, self.unknown, self.mitigated, self.accepted];
        asked.iter().any(|sum| sum.resources > 0)
    }
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
    /// Every control that something at or below `scope` was judged by, or does not concern, as far as `visible` shows.
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

/// What one object adds to the sums of a control, or takes away.
#[derive(Debug, Default, PartialEq, Eq)]
struct Delta {
    healthy: i64,
    weight: i64,
    not_applicable: i64,
}

type Deltas = BTreeMap<String, Delta>;

/// Makes `settled` all that the subject satisfies; `None`: it is gone. The controls whose sums moved.
pub(crate) async fn replace(
    tx: &mut Tx,
    subject: &Subject,
    namespace: Option<&str>,
    resource_key: &str,
    settled: Option<&Settled>,
) -> Result<BTreeSet<String>> {
    let sql = "SELECT healthy, weight, not_applicable FROM verdicts WHERE subject = $1";
    let row = tx.row("read what an object satisfies", Sql::new(sql).text(&subject.name)).await?;
    let mut moved = Deltas::new();
    if let Some(row) = &row {
        let before: Vec<String> = serde_json::from_str(&row.text(0)).unwrap_or_default();
        for control in before {
            let delta = moved.entry(control).or_default();
            (delta.healthy, delta.weight) = (-1, -row.int(1));
        }
        let before: BTreeMap<String, Vec<String>> =
            serde_json::from_str(&row.text(2)).unwrap_or_default();
        // Under two reasons it is still one object.
        for control in before.into_values().flatten().collect::<BTreeSet<_>>() {
            moved.entry(control).or_default().not_applicable = -1;
        }
    }
    let Some(settled) = settled else {
        let sql = Sql::new("DELETE FROM verdicts WHERE subject = $1").text(&subject.name);
        tx.execute("forget what an object satisfied", sql).await?;
        return add(tx, &subject.scope, namespace, moved).await;
    };
    let weight = i64::try_from(settled.weight).unwrap_or(i64::MAX);
    for control in &settled.healthy {
        let delta = moved.entry(control.clone()).or_default();
        delta.healthy += 1;
        delta.weight = delta.weight.saturating_add(weight);
    }
    for control in settled.not_applicable.values().flatten().collect::<BTreeSet<_>>() {
        moved.entry(control.clone()).or_default().not_applicable += 1;
    }
    moved.retain(|_, delta| *delta != Delta::default());
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

/// Returns the controls whose sums of satisfied objects moved: what concerns nothing moves no score.
async fn add(
    tx: &mut Tx,
    scope: &ScopePath,
    namespace: Option<&str>,
    moved: Deltas,
) -> Result<BTreeSet<String>> {
    if moved.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Value> = moved
        .iter()
        .map(|(control, delta)| json!([control, delta.healthy, delta.weight, delta.not_applicable]))
        .collect();
    let number = |position: u8| format!("CAST(r.value ->> {position} AS BIGINT)");
    let [healthy, weight, not_applicable] = [1, 2, 3].map(number);
    let sql = format!(
        "INSERT INTO satisfied (scope, namespace, control, resources, weight, not_applicable) \
         SELECT $2, $3, r.value ->> 0, {healthy}, {weight}, {not_applicable} \
         FROM {} WHERE true ON CONFLICT (scope, namespace, control) DO UPDATE \
         SET resources = satisfied.resources + excluded.resources, \
         weight = satisfied.weight + excluded.weight, \
         not_applicable = satisfied.not_applicable + excluded.not_applicable",
        tx.db().elements(1)
    );
    let namespace = namespace.unwrap_or_default();
    let sql = Sql::new(sql).text(Value::Array(rows)).text(scope).text(namespace);
    tx.execute("count what is satisfied", sql).await?;
    let sql = "DELETE FROM satisfied WHERE scope = $1 AND namespace = $2 AND resources = 0 \
               AND not_applicable = 0";
    let sql = Sql::new(sql).text(scope).text(namespace);
    tx.execute("forget what nothing satisfies", sql).await?;
    let scored = |delta: &Delta| (delta.healthy, delta.weight) != (0, 0);
    Ok(moved.into_iter().filter(|(_, delta)| scored(delta)).map(|(control, _)| control).collect())
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
             CAST(sum(t.weight) AS BIGINT), CAST(sum(t.not_applicable) AS BIGINT) FROM satisfied t \
             WHERE t.scope >= $1 AND t.scope < $2 AND ",
        )
        .text(scope)
        .text(scope.upper());
        push_clause(self.db(), &mut sql, visible, Narrowing::Namespace);
        sql.push(" GROUP BY t.control");
        for row in self.db().rows("sum what is satisfied", sql).await? {
            let tally = tallies.entry(row.text(0)).or_default();
            tally.healthy.add(row.uint(1), row.uint(2));
            tally.not_applicable += row.uint(3);
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
