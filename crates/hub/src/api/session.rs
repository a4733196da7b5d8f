//! `/session`: signing in and out, who is signed in, the own password.
use super::extract::Body;
use super::problem::Refusal;
use crate::app::App;
use crate::auth::password;
use crate::auth::session::{self, SESSION_LIFE};
use crate::auth::{Caller, Who, guard};
use crate::serve::Peer;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use seawall_model::Id;
use seawall_model::access::{Principal, Role, User};
use seawall_model::scope::ScopePath;
use seawall_store::{Audit, NewAuditEntry, RoleAssignments, Sessions, Users};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Longer names are no names of ours.
const MAX_NAME_BYTES: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    user: String,
    password: String,
}

/// Who is signed in and may do what.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    user: SessionUser,
    roles: Vec<SessionRole>,
    /// What at least one role allows somewhere, of the words of the role table.
    actions: Vec<&'static str>,
    hub: HubInfo,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionUser {
    id: Id,
    name: String,
    must_change_password: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionRole {
    role: Role,
    scope: ScopePath,
    #[schema(required)]
    namespaces: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HubInfo {
    version: &'static str,
    /// What the advisory index is made of, or that there is none.
    feeds_note: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    current: String,
    /// At least 12 characters.
    new: String,
}

fn describe(app: &App, caller: &Caller) -> Session {
    let (id, name, must_change_password) = match &caller.who {
        Who::User { id, name, must_change_password, .. } => (*id, name, *must_change_password),
        Who::Token { id, name } => (*id, name, false),
    };
    let role = |assignment: &seawall_model::access::RoleAssignment| SessionRole {
        role: assignment.role,
        scope: assignment.scope.clone(),
        namespaces: assignment.namespaces.clone(),
    };
    Session {
        user: SessionUser { id, name: name.clone(), must_change_password },
        roles: caller.assignments.iter().map(role).collect(),
        actions: caller.actions().into_iter().map(crate::auth::Action::as_str).collect(),
        hub: HubInfo {
            version: env!("CARGO_PKG_VERSION"),
            feeds_note: app.advisories.note(app.now()),
        },
    }
}

/// Sign in with name and password; the answer sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session)))]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // A page elsewhere must not sign its visitor in as someone else; programs send no origin.
    if parts.headers.contains_key(header::ORIGIN) {
        guard::check_origin(&app, &parts)?;
    }
    let request = Request::from_parts(parts, body);
    let Body(sign_in) =
        <Body<SignIn> as axum::extract::FromRequest<App>>::from_request(request, &app).await?;
    let address = peer.address.ip();
    let name = sign_in.user.trim();
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::invalid("/user", "is over 200 bytes"));
    }
    let throttled = |wait| Refusal::too_many("too many sign-ins; wait as `Retry-After` says", wait);
    app.sign_ins_from_address.take(address, 1.0, app.now()).map_err(throttled)?;
    app.sign_ins_of_account.take(seawall_store::fold(name), 1.0, app.now()).map_err(throttled)?;

    let credential = app.store.credential(name).await?;
    let stored = credential.as_ref().map(|credential| credential.password_hash.clone());
    let right = password::verify(stored, &sign_in.password).await;
    let user = credential.map(|credential| credential.user).filter(|user| right && !user.disabled);
    let detail = json!({"address": address.to_string()});
    let Some(user) = user else {
        // Nobody is known yet: the name is what was typed.
        let entry = NewAuditEntry {
            actor: format!("user:{name}"),
            action: "session.refuse".to_owned(),
            target: "session".to_owned(),
            detail,
        };
        app.store.append_audit(&entry).await?;
        let detail = "no such user and password";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, detail).code("wrong-password"));
    };
    start_session(&app, user, detail).await
}

async fn start_session(
    app: &App,
    user: User,
    detail: serde_json::Value,
) -> Result<Response, Refusal> {
    let secret = app.entropy.secret();
    let digest = session::digest(&secret);
    let roles = app.store.roles_of(&[Principal::User { id: user.id }]).await?;
    let who = Who::User {
        id: user.id,
        name: user.name,
        must_change_password: user.must_change_password,
        session: digest.clone(),
    };
    let caller = Caller::new(who, roles, app.permissions);
    app.audited(&caller, "session.create", "session", detail)
        .create_session(&digest, user.id, app.now() + SESSION_LIFE)
        .await?;
    app.store.signed_in(user.id).await?;
    let cookie = [(header::SET_COOKIE, session::set_cookie(&secret))];
    Ok((cookie, axum::Json(describe(app, &caller))).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = Session)))]
pub(crate) async fn get(State(app): State<App>, caller: Caller) -> axum::Json<Session> {
    axum::Json(describe(&app, &caller))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(crate) async fn delete(State(app): State<App>, caller: Caller) -> Result<Response, Refusal> {
    let Who::User { session, .. } = &caller.who else {
        return Err(Refusal::conflict("token", "a token has no session; delete the token instead"));
    };
    app.audited(&caller, "session.delete", "session", json!({})).end_session(session).await?;
    let cookie = [(header::SET_COOKIE, session::clear_cookie())];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

/// Change the own password; the user's other sessions end.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204)))]
pub(crate) async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, Refusal> {
    let Who::User { id, name, session, .. } = &caller.who else {
        return Err(Refusal::conflict("token", "a token has no password"));
    };
    // The same bucket as signing in: a stolen session must not guess the password here.
    app.sign_ins_of_account
        .take(seawall_store::fold(name), 1.0, app.now())
        .map_err(|wait| Refusal::too_many("too many attempts; wait as `Retry-After` says", wait))?;
    check_new_password("/new", &change.new)?;
    if change.new == change.current {
        return Err(Refusal::invalid("/new", "is the current password"));
    }
    let credential = app.store.credential(name).await?;
    let stored = credential.map(|credential| credential.password_hash);
    if !password::verify(stored, &change.current).await {
        app.audit(&caller, "password.refuse", name, json!({})).await?;
        return Err(Refusal::invalid("/current", "is not the current password"));
    }
    let hash = password::hash(&app.entropy, &change.new).await;
    app.audited(&caller, "password.change", name, json!({}))
        .set_password(*id, &hash, false, Some(session))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn check_new_password(pointer: &str, password: &str) -> Result<(), Refusal> {
    password::check_new(password).map_err(|detail| Refusal::invalid(pointer, detail))
}
