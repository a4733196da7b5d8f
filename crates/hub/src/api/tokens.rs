//! `/tokens`: bearer tokens for programs, each with one role at one scope and an end.
use super::extract::{Body, object};
use super::list::{ListQuery, Listing, Lookup};
use super::names::check_name;
use super::problem::Refusal;
use super::roles::check_namespaces;
use crate::app::App;
use crate::auth::session::{TOKEN_PREFIX, digest};
use crate::auth::{Action, Caller};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::access::Role;
use seawall_model::scope::ScopePath;
use seawall_store::{NewToken, Page, Token, Tokens};
use serde_json::json;

/// A token that nobody renews for a year is one nobody remembers.
const MAX_LIFE: Millis = 366 * 24 * 60 * 60 * 1000;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTokenBody {
    name: String,
    role: Role,
    scope: ScopePath,
    namespaces: Option<Vec<String>>,
    /// Epoch milliseconds, at most 366 days ahead.
    expires: Millis,
}

/// The token with its secret, shown this once.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedToken {
    /// `swt_…`
    token: String,
    #[serde(flatten)]
    about: Token,
}

/// Tokens of scopes whose users the caller manages; never their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(ListQuery),
    responses((status = 200, body = Page<Token>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Token>().await
}

/// A new token; its name is that of no other.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewTokenBody,
    responses((status = 201, body = CreatedToken)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewTokenBody>,
) -> Result<Response, Refusal> {
    caller.may_at(Action::Users, &body.scope)?;
    let name = check_name(&body.name)?;
    check_namespaces(body.namespaces.as_deref())?;
    if body.expires <= app.now() || body.expires > app.now() + MAX_LIFE {
        let detail = "must lie in the future, at most 366 days ahead";
        return Err(Refusal::invalid("/expires", detail));
    }
    let token = format!("{TOKEN_PREFIX}{}", app.entropy.secret());
    let detail = json!({"role": body.role, "scope": &body.scope, "expires": body.expires});
    let new = NewToken {
        name: name.to_owned(),
        digest: digest(&token),
        role: body.role,
        scope: body.scope,
        namespaces: body.namespaces,
        expires: body.expires,
    };
    let about = app.audited(&caller, "token.create", name, detail).create_token(&new).await?;
    super::idempotency::shown_once(object(StatusCode::CREATED, &CreatedToken { token, about })?)
}

/// End a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let token = lookup.object::<Token>().await?;
    let Lookup { app, caller, id } = lookup;
    let store = app.audited(&caller, "token.delete", &token.name, json!({}));
    let deleted = store.delete_token(id).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found("token")) }
}
