//! The part of containerd's gRPC interface the sensor reads: containers, images, their manifests, tasks.
//! Source: containerd `api/services/{containers,content,images,namespaces,tasks,version}/v1`, field numbers as there.
mod lookup;

pub(crate) use lookup::Lookup;

use super::connection::{Connection, Empty};
use prost::Message;
use std::collections::HashMap;
use tonic::Status;

/// Manifests and indexes are a few KiB; the distribution specification suggests a limit of 4 MiB.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Runtime {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ContainerRecord {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(map = "string, string", tag = "2")]
    pub(crate) labels: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub(crate) image: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) runtime: Option<Runtime>,
    /// The OCI runtime specification as JSON.
    #[prost(message, optional, tag = "5")]
    pub(crate) spec: Option<Any>,
    #[prost(message, optional, tag = "8")]
    pub(crate) created_at: Option<Timestamp>,
    #[prost(string, tag = "11")]
    pub(crate) sandbox: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Descriptor {
    #[prost(string, tag = "1")]
    pub(crate) media_type: String,
    #[prost(string, tag = "2")]
    pub(crate) digest: String,
    #[prost(int64, tag = "3")]
    pub(crate) size: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImageRecord {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) target: Option<Descriptor>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TaskRecord {
    /// The container's id.
    #[prost(string, tag = "2")]
    pub(crate) id: String,
    #[prost(uint32, tag = "3")]
    pub(crate) pid: u32,
    /// 2 is running.
    #[prost(int32, tag = "4")]
    pub(crate) status: i32,
}

/// `containerd.v1.types.Status.RUNNING`.
pub(crate) const RUNNING: i32 = 2;

/// A request whose only field is one string.
#[derive(Clone, PartialEq, Message)]
struct ByName {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Filters {
    #[prost(string, repeated, tag = "1")]
    filters: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct OneContainer {
    #[prost(message, optional, tag = "1")]
    container: Option<ContainerRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct Containers {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<ContainerRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct Images {
    #[prost(message, repeated, tag = "1")]
    images: Vec<ImageRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct OneImage {
    #[prost(message, optional, tag = "1")]
    image: Option<ImageRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct Namespaces {
    #[prost(message, repeated, tag = "1")]
    namespaces: Vec<ByName>,
}

#[derive(Clone, PartialEq, Message)]
struct Tasks {
    #[prost(message, repeated, tag = "1")]
    tasks: Vec<TaskRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct ReadContent {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(int64, tag = "2")]
    offset: i64,
    #[prost(int64, tag = "3")]
    size: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(int64, tag = "1")]
    offset: i64,
    #[prost(bytes = "vec", tag = "2")]
    data: Vec<u8>,
}

/// One containerd behind one socket.
#[derive(Clone)]
pub(crate) struct Containerd {
    connection: Connection,
}

impl Containerd {
    /// `Unimplemented` where something else listens.
    pub(crate) async fn ask(connection: Connection) -> Result<Self, Status> {
        let path = "/containerd.services.version.v1.Version/Version";
        let _version: Empty = connection.attempt(path, tonic::Request::new(Empty {})).await?;
        Ok(Self { connection })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.connection.is_lost()
    }

    pub(crate) async fn namespaces(&self) -> Result<Vec<String>, Status> {
        let path = "/containerd.services.namespaces.v1.Namespaces/List";
        let found: Namespaces = self.call(path, "", ByName::default()).await?;
        Ok(found.namespaces.into_iter().map(|namespace| namespace.name).collect())
    }

    pub(crate) async fn container(
        &self,
        namespace: &str,
        id: &str,
    ) -> Result<Option<ContainerRecord>, Status> {
        let path = "/containerd.services.containers.v1.Containers/Get";
        let request = ByName { name: id.to_owned() };
        let found: Option<OneContainer> = absent(self.call(path, namespace, request).await)?;
        Ok(found.and_then(|found| found.container))
    }

    pub(crate) async fn containers(
        &self,
        namespace: &str,
        filters: Vec<String>,
    ) -> Result<Vec<ContainerRecord>, Status> {
        let path = "/containerd.services.containers.v1.Containers/List";
        let found: Containers = self.call(path, namespace, Filters { filters }).await?;
        Ok(found.containers)
    }

    pub(crate) async fn image(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ImageRecord>, Status> {
        let path = "/containerd.services.images.v1.Images/Get";
        let request = ByName { name: name.to_owned() };
        let found: Option<OneImage> = absent(self.call(path, namespace, request).await)?;
        Ok(found.and_then(|found| found.image))
    }

    pub(crate) async fn images(
        &self,
        namespace: &str,
        filters: Vec<String>,
    ) -> Result<Vec<ImageRecord>, Status> {
        let path = "/containerd.services.images.v1.Images/List";
        let found: Images = self.call(path, namespace, Filters { filters }).await?;
        Ok(found.images)
    }

    pub(crate) async fn tasks(&self, namespace: &str) -> Result<Vec<TaskRecord>, Status> {
        let path = "/containerd.services.tasks.v1.Tasks/List";
        let found: Tasks = self.call(path, namespace, ByName::default()).await?;
        Ok(found.tasks)
    }

    /// A manifest or index from the content store, at most [`MAX_MANIFEST`] bytes.
    pub(crate) async fn content(&self, namespace: &str, digest: &str) -> Result<Vec<u8>, Status> {
        let path = "/containerd.services.content.v1.Content/Read";
        let size = i64::try_from(MAX_MANIFEST).expect("4 MiB fit");
        let request = ReadContent { digest: digest.to_owned(), offset: 0, size };
        let mut parts =
            self.connection.stream::<_, Content>(path, in_namespace(request, namespace)?).await?;
        let mut bytes = Vec::new();
        while let Some(part) = parts.message().await? {
            bytes.extend_from_slice(&part.data);
            if bytes.len() > MAX_MANIFEST {
                return Err(Status::out_of_range("manifest over 4 MiB"));
            }
        }
        Ok(bytes)
    }

    async fn call<Q, R>(&self, path: &'static str, namespace: &str, request: Q) -> Result<R, Status>
    where
        Q: Message + Default + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        self.connection.call(path, in_namespace(request, namespace)?).await
    }
}

fn in_namespace<Q>(request: Q, namespace: &str) -> Result<tonic::Request<Q>, Status> {
    let mut request = tonic::Request::new(request);
    if !namespace.is_empty() {
        let value = namespace
            .parse()
            .map_err(|_| Status::invalid_argument("namespace is no header value"))?;
        request.metadata_mut().insert("containerd-namespace", value);
    }
    Ok(request)
}

fn absent<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}
