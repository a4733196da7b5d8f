//! Photon's real records.
use crate::folders::{counted, rebuilt, whole};
use crate::samples::{of_source, on, rpm};
use seawall_model::finding::State;
use seawall_model::package::{Ecosystem, Inventory};
use tempfile::TempDir;

/// A binary package of `source`; its own version is another.
fn installed(release: &str, source: &str, version: &str) -> Inventory {
    let binary = rpm(Ecosystem::Photon, &format!("{source}-libs"), "9:9-9", "x86_64");
    on("photon", release, of_source(source, version, binary))
}

#[test]
fn the_source_version_is_compared() {
    let Some(index) = whole("photon") else { return };
    assert_eq!(
        counted(&index.report),
        ["cve_data_photon1.0.json 3 3 |  | ", "cve_data_photon4.0.json 7 7 |  | "]
    );
    let fix = "available 7.88.1-4.ph4";
    let both = [format!("CVE-2023-38545 {fix}"), format!("CVE-2023-38546 {fix}")];
    index.check(&installed("4.0", "curl", "7.88.1-3.ph4"), &[&both[0], &both[1]]);
    index.check(&installed("4.0", "curl", "7.88.1-4.ph4"), &[]);
    index.check(
        &installed("1.0", "perl", "5.22.1-3.ph1"),
        &["CVE-2016-1238 available 5.22.1-4.ph1"],
    );
    index.check(&installed("1.0", "perl", "5.22.1-10.ph1"), &[]);
    // `Not Affected`.
    index.check(&installed("4.0", "httpd", "2.4.1-1.ph4"), &[]);
    // `Fixed` in no version: nobody can tell.
    let report = index.report(&installed("4.0", "python3", "3.10.0-1.ph4"));
    let told: Vec<_> = report.findings.iter().map(|own| (own.id.as_str(), own.state)).collect();
    assert_eq!(told, [("CVE-2023-50447", State::Unknown)]);
}

#[test]
fn damaged_files_leave_the_old_segment() {
    let dir = TempDir::new().unwrap();
    let path = "photon/cve_data_photon5.0.json";
    let good = br#"[{"cve_id":"CVE-2024-0001","pkg":"curl","res_ver":"8-1.ph5"}]"#;
    assert!(!rebuilt(dir.path(), &[(path, good)]).failed());
    for bytes in [&good[..30], b"", b"{}", b"[]", br#"[{"cve_id":7}]"#] {
        let report = rebuilt(dir.path(), &[(path, bytes)]);
        assert!(report.failed() && report.segments.iter().all(|segment| segment.kept), "{bytes:?}");
    }
}
