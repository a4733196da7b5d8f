//! Images that a containerd holds: its content store, and the unpacked snapshot where the store dropped the blobs.
//! Source: containerd `docs/garbage-collection.md` for the labels.
mod api;

use crate::blobs::{Blob, Blobs};
use crate::digest;
use crate::error::OpenError;
use crate::image::{Image, Options, Source};
use crate::layer;
use crate::layout;
use crate::manifest::Descriptor;
use crate::reference::Containerd;
use api::{Client, Content, Mount, Stored, View};
use seawall_model::image::ImageRef;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tonic::{Status, Streaming};

/// Namespaces asked first, by who uses them most; the rest follow by name.
const FIRST: [&str; 3] = ["k8s.io", "default", "moby"];

/// An image as containerd lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub namespace: String,
    pub image: ImageRef,
}

/// All images of the namespace, or of all namespaces; sorted.
pub fn list(containerd: &Containerd) -> Result<Vec<Listed>, OpenError> {
    let client = Client::connect(containerd)?;
    let mut listed = Vec::new();
    for namespace in namespaces(&client, containerd)? {
        for stored in client.images(&namespace).map_err(|source| failed("list images", source))? {
            let Some(target) = stored.target else { continue };
            let mut image = ImageRef { name: stored.name, ..ImageRef::default() };
            let index =
                target.media_type.contains("index") || target.media_type.contains("manifest.list");
            let digest = if index { &mut image.index_digest } else { &mut image.digest };
            *digest = Some(target.digest);
            listed.push(Listed { namespace: namespace.clone(), image });
        }
    }
    listed.sort_by(|a, b| (&a.namespace, &a.image.name).cmp(&(&b.namespace, &b.image.name)));
    Ok(listed)
}

pub(crate) fn open(name: &str, options: &Options) -> Result<Image, OpenError> {
    let client = Arc::new(Client::connect(&options.containerd)?);
    let (namespace, stored) = find(&client, name, options)?;
    let store = Arc::new(Store { client: client.clone(), namespace: namespace.clone() });
    let mut image = documents(store.clone(), stored, options)?;
    let discarded = |source: &Source| match source {
        Source::Blob(digest) => !matches!(store.size(digest), Ok(Some(_))),
        _ => false,
    };
    if image.layers.iter().any(|layer| discarded(&layer.source)) {
        unpacked(&client, &namespace, &mut image);
    }
    Ok(image)
}

/// The image by its manifest and config, its layers not looked at.
fn documents(store: Arc<Store>, stored: Stored, options: &Options) -> Result<Image, OpenError> {
    let Some(target) = stored.target else {
        return Err(OpenError::Missing { what: format!("the target of image {}", stored.name) });
    };
    let target = Descriptor {
        media_type: Some(target.media_type),
        artifact_type: None,
        digest: target.digest,
        size: u64::try_from(target.size).unwrap_or(0),
        platform: None,
        annotations: None,
    };
    layout::image(store, &target, stored.name, options)
}

/// Turns discarded blobs into the directories of the unpacked snapshot, or into gaps that say why not.
fn unpacked(client: &Client, namespace: &str, image: &mut Image) {
    let config = image.image.config_digest.clone().unwrap_or_default();
    let chain =
        image.layers.iter().map(|layer| layer.diff_id.as_str()).fold(String::new(), chain_id);
    let directories = snapshot(client, namespace, &config, &chain);
    let count = image.layers.len();
    for (index, layer) in image.layers.iter_mut().enumerate() {
        layer.source = match &directories {
            Ok(directories) if directories.len() == count => {
                Source::Tree(directories[index].clone())
            }
            Ok(_) => absent(&layer.diff_id, "the snapshotter keeps no directory for each layer"),
            Err(reason) => absent(&layer.diff_id, reason),
        };
    }
}

fn absent(diff_id: &str, reason: &str) -> Source {
    let mut problem = layer::missing(&format!("layer {diff_id}"));
    problem.message = format!("{}: containerd discarded its blob, and {reason}", problem.message);
    Source::Absent(problem)
}

