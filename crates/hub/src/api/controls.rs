//! `/controls`: the built-in controls as text.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use crate::app::App;
use crate::content::{CONTROLS, ControlEntry};
use axum::extract::{Path, State};
use axum::response::Response;
use seawall_store::Page;

/// All built-in controls.
#[utoipa::path(get, path = "/api/v1/controls", tag = "controls", params(ListQuery),
    responses((status = 200, body = Page<ControlEntry>)))]
pub(crate) async fn list(State(app): State<App>, listing: Listing) -> Result<Response, Refusal> {
    listing.held(&CONTROLS, app.content.controls()).await
}

/// One control.
#[utoipa::path(get, path = "/api/v1/controls/{id}", tag = "controls",
    params(("id" = String, Path, description = "Such as `SW-C-0017`")),
    responses((status = 200, body = ControlEntry)))]
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<ControlEntry>, Refusal> {
    let entry = app.content.control(&id).ok_or_else(|| Refusal::not_found("control"))?;
    Ok(axum::Json(entry.clone()))
}
