//! `/events`: every firing of a detection as it arrived, each in one alert.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use axum::response::Response;
use seawall_store::{Page, StoredFiring};

/// Firings the caller may see.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(ListQuery),
    responses((status = 200, body = Page<StoredFiring>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<StoredFiring>().await
}
