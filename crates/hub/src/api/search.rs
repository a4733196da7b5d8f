//! `/search`: objects of every noun by words.
use super::extract::Params;
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_store::{Hit, Reads};

/// Enough to recognise the right one; a list is for more.
const MAX_HITS: u32 = 40;
const MAX_QUERY_BYTES: usize = 1_000;

#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    q: String,
}

#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Hits {
    items: Vec<Hit>,
}

/// Objects that hold all words of `q`, a few of each noun.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = Hits)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<SearchQuery>,
) -> Result<axum::Json<Hits>, Refusal> {
    if query.q.len() > MAX_QUERY_BYTES {
        return Err(Refusal::invalid("?q", format!("is over {MAX_QUERY_BYTES} bytes")));
    }
    let items = app.store.search(&caller.visible_here(), &query.q, MAX_HITS).await?;
    Ok(axum::Json(Hits { items }))
}
