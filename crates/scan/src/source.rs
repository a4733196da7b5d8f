//! A source tree on disk → inventory: what its lock files fix. What happens to be installed in it says nothing of what
//! will be built, and holds the lock files of others.
use crate::image::ScanError;
use crate::sort_problems;
use crate::visitor::LayerVisitor;
use seawall_extract::{EXTRACTOR_VERSION, merge};
use seawall_model::Problem;
use seawall_model::package::{Inventory, Target};
use seawall_oci::{Meters, TreeOptions, walk_tree};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Records of version control: copies of what the tree holds or once held.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".bzr"];
/// Folders that package managers fill, by name.
const INSTALLED: [&str; 3] = ["node_modules", "bower_components", "site-packages"];
/// Files that a package manager leaves in a folder it fills, whatever the folder is called.
/// Source: PEP 405; Go Modules Reference, "Vendoring"; `Composer\Repository\FilesystemRepository`.
const MARKS: [&str; 3] = ["pyvenv.cfg", "modules.txt", "composer/installed.json"];
/// Folders named in the note; the rest is a count.
const MAX_NAMED: usize = 3;

/// Reads the lock files below `root`. Version control and what package managers installed is left out, the latter with
/// a note. A tree without any lock file is a gap: nothing says what it is made of.
pub fn scan_source(root: &Path) -> Result<Inventory, ScanError> {
    let failed = |source| ScanError::OpenDirectory { path: root.to_owned(), source };
    let root = root.canonicalize().map_err(failed)?;
    std::fs::read_dir(&root).map_err(failed)?;
    let left_out = Arc::new(LeftOut::default());
    let (noting, top) = (left_out.clone(), root.clone());
    let tree = TreeOptions {
        enter: Some(Box::new(move |path, _| noting.enter(&top, path))),
        overlay: false,
    };
    let mut visitor = LayerVisitor::of_source();
    let walk = walk_tree(&root, &tree, &mut visitor, &Meters::default());
    let facts = visitor.reader.finish();
    let contents = merge(&[Some(&facts)], false);
    let mut problems = contents.problems;
    problems.extend(walk.problems);
    problems.extend(walk.stopped);
    problems.extend(left_out.note());
    if facts.files.is_empty() {
        let message = "no lock file says what the source tree is made of";
        let help = "`--as rootfs` takes the directory for a root file system";
        problems.push(Problem::gap("lock-file-missing", message).help(help));
    }
    sort_problems(&mut problems);
    Ok(Inventory {
        target: Target::Directory { path: root.display().to_string() },
        distro: None,
        platform: None,
        layers: Vec::new(),
        packages: contents.packages,
        repositories: contents.repositories,
        problems,
        extractor_version: EXTRACTOR_VERSION,
    })
}

/// What the walk does not enter. Filled by the walk, read once it is over.
#[derive(Default)]
struct LeftOut {
    /// Kind → count and the first paths.
    installed: Mutex<BTreeMap<&'static str, (usize, Vec<String>)>>,
}

impl LeftOut {
    fn enter(&self, root: &Path, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        if VERSION_CONTROL.contains(&name) {
            return false;
        }
        let by_name = INSTALLED.iter().find(|own| **own == name);
        let by_mark = || MARKS.iter().find(|mark| root.join(path).join(mark).is_file());
        let Some(kind) = by_name.or_else(by_mark) else { return true };
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, paths) = installed.entry(kind).or_default();
        *count += 1;
        if paths.len() < MAX_NAMED {
            paths.push(path.to_owned());
        }
        false
    }

    fn note(&self) -> Vec<Problem> {
        let installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = |(kind, (count, paths)): (&&str, &(usize, Vec<String>))| {
            let message = format!(
                "left out by design: {count} folders of installed packages ({kind}): {}",
                paths.join(", ")
            );
            Problem::note("directories-left-out", message)
        };
        installed.iter().map(problem).collect()
    }
}
