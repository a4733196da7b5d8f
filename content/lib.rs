//! The security content that ships inside the binary: text as it lies in this folder, unparsed.
//!
//! `detections/<tactic>/*.yaml` is read by `rules`, `controls/<family>/*.yaml`, `rbac/*.yaml` and `frameworks/*.yaml`
//! by `posture`, `attack.yaml` by whoever names a tactic or technique.
use include_dir::{Dir, include_dir};
use std::sync::LazyLock;

static DETECTIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/detections");
static CONTROLS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/controls");
static RBAC: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rbac");
static FRAMEWORKS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/frameworks");

/// ATT&CK tactics and techniques by id, see the file's head for version and source.
pub const ATTACK: &str = include_str!("attack.yaml");

/// What Seawall can do in which environment; read by the hub.
pub const FEATURES: &str = include_str!("features.yaml");

/// One content file: its path below the folder (`workload/privileged.yaml`) and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: &'static str,
    pub text: &'static str,
}

/// All detection files, `_lib/` first (rules name its macros and lists), then by path.
pub fn detections() -> Vec<Entry> {
    yaml_files(&DETECTIONS)
}

/// All control files by path, after the permissions that some of them speak of.
pub fn controls() -> Vec<Entry> {
    let mut entries = permissions();
    entries.extend(yaml_files(&CONTROLS));
    entries
}

/// Risky permissions, and what every API server makes itself; the paths begin with `_rbac/`.
pub fn permissions() -> Vec<Entry> {
    static NAMED: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        // Once per process: an entry's path lives as long as its text.
        let named = |entry: Entry| Entry { path: format!("_rbac/{}", entry.path).leak(), ..entry };
        yaml_files(&RBAC).into_iter().map(named).collect()
    });
    NAMED.clone()
}

/// All framework files by path.
pub fn frameworks() -> Vec<Entry> {
    yaml_files(&FRAMEWORKS)
}

fn yaml_files(root: &'static Dir<'static>) -> Vec<Entry> {
    let mut entries = Vec::new();
    collect(root, &mut entries);
    entries.sort_by_key(|entry| (!entry.path.starts_with("_lib/"), entry.path));
    entries
}

fn collect(dir: &'static Dir<'static>, entries: &mut Vec<Entry>) {
    for file in dir.files() {
        let path = file.path().to_str().expect("content paths are ASCII, tidy checks it");
        if path.ends_with(".yaml") {
            let text = file.contents_utf8().expect("content is UTF-8, tidy checks it");
            entries.push(Entry { path, text });
        }
    }
    dir.dirs().for_each(|dir| collect(dir, entries));
}
