//! The mirror of real feeds: every record accounted for, findings equal to a plain reading of the raw records.
use crate::inventory::{deb, debian, inventory, package};
use crate::samples::{of_module, on, rpm};
use seawall_feeds::{FeedStatus, Roots, build, open, select};
use seawall_model::finding::{FixStatus, State, VulnFinding};
use seawall_model::package::{Ecosystem, Package};
use seawall_vuln::{IndexSet, match_inventory};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

const FEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feeds");

/// One build for all tests of this file. `None` where the mirror is absent.
fn built() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<TempDir>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if !Path::new(FEEDS).is_dir() {
            println!("skipped: no real feeds at {FEEDS}");
            return None;
        }
        let out = TempDir::new().unwrap();
        let report =
            build(&Roots::below(FEEDS).unwrap(), &select::<&str>(&[]).unwrap(), out.path())
                .unwrap();
        assert!(!report.failed(), "{:?}", report.problems);
        Some(out)
    });
    built.as_ref().map(TempDir::path)
}

fn records(folder: &str) -> Vec<Value> {
    let path = PathBuf::from(FEEDS).join("osv").join(folder).join("all.zip");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let count = archive.len();
    let read = |index| {
        let mut text = String::new();
        archive.by_index(index).unwrap().read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    (0..count).map(read).collect()
}

fn findings(index: &IndexSet, release: Option<&str>, packages: Vec<Package>) -> Vec<VulnFinding> {
    let report = match_inventory(&inventory(release.and_then(debian), packages), index);
    assert!(report.coverage.complete, "{:?}", report.problems);
    report.findings
}

/// Of the whole mirror.
const SEGMENTS: [&str; 30] = [
    "AlmaLinux:10",
    "AlmaLinux:8",
    "AlmaLinux:9",
    "Alpaquita:23",
    "Alpaquita:25",
    "Alpaquita:stream",
    "Alpine:v3.10",
    "Alpine:v3.11",
    "Alpine:v3.3",
    "Alpine:v3.4",
    "Alpine:v3.5",
    "Alpine:v3.6",
    "Alpine:v3.7",
    "Alpine:v3.8",
    "Alpine:v3.9",
    "Bitnami",
    "Debian:10",
    "Debian:11",
    "Debian:3.0",
    "Debian:3.1",
    "Debian:4",
    "Debian:5",
    "Debian:6",
    "Debian:7",
    "Debian:8",
    "Debian:9",
    "Go",
    "PyPI",
    "crates.io",
    "kev",
];

#[test]
fn every_record_is_a_row_or_a_counted_drop() {
    let Some(_) = built() else { return };
    let out = TempDir::new().unwrap();
    let report =
        build(&Roots::below(FEEDS).unwrap(), &select::<&str>(&[]).unwrap(), out.path()).unwrap();
    let osv = report.feeds.iter().find(|feed| feed.key == "osv").unwrap();
    assert_eq!(osv.status, FeedStatus::Built);
    for file in &osv.files {
        let folder = file.path.split('/').next().unwrap();
        let dropped: u64 = file.drops.values().sum();
        assert_eq!(file.records, file.kept + dropped, "{}", file.path);
        let archive = PathBuf::from(FEEDS).join("osv").join(&file.path);
        let archive = zip::ZipArchive::new(std::fs::File::open(archive).unwrap()).unwrap();
        assert_eq!(file.records, archive.len() as u64, "{}", file.path);
        let expected: &[(&str, u64)] = match folder {
            "AlmaLinux" => &[("no security advisory", 1200)],
            "Alpaquita" => &[("withdrawn without a package", 4588)],
            "PyPI" => &[("no comparable range", 1)],
            "RustSec" => &[("of another operating system", 22)],
            _ => &[],
        };
        let told = file.drops.iter().map(|(class, count)| (class.as_str(), *count));
        assert_eq!(told.collect::<Vec<_>>(), expected, "{}", file.path);
    }
    let kev = report.feeds.iter().find(|feed| feed.key == "cisa-kev").unwrap();
    assert_eq!((kev.records, kev.kept), (1404, 1404));
    let segments: Vec<&str> = report.segments.iter().map(|segment| segment.name.as_str()).collect();
    assert_eq!(segments, SEGMENTS);
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let name = entry.unwrap().file_name();
        let first = std::fs::read(out.path().join(&name)).unwrap();
        assert_eq!(
            first,
            std::fs::read(built().unwrap().join(&name)).unwrap(),
            "{name:?}: same input, same bytes"
        );
    }
}

