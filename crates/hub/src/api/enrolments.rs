//! `/enrolments`: tokens that bring clusters and machines in.
pub(crate) mod join;
pub(crate) mod redeem;
pub(crate) mod twin;

use super::extract::{Body, object};
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::session::{ENROLMENT_PREFIX, digest};
use crate::auth::{Action, Caller};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::scope::ScopePath;
use seawall_store::{Enrolment, Enrolments, NewEnrolment, Page};
use serde_json::json;

const HOUR: Millis = 60 * 60 * 1000;
/// Source: platform.md, "Enrolment".
const DEFAULT_LIFE: Millis = HOUR;
const MAX_LIFE: Millis = 7 * 24 * HOUR;
/// Registrations of one token.
const MAX_USES: u32 = 1_000;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEnrolmentBody {
    scope: ScopePath,
    /// Epoch milliseconds, at most 7 days ahead; in one hour, if absent.
    expires: Option<Millis>,
    /// Registrations; 1 if absent.
    uses: Option<u32>,
    /// Each registration waits until it is accepted.
    #[serde(default)]
    manual_accept: bool,
}

/// The enrolment with its token, shown this once.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedEnrolment {
    /// `swe_…`
    token: String,
    /// To paste where the agent runs.
    command: String,
    #[serde(flatten)]
    about: Enrolment,
}

/// A secret for a new token, and the token as agents take it: `swe_SECRET.HASH-OF-THE-CA`.
pub(crate) fn new_token(app: &App) -> (String, String) {
    let secret = app.entropy.secret();
    let token = format!("{ENROLMENT_PREFIX}{secret}.{}", app.pin);
    (digest(&secret), token)
}

/// Enrolments with their uses and refusals; never their tokens.
#[utoipa::path(get, path = "/api/v1/enrolments", tag = "enrolments", params(ListQuery),
    responses((status = 200, body = Page<Enrolment>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Enrolment>().await
}

/// A new enrolment token.
#[utoipa::path(post, path = "/api/v1/enrolments", tag = "enrolments",
    request_body = NewEnrolmentBody, responses((status = 201, body = CreatedEnrolment)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewEnrolmentBody>,
) -> Result<Response, Refusal> {
    caller.may_at(Action::Enrol, &body.scope)?;
    let now = app.now();
    let expires = body.expires.unwrap_or(now + DEFAULT_LIFE);
    if expires <= now || expires > now + MAX_LIFE {
        let detail = "must lie in the future, at most 7 days ahead";
        return Err(Refusal::invalid("/expires", detail));
    }
    let uses_allowed = body.uses.unwrap_or(1);
    if !(1..=MAX_USES).contains(&uses_allowed) {
        return Err(Refusal::invalid("/uses", format!("must be 1 to {MAX_USES}")));
    }
    let (digest, token) = new_token(&app);
    let detail =
        json!({"expires": expires, "uses": uses_allowed, "manual_accept": body.manual_accept});
    let store = app.audited(&caller, "enrolment.create", &body.scope, detail);
    let new = NewEnrolment {
        digest,
        scope: body.scope,
        expires,
        uses_allowed,
        manual_accept: body.manual_accept,
        trusted: false,
    };
    let about = store.create_enrolment(&new).await?;
    let hub = app.url();
    let command = format!(
        "(umask 077; printf %s '{token}' > seawall-token) && seawall sensor --hub {hub} --token-file seawall-token"
    );
    let created = CreatedEnrolment { token, command, about };
    super::idempotency::shown_once(object(StatusCode::CREATED, &created)?)
}

/// End a token before its time.
#[utoipa::path(delete, path = "/api/v1/enrolments/{id}", tag = "enrolments",
    responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "enrolment.delete", id, json!({}));
    match store.revoke_enrolment(&caller.visible_here(), *id).await? {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(lookup.absent::<Enrolment>().await?),
    }
}

#[derive(Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// One of those that wait; the newest, if absent.
    cluster_uid: Option<String>,
}

/// Let one registration of a waiting cluster in.
#[utoipa::path(post, path = "/api/v1/enrolments/{id}/accept", tag = "enrolments",
    request_body = Option<AcceptBody>, responses((status = 200, body = Enrolment)))]
pub(crate) async fn accept(
    lookup: Lookup,
    body: Option<Body<AcceptBody>>,
) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let AcceptBody { cluster_uid } = body.map(|body| body.0).unwrap_or_default();
    let uid = cluster_uid.as_deref();
    let store = app.audited(caller, "enrolment.accept", id, json!({"cluster": uid}));
    match store.accept_enrolment(&caller.visible_here(), *id, uid).await? {
        Some(enrolment) => object(StatusCode::OK, &enrolment),
        None => Err(lookup.absent::<Enrolment>().await?),
    }
}
