//! What is looked into, by the one name that a call gives it.
use crate::command::image_source::{self, ImageSource};
use crate::exit::Failure;
use crate::output;
use anyhow::{Context, anyhow};
use seawall_model::package::Inventory;
use seawall_scan::{FactsCache, ImageOptions, RootfsOptions, TreeKind, sbom};
use std::io::Read;
use std::path::Path;

/// How a target is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Open no socket.
    pub(crate) offline: bool,
    /// Read every layer, also those read before.
    pub(crate) no_cache: bool,
}

/// Of a directory, unless it is an OCI layout, or of an image.
pub(crate) fn inventory(
    target: &str,
    source: ImageSource,
    reading: Reading,
) -> Result<Inventory, Failure> {
    let path = Path::new(target);
    if path.is_dir() && !path.join("index.json").is_file() {
        return directory(path, TreeKind::Auto);
    }
    if reading.offline {
        image_source::refuse_socket(target)?;
    }
    let options = image_options(source, reading.no_cache)?;
    seawall_scan::scan_image(target, &options).map_err(Failure::could_not_run)
}

/// A root file system by what is installed, a source tree by its lock files.
pub(crate) fn directory(path: &Path, kind: TreeKind) -> Result<Inventory, Failure> {
    let scanned = match kind.is_source(path) {
        true => seawall_scan::scan_source(path),
        false => seawall_scan::scan_rootfs(path, &RootfsOptions::default()),
    };
    scanned.map_err(Failure::could_not_run)
}

pub(crate) fn image_options(source: ImageSource, no_cache: bool) -> Result<ImageOptions, Failure> {
    let cache = output::cache_dir().filter(|_| !no_cache);
    let facts = cache.map(|cache| FactsCache::new(&cache.join("layers")));
    Ok(ImageOptions { open: source.options()?, facts })
}

/// A bill of materials; `-` is stdin.
pub(crate) fn read_sbom(file: &Path) -> Result<Inventory, Failure> {
    let stdin = file.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { file.display().to_string() };
    let unreadable = || format!("cannot read {name}");
    let mut bytes = Vec::new();
    let most = sbom::MAX_SBOM + 1;
    match stdin {
        true => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    }
    .with_context(unreadable)?;
    if bytes.len() as u64 >= most {
        let limit = sbom::MAX_SBOM >> 20;
        return Err(Failure::could_not_run(anyhow!("{name} is over {limit} MiB")));
    }
    sbom::read(&bytes, &name).with_context(unreadable).map_err(|error| {
        Failure::could_not_run(error)
            .with_help("give CycloneDX 1.2 to 1.7 in JSON, SPDX 2 in JSON or tag-value, or JSON of `seawall sbom`")
    })
}
