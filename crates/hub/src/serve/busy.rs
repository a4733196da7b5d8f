//! What a connection is busy with: its requests, each from its head to the end of its answer's body.
use super::Limits;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// Owned by one connection; its requests change it.
#[derive(Clone, Default)]
pub(super) struct Busy(Arc<watch::Sender<Requests>>);

#[derive(Clone, Copy, Default)]
struct Requests {
    /// Also those that were answered.
    seen: u64,
    under_way: u64,
}

/// One request under way; over once dropped.
pub(super) struct UnderWay(Busy);

impl Busy {
    pub(super) fn begin(&self) -> UnderWay {
        self.0.send_modify(|requests| {
            requests.seen += 1;
            requests.under_way += 1;
        });
        UnderWay(self.clone())
    }

    /// Returns once the peer has asked for nothing for so long as `limits` allow.
    pub(super) async fn idle(&self, limits: &Limits) {
        let mut changes = self.0.subscribe();
        loop {
            let Requests { seen, under_way } = *changes.borrow_and_update();
            let patience = match (seen, under_way) {
                (0, _) => limits.first_request,
                (_, 0) => limits.idle,
                _ => {
                    // The sender lives as long as `self`.
                    let _ = changes.changed().await;
                    continue;
                }
            };
            if tokio::time::timeout(patience, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| requests.under_way -= 1);
    }
}

/// An answer's body that keeps its request under way.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) _under_way: UnderWay,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
