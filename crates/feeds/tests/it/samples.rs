//! Real records of the rpm distros' feeds, each through a whole build: what becomes of them, and what they find.
use crate::inventory::{inventory, package};
use seawall_feeds::{BuildReport, FileReport, Roots, build, open, select};
use seawall_model::finding::{FixStatus, VulnFinding};
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, SourcePackage};
use seawall_vuln::{IndexSet, MatchReport, match_inventory};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feed-samples");

/// An index of files of one feed.
pub(crate) struct Index {
    pub(crate) report: BuildReport,
    pub(crate) index: IndexSet,
    pub(crate) _dir: TempDir,
}

/// Builds `key` from files, each a path below its base and the content.
pub(crate) fn built(key: &str, files: &[(&str, Vec<u8>)]) -> Index {
    let dir = TempDir::new().unwrap();
    for (path, content) in files {
        let path = dir.path().join("root").join(key).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let roots = Roots::below(dir.path().join("root").to_str().unwrap()).unwrap();
    let out = dir.path().join("index");
    let report = build(&roots, &select(&[key]).unwrap(), &out).unwrap();
    assert!(!report.failed(), "{:?}", report.problems);
    for file in report.feeds.iter().flat_map(|feed| &feed.files) {
        assert_eq!(file.records, file.kept + file.drops.values().sum::<u64>(), "{}", file.path);
    }
    Index { report, index: open(&out).unwrap(), _dir: dir }
}

/// As [`built`], of samples. `None` where they are absent.
fn sampled(key: &str, files: &[(&str, &str)]) -> Option<Index> {
    let root = Path::new(SAMPLES).join(key);
    if !root.is_dir() {
        println!("skipped: no real records at {}", root.display());
        return None;
    }
    let read = |(path, sample): &(&'static str, &str)| {
        (*path, std::fs::read(Path::new(SAMPLES).join(sample)).unwrap())
    };
    let files: Vec<(&'static str, &str)> =
        files.iter().map(|(path, sample)| (&*path.to_string().leak(), *sample)).collect();
    Some(built(key, &files.iter().map(read).collect::<Vec<_>>()))
}

impl Index {
    fn file(&self, path: &str) -> &FileReport {
        let mut files = self.report.feeds.iter().flat_map(|feed| &feed.files);
        files.find(|file| file.path == path).unwrap()
    }

    fn segments(&self) -> Vec<&str> {
        self.report.segments.iter().map(|segment| segment.name.as_str()).collect()
    }

    /// Records that are findings of `package`, each with status and versions of its fix, by flaw.
    #[track_caller]
    pub(crate) fn check(&self, target: &Inventory, expected: &[&str]) {
        let report = self.report(target);
        let told: Vec<String> = report.findings.iter().map(told).collect();
        assert_eq!(told, expected, "{:?}", report.problems);
    }

    pub(crate) fn report(&self, target: &Inventory) -> MatchReport {
        match_inventory(target, &self.index)
    }
}

fn told(finding: &VulnFinding) -> String {
    let fixes: Vec<String> = finding
        .fix
        .versions
        .iter()
        .map(|fix| match &fix.channel {
            Some(channel) => format!("{}@{channel}", fix.version),
            None => fix.version.clone(),
        })
        .collect();
    let status = serde_json::to_value(finding.fix.status).unwrap();
    let words = [&finding.id, status.as_str().unwrap(), &fixes.join(" ")].map(str::to_owned);
    words.join(" ").trim().to_owned()
}

pub(crate) fn rpm(ecosystem: Ecosystem, name: &str, version: &str, arch: &str) -> Package {
    Package { arch: Some(arch.to_owned()), ..package(ecosystem, name, version) }
}

pub(crate) fn of_source(name: &str, version: &str, package: Package) -> Package {
    let source = SourcePackage { name: name.to_owned(), version: version.to_owned() };
    Package { source: Some(source), ..package }
}

pub(crate) fn of_module(module: &str, package: Package) -> Package {
    Package { module: Some(module.to_owned()), ..package }
}

pub(crate) fn on(id: &str, version: &str, package: Package) -> Inventory {
    let distro = Distro { id: id.to_owned(), version: Some(version.to_owned()), name: None };
    inventory(Some(distro), vec![package])
}

pub(crate) fn with(repositories: &[&str], inventory: Inventory) -> Inventory {
    let repositories = repositories.iter().map(|&name| name.to_owned()).collect();
    Inventory { repositories, ..inventory }
}

#[test]
fn azure_definitions_are_of_source_packages() {
    let files = [
        ("azurelinux-3.0-oval.xml", "azure-oval/azurelinux-3.0-oval.xml"),
        ("cbl-mariner-2.0-oval.xml", "azure-oval/cbl-mariner-2.0-oval.xml"),
    ];
    let Some(index) = sampled("azure-oval", &files) else { return };
    assert_eq!(index.segments(), ["Azure Linux:2.0", "Azure Linux:3.0"]);
    let counts = |path: &str| (index.file(path).records, index.file(path).kept);
    assert_eq!(counts("azurelinux-3.0-oval.xml"), (3, 3));
    assert_eq!(counts("cbl-mariner-2.0-oval.xml"), (5, 5));
    let azure = |name: &str, version: &str| rpm(Ecosystem::AzureLinux, name, version, "x86_64");
    let glut = |version: &str| {
        let package = of_source("freeglut", version, azure("freeglut-devel", version));
        on("azurelinux", "3.0", package)
    };
    let flaws =
        ["CVE-2024-24258 available 0:3.4.0-1.azl3", "CVE-2024-24259 available 0:3.4.0-1.azl3"];
    index.check(&glut("3.2.1-9.azl3"), &flaws);
    index.check(&glut("3.4.0-1.azl3"), &[]);
    let mariner = |name: &str, version: &str| {
        on("mariner", "2.0.20240101", of_source(name, version, azure(name, version)))
    };
    // Between two bounds.
    index.check(&mariner("golang", "1.19.5-1.cm2"), &["CVE-2023-29404 available 0:1.20.7-1.cm2"]);
    index.check(&mariner("golang", "1.18.8-2.cm2"), &[]);
    index.check(&mariner("golang", "1.20.7-1.cm2"), &[]);
    // Without a fix, whatever the version.
    index.check(&mariner("bind", "9.16.33-1.cm2"), &["CVE-2022-3736 none"]);
    index.check(&mariner("bind", "9.16.44-1.cm2"), &["CVE-2022-3736 none"]);
    // Never applicable.
    index.check(&mariner("glibc", "2.35-4.cm2"), &[]);
}

#[test]
fn oracle_definitions_are_of_architectures_and_flavours() {
    let files = [
        ("com.oracle.elsa-all.xml", "oracle-oval/elsa.xml"),
        ("com.oracle.elsa-ol8.xml", "oracle-oval/elsa-ksplice.xml"),
        ("com.oracle.elsa-2.xml", "oracle-oval/elsa-per-arch.xml"),
    ];
    let Some(index) = sampled("oracle-oval", &files) else { return };
    let names = [5, 6, 7, 8, 10].map(|major| format!("Oracle Linux:{major}"));
    let mut names = names.to_vec();
    names.sort();
    assert_eq!(index.segments(), names);
    let counts = |path: &str| (index.file(path).records, index.file(path).kept);
    assert_eq!(counts("com.oracle.elsa-all.xml"), (2, 2));
    assert_eq!(counts("com.oracle.elsa-ol8.xml"), (1, 1));
    assert_eq!(counts("com.oracle.elsa-2.xml"), (3, 3));
    let ol = |major: &str, name: &str, version: &str, arch: &str| {
        on("ol", major, rpm(Ecosystem::Oracle, name, version, arch))
    };
    let flaws =
        ["CVE-2007-0493 available 30:9.3.3-8.el5", "CVE-2007-0494 available 30:9.3.3-8.el5"];
    index.check(&ol("5.11", "bind-libs", "30:9.3.3-7.el5", "x86_64"), &flaws);
    index.check(&ol("5.11", "bind-libs", "30:9.3.3-8.el5", "x86_64"), &[]);
    // Another release on each architecture.
    let between = "8.24.0-57.0.2.el7_9.3";
    let flaw = ["CVE-2022-24903 available 0:8.24.0-57.0.4.el7_9.3"];
    index.check(&ol("7.9", "rsyslog", between, "aarch64"), &flaw);
    index.check(&ol("7.9", "rsyslog", between, "x86_64"), &[]);
    // The flavour of one build says nothing of another.
    let ksplice = |release: &str| ol("8.4", "openssl", &format!("2:1.1.1g-{release}"), "x86_64");
    let flaws = [
        "CVE-2021-3449 available 2:1.1.1g-15.ksplice1.el8_3",
        "CVE-2021-3450 available 2:1.1.1g-15.ksplice1.el8_3",
    ];
    index.check(&ksplice("12.ksplice1.el8_3"), &flaws);
    index.check(&ksplice("15.ksplice1.el8_3"), &[]);
    index.check(&ol("8.4", "openssl", "1:1.1.1g-12.el8_3", "x86_64"), &[]);
    // Rebuilds in one record: the lowest counts.
    let osbuild = |version: &str| ol("8.10", "osbuild", version, "x86_64");
    let lowest = index.report(&osbuild("1-1.el8"));
    let fix = lowest.findings[0].fix.versions.clone();
    assert_eq!((lowest.findings.len(), fix.len()), (1, 1), "{fix:?}");
    index.check(&osbuild(&fix[0].version), &[]);
}

#[test]
fn suse_definitions_are_of_service_packs_and_channels() {
    let name = "suse.linux.enterprise.server.15.xml";
    let sample = format!("suse-oval/{name}");
    let Some(index) = sampled("suse-oval", &[(name, &sample)]) else { return };
    assert_eq!(index.segments(), ["SUSE:15", "SUSE:15.1"]);
    let file = index.file(name);
    assert_eq!((file.records, file.kept), (4, 4), "{:?} {:?}", file.drops, file.part_drops);
    assert!(file.part_drops.contains_key("test not in the document"), "the sample is cut");
    let sles = |version: &str, name: &str, installed: &str, arch: &str| {
        on("sles", version, rpm(Ecosystem::Suse, name, installed, arch))
    };
    let krb = index.report(&sles("15", "krb5-client", "1.15.2-4.22", "x86_64"));
    let fixes: Vec<String> = krb.findings.iter().map(told).collect();
    assert_eq!(fixes.len(), 1, "{fixes:?}");
    assert!(fixes[0].contains("available 0:1.15.2-4.25"), "{fixes:?}");
    index.check(&sles("15", "krb5-client", "1.15.2-4.25", "x86_64"), &[]);
    index.check(&sles("15.1", "krb5-client", "1.15.2-4.22", "x86_64"), &[]);
    // Fixed for subscribers of LTSS alone, on some architectures.
    let kernel = |arch: &str| sles("15", "kernel-default", "4.12.14-150.66.1", arch);
    let fix = "CVE-2021-29154 in_channel 0:4.12.14-150.72.1@ltss";
    index.check(&kernel("x86_64"), &[fix]);
    index.check(&kernel("i686"), &[]);
    let fix = "CVE-2021-29154 available 0:4.12.14-150.72.1@ltss";
    index.check(&with(&["ltss"], kernel("x86_64")), &[fix]);
    // `kernel-default is not affected`, also below the other flaw's fix.
    let fixed = sles("15", "kernel-source", "4.12.14-150.66.1", "noarch");
    index.check(&fixed, &[]);
    index.check(&sles("15", "python3-cryptography", "2.1.4-4.3", "x86_64"), &[]);
}

#[test]
fn rocky_records_are_of_source_packages_and_modules() {
    let files = ["RLSA-2021_3891.json", "RLSA-2023_3220.json", "RLSA-2024_3671.json"];
    let files = files.map(|name| (name, format!("rocky/{name}")));
    let files: Vec<_> = files.iter().map(|(name, path)| (*name, path.as_str())).collect();
    let Some(index) = sampled("rocky", &files) else { return };
    assert_eq!(index.segments(), ["Rocky Linux:8", "Rocky Linux:9"]);
    let file = index.file("*.json");
    assert_eq!((file.records, file.kept), (3, 3));
    let rocky = |major: &str, name: &str, source: &str, version: &str| {
        let own = of_source(source, version, rpm(Ecosystem::Rocky, name, version, "x86_64"));
        on("rocky", major, own)
    };
    let report = index.report(&rocky("8.7", "firefox", "firefox", "102.10.0-1.el8_7"));
    let ids: Vec<&str> = report.findings.iter().map(|own| own.id.as_str()).collect();
    let numbers = [32205, 32206, 32207, 32211, 32212, 32213, 32215];
    assert_eq!(ids, numbers.map(|number| format!("CVE-2023-{number}")));
    let severity = &report.findings[0].severity;
    assert_eq!(severity.level, seawall_model::Severity::High, "Rocky's own word");
    index.check(&rocky("8.7", "firefox", "firefox", "102.11.0-2.el8_7"), &[]);
    index.check(&rocky("9.2", "firefox", "firefox", "102.10.0-1.el9"), &[]);
    // A binary package of another name, of a source with an epoch that its rpm does not say.
    let headless = |version: &str| {
        let own =
            rpm(Ecosystem::Rocky, "java-11-openjdk-headless", &format!("1:{version}"), "x86_64");
        on("rocky", "8.4", of_source("java-11-openjdk", version, own))
    };
    assert_eq!(index.report(&headless("11.0.12.0.7-0.el8_4")).findings.len(), 10);
    index.check(&headless("11.0.13.0.8-1.el8_4"), &[]);
    // Modules match modules only, and their own stream.
    let version = "3.3.0-1.module+el9.4.0+1+1";
    let ruby = |module: Option<&str>| {
        let own = of_source("ruby", version, rpm(Ecosystem::Rocky, "ruby-libs", version, "x86_64"));
        let own = module.map_or(own.clone(), |module| of_module(module, own));
        on("rocky", "9.4", own)
    };
    assert_eq!(index.report(&ruby(Some("ruby:3.3"))).findings.len(), 3);
    index.check(&ruby(Some("ruby:3.1")), &[]);
    index.check(&ruby(None), &[]);
}

#[test]
fn red_hats_documents_are_of_products() {
    let folder = "csaf/v2/vex/";
    let vex = format!("{folder}2024/cve-2024-10041.json");
    let rhsa = ["2024_6163", "2024_9371", "2025_23414"].map(|id| {
        (
            format!("{folder}{}/rhsa-{id}.json", &id[..4]),
            format!("redhat-csaf-advisories/rhsa-{id}.json"),
        )
    });
    let mut files = vec![
        (vex.as_str(), "redhat-vex/cve-2024-10041.json"),
        ("metrics/repository-to-cpe.json", "redhat-vex/repository-to-cpe.json"),
    ];
    files.extend(rhsa.iter().map(|(path, sample)| (path.as_str(), sample.as_str())));
    let Some(index) = sampled("redhat-vex", &files) else { return };
    assert_eq!(index.segments(), ["Red Hat:6", "Red Hat:9", "redhat-products"]);
    let file = index.file("csaf/v2/vex");
    assert_eq!((file.records, file.kept), (4, 4), "{:?}", file.drops);
    assert_eq!(file.part_drops, BTreeMap::from([("product not in the tree".to_owned(), 1)]));
    let products = index.index.products().unwrap();
    assert_eq!(
        products.of("rhel-8-for-x86_64-baseos-rpms"),
        ["cpe:/o:redhat:enterprise_linux:8::baseos"]
    );

    let rhel = |version: &str, name: &str, installed: &str, arch: &str| {
        on("rhel", version, rpm(Ecosystem::RedHat, name, installed, arch))
    };
    let pam = "CVE-2024-10041 available 0:1.5.1-21.el9_5";
    index.check(&rhel("9.5", "pam", "1.5.1-20.el9", "x86_64"), &[pam]);
    index.check(&rhel("9.5", "pam", "1.5.1-20.el9", "aarch64"), &[pam]);
    index.check(&rhel("9.5", "pam", "1.5.1-20.el9", "s390x"), &[]);
    index.check(&rhel("9.5", "pam", "1.5.1-21.el9_5", "x86_64"), &[]);
    let assumed = index.report(&rhel("9.5", "pam", "1.5.1-20.el9", "x86_64"));
    assert!(assumed.problems.iter().any(|problem| problem.code == "products-assumed"));
    assert_eq!(assumed.findings[0].severity.level, seawall_model::Severity::Medium);
    let centos = on("centos", "9", rpm(Ecosystem::RedHat, "pam", "1.5.1-20.el9", "x86_64"));
    index.check(&centos, &[pam]);
    let report = index.report(&centos);
    assert!(report.problems.iter().any(|problem| problem.code == "centos-as-rhel"));

    // A statement on the source, for a binary package of another name.
    let python = |version: &str| {
        let own = rpm(Ecosystem::RedHat, "python3-libs", version, "x86_64");
        on("rhel", "9.3", of_source("python3.9", version, own))
    };
    let fixes = "CVE-2024-8088 available 3.9.18-3.el9_4.5 3.9.19-8.el9";
    index.check(&python("3.9.18-1.el9_3.1"), &[fixes]);
    let rule = |target| index.report(&target).findings[0].matched.rule.clone();
    assert_eq!(rule(python("3.9.18-1.el9_3.1")), "rpm-source");
    assert_eq!(rule(centos), "rpm-name");
    index.check(&python("3.9.19-8.el9"), &[]);

    // Of extended support after the end: whoever has none is told of the channel.
    let bind = |name: &str, version: &str| rhel("6.10", name, &format!("32:{version}"), "x86_64");
    let fix = "32:9.8.2-0.68.rc1.el6_10.17@rhel_els:6";
    let report = index.report(&bind("bind-libs", "9.8.2-0.68.rc1.el6_10.8"));
    let told: Vec<String> = report.findings.iter().map(told).collect();
    assert!(told.contains(&format!("CVE-2025-40778 in_channel {fix}")), "{told:?}");
    index.check(&bind("bind-libs", "9.8.2-0.68.rc1.el6_10.17"), &[]);
    // `vulnerable_code_not_present`, although its source is named as well.
    let development = index.report(&bind("bind-devel", "9.8.2-0.68.rc1.el6_10.8"));
    assert!(!development.findings.iter().any(|own| own.id == "CVE-2025-40778"));
    assert!(report.findings.iter().all(|own| own.fix.status != FixStatus::Available));
}
