//! `/overview`: the first page: score, open alerts, findings, images, who reports.
use super::extract::Params;
use super::list::quoted;
use super::problem::Refusal;
use super::scores::{self, ScopeQuery};
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::alert::Alert;
use seawall_model::asset::{Agent, AgentRole, Asset, Cluster};
use seawall_model::finding::Finding;
use seawall_model::recommendation::{Score, ScoreDelta};
use seawall_model::scope::ScopePath;
use seawall_model::{Millis, Severity};
use seawall_store::{Image, Query, Reads, Visible};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Moves of the score shown.
const MAX_MOVES: u32 = 10;
/// Clusters and agents counted here; the lists have all.
const MAX_ESTATE: u32 = 500;
/// Silence after which a cluster's picture is stale: three heartbeats missed.
const STALE_AFTER: Millis = 30 * 1000;
/// Silence after which nothing may be concluded from it.
const SILENT_AFTER: Millis = 60 * 60 * 1000;

#[derive(Serialize, ToSchema)]
pub(crate) struct Overview {
    scope: ScopePath,
    score: Score,
    moves: Vec<ScoreDelta>,
    /// Open alerts by severity.
    alerts: BySeverity,
    findings: FindingCounts,
    images: ImageCounts,
    clusters: Vec<ClusterStatus>,
    agents: AgentCounts,
    /// What is missing for a full picture: `no-cluster`, `no-images`, `no-sensor`, `no-index`,
    /// `node-not-covered`.
    empty: Vec<&'static str>,
}

#[derive(Default, Serialize, ToSchema)]
pub(crate) struct BySeverity {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
    unknown: u64,
}

/// Unhealthy findings.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingCounts {
    control: BySeverity,
    vulnerability: BySeverity,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImageCounts {
    total: u64,
    running: u64,
    with_critical: u64,
}

/// How recent the picture of a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Freshness {
    /// Heard of within 30 seconds.
    Fresh,
    Stale,
    /// Not heard of for an hour.
    Silent,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClusterStatus {
    #[serde(flatten)]
    cluster: Cluster,
    freshness: Freshness,
    agents_connected: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AgentCounts {
    connected: u64,
    total: u64,
    /// Lost records of the agents that are not revoked, by class.
    dropped: BTreeMap<String, u64>,
}

/// Everything the first page shows, of one scope.
#[utoipa::path(get, path = "/api/v1/overview", tag = "overview", params(ScopeQuery),
    responses((status = 200, body = Overview)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ScopeQuery>,
) -> Result<axum::Json<Overview>, Refusal> {
    let scope = query.resolve(&caller)?;
    let visible = caller.visible_here();
    let reader = Reader { app: &app, visible: &visible, below: below(&scope) };
    let score = scores::current(&app, &visible, &scope).await?;
    let moves = Query {
        filter: format!("scope:{}", quoted(scope.as_str())),
        limit: MAX_MOVES,
        ..Query::default()
    };
    let moves = app.store.list::<ScoreDelta>(&visible, &moves).await?.items;
    let alerts = reader.severities::<Alert>("state:active,in_progress").await?;
    let findings = FindingCounts {
        control: reader.severities::<Finding>("kind:control state:unhealthy").await?,
        vulnerability: reader.severities::<Finding>("kind:vulnerability state:unhealthy").await?,
    };
    let images = ImageCounts {
        total: reader.count::<Image>("").await?,
        running: reader.count::<Image>("running:true").await?,
        with_critical: reader.count::<Image>("critical:>0").await?,
    };
    let agents = reader.all::<Agent>("").await?;
    let clusters = reader.all::<Cluster>("").await?;
    let clusters: Vec<ClusterStatus> =
        clusters.into_iter().map(|cluster| status(cluster, &agents, app.now())).collect();
    let nodes = reader.all::<Asset>("kind:Node").await?;
    let left_out = |node: &Asset| node.coverage_problems.as_ref().is_some_and(|p| !p.is_empty());
    let mut empty = Vec::new();
    let hints = [
        ("no-cluster", clusters.is_empty()),
        ("no-images", images.total == 0),
        (
            "no-sensor",
            !agents.iter().any(|agent| agent.role == AgentRole::Sensor && agent.connected),
        ),
        ("no-index", !app.advisories.is_there()),
        ("node-not-covered", nodes.iter().any(left_out)),
    ];
    empty.extend(hints.into_iter().filter(|(_, holds)| *holds).map(|(hint, _)| hint));
    let agents = count_agents(&agents);
    Ok(axum::Json(Overview {
        scope,
        score,
        moves,
        alerts,
        findings,
        images,
        clusters,
        agents,
        empty,
    }))
}

/// A filter for a scope and everything below it.
fn below(scope: &ScopePath) -> String {
    format!("scope:{}*", scope.as_str())
}

struct Reader<'a> {
    app: &'a App,
    visible: &'a Visible,
    below: String,
}

