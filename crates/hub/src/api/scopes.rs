//! `/scopes`: the tree of organisation, accounts, clusters and registries.
use super::extract::{Body, object};
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_store::{NewScope, Page, Scopes};
use serde_json::json;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScopeBody {
    parent: ScopePath,
    kind: ScopeKind,
    name: String,
}

/// Scopes the caller may see.
#[utoipa::path(get, path = "/api/v1/scopes", tag = "scopes", params(ListQuery),
    responses((status = 200, body = Page<Scope>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Scope>().await
}

/// A new scope below `parent`.
#[utoipa::path(post, path = "/api/v1/scopes", tag = "scopes", request_body = NewScopeBody,
    responses((status = 201, body = Scope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewScopeBody>,
) -> Result<Response, Refusal> {
    caller.may_at(Action::Enrol, &new.parent)?;
    let new = NewScope { parent: new.parent, kind: new.kind, name: new.name };
    let store = app.audited(&caller, "scope.create", new.path(), json!({"kind": new.kind}));
    let scope = store.create_scope(&new).await?;
    object(StatusCode::CREATED, &scope)
}
