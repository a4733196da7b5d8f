//! `/gaps`: times in which requests passed admission unjudged.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::admission::StoredGap;
use seawall_store::Page;

/// Gaps the caller may see.
#[utoipa::path(get, path = "/api/v1/gaps", tag = "gaps", params(ListQuery),
    responses((status = 200, body = Page<StoredGap>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<StoredGap>().await
}
