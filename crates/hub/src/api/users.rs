//! `/users`: local accounts. They belong to the whole organisation, so only an Owner of it manages them.
use super::extract::{Body, object};
use super::if_match::{IfMatch, RequiredIfMatch};
use super::list::{ListQuery, Listing, Lookup};
use super::names::check_name;
use super::problem::Refusal;
use super::session::check_new_password;
use crate::app::App;
use crate::auth::{Action, Caller, password};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::access::User;
use seawall_store::{NewUser, Page, Users};
use serde_json::json;
use utoipa::ToSchema;

#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    name: String,
    /// At least 12 characters; the user changes it at the first sign-in.
    password: String,
}

#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    disabled: bool,
}

/// The new password, shown this once.
#[derive(serde::Serialize, ToSchema)]
pub(crate) struct ResetPassword {
    password: String,
}

/// All users.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(ListQuery),
    responses((status = 200, body = Page<User>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.caller.may_at_root(Action::Users)?;
    listing.of::<User>().await
}

/// A new user, without any role yet.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUserBody,
    responses((status = 201, body = User)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewUserBody>,
) -> Result<Response, Refusal> {
    caller.may_at_root(Action::Users)?;
    let name = check_name(&body.name)?;
    check_new_password("/password", &body.password)?;
    let password_hash = password::hash(&app.entropy, &body.password).await;
    let new = NewUser { name: name.to_owned(), password_hash, must_change_password: true };
    let user = app.audited(&caller, "user.create", name, json!({})).create_user(&new).await?;
    object(StatusCode::CREATED, &user)
}

/// Disable or enable a user; disabling ends the user's sessions.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(RequiredIfMatch),
    request_body = UserPatch, responses((status = 200, body = User)))]
pub(crate) async fn update(
    lookup: Lookup,
    revision: IfMatch,
    Body(patch): Body<UserPatch>,
) -> Result<Response, Refusal> {
    lookup.caller.may_at_root(Action::Users)?;
    let expected = revision.required()?.expected::<User>(&lookup).await?;
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "user.update", id, json!({"disabled": patch.disabled}));
    let user = store.set_disabled(*id, patch.disabled, expected).await?;
    object(StatusCode::OK, &user.ok_or_else(|| Refusal::not_found("user"))?)
}

/// Give the user a random password, shown once, to be changed at the next sign-in.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset-password", tag = "users",
    responses((status = 200, body = ResetPassword)))]
pub(crate) async fn reset_password(
    Lookup { app, caller, id }: Lookup,
) -> Result<Response, Refusal> {
    caller.may_at_root(Action::Users)?;
    let password = app.entropy.password();
    let hash = password::hash(&app.entropy, &password).await;
    let store = app.audited(&caller, "user.reset-password", id, json!({}));
    let user = store.set_password(id, &hash, true, None).await?;
    user.ok_or_else(|| Refusal::not_found("user"))?;
    super::idempotency::shown_once(object(StatusCode::OK, &ResetPassword { password })?)
}

/// Remove a user with sessions and role assignments.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", responses((status = 204)))]
pub(crate) async fn delete(Lookup { app, caller, id }: Lookup) -> Result<StatusCode, Refusal> {
    caller.may_at_root(Action::Users)?;
    let deleted = app.audited(&caller, "user.delete", id, json!({})).delete_user(id).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found("user")) }
}
