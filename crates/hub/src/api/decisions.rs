//! `/decisions`: requests that failed a control at admission, and how they were answered.
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::admission::StoredDecision;
use seawall_store::Page;

/// Decisions the caller may see.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "decisions", params(ListQuery),
    responses((status = 200, body = Page<StoredDecision>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<StoredDecision>().await
}

/// One decision.
#[utoipa::path(get, path = "/api/v1/decisions/{id}", tag = "decisions",
    responses((status = 200, body = StoredDecision)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<StoredDecision>().await
}
