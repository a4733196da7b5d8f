//! Lists and single objects, the same for every noun: filter, sort, keyset pages, chosen fields, exports.
mod accept;
mod csv;
mod fields;
mod scoped;

pub(crate) use scoped::ScopedListing;

use super::extract::{Params, PathId, chain, object};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use accept::Form;
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use seawall_model::Id;
use seawall_model::scope::ScopePath;
use seawall_store::{Noun, Page, Query, Reads, Table};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::PartialSchema;

/// Rows read before a slow reader has taken them.
const EXPORT_AHEAD: usize = 64;

/// What every list takes. Source: platform.md, "Lists".
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// `severity:>=high -namespace:kube-system "words"`; see `/filters/{noun}` for the fields.
    #[serde(default)]
    pub(crate) filter: String,
    /// A field, `-field` for descending.
    #[param(required = false)]
    pub(crate) sort: Option<String>,
    /// Objects of a page, at most 500.
    #[serde(default)]
    #[param(default = 50)]
    pub(crate) limit: u32,
    /// `next` of the page before.
    #[param(required = false)]
    pub(crate) after: Option<String>,
    /// Comma-separated names; only these are returned, `a.b` reaches inside.
    #[param(required = false)]
    pub(crate) fields: Option<String>,
}

impl ListQuery {
    fn store_query(&self, narrowed: Option<&str>) -> Query {
        Query {
            filter: self.filter.clone(),
            within: narrowed.unwrap_or_default().to_owned(),
            sort: self.sort.clone(),
            limit: self.limit,
            after: self.after.clone(),
        }
    }
}

/// A filter value in quotes, whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A request for a list: who asks, for what, in which form.
pub(crate) struct Listing {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    pub(crate) query: ListQuery,
    form: Form,
    /// Where the numbers are of one scope; the audit log has it beside the filter.
    scope: Option<ScopePath>,
}

impl FromRequestParts<App> for Listing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Params(query) = Params::from_request_parts(parts, app).await?;
        Self::of_parts(parts, app, query).await
    }
}

impl Listing {
    async fn of_parts(parts: &mut Parts, app: &App, query: ListQuery) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let accepts = parts.headers.get_all(header::ACCEPT).iter();
        let accepts: Vec<&str> = accepts.filter_map(|accept| accept.to_str().ok()).collect();
        let form = accept::form(&accepts.join(","));
        Ok(Self { app: app.clone(), caller, query, form, scope: None })
    }

    /// The page or export of a noun.
    pub(crate) async fn of<N: Noun + PartialSchema>(self) -> Result<Response, Refusal> {
        self.within::<N>(None).await
    }

    /// The same, of those objects alone that fit `narrowed` too.
    pub(crate) async fn within<N: Noun + PartialSchema>(
        self,
        narrowed: Option<&str>,
    ) -> Result<Response, Refusal> {
        let fields = fields::parse::<N>(self.query.fields.as_deref())?;
        let query = self.query.store_query(narrowed);
        let visible = self.caller.visible_here();
        if self.form == Form::Page {
            let page = self.app.store.list::<N>(&visible, &query).await?;
            return page_of(page, fields);
        }
        // A mistake in filter or sort is told now: later the status has left.
        let probe = Query { limit: 1, ..query.clone() };
        let first = self.app.store.list::<N>(&visible, &probe).await?.items;
        let filter = [query.within.as_str(), &query.filter].join(" ");
        let export = self.export::<N>(N::TABLE.plural, filter.trim(), first.first(), fields);
        let export = export.await?;
        let store = self.app.store.clone();
        let (sender, rows) = mpsc::channel(EXPORT_AHEAD);
        tokio::spawn(async move {
            let rows = store.export::<N>(visible, query);
            tokio::pin!(rows);
            while let Some(row) = rows.next().await {
                if sender.send(row).await.is_err() {
                    return; // The reader went away.
                }
            }
        });
        Ok(export.answer(ReceiverStream::new(rows)))
    }

    /// A list that the hub holds in memory, by the same contract.
    pub(crate) async fn held<T>(
        self,
        table: &'static Table,
        items: &[T],
    ) -> Result<Response, Refusal>
    where
        T: Serialize + PartialSchema,
    {
        let fields = fields::parse::<T>(self.query.fields.as_deref())?;
        let items = items.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
        let items = items.map_err(Refusal::internal)?;
        let query = self.query.store_query(None);
        if self.form == Form::Page {
            return page_of(self.app.store.page_of(table, items, &query)?, fields);
        }
        let rows = self.app.store.matching(table, items, &query)?;
        let export = self.export::<T>(table.plural, &query.filter, rows.first(), fields).await?;
        Ok(export.answer(futures::stream::iter(rows.into_iter().map(Ok))))
    }

    /// All that matches, without a bound, as it is read. The audit log has who took it.
    async fn export<T: PartialSchema>(
        &self,
        plural: &'static str,
        filter: &str,
        first: Option<&impl Serialize>,
        fields: Option<Vec<String>>,
    ) -> Result<Export, Refusal> {
        let mut detail = serde_json::json!({"filter": filter});
        if let Some(scope) = &self.scope {
            detail["scope"] = scope.as_str().into();
        }
        self.app.audit(&self.caller, &format!("export.{plural}"), plural, detail).await?;
        let header = match (&fields, first) {
            (Some(fields), _) => fields.clone(),
            (None, Some(first)) => keys(first)?,
            (None, None) => fields::known::<T>()?,
        };
        Ok(Export { plural, csv: self.form == Form::Csv, header, fields })
    }
}

