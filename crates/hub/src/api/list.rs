//! Lists and single objects, the same for every noun: filter, sort, keyset pages, chosen fields, exports.
use super::extract::{Params, PathId, chain, object};
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use seawall_model::Id;
use seawall_store::{Noun, Page, Query, Reads};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Rows read before a slow reader has taken them.
const EXPORT_AHEAD: usize = 64;
/// Names in `fields`; each costs a look-up per row.
const MAX_FIELDS: usize = 64;

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
            filter: join(&self.filter, narrowed),
            sort: self.sort.clone(),
            limit: self.limit,
            after: self.after.clone(),
        }
    }

    fn fields(&self) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = &self.fields else { return Ok(None) };
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.len() > MAX_FIELDS {
            return Err(Refusal::invalid("?fields", format!("more than {MAX_FIELDS} names")));
        }
        Ok(Some(names))
    }
}

/// Both filters have to fit; parentheses keep an `OR` of the caller to itself.
fn join(filter: &str, narrowed: Option<&str>) -> String {
    match narrowed {
        None => filter.to_owned(),
        Some(narrowed) if filter.trim().is_empty() => narrowed.to_owned(),
        Some(narrowed) => format!("{narrowed} ({filter})"),
    }
}

/// A filter value in quotes, whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How the caller wants a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Page,
    Csv,
    Lines,
}

/// A request for a list: who asks, for what, in which form.
pub(crate) struct Listing {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    pub(crate) query: ListQuery,
    form: Form,
}

impl FromRequestParts<App> for Listing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let Params(query) = Params::from_request_parts(parts, app).await?;
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let form = match accept.unwrap_or_default() {
            accept if accept.contains("text/csv") => Form::Csv,
            accept if accept.contains("application/x-ndjson") => Form::Lines,
            _ => Form::Page,
        };
        Ok(Self { app: app.clone(), caller, query, form })
    }
}

impl Listing {
    /// The page or export of a noun.
    pub(crate) async fn of<N: Noun>(self) -> Result<Response, Refusal> {
        self.within::<N>(None).await
    }

    /// The same, of those objects alone that fit `narrowed` too.
    pub(crate) async fn within<N: Noun>(self, narrowed: Option<&str>) -> Result<Response, Refusal> {
        if self.form != Form::Page {
            return self.export::<N>(narrowed).await;
        }
        let query = self.query.store_query(narrowed);
        let page = self.app.store.list::<N>(&self.caller.visible_here(), &query).await?;
        let Some(fields) = self.query.fields()? else {
            return Ok(axum::Json(page).into_response());
        };
        let items = page.items.iter().map(|item| chosen(item, &fields));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok(axum::Json(Page { items, next: page.next, total: page.total }).into_response())
    }

    /// All that matches, without a bound, as it is read. The audit log has who took it.
    async fn export<N: Noun>(self, narrowed: Option<&str>) -> Result<Response, Refusal> {
        let fields = self.query.fields()?;
        let noun = N::TABLE.plural;
        let filter = self.query.store_query(narrowed).filter;
        // A mistake in filter or sort is told now: later the status has left.
        let probe = Query { limit: 1, ..self.query.store_query(narrowed) };
        let visible = self.caller.visible_here();
        let first = self.app.store.list::<N>(&visible, &probe).await?.items;
        if let (Some(first), Some(fields)) = (first.first(), &fields) {
            chosen(first, fields)?;
        }
        let detail = serde_json::json!({"filter": &filter});
        self.app.audit(&self.caller, &format!("export.{noun}"), noun, detail).await?;
        let header = match (&fields, first.first()) {
            (Some(fields), _) => fields.clone(),
            (None, Some(first)) => keys(first)?,
            (None, None) => vec!["id".to_owned()],
        };
        let (sort, store) = (self.query.sort.clone(), self.app.store.clone());
        let csv = self.form == Form::Csv;
        let kind = if csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
        let suffix = if csv { "csv" } else { "ndjson" };
        let name = format!("attachment; filename=\"seawall-{noun}.{suffix}\"");
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("plurals are ASCII")),
        ];
        let (sender, rows) = mpsc::channel(EXPORT_AHEAD);
        tokio::spawn(async move {
            let rows = store.export::<N>(visible, filter, sort);
            tokio::pin!(rows);
            while let Some(row) = rows.next().await {
                if sender.send(row).await.is_err() {
                    return; // The reader went away.
                }
            }
        });
        let lines = lines(ReceiverStream::new(rows), csv, header, fields);
        Ok((headers, Body::from_stream(lines)).into_response())
    }
}

