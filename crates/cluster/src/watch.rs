//! Watches kinds of objects: list, then follow; a re-list is turned into what changed.
use crate::connect::Connection;
use futures::StreamExt;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::TypeMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Objects in flight between watch and receiver: at 4 KiB each, 4 MiB.
const CAPACITY: usize = 1_024;
/// Objects per page of a list, so that a re-list never holds a whole kind in memory.
const PAGE: u32 = 500;
/// Repeats of a failing request come every 30 s at most. A watch that has failed and been silent for longer may stand
/// again or hang, which only the server can tell: it is asked for the list.
const QUIET: Duration = Duration::from_secs(90);
/// When a kind that may not be read is tried again, and how often at last: rights change by hand, and one refusal costs
/// the server little.
const RETRY_FORBIDDEN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// Kubectl's copy of what was applied: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub api_version: String,
    pub kind: String,
    pub plural: String,
}

impl Kind {
    pub fn new(api_version: &str, kind: &str, plural: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }
}

/// What happened. `kind` is the index of the watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectEvent {
    /// JSON without managed fields and kubectl's last-applied annotation.
    Applied {
        kind: usize,
        bytes: Vec<u8>,
    },
    Deleted {
        kind: usize,
        uid: String,
    },
    /// All objects of the kind have been sent, and those gone since the last list are told.
    Synced {
        kind: usize,
    },
    /// The kind may not be read, or the server does not have it; it is tried again.
    Forbidden {
        kind: usize,
        message: String,
    },
    /// What is known of the kind may be out of date from now on.
    Broken {
        kind: usize,
        message: String,
    },
    /// The watch stands again after `Broken` or `Forbidden`.
    Restored {
        kind: usize,
    },
}

impl ObjectEvent {
    /// The index of its watch.
    pub fn kind(&self) -> usize {
        match self {
            Self::Applied { kind, .. }
            | Self::Deleted { kind, .. }
            | Self::Synced { kind }
            | Self::Forbidden { kind, .. }
            | Self::Broken { kind, .. }
            | Self::Restored { kind } => *kind,
        }
    }
}

/// Running watches; they end when this is dropped.
pub struct Watch {
    pub events: mpsc::Receiver<ObjectEvent>,
    sender: mpsc::Sender<ObjectEvent>,
    client: Client,
    tasks: JoinSet<()>,
    handles: HashMap<usize, AbortHandle>,
    next: usize,
}

impl Watch {
    /// Starts to watch a kind; its index in events, which none had before. A receiver that does not keep up slows the
    /// watches down; nothing is dropped.
    pub fn add(&mut self, kind: &Kind) -> usize {
        let index = self.next;
        self.next += 1;
        let (client, kind, sender) = (self.client.clone(), kind.clone(), self.sender.clone());
        let handle = self.tasks.spawn(async move {
            let mut follower = Follower::new(index, sender, QUIET);
            // An error of `send` means that the receiver is gone, and with it the reason to watch.
            let _gone = follower.follow(client, &kind).await;
        });
        self.handles.insert(index, handle);
        index
    }

    /// Ends a watch. Some of its events may still come.
    pub fn end(&mut self, index: usize) {
        if let Some(handle) = self.handles.remove(&index) {
            handle.abort();
        }
        while self.tasks.try_join_next().is_some() {}
    }
}

/// Starts one watch per kind, whose index is that of the kind.
pub fn watch(connection: &Connection, kinds: &[Kind]) -> Watch {
    let (sender, events) = mpsc::channel(CAPACITY);
    let client = connection.client.clone();
    let (tasks, handles) = (JoinSet::new(), HashMap::new());
    let mut watch = Watch { events, sender, client, tasks, handles, next: 0 };
    for kind in kinds {
        watch.add(kind);
    }
    watch
}

pub(crate) fn resource(kind: &Kind) -> ApiResource {
    let (group, version) = kind.api_version.split_once('/').unwrap_or(("", &kind.api_version));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: kind.api_version.clone(),
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Broken,
    Forbidden,
}

