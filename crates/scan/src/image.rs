//! One image → inventory.
use crate::facts_cache::FactsCache;
use crate::sort_problems;
use crate::visitor::LayerVisitor;
use seawall_extract::{EXTRACTOR_VERSION, LayerFacts, merge};
use seawall_model::Problem;
use seawall_model::image::Layer;
use seawall_model::package::{Inventory, Target};
use seawall_oci::{
    Image, LayerEnd, Meters, OpenError, Options as OpenOptions, Reference, open, read_layer,
};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Layers read at the same time: inflating one saturates a core, and more would share the buffer budget.
const THREADS: usize = 2;

/// How to scan an image.
#[derive(Clone, Debug, Default)]
pub struct ImageOptions {
    pub open: OpenOptions,
    /// Where facts of layers are kept; `None` reads every layer.
    pub facts: Option<FactsCache>,
}

/// Nothing could be scanned; exit code 3.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    #[error("cannot open image {reference}")]
    OpenImage { reference: String, source: OpenError },
    #[error("{} is no directory that can be read", path.display())]
    OpenDirectory { path: PathBuf, source: std::io::Error },
    #[error("the scan of {} was ended", path.display())]
    Stopped { path: PathBuf },
}

/// Reads the image once: `docker-archive:FILE`, `oci-archive:FILE`, `oci-layout:DIR`, `containerd:IMAGE`, a path,
/// `-`, or a name in a registry. A refused layer is an error among the inventory's problems, whatever could not be read a gap.
pub fn scan_image(reference: &str, options: &ImageOptions) -> Result<Inventory, ScanError> {
    let failed =
        |source| ScanError::OpenImage { reference: reference.escape_debug().to_string(), source };
    let parsed = Reference::parse(reference).map_err(failed)?;
    let image = open(&parsed, &options.open).map_err(failed)?;
    let (facts, mut problems) = read(&image, options);
    let facts: Vec<_> = facts.iter().map(Option::as_ref).collect();
    let contents = merge(&facts, true);
    problems.extend(image.problems);
    problems.extend(contents.problems);
    if image.platform.os == "windows" {
        let message = "windows is recognised, but neither its packages nor its advisories are read";
        problems.push(Problem::gap("not-covered", message).item("windows"));
    }
    sort_problems(&mut problems);
    let layers = image.layers.into_iter().map(|layer| Layer {
        diff_id: layer.diff_id,
        created_by: layer.created_by,
        size: layer.size,
        base: false,
    });
    Ok(Inventory {
        target: Target::Image { image: image.image },
        distro: contents.distro,
        platform: Some(image.platform.to_string()),
        layers: layers.collect(),
        packages: contents.packages,
        repositories: contents.repositories,
        problems,
        extractor_version: EXTRACTOR_VERSION,
    })
}

/// The diffIDs of an image's layers, lowest first; no layer is read.
pub fn diff_ids(reference: &str, options: &OpenOptions) -> Result<Vec<String>, ScanError> {
    let failed =
        |source| ScanError::OpenImage { reference: reference.escape_debug().to_string(), source };
    let parsed = Reference::parse(reference).map_err(failed)?;
    let image = open(&parsed, options).map_err(failed)?;
    Ok(image.layers.into_iter().map(|layer| layer.diff_id).collect())
}

/// What reading that image means to connect to, if anything.
pub fn opens_socket(reference: &str) -> Option<&'static str> {
    match Reference::parse(reference).ok()? {
        Reference::Containerd { .. } => Some("containerd"),
        Reference::Registry { .. } => Some("a registry"),
        _ => None,
    }
}

/// The facts of all layers, in order; `None` where a layer gave none.
fn read(image: &Image, options: &ImageOptions) -> (Vec<Option<LayerFacts>>, Vec<Problem>) {
    let next = AtomicUsize::new(0);
    let meters = Meters::default();
    let done = Mutex::new((vec![None; image.layers.len()], Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(image.layers.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= image.layers.len() {
                        break;
                    }
                    let (facts, problems) = layer(image, index, options.facts.as_ref(), &meters);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.0[index] = facts;
                    done.1.extend(problems);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn layer(
    image: &Image,
    index: usize,
    cache: Option<&FactsCache>,
    meters: &Meters,
) -> (Option<LayerFacts>, Vec<Problem>) {
    let diff_id = &image.layers[index].diff_id;
    if let Some(facts) = cache.and_then(|cache| cache.get(diff_id)) {
        return (Some(facts), Vec::new());
    }
    let mut visitor = LayerVisitor::new();
    let (end, dropped) = read_layer(image, index, &mut visitor, meters);
    for problem in dropped {
        visitor.reader.problem(problem);
    }
    let facts = visitor.reader.finish();
    match end {
        LayerEnd::Verified => {
            let kept = cache.map_or(Ok(()), |cache| cache.put(diff_id, &facts));
            let problem = kept.err().map(|error| {
                Problem::note(
                    "cache-not-written",
                    format!("facts of layer {diff_id} are not kept: {error}"),
                )
            });
            (Some(facts), problem.into_iter().collect())
        }
        LayerEnd::Unverified => (Some(facts), Vec::new()),
        LayerEnd::Partial(problem) => (Some(facts), vec![problem]),
        LayerEnd::Refused(problem) => (None, vec![problem]),
    }
}
