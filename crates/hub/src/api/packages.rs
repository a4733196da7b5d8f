//! `/packages`: package versions across images and nodes.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use axum::response::Response;
use seawall_store::{PackageVersion, Page};

/// Package versions the caller may see.
#[utoipa::path(get, path = "/api/v1/packages", tag = "packages", params(ListQuery),
    responses((status = 200, body = Page<PackageVersion>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<PackageVersion>().await
}
