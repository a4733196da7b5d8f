//! `Idempotency-Key`: a POST that is sent twice is done once and answered the same for 24 hours.
use super::extract::etag;
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use seawall_store::{Claim, Claimed, Idempotency};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::runtime::Handle;
use tracing::Instrument;

/// A UUID has 36 characters.
const MAX_KEY_BYTES: usize = 255;
/// Request bodies; also the general limit.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;
/// Answers to POST are single objects.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Marks an answer that holds a secret: it is never kept, so a repetition cannot show it again.
#[derive(Clone, Copy)]
struct ShownOnce;

pub(crate) fn shown_once(mut response: Response) -> Result<Response, Refusal> {
    response.extensions_mut().insert(ShownOnce);
    Ok(response)
}

pub(crate) async fn replay(
    State(app): State<App>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let key = request.headers().get("idempotency-key").cloned();
    let (Some(key), &Method::POST) = (key, request.method()) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES);
    let key = key.ok_or_else(|| {
        let detail = "`Idempotency-Key` must have 1 to 255 printable ASCII characters";
        Refusal::new(StatusCode::BAD_REQUEST, detail)
    })?;
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB"))?;
    // A task of its own: a client that gives up must not stop the write between its claim and its answer.
    let once = once(app, caller, key.to_owned(), parts, body, next);
    match tokio::spawn(once.in_current_span()).await {
        Ok(answer) => answer,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Refusal::internal(cancelled)),
        },
    }
}

/// Claims the key, runs the request and keeps its answer; or answers as the first time.
async fn once(
    app: App,
    caller: Caller,
    key: String,
    mut parts: Parts,
    body: Bytes,
    next: Next,
) -> Result<Response, Refusal> {
    let digest = digest(&parts, &body);
    let claimed = match app.store.claim_request(&caller.key(), &key, &digest).await? {
        Claim::Fresh(claimed) => claimed,
        Claim::Replay { status, body } => return Ok(replayed(status, body)),
        Claim::Done => {
            let detail = "this was done before, and its answer is lost: read the object instead";
            return Err(Refusal::conflict("idempotency-done", detail));
        }
        Claim::Mismatch => {
            let detail = "this `Idempotency-Key` was used with another request";
            return Err(
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, detail).code("idempotency-key")
            );
        }
        Claim::Running => {
            let detail = "the first request with this `Idempotency-Key` is still running";
            return Err(Refusal::conflict("idempotency-running", detail));
        }
    };
    parts.extensions.insert(caller.holding(claimed.clone()));
    let held = Held { app, claimed: Some(claimed) };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    remember(held, response).await
}

fn digest(parts: &Parts, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(parts.uri.path().as_bytes());
    digest.update([0]);
    digest.update(body);
    hex::encode(digest.finalize())
}

/// A claim that becomes free if its request ends without an answer.
struct Held {
    app: App,
    claimed: Option<Claimed>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Without a runtime the hub has ended, and the claim becomes free by its age.
        let (Some(claimed), Ok(runtime)) = (self.claimed.take(), Handle::try_current()) else {
            return;
        };
        let store = self.app.store.clone();
        runtime.spawn(async move {
            if let Err(error) = store.release_request(&claimed).await {
                tracing::warn!(%error, "idempotency key not released");
            }
        });
    }
}

/// Keeps what succeeded. What failed may be tried again under the same key.
async fn remember(mut held: Held, response: Response) -> Result<Response, Refusal> {
    let status = response.status();
    let refused = response.extensions().get::<Arc<Refusal>>().is_some();
    let Some(claimed) = held.claimed.clone() else { return Ok(response) };
    if refused || !status.is_success() {
        held.app.store.release_request(&claimed).await?;
        held.claimed = None;
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, MAX_ANSWER_BYTES).await.map_err(Refusal::internal)?;
    let kept: &[u8] = match parts.extensions.get::<ShownOnce>() {
        Some(_) => {
            br#"{"replayed":true,"detail":"this was done before; the secret was shown that once"}"#
        }
        None => &bytes,
    };
    held.app.store.finish_request(&claimed, status.as_u16(), kept).await?;
    held.claimed = None;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replayed(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let tag = serde_json::from_slice(&body).ok().as_ref().and_then(etag);
    let mut response = (status, Bytes::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    response
}
