//! Archives of `docker save`: `manifest.json` names a config and layers by path. Only the config has a digest that
//! is the same everywhere. Source: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset".
use crate::archive::Archive;
use crate::blobs;
use crate::digest;
use crate::error::OpenError;
use crate::image::{self, Image, Options, Source};
use crate::manifest::{self, Config, Saved};
use seawall_model::image::ImageRef;
use std::path::Path;
use std::sync::Arc;

pub(crate) fn open(
    archive: Archive,
    path: &Path,
    name: Option<&str>,
    options: &Options,
) -> Result<Image, OpenError> {
    if !archive.has("manifest.json") {
        return Err(image::no_manifest(&archive, path, "it has no manifest.json"));
    }
    let bytes = blobs::document("manifest.json", &archive, "manifest.json")?;
    let images: Vec<Saved> = manifest::parse("manifest.json", &bytes)?;
    let saved = choose(&images, name)?;
    let bytes =
        blobs::document(&format!("image config {}", saved.config), &archive, &saved.config)?;
    let config_digest = digest::of(&bytes);
    verify(&saved.config, &config_digest)?;
    let config: Config = manifest::parse("image config", &bytes)?;
    let platform = image::check_platform(&config, options)?;
    let mut problems = Vec::new();
    let none = Vec::new();
    let paths = saved.layers.as_ref().unwrap_or(&none);
    let layers = image::layers(&config, paths.len(), &mut problems, |index, _| {
        (None, None, Source::Blob(paths[index].clone()))
    })?;
    let tag = name.map(str::to_owned).or_else(|| saved.repo_tags.iter().flatten().next().cloned());
    let name = tag.unwrap_or_else(|| path.display().to_string());
    let image = ImageRef { name, config_digest: Some(config_digest), ..ImageRef::default() };
    Ok(Image { image, platform, layers, problems, blobs: Arc::new(archive) })
}

/// The image of that tag; without one, the only image.
fn choose<'a>(images: &'a [Saved], name: Option<&str>) -> Result<&'a Saved, OpenError> {
    let tags = |saved: &Saved| saved.repo_tags.clone().unwrap_or_default();
    let available = || {
        images
            .iter()
            .map(|saved| tags(saved).first().unwrap_or(&saved.config).clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(wanted) = name else {
        return match images {
            [only] => Ok(only),
            [] => Err(OpenError::Missing { what: "an image in manifest.json".to_owned() }),
            _ => Err(OpenError::Ambiguous { available: available() }),
        };
    };
    let with_latest = format!("{wanted}:latest");
    let fits = |tag: &String| {
        [wanted, &with_latest]
            .iter()
            .any(|own| tag == own || tag.strip_prefix("docker.io/library/") == Some(own))
    };
    images
        .iter()
        .find(|saved| tags(saved).iter().any(fits))
        .ok_or_else(|| OpenError::NoSuchImage { wanted: wanted.to_owned(), available: available() })
}

/// The config's file is named by its digest in every form of the archive.
fn verify(path: &str, actual: &str) -> Result<(), OpenError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hex = name.strip_suffix(".json").unwrap_or(name);
    if digest::is_hex(hex) && actual.strip_prefix("sha256:") != Some(hex) {
        let (what, expected) = ("image config".to_owned(), format!("sha256:{hex}"));
        return Err(OpenError::Digest { what, expected, actual: actual.to_owned() });
    }
    Ok(())
}
