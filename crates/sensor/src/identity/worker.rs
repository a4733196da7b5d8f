//! Asks the runtimes, in a thread of its own, so that a slow one delays answers and never events of the host.
use super::sockets::{Runtime, Sockets};
use super::{by_path, cgroup};
use seawall_model::asset::RunningContainer;
use seawall_model::event::{Container, Identity};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

/// Questions that may wait; more are answered by path alone.
const MAX_QUESTIONS: usize = 4_096;
/// A container's record exists before its control group, so a miss is rarely cured by waiting; but CRI writes the
/// pod's labels a moment later under load.
const RETRY: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(120),
    Duration::from_millis(200),
];
/// Between two looks at what runs.
const RUNNING_EVERY: Duration = Duration::from_secs(5);

/// A container, and whether all is known of it.
pub(crate) type Found = (Arc<Container>, Identity);

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) cgroup: u64,
    pub(crate) path: String,
    /// The asking process lives in a PID namespace of its own.
    pub(crate) nested: bool,
}

#[derive(Debug)]
pub(crate) enum Answer {
    /// `None` is the host.
    Group { cgroup: u64, found: Option<Found> },
    /// What runs now, sandboxes left out; sent when it changed.
    Running(Vec<RunningContainer>),
}

/// The thread's handle; the thread ends when it is dropped.
pub(crate) struct Worker {
    questions: tokio::sync::mpsc::Sender<Question>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(
        sockets: Vec<PathBuf>,
        answers: mpsc::Sender<Answer>,
    ) -> std::io::Result<Self> {
        let (questions, inbox) = tokio::sync::mpsc::channel(MAX_QUESTIONS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("sensor-identity".to_owned())
            .spawn(move || runtime.block_on(serve(sockets, inbox, answers)))?;
        Ok(Self { questions, thread: Some(thread) })
    }

    /// False where too many questions wait.
    pub(crate) fn ask(&self, question: Question) -> bool {
        self.questions.try_send(question).is_ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (closed, _) = tokio::sync::mpsc::channel(1);
        self.questions = closed;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

async fn serve(
    sockets: Vec<PathBuf>,
    mut inbox: tokio::sync::mpsc::Receiver<Question>,
    answers: mpsc::Sender<Answer>,
) {
    let sockets = Arc::new(Sockets::new(sockets));
    tokio::spawn(look(Arc::clone(&sockets), answers.clone()));
    while let Some(question) = inbox.recv().await {
        let (sockets, answers) = (Arc::clone(&sockets), answers.clone());
        tokio::spawn(async move {
            let found = resolve(&sockets, &question).await;
            let _gone = answers.send(Answer::Group { cgroup: question.cgroup, found });
        });
    }
}

async fn resolve(sockets: &Arc<Sockets>, question: &Question) -> Option<Found> {
    let identified = cgroup::identify(&question.path);
    let mut waits = RETRY.iter();
    loop {
        let known = sockets.runtimes();
        for runtime in &known.runtimes {
            let found = match runtime {
                Runtime::Containerd(lookup) => lookup.find(question, identified.as_ref()).await,
                Runtime::Cri(lookup) => lookup.find(identified.as_ref()).await,
            };
            if found.is_some() {
                return found;
            }
        }
        // A path without a runtime's shape is mostly a service of the host: no reason to wait for it.
        let expected = !known.runtimes.is_empty() && (identified.is_some() || question.nested);
        match waits.next() {
            Some(wait) if known.asking || expected => tokio::time::sleep(*wait).await,
            _ => break,
        }
    }
    by_path(&question.path, question.nested)
        .map(|container| (Arc::new(container), Identity::Partial))
}

/// Tells what runs, whenever that changed.
async fn look(sockets: Arc<Sockets>, answers: mpsc::Sender<Answer>) {
    let mut tick = tokio::time::interval(RUNNING_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before: Option<Vec<RunningContainer>> = None;
    loop {
        tick.tick().await;
        let Some(running) = running(&sockets).await else { continue };
        if before.as_ref() != Some(&running) {
            before = Some(running.clone());
            if answers.send(Answer::Running(running)).is_err() {
                return;
            }
        }
    }
}

/// By id. `None` where no runtime answers, or one that answered before does not: then something is unknown, which is
/// not the same as nothing running.
async fn running(sockets: &Arc<Sockets>) -> Option<Vec<RunningContainer>> {
    let known = sockets.settled().await;
    if known.away || known.runtimes.is_empty() {
        return None;
    }
    let mut running = Vec::new();
    for runtime in known.runtimes {
        running.extend(match runtime {
            Runtime::Containerd(lookup) => lookup.running().await?,
            Runtime::Cri(lookup) => lookup.running().await?,
        });
    }
    running.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    running.dedup_by(|a, b| a.id == b.id);
    Some(running)
}
