//! Lists whose numbers are of one scope: beside what every list takes, the scope.
use super::{ListQuery, Listing};
use crate::api::extract::Params;
use crate::api::problem::Refusal;
use crate::api::scores::ScopeQuery;
use crate::app::App;
use axum::extract::FromRequestParts;
use http::request::Parts;
use seawall_model::scope::ScopePath;

/// A request for a list at a scope that the caller sees.
pub(crate) struct ScopedListing {
    pub(crate) listing: Listing,
    pub(crate) scope: ScopePath,
}

/// [`ListQuery`] and [`ScopeQuery`]: serde's `flatten` would take any parameter.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopedQuery {
    scope: Option<ScopePath>,
    #[serde(default)]
    filter: String,
    sort: Option<String>,
    #[serde(default)]
    limit: u32,
    after: Option<String>,
    fields: Option<String>,
}

impl FromRequestParts<App> for ScopedListing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Params(query) = Params::<ScopedQuery>::from_request_parts(parts, app).await?;
        let ScopedQuery { scope, filter, sort, limit, after, fields } = query;
        let list = ListQuery { filter, sort, limit, after, fields };
        let mut listing = Listing::of_parts(parts, app, list).await?;
        let scope = ScopeQuery::at(scope).resolve(&listing.caller)?;
        listing.scope = Some(scope.clone());
        Ok(Self { listing, scope })
    }
}
