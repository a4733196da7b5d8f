//! Which runtime listens behind which socket: found by asking, remembered, asked again after it was away.
use super::connection::Connection;
use super::containerd::{self, Containerd};
use super::cri::{self, Cri};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tonic::{Code, Status};

/// A socket that nobody listens on is tried again after this.
const RECONNECT: Duration = Duration::from_secs(2);
/// A socket on which something else listens, or something hangs.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// For connecting and both questions together.
const PATIENCE: Duration = Duration::from_secs(4);
/// A runtime away for longer was removed, and its containers with it.
const FORGET: Duration = Duration::from_secs(600);
/// Between two looks at whether all sockets have answered.
const SETTLE: Duration = Duration::from_millis(20);

/// Why a socket gives no containers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoRuntime {
    #[error("nobody listens on the socket")]
    Connect(#[source] tonic::transport::Error),
    #[error("what listens does not say what it is")]
    Ask(#[source] Status),
    #[error("what listens speaks neither containerd's interface nor CRI v1")]
    Neither,
    #[error("what listens did not answer within 4 s")]
    Silent,
    #[error("images could not be listed")]
    Images(#[source] Status),
    #[error("no event loop")]
    Loop(#[source] std::io::Error),
}

/// A runtime that answered.
#[derive(Clone)]
pub(crate) enum Runtime {
    Containerd(containerd::Lookup),
    Cri(cri::Lookup),
}

impl Runtime {
    fn is_lost(&self) -> bool {
        match self {
            Self::Containerd(lookup) => lookup.is_lost(),
            Self::Cri(lookup) => lookup.is_lost(),
        }
    }
}

enum Answered {
    Containerd(Containerd),
    Cri(Cri),
}

/// containerd first: it serves CRI too, and tells less there.
async fn ask(socket: &Path) -> Result<Answered, NoRuntime> {
    let questions = async {
        let connection = Connection::open(socket).await.map_err(NoRuntime::Connect)?;
        match Containerd::ask(connection.clone()).await {
            Ok(client) => return Ok(Answered::Containerd(client)),
            Err(status) if status.code() == Code::Unimplemented => {}
            Err(status) => return Err(NoRuntime::Ask(status)),
        }
        match Cri::ask(connection).await {
            Ok(client) => Ok(Answered::Cri(client)),
            Err(status) if status.code() == Code::Unimplemented => Err(NoRuntime::Neither),
            Err(status) => Err(NoRuntime::Ask(status)),
        }
    };
    tokio::time::timeout(PATIENCE, questions).await.unwrap_or(Err(NoRuntime::Silent))
}

/// What listens on a socket, for who reads images.
#[derive(Debug, PartialEq)]
pub(crate) enum Behind {
    Containerd,
    /// Its name and version, and how many images it holds.
    Cri {
        runtime: String,
        images: usize,
    },
}

/// Asks once. Blocking, so never used inside an event loop.
pub(crate) fn behind(socket: &Path) -> Result<Behind, NoRuntime> {
    let event_loop = tokio::runtime::Builder::new_current_thread().enable_all().build();
    event_loop.map_err(NoRuntime::Loop)?.block_on(async {
        match ask(socket).await? {
            Answered::Containerd(_) => Ok(Behind::Containerd),
            Answered::Cri(client) => {
                let runtime =
                    format!("{} {}", client.version.runtime_name, client.version.runtime_version);
                let images = client.images().await.map_err(NoRuntime::Images)?.len();
                Ok(Behind::Cri { runtime, images })
            }
        }
    })
}

/// All sockets, in the order in which they are asked.
pub(crate) struct Sockets {
    slots: Mutex<Vec<Slot>>,
}

struct Slot {
    socket: PathBuf,
    state: State,
    /// Device and inode: two paths may lead to one socket (`/var/run` is a link to `/run`).
    file: Option<(u64, u64)>,
    /// Since when a runtime that answered does not.
    away: Option<Instant>,
    /// The log says that it does not answer.
    told: bool,
}

enum State {
    Unasked { due: Instant },
    Asking,
    Known(Runtime),
}

/// What is known of the sockets now.
pub(crate) struct Known {
    pub(crate) runtimes: Vec<Runtime>,
    /// A socket has not answered yet.
    pub(crate) asking: bool,
    /// A runtime that answered before does not, so that what it runs is unknown.
    pub(crate) away: bool,
}

impl Sockets {
    pub(crate) fn new(sockets: Vec<PathBuf>) -> Self {
        let due = Instant::now();
        let slot = |socket| Slot {
            socket,
            state: State::Unasked { due },
            file: None,
            away: None,
            told: false,
        };
        Self { slots: Mutex::new(sockets.into_iter().map(slot).collect()) }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runtimes that have answered; sockets that are due are asked meanwhile.
    pub(crate) fn runtimes(self: &Arc<Self>) -> Known {
        let now = Instant::now();
        let mut slots = self.slots();
        for position in 0..slots.len() {
            let Slot { state, away, .. } = &mut slots[position];
            if matches!(state, State::Known(runtime) if runtime.is_lost()) {
                (*state, *away) = (State::Unasked { due: now }, Some(now));
            }
            if let State::Unasked { due } = &slots[position].state
                && *due <= now
                && is_new(&mut slots, position)
            {
                slots[position].state = State::Asking;
                tokio::spawn(Arc::clone(self).answer(position, slots[position].socket.clone()));
            }
        }
        let runtime = |slot: &Slot| match &slot.state {
            State::Known(runtime) => Some(runtime.clone()),
            _ => None,
        };
        Known {
            runtimes: slots.iter().filter_map(runtime).collect(),
            asking: slots.iter().any(|slot| matches!(slot.state, State::Asking)),
            away: slots.iter().any(|slot| slot.away.is_some_and(|since| since + FORGET > now)),
        }
    }

    /// The same, once every socket has answered or was given up.
    pub(crate) async fn settled(self: &Arc<Self>) -> Known {
        loop {
            let known = self.runtimes();
            if !known.asking {
                return known;
            }
            tokio::time::sleep(SETTLE).await;
        }
    }

    async fn answer(self: Arc<Self>, position: usize, socket: PathBuf) {
        let answered = ask(&socket).await;
        let mut slots = self.slots();
        let slot = &mut slots[position];
        slot.tell(&answered);
        slot.state = match answered {
            Ok(Answered::Containerd(client)) => {
                State::Known(Runtime::Containerd(containerd::Lookup::new(client)))
            }
            Ok(Answered::Cri(client)) => State::Known(Runtime::Cri(cri::Lookup::new(client))),
            Err(NoRuntime::Connect(_)) => State::Unasked { due: Instant::now() + RECONNECT },
            Err(_) => State::Unasked { due: Instant::now() + ASK_AGAIN },
        };
        if matches!(slot.state, State::Known(_)) {
            slot.away = None;
        }
    }
}

impl Slot {
    /// Into the log; the same silence once.
    fn tell(&mut self, answered: &Result<Answered, NoRuntime>) {
        let socket = self.socket.display();
        let runtime = match answered {
            Ok(Answered::Containerd(_)) => "containerd",
            Ok(Answered::Cri(client)) => &client.version.runtime_name,
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    let error = crate::probe::chain(error);
                    tracing::warn!(%socket, %error, "container runtime does not answer");
                }
                return;
            }
        };
        self.told = false;
        tracing::info!(%socket, runtime, "container runtime answers");
    }
}

/// Whether the slot's socket exists and no other slot has it.
fn is_new(slots: &mut [Slot], position: usize) -> bool {
    let file = slots[position].socket.metadata().ok().map(|file| (file.dev(), file.ino()));
    slots[position].file = file;
    let other = |(at, slot): (usize, &Slot)| {
        at != position && slot.file == file && !matches!(slot.state, State::Unasked { .. })
    };
    file.is_some() && !slots.iter().enumerate().any(other)
}

#[cfg(test)]
mod tests;
