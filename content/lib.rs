//! The security content that ships inside the binary: text as it lies in this folder, unparsed.
//!
//! `detections/<tactic>/*.yaml` is read by `rules`, `controls/<family>/*.yaml` and `frameworks/*.yaml` by
//! `posture`, `attack.yaml` by whoever names a tactic or technique.
use include_dir::{Dir, include_dir};

static DETECTIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/detections");
static CONTROLS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/controls");
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

/// All control files by path.
pub fn controls() -> Vec<Entry> {
    yaml_files(&CONTROLS)
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
