//! The traps of OSV's databases. Go, Rust, Python, AlmaLinux and Bitnami: real records; the other ecosystems: records
//! written after real ones of the GitHub Advisory Database, HSEC and RSEC, whose exports were not at hand.
use crate::damaged::archive;
use crate::inventory::{inventory, package};
use crate::samples::{Index, built, of_module, on, rpm};
use seawall_model::finding::VulnFinding;
use seawall_model::package::{Ecosystem, Inventory, Package};
use std::path::Path;

const FEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feeds/osv");

fn real(folder: &str) -> Option<Index> {
    let path = format!("{folder}/all.zip");
    let Ok(archive) = std::fs::read(Path::new(FEEDS).join(&path)) else {
        println!("skipped: no real feeds at {FEEDS}");
        return None;
    };
    Some(built("osv", &[(&path, archive)]))
}

fn told(finding: &VulnFinding) -> String {
    let fixes: Vec<&str> = finding.fix.versions.iter().map(|fix| fix.version.as_str()).collect();
    let (state, level) = (finding.state.as_str(), finding.severity.level);
    format!("{state} {level} {}", fixes.join(" ")).trim().to_owned()
}

/// What is said of `flaw` on the target: state, severity and fixes; empty where nothing is found.
#[track_caller]
fn check(index: &Index, target: &Inventory, flaw: &str, expected: &str) {
    let report = index.report(target);
    let own = report.findings.iter().find(|own| own.id == flaw);
    let purl = &target.packages[0].purl;
    assert_eq!(own.map(told).unwrap_or_default(), expected, "{flaw} on {purl}");
}

fn of(ecosystem: Ecosystem, name: &str, version: &str) -> Inventory {
    inventory(None, vec![package(ecosystem, name, version)])
}

/// GO-2023-2385: every version, as the module proxy sees it; the true bounds stand in `custom_ranges`.
#[test]
fn go_ranges_that_are_placeholders_decide_nothing() {
    let Some(index) = real("Go") else { return };
    let module = |name: &str, version: &str| of(Ecosystem::Go, name, version);
    check(
        &index,
        &module("github.com/pubnub/go/v5", "v5.0.0"),
        "CVE-2023-26154",
        "unknown unknown",
    );
    check(&index, &module("github.com/pubnub/go/v9", "v9.0.0"), "CVE-2023-26154", "");
    let fixed = "unhealthy unknown 1.19.1";
    check(&index, &module("stdlib", "1.19"), "CVE-2022-27664", fixed);
    check(&index, &module("stdlib", "1.19.1"), "CVE-2022-27664", "");
}

#[test]
fn rust_records_are_informational_and_bound_to_systems() {
    let Some(index) = real("RustSec") else { return };
    let krate = |name: &str, version: &str| of(Ecosystem::CratesIo, name, version);
    check(&index, &krate("openssl", "0.8.0"), "CVE-2016-10931", "unhealthy high 0.9.0");
    check(&index, &krate("openssl", "0.9.0"), "CVE-2016-10931", "");
    // RUSTSEC-2016-0002 is of Windows.
    check(&index, &krate("hyper", "0.9.3"), "CVE-2016-10932", "");
    // RUSTSEC-2019-0008 is of x86.
    let on_arch = |arch: &str| {
        let own = package(Ecosystem::CratesIo, "simd-json", "0.1.14");
        inventory(None, vec![Package { arch: Some(arch.to_owned()), ..own }])
    };
    check(&index, &on_arch("x86_64"), "CVE-2019-15550", "unhealthy high 0.1.15");
    check(&index, &on_arch("aarch64"), "CVE-2019-15550", "");
    // `unsound` and `unmaintained`.
    check(&index, &krate("smallvec", "0.6.12"), "CVE-2018-25023", "unhealthy info 0.6.13");
    check(&index, &krate("libusb", "0.3.0"), "RUSTSEC-2016-0004", "unhealthy info 0.3.1-0");
    check(&index, &krate("libusb", "0.3.1"), "RUSTSEC-2016-0004", "");
}

#[test]
fn python_versions_are_listed_or_in_a_range() {
    let Some(index) = real("PyPI") else { return };
    let dist = |name: &str, version: &str| of(Ecosystem::PyPI, name, version);
    check(&index, &dist("gratient", "0.5"), "PYSEC-2024-1", "unhealthy unknown");
    check(&index, &dist("gratient", "0.6"), "PYSEC-2024-1", "");
    check(&index, &dist("moin", "1.8.2"), "CVE-2009-1482", "unhealthy unknown 1.8.3");
    check(&index, &dist("Moin", "1.8.3"), "CVE-2009-1482", "");
}

