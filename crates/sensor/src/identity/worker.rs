//! Asks containerd, in a thread of its own, so that a slow runtime delays answers and never events of the host.
use super::containerd::{ContainerRecord, Containerd, RUNNING};
use super::describe::{self, Manifest, Spec};
use super::{by_path, cgroup};
use seawall_model::asset::RunningContainer;
use seawall_model::event::{Container, Identity};
use seawall_model::image::ImageRef;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

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
/// A socket without a runtime behind it is tried again after this.
const RECONNECT: Duration = Duration::from_secs(2);
/// Images whose digests are kept.
const MAX_IMAGES: usize = 1_024;
/// Between two looks at what runs.
const RUNNING_EVERY: Duration = Duration::from_secs(5);
/// Path components tried as container ids.
const MAX_CANDIDATES: usize = 4;

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
    Group { cgroup: u64, found: Option<(Arc<Container>, Identity)> },
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
    let runtimes = Arc::new(Runtimes { sockets, state: Mutex::default() });
    let mut tick = tokio::time::interval(RUNNING_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before: Option<Vec<RunningContainer>> = None;
    loop {
        tokio::select! {
            question = inbox.recv() => {
                let Some(question) = question else { return };
                let (runtimes, answers) = (Arc::clone(&runtimes), answers.clone());
                tokio::spawn(async move {
                    let found = runtimes.resolve(&question).await;
                    let _gone = answers.send(Answer::Group { cgroup: question.cgroup, found });
                });
            }
            _ = tick.tick() => {
                let Some(mut running) = runtimes.running().await else { continue };
                running.sort_unstable_by(|a, b| a.id.cmp(&b.id));
                if before.as_ref() != Some(&running) {
                    before = Some(running.clone());
                    if answers.send(Answer::Running(running)).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// The runtimes behind all sockets.
struct Runtimes {
    sockets: Vec<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connected: HashMap<PathBuf, Containerd>,
    /// When a socket was there but nothing listened.
    refused: Option<Instant>,
    /// By namespace and image name as the container record has it.
    images: HashMap<(String, String), ImageRef>,
}

impl Runtimes {
    /// Clients of all sockets that answer.
    async fn clients(&self) -> Vec<Containerd> {
        let mut state = self.state.lock().await;
        let due = state.refused.is_none_or(|refused| refused.elapsed() > RECONNECT);
        for socket in self.sockets.iter().filter(|socket| due && socket.exists()) {
            if state.connected.contains_key(socket) {
                continue;
            }
            match Containerd::connect(socket).await {
                Ok(client) => drop(state.connected.insert(socket.clone(), client)),
                Err(error) => {
                    state.refused = Some(Instant::now());
                    tracing::warn!(socket = %socket.display(), %error, "container runtime does not answer");
                }
            }
        }
        state.connected.values().cloned().collect()
    }

    async fn resolve(&self, question: &Question) -> Option<(Arc<Container>, Identity)> {
        let identified = cgroup::identify(&question.path);
        let clients = self.clients().await;
        let mut waits = RETRY.iter();
        while !clients.is_empty() {
            for client in &clients {
                if let Some(found) = self.find(client, question, identified.as_ref()).await {
                    return Some(found);
                }
            }
            // A path without a runtime's shape is mostly a service of the host: no reason to wait for it.
            match waits.next() {
                Some(wait) if identified.is_some() || question.nested => {
                    tokio::time::sleep(*wait).await
                }
                _ => break,
            }
        }
        by_path(&question.path, question.nested)
            .map(|container| (Arc::new(container), Identity::Partial))
    }

    async fn find(
        &self,
        client: &Containerd,
        question: &Question,
        identified: Option<&cgroup::PathIdentity>,
    ) -> Option<(Arc<Container>, Identity)> {
        let ids: Vec<&str> = match identified {
            Some(found) => vec![found.container.as_str()],
            None => cgroup::candidates(&question.path).take(MAX_CANDIDATES).collect(),
        };
        for namespace in client.namespaces().await.ok()? {
            for id in &ids {
                let Ok(Some(record)) = client.container(&namespace, id).await else { continue };
                let spec = Spec::parse(&record);
                if identified.is_none() && !spec.owns(&question.path) {
                    continue;
                }
                let container = self.describe(client, &namespace, &record, &spec).await;
                let complete =
                    container.image.as_ref().is_some_and(|image| image.key_digest().is_some());
                let identity = if complete { Identity::Complete } else { Identity::Partial };
                return Some((Arc::new(container), identity));
            }
        }
        None
    }

    async fn describe(
        &self,
        client: &Containerd,
        namespace: &str,
        record: &ContainerRecord,
        spec: &Spec,
    ) -> Container {
        let image = match record.image.is_empty() {
            true => None,
            false => Some(self.image(client, namespace, record, spec).await),
        };
        let sandbox = match spec.sandbox() {
            Some(sandbox) if sandbox != record.id => client
                .container(namespace, sandbox)
                .await
                .ok()
                .flatten()
                .map(|sandbox| sandbox.labels),
            _ => None,
        };
        describe::container(record, spec, image, sandbox.as_ref().unwrap_or(&record.labels))
    }

    async fn image(
        &self,
        client: &Containerd,
        namespace: &str,
        record: &ContainerRecord,
        spec: &Spec,
    ) -> ImageRef {
        let key = (namespace.to_owned(), record.image.clone());
        if let Some(known) = self.state.lock().await.images.get(&key) {
            return known.clone();
        }
        let fallback = spec.image_name().unwrap_or(&record.image).to_owned();
        let target = match client.image(namespace, &record.image).await {
            Ok(Some(image)) => image.target.map(|target| target.digest),
            _ => None,
        };
        // CRI may name the image by digest only; another entry with the same target has the tag.
        let Some(target) = target else {
            return ImageRef { name: fallback, ..ImageRef::default() };
        };
        let name = match is_tagged(&record.image) {
            true => record.image.clone(),
            false => tagged(client, namespace, &target).await.unwrap_or(fallback),
        };
        let image = digests(client, namespace, name, target).await;
        let mut state = self.state.lock().await;
        if state.images.len() >= MAX_IMAGES {
            state.images.clear();
        }
        state.images.insert(key, image.clone());
        image
    }

    /// `None` where no runtime answers: then nothing is known, which is not the same as nothing running.
    async fn running(&self) -> Option<Vec<RunningContainer>> {
        let mut running = Vec::new();
        let clients = self.clients().await;
        if clients.is_empty() {
            return None;
        }
        for client in clients {
            for namespace in client.namespaces().await.ok()? {
                let tasks = client.tasks(&namespace).await.ok()?;
                let live: HashSet<String> = tasks
                    .into_iter()
                    .filter(|task| task.status == RUNNING)
                    .map(|task| task.id)
                    .collect();
                for record in client.containers(&namespace, Vec::new()).await.ok()? {
                    if !live.contains(&record.id) || describe::is_sandbox(&record) {
                        continue;
                    }
                    let spec = Spec::parse(&record);
                    let container = self.describe(&client, &namespace, &record, &spec).await;
                    running.extend(running_container(container));
                }
            }
        }
        Some(running)
    }
}

fn running_container(container: Container) -> Option<RunningContainer> {
    let pod = container.pod.unwrap_or_default();
    let known = |text: String| (!text.is_empty()).then_some(text);
    Some(RunningContainer {
        id: container.id,
        name: container.name,
        image: container.image?,
        namespace: known(pod.namespace),
        pod: known(pod.name),
        pod_uid: known(pod.uid),
        workload: pod.workload,
    })
}

fn is_tagged(name: &str) -> bool {
    !name.starts_with("sha256:") && !name.contains('@')
}

async fn tagged(client: &Containerd, namespace: &str, digest: &str) -> Option<String> {
    let filter = format!("target.digest=={digest}");
    let images = client.images(namespace, vec![filter]).await.ok()?;
    images.into_iter().map(|image| image.name).find(|name| is_tagged(name))
}

/// Follows the target to this machine's manifest and its configuration.
async fn digests(client: &Containerd, namespace: &str, name: String, target: String) -> ImageRef {
    let read = async |digest: &str| -> Option<Manifest> {
        serde_json::from_slice(&client.content(namespace, digest).await.ok()?).ok()
    };
    let mut image = ImageRef { name, digest: Some(target.clone()), ..ImageRef::default() };
    let Some(top) = read(&target).await else { return image };
    if top.manifests.is_empty() {
        image.config_digest = top.config.map(|config| config.digest);
        return image;
    }
    image.index_digest = Some(target);
    image.digest = top.for_machine().map(|entry| entry.digest.clone());
    if let Some(digest) = &image.digest
        && let Some(manifest) = read(digest).await
    {
        image.config_digest = manifest.config.map(|config| config.digest);
    }
    image
}
