//! A runtime of the tests' own: a gRPC server on a unix socket that speaks the messages of `cri.rs`, or containerd's
//! version, and nothing else.
use super::connection::Empty;
use super::cri::{
    ContainerRecord, ContainerStatus, Containers, Image, ImageStatus, ImageStatusRequest, Images,
    ListRequest, Sandbox, Sandboxes, StatusRequest, Version, VersionRequest,
};
use prost::Message;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

#[derive(Default)]
pub(crate) struct World {
    pub(crate) containers: Vec<ContainerRecord>,
    pub(crate) sandboxes: Vec<Sandbox>,
    pub(crate) images: Vec<Image>,
    /// By container.
    pub(crate) info: HashMap<String, String>,
}

pub(crate) enum Kind {
    Crio(World),
    Containerd,
    /// A gRPC server that is no runtime.
    Neither,
}

/// Serves until it is dropped, from an event loop of its own: with it end the connections.
pub(crate) struct Fake {
    socket: PathBuf,
    event_loop: Option<tokio::runtime::Runtime>,
}

impl Fake {
    pub(crate) fn start(socket: &Path, kind: Kind) -> Self {
        let mut event_loop = tokio::runtime::Builder::new_multi_thread();
        let event_loop = event_loop.worker_threads(1).enable_all().build().unwrap();
        let listener = {
            let _entered = event_loop.enter();
            tokio::net::UnixListener::bind(socket).unwrap()
        };
        let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
        let mut routes = tonic::service::Routes::builder();
        match kind {
            Kind::Crio(world) => {
                let world = Arc::new(world);
                routes.add_service(Cri::<false>(Arc::clone(&world)));
                routes.add_service(Cri::<true>(world));
            }
            Kind::Containerd => drop(routes.add_service(ContainerdVersion)),
            Kind::Neither => {}
        }
        let routes = routes.routes();
        event_loop.spawn(async move {
            let mut server = tonic::transport::Server::builder();
            server.add_routes(routes).serve_with_incoming(incoming).await.unwrap();
        });
        Self { socket: socket.to_owned(), event_loop: Some(event_loop) }
    }
}

/// As a runtime's end is seen: connections are torn, the socket is gone.
impl Drop for Fake {
    fn drop(&mut self) {
        let event_loop = self.event_loop.take().expect("taken once");
        // From a thread, for an event loop must not end inside another one.
        let ended = std::thread::spawn(move || event_loop.shutdown_timeout(Duration::from_secs(1)));
        ended.join().unwrap();
        let _already_gone = std::fs::remove_file(&self.socket);
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

fn unary<Q, R>(
    request: http::Request<Body>,
    answer: impl Fn(Q) -> Result<R, Status> + Send + Sync + 'static,
) -> Answer
where
    Q: Message + Default + Send + Sync + 'static,
    R: Message + Default + Send + Sync + 'static,
{
    let method = tower::service_fn(move |request: Request<Q>| {
        let answered = answer(request.into_inner()).map(Response::new);
        async move { answered }
    });
    let codec = tonic_prost::ProstCodec::<R, Q>::default();
    Box::pin(async move { Ok(tonic::server::Grpc::new(codec).unary(method, request).await) })
}

/// Both services of CRI: the one of images where `IMAGES`.
#[derive(Clone)]
struct Cri<const IMAGES: bool>(Arc<World>);

impl NamedService for Cri<false> {
    const NAME: &'static str = "runtime.v1.RuntimeService";
}

impl NamedService for Cri<true> {
    const NAME: &'static str = "runtime.v1.ImageService";
}

impl<const IMAGES: bool> tower::Service<http::Request<Body>> for Cri<IMAGES> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let world = Arc::clone(&self.0);
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        match method.as_str() {
            "Version" => unary(request, |_: VersionRequest| {
                let (runtime_name, runtime_version) = ("cri-o".to_owned(), "1.34.0".to_owned());
                Ok(Version { runtime_name, runtime_version })
            }),
            // As CRI-O, which takes any beginning of an id.
            "ListContainers" => unary(request, move |request: ListRequest| {
                let filter = request.filter.unwrap_or_default();
                let all = world.containers.iter();
                let fits = |one: &&ContainerRecord| one.id.starts_with(&filter.id);
                Ok(Containers { containers: all.filter(fits).cloned().collect() })
            }),
            "ListPodSandbox" => unary(request, move |request: ListRequest| {
                let filter = request.filter.unwrap_or_default();
                let fits = |one: &&Sandbox| one.id.starts_with(&filter.id);
                Ok(Sandboxes { items: world.sandboxes.iter().filter(fits).cloned().collect() })
            }),
            "ContainerStatus" => unary(request, move |request: StatusRequest| {
                let info = world.info.get(&request.id).filter(|_| request.verbose);
                let info = info.map(|text| ("info".to_owned(), text.clone()));
                Ok(ContainerStatus { info: info.into_iter().collect() })
            }),
            "ImageStatus" => unary(request, move |request: ImageStatusRequest| {
                let wanted = request.image.unwrap_or_default().image;
                let fits = |one: &&Image| one.id == wanted || one.repo_tags.contains(&wanted);
                Ok(ImageStatus { image: world.images.iter().find(fits).cloned() })
            }),
            "ListImages" => {
                unary(request, move |_: ListRequest| Ok(Images { images: world.images.clone() }))
            }
            _ => unary(request, |_: Empty| Err::<Empty, _>(Status::unimplemented("unknown"))),
        }
    }
}

#[derive(Clone)]
struct ContainerdVersion;

impl NamedService for ContainerdVersion {
    const NAME: &'static str = "containerd.services.version.v1.Version";
}

impl tower::Service<http::Request<Body>> for ContainerdVersion {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        unary(request, |_: Empty| Ok(Empty {}))
    }
}