#[test]
fn alma_modules_match_modules_and_rebuilds_count_once() {
    let Some(index) = real("AlmaLinux") else { return };
    let alma = |package: Package| on("almalinux", "8.6", package);
    let plain = |name: &str, version: &str| rpm(Ecosystem::AlmaLinux, name, version, "x86_64");
    // ALSA-2019:0981, `python27:2.7` in the summary.
    let cython = || plain("python2-Cython", "0.28.1-6.module_el8.5.0+1+a");
    let found = "unhealthy high 0.28.1-7.module_el8.6.0+2781+fed64c13";
    check(&index, &alma(of_module("python27:2.7", cython())), "CVE-2019-9636", found);
    check(&index, &alma(of_module("python27:2.8", cython())), "CVE-2019-9636", "");
    check(&index, &alma(cython()), "CVE-2019-9636", "");
    // ALSA-2021:4399 has 3.6.8-41.el8 and 3.6.8-41.el8.alma.
    let python = |version: &str| alma(plain("platform-python", version));
    check(&index, &python("3.6.8-40.el8"), "CVE-2021-3426", "unhealthy medium 3.6.8-41.el8");
    check(&index, &python("3.6.8-41.el8"), "CVE-2021-3426", "");
    // ALSA-2023:5989 names no stream.
    let varnish = || plain("varnish", "6.0.8-2.module_el8.8.0+1+a");
    check(&index, &alma(of_module("varnish:6", varnish())), "CVE-2023-44487", "unknown high");
    check(&index, &alma(varnish()), "CVE-2023-44487", "");
    let drops = &index.report.feeds[0].files[0].drops;
    assert_eq!(drops.get("no security advisory"), Some(&1200), "ALBA and ALEA");
}

#[test]
fn bitnami_packages_are_in_semver() {
    let Some(index) = real("Bitnami") else { return };
    let app = |version: &str| of(Ecosystem::Bitnami, "activemq", version);
    check(&index, &app("5.15.12"), "CVE-2020-11998", "unhealthy critical");
    check(&index, &app("5.15.13"), "CVE-2020-11998", "");
}

