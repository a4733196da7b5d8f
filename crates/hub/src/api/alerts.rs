//! `/alerts`: the queue, one alert, and its steps: take, resolve, dismiss, reopen.
pub(crate) mod bulk;
pub(crate) mod facets;

use super::extract::{Body, object};
use super::if_match::{IfMatch, OptionalIfMatch};
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use axum::response::Response;
use http::StatusCode;
use seawall_model::alert::{Alert, DismissReason};
use seawall_store::{AlertStep, Alerts, Page};
use serde_json::json;

/// A note is a sentence or two, not a report.
const MAX_NOTE_CHARS: usize = 4_000;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DismissBody {
    reason: DismissReason,
    note: String,
}

/// Alerts the caller may see.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(ListQuery),
    responses((status = 200, body = Page<Alert>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Alert>().await
}

/// One alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    responses((status = 200, body = Alert)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Alert>().await
}

/// Close the alert with a reason; only this one is hidden, not the next.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/dismiss", tag = "alerts", params(OptionalIfMatch),
    request_body = DismissBody, responses((status = 200, body = Alert)))]
pub(crate) async fn dismiss(
    lookup: Lookup,
    revision: IfMatch,
    Body(body): Body<DismissBody>,
) -> Result<Response, Refusal> {
    let note = check_note(body.note)?;
    step(lookup, revision, AlertStep::Dismiss { reason: body.reason, note }).await
}

/// Take the alert into work.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/take", tag = "alerts", params(OptionalIfMatch),
    responses((status = 200, body = Alert)))]
pub(crate) async fn take(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    step(lookup, revision, AlertStep::Take).await
}

/// Close the alert as dealt with.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/resolve", tag = "alerts", params(OptionalIfMatch),
    responses((status = 200, body = Alert)))]
pub(crate) async fn resolve(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    step(lookup, revision, AlertStep::Resolve).await
}

/// Make the alert active again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/reopen", tag = "alerts", params(OptionalIfMatch),
    responses((status = 200, body = Alert)))]
pub(crate) async fn reopen(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    step(lookup, revision, AlertStep::Reopen).await
}

async fn step(lookup: Lookup, revision: IfMatch, step: AlertStep) -> Result<Response, Refusal> {
    let expected = revision.expected::<Alert>(&lookup).await?;
    let Lookup { app, caller, id } = &lookup;
    let detail = match &step {
        AlertStep::Dismiss { reason, note } => json!({"reason": reason, "note": note}),
        AlertStep::Take | AlertStep::Resolve | AlertStep::Reopen => json!({}),
    };
    let store = app.audited(caller, &format!("alert.{}", verb(&step)), id, detail);
    let actor = caller.actor();
    match store.step_alert(&caller.visible_here(), *id, &step, &actor, expected).await? {
        Some(alert) => object(StatusCode::OK, &alert),
        None => Err(lookup.absent::<Alert>().await?),
    }
}

fn verb(step: &AlertStep) -> &'static str {
    match step {
        AlertStep::Take => "take",
        AlertStep::Resolve => "resolve",
        AlertStep::Dismiss { .. } => "dismiss",
        AlertStep::Reopen => "reopen",
    }
}

fn check_note(note: String) -> Result<String, Refusal> {
    if note.trim().is_empty() {
        return Err(Refusal::invalid("/note", "is empty: say why, for who reads it next"));
    }
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(Refusal::invalid("/note", format!("is over {MAX_NOTE_CHARS} characters")));
    }
    Ok(note)
}
