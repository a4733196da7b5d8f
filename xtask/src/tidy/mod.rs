//! What the house demands and no compiler checks. One file per demand, each over a root, so that each is tested on
//! a small tree that breaks it.
use anyhow::{Context, Result};
use std::fmt;
use std::path::{Path, PathBuf};

mod arrows;
mod content;
mod engines;
mod orphans;
mod size;
mod stale;

/// One broken demand and its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Below the root.
    pub(crate) path: PathBuf,
    /// 1-based; none where the whole file is meant.
    pub(crate) line: Option<usize>,
    /// The demand's kebab-case name.
    pub(crate) demand: &'static str,
    pub(crate) message: String,
    pub(crate) warning: bool,
}

impl Complaint {
    pub(crate) fn new(
        path: impl Into<PathBuf>,
        demand: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line: None, demand, message: message.into(), warning: false }
    }

    pub(crate) fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        let kind = if self.warning { "warning" } else { "error" };
        write!(f, " {kind}[{}]: {}", self.demand, self.message)
    }
}

/// Every demand over the whole tree.
pub(crate) fn run(root: &Path) -> Result<Vec<Complaint>> {
    let mut complaints = arrows::check(&arrows::metadata(root)?);
    complaints.extend(orphans::check(root)?);
    complaints.extend(content::check(root)?);
    complaints.extend(engines::check(root)?);
    complaints.extend(size::check(root)?);
    complaints.extend(stale::check(root)?);
    Ok(complaints)
}

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 6] = ["target", "node_modules", ".git", ".cache", "dist", "corpus"];

/// All files below `root/folder` whose name ends in `suffix`, as paths below `root`, sorted.
pub(crate) fn files(root: &Path, folder: &str, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !FOREIGN.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(suffix) {
                found.push(path.strip_prefix(root).expect("the walk began at the root").to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(root: &Path, path: &Path) -> Result<String> {
    let path = root.join(path);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tree {
    use super::Complaint;
    use std::path::Path;

    /// A folder with these files.
    pub(super) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    /// The check complains of exactly these `path demand` pairs.
    #[track_caller]
    pub(super) fn check(
        check: impl Fn(&Path) -> anyhow::Result<Vec<Complaint>>,
        files: &[(&str, &str)],
        expected: &[&str],
    ) {
        let dir = tree(files);
        let complaints = check(dir.path()).unwrap();
        let told: Vec<String> = complaints
            .iter()
            .map(|told| format!("{} {}", told.path.display(), told.demand))
            .collect();
        assert_eq!(told, expected, "{complaints:#?}");
    }
}
