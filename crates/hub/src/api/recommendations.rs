//! `/recommendations`: findings grouped by what fixes them.
use super::extract::{Body, object};
use super::if_match::{IfMatch, RequiredIfMatch};
use super::list::{ListQuery, Listing, Lookup, quoted};
use super::problem::Refusal;
use crate::app::App;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::finding::{Finding, FindingKind};
use seawall_model::recommendation::Recommendation;
use seawall_store::{Assign, Page, Query, Reads, Recommendations, Visible};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

/// Resources shown with a recommendation; the rest is in `/findings` under the same filter.
const MAX_RESOURCES: u32 = 200;
/// Names and mail addresses are shorter.
const MAX_OWNER_CHARS: usize = 200;
/// What is due later is meant otherwise, such as in another unit.
const MAX_DUE: Millis = 10 * 366 * 24 * 60 * 60 * 1000;

/// A recommendation with what it affects.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RecommendationDetail {
    #[serde(flatten)]
    recommendation: Recommendation,
    /// Unhealthy first, at most 200.
    resources: Vec<Finding>,
}

/// What is left away stays; null clears.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignBody {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    /// Epoch milliseconds.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    due: Option<Option<Millis>>,
}

impl AssignBody {
    fn checked(self, now: Millis) -> Result<Assign, Refusal> {
        let owner = self.owner.map(|owner| owner.map(|owner| owner.trim().to_owned()));
        if let Some(Some(owner)) = &owner
            && (!(1..=MAX_OWNER_CHARS).contains(&owner.chars().count())
                || owner.chars().any(char::is_control))
        {
            let detail = format!(
                "must have 1 to {MAX_OWNER_CHARS} characters, none of them control; null clears it"
            );
            return Err(Refusal::invalid("/owner", detail));
        }
        if let Some(Some(due)) = self.due
            && !(0..=now + MAX_DUE).contains(&due)
        {
            return Err(Refusal::invalid("/due", "is no date within the next ten years"));
        }
        Ok(Assign { owner, due: self.due })
    }
}

/// Tells null from absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Recommendations the caller may see.
#[utoipa::path(get, path = "/api/v1/recommendations", tag = "recommendations", params(ListQuery),
    responses((status = 200, body = Page<Recommendation>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Recommendation>().await
}

/// One recommendation with its resources.
#[utoipa::path(get, path = "/api/v1/recommendations/{id}", tag = "recommendations",
    responses((status = 200, body = RecommendationDetail)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    let recommendation = lookup.object::<Recommendation>().await?;
    let visible = lookup.caller.visible_here();
    let resources = resources(&lookup.app, &visible, &recommendation).await?;
    object(StatusCode::OK, &RecommendationDetail { recommendation, resources })
}

async fn resources(
    app: &App,
    visible: &Visible,
    recommendation: &Recommendation,
) -> Result<Vec<Finding>, Refusal> {
    let subject = match recommendation.kind {
        FindingKind::Control => format!("kind:control rule:{}", quoted(&recommendation.rule)),
        FindingKind::Vulnerability => {
            // `update:<ecosystem>/<package>`; Go's packages have slashes of their own.
            let package = recommendation.rule.split_once('/').map_or("", |(_, package)| package);
            format!("kind:vulnerability package:{}", quoted(package))
        }
    };
    let filter = format!("{subject} scope:{}", quoted(recommendation.scope.as_str()));
    let unhealthy = Query {
        filter: format!("{filter} state:unhealthy"),
        limit: MAX_RESOURCES,
        ..Query::default()
    };
    let mut found = app.store.list::<Finding>(visible, &unhealthy).await?.items;
    let room = MAX_RESOURCES.saturating_sub(u32::try_from(found.len()).unwrap_or(MAX_RESOURCES));
    if room > 0 {
        let rest =
            Query { filter: format!("{filter} -state:unhealthy"), limit: room, ..Query::default() };
        found.extend(app.store.list::<Finding>(visible, &rest).await?.items);
    }
    Ok(found)
}

/// Set owner and due date.
#[utoipa::path(patch, path = "/api/v1/recommendations/{id}", tag = "recommendations",
    params(RequiredIfMatch), request_body = AssignBody, responses((status = 200, body = Recommendation)))]
pub(crate) async fn assign(
    lookup: Lookup,
    revision: IfMatch,
    Body(body): Body<AssignBody>,
) -> Result<Response, Refusal> {
    let expected = revision.required()?.expected::<Recommendation>(&lookup).await?;
    let Lookup { app, caller, id } = &lookup;
    let assign = body.checked(app.now())?;
    let detail = json!({"owner": &assign.owner, "due": assign.due});
    let store = app.audited(caller, "recommendation.assign", id, detail);
    let assigned =
        store.assign_recommendation(&caller.visible_here(), *id, &assign, expected).await?;
    match assigned {
        Some(recommendation) => object(StatusCode::OK, &recommendation),
        None => Err(lookup.absent::<Recommendation>().await?),
    }
}