/// Source: OCI image specification, "Layer ChainID".
fn chain_id(chain: String, diff_id: &str) -> String {
    if chain.is_empty() {
        return diff_id.to_owned();
    }
    digest::text(&Sha256::digest(format!("{chain} {diff_id}")))
}

fn namespaces(client: &Client, containerd: &Containerd) -> Result<Vec<String>, OpenError> {
    if let Some(namespace) = &containerd.namespace {
        return Ok(vec![namespace.clone()]);
    }
    let mut names = client.namespaces().map_err(|source| failed("list namespaces", source))?;
    names.sort_by_key(|name| {
        let rank = FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len());
        (rank, name.clone())
    });
    Ok(names)
}

/// By name as stored, by name as Docker shortens it, or by digest: of the target, else of a manifest or config.
fn find(
    client: &Arc<Client>,
    name: &str,
    options: &Options,
) -> Result<(String, Stored), OpenError> {
    let namespaces = namespaces(client, &options.containerd)?;
    for namespace in &namespaces {
        for candidate in candidates(name) {
            let found = client.image(namespace, &candidate);
            if let Some(image) = found.map_err(|source| failed("look up the image", source))? {
                return Ok((namespace.clone(), image));
            }
        }
    }
    let mut known = Vec::new();
    for namespace in namespaces {
        for image in client.images(&namespace).map_err(|source| failed("list images", source))? {
            if image.target.as_ref().is_some_and(|target| target.digest == name) {
                return Ok((namespace, image));
            }
            known.push((namespace.clone(), image));
        }
    }
    // Kubernetes knows an image by its config. Only the documents tell, so they are read last and for a digest alone.
    if digest::hex_part(name).is_ok() {
        for (namespace, stored) in &known {
            let store = Store { client: client.clone(), namespace: namespace.clone() };
            let opened = documents(Arc::new(store), stored.clone(), options);
            if opened.is_ok_and(|opened| opened.image.has_digest(name)) {
                return Ok((namespace.clone(), stored.clone()));
            }
        }
    }
    let known: Vec<_> = known.into_iter().map(|(_, image)| image.name).collect();
    Err(OpenError::NoSuchImage { wanted: name.to_owned(), available: shortened(&known) })
}

/// The directories of the layers of `chain`, lowest first.
fn snapshot(
    client: &Client,
    namespace: &str,
    config: &str,
    chain: &str,
) -> Result<Vec<PathBuf>, String> {
    const LABEL: &str = "containerd.io/gc.ref.snapshot.";
    let labels =
        client.info(namespace, config).ok().flatten().map(|info| info.labels).unwrap_or_default();
    let named = labels.keys().filter_map(|label| label.strip_prefix(LABEL)).min();
    let snapshotter = named.unwrap_or("overlayfs").to_owned();
    let key = view_key(chain);
    let view = View {
        snapshotter: snapshotter.clone(),
        key: key.clone(),
        parent: chain.to_owned(),
        // Keeps the collector away until the view is removed below. An empty value would not be stored.
        labels: HashMap::from([("containerd.io/gc.root".to_owned(), "view".to_owned())]),
    };
    let mounts = client.view(namespace, view).map_err(|status| {
        format!("it has no {snapshotter} snapshot of it: {}", status.message())
    })?;
    // The directories belong to the committed snapshots below the view, so it has served.
    let removed = client.remove_snapshot(namespace, &snapshotter, &key);
    removed.map_err(|status| format!("its view cannot be removed: {}", status.message()))?;
    lower_directories(&mounts).ok_or_else(|| "its mounts name no directories".to_owned())
}

/// An overlay mount lists its lower directories top first; a single layer is a bind mount of its own.
fn lower_directories(mounts: &[Mount]) -> Option<Vec<PathBuf>> {
    let [mount] = mounts else { return None };
    match mount.kind.as_str() {
        "bind" => Some(vec![PathBuf::from(&mount.source)]),
        "overlay" => {
            let lower = mount.options.iter().find_map(|option| option.strip_prefix("lowerdir="))?;
            Some(lower.split(':').rev().map(PathBuf::from).collect())
        }
        _ => None,
    }
}