#[test]
fn the_index_says_what_it_holds() {
    let Some(dir) = built() else { return };
    let info = open(dir).unwrap().info();
    let asked =
        ["Debian", "PyPI", "Go", "AlmaLinux", "Alpine", "Alpaquita", "crates.io", "Bitnami"];
    assert_eq!(info.asked, asked);
    let fixed_only: BTreeMap<&str, bool> = info
        .segments
        .iter()
        .map(|segment| (segment.name.as_str(), segment.meta.fixed_only))
        .collect();
    assert!(
        fixed_only.iter().all(|(name, fixed)| {
            let announced = ["Debian:", "AlmaLinux:", "Alpine:"];
            *fixed == announced.iter().any(|distro| name.starts_with(distro))
        }),
        "{fixed_only:?}"
    );
    let pypi = info.segments.iter().find(|segment| segment.name == "PyPI").unwrap();
    let newest = pypi.meta.feeds[0].newest.unwrap();
    assert!(
        (1_727_740_800_000..1_735_689_600_000).contains(&newest),
        "PyPI records end in autumn 2024: {newest}"
    );
}

#[track_caller]
fn check(
    index: &IndexSet,
    release: Option<&str>,
    package: Package,
    flaw: &str,
    record: &str,
    fix: &[&str],
) {
    let findings = findings(index, release, vec![package]);
    let finding = findings.iter().find(|finding| finding.id == flaw);
    let finding = finding.unwrap_or_else(|| panic!("no {flaw} among {} findings", findings.len()));
    let fixes: Vec<&str> = finding.fix.versions.iter().map(|fix| fix.version.as_str()).collect();
    assert_eq!((finding.matched.record.as_str(), fixes.as_slice()), (record, fix));
    assert_eq!(finding.state, State::Unhealthy);
    assert_eq!(finding.fix.status, FixStatus::Available);
    assert!(!finding.matched.compared.is_empty());
}

#[test]
fn known_cases_are_found() {
    let Some(dir) = built() else { return };
    let index = open(dir).unwrap();
    let pypi = |name, version| package(Ecosystem::PyPI, name, version);
    let go = |name, version| package(Ecosystem::Go, name, version);
    check(&index, None, pypi("Django", "2.2.24"), "CVE-2021-44420", "PYSEC-2021-439", &["2.2.25"]);
    check(&index, None, pypi("requests", "2.19.1"), "CVE-2018-18074", "PYSEC-2018-28", &["2.20.0"]);
    check(&index, None, pypi("PyYAML", "5.3"), "CVE-2020-1747", "PYSEC-2020-96", &["5.3.1"]);
    check(&index, None, go("stdlib", "1.19"), "CVE-2022-27664", "GO-2022-0969", &["1.19.1"]);
    check(&index, None, go("stdlib", "1.19rc1"), "CVE-2022-27664", "GO-2022-0969", &["1.19.1"]);
    let fix = "0.0.0-20220906165146-f3363e06e74c";
    let net = go("golang.org/x/net", "v0.0.0-20210226172049-e18ecbb05110");
    check(&index, None, net, "CVE-2022-27664", "GO-2022-0969", &[fix]);
    let java = || deb("openjdk-11-jre", "openjdk-11", "11.0.12+7-2");
    let fix = "11.0.13+8-1~deb11u1";
    for flaw in ["CVE-2021-35550", "CVE-2021-35603"] {
        check(&index, Some("11"), java(), flaw, "DSA-5000-1", &[fix]);
    }
    let fixed = findings(&index, Some("11"), vec![deb("openjdk-11-jre", "openjdk-11", fix)]);
    assert!(!fixed.iter().any(|finding| finding.matched.record == "DSA-5000-1"));
    let by_binary = findings(
        &index,
        Some("11"),
        vec![package(Ecosystem::Debian, "openjdk-11-jre", "11.0.12+7-2")],
    );
    assert_eq!(by_binary, [], "advisories are keyed by source");
    let log4j =
        findings(&index, Some("11"), vec![deb("liblog4j2-java", "apache-log4j2", "2.13.3-1")]);
    let log4shell = log4j.iter().find(|finding| finding.id == "CVE-2021-44228").unwrap();
    assert_eq!(log4shell.kev, Some(1_639_094_400_000), "added 2021-12-10");
}

