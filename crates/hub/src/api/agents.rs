//! `/agents`: components with a certificate: cluster agents and node sensors.
use super::extract::object;
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use http::StatusCode;
use seawall_model::asset::Agent;
use seawall_store::{Agents, Page};
use serde_json::json;

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

/// Ends the agent's right to connect, for ever; an open stream closes at once.
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
