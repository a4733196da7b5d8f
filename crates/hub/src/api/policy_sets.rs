//! `/policy-sets`: users' own policies at a scope and below, what they would do, and what they may.
mod text;

use super::extract::{Body, object};
use super::if_match::{IfMatch, RequiredIfMatch};
use super::list::{ListQuery, Listing, Lookup, quoted};
use super::names::check_name;
use super::problem::Refusal;
use super::room::{self, Share};
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::admission::PolicyAction;
use seawall_model::policy_set::{PolicySet, StoredTrial};
use seawall_model::scope::ScopePath;
use seawall_store::{NewPolicySet, Page, PolicySetEntry, PolicySets, TrialSums, Visible};
use serde_json::json;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicySetBody {
    /// One of its scope.
    name: String,
    scope: ScopePath,
    /// YAML documents: ValidatingAdmissionPolicies with bindings and params, Gatekeeper's templates, constraints and
    /// expansions; at most 512 KiB.
    text: String,
    /// The most that any policy of the set may do. A new set begins at `audit` or `off`.
    #[serde(default)]
    action: PolicyAction,
}

/// A set with its text, and what it would do by the trials of that text.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct TriedSet {
    #[serde(flatten)]
    set: PolicySet,
    trials: TrialSums,
    /// Connected clusters at and below the scope that have not tried the text yet, by name, at most 50. The action is not
    /// raised to `warn` or `deny` before none is left.
    untried: Vec<String>,
}

impl TriedSet {
    async fn of(app: &App, visible: &Visible, set: PolicySet) -> Result<Self, Refusal> {
        let trials = app.store.trial_sums(visible, set.id).await?;
        let untried = app.store.untried(visible, &set).await?;
        Ok(Self { set, trials, untried })
    }
}

impl PolicySetBody {
    /// `known` is a text that was looked at before.
    async fn check(&mut self, known: Option<&str>) -> Result<(), Refusal> {
        self.name = check_name(&self.name)?.to_owned();
        match known {
            Some(known) if known == self.text => Ok(()),
            _ => text::check(&self.text).await,
        }
    }

    fn into_new(self) -> NewPolicySet {
        let Self { name, scope, text, action } = self;
        NewPolicySet { name, scope, text, action }
    }
}

/// Policy sets the caller may see, without their texts.
#[utoipa::path(get, path = "/api/v1/policy-sets", tag = "policy-sets", params(ListQuery),
    responses((status = 200, body = Page<PolicySetEntry>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<PolicySetEntry>().await
}

/// One policy set with its text.
#[utoipa::path(get, path = "/api/v1/policy-sets/{id}", tag = "policy-sets",
    responses((status = 200, body = TriedSet)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let visible = caller.visible_here();
    match app.store.policy_set(&visible, *id).await? {
        Some(set) => object(StatusCode::OK, &TriedSet::of(app, &visible, set).await?),
        None => Err(lookup.absent::<PolicySetEntry>().await?),
    }
}

/// Keep a policy set. Connected cluster agents are told at once, and try it.
#[utoipa::path(post, path = "/api/v1/policy-sets", tag = "policy-sets",
    request_body = PolicySetBody, responses((status = 201, body = TriedSet)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(mut body): Body<PolicySetBody>,
) -> Result<Response, Refusal> {
    caller.may_at(crate::auth::Action::EditPolicy, &body.scope)?;
    body.check(None).await?;
    let new = body.into_new();
    let others = room::around(&app, &new.scope, None).await?;
    room::check("/text", Share::of_set(&new.text), &new.scope, &others)?;
    let detail = json!({"name": new.name, "action": new.action});
    let store = app.audited(&caller, "policy_set.create", &new.scope, detail);
    let set = store.create_policy_set(&new).await?;
    app.wakers.desired_changed();
    object(StatusCode::CREATED, &TriedSet::of(&app, &caller.visible_here(), set).await?)
}

/// Change a policy set; the scope stays, another is refused. To `warn` or `deny` it is raised once every connected cluster
/// has tried the text that it has; a new text begins at `audit`.
#[utoipa::path(put, path = "/api/v1/policy-sets/{id}", tag = "policy-sets", params(RequiredIfMatch),
    request_body = PolicySetBody, responses((status = 200, body = TriedSet)))]
pub(crate) async fn replace(
    lookup: Lookup,
    revision: IfMatch,
    Body(mut body): Body<PolicySetBody>,
) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let visible = caller.visible_here();
    let Some(replaced) = app.store.policy_set(&visible, *id).await? else {
        return Err(lookup.absent::<PolicySetEntry>().await?);
    };
    if body.scope != replaced.scope {
        let detail =
            format!("stays `{}`: make another policy set, and delete this one", replaced.scope);
        return Err(Refusal::invalid("/scope", detail));
    }
    body.check(Some(&replaced.text)).await?;
    let new = body.into_new();
    let others = room::around(app, &replaced.scope, Some(*id)).await?;
    room::check("/text", Share::of_set(&new.text), &replaced.scope, &others)?;
    let changes_text = new.text != replaced.text;
    let detail = json!({"name": new.name, "action": new.action, "changes_text": changes_text});
    let store = app.audited(caller, "policy_set.replace", id, detail);
    let expected = revision.required()?.expected::<PolicySetEntry>(&lookup).await?;
    match store.replace_policy_set(&visible, *id, &new, expected).await? {
        Some(set) => {
            app.wakers.desired_changed();
            object(StatusCode::OK, &TriedSet::of(app, &visible, set).await?)
        }
        None => Err(lookup.absent::<PolicySetEntry>().await?),
    }
}

/// Delete a policy set and its trials.
#[utoipa::path(delete, path = "/api/v1/policy-sets/{id}", tag = "policy-sets",
    responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "policy_set.delete", id, json!({}));
    match store.delete_policy_set(&caller.visible_here(), *id).await? {
        Some(_) => {
            app.wakers.desired_changed();
            Ok(StatusCode::NO_CONTENT)
        }
        None => Err(lookup.absent::<PolicySetEntry>().await?),
    }
}

/// The last trial of a policy set in each cluster the caller may see.
#[utoipa::path(get, path = "/api/v1/policy-sets/{id}/trials", tag = "policy-sets", params(ListQuery),
    responses((status = 200, body = Page<StoredTrial>)))]
pub(crate) async fn trials(lookup: Lookup, listing: Listing) -> Result<Response, Refusal> {
    let set = lookup.object::<PolicySetEntry>().await?;
    let narrowed = format!("set:{}", quoted(&set.id.to_string()));
    listing.within::<StoredTrial>(Some(&narrowed)).await
}
