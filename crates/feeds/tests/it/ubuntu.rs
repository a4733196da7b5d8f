//! Canonical's own records: OSV and VEX of the same flaws. Source of the expectations: the records and their pages at
//! ubuntu.com/security.
use crate::folders::{SAMPLES, counted, rebuilt, whole};
use crate::inventory::package;
use crate::samples::{built, of_source, on, with};
use seawall_model::Severity;
use seawall_model::finding::State;
use seawall_model::package::{Ecosystem, Inventory};
use std::path::Path;
use tempfile::TempDir;

fn deb(release: &str, source: &str, version: &str) -> Inventory {
    let binary = package(Ecosystem::Ubuntu, &format!("{source}-bin"), version);
    on("ubuntu", release, of_source(source, version, binary))
}

#[test]
fn every_record_counts() {
    let Some(index) = whole("ubuntu") else { return };
    assert_eq!(
        counted(&index.report),
        [
            "osv/**.json 8 7 | notice of CVEs with records of their own 1 | ",
            "vex/**.json 2 2 |  | ",
        ]
    );
}

#[test]
fn a_fix_is_sought_in_the_base_and_in_channels() {
    let Some(index) = whole("ubuntu") else { return };
    index.check(
        &deb("16.04", "unzip", "6.0-20ubuntu1"),
        &["CVE-2014-9913 available 6.0-20ubuntu1.1"],
    );
    index.check(&deb("16.04", "unzip", "6.0-20ubuntu1.1"), &[]);
    // Of 14.04 channels alone speak: they disclose, and without a subscription the fix is out of reach.
    let old = || deb("14.04", "unzip", "6.0-9ubuntu1.5");
    index.check(&old(), &["CVE-2014-9913 in_channel 6.0-9ubuntu1.6@esm-infra"]);
    index
        .check(&with(&["esm-infra"], old()), &["CVE-2014-9913 available 6.0-9ubuntu1.6@esm-infra"]);
    index
        .check(&with(&["esm-apps"], old()), &["CVE-2014-9913 in_channel 6.0-9ubuntu1.6@esm-infra"]);
    index.check(&deb("14.04", "unzip", "6.0-9ubuntu1.6"), &[]);
    let fix = "1:4.0.34-1ubuntu0.1~esm2@esm-apps";
    let netty = format!("CVE-2022-24823 in_channel {fix}");
    index.check(&deb("16.04", "netty", "1:4.0.34-1ubuntu0.1~esm1"), &[&netty]);
    index.check(&deb("25.10", "netty", "1:4.1.48-10ubuntu0.25.10.2"), &["CVE-2022-24823 none"]);
    index.check(
        &deb("20.04", "wayland", "1.18.0-1"),
        &["CVE-2021-3782 available 1.18.0-1ubuntu0.1"],
    );
    index.check(&deb("20.04", "wayland", "1.18.0-1ubuntu0.1"), &[]);
}

#[test]
fn withdrawn_records_find_nothing() {
    let Some(index) = whole("ubuntu") else { return };
    index.check(&deb("14.04", "tpp", "1.3.1-2"), &[]);
    index.check(&deb("14.04", "jansson", "2.5-2"), &[]);
    index.check(&deb("16.04", "wolfssl", "3.4.8+dfsg-1"), &[]);
}

#[test]
fn vex_adds_what_canonical_thinks() {
    let Some(index) = whole("ubuntu") else { return };
    // `affected`, and the team decided to not fix it.
    index
        .check(&deb("14.04", "syslinux", "3:4.05+dfsg-6+deb8u1"), &["CVE-2016-20013 will_not_fix"]);
    // `not_affected`: the package does not exist in the archive.
    index.check(&deb("24.04", "zabbix", "1:6.0.25+dfsg-1"), &[]);
    // `not_affected` in the channel; that the base is out of support is no word on the flaw.
    index.check(&deb("16.04", "curl", "7.47.0-1ubuntu2.19"), &[]);
    index.check(&deb("20.04", "curl", "7.68.0-1ubuntu2"), &[]);
    // `fixed` at this version or before, and no OSV record says where.
    index.check(&deb("22.04", "curl", "7.81.0-1ubuntu1.24"), &[]);
    let report = index.report(&deb("22.04", "curl", "7.81.0-1ubuntu1"));
    let states: Vec<_> = report.findings.iter().map(|own| (own.id.as_str(), own.state)).collect();
    assert_eq!(states, [("CVE-2023-38545", State::Unknown)]);
}

