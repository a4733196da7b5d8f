//! `/stream`: what changed, as server-sent events, of objects that the caller may see.
//!
//! The client pulls: nothing is queued for a slow one, it reads on in the change feed where it stood.
use super::problem::Refusal;
use crate::app::App;
use crate::auth::session::SESSION_IDLE;
use crate::auth::{Caller, Who};
use crate::seats::Seat;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{FutureExt, Stream};
use http::HeaderMap;
use seawall_model::Millis;
use seawall_model::access::Principal;
use seawall_store::{Changes, Feed, Reads, RoleAssignments, Sessions, Token, Visible};
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

/// Keeps proxies from closing an idle stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// So long may who lost a role, a session or the account still be told of changes (of ids and revisions, nothing
/// else). Each time costs two indexed reads.
const RECHECK_EVERY: Duration = Duration::from_secs(2);

/// Streams of one user or token at a time: each browser tab has one.
pub(crate) const STREAMS_PER_PRINCIPAL: usize = 16;
/// When who has too many may ask again.
const RETRY_AFTER: Millis = 5_000;

struct Reader {
    app: App,
    caller: Caller,
    visible: Visible,
    last: u64,
    waiting: std::collections::VecDeque<Event>,
    recheck: Interval,
    _seat: Seat<String>,
}

/// `id` is the position in the change feed, `event` the noun or `resync`, `data` is `{id, noun, revision}`.
/// `Last-Event-ID` resumes; where the feed no longer reaches back, the first event is `resync`: load everything anew.
#[utoipa::path(get, path = "/api/v1/stream", tag = "stream",
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let seat = app.streams.take(caller.key()).ok_or_else(|| {
        let detail = format!("more than {STREAMS_PER_PRINCIPAL} streams of one user or token");
        Refusal::too_many(detail, RETRY_AFTER)
    })?;
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let last = match resumed {
        Some(last) => last,
        None => app.store.last_change().await?,
    };
    let visible = caller.visible_here();
    let mut recheck = tokio::time::interval(RECHECK_EVERY);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader =
        Reader { app, caller, visible, last, waiting: Default::default(), recheck, _seat: seat };
    let events = futures::stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Returns once a change after `last` was committed; false where the store has closed.
async fn raised(changes: &mut watch::Receiver<u64>, last: u64) -> bool {
    changes.wait_for(|newest| *newest > last).await.is_ok()
}

impl Reader {
    /// The next event; none once the stream has to end.
    async fn next(&mut self) -> Option<Event> {
        let mut stop = self.app.stop.clone();
        let mut changes = self.app.store.watch_changes();
        loop {
            // Before anything is told, too: on a busy hub, or for a slow reader, the pause below never comes.
            if self.recheck.tick().now_or_never().is_some() && !self.is_unchanged().await {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if *stop.borrow() || !self.read().await? {
                return None;
            }
            if !self.waiting.is_empty() {
                continue;
            }
            let last = self.last;
            tokio::select! {
                is_open = raised(&mut changes, last) => if !is_open { return None; },
                _ = self.recheck.tick() => if !self.is_unchanged().await { return None; },
                () = crate::app::stopped(&mut stop) => return None,
            }
        }
    }

    /// Reads the feed on. `None` where the store fails: the client comes back and resumes.
    async fn read(&mut self) -> Option<bool> {
        match self.app.store.changes_after(&self.visible, self.last).await {
            Ok(Feed::Changes { items, last }) => {
                self.last = last;
                for change in items {
                    let data =
                        json!({"id": change.id, "noun": &change.noun, "revision": change.revision});
                    let event = Event::default().id(change.sequence.to_string()).event(change.noun);
                    self.waiting.push_back(event.data(data.to_string()));
                }
                Some(true)
            }
            Ok(Feed::Resync { last }) => {
                self.last = last;
                let event = Event::default().id(last.to_string()).event("resync").data("{}");
                self.waiting.push_back(event);
                Some(true)
            }
            Err(error) => {
                tracing::warn!(%error, "change feed not read");
                None
            }
        }
    }

    /// Whether the caller still may do what it might when the stream began. The stream itself keeps no session from
    /// becoming idle.
    async fn is_unchanged(&self) -> bool {
        let store = &self.app.store;
        match &self.caller.who {
            Who::User { id, session, .. } => {
                let user = store.peek_session(session, SESSION_IDLE).await;
                let roles = store.roles_of(&[Principal::User { id: *id }]).await;
                user.is_ok_and(|user| user.is_some_and(|user| !user.must_change_password))
                    && roles.is_ok_and(|roles| *roles == *self.caller.assignments)
            }
            Who::Token { id, .. } => {
                let token = store.get::<Token>(&Visible::system(), *id).await;
                let now = self.app.now();
                token.is_ok_and(|token| token.is_some_and(|token| token.expires > now))
            }
        }
    }
}
