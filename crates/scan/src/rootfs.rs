//! A root file system on disk → inventory: a node, or a directory that holds a root.
use crate::image::ScanError;
use crate::mounts::Mounts;
use crate::sort_problems;
use crate::visitor::LayerVisitor;
use seawall_extract::{EXTRACTOR_VERSION, merge};
use seawall_model::Problem;
use seawall_model::package::{Inventory, Target};
use seawall_oci::{Meters, Platform, TreeOptions, walk_tree};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How to scan a root file system.
#[derive(Clone, Debug, Default)]
pub struct RootfsOptions {
    /// The machine's name, if the root is a machine's own.
    pub node: Option<String>,
    /// Set by another thread to end the walk: a large file system takes minutes.
    pub stop: Option<Arc<AtomicBool>>,
}

/// Walks `root`, such as `/`, as if it were one layer. Kernel file systems, container storage and foreign mounts are
/// left out, with a note that says which.
pub fn scan_rootfs(root: &Path, options: &RootfsOptions) -> Result<Inventory, ScanError> {
    let failed = |source| ScanError::OpenDirectory { path: root.to_owned(), source };
    let root = root.canonicalize().map_err(failed)?;
    let metadata = std::fs::metadata(&root).map_err(failed)?;
    std::fs::read_dir(&root).map_err(failed)?;
    let mounts = Arc::new(Mounts::below(&root, &metadata));
    let deciding = mounts.clone();
    let asked = options.stop.clone();
    let enter = move |path: &str, metadata: &std::fs::Metadata| {
        !stopped(asked.as_deref()) && deciding.enter(path, metadata)
    };
    let tree = TreeOptions { enter: Some(Box::new(enter)), overlay: false };
    let mut visitor = LayerVisitor::new();
    let walk = walk_tree(&root, &tree, &mut visitor, &Meters::default());
    if stopped(options.stop.as_deref()) {
        return Err(ScanError::Stopped { path: root });
    }
    let facts = visitor.reader.finish();
    let contents = merge(&[Some(&facts)], false);
    let mut problems = contents.problems;
    problems.extend(walk.problems);
    problems.extend(walk.stopped);
    problems.extend(
        mounts.left_out().into_iter().map(|line| {
            Problem::note("directories-left-out", format!("left out by design: {line}"))
        }),
    );
    problems.extend(mounts.over_databases().into_iter().map(|path| {
        let message = "a mount over a place of package databases is left out";
        Problem::gap("database-not-read", message).file(path)
    }));
    sort_problems(&mut problems);
    let target = match &options.node {
        Some(name) => Target::Node { name: name.clone() },
        None => Target::Directory { path: root.display().to_string() },
    };
    Ok(Inventory {
        target,
        distro: contents.distro,
        platform: options.node.as_ref().map(|_| Platform::host().to_string()),
        layers: Vec::new(),
        packages: contents.packages,
        repositories: contents.repositories,
        problems,
        extractor_version: EXTRACTOR_VERSION,
    })
}

fn stopped(stop: Option<&AtomicBool>) -> bool {
    stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
}

#[test]
fn a_stopped_walk_gives_no_half_inventory() {
    let dir = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(true));
    let options = RootfsOptions { node: None, stop: Some(stop) };
    assert!(matches!(scan_rootfs(dir.path(), &options), Err(ScanError::Stopped { .. })));
}
