//! The streams that are open now, so that a revoked agent is cut off at once.
use seawall_model::Id;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Owned by the hub; a stream puts itself in and takes itself out.
#[derive(Clone, Default)]
pub(crate) struct Live {
    streams: Arc<Mutex<HashMap<Id, Stream>>>,
}

struct Stream {
    number: u64,
    cut: watch::Sender<bool>,
}

/// One open stream; dropped, it is no longer live.
pub(crate) struct Connection {
    live: Live,
    agent: Id,
    number: u64,
    cut: watch::Receiver<bool>,
}

impl Live {
    /// Notes a stream. An older one of the same agent is cut: the agent has given it up.
    pub(crate) fn open(&self, agent: Id) -> Connection {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let older = streams.remove(&agent);
        let number = older.map_or(0, |older| {
            older.cut.send_replace(true);
            older.number + 1
        });
        let (cut, receiver) = watch::channel(false);
        streams.insert(agent, Stream { number, cut });
        Connection { live: self.clone(), agent, number, cut: receiver }
    }

    /// Cuts the agent's stream, if it has one here.
    pub(crate) fn revoke(&self, agent: Id) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(&agent) {
            stream.cut.send_replace(true);
        }
    }
}

impl Connection {
    /// Returns once the stream has to end.
    pub(crate) async fn cut(&mut self) {
        // The sender going away means that a newer stream took the place.
        let _ = self.cut.wait_for(|cut| *cut).await;
    }

    /// Takes the stream out. False where a newer one of the same agent is open: the agent is still connected.
    pub(crate) fn close(&self) -> bool {
        let mut streams = self.live.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let own = streams.get(&self.agent).is_some_and(|stream| stream.number == self.number);
        if own {
            streams.remove(&self.agent);
        }
        own
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

#[tokio::test]
async fn a_newer_stream_and_a_revocation_cut_the_older() {
    let live = Live::default();
    let agent = Id::new(1, [0; 10]);
    let mut first = live.open(agent);
    let mut second = live.open(agent);
    first.cut().await;
    assert!(!first.close(), "the agent is still connected by the second");
    let other = live.open(Id::new(2, [0; 10]));
    live.revoke(agent);
    second.cut().await;
    assert!(second.close() && !second.close());
    assert!(!*other.cut.borrow(), "others stay");
}
