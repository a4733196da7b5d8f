//! The part of containerd's gRPC interface that images need, by hand: its own bindings would want protoc installed.
//! Source: containerd `api/services/{namespaces,images,content,snapshots}/v1`, `api/types`; field numbers as there.
use crate::error::OpenError;
use crate::reference::Containerd;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

/// Until a socket that nobody serves is given up.
const CONNECT: Duration = Duration::from_secs(5);
/// Until one answer is given up; a store on a slow disk takes seconds.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of one answer: a list of some 10,000 images.
const MESSAGE: usize = 32 * 1024 * 1024;

#[derive(Clone, PartialEq, prost::Message)]
struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
struct ByName {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Namespaces {
    #[prost(message, repeated, tag = "1")]
    namespaces: Vec<ByName>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OneImage {
    #[prost(message, optional, tag = "1")]
    image: Option<Stored>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Images {
    #[prost(message, repeated, tag = "1")]
    images: Vec<Stored>,
}

/// `containerd.services.images.v1.Image`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Stored {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "3")]
    pub(super) target: Option<Target>,
}

/// `containerd.types.Descriptor`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Target {
    #[prost(string, tag = "1")]
    pub(super) media_type: String,
    #[prost(string, tag = "2")]
    pub(super) digest: String,
    #[prost(int64, tag = "3")]
    pub(super) size: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OneInfo {
    #[prost(message, optional, tag = "1")]
    info: Option<Info>,
}

/// `containerd.services.content.v1.Info`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Info {
    #[prost(int64, tag = "2")]
    pub(super) size: i64,
    #[prost(map = "string, string", tag = "5")]
    pub(super) labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReadContent {
    #[prost(string, tag = "1")]
    digest: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Content {
    #[prost(bytes = "vec", tag = "2")]
    pub(super) data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct View {
    #[prost(string, tag = "1")]
    pub(super) snapshotter: String,
    #[prost(string, tag = "2")]
    pub(super) key: String,
    #[prost(string, tag = "3")]
    pub(super) parent: String,
    #[prost(map = "string, string", tag = "4")]
    pub(super) labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RemoveSnapshot {
    #[prost(string, tag = "1")]
    snapshotter: String,
    #[prost(string, tag = "2")]
    key: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Mounts {
    #[prost(message, repeated, tag = "1")]
    mounts: Vec<Mount>,
}

/// `containerd.types.Mount`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Mount {
    #[prost(string, tag = "1")]
    pub(super) kind: String,
    #[prost(string, tag = "2")]
    pub(super) source: String,
    #[prost(string, repeated, tag = "4")]
    pub(super) options: Vec<String>,
}

/// A connection with the event loop that drives it. Blocking, so never used inside another event loop.
pub(super) struct Client {
    runtime: Runtime,
    channel: Channel,
    address: String,
}

impl Client {
    pub(super) fn connect(containerd: &Containerd) -> Result<Self, OpenError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("containerd")
            .enable_all()
            .build()
            .map_err(|source| OpenError::Runtime { source })?;
        let address = containerd.address.display().to_string();
        let socket = containerd.address.clone();
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move {
                let stream = tokio::net::UnixStream::connect(socket).await?;
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        // The address is not used: the connector always takes the socket.
        let endpoint = Endpoint::from_static("http://containerd");
        let connected = runtime.block_on(async {
            tokio::time::timeout(CONNECT, endpoint.connect_with_connector(connector)).await
        });
        match connected {
            Ok(Ok(channel)) => Ok(Self { runtime, channel, address }),
            Ok(Err(source)) => Err(OpenError::Connect { address, source }),
            Err(_) => Err(OpenError::Timeout { address, seconds: CONNECT.as_secs() }),
        }
    }

    pub(super) fn namespaces(&self) -> Result<Vec<String>, Status> {
        let path = "/containerd.services.namespaces.v1.Namespaces/List";
        let listed: Namespaces = self.call(path, "", ByName::default())?;
        Ok(listed.namespaces.into_iter().map(|namespace| namespace.name).collect())
    }

    pub(super) fn images(&self, namespace: &str) -> Result<Vec<Stored>, Status> {
        let path = "/containerd.services.images.v1.Images/List";
        let listed: Images = self.call(path, namespace, ByName::default())?;
        Ok(listed.images)
    }

    pub(super) fn image(&self, namespace: &str, name: &str) -> Result<Option<Stored>, Status> {
        let path = "/containerd.services.images.v1.Images/Get";
        let found = self.call(path, namespace, ByName { name: name.to_owned() });
        Ok(found_or_none(found)?.and_then(|found: OneImage| found.image))
    }

    pub(super) fn info(&self, namespace: &str, digest: &str) -> Result<Option<Info>, Status> {
        let path = "/containerd.services.content.v1.Content/Info";
        let found = self.call(path, namespace, ReadContent { digest: digest.to_owned() });
        Ok(found_or_none(found)?.and_then(|found: OneInfo| found.info))
    }

    /// The blob in pieces; see [`Client::next`].
    pub(super) fn read(&self, namespace: &str, digest: &str) -> Result<Streaming<Content>, Status> {
        let path = PathAndQuery::from_static("/containerd.services.content.v1.Content/Read");
        let message = request(ReadContent { digest: digest.to_owned() }, namespace)?;
        let mut client = self.grpc();
        self.wait(async {
            client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = ProstCodec::<ReadContent, Content>::default();
            Ok(client.server_streaming(message, path, codec).await?.into_inner())
        })
    }

    pub(super) fn next(&self, stream: &mut Streaming<Content>) -> Result<Option<Content>, Status> {
        self.wait(stream.message())
    }

    pub(super) fn view(&self, namespace: &str, view: View) -> Result<Vec<Mount>, Status> {
        let path = "/containerd.services.snapshots.v1.Snapshots/View";
        let mounts: Mounts = self.call(path, namespace, view)?;
        Ok(mounts.mounts)
    }

    pub(super) fn remove_snapshot(
        &self,
        namespace: &str,
        snapshotter: &str,
        key: &str,
    ) -> Result<(), Status> {
        let path = "/containerd.services.snapshots.v1.Snapshots/Remove";
        let remove = RemoveSnapshot { snapshotter: snapshotter.to_owned(), key: key.to_owned() };
        // One that the collector took first is as good as removed.
        found_or_none(self.call::<_, Empty>(path, namespace, remove)).map(|_| ())
    }

    fn grpc(&self) -> tonic::client::Grpc<Channel> {
        tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MESSAGE)
    }

    fn call<Q, R>(&self, path: &'static str, namespace: &str, message: Q) -> Result<R, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        R: prost::Message + Default + Send + Sync + 'static,
    {
        let message = request(message, namespace)?;
        let mut client = self.grpc();
        self.wait(async {
            client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = ProstCodec::<Q, R>::default();
            Ok(client.unary(message, PathAndQuery::from_static(path), codec).await?.into_inner())
        })
    }

    /// Waits for one answer.
    fn wait<T>(&self, answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        let limited = self.runtime.block_on(async { tokio::time::timeout(ANSWER, answer).await });
        limited.unwrap_or_else(|_| {
            let seconds = ANSWER.as_secs();
            Err(Status::deadline_exceeded(format!(
                "{} gave no answer in {seconds} s",
                self.address
            )))
        })
    }
}

fn found_or_none<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// Source: containerd `pkg/namespaces/grpc.go`.
fn request<T>(message: T, namespace: &str) -> Result<Request<T>, Status> {
    let mut request = Request::new(message);
    let value =
        namespace.parse().map_err(|_| Status::invalid_argument("no namespace has this name"))?;
    request.metadata_mut().insert("containerd-namespace", value);
    Ok(request)
}