/// Streams stand in summaries alone, behind the rating.
#[test]
fn almas_modules_match_modules_only() {
    let Some(dir) = built() else { return };
    let index = open(dir).unwrap();
    let abrt = |version: &str, module: Option<&str>| {
        let own = rpm(Ecosystem::AlmaLinux, "rubygem-abrt", version, "noarch");
        let own = module.map_or(own.clone(), |module| of_module(module, own));
        let report = match_inventory(&on("almalinux", "8.6", own), &index);
        let found = report.findings.into_iter();
        found.filter(|own| own.matched.record == "ALSA-2019:1972").collect::<Vec<_>>()
    };
    let old = "0.3.0-3.module_el8.5.0+1+1";
    let found = abrt(old, Some("ruby:2.5"));
    assert_eq!(found[0].id, "CVE-2019-8324");
    assert_eq!(found[0].state, State::Unhealthy);
    assert_eq!(found[0].severity.level, seawall_model::Severity::High, "Important");
    // Built twice: the lower counts.
    assert_eq!(found[0].fix.versions[0].version, "0.3.0-4.module_el8.5.0+259+8cec6917");
    assert!(abrt("0.3.0-4.module_el8.5.0+259+8cec6917", Some("ruby:2.5")).is_empty());
    assert!(abrt(old, Some("ruby:2.7")).is_empty());
    assert!(abrt(old, None).is_empty());
}

#[test]
fn a_release_past_the_feed_is_a_gap_that_names_it() {
    let Some(dir) = built() else { return };
    let packages = vec![deb("bash", "bash", "5.2.15-2"), package(Ecosystem::PyPI, "pyyaml", "5.3")];
    let report = match_inventory(&inventory(debian("12"), packages), &open(dir).unwrap());
    assert!(!report.coverage.complete);
    let gap = report.problems.iter().find(|problem| problem.code == "not-covered").unwrap();
    assert!(gap.message.starts_with("Debian:12 is not in the index"), "{gap}");
    assert!(
        report.findings.iter().any(|finding| finding.id == "CVE-2020-1747"),
        "the rest is judged"
    );
}

