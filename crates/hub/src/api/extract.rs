//! What handlers take: bodies and parameters whose mistakes have a place, the caller; and what they answer.
mod json_words;

use super::problem::Refusal;
use crate::auth::Caller;
use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use seawall_model::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A JSON body. Mistakes point at their place; unknown fields name those that exist.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let status = match rejection {
                BytesRejection::FailedToBufferBody(ref cause) => cause.status(),
                _ => StatusCode::BAD_REQUEST,
            };
            let detail = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "the body is over 1 MiB",
                _ => "the body did not arrive whole",
            };
            Refusal::new(status, detail)
        })?;
        // serde takes an array for an object whose fields come in order.
        if let Some(kind) = json_words::not_an_object(&bytes) {
            return Err(Refusal::invalid("", format!("must be an object, not {kind}")));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let detail = json_words::of_serde(&error.inner().to_string());
            Refusal::invalid(pointer(error.path()), detail)
        })?;
        json.end().map_err(|error| Refusal::invalid("", error.to_string()))?;
        Ok(Self(value))
    }
}

/// A body that may be left away.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// JSON Pointer (RFC 6901) of a serde path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The query string. An unknown parameter is a mistake, not ignored.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let place = pointer(error.path());
            misplaced(place.trim_start_matches('/'), &error.inner().to_string())
        })
    }
}

/// A parameter that is wrong: `name`, or else the first word that serde puts in backticks.
fn misplaced(name: &str, mistake: &str) -> Refusal {
    let mut words = mistake.split('`').skip(1).step_by(2);
    let name = if name.is_empty() { words.next().unwrap_or_default() } else { name };
    let pointer = format!("?{name}");
    if !mistake.starts_with("unknown field") {
        return Refusal::invalid(pointer, mistake);
    }
    let known: Vec<&str> = words.filter(|word| *word != name).collect();
    let detail = match seawall_store::nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no such parameter; did you mean `{near}`?"),
        None => format!("there is no such parameter; there are {}", known.join(", ")),
    };
    Refusal::invalid(pointer, detail)
}

/// The one id in the path. What is no id names nothing.
pub(crate) struct PathId(pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|path| path.0.parse().ok());
        id.map(Self).ok_or_else(|| Refusal::not_found("object: the address holds no id"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Refusal::unauthenticated)
    }
}

/// The `ETag` of an object's JSON: its revision, where it has one.
pub(crate) fn etag(object: &serde_json::Value) -> Option<HeaderValue> {
    let revision = object.get("revision")?.as_u64()?;
    Some(HeaderValue::from_str(&format!("\"{revision}\"")).expect("digits in quotes"))
}

/// An object with its `ETag`.
pub(crate) fn object<T: Serialize>(status: StatusCode, object: &T) -> Result<Response, Refusal> {
    let value = serde_json::to_value(object).map_err(Refusal::internal)?;
    let headers: HeaderMap = etag(&value).map(|tag| (header::ETAG, tag)).into_iter().collect();
    Ok((status, headers, axum::Json(value)).into_response())
}

/// What the store refuses, as the caller is told.
impl From<seawall_store::Error> for Refusal {
    fn from(error: seawall_store::Error) -> Self {
        use seawall_store::Error;
        let text = error.to_string();
        match error {
            Error::Filter(_) => Self::invalid("?filter", text),
            Error::Sort { .. } => Self::invalid("?sort", text),
            Error::Cursor => Self::invalid("?after", text),
            Error::Stale { current, .. } => Self::stale(current),
            Error::Exists { .. } => Self::conflict("exists", text),
            Error::Missing { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, text).code("missing")
            }
            Error::Transition { .. } => Self::conflict("transition", text),
            Error::Untried { .. } => Self::conflict("untried", text),
            Error::LastOwner => Self::conflict("last-owner", text),
            Error::GivenUp => Self::conflict("given-up", text),
            Error::TooMany { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, text).code("too-many")
            }
            Error::Invalid { field, .. } => Self::invalid(format!("/{field}"), text),
            error => Self::internal(chain(&error)),
        }
    }
}

/// The error and its causes in one line, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