#[test]
fn canonical_rates_by_its_own_word() {
    let Some(index) = whole("ubuntu") else { return };
    let report = index.report(&deb("16.04", "unzip", "6.0-20ubuntu1"));
    let severity = &report.findings[0].severity;
    assert_eq!((severity.level, severity.source.as_deref()), (Severity::Info, Some("ubuntu")));
    assert_eq!(severity.vector.as_deref(), Some("CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"));
}

const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-2024-0001","description":"A flaw."},
    "products":[{"@id":"pkg:deb/ubuntu/demo@1.0-1?arch=source&distro=jammy"},{"@id":"pkg:deb/ubuntu/demo@1.0-1?arch=amd64&distro=jammy"},
    {"@id":"pkg:deb/ubuntu/demo@1.0-1?arch=source&distro=unheard"}],"status":"STATUS","action_statement":"ACTION"}]}"#;

/// A record written after Canonical's, with this status and action; `expected`: what is found of the package.
#[track_caller]
fn check_status(status: &str, action: &str, expected: &[&str]) {
    let vex = VEX.replace("STATUS", status).replace("ACTION", action);
    let index = built("ubuntu", &[("vex/cve/2024/CVE-2024-0001.json", vex.into_bytes())]);
    let parts = "product of an unknown release 1";
    assert_eq!(counted(&index.report), [format!("vex/**.json 1 1 |  | {parts}")]);
    let report = index.report(&deb("22.04", "demo", "0.9-1"));
    let told = report.findings.iter().map(|own| {
        let status = serde_json::to_value(own.fix.status).unwrap();
        format!("{} {}", own.state.as_str(), status.as_str().unwrap())
    });
    assert_eq!(told.collect::<Vec<_>>(), expected, "{status} {action}");
}

#[test]
fn every_status_is_told_apart() {
    check_status(
        "affected",
        "This package (for the given release) is vulnerable.",
        &["unhealthy none"],
    );
    check_status("affected", "its fix has been deferred", &["unhealthy deferred"]);
    check_status("affected", "the Team decided to not fix it", &["unhealthy will_not_fix"]);
    check_status("affected", "is no longer supported", &["unknown unknown"]);
    check_status("under_investigation", "", &["unknown unknown"]);
    check_status("fixed", "", &["unknown unknown"]);
    check_status("not_affected", "", &[]);
}

#[test]
fn archives_give_what_folders_give() {
    let root = Path::new(SAMPLES).join("ubuntu/osv/cve/2014/UBUNTU-CVE-2014-9913.json");
    let Ok(text) = std::fs::read(&root) else {
        return println!("skipped: no real records at {SAMPLES}");
    };
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "osv/cve/2014/UBUNTU-CVE-2014-9913.json", &text[..]).unwrap();
    let archive = archive.into_inner().unwrap();
    let options = lzma_rust2::XzOptions::with_preset(0);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    std::io::Write::write_all(&mut xz, &archive).unwrap();
    let packed = xz.finish().unwrap();
    let index = built("ubuntu", &[("osv/osv-all.tar.xz", packed.clone())]);
    assert_eq!(counted(&index.report), ["osv/osv-all.tar.xz 1 1 |  | "]);
    index.check(
        &deb("16.04", "unzip", "6.0-20ubuntu1"),
        &["CVE-2014-9913 available 6.0-20ubuntu1.1"],
    );
    // A statement that is missing would turn "not affected" into "affected": all of the feed is refused.
    let dir = TempDir::new().unwrap();
    let path = "ubuntu/osv/osv-all.tar.xz";
    assert!(!rebuilt(dir.path(), &[(path, &packed)]).failed());
    let cut = &packed[..packed.len() / 2];
    let report = rebuilt(dir.path(), &[(path, &packed), ("ubuntu/vex/vex-all.tar.xz", cut)]);
    assert!(report.failed());
    assert!(report.segments.iter().all(|segment| segment.kept), "{:?}", report.segments);
}