/// Numbers and dots alone; other versions are left to the order's own tables.
fn plain(version: &str) -> Option<Vec<u64>> {
    let mut parts: Vec<u64> = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

/// The evaluation of the OSV schema on raw JSON. `None` if a version needs more than numbers.
fn osv_affected(entry: &Value, version: &str) -> Option<bool> {
    if entry["versions"]
        .as_array()
        .is_some_and(|versions| versions.iter().any(|listed| listed == version))
    {
        return Some(true);
    }
    let installed = plain(version)?;
    let mut affected = false;
    for range in entry["ranges"].as_array()?.iter().filter(|range| range["type"] != "GIT") {
        let mut events: Vec<(Vec<u64>, &str)> = Vec::new();
        for event in range["events"].as_array()? {
            let (kind, bound) = event.as_object()?.iter().next()?;
            events.push((plain(bound.as_str()?)?, kind));
        }
        events.sort_by(|a, b| a.0.cmp(&b.0));
        let mut vulnerable = false;
        for (bound, kind) in events {
            match (kind, installed.cmp(&bound)) {
                ("introduced", Ordering::Greater | Ordering::Equal) => vulnerable = true,
                ("fixed", Ordering::Greater | Ordering::Equal) => vulnerable = false,
                ("last_affected", Ordering::Greater) => vulnerable = false,
                _ => {}
            }
        }
        affected |= vulnerable;
    }
    Some(affected)
}

/// Every record of every package at up to eight of the versions that the records themselves mention.
#[track_caller]
fn compare_with_raw_records(ecosystem: Ecosystem, index: &IndexSet, at_least: usize) {
    let records = records(ecosystem.osv_name());
    let mut by_name: BTreeMap<&str, Vec<(&Value, &Value)>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.get("withdrawn").is_none()) {
        for entry in record["affected"].as_array().unwrap() {
            by_name
                .entry(entry["package"]["name"].as_str().unwrap())
                .or_default()
                .push((record, entry));
        }
    }
    let mut compared = 0;
    for (name, entries) in &by_name {
        let mut versions = BTreeSet::new();
        for (_, entry) in entries {
            versions.extend(
                entry["versions"].as_array().into_iter().flatten().filter_map(Value::as_str),
            );
            let events = entry["ranges"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|range| range["type"] != "GIT");
            let events = events.flat_map(|range| range["events"].as_array().unwrap());
            versions
                .extend(events.filter_map(|event| event.as_object()?.values().next()?.as_str()));
        }
        let step = versions.len() / 8 + 1;
        let packages: Vec<Package> = versions
            .into_iter()
            .step_by(step)
            .map(|version| package(ecosystem, name, version))
            .collect();
        let report = match_inventory(&inventory(None, packages.clone()), index);
        for package in &packages {
            let found =
                report.findings.iter().filter(|finding| finding.package.purl == package.purl);
            let found: Vec<_> = found.collect();
            for (record, entry) in entries {
                let custom = entry["ecosystem_specific"]["custom_ranges"].is_array();
                // A record may name a package twice; then one entry alone does not decide.
                let twice =
                    entries.iter().filter(|(other, _)| other["id"] == record["id"]).count() > 1;
                let (false, false, Some(expected)) =
                    (custom, twice, osv_affected(entry, &package.version))
                else {
                    continue;
                };
                let id = record["id"].as_str().unwrap().to_owned();
                let named = |finding: &&&VulnFinding| {
                    finding.matched.record == id || finding.aliases.contains(&id)
                };
                let finding = found.iter().find(named);
                assert_eq!(finding.is_some(), expected, "{id} on {}", package.purl);
                assert!(
                    finding.is_none_or(|finding| finding.state == State::Unhealthy),
                    "{id} on {}",
                    package.purl
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= at_least, "{ecosystem}: only {compared} pairs could be compared");
}

#[test]
fn pypi_findings_equal_a_plain_reading_of_the_records() {
    let Some(dir) = built() else { return };
    compare_with_raw_records(Ecosystem::PyPI, &open(dir).unwrap(), 15_000);
}

#[test]
fn go_findings_equal_a_plain_reading_of_the_records() {
    let Some(dir) = built() else { return };
    compare_with_raw_records(Ecosystem::Go, &open(dir).unwrap(), 10_000);
}

/// dpkg is the outside judge of Debian's order.
#[test]
fn debian_findings_agree_with_dpkg() {
    let Some(dir) = built() else { return };
    let dpkg = |installed: &str, fixed: &str| {
        let mut command = std::process::Command::new("dpkg");
        command
            .args(["--compare-versions", installed, "lt", fixed])
            .status()
            .map(|status| status.success())
    };
    if dpkg("1", "2").is_err() {
        return println!("skipped: no dpkg on this machine");
    }
    let index = open(dir).unwrap();
    let mut compared = 0;
    for record in records("Debian") {
        let entries = record["affected"].as_array().unwrap().clone();
        for entry in entries.iter().filter(|entry| entry["package"]["ecosystem"] == "Debian:11") {
            let fixed = entry["ranges"][0]["events"][1]["fixed"].as_str().unwrap();
            let upstream = fixed.split(['+', '-', '~']).next().unwrap();
            let id = record["id"].as_str().unwrap();
            for installed in [
                upstream,
                &format!("{upstream}-1"),
                &format!("{fixed}~"),
                fixed,
                &format!("{fixed}.1"),
            ] {
                let name = entry["package"]["name"].as_str().unwrap();
                let found = findings(&index, Some("11"), vec![deb("any", name, installed)]);
                let found = found.iter().any(|finding| {
                    finding.matched.record == id || finding.aliases.iter().any(|alias| alias == id)
                });
                assert_eq!(
                    found,
                    dpkg(installed, fixed).unwrap(),
                    "{id}: {name} {installed} against {fixed}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000, "{compared}");
}
