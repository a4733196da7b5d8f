//! `/exemptions`: excuses for findings, asked for by one role and granted by another.
use super::extract::{Body, object};
use super::if_match::{IfMatch, OptionalIfMatch};
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller, Who};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::access::is_namespace;
use seawall_model::exemption::{
    Category, Exemption, ExemptionSource, ExemptionState, ExemptionTarget,
};
use seawall_model::scope::ScopePath;
use seawall_store::{Exemptions, NewExemption, Page, Visible};
use serde_json::json;

/// Of reason and each part of the target.
const MAX_TEXT_CHARS: usize = 2_000;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewExemptionBody {
    target: ExemptionTarget,
    category: Category,
    reason: String,
    /// The caller, if absent.
    owner: Option<String>,
    /// Epoch milliseconds.
    expires: Millis,
    scope: ScopePath,
}

impl NewExemptionBody {
    fn check(&self, now: Millis) -> Result<(), Refusal> {
        let target = &self.target;
        let texts = [
            ("/target/rule", Some(&target.rule)),
            ("/target/namespace", target.namespace.as_ref()),
            ("/target/resource", target.resource.as_ref()),
            ("/target/package", target.package.as_ref()),
            ("/target/path", target.path.as_ref()),
            ("/reason", Some(&self.reason)),
            ("/owner", self.owner.as_ref()),
        ];
        for (pointer, text) in texts {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                return Err(Refusal::invalid(pointer, "is empty"));
            }
            if text.chars().count() > MAX_TEXT_CHARS {
                return Err(Refusal::invalid(
                    pointer,
                    format!("is over {MAX_TEXT_CHARS} characters"),
                ));
            }
        }
        if target.rule == "*" {
            return Err(Refusal::invalid("/target/rule", "every rule at once is no exemption"));
        }
        if self.expires <= now {
            return Err(Refusal::invalid("/expires", "lies in the past"));
        }
        Ok(())
    }

    /// Whether all that it excuses is shown. A pattern of namespaces needs all of them: it also fits those to come.
    fn lies_within(&self, visible: &Visible) -> bool {
        let one = self.target.namespace.as_deref().filter(|name| is_namespace(name));
        visible.covers(&self.scope)
            || one.is_some_and(|name| visible.shows(&self.scope, Some(name)))
    }

    fn check_place(&self, caller: &Caller) -> Result<(), Refusal> {
        let visible = caller.visible(Action::RequestExemption);
        if self.lies_within(&visible) {
            return Ok(());
        }
        if visible.touches(&self.scope) {
            let detail = "target.namespace must be one of your own: your role is for some namespaces of this scope";
            return Err(Refusal::forbidden(detail));
        }
        Err(match caller.visible(Action::View).touches(&self.scope) {
            true => Refusal::forbidden("your roles do not allow to exempt at this scope"),
            false => Refusal::not_found("scope"),
        })
    }
}

/// Exemptions the caller may see.
#[utoipa::path(get, path = "/api/v1/exemptions", tag = "exemptions", params(ListQuery),
    responses((status = 200, body = Page<Exemption>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Exemption>().await
}

/// One exemption.
#[utoipa::path(get, path = "/api/v1/exemptions/{id}", tag = "exemptions",
    responses((status = 200, body = Exemption)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Exemption>().await
}

/// Ask for an exemption; granted at once where the caller may grant it.
#[utoipa::path(post, path = "/api/v1/exemptions", tag = "exemptions",
    request_body = NewExemptionBody, responses((status = 201, body = Exemption)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewExemptionBody>,
) -> Result<Response, Refusal> {
    body.check(app.now())?;
    body.check_place(&caller)?;
    let state = match body.lies_within(&caller.visible(Action::GrantExemption)) {
        true => ExemptionState::Granted,
        false => ExemptionState::Requested,
    };
    let detail = json!({"target": &body.target, "category": body.category, "expires": body.expires, "state": state});
    let new = NewExemption {
        scope: body.scope,
        owner: body.owner.unwrap_or_else(|| caller.actor()),
        target: body.target,
        category: body.category,
        reason: body.reason,
        state,
        expires: body.expires,
        source: match caller.who {
            Who::User { .. } => ExemptionSource::Ui,
            Who::Token { .. } => ExemptionSource::Api,
        },
    };
    let store = app.audited(&caller, "exemption.create", &new.target.rule, detail);
    let exemption = store.create_exemption(&new).await?;
    app.wakers.exemptions_changed(exemption.scope.clone());
    object(StatusCode::CREATED, &exemption)
}

/// Grant a requested exemption.
#[utoipa::path(post, path = "/api/v1/exemptions/{id}/grant", tag = "exemptions", params(OptionalIfMatch),
    responses((status = 200, body = Exemption)))]
pub(crate) async fn grant(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    decide(lookup, revision, ExemptionState::Granted, "exemption.grant").await
}

/// Deny a requested exemption.
#[utoipa::path(post, path = "/api/v1/exemptions/{id}/deny", tag = "exemptions", params(OptionalIfMatch),
    responses((status = 200, body = Exemption)))]
pub(crate) async fn deny(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    decide(lookup, revision, ExemptionState::Denied, "exemption.deny").await
}

/// End a granted exemption before its time.
#[utoipa::path(post, path = "/api/v1/exemptions/{id}/revoke", tag = "exemptions", params(OptionalIfMatch),
    responses((status = 200, body = Exemption)))]
pub(crate) async fn revoke(lookup: Lookup, revision: IfMatch) -> Result<Response, Refusal> {
    decide(lookup, revision, ExemptionState::Revoked, "exemption.revoke").await
}

async fn decide(
    lookup: Lookup,
    revision: IfMatch,
    state: ExemptionState,
    action: &str,
) -> Result<Response, Refusal> {
    let expected = revision.expected::<Exemption>(&lookup).await?;
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, action, id, json!({}));
    match store.decide_exemption(&caller.visible_here(), *id, state, expected).await? {
        Some(exemption) => {
            app.wakers.exemptions_changed(exemption.scope.clone());
            object(StatusCode::OK, &exemption)
        }
        None => Err(lookup.absent::<Exemption>().await?),
    }
}