/// One kind's watch. Owns the UIDs it has sent, to tell after a re-list which are gone.
struct Follower {
    index: usize,
    sender: mpsc::Sender<ObjectEvent>,
    known: HashSet<String>,
    listing: Option<HashSet<String>>,
    trouble: Option<Trouble>,
    quiet: Duration,
}

type Sent = Result<(), mpsc::error::SendError<ObjectEvent>>;

impl Follower {
    fn new(index: usize, sender: mpsc::Sender<ObjectEvent>, quiet: Duration) -> Self {
        Self { index, sender, known: HashSet::new(), listing: None, trouble: None, quiet }
    }

    async fn follow(&mut self, client: Client, kind: &Kind) -> Sent {
        let resource = resource(kind);
        let types = TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() };
        let api: Api<DynamicObject> = Api::all_with(client, &resource);
        let [first, last] = RETRY_FORBIDDEN;
        let mut retry = first;
        loop {
            let config = watcher::Config::default().any_semantic().page_size(PAGE);
            let mut stream = watcher::watcher(api.clone(), config).default_backoff().boxed();
            loop {
                let next = match tokio::time::timeout(self.quiet, stream.next()).await {
                    Ok(Some(next)) => next,
                    Ok(None) => break,
                    Err(_) if self.trouble.is_some() => break,
                    Err(_) => continue,
                };
                match next {
                    Ok(event) => {
                        self.event(event, &types).await?;
                        if self.trouble.is_none() {
                            retry = first;
                        }
                    }
                    Err(error) => {
                        if self.failed(&error).await? == Some(Trouble::Forbidden) {
                            tokio::time::sleep(retry).await;
                            retry = last.min(retry * 2);
                            break;
                        }
                    }
                }
            }
        }
    }

    async fn event(&mut self, event: Event<DynamicObject>, types: &TypeMeta) -> Sent {
        let index = self.index;
        match event {
            Event::Init => self.listing = Some(HashSet::new()),
            Event::InitApply(object) | Event::Apply(object) => {
                if self.listing.is_none() {
                    self.restored().await?;
                }
                let Some(uid) = object.metadata.uid.clone() else { return Ok(()) };
                self.listing.as_mut().unwrap_or(&mut self.known).insert(uid);
                match compact(object, types) {
                    Ok(bytes) => {
                        self.sender.send(ObjectEvent::Applied { kind: index, bytes }).await?
                    }
                    Err(error) => {
                        let message = format!("an object cannot be written as JSON: {error}");
                        self.sender.send(ObjectEvent::Broken { kind: index, message }).await?;
                    }
                }
            }
            Event::InitDone => {
                let listed = self.listing.take().unwrap_or_default();
                for uid in self.known.difference(&listed) {
                    self.sender
                        .send(ObjectEvent::Deleted { kind: index, uid: uid.clone() })
                        .await?;
                }
                self.known = listed;
                self.restored().await?;
                self.sender.send(ObjectEvent::Synced { kind: index }).await?;
            }
            Event::Delete(object) => {
                self.restored().await?;
                if let Some(uid) = object.metadata.uid {
                    self.known.remove(&uid);
                    self.sender.send(ObjectEvent::Deleted { kind: index, uid }).await?;
                }
            }
        }
        Ok(())
    }

    async fn restored(&mut self) -> Sent {
        if self.trouble.take().is_some() {
            self.sender.send(ObjectEvent::Restored { kind: self.index }).await?;
        }
        Ok(())
    }

    async fn failed(
        &mut self,
        error: &watcher::Error,
    ) -> Result<Option<Trouble>, mpsc::error::SendError<ObjectEvent>> {
        let code = match error {
            watcher::Error::WatchError(status) => status.code,
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            | watcher::Error::WatchFailed(kube::Error::Api(status)) => status.code,
            _ => 0,
        };
        let trouble = match code {
            410 => return Ok(None), // Too old a version to go on from: the watcher lists again by itself.
            401 | 403 | 404 | 405 => Trouble::Forbidden,
            _ => Trouble::Broken,
        };
        if self.trouble != Some(trouble) {
            self.trouble = Some(trouble);
            let (kind, message) = (self.index, chain(error));
            tracing::warn!(kind, message, "watch failed");
            self.sender
                .send(match trouble {
                    Trouble::Broken => ObjectEvent::Broken { kind, message },
                    Trouble::Forbidden => ObjectEvent::Forbidden { kind, message },
                })
                .await?;
        }
        Ok(Some(trouble))
    }
}

