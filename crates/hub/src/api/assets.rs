//! `/assets`: Kubernetes objects and nodes.
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::asset::Asset;
use seawall_store::Page;

/// Assets the caller may see.
#[utoipa::path(get, path = "/api/v1/assets", tag = "assets", params(ListQuery),
    responses((status = 200, body = Page<Asset>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Asset>().await
}

/// One asset.
#[utoipa::path(get, path = "/api/v1/assets/{id}", tag = "assets",
    responses((status = 200, body = Asset)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Asset>().await
}
