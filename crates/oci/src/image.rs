//! An opened image: who it is, for which platform, its layers in order.
use crate::archive::Archive;
use crate::blobs::Blobs;
use crate::bounds;
use crate::containerd;
use crate::docker_archive;
use crate::error::OpenError;
use crate::layout;
use crate::manifest::Config;
use crate::platform::Platform;
use crate::reference::{Containerd, Reference};
use crate::registry;
use seawall_model::Problem;
use seawall_model::image::ImageRef;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How to open.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `None`: the host's architecture on Linux, or the only image there is.
    pub platform: Option<Platform>,
    pub containerd: Containerd,
    pub registry: registry::Options,
}

/// An opened image. Its layers are read with [`crate::read_layer`].
pub struct Image {
    pub image: ImageRef,
    pub platform: Platform,
    pub layers: Vec<ImageLayer>,
    /// What opening already showed to be missing.
    pub problems: Vec<Problem>,
    pub(crate) blobs: Arc<dyn Blobs>,
}

#[derive(Debug)]
pub struct ImageLayer {
    pub diff_id: String,
    /// Of the blob; an archive of docker-save has none.
    pub digest: Option<String>,
    /// Compressed bytes.
    pub size: Option<u64>,
    pub created_by: Option<String>,
    pub(crate) source: Source,
}

#[derive(Debug)]
pub(crate) enum Source {
    /// A key of the image's blobs.
    Blob(String),
    /// A directory that the layer was unpacked to.
    Tree(PathBuf),
    Absent(Problem),
}

/// Opens the image and checks the digests of all its documents.
pub fn open(reference: &Reference, options: &Options) -> Result<Image, OpenError> {
    match reference {
        Reference::DockerArchive { path, name } => {
            docker_archive::open(Archive::open(path)?, path, name.as_deref(), options)
        }
        Reference::OciArchive { path, name } => {
            layout::open(Arc::new(Archive::open(path)?), path, name.as_deref(), options)
        }
        Reference::OciLayout { path, name } => {
            layout::open(Arc::new(layout::Directory::new(path)), path, name.as_deref(), options)
        }
        Reference::Containerd { image } => containerd::open(image, options),
        Reference::Registry { name } => registry::open(name, options),
        Reference::Archive { path } => either(Archive::open(path)?, path, options),
        Reference::Stdin => either(Archive::stdin()?, Path::new("-"), options),
    }
}

/// An archive by content. Docker's own form goes first: since version 25 its archives hold a layout beside it,
/// with manifests made for the occasion.
fn either(archive: Archive, path: &Path, options: &Options) -> Result<Image, OpenError> {
    if archive.has("manifest.json") {
        return docker_archive::open(archive, path, None, options);
    }
    if archive.has("index.json") {
        return layout::open(Arc::new(archive), path, None, options);
    }
    Err(no_manifest(&archive, path, "it has neither manifest.json nor index.json"))
}

pub(crate) fn no_manifest(archive: &Archive, path: &Path, reason: &str) -> OpenError {
    let early = archive.early.as_ref().map(|early| format!("; it ends early: {early}"));
    let reason = format!("{reason}{}", early.unwrap_or_default());
    OpenError::NotAnImage { path: path.to_owned(), reason }
}

/// The layers of a config, each with its source by `source(index)`. More than the limit are a gap.
pub(crate) fn layers(
    config: &Config,
    count: usize,
    problems: &mut Vec<Problem>,
    source: impl Fn(usize, &str) -> (Option<String>, Option<u64>, Source),
) -> Result<Vec<ImageLayer>, OpenError> {
    let none = Vec::new();
    let diff_ids =
        config.rootfs.as_ref().and_then(|rootfs| rootfs.diff_ids.as_ref()).unwrap_or(&none);
    if diff_ids.len() != count {
        let reason = format!("it has {} diffIDs for {count} layers", diff_ids.len());
        return Err(OpenError::Inconsistent { what: "image config".to_owned(), reason });
    }
    if count > bounds::LAYERS {
        let message =
            format!("limit reached: {count} layers, the first {} are read", bounds::LAYERS);
        problems.push(Problem::gap("limit-reached", message));
    }
    let mut steps = config.steps().into_iter();
    let layers = diff_ids.iter().take(bounds::LAYERS).enumerate().map(|(index, diff_id)| {
        let (digest, size, source) = source(index, diff_id);
        let created_by = steps.next().flatten();
        ImageLayer { diff_id: diff_id.clone(), digest, size, created_by, source }
    });
    Ok(layers.collect())
}

/// The platform of a single image; one asked for by name must be it.
pub(crate) fn check_platform(config: &Config, options: &Options) -> Result<Platform, OpenError> {
    let own = config.platform();
    let platform = Platform {
        os: own.os.clone(),
        architecture: own.architecture.clone(),
        variant: own.variant.clone(),
    };
    match &options.platform {
        Some(wanted) if !wanted.matches(&own) => {
            Err(OpenError::Platform { wanted: wanted.to_string(), available: platform.to_string() })
        }
        _ => Ok(platform),
    }
}
