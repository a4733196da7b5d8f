//! One request: its path, its bounds and its deadline.
use super::tls::AuditPeer;
use super::{Admitted, AuditOutcome, Handler, Route, Served};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use seawall_model::time::Clock;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// Bytes of one review.
pub const MAX_REVIEW_BODY: usize = 8 << 20;
/// Bytes of one batch of audit events: 400 events by default, cut at 10 MiB where truncation is on.
pub const MAX_AUDIT_BODY: usize = 16 << 20;
/// Bytes taken off the wire of a body that is too large, before it is cut off.
const MAX_DISCARDED: usize = 64 << 20;
/// KiB of bodies under way at a time, each path apart: a flood of audit events must not stop admission. Judging takes
/// some ten times a body's bytes.
const REVIEW_KIB: usize = 48 << 10;
const AUDIT_KIB: usize = 32 << 10;
/// What an API server waits where it does not say so; its own default is ten.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between what `timeoutSeconds` may be.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Of the timeout: until when policies are judged, and when the answer is given up. In between it travels.
const JUDGE_PERCENT: u32 = 80;
const ANSWER_PERCENT: u32 = 90;
/// A batch that has not arrived and been taken by then is asked for again.
const AUDIT_DEADLINE: Duration = Duration::from_secs(25);

type Answer = Response<Full<Bytes>>;

/// Who is at the other end of the connection.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) audit: Option<AuditPeer>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The room for bodies, and who answers.
pub(super) struct Service<H> {
    handler: Arc<H>,
    reviews: Semaphore,
    audits: Semaphore,
}

/// Why a body was not read.
enum Unread {
    TooLarge,
    Broken,
}

impl<H: Handler> Service<H> {
    pub(super) fn new(handler: Arc<H>) -> Self {
        Self { handler, reviews: Semaphore::new(REVIEW_KIB), audits: Semaphore::new(AUDIT_KIB) }
    }

    /// Never fails: whatever happens has a status.
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        peer: &Peer,
    ) -> Result<Answer, Infallible> {
        let started = Instant::now();
        let (mut timed_out, route) = (false, route(request.uri().path()));
        let answer = match (route, request.method()) {
            (Route::Admit, &Method::POST) => {
                let timeout = timeout(request.uri().query());
                let until = started + timeout * ANSWER_PERCENT / 100;
                let deadline = started + timeout * JUDGE_PERCENT / 100;
                timeout_at(until, self.admit(request, deadline)).await.unwrap_or_else(|_| {
                    timed_out = true;
                    text(StatusCode::GATEWAY_TIMEOUT, "no answer in time")
                })
            }
            (Route::Audit, &Method::POST) => match peer.audit {
                Some(known) if known.expires > peer.clock.now() => {
                    let until = started + AUDIT_DEADLINE;
                    timeout_at(until, self.audit(request)).await.unwrap_or_else(|_| {
                        timed_out = true;
                        busy()
                    })
                }
                _ => {
                    text(StatusCode::UNAUTHORIZED, "the API server's audit certificate is required")
                }
            },
            (Route::Ready, &Method::GET) if self.handler.is_ready() => text(StatusCode::OK, "ok"),
            (Route::Ready, &Method::GET) => text(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            (Route::Other, _) => text(StatusCode::NOT_FOUND, "no such path"),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "no such method here"),
        };
        let (status, took) = (answer.status().as_u16(), started.elapsed());
        self.handler.served(Served { route, status, took, timed_out });
        Ok(answer)
    }

    async fn admit(&self, request: Request<Incoming>, deadline: Instant) -> Answer {
        let (body, _room) = match read(request, MAX_REVIEW_BODY, &self.reviews).await {
            Ok(read) => read,
            Err(unread) => return unread.answer(),
        };
        match self.handler.admit(body, deadline).await {
            Admitted::Answer(json) => {
                let mut answer = Response::new(Full::new(Bytes::from(json)));
                answer
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                answer
            }
            Admitted::Malformed(message) => text(StatusCode::BAD_REQUEST, &message),
            Admitted::TooLarge => Unread::TooLarge.answer(),
            Admitted::Failed(message) => text(StatusCode::INTERNAL_SERVER_ERROR, &message),
        }
    }

    async fn audit(&self, request: Request<Incoming>) -> Answer {
        let (body, _room) = match read(request, MAX_AUDIT_BODY, &self.audits).await {
            Ok(read) => read,
            Err(unread) => return unread.answer(),
        };
        match self.handler.audit(body).await {
            AuditOutcome::Taken => text(StatusCode::OK, ""),
            AuditOutcome::Malformed(message) => text(StatusCode::BAD_REQUEST, &message),
            AuditOutcome::Busy => busy(),
        }
    }
}

