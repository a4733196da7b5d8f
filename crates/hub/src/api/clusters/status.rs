//! `/clusters/status`: how each cluster's agents are doing: freshness, versions, capabilities, losses, admission.
use crate::api::agents;
use crate::api::extract::Params;
use crate::api::list::quoted;
use crate::api::overview::{Freshness, freshness};
use crate::api::problem::Refusal;
use crate::api::scores::ScopeQuery;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::Millis;
use seawall_model::admission::{PolicyAction, StoredDecision, StoredGap};
use seawall_model::asset::{Agent, AgentRole, CapabilityState, Cluster, Dropped};
use seawall_store::{Assignments, PolicySets, Query, Reads, Visible};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Clusters of one answer; the list has all.
const MAX_CLUSTERS: u32 = 500;
/// Different reasons told of one capability.
const MAX_REASONS: usize = 5;

#[derive(Serialize, ToSchema)]
pub(crate) struct Statuses {
    items: Vec<ClusterHealth>,
}

/// One cluster and what its agents report.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClusterHealth {
    cluster: Cluster,
    freshness: Freshness,
    last_seen: Millis,
    /// The best tier any capability of a connected agent works in: `A` or `B`.
    tier: Option<String>,
    agents: AgentNumbers,
    /// Of the agents, each once.
    versions: Vec<String>,
    capabilities: Vec<CapabilityHealth>,
    /// Lost records by class.
    dropped: Vec<Dropped>,
    /// `None`: no audit events received.
    last_audit_event: Option<Millis>,
    audit_events: u64,
    /// The certificate that ends first.
    certificate_expires: Option<Millis>,
    admission: AdmissionHealth,
}

/// Of those that are connected or were within a day; of all where none is, as nobody knows how they are.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct AgentNumbers {
    cluster_agents: u64,
    sensors: u64,
    connected: u64,
    /// Of another version than the hub.
    outdated: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilityHealth {
    name: String,
    full: u64,
    partial: u64,
    absent: u64,
    /// Of agents that are not connected.
    unknown: u64,
    /// Why it is not full.
    reasons: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AdmissionHealth {
    policies: u64,
    deny: u64,
    warn: u64,
    audit: u64,
    decisions_24h: u64,
    gaps_24h: u64,
    last_gap: Option<StoredGap>,
    policy_sets: PolicySetsHealth,
}

/// Users' policy sets that hold in the cluster, those that are off left out.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct PolicySetsHealth {
    sets: u64,
    /// By what they may do at most.
    deny: u64,
    warn: u64,
    audit: u64,
    /// Whose present text the cluster has not tried.
    untried: u64,
}

/// Clusters that the caller may see.
#[utoipa::path(get, path = "/api/v1/clusters/status", tag = "clusters", params(ScopeQuery),
    responses((status = 200, body = Statuses)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ScopeQuery>,
) -> Result<axum::Json<Statuses>, Refusal> {
    let scope = query.resolve(&caller)?;
    let visible = caller.visible_here();
    let filter = format!("scope:{}*", scope.as_str());
    let query = Query { filter, limit: MAX_CLUSTERS, ..Query::default() };
    let clusters = app.store.list::<Cluster>(&visible, &query).await?.items;
    let mut items = Vec::with_capacity(clusters.len());
    for cluster in clusters {
        let own = agents::of_cluster(&app, &visible, &cluster).await?;
        let admission = admission(&app, &visible, &cluster).await?;
        items.push(health(cluster, &own, admission, app.now()));
    }
    Ok(axum::Json(Statuses { items }))
}

