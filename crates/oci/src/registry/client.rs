//! What a registry is asked for. Source: OCI distribution specification v1.1.
use super::error::{Error, ErrorKind};
use super::link;
use super::name::Name;
use super::options::Options;
use super::session::{self, Ask, Endpoint, Session};
use super::transport;
use crate::bounds;
use crate::digest;
use crate::manifest::{Descriptor, Document};
use reqwest::Method;
use seawall_model::time::SystemClock;
use serde::Deserialize;
use std::io::Read;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Names that one listing gives at most: Docker Hub's largest repositories have some 30,000 tags.
pub const LISTED: usize = 100_000;
/// Pages that one listing reads at most; servers may put one name on each.
const PAGES: usize = 1_000;
/// Names that are asked for in one page: what Amazon and Harbor allow.
const PAGE: &str = "1000";
/// Image manifests and indexes, Docker's and OCI's.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A client with the event loop that drives it, its connections, tokens and credentials. Blocking, so never used or
/// dropped inside another event loop. One serves any number of threads and registries.
pub struct Registry {
    pub(super) runtime: Runtime,
    pub(super) session: Session,
}

/// A manifest or index whose digest is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub digest: String,
    /// As the registry says.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Names, sorted by their bytes: not every registry does so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub names: Vec<String>,
    /// There are more than a listing gives.
    pub truncated: bool,
}

/// A page of tags or repositories; `null` is an empty one.
#[derive(Deserialize)]
struct Page {
    #[serde(alias = "repositories")]
    tags: Option<Vec<String>>,
}