/// `events` after a real record: kind and version.
fn written(id: &str, cve: &str, place: (&str, &str), events: &[(&str, &str)]) -> String {
    let events: Vec<String> =
        events.iter().map(|(kind, version)| format!(r#"{{"{kind}":"{version}"}}"#)).collect();
    let (ecosystem, name) = place;
    format!(
        r#"{{"id":"{id}","aliases":["{cve}"],"modified":"2024-01-02T00:00:00Z","database_specific":{{"severity":"HIGH"}},
        "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{}]}}]}}]}}"#,
        events.join(",")
    )
}

/// Found in `affected`, not in `sound`: names and versions as packages write them.
#[track_caller]
fn check_written(
    ecosystem: Ecosystem,
    record: &str,
    flaw: &str,
    affected: &[(&str, &str)],
    sound: &[(&str, &str)],
) {
    let path = format!("{}/all.zip", ecosystem.osv_name());
    let index = built("osv", &[(&path, archive(&[record.to_owned()]))]);
    for (packages, expected) in [(affected, true), (sound, false)] {
        for (name, version) in packages {
            let report = index.report(&of(ecosystem, name, version));
            let found = report
                .findings
                .iter()
                .any(|own| own.id == flaw && own.state.as_str() == "unhealthy");
            assert_eq!(found, expected, "{flaw} in {ecosystem} {name} {version}");
        }
    }
}

#[test]
fn npm_and_maven_and_nuget() {
    let lodash = ("npm", "lodash");
    let record = written(
        "GHSA-35jh-r3h4-6jhm",
        "CVE-2021-23337",
        lodash,
        &[("introduced", "0"), ("fixed", "4.17.21")],
    );
    check_written(
        Ecosystem::Npm,
        &record,
        "CVE-2021-23337",
        &[("lodash", "4.17.20"), ("lodash", "4.17.21-rc.1")],
        &[("lodash", "4.17.21"), ("Lodash", "4.17.20"), ("lodash-es", "4.17.20")],
    );
    let log4j = ("Maven", "org.apache.logging.log4j:log4j-core");
    let events = [("introduced", "2.13.0"), ("fixed", "2.15.0")];
    let record = written("GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228", log4j, &events);
    let core = |version| ("org.apache.logging.log4j:log4j-core", version);
    check_written(
        Ecosystem::Maven,
        &record,
        "CVE-2021-44228",
        &[core("2.14.1"), core("2.15.0-rc1"), core("2.13.0.Final")],
        &[core("2.15.0"), core("2.15.0.ga"), core("2.13.0-beta9"), ("log4j:log4j", "2.14.1")],
    );
    let events = [("introduced", "0"), ("fixed", "13.0.1")];
    let record =
        written("GHSA-5crp-9r3c-p9vr", "CVE-2024-21907", ("NuGet", "Newtonsoft.Json"), &events);
    check_written(
        Ecosystem::NuGet,
        &record,
        "CVE-2024-21907",
        &[("newtonsoft.json", "12.0.3"), ("Newtonsoft.Json", "13.0.1-beta2")],
        &[("Newtonsoft.Json", "13.0.1"), ("Newtonsoft.Json", "13.0.1.0")],
    );
}

#[test]
fn packagist_and_rubygems() {
    let events = [("introduced", "2.0.0"), ("fixed", "4.4.50")];
    let record = written(
        "GHSA-h7vf-5wrv-9fhv",
        "CVE-2022-24894",
        ("Packagist", "symfony/http-kernel"),
        &events,
    );
    let kernel = |version| ("symfony/http-kernel", version);
    check_written(
        Ecosystem::Packagist,
        &record,
        "CVE-2022-24894",
        &[kernel("4.4.49"), kernel("v4.4.49"), ("Symfony/Http-Kernel", "4.4.50-RC1")],
        &[kernel("4.4.50"), kernel("v4.4.50"), kernel("dev-main"), kernel("6.x-dev")],
    );
    // What a branch holds, nobody can tell by its name.
    let branch = built("osv", &[("Packagist/all.zip", archive(&[record]))]);
    for version in ["dev-main", "6.x-dev"] {
        let target = of(Ecosystem::Packagist, "symfony/http-kernel", version);
        check(&branch, &target, "CVE-2022-24894", "unknown high");
    }
    let events = [("introduced", "0"), ("fixed", "1.13.6")];
    let record =
        written("GHSA-xh29-r2w5-wx8m", "CVE-2022-29181", ("RubyGems", "nokogiri"), &events);
    let gem = |version| ("nokogiri", version);
    check_written(
        Ecosystem::RubyGems,
        &record,
        "CVE-2022-29181",
        &[gem("1.13.5"), gem("1.13.6.rc1"), gem("1.13.6.a2")],
        &[gem("1.13.6"), gem("1.13.6.0"), gem("1.13.10")],
    );
}

#[test]
fn pub_and_hackage_and_cran() {
    let events = [("introduced", "0"), ("fixed", "0.13.3")];
    let record = written("GHSA-4rgh-jx4f-qfcq", "CVE-2020-35669", ("Pub", "http"), &events);
    check_written(
        Ecosystem::Pub,
        &record,
        "CVE-2020-35669",
        &[("http", "0.13.2"), ("http", "0.13.3-dev.1")],
        &[("http", "0.13.3"), ("http", "0.13.3+1")],
    );
    let events = [("introduced", "0.4.0.0"), ("fixed", "2.0.1.0")];
    let record = written("HSEC-2023-0001", "CVE-2022-3433", ("Hackage", "aeson"), &events);
    check_written(
        Ecosystem::Hackage,
        &record,
        "CVE-2022-3433",
        &[("aeson", "2.0.1"), ("aeson", "1.5.6.0")],
        &[("aeson", "2.0.1.0"), ("aeson", "0.3.9")],
    );
    let events = [("introduced", "0.2"), ("last_affected", "1.8-1")];
    let record = written("RSEC-2023-6", "CVE-2023-0001", ("CRAN", "commonmark"), &events);
    check_written(
        Ecosystem::Cran,
        &record,
        "CVE-2023-0001",
        &[("commonmark", "0.2"), ("commonmark", "1.8.1"), ("commonmark", "1.8-1")],
        &[("commonmark", "1.8.1.1"), ("commonmark", "1.9"), ("commonmark", "0.1")],
    );
}
