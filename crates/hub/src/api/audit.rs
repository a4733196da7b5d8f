//! `/audit`: what was done by whom, as a hash chain. It names objects of every scope, so it takes a role at the root.
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller};
use axum::extract::State;
use axum::response::Response;
use seawall_store::{Audit, AuditCheck, AuditEntry, Page};

/// Entries, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(ListQuery),
    responses((status = 200, body = Page<AuditEntry>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.caller.may_at_root(Action::ViewAudit)?;
    listing.of::<AuditEntry>().await
}

/// Walk the whole chain; stops at the first entry that was changed, removed or put in.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit",
    responses((status = 200, body = AuditCheck)))]
pub(crate) async fn verify(
    State(app): State<App>,
    caller: Caller,
) -> Result<axum::Json<AuditCheck>, Refusal> {
    caller.may_at_root(Action::ViewAudit)?;
    Ok(axum::Json(app.store.verify_audit().await?))
}