/// The whole body, once there is room for it. One that is too large is taken off the wire without being kept: a client
/// that is still sending when it is answered may miss the answer.
async fn read(
    request: Request<Incoming>,
    limit: usize,
    room: &Semaphore,
) -> Result<(Bytes, SemaphorePermit<'_>), Unread> {
    let length = length(request.headers());
    let mut body = request.into_body();
    if length.is_some_and(|length| length > limit) {
        discard(&mut body).await;
        return Err(Unread::TooLarge);
    }
    let kib = length.unwrap_or(limit).div_ceil(1024).max(1);
    let room = room.acquire_many(u32::try_from(kib).unwrap_or(u32::MAX)).await;
    let room = room.expect("the semaphore is never closed");
    match Limited::new(&mut body, limit).collect().await {
        Ok(body) => Ok((body.to_bytes(), room)),
        Err(error) if error.is::<LengthLimitError>() => {
            drop(room);
            discard(&mut body).await;
            Err(Unread::TooLarge)
        }
        Err(_) => Err(Unread::Broken),
    }
}

async fn discard(body: &mut Incoming) {
    let mut left = MAX_DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(1, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Unread {
    fn answer(self) -> Answer {
        match self {
            Self::TooLarge => text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::Broken => text(StatusCode::BAD_REQUEST, "the body broke off"),
        }
    }
}

fn route(path: &str) -> Route {
    match path {
        "/admit" => Route::Admit,
        "/audit" => Route::Audit,
        "/readyz" => Route::Ready,
        _ => Route::Other,
    }
}

fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text.to_owned())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The API server's audit webhook comes again after 429.
fn busy() -> Answer {
    let mut answer = text(StatusCode::TOO_MANY_REQUESTS, "no room, come again");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// What the API server waits, by its `timeout` parameter, a Go duration; bounded by what Kubernetes allows.
fn timeout(query: Option<&str>) -> Duration {
    let parameters = query.unwrap_or_default().split('&');
    let given = parameters.filter_map(|parameter| parameter.strip_prefix("timeout=")).next_back();
    let timeout = given.and_then(go_duration).unwrap_or(DEFAULT_TIMEOUT);
    timeout.clamp(TIMEOUTS.0, TIMEOUTS.1)
}

/// `1m30s`, `5s`, `1.5s`, `250ms`. Source: Go, `time.ParseDuration`; units below a millisecond are not used here.
fn go_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

#[test]
fn timeouts() {
    for (query, millis) in [
        (None, 5_000),
        (Some(""), 5_000),
        (Some("timeout=10s"), 10_000),
        (Some("x=1&timeout=2s"), 2_000),
        (Some("timeout=1.5s"), 1_500),
        (Some("timeout=1s500ms"), 1_500),
        (Some("timeout=1m0s"), 30_000),
        (Some("timeout=100ms"), 1_000),
        (Some("timeout=0s"), 1_000),
        (Some("timeout=1e99h"), 5_000),
        (Some("timeout=99999999999999999999h"), 5_000),
        (Some("timeout=5"), 5_000),
        (Some("timeout=-5s"), 5_000),
        (Some("timeout=5d"), 5_000),
        (Some("timeout="), 5_000),
    ] {
        assert_eq!(timeout(query).as_millis(), millis, "{query:?}");
    }
}