fn page_of<T: Serialize>(page: Page<T>, fields: Option<Vec<String>>) -> Result<Response, Refusal> {
    let Some(fields) = fields else { return Ok(axum::Json(page).into_response()) };
    let items = page.items.iter().map(|item| fields::chosen(item, &fields));
    let items = items.collect::<Result<Vec<_>, _>>().map_err(Refusal::internal)?;
    Ok(axum::Json(Page { items, next: page.next, total: page.total }).into_response())
}

/// The names at the top of an object.
fn keys(item: &impl Serialize) -> Result<Vec<String>, Refusal> {
    let value = serde_json::to_value(item).map_err(Refusal::internal)?;
    Ok(value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default())
}

/// A list as a file.
struct Export {
    plural: &'static str,
    csv: bool,
    /// Columns of CSV.
    header: Vec<String>,
    fields: Option<Vec<String>>,
}

impl Export {
    fn answer<T: Serialize + Send + 'static>(
        self,
        rows: impl Stream<Item = seawall_store::Result<T>> + Send + 'static,
    ) -> Response {
        let kind = if self.csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
        let suffix = if self.csv { "csv" } else { "ndjson" };
        let name = format!("attachment; filename=\"seawall-{}.{suffix}\"", self.plural);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("plurals are ASCII")),
        ];
        (headers, Body::from_stream(self.lines(rows))).into_response()
    }

    /// Line by line; it breaks off where the store fails, so that nobody takes a part for all.
    fn lines<T: Serialize + Send + 'static>(
        self,
        rows: impl Stream<Item = seawall_store::Result<T>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        let head = self.csv.then(|| Ok(Bytes::from(csv::line(self.header.iter().cloned()))));
        let body = rows.map(move |row| {
            let row = row.map_err(|error| {
                tracing::error!(error = chain(&error), "export broke off");
                std::io::Error::other("the store failed")
            })?;
            let line = if self.csv {
                let value = serde_json::to_value(&row)?;
                csv::line(self.header.iter().map(|name| csv::cell(fields::reach(&value, name))))
            } else {
                let value = match &self.fields {
                    Some(fields) => fields::chosen(&row, fields)?,
                    None => serde_json::to_value(&row)?,
                };
                format!("{value}\n")
            };
            Ok(Bytes::from(line))
        });
        futures::stream::iter(head).chain(body)
    }
}

/// A request for one object.
pub(crate) struct Lookup {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    pub(crate) id: Id,
}

impl FromRequestParts<App> for Lookup {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let PathId(id) = PathId::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), caller, id })
    }
}

impl Lookup {
    /// The object, where the caller may do here what the route does; 404 where the caller may not even see it.
    pub(crate) async fn object<N: Noun>(&self) -> Result<N, Refusal> {
        let found = self.app.store.get::<N>(&self.caller.visible_here(), self.id).await?;
        match found {
            Some(found) => Ok(found),
            None => Err(self.absent::<N>().await?),
        }
    }

    /// Why an object cannot be acted on: 403 where it can be seen, 404 where it cannot.
    pub(crate) async fn absent<N: Noun>(&self) -> Result<Refusal, Refusal> {
        let seen = self.app.store.get::<N>(&self.caller.visible_to_view(), self.id).await?;
        Ok(match seen {
            Some(_) => Refusal::forbidden("your roles do not allow this at the object's scope"),
            None => Refusal::not_found(N::TABLE.noun),
        })
    }

    pub(crate) async fn of<N: Noun>(self) -> Result<Response, Refusal> {
        object(StatusCode::OK, &self.object::<N>().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_quotes_stays_in_them() {
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
