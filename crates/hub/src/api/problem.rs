//! Errors as `application/problem+json` (RFC 9457): what a handler refuses and how it reads.
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use seawall_model::Millis;
use std::sync::Arc;
use tracing::Instrument;

/// The body of every answer with a status of 400 and over.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemDetails {
    /// `about:blank`, or `/problems/CODE` where a client branches.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    /// Also in the log and in the `x-request-id` header.
    request_id: String,
    errors: Vec<Pointed>,
}

/// One mistake and its place: a JSON Pointer into the body, or `?name` of a query parameter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Pointed {
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

/// Why a request is not answered. Becomes [`ProblemDetails`] where the request id is known.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{status}: {detail}")]
pub(crate) struct Refusal {
    status: StatusCode,
    code: Option<&'static str>,
    detail: String,
    errors: Vec<Pointed>,
    /// Milliseconds.
    retry_after: Option<Millis>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, code: None, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 400 with the place of the mistake.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        // The empty pointer is the whole document.
        let place = if pointer.is_empty() { "the body" } else { &pointer };
        let mut refusal = Self::new(StatusCode::BAD_REQUEST, format!("{place}: {detail}"));
        refusal.errors.push(Pointed { pointer, detail });
        refusal
    }

    /// 400 with several mistakes of one place: the first is told in the sentence, all of them in the list.
    pub(crate) fn mistakes(pointer: &str, first: String, more: Vec<String>) -> Self {
        let rest = match more.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        let detail = format!("{pointer}: {first}{rest}");
        let mut refusal = Self::new(StatusCode::BAD_REQUEST, detail);
        let pointed = |detail: String| Pointed { pointer: pointer.to_owned(), detail };
        refusal.errors = std::iter::once(first).chain(more).map(pointed).collect();
        refusal
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign in, or send a valid token")
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// Also for what lies outside the caller's scope: the answer must not tell that it exists.
    pub(crate) fn not_found(noun: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no such {noun}"))
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail).code(code)
    }

    /// 412: the object changed since the caller read it.
    pub(crate) fn stale(revision: u64) -> Self {
        let detail = format!("the object changed meanwhile; its revision is now \"{revision}\"");
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    pub(crate) fn too_many(detail: impl Into<String>, retry_after: Millis) -> Self {
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// 500; the cause goes to the log, not to the caller.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "request failed");
        let detail = "the hub could not do this; its log has the cause under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// A word clients may branch on; it ends the `type` URI.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn details(&self, request_id: &str) -> ProblemDetails {
        ProblemDetails {
            kind: self.code.map_or("about:blank".into(), |code| format!("/problems/{code}")),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl IntoResponse for Refusal {
    /// The body follows in [`render`], which knows the request id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Gives each request its id, and each refusal (ours or the framework's) its problem document.
pub(crate) async fn render(
    axum::extract::State(app): axum::extract::State<crate::app::App>,
    request: Request,
    next: Next,
) -> Response {
    let id = app.id().to_string();
    // What is logged on the way carries the id that the caller sees.
    let span = tracing::info_span!("hub.request", id, path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let refusal = response.extensions_mut().remove::<Arc<Refusal>>();
    let Some(refusal) = refusal.or_else(|| framework_refusal(&response)) else { return response };
    if let Some(retry_after) = refusal.retry_after {
        // Whole seconds, rounded up, or the client would come back too early.
        let seconds = retry_after.max(1).unsigned_abs().div_ceil(1000);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let body = serde_json::to_vec(&refusal.details(&id)).expect("a problem document serialises");
    *response.body_mut() = Body::from(body);
    response
}

/// axum answers some mistakes itself, in plain text.
fn framework_refusal(response: &Response) -> Option<Arc<Refusal>> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"application/") || kind.as_bytes().starts_with(b"text/html")
    });
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this address does not answer to that method",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is over 1 MiB",
        StatusCode::REQUEST_TIMEOUT => "the answer took over 30 s and was given up",
        StatusCode::NOT_FOUND => "there is nothing at this address",
        _ => "the request cannot be answered",
    };
    (is_error && !is_ours).then(|| Arc::new(Refusal::new(status, detail)))
}