impl Registry {
    pub fn new(options: &Options) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("registry")
            .enable_all()
            .build()
            .map_err(|error| {
                let reason = error.to_string();
                Error::new(ErrorKind::Unreachable, "", "start an event loop", reason)
            })?;
        Ok(Self { runtime, session: Session::new(options, Arc::new(SystemClock)) })
    }

    /// Whether the registry answers, and takes the credential if it wants one.
    pub fn check(&self, registry: &str) -> Result<(), Error> {
        let step = "get its version".to_owned();
        let ask = Ask { scope: String::new(), ..Ask::pull(registry, "", String::new(), step) };
        self.runtime.block_on(self.session.at(&Endpoint::own(registry), &ask, None))?;
        Ok(())
    }

    /// The digest that the name has now. Docker Hub does not count the question as a pull.
    pub fn digest(&self, name: &Name) -> Result<String, Error> {
        let mut ask = manifest(name);
        ask.method = Method::HEAD;
        let answer = self.runtime.block_on(self.session.request(&ask))?;
        let told = session::header(&answer, "docker-content-digest");
        match told.filter(|told| digest::hex_part(told).is_ok()) {
            Some(digest) => Ok(digest),
            None => Ok(self.manifest(name)?.digest),
        }
    }

    pub fn manifest(&self, name: &Name) -> Result<Manifest, Error> {
        let ask = manifest(name);
        let (bytes, media_type) = self.runtime.block_on(self.session.document(&ask))?;
        let invalid = |reason| Error::new(ErrorKind::Invalid, &name.registry, &ask.step, reason);
        // Its digest is that of a part of it, so this goes first.
        if is_first_schema(&media_type, &bytes) {
            let reason = "it is of schema version 1, which is not read".to_owned();
            return Err(invalid(reason).help("push the image again, with a tool of this decade"));
        }
        let actual = digest::of(&bytes);
        match &name.digest {
            Some(wanted) if *wanted != actual => {
                Err(invalid(format!("it has digest {actual}, expected {wanted}")))
            }
            _ => Ok(Manifest { digest: actual, media_type, bytes }),
        }
    }

    /// A whole blob of up to 8 MiB, its digest checked.
    pub fn blob(self: &Arc<Self>, name: &Name, digest: &str) -> Result<Vec<u8>, Error> {
        let ask = blob(name, digest);
        let invalid =
            |reason: String| Error::new(ErrorKind::Invalid, &name.registry, &ask.step, reason);
        digest::hex_part(digest).map_err(|error| invalid(error.to_string()))?;
        let mut bytes = Vec::new();
        super::blob::open(self.clone(), ask.clone(), None)?
            .take(bounds::DOCUMENT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| match error.downcast::<Error>() {
                Ok(error) => error,
                Err(error) => invalid(error.to_string()),
            })?;
        if bytes.len() as u64 > bounds::DOCUMENT {
            return Err(invalid(format!("it is over the limit of {} bytes", bounds::DOCUMENT)));
        }
        match digest::of(&bytes) {
            actual if actual == digest => Ok(bytes),
            actual => Err(invalid(format!("it has digest {actual}"))),
        }
    }

    /// What refers to the manifest of that digest: signatures, statements, bills of materials; of one artifact type,
    /// or all. By the registry's own list, else by the index that clients keep at the tag `sha256-…`.
    pub fn referrers(
        &self,
        name: &Name,
        digest: &str,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, Error> {
        let step = format!("get referrers of {}", name.at(digest));
        let path = format!("referrers/{digest}");
        let mut ask = Ask::pull(&name.registry, &name.repository, path, step);
        ask.accept = "application/vnd.oci.image.index.v1+json";
        ask.query.extend(artifact_type.map(|kind| ("artifactType", kind.to_owned())));
        let pages = match self.runtime.block_on(self.pages(&ask)) {
            Err(error) if !has_referrers(&error) => {
                let tag = digest.replacen(':', "-", 1);
                match self.manifest(&Name { tag: Some(tag), digest: None, ..name.clone() }) {
                    Ok(manifest) => vec![manifest.bytes],
                    Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                }
            }
            pages => pages?.0,
        };
        let mut found = Vec::new();
        for page in pages {
            let index: Document = parsed(&ask, &page)?;
            found.extend(index.manifests.unwrap_or_default());
        }
        // A server need not filter.
        found.retain(|one| {
            artifact_type.is_none_or(|kind| one.artifact_type.as_deref() == Some(kind))
        });
        Ok(found)
    }

    /// The tags of a repository, at the registry itself.
    pub fn tags(&self, name: &Name) -> Result<Listing, Error> {
        let step = format!("list tags of {}/{}", name.registry, name.repository);
        let path = "tags/list".to_owned();
        self.listing(Ask::pull(&name.registry, &name.repository, path, step))
    }

    /// The repositories of a registry that lets them be listed; Docker Hub and clouds do not.
    pub fn repositories(&self, registry: &str) -> Result<Listing, Error> {
        let step = "list repositories".to_owned();
        let ask = Ask::pull(registry, "", "_catalog".to_owned(), step);
        self.listing(Ask { scope: "registry:catalog:*".to_owned(), ..ask })
    }

    fn listing(&self, mut ask: Ask) -> Result<Listing, Error> {
        ask.query.push(("n", PAGE.to_owned()));
        let (pages, truncated) = self.runtime.block_on(self.pages(&ask))?;
        let mut listing = Listing { names: Vec::new(), truncated };
        for page in pages {
            let page: Page = parsed(&ask, &page)?;
            listing.names.extend(page.tags.into_iter().flatten());
        }
        listing.truncated |= listing.names.len() > LISTED;
        listing.names.truncate(LISTED);
        listing.names.sort();
        Ok(listing)
    }

    /// All pages, and whether there are more than the limit.
    async fn pages(&self, ask: &Ask) -> Result<(Vec<Vec<u8>>, bool), Error> {
        let own = Endpoint::own(&ask.registry);
        let base = self.session.base(&own, ask).await?;
        let mut url = session::address(&base, "", ask);
        let (mut pages, mut bytes) = (Vec::new(), 0);
        let invalid =
            |reason: String| Error::new(ErrorKind::Invalid, &ask.registry, &ask.step, reason);
        while pages.len() < PAGES && bytes < bounds::DOCUMENT {
            let answer = self.session.at(&own, ask, Some(&url)).await?;
            let link = session::header(&answer, "link");
            let read = transport::read(answer, bounds::DOCUMENT).await;
            let read = read.map_err(|error| Error::unreachable(&ask.registry, &ask.step, error))?;
            let page = read.ok_or_else(|| {
                invalid(format!("a page is over the limit of {} bytes", bounds::DOCUMENT))
            })?;
            bytes += page.len() as u64;
            pages.push(page);
            let Some(next) = link.as_deref().and_then(link::next) else {
                return Ok((pages, false));
            };
            let next = url.join(next).ok().filter(|next| next.origin() == base.origin());
            url = next.ok_or_else(|| invalid("its next page is on another host".to_owned()))?;
        }
        Ok((pages, true))
    }
}

pub(super) fn manifest(name: &Name) -> Ask {
    let path = format!("manifests/{}", name.reference());
    let step = format!("get manifest of {name}");
    let ask = Ask::pull(&name.registry, &name.repository, path, step);
    Ask { accept: MANIFESTS, ..ask }
}

pub(super) fn blob(name: &Name, digest: &str) -> Ask {
    let path = format!("blobs/{digest}");
    let step = format!("get blob {digest} of {}/{}", name.registry, name.repository);
    let ask = Ask::pull(&name.registry, &name.repository, path, step);
    Ask { streamed: true, ..ask }
}

fn is_first_schema(media_type: &str, bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        schema_version: u64,
    }
    media_type.contains("docker.distribution.manifest.v1+")
        || serde_json::from_slice::<Version>(bytes).is_ok_and(|own| own.schema_version == 1)
}

/// Older registries answer with 404, some with other refusals of a path that they do not know.
fn has_referrers(error: &Error) -> bool {
    !matches!((error.kind, error.status), (ErrorKind::NotFound, _) | (ErrorKind::Invalid, Some(_)))
}

fn parsed<T: serde::de::DeserializeOwned>(ask: &Ask, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let reason = format!("the answer is malformed: {error}");
        Error::new(ErrorKind::Invalid, &ask.registry, &ask.step, reason)
    })
}
