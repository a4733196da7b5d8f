//! OCI image layouts, as a directory or a tar. Source: OCI image specification v1.1, "OCI Image Layout".
use crate::blobs::{self, Blob, Blobs};
use crate::bounds;
use crate::digest;
use crate::error::OpenError;
use crate::image::{self, Image, Options, Source};
use crate::manifest::{self, Config, Descriptor, Document};
use crate::platform::Platform;
use seawall_model::Problem;
use seawall_model::image::ImageRef;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where tools keep an image's name in an index.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// As errors name a manifest or an index.
const MANIFEST: &str = "manifest";

/// A layout on disk, by path below its folder.
pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl Blobs for Directory {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>> {
        match File::open(self.root.join(key)) {
            Ok(file) => {
                Ok(Some(Blob { size: Some(file.metadata()?.len()), reader: Box::new(file) }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Blobs by digest in a layout's files.
struct ByDigest<B: ?Sized>(Arc<B>);

impl<B: Blobs + ?Sized> Blobs for ByDigest<B> {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>> {
        let hex = digest::hex_part(key).map_err(io::Error::other)?;
        self.0.blob(&format!("blobs/sha256/{hex}"))
    }
}

pub(crate) fn open(
    files: Arc<dyn Blobs>,
    path: &Path,
    name: Option<&str>,
    options: &Options,
) -> Result<Image, OpenError> {
    let bytes = match blobs::document("index.json", &*files, "index.json") {
        Err(OpenError::Missing { .. }) => {
            let reason = "it has no index.json".to_owned();
            return Err(OpenError::NotAnImage { path: path.to_owned(), reason });
        }
        other => other?,
    };
    let index: Document = manifest::parse("index.json", &bytes)?;
    let entries = index.manifests.unwrap_or_default();
    let blobs: Arc<dyn Blobs> = Arc::new(ByDigest(files));
    let descriptor = one(&named(&entries, name)?, options)?;
    let shown = name.or_else(|| annotated(&descriptor).next()).map(str::to_owned);
    let shown = shown.unwrap_or_else(|| path.display().to_string());
    image(blobs, &descriptor, shown, options)
}

/// The image meant by entries of an index.json. If they are one image for several platforms they have one name, or
/// none, and each a platform of its own.
fn one(entries: &[Descriptor], options: &Options) -> Result<Descriptor, OpenError> {
    if let [only] = entries {
        return Ok(only.clone());
    }
    let of_one_name = entries.windows(2).all(|pair| annotated(&pair[0]).eq(annotated(&pair[1])));
    let with_platform = entries.iter().all(|entry| entry.platform.is_some());
    let wanted = wanted(options);
    if of_one_name && with_platform && entries.iter().filter(|own| fits(own, &wanted)).count() <= 1
    {
        return of_platform(entries, options);
    }
    Err(OpenError::Ambiguous { available: choices(entries) })
}

/// What a caller may name to choose among the entries: a name that no other has, else the digest.
fn choices(entries: &[Descriptor]) -> String {
    let unique = |name: &&str| {
        entries.iter().filter(|entry| annotated(entry).any(|own| own == *name)).count() == 1
    };
    let shown = |entry| annotated(entry).find(unique).unwrap_or(&entry.digest).to_owned();
    entries.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The entries of that name, or all, each image once: a name of its own may be all that an entry adds.
fn named(entries: &[Descriptor], name: Option<&str>) -> Result<Vec<Descriptor>, OpenError> {
    let images: Vec<_> =
        entries.iter().filter(|entry| Platform::is_image(entry)).cloned().collect();
    let names = || images.iter().flat_map(annotated).collect::<Vec<_>>().join(", ");
    let is_named = |entry: &&Descriptor| {
        name.is_none_or(|name| entry.digest == name || annotated(entry).any(|own| own == name))
    };
    let mut seen = HashSet::new();
    let chosen: Vec<_> = images
        .iter()
        .filter(is_named)
        .filter(|entry| seen.insert(entry.digest.clone()))
        .cloned()
        .collect();
    match (chosen.is_empty(), name) {
        (true, Some(name)) => {
            Err(OpenError::NoSuchImage { wanted: name.to_owned(), available: names() })
        }
        (true, None) => Err(OpenError::Missing { what: "an image in index.json".to_owned() }),
        _ => Ok(chosen),
    }
}

fn annotated(descriptor: &Descriptor) -> impl Iterator<Item = &str> {
    NAMES.iter().filter_map(|key| descriptor.annotations.as_ref()?.get(*key)).map(String::as_str)
}

/// The image that `target` leads to, through indexes. All documents are checked against their digests.
pub(crate) fn image(
    blobs: Arc<dyn Blobs>,
    target: &Descriptor,
    name: String,
    options: &Options,
) -> Result<Image, OpenError> {
    let fetch = |what: &str, descriptor: &Descriptor| {
        let (shown, key) = (format!("{what} {}", descriptor.digest), &descriptor.digest);
        digest::hex_part(key)?;
        let bytes = match what {
            MANIFEST => blobs::manifest(&shown, &*blobs, key)?,
            _ => blobs::document(&shown, &*blobs, key)?,
        };
        digest::verify(&shown, key, &bytes)?;
        Ok::<_, OpenError>(bytes)
    };
    let mut reference = ImageRef { name, ..ImageRef::default() };
    let mut descriptor = target.clone();
    for _ in 0..bounds::INDEX_DEPTH {
        let document: Document = manifest::parse(MANIFEST, &fetch(MANIFEST, &descriptor)?)?;
        if let Some(manifests) = document.manifests {
            reference.index_digest.get_or_insert(descriptor.digest);
            let images: Vec<_> = manifests.into_iter().filter(Platform::is_image).collect();
            descriptor = of_platform(&images, options)?;
            continue;
        }
        let Some(config_descriptor) = document.config else {
            return Err(OpenError::Unsupported {
                what: "a manifest of schema version 1".to_owned(),
            });
        };
        reference.digest = Some(descriptor.digest);
        reference.config_digest = Some(config_descriptor.digest.clone());
        let config: Config =
            manifest::parse("image config", &fetch("image config", &config_descriptor)?)?;
        let platform = image::check_platform(&config, options)?;
        let mut problems = Vec::new();
        let blob_layers = document.layers.unwrap_or_default();
        let layers = image::layers(&config, blob_layers.len(), &mut problems, |index, diff_id| {
            let layer = &blob_layers[index];
            (Some(layer.digest.clone()), Some(layer.size), source(layer, diff_id, &*blobs))
        })?;
        return Ok(Image { image: reference, platform, layers, problems, blobs });
    }
    let reason = format!("indexes are nested over {} deep", bounds::INDEX_DEPTH);
    Err(OpenError::Inconsistent { what: "image index".to_owned(), reason })
}

/// A layer that cannot be read for what it is: encrypted, or kept elsewhere.
fn source(layer: &Descriptor, diff_id: &str, blobs: &dyn Blobs) -> Source {
    let media_type = layer.media_type.as_deref().unwrap_or_default();
    let gap = |code: &str, what: &str| {
        Source::Absent(Problem::gap(code, format!("layer {diff_id} is {what}")).item(media_type))
    };
    if media_type.ends_with("+encrypted") {
        return gap("layer-encrypted", "encrypted");
    }
    let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
    if foreign && !matches!(blobs.blob(&layer.digest), Ok(Some(_))) {
        return gap("layer-foreign", "kept elsewhere by its vendor and not part of this copy");
    }
    Source::Blob(layer.digest.clone())
}

/// The image for the platform asked for; else the only one; else the host's.
fn of_platform(images: &[Descriptor], options: &Options) -> Result<Descriptor, OpenError> {
    if let (None, [only]) = (&options.platform, images) {
        return Ok(only.clone());
    }
    let wanted = wanted(options);
    if let Some(found) = images.iter().find(|entry| fits(entry, &wanted)) {
        return Ok(found.clone());
    }
    // One entry without a platform may be it; its config decides.
    if let [only] = images
        && only.platform.is_none()
    {
        return Ok(only.clone());
    }
    let shown = |entry: &Descriptor| {
        let own = entry.platform.as_ref()?;
        let (os, architecture) = (own.os.clone(), own.architecture.clone());
        Some(Platform { os, architecture, variant: own.variant.clone() }.to_string())
    };
    let available: Vec<_> = images.iter().filter_map(shown).collect();
    Err(OpenError::Platform { wanted: wanted.to_string(), available: available.join(", ") })
}

fn wanted(options: &Options) -> Platform {
    options.platform.clone().unwrap_or_else(Platform::host)
}

fn fits(entry: &Descriptor, wanted: &Platform) -> bool {
    entry.platform.as_ref().is_some_and(|own| wanted.matches(own))
}
