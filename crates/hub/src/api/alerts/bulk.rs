//! `/alerts/bulk`: one step for many alerts, by ids or filter, with a preview.
use super::{check_note, verb};
use crate::api::extract::Body;
use crate::api::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::Id;
use seawall_model::alert::DismissReason;
use seawall_store::{AlertStep, Alerts, Bulk, Selection};
use serde_json::json;

/// Ids in one request.
const MAX_IDS: usize = 1_000;

#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum BulkAction {
    Dismiss,
    Take,
    Resolve,
    Reopen,
}

/// Either `ids` or `filter`. `reason` and `note` belong to `dismiss`.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody {
    action: BulkAction,
    ids: Option<Vec<Id>>,
    filter: Option<String>,
    reason: Option<DismissReason>,
    note: Option<String>,
    /// Count, but change nothing.
    #[serde(default)]
    dry_run: bool,
}

impl BulkBody {
    fn step(&self) -> Result<AlertStep, Refusal> {
        Ok(match self.action {
            BulkAction::Take => AlertStep::Take,
            BulkAction::Resolve => AlertStep::Resolve,
            BulkAction::Reopen => AlertStep::Reopen,
            BulkAction::Dismiss => {
                let missing = || Refusal::invalid("/reason", "is missing: dismissing needs one");
                let reason = self.reason.ok_or_else(missing)?;
                let note = check_note(self.note.clone().unwrap_or_default())?;
                AlertStep::Dismiss { reason, note }
            }
        })
    }

    fn selection(&self) -> Result<Selection, Refusal> {
        match (&self.ids, &self.filter) {
            (Some(ids), None) if ids.len() <= MAX_IDS => Ok(Selection::Ids(ids.clone())),
            (Some(_), None) => {
                let detail = format!("has over {MAX_IDS} ids; use a filter");
                Err(Refusal::invalid("/ids", detail))
            }
            (None, Some(filter)) => Ok(Selection::Filter(filter.clone())),
            _ => Err(Refusal::invalid("/ids", "give either `ids` or `filter`")),
        }
    }
}

/// The same step for many alerts. Those outside the caller's scopes are not matched.
#[utoipa::path(post, path = "/api/v1/alerts/bulk", tag = "alerts", request_body = BulkBody,
    responses((status = 200, body = Bulk)))]
pub(crate) async fn step(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<BulkBody>,
) -> Result<axum::Json<Bulk>, Refusal> {
    let (step, selection) = (body.step()?, body.selection()?);
    let detail = json!({"ids": &body.ids, "filter": &body.filter, "reason": &body.reason, "note": &body.note});
    let action = format!("alert.{}", verb(&step));
    let store = if body.dry_run {
        app.store.clone()
    } else {
        app.audited(&caller, &action, "alerts", detail)
    };
    let (visible, actor) = (caller.visible_here(), caller.actor());
    let bulk = store.step_alerts(&visible, &selection, &step, &actor, body.dry_run).await;
    Ok(axum::Json(bulk.map_err(in_body)?))
}

/// The filter stands in the body here, not in the query.
fn in_body(error: seawall_store::Error) -> Refusal {
    match error {
        seawall_store::Error::Filter(error) => Refusal::invalid("/filter", error.to_string()),
        error => error.into(),
    }
}
