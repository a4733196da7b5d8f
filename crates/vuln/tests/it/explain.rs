//! Each reason for which a flaw is not reported, on a target and an index that give it.
use crate::advisories::{advisory, affected, deb, distro, index, inventory, package, segment};
use seawall_model::advisory::{Advisory, Affected, Only};
use seawall_model::finding::{ExemptionRef, FixStatus, State};
use seawall_model::package::{Ecosystem, Package};
use seawall_vuln::{IndexSet, Why, explain, match_inventory};

const PYPI: Ecosystem = Ecosystem::PyPI;

fn pypi(id: &str, cve: &str, name: &str, ranges: &[&str]) -> Advisory {
    advisory(id, &[cve], vec![affected(PYPI, None, name, ranges)])
}

fn rpm(cve: &str, name: &str, only: Only) -> Advisory {
    let entry = Affected { only, ..affected(Ecosystem::AlmaLinux, Some("9"), name, &["..2"]) };
    advisory("ALSA-1", &[cve], vec![entry])
}

fn held() -> IndexSet {
    let withdrawn =
        Advisory { withdrawn: Some(1), ..pypi("P-9", "CVE-2024-0009", "demo", &["..9"]) };
    let records = [
        pypi("P-1", "CVE-2024-0001", "demo", &["..2"]),
        pypi("P-2", "CVE-2024-0002", "demo", &["..1.5"]),
        pypi("P-3", "CVE-2024-0003", "demo", &["3..4"]),
        pypi("P-4", "CVE-2024-0004", "elsewhere", &["..2"]),
        withdrawn,
    ];
    let debian = advisory(
        "DSA-1-1",
        &["CVE-2024-0005"],
        vec![affected(Ecosystem::Debian, Some("11"), "src", &["..2"])],
    );
    let arm = Only { arches: vec!["aarch64".to_owned()], ..Only::default() };
    index(vec![
        segment(PYPI, None, &records),
        segment(Ecosystem::Debian, Some("11"), &[debian]),
        segment(Ecosystem::AlmaLinux, Some("9"), &[rpm("CVE-2024-0006", "tool", arm)]),
    ])
}

/// `expected`: reasons in order, with the record; `reported` where it is a finding.
#[track_caller]
fn check(on: &str, packages: Vec<Package>, id: &str, expected: &str) {
    let (index, inventory) = (held(), inventory(distro(on), packages));
    let findings = match_inventory(&inventory, &index).findings;
    let told = explain(id, None, &inventory, &index, &findings).unwrap();
    let answers = told.answers.iter().map(|own| {
        let why = serde_json::to_value(own.why).unwrap();
        let record = own.record.as_ref().map(|record| format!(" {record}"));
        format!("{}{}", why.as_str().unwrap(), record.unwrap_or_default())
    });
    let reported = told.findings.iter().map(|_| "reported".to_owned());
    assert_eq!(reported.chain(answers).collect::<Vec<_>>().join("; "), expected);
    assert!(told.answers.iter().all(|own| !own.message.is_empty()));
}

#[test]
fn every_reason_is_given_where_it_holds() {
    let demo = |version| vec![package(PYPI, "demo", version)];
    check("debian:11", demo("1"), "CVE-2024-0001", "reported");
    check("debian:11", demo("1"), "cve-2024-0001", "reported");
    check("debian:11", demo("1"), "P-1", "reported");
    check("debian:11", demo("1"), "CVE-2024-0004", "package_absent P-4");
    check("debian:11", demo("1"), "CVE-2024-7777", "no_advisory");
    check("debian:11", demo("1"), "CVE-2024-0003", "not_affected P-3");
    check("debian:11", demo("1.7"), "CVE-2024-0002", "fix_installed P-2");
    check("debian:11", demo("1"), "CVE-2024-0009", "withdrawn P-9");
    let owned = Package { owner: Some("python3-demo".into()), ..package(PYPI, "demo", "1") };
    check("debian:11", vec![owned], "CVE-2024-0001", "owned_by_os_package P-1");
    let foreign = Package { third_party: true, ..deb("bin", "src", "1") };
    check("debian:11", vec![foreign], "CVE-2024-0005", "third_party DSA-1-1");
    check("debian:12", vec![deb("bin", "src", "1")], "CVE-2024-0005", "not_covered DSA-1-1");
    check("debian:12", vec![deb("bin", "src", "1")], "CVE-2024-7777", "not_covered");
    let arm = |arch: &str| {
        vec![Package { arch: Some(arch.into()), ..package(Ecosystem::AlmaLinux, "tool", "1") }]
    };
    check("almalinux:9.2", arm("x86_64"), "CVE-2024-0006", "qualifier_mismatch ALSA-1");
    check("almalinux:9.2", arm("aarch64"), "CVE-2024-0006", "reported");
}

