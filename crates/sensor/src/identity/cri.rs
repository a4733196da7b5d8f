//! The part of the Container Runtime Interface the sensor reads: containers, their pods' sandboxes, images.
//! Source: kubernetes/cri-api v0.36 `pkg/apis/runtime/v1/api.proto`, field numbers as there. Checked against CRI-O's
//! `server/` and containerd's `internal/cri/server`.
mod describe;
mod lookup;
#[cfg(test)]
mod real;
#[cfg(test)]
mod tests;

pub(crate) use lookup::Lookup;

use super::connection::Connection;
use prost::Message;
use std::collections::HashMap;
use tonic::{Code, Request, Status};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct VersionRequest {
    /// Of the kubelet's API; runtimes do not read it.
    #[prost(string, tag = "1")]
    pub(crate) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Version {
    /// `cri-o`, `containerd`, `docker`.
    #[prost(string, tag = "2")]
    pub(crate) runtime_name: String,
    #[prost(string, tag = "3")]
    pub(crate) runtime_version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct State {
    #[prost(int32, tag = "1")]
    pub(crate) state: i32,
}

/// `runtime.v1.ContainerState.CONTAINER_RUNNING`.
pub(crate) const RUNNING: i32 = 1;

/// `ContainerFilter` and, without a state, `PodSandboxFilter`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Filter {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) state: Option<State>,
}

/// `ListContainersRequest` and `ListPodSandboxRequest`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) filter: Option<Filter>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Containers {
    #[prost(message, repeated, tag = "1")]
    pub(crate) containers: Vec<ContainerRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ContainerRecord {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) sandbox: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(message, optional, tag = "4")]
    pub(crate) image: Option<ImageSpec>,
    /// The image's id or a reference by digest, as the runtime likes.
    #[prost(string, tag = "5")]
    pub(crate) image_ref: String,
    /// Nanoseconds of the epoch.
    #[prost(int64, tag = "7")]
    pub(crate) created_at: i64,
    /// The kubelet's own; the pod's labels are those of the sandbox.
    #[prost(map = "string, string", tag = "8")]
    pub(crate) labels: HashMap<String, String>,
    /// Since Kubernetes 1.29.
    #[prost(string, tag = "10")]
    pub(crate) image_id: String,
}

/// `ContainerMetadata`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImageSpec {
    #[prost(string, tag = "1")]
    pub(crate) image: String,
    /// As the pod's author wrote it; since Kubernetes 1.28.
    #[prost(string, tag = "18")]
    pub(crate) user_specified: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Sandboxes {
    #[prost(message, repeated, tag = "1")]
    pub(crate) items: Vec<Sandbox>,
}

/// `PodSandbox`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Sandbox {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(int64, tag = "4")]
    pub(crate) created_at: i64,
    #[prost(map = "string, string", tag = "5")]
    pub(crate) labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StatusRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(bool, tag = "2")]
    pub(crate) verbose: bool,
}

/// `ContainerStatusResponse`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ContainerStatus {
    /// Under `info` JSON that no specification fixes.
    #[prost(map = "string, string", tag = "2")]
    pub(crate) info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImageStatusRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) image: Option<ImageSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImageStatus {
    #[prost(message, optional, tag = "1")]
    pub(crate) image: Option<Image>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Images {
    #[prost(message, repeated, tag = "1")]
    pub(crate) images: Vec<Image>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Image {
    /// The configuration's digest, with `sha256:` or without.
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) repo_tags: Vec<String>,
    /// `repository@sha256:…` of the manifest, the index or both.
    #[prost(string, repeated, tag = "3")]
    pub(crate) repo_digests: Vec<String>,
}

/// One runtime behind one socket.
#[derive(Clone)]
pub(crate) struct Cri {
    connection: Connection,
    pub(crate) version: Version,
}

impl Cri {
    /// `Unimplemented` where something else listens.
    pub(crate) async fn ask(connection: Connection) -> Result<Self, Status> {
        let path = "/runtime.v1.RuntimeService/Version";
        let request = Request::new(VersionRequest { version: "v1".to_owned() });
        let version = connection.attempt(path, request).await?;
        Ok(Self { connection, version })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.connection.is_lost()
    }

    /// The runtime takes any prefix of an id; only the whole one is an answer.
    pub(crate) async fn container(&self, id: &str) -> Result<Option<ContainerRecord>, Status> {
        let filter = Filter { id: id.to_owned(), state: None };
        let found = self.list_containers(filter).await?;
        Ok(found.into_iter().find(|container| container.id == id))
    }

    pub(crate) async fn running(&self) -> Result<Vec<ContainerRecord>, Status> {
        let state = Some(State { state: RUNNING });
        self.list_containers(Filter { id: String::new(), state }).await
    }

    async fn list_containers(&self, filter: Filter) -> Result<Vec<ContainerRecord>, Status> {
        let path = "/runtime.v1.RuntimeService/ListContainers";
        let request = Request::new(ListRequest { filter: Some(filter) });
        let found: Containers = self.connection.call(path, request).await?;
        Ok(found.containers)
    }

    pub(crate) async fn sandbox(&self, id: &str) -> Result<Option<Sandbox>, Status> {
        let filter = Filter { id: id.to_owned(), state: None };
        let found = self.list_sandboxes(Some(filter)).await?;
        Ok(found.into_iter().find(|sandbox| sandbox.id == id))
    }

    pub(crate) async fn sandboxes(&self) -> Result<Vec<Sandbox>, Status> {
        self.list_sandboxes(None).await
    }

    async fn list_sandboxes(&self, filter: Option<Filter>) -> Result<Vec<Sandbox>, Status> {
        let path = "/runtime.v1.RuntimeService/ListPodSandbox";
        let request = Request::new(ListRequest { filter });
        let found: Sandboxes = self.connection.call(path, request).await?;
        Ok(found.items)
    }

    /// What the runtime tells of a container beyond the interface, as JSON.
    pub(crate) async fn info(&self, id: &str) -> Result<Option<String>, Status> {
        let path = "/runtime.v1.RuntimeService/ContainerStatus";
        let request = Request::new(StatusRequest { id: id.to_owned(), verbose: true });
        let mut found: ContainerStatus = self.connection.call(path, request).await?;
        Ok(found.info.remove("info"))
    }

    pub(crate) async fn image(&self, reference: &str) -> Result<Option<Image>, Status> {
        let path = "/runtime.v1.ImageService/ImageStatus";
        let image = ImageSpec { image: reference.to_owned(), ..ImageSpec::default() };
        let request = Request::new(ImageStatusRequest { image: Some(image) });
        let found: Result<ImageStatus, Status> = self.connection.call(path, request).await;
        match found {
            Ok(found) => Ok(found.image),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    pub(crate) async fn images(&self) -> Result<Vec<Image>, Status> {
        let path = "/runtime.v1.ImageService/ListImages";
        let request = Request::new(ListRequest { filter: None });
        let found: Images = self.connection.call(path, request).await?;
        Ok(found.images)
    }
}