impl Reader<'_> {
    fn filter(&self, filter: &str) -> String {
        format!("{} {filter}", self.below)
    }

    async fn severities<N: seawall_store::Noun>(
        &self,
        filter: &str,
    ) -> Result<BySeverity, Refusal> {
        let filter = self.filter(filter);
        let facets = self.app.store.facet::<N>(self.visible, &filter, "severity", 10).await?;
        let mut counts = BySeverity::default();
        for facet in facets {
            let severity = facet.value.as_deref().and_then(|value| value.parse().ok());
            *match severity.unwrap_or(Severity::Unknown) {
                Severity::Critical => &mut counts.critical,
                Severity::High => &mut counts.high,
                Severity::Medium => &mut counts.medium,
                Severity::Low => &mut counts.low,
                Severity::Info => &mut counts.info,
                Severity::Unknown => &mut counts.unknown,
            } += facet.count;
        }
        Ok(counts)
    }

    async fn count<N: seawall_store::Noun>(&self, filter: &str) -> Result<u64, Refusal> {
        Ok(self.app.store.count::<N>(self.visible, &self.filter(filter)).await?)
    }

    async fn all<N: seawall_store::Noun>(&self, filter: &str) -> Result<Vec<N>, Refusal> {
        let query = Query { filter: self.filter(filter), limit: MAX_ESTATE, ..Query::default() };
        Ok(self.app.store.list::<N>(self.visible, &query).await?.items)
    }
}

fn status(cluster: Cluster, agents: &[Agent], now: Millis) -> ClusterStatus {
    let own = agents.iter().filter(|agent| agent.scope == cluster.scope && !agent.revoked);
    let heard = own.clone().map(|agent| agent.last_seen).max().unwrap_or(cluster.last_seen);
    let agents_connected = own.filter(|agent| agent.connected).count() as u64;
    ClusterStatus { cluster, freshness: freshness(now - heard), agents_connected }
}

/// What a silence of so many milliseconds means.
pub(super) fn freshness(silence: Millis) -> Freshness {
    match silence {
        silence if silence < STALE_AFTER => Freshness::Fresh,
        silence if silence < SILENT_AFTER => Freshness::Stale,
        _ => Freshness::Silent,
    }
}

fn count_agents(agents: &[Agent]) -> AgentCounts {
    let active = agents.iter().filter(|agent| !agent.revoked);
    let mut dropped = BTreeMap::<String, u64>::new();
    for lost in active.clone().flat_map(|agent| &agent.dropped) {
        let count = dropped.entry(lost.class.clone()).or_default();
        // Counts are the agents' words.
        *count = count.saturating_add(lost.count);
    }
    let connected = active.clone().filter(|agent| agent.connected).count() as u64;
    AgentCounts { connected, total: active.count() as u64, dropped }
}

#[test]
fn drops_of_living_agents_add_up_without_end() {
    let agent = |revoked: bool, count: u64| -> Agent {
        serde_json::from_value(serde_json::json!({
            "id": "0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e", "scope": "/org/c/", "cluster": "c", "role": "sensor",
            "name": "n", "version": "1", "capabilities": [], "dropped": [{"class": "spool", "count": count}],
            "last_sequence": 0, "certificate_expires": 0, "revoked": revoked, "connected": false, "first_seen": 0,
            "last_seen": 0
        }))
        .unwrap()
    };
    let dropped = |agents: &[Agent]| count_agents(agents).dropped["spool"];
    assert_eq!(dropped(&[agent(false, 2), agent(false, 3), agent(true, 7)]), 5);
    assert_eq!(dropped(&[agent(false, u64::MAX), agent(false, u64::MAX)]), u64::MAX);
}
