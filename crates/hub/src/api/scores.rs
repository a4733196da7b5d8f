//! `/scores`: the secure score of a scope and how it moved.
use super::extract::{Params, object};
use super::list::{ListQuery, Listing};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::recommendation::{Score, ScoreDelta};
use seawall_model::scope::ScopePath;
use seawall_store::{Page, Scores, Visible};

#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeQuery {
    /// The widest scope the caller sees, if absent.
    #[param(value_type = Option<String>, required = false)]
    scope: Option<ScopePath>,
}

impl ScopeQuery {
    pub(super) fn at(scope: Option<ScopePath>) -> Self {
        Self { scope }
    }

    /// The scope asked for, else the widest of the caller's whole grants. 404 outside them.
    pub(crate) fn resolve(&self, caller: &Caller) -> Result<ScopePath, Refusal> {
        let visible = caller.visible_here();
        if let Some(scope) = &self.scope {
            let seen = visible.covers(scope);
            return seen.then(|| scope.clone()).ok_or_else(|| Refusal::not_found("scope"));
        }
        let grants = caller.assignments.iter().map(|assignment| &assignment.scope);
        let mut covered: Vec<_> = grants.filter(|scope| visible.covers(scope)).collect();
        covered.sort_by_key(|scope| scope.as_str().len());
        let widest = covered.first().map(|scope| (*scope).clone());
        // Grants narrowed to namespaces show no score; the root stands for "what the caller sees".
        Ok(widest.unwrap_or_else(ScopePath::root))
    }
}

/// The score of a scope now. A scope that nothing was assessed in has neither score nor coverage.
pub(crate) async fn current(
    app: &App,
    visible: &Visible,
    scope: &ScopePath,
) -> Result<Score, Refusal> {
    let stored = app.store.score(visible, scope).await?;
    Ok(stored.unwrap_or_else(|| Score {
        scope: scope.clone(),
        at: app.now(),
        secure: None,
        coverage: None,
        decided: 0,
        undecided: 0,
        groups: Vec::new(),
        risk: None,
        compliance: Vec::new(),
    }))
}

/// The secure score of a scope.
#[utoipa::path(get, path = "/api/v1/scores", tag = "scores", params(ScopeQuery),
    responses((status = 200, body = Score)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ScopeQuery>,
) -> Result<Response, Refusal> {
    let scope = query.resolve(&caller)?;
    object(StatusCode::OK, &current(&app, &caller.visible_here(), &scope).await?)
}

/// Moves of the score with their causes; replayed they give the score.
#[utoipa::path(get, path = "/api/v1/scores/history", tag = "scores", params(ListQuery),
    responses((status = 200, body = Page<ScoreDelta>)))]
pub(crate) async fn history(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<ScoreDelta>().await
}
