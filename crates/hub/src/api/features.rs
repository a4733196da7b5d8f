//! `/features`: what this version can do where, and whether it works here.
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::asset::{Agent, CapabilityState};
use seawall_store::{Query, Reads};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Agents whose probes are counted.
const MAX_AGENTS: u32 = 500;

#[derive(Serialize, ToSchema)]
pub(crate) struct Features {
    /// The hub's version.
    version: &'static str,
    /// What agents' probes report, by capability: a feature that is claimed but does not work is seen here.
    capabilities: Vec<CapabilityCount>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilityCount {
    name: String,
    full: u64,
    partial: u64,
    absent: u64,
}

/// Capabilities of the agents that the caller may see.
#[utoipa::path(get, path = "/api/v1/features", tag = "features",
    responses((status = 200, body = Features)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<axum::Json<Features>, Refusal> {
    let query = Query { limit: MAX_AGENTS, ..Query::default() };
    let agents = app.store.list::<Agent>(&caller.visible_here(), &query).await?.items;
    let mut counts: BTreeMap<String, CapabilityCount> = BTreeMap::new();
    for capability in
        agents.into_iter().filter(|agent| !agent.revoked).flat_map(|agent| agent.capabilities)
    {
        let name = capability.name.clone();
        let count = counts.entry(capability.name).or_insert(CapabilityCount {
            name,
            full: 0,
            partial: 0,
            absent: 0,
        });
        *match capability.state {
            CapabilityState::Full => &mut count.full,
            CapabilityState::Partial => &mut count.partial,
            CapabilityState::Absent => &mut count.absent,
        } += 1;
    }
    let capabilities = counts.into_values().collect();
    Ok(axum::Json(Features { version: env!("CARGO_PKG_VERSION"), capabilities }))
}