fn health(
    cluster: Cluster,
    own: &[Agent],
    admission: AdmissionHealth,
    now: Millis,
) -> ClusterHealth {
    let present = agents::present(own, now);
    let connected = own.iter().filter(|agent| agent.connected);
    let last_seen = own.iter().map(|agent| agent.last_seen).max().unwrap_or(cluster.last_seen);
    let tiers = connected.flat_map(|agent| &agent.capabilities);
    let versions: BTreeSet<&str> = present
        .iter()
        .map(|agent| agent.version.as_str())
        .filter(|text| !text.is_empty())
        .collect();
    let count =
        |is: &dyn Fn(&Agent) -> bool| present.iter().filter(|agent| is(agent)).count() as u64;
    ClusterHealth {
        freshness: freshness(now - last_seen),
        last_seen,
        tier: tiers.filter_map(|capability| capability.tier.clone()).min(),
        agents: AgentNumbers {
            cluster_agents: count(&|agent| agent.role == AgentRole::ClusterAgent),
            sensors: count(&|agent| agent.role == AgentRole::Sensor),
            connected: count(&|agent| agent.connected),
            outdated: count(&|agent| agent.connected && agent.version != env!("CARGO_PKG_VERSION")),
        },
        versions: versions.into_iter().map(str::to_owned).collect(),
        capabilities: capabilities(&present),
        dropped: dropped(own),
        last_audit_event: own.iter().filter_map(|agent| agent.last_audit_event).max(),
        audit_events: own.iter().map(|agent| agent.audit_events).fold(0, u64::saturating_add),
        certificate_expires: present.iter().map(|agent| agent.certificate_expires).min(),
        admission,
        cluster,
    }
}

fn capabilities(present: &[&Agent]) -> Vec<CapabilityHealth> {
    let mut by_name: BTreeMap<&str, CapabilityHealth> = BTreeMap::new();
    for (agent, capability) in
        present.iter().flat_map(|agent| agent.capabilities.iter().map(move |one| (agent, one)))
    {
        let health = by_name.entry(&capability.name).or_insert_with(|| CapabilityHealth {
            name: capability.name.clone(),
            full: 0,
            partial: 0,
            absent: 0,
            unknown: 0,
            reasons: Vec::new(),
        });
        *match capability.state {
            _ if !agent.connected => &mut health.unknown,
            CapabilityState::Full => &mut health.full,
            CapabilityState::Partial => &mut health.partial,
            CapabilityState::Absent => &mut health.absent,
        } += 1;
        let reason = match agent.connected {
            true => capability.reason.clone(),
            false => Some(format!("{} is not connected", agent.name)),
        };
        if let Some(reason) = reason
            && health.reasons.len() < MAX_REASONS
            && !health.reasons.contains(&reason)
        {
            health.reasons.push(reason);
        }
    }
    by_name.into_values().collect()
}

fn dropped(own: &[Agent]) -> Vec<Dropped> {
    let mut by_class: BTreeMap<&str, u64> = BTreeMap::new();
    for lost in own.iter().flat_map(|agent| &agent.dropped) {
        let count = by_class.entry(&lost.class).or_default();
        *count = count.saturating_add(lost.count);
    }
    let lost = by_class.into_iter().filter(|(_, count)| *count > 0);
    lost.map(|(class, count)| Dropped { class: class.to_owned(), count }).collect()
}

async fn admission(
    app: &App,
    visible: &Visible,
    cluster: &Cluster,
) -> Result<AdmissionHealth, Refusal> {
    let assignments = app.store.assignments_at(&cluster.scope).await?;
    let with = |action: PolicyAction| {
        assignments.iter().filter(|assignment| assignment.action == action).count() as u64
    };
    let here = format!("scope:{}", quoted(cluster.scope.as_str()));
    let recent = format!("{here} age:<24h");
    let newest = Query { filter: here, limit: 1, ..Query::default() };
    Ok(AdmissionHealth {
        policies: assignments.len() as u64,
        deny: with(PolicyAction::Deny),
        warn: with(PolicyAction::Warn),
        audit: with(PolicyAction::Audit),
        decisions_24h: app.store.count::<StoredDecision>(visible, &recent).await?,
        gaps_24h: app.store.count::<StoredGap>(visible, &recent).await?,
        last_gap: app.store.list::<StoredGap>(visible, &newest).await?.items.pop(),
        policy_sets: policy_sets(app, cluster).await?,
    })
}

async fn policy_sets(app: &App, cluster: &Cluster) -> Result<PolicySetsHealth, Refusal> {
    let sets = app.store.policy_sets_at(&cluster.scope).await?;
    let tried = app.store.tried_at(&cluster.scope).await?;
    let with = |action: PolicyAction| sets.iter().filter(|set| set.action == action).count() as u64;
    Ok(PolicySetsHealth {
        sets: sets.len() as u64,
        deny: with(PolicyAction::Deny),
        warn: with(PolicyAction::Warn),
        audit: with(PolicyAction::Audit),
        untried: sets.iter().filter(|set| !tried.contains(&set.id)).count() as u64,
    })
}
