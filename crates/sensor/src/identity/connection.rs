//! One gRPC connection over a unix socket, with the bounds and deadlines that hold for every runtime.
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use prost::Message;
use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

/// A local socket answers in milliseconds or not at all.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of one answer: containerd's listings carry every container's whole OCI spec, about 10 KiB each.
const MAX_RESPONSE: usize = 64 * 1024 * 1024;

/// A message without fields, and any message of which none is read.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

#[derive(Clone)]
pub(crate) struct Connection {
    channel: Channel,
    lost: Arc<AtomicBool>,
}

impl Connection {
    /// Fails where nothing listens on `socket`.
    pub(crate) async fn open(socket: &Path) -> Result<Self, tonic::transport::Error> {
        let socket = socket.to_path_buf();
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move {
                Ok::<_, std::io::Error>(TokioIo::new(
                    tokio::net::UnixStream::connect(socket).await?,
                ))
            }
        });
        // The address is not used: the connector always takes the socket.
        let endpoint =
            Endpoint::from_static("http://runtime").timeout(TIMEOUT).connect_timeout(TIMEOUT);
        let channel = endpoint.connect_with_connector(connector).await?;
        Ok(Self { channel, lost: Arc::default() })
    }

    /// Whether a call met a runtime that went away, or another one behind the socket: ask again who listens.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) async fn call<Q, R>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<R, Status>
    where
        Q: Message + Default + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        self.noted(self.attempt(path, request).await)
    }

    /// As [`Self::call`], where a refusal says nothing of the connection.
    pub(crate) async fn attempt<Q, R>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<R, Status>
    where
        Q: Message + Default + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut client =
            tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_RESPONSE);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec = tonic_prost::ProstCodec::<Q, R>::default();
        Ok(client.unary(request, PathAndQuery::from_static(path), codec).await?.into_inner())
    }

    pub(crate) async fn stream<Q, R>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<Streaming<R>, Status>
    where
        Q: Message + Default + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        let ready = client.ready().await;
        self.noted(ready.map_err(|error| Status::unavailable(error.to_string())))?;
        let codec = tonic_prost::ProstCodec::<Q, R>::default();
        let path = PathAndQuery::from_static(path);
        let answer = client.server_streaming(request, path, codec).await;
        Ok(self.noted(answer)?.into_inner())
    }

    /// A runtime's own errors are `Unknown` too, without the transport's error behind them; a slow one is not lost.
    fn noted<T>(&self, answer: Result<T, Status>) -> Result<T, Status> {
        if let Err(status) = &answer {
            let torn = match status.code() {
                Code::Unavailable | Code::Unimplemented => true,
                Code::Unknown => status.source().is_some(),
                _ => false,
            };
            self.lost.fetch_or(torn, Ordering::Relaxed);
        }
        answer
    }
}
