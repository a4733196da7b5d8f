//! No file outside the tree: every Rust file is named by a `mod` or a target, every content file is one that the
//! binary embeds.
use super::{Complaint, files, read};
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders of crates, and the entry files that Cargo itself names.
const CRATES: [&str; 6] = ["content", "crates", "xtask", "e2e", "bench", "fuzz"];

pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for folder in CRATES {
        complaints.extend(sources(root, folder)?);
    }
    complaints.extend(content(root)?);
    Ok(complaints)
}

fn sources(root: &Path, folder: &str) -> Result<Vec<Complaint>> {
    let all = files(root, folder, ".rs")?;
    let mut named = BTreeSet::new();
    for path in &all {
        if is_entry(path) {
            named.insert(path.clone());
        }
        let text = read(root, path)?;
        named.extend(modules(path, &text));
    }
    let orphans = all.into_iter().filter(|path| !named.contains(path));
    Ok(orphans
        .map(|path| Complaint::new(path, "orphan", "no `mod` or target names this file"))
        .collect())
}

/// `lib.rs`, `main.rs`, `build.rs` and the files of `src/bin`, `examples`, `benches`,
/// `tests` and `fuzz_targets`, which Cargo finds or a manifest names.
fn is_entry(path: &Path) -> bool {
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    matches!(&*name, "lib.rs" | "main.rs" | "build.rs")
        || matches!(&*parent, "bin" | "examples" | "benches" | "tests" | "fuzz_targets")
}

/// The files that the `mod name;` lines of `path` name, `#[path = "…"]` included.
fn modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let parent = path.parent().unwrap_or(Path::new(""));
    let is_root = matches!(name.as_str(), "lib" | "main" | "mod") || is_entry(path);
    let base = if is_root { parent.to_owned() } else { parent.join(&name) };
    let mut named = Vec::new();
    let mut explicit = None;
    for line in text.lines().map(str::trim) {
        if let Some(quoted) = line.strip_prefix("#[path = \"") {
            explicit = quoted.split('"').next().map(str::to_owned);
            continue;
        }
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = match line.strip_prefix("pub(") {
            Some(rest) => rest.split_once(") ").map_or(line, |(_, rest)| rest),
            None => line,
        };
        let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        match explicit.take() {
            Some(file) => named.push(parent.join(file)),
            None => {
                named.push(base.join(format!("{module}.rs")));
                named.push(base.join(module).join("mod.rs"));
            }
        }
    }
    named
}

/// Below the content folders only YAML is embedded; anything else would lie there unread.
fn content(root: &Path) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for folder in ["content/detections", "content/controls", "content/frameworks"] {
        for path in files(root, folder, "")? {
            if path.extension().is_none_or(|extension| extension != "yaml") {
                complaints.push(Complaint::new(
                    path,
                    "orphan",
                    "only .yaml files are embedded from here",
                ));
            }
        }
    }
    Ok(complaints)
}

#[test]
fn files_that_nothing_names_are_told() {
    super::tree::check(
        check,
        &[
            (
                "crates/a/src/lib.rs",
                "mod named;\npub(crate) mod folder;\n#[cfg(test)]\nmod tests { }\n",
            ),
            ("crates/a/src/named.rs", "mod inner;\n"),
            ("crates/a/src/named/inner.rs", ""),
            ("crates/a/src/folder/mod.rs", ""),
            ("crates/a/src/forgotten.rs", ""),
            ("crates/a/tests/it/main.rs", "mod case;\n"),
            ("crates/a/tests/it/case.rs", ""),
            ("crates/a/tests/it/lost.rs", ""),
            ("content/controls/workload/a.yaml", ""),
            ("content/controls/workload/notes.txt", ""),
        ],
        &[
            "crates/a/src/forgotten.rs orphan",
            "crates/a/tests/it/lost.rs orphan",
            "content/controls/workload/notes.txt orphan",
        ],
    );
}
