//! `Idempotency-Key`: a POST that is sent twice is done once and answered the same for 24 hours.
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use seawall_store::{Claim, Idempotency};
use sha2::{Digest, Sha256};
use std::sync::Arc;

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
    let mut digest = Sha256::new();
    digest.update(parts.uri.path().as_bytes());
    digest.update([0]);
    digest.update(&body);
    let digest = hex::encode(digest.finalize());
    let principal = caller.key();
    match app.store.claim_request(&principal, key, &digest).await? {
        Claim::Fresh => {}
        Claim::Replay { status, body } => return Ok(replayed(status, body)),
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
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    remember(&app, &principal, key, response).await
}

/// Keeps what succeeded. What failed may be tried again under the same key.
async fn remember(
    app: &App,
    principal: &str,
    key: &str,
    response: Response,
) -> Result<Response, Refusal> {
    let status = response.status();
    let refused = response.extensions().get::<Arc<Refusal>>().is_some();
    if refused || !status.is_success() {
        app.store.release_request(principal, key).await?;
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
    app.store.finish_request(principal, key, status.as_u16(), kept).await?;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replayed(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, Bytes::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}
