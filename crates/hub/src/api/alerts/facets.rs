//! `/alerts/facets`: how many alerts have each value, for the clickable filters beside the list.
use crate::api::extract::Params;
use crate::api::list::quoted;
use crate::api::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::alert::Alert;
use seawall_store::{Query, Reads, Visible};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Values shown per field; the rest is found by typing.
const MAX_VALUES: u32 = 50;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FacetQuery {
    #[serde(default)]
    filter: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AlertFacets {
    severity: BTreeMap<String, u64>,
    state: BTreeMap<String, u64>,
    detection: Vec<FacetValue>,
    namespace: Vec<FacetValue>,
    cluster: Vec<FacetValue>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FacetValue {
    /// Null counts the alerts without one.
    #[schema(required)]
    value: Option<String>,
    /// For people, where it is not the value itself.
    #[schema(required)]
    title: Option<String>,
    count: u64,
}

/// Counts of the alerts that match, by severity, state, detection, namespace and cluster.
#[utoipa::path(get, path = "/api/v1/alerts/facets", tag = "alerts", params(FacetQuery),
    responses((status = 200, body = AlertFacets)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<FacetQuery>,
) -> Result<axum::Json<AlertFacets>, Refusal> {
    let visible = caller.visible_here();
    let mut detection = values(&app, &visible, &query.filter, "detection").await?;
    for facet in &mut detection {
        let Some(id) = &facet.value else { continue };
        facet.title = title(&app, &visible, id).await?;
    }
    Ok(axum::Json(AlertFacets {
        severity: words(&app, &visible, &query.filter, "severity").await?,
        state: words(&app, &visible, &query.filter, "state").await?,
        detection,
        namespace: values(&app, &visible, &query.filter, "namespace").await?,
        cluster: values(&app, &visible, &query.filter, "cluster").await?,
    }))
}

async fn words(
    app: &App,
    visible: &Visible,
    filter: &str,
    field: &str,
) -> Result<BTreeMap<String, u64>, Refusal> {
    let facets = app.store.facet::<Alert>(visible, filter, field, MAX_VALUES).await?;
    Ok(facets.into_iter().filter_map(|facet| Some((facet.value?, facet.count))).collect())
}

async fn values(
    app: &App,
    visible: &Visible,
    filter: &str,
    field: &str,
) -> Result<Vec<FacetValue>, Refusal> {
    let facets = app.store.facet::<Alert>(visible, filter, field, MAX_VALUES).await?;
    let value = |facet: seawall_store::Facet| FacetValue {
        value: facet.value,
        title: None,
        count: facet.count,
    };
    Ok(facets.into_iter().map(value).collect())
}

/// Of the built-in content, else of an alert: users' own rules live with the sensors.
async fn title(app: &App, visible: &Visible, detection: &str) -> Result<Option<String>, Refusal> {
    if let Some(entry) = app.content.detection(detection) {
        return Ok(Some(entry.title.clone()));
    }
    let filter = format!("detection:{}", quoted(detection));
    let query = Query { filter, limit: 1, ..Query::default() };
    let page = app.store.list::<Alert>(visible, &query).await?;
    Ok(page.items.into_iter().next().map(|alert| alert.firing.title))
}
