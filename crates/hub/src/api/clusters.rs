//! `/clusters`: connected Kubernetes clusters and single machines.
pub(crate) mod status;

use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::asset::Cluster;
use seawall_store::Page;

/// Clusters the caller may see.
#[utoipa::path(get, path = "/api/v1/clusters", tag = "clusters", params(ListQuery),
    responses((status = 200, body = Page<Cluster>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Cluster>().await
}

/// One cluster.
#[utoipa::path(get, path = "/api/v1/clusters/{id}", tag = "clusters",
    responses((status = 200, body = Cluster)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Cluster>().await
}
