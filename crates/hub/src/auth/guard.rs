//! The layer before every API route: limits, credentials, origin, permission.
use super::session::{self, Credential, SESSION_IDLE};
use super::{Access, Caller, Who};
use crate::api::problem::Refusal;
use crate::app::App;
use crate::serve::Peer;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{Method, header};
use seawall_model::access::Principal;
use seawall_store::{RoleAssignments, Sessions, Tokens};

/// What a user with a first or reset password is told until it is changed.
const PASSWORD_CHANGE_REQUIRED: &str = "password-change-required";

/// Lets the request through with its [`Caller`], or refuses it.
pub(crate) async fn check(
    State((app, access)): State<(App, Access)>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let identified = identify(&app, &parts).await;
    limit(&app, &parts, identified.as_ref().ok())?;
    if access == Access::Public {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let mut caller = identified?;
    if let Access::May(action) = access {
        if matches!(caller.who, Who::User { must_change_password: true, .. }) {
            let detail = "change your password first: PUT /api/v1/session/password";
            return Err(Refusal::forbidden(detail).code(PASSWORD_CHANGE_REQUIRED));
        }
        if caller.visible(action).is_empty() {
            let detail = format!("none of your roles allows `{}`", action.as_str());
            return Err(Refusal::forbidden(detail));
        }
        caller = caller.doing(action);
    }
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Who sent it; 401 where nobody is known, 403 for a browser's write from another site.
async fn identify(app: &App, parts: &Parts) -> Result<Caller, Refusal> {
    match session::credential(&parts.headers).ok_or_else(Refusal::unauthenticated)? {
        Credential::Bearer(secret) => {
            let digest = session::digest(secret);
            let token = app.store.token_by_digest(&digest).await.map_err(Refusal::internal)?;
            let token = token.ok_or_else(Refusal::unauthenticated)?;
            let who = Who::Token { id: token.id, name: token.name.clone() };
            Ok(Caller::new(who, vec![token.assignment()], app.permissions))
        }
        Credential::Cookie(secret) => {
            let digest = session::digest(secret);
            let found =
                app.store.session(&digest, SESSION_IDLE).await.map_err(Refusal::internal)?;
            let (_, user) = found.ok_or_else(Refusal::unauthenticated)?;
            check_origin(app, parts)?;
            let principal = Principal::User { id: user.id };
            let roles = app.store.roles_of(&[principal]).await.map_err(Refusal::internal)?;
            let who = Who::User {
                id: user.id,
                name: user.name,
                must_change_password: user.must_change_password,
                session: digest,
            };
            Ok(Caller::new(who, roles, app.permissions))
        }
    }
}

/// A cookie goes along with whatever page makes the browser ask: writes must come from the hub's own.
pub(crate) fn check_origin(app: &App, parts: &Parts) -> Result<(), Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    // HTTP/2 has the host in the address, HTTP/1.1 in a header.
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(host);
    if session::is_same_origin(&parts.headers, host, app.base_url.as_deref()) {
        return Ok(());
    }
    Err(Refusal::forbidden("the `Origin` of this request is not the hub's own address"))
}

/// 50 requests a second of one principal; where none is known, of one address.
fn limit(app: &App, parts: &Parts, caller: Option<&Caller>) -> Result<(), Refusal> {
    let address = || {
        parts
            .extensions
            .get::<Peer>()
            .map_or("unknown".into(), |peer| peer.address.ip().to_string())
    };
    let key = caller.map_or_else(address, Caller::key);
    app.requests.take(key, 1.0, app.now()).map_err(|wait| {
        Refusal::too_many("more than 50 requests a second; wait as `Retry-After` says", wait)
    })
}