/// The text of an export, line by line; it breaks off where the store fails, so that nobody takes a part for all.
fn lines<N: Noun>(
    rows: impl Stream<Item = seawall_store::Result<N>> + Send + 'static,
    csv: bool,
    header: Vec<String>,
    fields: Option<Vec<String>>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let head = csv.then(|| Ok(Bytes::from(csv_line(header.iter().cloned()))));
    let body = rows.map(move |row| {
        let row = row.map_err(|error| {
            tracing::error!(error = chain(&error), "export broke off");
            std::io::Error::other("the store failed")
        })?;
        let failed = |refusal: Refusal| std::io::Error::other(refusal.to_string());
        let line = if csv {
            let value = serde_json::to_value(&row)?;
            csv_line(header.iter().map(|name| cell(reach(&value, name))))
        } else {
            let value = match &fields {
                Some(fields) => chosen(&row, fields).map_err(failed)?,
                None => serde_json::to_value(&row)?,
            };
            format!("{value}\n")
        };
        Ok(Bytes::from(line))
    });
    futures::stream::iter(head).chain(body)
}

/// The fields of an object in the order asked for. A name that no object has is a mistake.
fn chosen<T: Serialize>(item: &T, fields: &[String]) -> Result<Value, Refusal> {
    let value = serde_json::to_value(item).map_err(Refusal::internal)?;
    let mut object = Map::new();
    for name in fields {
        let top = name.split('.').next().unwrap_or(name);
        if value.get(top).is_none() {
            let known = value.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>().join(", "));
            let known = known.unwrap_or_default();
            let detail = format!("no field `{name}`; there are {known}");
            return Err(Refusal::invalid("?fields", detail));
        }
        object.insert(name.clone(), reach(&value, name).cloned().unwrap_or(Value::Null));
    }
    Ok(Value::Object(object))
}

fn keys<T: Serialize>(item: &T) -> Result<Vec<String>, Refusal> {
    let value = serde_json::to_value(item).map_err(Refusal::internal)?;
    Ok(value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default())
}

fn reach<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(value, |value, key| value.get(key))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One record. Source: RFC 4180. A text that a spreadsheet would run as a formula gets an apostrophe before it.
fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (position, cell) in cells.enumerate() {
        if position > 0 {
            line.push(',');
        }
        let is_number = cell.parse::<f64>().is_ok();
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
        let cell = if formula { format!("'{cell}") } else { cell };
        if cell.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push_str("\r\n");
    line
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

/// A list that is held in memory: everything on one page.
pub(crate) fn whole<T: Serialize>(items: Vec<T>) -> Response {
    let total = seawall_store::Total { value: items.len() as u64, exact: true };
    axum::Json(Page { items, next: None, total }).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_csv(cells: &[&str], expected: &str) {
        assert_eq!(csv_line(cells.iter().map(|&cell| cell.to_owned())), expected);
    }

    #[test]
    fn csv_cells_are_quoted_and_never_formulas() {
        check_csv(&["a", "b"], "a,b\r\n");
        check_csv(&["a,b", "say \"x\"", "l\nm"], "\"a,b\",\"say \"\"x\"\"\",\"l\nm\"\r\n");
        check_csv(&["=1+2", "@x", "-x", "-1.5"], "'=1+2,'@x,'-x,-1.5\r\n");
        check_csv(&["", ""], ",\r\n");
    }

    #[test]
    fn fields_reach_inside_and_unknown_ones_name_those_that_exist() {
        let item = json!({"id": 1, "where": {"pod": "web-1"}, "gone": null});
        let fields = ["where.pod", "gone", "where.none"].map(str::to_owned);
        let expected = json!({"where.pod": "web-1", "gone": null, "where.none": null});
        assert_eq!(chosen(&item, &fields).unwrap(), expected);
        let refusal = chosen(&item, &["pod".to_owned()]).unwrap_err().to_string();
        assert!(refusal.contains("no field `pod`; there are id, where, gone"), "{refusal}");
    }

    #[test]
    fn filters_join_without_mixing() {
        assert_eq!(join("a OR b", Some("kind:x")), "kind:x (a OR b)");
        assert_eq!(join(" ", Some("kind:x")), "kind:x");
        assert_eq!(join("a", None), "a");
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
