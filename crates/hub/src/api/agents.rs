//! `/agents`: components with a certificate: cluster agents and node sensors.
use super::extract::object;
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use crate::app::App;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::asset::{Agent, Cluster};
use seawall_store::{Agents, Page, Visible};
use serde_json::json;

/// Agents of one cluster that are summed up: all those of most clusters; the lists have all.
const MAX_OF_CLUSTER: u32 = 1_000;
/// A node that is gone for so long is no longer there, where others are: clusters grow and shrink.
const GONE_AFTER: Millis = 24 * 60 * 60 * 1000;

/// Those of a cluster that are not revoked, the connected ones first.
pub(crate) async fn of_cluster(
    app: &App,
    visible: &Visible,
    cluster: &Cluster,
) -> seawall_store::Result<Vec<Agent>> {
    app.store.agents_of_cluster(visible, &cluster.scope, MAX_OF_CLUSTER).await
}

/// The agents that say how a cluster is: those connected, and those of whom nobody knows how they are.
pub(crate) fn present(agents: &[Agent], now: Millis) -> Vec<&Agent> {
    let recent = |agent: &&Agent| agent.connected || now - agent.last_seen < GONE_AFTER;
    let present: Vec<&Agent> = agents.iter().filter(recent).collect();
    if present.is_empty() { agents.iter().collect() } else { present }
}

/// Agents the caller may see.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents", params(ListQuery),
    responses((status = 200, body = Page<Agent>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Agent>().await
}

/// One agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}", tag = "agents",
    responses((status = 200, body = Agent)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Agent>().await
}

/// Ends the agent's right to connect, for ever; an open stream closes at once. Whoever has its name and service account
/// does not join again. The last agent of a cluster stands for all of it: nobody joins until one enrols.
#[utoipa::path(post, path = "/api/v1/agents/{id}/revoke", tag = "agents",
    responses((status = 200, body = Agent)))]
pub(crate) async fn revoke(lookup: Lookup) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "agent.revoke", id, json!({}));
    let Some(agent) = store.revoke_agent(&caller.visible_here(), *id).await? else {
        return Err(lookup.absent::<Agent>().await?);
    };
    app.live.revoke(*id);
    object(StatusCode::OK, &agent)
}

/// Remove a revoked agent from the list. What its revocation refused may join again: who may enrol decides that.
#[utoipa::path(delete, path = "/api/v1/agents/{id}", tag = "agents", responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "agent.delete", id, json!({}));
    match store.forget_agent(&caller.visible_here(), *id).await? {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(lookup.absent::<Agent>().await?),
    }
}
