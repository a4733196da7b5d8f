//! `/detections`: the built-in rules as text.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use crate::app::App;
use crate::content::{DETECTIONS, DetectionEntry};
use axum::extract::{Path, State};
use axum::response::Response;
use seawall_store::Page;

/// All built-in detections.
#[utoipa::path(get, path = "/api/v1/detections", tag = "detections", params(ListQuery),
    responses((status = 200, body = Page<DetectionEntry>)))]
pub(crate) async fn list(State(app): State<App>, listing: Listing) -> Result<Response, Refusal> {
    listing.held(&DETECTIONS, app.content.detections()).await
}

/// One detection.
#[utoipa::path(get, path = "/api/v1/detections/{id}", tag = "detections",
    params(("id" = String, Path, description = "Such as `SW-D-0001`")),
    responses((status = 200, body = DetectionEntry)))]
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<DetectionEntry>, Refusal> {
    let entry = app.content.detection(&id).ok_or_else(|| Refusal::not_found("detection"))?;
    Ok(axum::Json(entry.clone()))
}