#[test]
fn an_excuse_is_a_reason() {
    let record = pypi("P-5", "CVE-2024-0001", "excused", &[".."]);
    let index = index(vec![segment(PYPI, None, &[record])]);
    let inventory = inventory(None, vec![package(PYPI, "excused", "1")]);
    let mut findings = match_inventory(&inventory, &index).findings;
    findings[0].state = State::Exempt;
    findings[0].exemption = Some(ExemptionRef {
        id: "seawall-ignore.yaml:1".to_owned(),
        category: "risk_accepted".to_owned(),
        reason: "not reachable".to_owned(),
        by: None,
        expires: None,
    });
    let told = explain("CVE-2024-0001", None, &inventory, &index, &findings).unwrap();
    assert_eq!((told.findings.len(), told.answers[0].why), (0, Why::Exempt));
    assert_eq!(told.answers[0].message, "exempt by seawall-ignore.yaml:1: not reachable");
    let other = explain("CVE-2024-0001", Some("pkg:pypi/other@1"), &inventory, &index, &findings);
    assert_eq!(other.unwrap().answers[0].why, Why::PackageAbsent);
}

#[test]
fn modules_match_modules_only() {
    let module = Only { module: Some("nodejs:18".into()), ..Only::default() };
    let index = index(vec![segment(
        Ecosystem::AlmaLinux,
        Some("9"),
        &[rpm("CVE-2024-0001", "npm", module)],
    )]);
    let of = |module: Option<&str>| {
        let own = package(Ecosystem::AlmaLinux, "npm", "1");
        let own = Package { module: module.map(str::to_owned), ..own };
        match_inventory(&inventory(distro("almalinux:9"), vec![own]), &index).findings.len()
    };
    assert_eq!((of(None), of(Some("nodejs:18")), of(Some("nodejs:20"))), (0, 1, 0));
}

#[test]
fn a_channel_brings_a_fix_and_discloses_nothing_of_its_own() {
    let entry = |channel: Option<&str>, ranges: &[&str]| Affected {
        only: Only { channel: channel.map(str::to_owned), ..Only::default() },
        ..affected(Ecosystem::Ubuntu, Some("16.04"), "src", ranges)
    };
    let record = advisory(
        "UBUNTU-CVE-2024-0001",
        &["CVE-2024-0001"],
        vec![entry(None, &[".."]), entry(Some("esm-infra"), &["..2+esm1"])],
    );
    let index = index(vec![segment(Ecosystem::Ubuntu, Some("16.04"), &[record])]);
    let of = |version: &str, channels: &[&str]| {
        let own = Package { ecosystem: Ecosystem::Ubuntu, ..deb("bin", "src", version) };
        let mut inventory = inventory(distro("ubuntu:16.04"), vec![own]);
        inventory.repositories = channels.iter().map(|&channel| channel.to_owned()).collect();
        let findings = match_inventory(&inventory, &index).findings;
        findings.first().map(|finding| (finding.fix.status, finding.fix.versions.len()))
    };
    assert_eq!(of("1", &[]), Some((FixStatus::InChannel, 1)));
    assert_eq!(of("1", &["esm-infra"]), Some((FixStatus::Available, 1)));
    assert_eq!(of("2+esm1", &["esm-infra"]), None);
}
