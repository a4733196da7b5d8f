//! Damaged feeds and segments are refused, and what was built before stays.
use crate::inventory::{inventory, package};
use seawall_feeds::{BuildReport, FeedStatus, OpenError, Roots, build, open, select};
use seawall_model::package::Ecosystem;
use seawall_vuln::match_inventory;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

pub(crate) fn record(id: &str, ecosystem: &str, name: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2024-01-02T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

pub(crate) fn archive(records: &[String]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (number, record) in records.iter().enumerate() {
        writer.start_file(format!("{number}.json"), SimpleFileOptions::default()).unwrap();
        writer.write_all(record.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A feed root and the index built from it.
struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.dir.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn build(&self) -> BuildReport {
        let root = self.dir.path().join("root");
        let roots = Roots::below(root.to_str().unwrap()).unwrap();
        build(&roots, &select::<&str>(&[]).unwrap(), &self.out()).unwrap()
    }

    /// Records that speak of `name` 1.0, by id.
    fn matches(&self, ecosystem: Ecosystem, name: &str) -> Vec<String> {
        let report = match_inventory(
            &inventory(None, vec![package(ecosystem, name, "1.0")]),
            &open(&self.out()).unwrap(),
        );
        report.findings.into_iter().map(|finding| finding.id).collect()
    }
}

fn good(count: usize) -> Vec<String> {
    (0..count).map(|number| record(&format!("PYSEC-{number}"), "PyPI", "demo", "2.0")).collect()
}

/// After a good build with one record, `bytes` replace the archive: the report fails naming `reason`, the index
/// answers as before.
#[track_caller]
fn check_refused(bytes: &[u8], reason: &str) {
    let bench = Bench::new();
    bench.put("osv/PyPI/all.zip", archive(&good(1)));
    bench.put("osv/Go/all.zip", archive(&[record("GO-1", "Go", "example.org/m", "2.0.0")]));
    assert!(!bench.build().failed());
    bench.put("osv/PyPI/all.zip", bytes);
    bench.put("osv/Go/all.zip", archive(&[record("GO-2", "Go", "example.org/m", "2.0.0")]));
    let report = bench.build();
    let mut problems = String::new();
    report.problems.iter().for_each(|problem| writeln!(problems, "{problem}").unwrap());
    assert!(report.failed() && problems.contains(reason), "{reason} not in {problems}");
    let osv = report.feeds.iter().find(|feed| feed.key == "osv").unwrap();
    assert_eq!(osv.status, FeedStatus::Refused);
    assert!(report.segments.iter().find(|segment| segment.name == "PyPI").unwrap().kept);
    assert_eq!(bench.matches(Ecosystem::PyPI, "demo"), ["PYSEC-0"], "the old segment stays");
    assert_eq!(
        bench.matches(Ecosystem::Go, "example.org/m"),
        ["GO-2"],
        "the sound archive is taken"
    );
}

#[test]
fn damaged_archives_leave_the_old_segment() {
    let whole = archive(&good(200));
    check_refused(&whole[..whole.len() - 10], "not a whole zip archive");
    check_refused(&whole[..whole.len() / 2], "not a whole zip archive");
    check_refused(b"", "not a whole zip archive");
    check_refused(b"<html>not found</html>", "not a whole zip archive");
    check_refused(&archive(&[]), "none of its records is left");
    let mut records = good(200);
    records[..3].fill("{".to_owned());
    check_refused(&archive(&records), "3 of its 200 records are malformed");
    let foreign = record("EEF-1", "Hex", "demo", "2.0");
    check_refused(&archive(&[foreign]), "none of its records is left");
}

#[test]
fn a_flipped_byte_in_a_record_is_counted() {
    let mut bytes = archive(&good(300));
    bytes[60] ^= 0x55;
    let bench = Bench::new();
    bench.put("osv/PyPI/all.zip", bytes);
    let report = bench.build();
    assert!(!report.failed(), "{:?}", report.problems);
    assert_eq!(
        (report.feeds[0].records, report.feeds[0].kept, report.feeds[0].drops["malformed"]),
        (300, 299, 1)
    );
}

#[test]
fn one_bad_record_in_a_hundred_is_dropped_and_counted() {
    let bench = Bench::new();
    let mut records = good(100);
    records[7] = r#"{"id":7}"#.to_owned();
    bench.put("osv/PyPI/all.zip", archive(&records));
    let report = bench.build();
    assert!(!report.failed(), "{:?}", report.problems);
    assert_eq!(report.feeds[0].drops["malformed"], 1);
    assert_eq!(bench.matches(Ecosystem::PyPI, "demo").len(), 99);
}

#[test]
fn a_release_that_loses_its_rows_keeps_the_old_segment() {
    let bench = Bench::new();
    let (ten, eleven) =
        (record("DSA-1", "Debian:10", "demo", "2.0"), record("DSA-2", "Debian:11", "demo", "2.0"));
    bench.put("osv/Debian/all.zip", archive(&[ten, eleven.clone()]));
    assert!(!bench.build().failed());
    bench.put("osv/Debian/all.zip", archive(&[eleven]));
    let report = bench.build();
    assert!(report.failed());
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.message.starts_with("Debian:10 has no rows left"))
    );
    assert!(open(&bench.out()).unwrap().segment(Ecosystem::Debian, Some("10")).is_some());
}

#[test]
fn a_record_in_two_archives_counts_once() {
    let bench = Bench::new();
    let both = r#"{"id":"GHSA-1","modified":"2024-01-02T00:00:00Z","affected":[
        {"package":{"ecosystem":"PyPI","name":"demo"},"versions":["1.0"]},
        {"package":{"ecosystem":"Go","name":"demo"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;
    bench.put("osv/PyPI/all.zip", archive(&[both.to_owned()]));
    bench.put("osv/Go/all.zip", archive(&[both.to_owned(), record("GO-1", "Go", "demo", "2.0.0")]));
    let report = bench.build();
    assert!(!report.failed(), "{:?}", report.problems);
    let osv = &report.feeds[0];
    assert_eq!((osv.records, osv.kept, osv.drops["duplicate record"]), (3, 2, 1));
    assert_eq!(bench.matches(Ecosystem::PyPI, "demo"), ["GHSA-1"]);
    assert_eq!(bench.matches(Ecosystem::Go, "demo"), ["GO-1", "GHSA-1"], "a fix comes first");
}

#[test]
fn absent_feeds_are_notes_until_nothing_is_left() {
    let bench = Bench::new();
    bench.put("osv/PyPI/all.zip", archive(&good(1)));
    let report = bench.build();
    assert!(!report.failed());
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.code == "feed-absent" && problem.message.contains("cisa-kev"))
    );
    let empty = Bench::new();
    let report = empty.build();
    assert!(
        report.failed() && report.problems.iter().any(|problem| problem.code == "nothing-built")
    );
    assert!(matches!(open(&empty.out()), Err(OpenError::NoIndex { .. })));
}

#[test]
fn a_damaged_catalogue_leaves_the_old_one() {
    let entry = |cve: &str| format!(r#"{{"cveID":"{cve}","dateAdded":"2024-01-02"}}"#);
    let bench = Bench::new();
    let file = "cisa-kev/known_exploited_vulnerabilities.json";
    bench.put(file, format!(r#"{{"vulnerabilities":[{}]}}"#, entry("CVE-2024-0001")));
    assert!(!bench.build().failed());
    for damaged in [
        "{\"vulnerabilities\":[".to_owned(),
        r#"{"vulnerabilities":[]}"#.to_owned(),
        format!(r#"{{"vulnerabilities":[{},{{"cveID":1}}]}}"#, entry("CVE-2024-0002")),
    ] {
        bench.put(file, &damaged);
        assert!(bench.build().failed(), "{damaged}");
        let index = open(&bench.out()).unwrap();
        assert_eq!(
            index.kev().unwrap().added("CVE-2024-0001"),
            Some(1_704_153_600_000),
            "{damaged}"
        );
    }
}

#[test]
fn damaged_indexes_are_refused() {
    let bench = Bench::new();
    bench.put("osv/PyPI/all.zip", archive(&good(3)));
    bench.build();
    let segment = bench.out().join("pypi.seg");
    let whole = std::fs::read(&segment).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&segment, bytes).unwrap();
        matches!(open(&bench.out()), Err(OpenError::Segment { .. }))
    };
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert!(refused(&flipped), "byte {at}");
        assert!(refused(&whole[..at]), "cut at {at}");
    }
    std::fs::write(&segment, &whole).unwrap();
    assert!(open(&bench.out()).is_ok());
    std::fs::remove_file(&segment).unwrap();
    assert!(matches!(open(&bench.out()), Err(OpenError::Read { .. })));
    let manifest = bench.out().join("index.json");
    let newer =
        std::fs::read_to_string(&manifest).unwrap().replace("\"layout\": 2", "\"layout\": 99");
    std::fs::write(&manifest, newer).unwrap();
    assert!(matches!(open(&bench.out()), Err(OpenError::Layout { found: 99, .. })));
    std::fs::write(&manifest, "{").unwrap();
    assert!(matches!(open(&bench.out()), Err(OpenError::Manifest { .. })));
    assert!(!bench.build().failed(), "a build replaces it");
    assert!(open(&bench.out()).is_ok());
    assert!(matches!(open(Path::new("/nonexistent")), Err(OpenError::NoIndex { .. })));
}
