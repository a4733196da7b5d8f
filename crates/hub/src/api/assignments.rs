//! `/assignments`: what a control or framework means at admission, and by which parameters it judges, at a scope and
//! below.
mod bounds;
mod refusing;

use super::extract::{Body, object};
use super::if_match::{IfMatch, RequiredIfMatch};
use super::list::{ListQuery, Listing, Lookup};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller};
use crate::content::Content;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::admission::{Assignment, AssignmentTarget, Narrowing, PolicyAction};
use seawall_model::scope::ScopePath;
use seawall_store::{Assignments, NewAdmission, Page, Reads};
use serde_json::{Map, Value, json};

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentBody {
    /// `control:ID` or `framework:NAME@VERSION`.
    #[schema(value_type = String)]
    target: AssignmentTarget,
    scope: ScopePath,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    excluded_namespaces: Vec<String>,
    #[serde(default)]
    labels: Vec<(String, String)>,
    #[serde(default)]
    kinds: Vec<String>,
    action: PolicyAction,
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
}

/// An assignment with what it would refuse now.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Assigned {
    #[serde(flatten)]
    assignment: Assignment,
    /// Resources at and below the scope, as far as the caller sees them, that fail a control of the target today: each
    /// once, not those that are exempt, of the assignment's namespaces and kinds, and none of `kube-system`,
    /// `kube-public` and `kube-node-lease`, where nothing is judged. Labels are not looked at, nor the agent's own
    /// namespace, nor parameters, nor assignments nearer to a resource: each can make it too high.
    would_refuse: u64,
}

impl AssignmentBody {
    fn check(&self, content: &Content) -> Result<(), Refusal> {
        if covered(content, &self.target).is_empty() {
            let detail = format!("`{}` names no control of this hub", self.target);
            return Err(Refusal::invalid("/target", detail));
        }
        let labels = self.labels.iter().flat_map(|(key, value)| [key, value]);
        let lists: [(&str, Vec<&String>); 4] = [
            ("/namespaces", self.namespaces.iter().collect()),
            ("/excluded_namespaces", self.excluded_namespaces.iter().collect()),
            ("/labels", labels.collect()),
            ("/kinds", self.kinds.iter().collect()),
        ];
        for (pointer, names) in lists {
            bounds::check_names(pointer, &names)?;
        }
        bounds::check_params(content, &self.target, &self.params)
    }

    /// Target and scope are what an assignment is: with others it is another one.
    fn check_stays(&self, replaced: &Assignment) -> Result<(), Refusal> {
        let other = |pointer: &str, stays: &str| {
            let detail = format!("stays `{stays}`: make another assignment, and end this one");
            Err(Refusal::invalid(pointer, detail))
        };
        if self.target != replaced.target {
            return other("/target", &replaced.target.to_string());
        }
        if self.scope != replaced.scope {
            return other("/scope", replaced.scope.as_str());
        }
        Ok(())
    }

    fn into_new(self) -> NewAdmission {
        let Self { target, scope, namespaces, excluded_namespaces, labels, kinds, action, params } =
            self;
        let narrowing = Narrowing { namespaces, excluded_namespaces, labels, kinds };
        NewAdmission { target, scope, narrowing, action, params }
    }
}

/// Ids of the controls that a target names.
pub(crate) fn covered<'c>(content: &'c Content, target: &AssignmentTarget) -> Vec<&'c str> {
    match target {
        AssignmentTarget::Control(id) => {
            content.control(id).map(|entry| entry.id.as_str()).into_iter().collect()
        }
        AssignmentTarget::Framework { name, version: None } => content.members(name),
        AssignmentTarget::Framework { name, version: Some(version) } => {
            content.members(&format!("{name}@{version}"))
        }
    }
}

/// Assignments the caller may see.
#[utoipa::path(get, path = "/api/v1/assignments", tag = "assignments", params(ListQuery),
    responses((status = 200, body = Page<Assignment>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Assignment>().await
}

/// One assignment.
#[utoipa::path(get, path = "/api/v1/assignments/{id}", tag = "assignments",
    responses((status = 200, body = Assignment)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Assignment>().await
}

/// Assign a control or framework. Connected cluster agents are told at once.
#[utoipa::path(post, path = "/api/v1/assignments", tag = "assignments",
    request_body = AssignmentBody, responses((status = 201, body = Assigned)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<AssignmentBody>,
) -> Result<Response, Refusal> {
    caller.may_at(Action::EditPolicy, &body.scope)?;
    body.check(&app.content)?;
    let new = body.into_new();
    bounds::check_room(&app, &new, None).await?;
    let detail = json!({"target": new.target.to_string(), "action": new.action});
    let store = app.audited(&caller, "assignment.create", &new.scope, detail);
    let assignment = store.create_assignment(&new).await?;
    app.wakers.desired_changed();
    let would_refuse = refusing::count(&app, &caller, &assignment).await?;
    object(StatusCode::CREATED, &Assigned { assignment, would_refuse })
}

/// Change what an assignment demands; target and scope stay, others are refused.
#[utoipa::path(put, path = "/api/v1/assignments/{id}", tag = "assignments", params(RequiredIfMatch),
    request_body = AssignmentBody, responses((status = 200, body = Assigned)))]
pub(crate) async fn replace(
    lookup: Lookup,
    revision: IfMatch,
    Body(body): Body<AssignmentBody>,
) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let Some(replaced) = app.store.get::<Assignment>(&caller.visible_here(), *id).await? else {
        return Err(lookup.absent::<Assignment>().await?);
    };
    body.check_stays(&replaced)?;
    body.check(&app.content)?;
    let detail = json!({"target": replaced.target.to_string(), "action": body.action});
    let store = app.audited(caller, "assignment.replace", id, detail);
    let new = body.into_new();
    bounds::check_room(app, &new, Some(&replaced)).await?;
    let expected = revision.required()?.expected::<Assignment>(&lookup).await?;
    match store.replace_assignment(&caller.visible_here(), *id, &new, expected).await? {
        Some(assignment) => {
            app.wakers.desired_changed();
            let would_refuse = refusing::count(app, caller, &assignment).await?;
            object(StatusCode::OK, &Assigned { assignment, would_refuse })
        }
        None => Err(lookup.absent::<Assignment>().await?),
    }
}

/// End an assignment.
#[utoipa::path(delete, path = "/api/v1/assignments/{id}", tag = "assignments",
    responses((status = 204)))]
pub(crate) async fn delete(lookup: Lookup) -> Result<StatusCode, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    let store = app.audited(caller, "assignment.delete", id, json!({}));
    match store.delete_assignment(&caller.visible_here(), *id).await? {
        Some(_) => {
            app.wakers.desired_changed();
            Ok(StatusCode::NO_CONTENT)
        }
        None => Err(lookup.absent::<Assignment>().await?),
    }
}