/// Unique within this machine's containerd: views of one layer may be open in several processes and threads.
fn view_key(chain: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let short = chain.get(7..19).unwrap_or(chain);
    format!("seawall-view-{}-{number}-{short}", std::process::id())
}

fn candidates(name: &str) -> Vec<String> {
    let tagged = match name.rsplit('/').next() {
        Some(last) if last.contains(':') || name.contains('@') => name.to_owned(),
        _ => format!("{name}:latest"),
    };
    let first = tagged.split('/').next().unwrap_or_default();
    let qualified = match tagged.contains('/') {
        true if first.contains(['.', ':']) || first == "localhost" => tagged.clone(),
        true => format!("docker.io/{tagged}"),
        false => format!("docker.io/library/{tagged}"),
    };
    let mut candidates = vec![name.to_owned(), tagged, qualified];
    candidates.dedup();
    candidates
}

/// A few names for an error message.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(", "),
    }
}

fn failed(operation: &str, source: Status) -> OpenError {
    OpenError::Containerd { operation: operation.to_owned(), source: Box::new(source) }
}

/// The content store of one namespace.
struct Store {
    client: Arc<Client>,
    namespace: String,
}

impl Store {
    /// Bytes of the blob; `None` if it is not there.
    fn size(&self, digest: &str) -> io::Result<Option<u64>> {
        let info = self.client.info(&self.namespace, digest).map_err(io::Error::other)?;
        Ok(info.map(|info| u64::try_from(info.size).unwrap_or(0)))
    }
}

impl Blobs for Store {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>> {
        let Some(size) = self.size(key)? else { return Ok(None) };
        let stream = self.client.read(&self.namespace, key).map_err(io::Error::other)?;
        let reader =
            ContentReader { client: self.client.clone(), stream, chunk: Vec::new(), at: 0 };
        Ok(Some(Blob { reader: Box::new(reader), size: Some(size) }))
    }
}

/// The messages of one read as bytes.
struct ContentReader {
    client: Arc<Client>,
    stream: Streaming<Content>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            match self.client.next(&mut self.stream).map_err(io::Error::other)? {
                Some(message) => (self.chunk, self.at) = (message.data, 0),
                None => return Ok(0),
            }
        }
        let left = &self.chunk[self.at..];
        let most = left.len().min(buffer.len());
        buffer[..most].copy_from_slice(&left[..most]);
        self.at += most;
        Ok(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_shortens_them() {
        #[track_caller]
        fn check(name: &str, last: &str) {
            assert_eq!(candidates(name).last().unwrap(), last);
        }
        check("nginx", "docker.io/library/nginx:latest");
        check("a/b:1", "docker.io/a/b:1");
        check("localhost/x:1", "localhost/x:1");
        check("registry.example.org:5000/x", "registry.example.org:5000/x:latest");
    }

    #[test]
    fn mounts() {
        let mount = |kind: &str, source: &str, options: &[&str]| Mount {
            kind: kind.into(),
            source: source.into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        };
        let overlay = mount("overlay", "overlay", &["index=off", "lowerdir=/b/fs:/a/fs"]);
        assert_eq!(lower_directories(&[overlay]), Some(vec!["/a/fs".into(), "/b/fs".into()]));
        assert_eq!(
            lower_directories(&[mount("bind", "/a/fs", &["ro"])]),
            Some(vec!["/a/fs".into()])
        );
        assert_eq!(lower_directories(&[mount("zfs", "x", &[])]), None);
    }

    #[test]
    fn chains() {
        let chain = ["sha256:a", "sha256:b"].into_iter().fold(String::new(), chain_id);
        assert_eq!(chain, crate::digest::of(b"sha256:a sha256:b"));
    }
}
