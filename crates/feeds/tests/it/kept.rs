//! Segments that outlive the file they came from.
use crate::damaged::{archive, record};
use seawall_feeds::{BuildReport, Roots, build, select};
use std::path::Path;
use tempfile::TempDir;

const KEV: &str = r#"{"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-05-06"}]}"#;

fn built(directory: &Path, only: &[&str]) -> BuildReport {
    let roots = Roots::below(directory.join("root").to_str().unwrap()).unwrap();
    build(&roots, &select(only).unwrap(), &directory.join("index")).unwrap()
}

/// Removes `path` after a build of everything and builds `only` again; `expected` are the notes on kept segments.
#[track_caller]
fn check(path: &str, only: &[&str], expected: &[&str]) {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("root");
    let pypi = archive(&[record("PYSEC-1", "PyPI", "demo", "2.0")]);
    let go = archive(&[record("GO-1", "Go", "demo", "2.0.0")]);
    for (path, bytes) in [
        ("osv/PyPI/all.zip", pypi),
        ("osv/Go/all.zip", go),
        ("cisa-kev/known_exploited_vulnerabilities.json", KEV.into()),
    ] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), bytes).unwrap();
    }
    let first = built(directory.path(), &[]);
    let kept = first.problems.iter().filter(|problem| problem.code != "feed-absent");
    assert_eq!(kept.count(), 0, "nothing is kept the first time");
    std::fs::remove_file(root.join(path)).unwrap();
    let report = built(directory.path(), only);
    assert!(!report.failed(), "{:?}", report.problems);
    let notes = report.problems.iter().filter(|problem| problem.code == "segment-kept");
    let notes: Vec<_> = notes.map(|problem| problem.message.as_str()).collect();
    assert_eq!(notes, expected, "without {path}");
    assert!(report.segments.iter().all(|segment| segment.newest.is_some()));
}

#[test]
fn a_file_that_disappeared_was_not_told_of() {
    let pypi = "PyPI is that of an earlier build, with records up to 2024-01-02";
    let kev = "kev is that of an earlier build, with records up to 2024-05-06";
    check("osv/PyPI/all.zip", &[], &[pypi]);
    check("cisa-kev/known_exploited_vulnerabilities.json", &[], &[kev]);
    check("cisa-kev/known_exploited_vulnerabilities.json", &["osv"], &[]);
}
