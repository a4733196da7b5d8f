//! `/roles`: who holds which role where.
use super::extract::{Body, object};
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::access::{Principal, Role, RoleAssignment, is_namespace};
use seawall_model::scope::ScopePath;
use seawall_store::{NewAssignment, Page, RoleAssignments};
use serde_json::json;

/// Namespaces of one assignment; a longer list is a scope of its own.
const MAX_NAMESPACES: usize = 100;
/// Distinguished names of directories are shorter.
const MAX_GROUP_CHARS: usize = 200;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoleBody {
    principal: Principal,
    role: Role,
    scope: ScopePath,
    /// At a cluster: only these. Null is all of them.
    namespaces: Option<Vec<String>>,
}

/// Role assignments at scopes whose users the caller manages.
#[utoipa::path(get, path = "/api/v1/roles", tag = "roles", params(ListQuery),
    responses((status = 200, body = Page<RoleAssignment>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<RoleAssignment>().await
}

/// Give a role to a user or group.
#[utoipa::path(post, path = "/api/v1/roles", tag = "roles", request_body = NewRoleBody,
    responses((status = 201, body = RoleAssignment)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewRoleBody>,
) -> Result<Response, Refusal> {
    caller.may_at(Action::Users, &body.scope)?;
    check_principal(&body.principal)?;
    check_namespaces(body.namespaces.as_deref())?;
    let detail =
        json!({"principal": &body.principal, "role": body.role, "namespaces": &body.namespaces});
    let store = app.audited(&caller, "role.create", &body.scope, detail);
    let new = NewAssignment {
        principal: body.principal,
        role: body.role,
        scope: body.scope,
        namespaces: body.namespaces,
    };
    object(StatusCode::CREATED, &store.assign_role(&new).await?)
}

/// Take a role away.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "roles", responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let assignment = lookup.object::<RoleAssignment>().await?;
    let Lookup { app, caller, id } = lookup;
    let detail = json!({"principal": &assignment.principal, "role": assignment.role});
    let removed =
        app.audited(&caller, "role.delete", &assignment.scope, detail).remove_role(id).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found("role assignment")) }
}

fn check_principal(principal: &Principal) -> Result<(), Refusal> {
    match principal {
        Principal::User { .. } => Ok(()),
        Principal::Token { .. } => {
            Err(Refusal::invalid("/principal", "a token has the one role it was made with"))
        }
        Principal::Group { name } => {
            let count = name.chars().count();
            let blank = name.trim().is_empty() || name.chars().any(char::is_control);
            if blank || count > MAX_GROUP_CHARS {
                let detail =
                    format!("must have 1 to {MAX_GROUP_CHARS} characters, none of them control");
                return Err(Refusal::invalid("/principal/name", detail));
            }
            Ok(())
        }
    }
}

/// An empty list would be a role that shows nothing: surely a mistake. No wildcards: an exemption knows them, and a
/// grant for the namespace `*` would excuse all of them.
pub(crate) fn check_namespaces(namespaces: Option<&[String]>) -> Result<(), Refusal> {
    let Some(namespaces) = namespaces else { return Ok(()) };
    if namespaces.is_empty() {
        return Err(Refusal::invalid("/namespaces", "names none; leave it away for all of them"));
    }
    if namespaces.len() > MAX_NAMESPACES {
        return Err(Refusal::invalid("/namespaces", format!("has over {MAX_NAMESPACES} names")));
    }
    match namespaces.iter().position(|name| !is_namespace(name)) {
        Some(at) => {
            let detail = "is no namespace: expected a whole name in a-z, 0-9 and `-`";
            Err(Refusal::invalid(format!("/namespaces/{at}"), detail))
        }
        None => Ok(()),
    }
}
