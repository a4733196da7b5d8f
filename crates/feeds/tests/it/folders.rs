//! Whole folders of real records, and roots of several feeds.
use crate::samples::Index;
use seawall_feeds::{BuildReport, FileReport, Roots, build, open, select};
use std::path::Path;
use tempfile::TempDir;

pub(crate) const SAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feed-samples");

/// An index of every real record of one feed. `None` where there are none.
pub(crate) fn whole(key: &str) -> Option<Index> {
    if !Path::new(SAMPLES).join(key).is_dir() {
        println!("skipped: no real records of {key} at {SAMPLES}");
        return None;
    }
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("index");
    let report = build(&Roots::below(SAMPLES).unwrap(), &select(&[key]).unwrap(), &out).unwrap();
    assert!(!report.failed(), "{:?}", report.problems);
    Some(Index { index: open(&out).unwrap(), report, _dir: dir })
}

/// An index of several feeds: `files` lie below one root.
pub(crate) fn together(files: &[(&str, &[u8])]) -> Index {
    let dir = TempDir::new().unwrap();
    let report = rebuilt(dir.path(), files);
    assert!(!report.failed(), "{:?}", report.problems);
    Index { index: open(&dir.path().join("index")).unwrap(), report, _dir: dir }
}

/// Puts `files` below `dir` and builds all feeds again.
pub(crate) fn rebuilt(dir: &Path, files: &[(&str, &[u8])]) -> BuildReport {
    for (path, content) in files {
        let path = dir.join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let roots = Roots::below(dir.join("root").to_str().unwrap()).unwrap();
    build(&roots, &select::<&str>(&[]).unwrap(), &dir.join("index")).unwrap()
}

/// `path records kept | drops | drops of parts`, a line for each file.
pub(crate) fn counted(report: &BuildReport) -> Vec<String> {
    let line = |file: &FileReport| {
        let classes = |drops: &std::collections::BTreeMap<String, u64>| {
            let told: Vec<String> =
                drops.iter().map(|(class, count)| format!("{class} {count}")).collect();
            told.join(", ")
        };
        assert_eq!(file.records, file.kept + file.drops.values().sum::<u64>(), "{}", file.path);
        let (drops, parts) = (classes(&file.drops), classes(&file.part_drops));
        format!("{} {} {} | {drops} | {parts}", file.path, file.records, file.kept)
    };
    report.feeds.iter().flat_map(|feed| &feed.files).map(line).collect()
}
