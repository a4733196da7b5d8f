//! `/findings`: facts about assets: failed controls and flaws.
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::finding::Finding;
use seawall_store::Page;

/// Findings the caller may see.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", params(ListQuery),
    responses((status = 200, body = Page<Finding>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Finding>().await
}

/// One finding.
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "findings",
    responses((status = 200, body = Finding)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Finding>().await
}