/// The error and its sources, once each.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let told = error.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        source = error.source();
    }
    text
}

/// The object as compact JSON. Objects of a list come without their type.
pub(crate) fn compact(
    mut object: DynamicObject,
    types: &TypeMeta,
) -> Result<Vec<u8>, serde_json::Error> {
    object.types = Some(types.clone());
    object.metadata.managed_fields = None;
    if let Some(annotations) = &mut object.metadata.annotations {
        annotations.remove(LAST_APPLIED);
    }
    serde_json::to_vec(&object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// An API server that lists nothing and refuses to watch; while `hangs` it takes requests and never answers.
    async fn server(hangs: Arc<AtomicBool>) -> Client {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let hangs = hangs.clone();
                tokio::spawn(async move {
                    let mut request = [0; 8192];
                    let length = stream.read(&mut request).await.unwrap();
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    if hangs.load(Ordering::SeqCst) {
                        return std::future::pending().await;
                    }
                    let (status, body) = match request.contains("watch=") {
                        true => (
                            "500 Internal Server Error",
                            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no","reason":"InternalError","code":500}"#,
                        ),
                        false => (
                            "200 OK",
                            r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#,
                        ),
                    };
                    hangs.store(status.starts_with("500"), Ordering::SeqCst);
                    let answer = format!(
                        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                });
            }
        });
        let mut config = kube::Config::new(url.parse().unwrap());
        config.read_timeout = None;
        Client::try_from(config).unwrap()
    }

    #[tokio::test]
    async fn silence_is_no_recovery() {
        let hangs = Arc::new(AtomicBool::new(false));
        let client = server(hangs.clone()).await;
        let (sender, mut events) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            let mut follower = Follower::new(0, sender, Duration::from_millis(100));
            let _gone = follower.follow(client, &Kind::new("v1", "Pod", "pods")).await;
        });
        assert_eq!(events.recv().await, Some(ObjectEvent::Synced { kind: 0 }));
        assert!(matches!(events.recv().await, Some(ObjectEvent::Broken { .. })));
        // From here on the server hangs, for many times the quiet that used to pass for recovery.
        let silence = tokio::time::timeout(Duration::from_secs(2), events.recv()).await;
        assert!(silence.is_err(), "{silence:?}");
        hangs.store(false, Ordering::SeqCst);
        let answered = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap();
        assert_eq!(answered, Some(ObjectEvent::Restored { kind: 0 }));
        task.abort();
    }

    #[test]
    fn bytes_are_compact() {
        let text = r#"{"metadata":{"name":"a","uid":"u","managedFields":[{"manager":"kubectl"}],
            "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","kept":"1"}},"spec":{"x":1}}"#;
        let object: DynamicObject = serde_json::from_str(text).unwrap();
        let types = TypeMeta { api_version: "apps/v1".to_owned(), kind: "Deployment".to_owned() };
        let bytes: serde_json::Value =
            serde_json::from_slice(&compact(object, &types).unwrap()).unwrap();
        assert_eq!(
            bytes,
            serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "uid": "u", "annotations": {"kept": "1"}}, "spec": {"x": 1}})
        );
    }

    #[test]
    fn resources_have_their_group() {
        let deployments = resource(&Kind::new("apps/v1", "Deployment", "deployments"));
        assert_eq!((deployments.group.as_str(), deployments.version.as_str()), ("apps", "v1"));
        let pods = resource(&Kind::new("v1", "Pod", "pods"));
        assert_eq!((pods.group.as_str(), pods.version.as_str()), ("", "v1"));
    }
}
