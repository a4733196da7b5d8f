//! Index segments with a right digest, opened, asked and matched against: a file that someone sealed after changing it.
use crate::Target;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, Target as Scanned};
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{IndexSet, Segment, match_inventory};
use sha2::{Digest, Sha256};

pub(crate) const TARGET: Target = Target { name: "vuln-segment", run, seeds, rounds: 2_000 };

/// Where the digest ends, which covers all behind it.
const DIGEST_END: usize = 48;

fn run(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    let Ok(segment) = Segment::open(bytes) else { return };
    let (name, ecosystem) = (segment.name(), segment.meta().ecosystem);
    let names = segment.names();
    let index = IndexSet::new(vec![segment], None, []);
    for package in names.iter().map(String::as_str).chain(["demo"]) {
        let _ = index.package_statements(ecosystem, package);
    }
    let _ = index.record("P-1");
    let report = match_inventory(&inventory(), &index);
    assert_eq!(report, match_inventory(&inventory(), &index), "{name}");
}

pub(super) fn seal(file: &mut [u8]) {
    if let Some((head, body)) = file.split_at_mut_checked(DIGEST_END) {
        head[16..].copy_from_slice(&Sha256::digest(body));
    }
}

fn inventory() -> Inventory {
    let package = |ecosystem: Ecosystem, name: &str, version: &str| Package {
        ecosystem,
        name: name.into(),
        version: version.into(),
        purl: format!("pkg:{}/{name}@{version}", ecosystem.purl_type()),
        arch: None,
        source: None,
        locations: vec!["opt/app".into()],
        owner: None,
        layer: None,
        third_party: false,
        module: None,
    };
    let versions = ["0.5", "1.5", "3", "x y"];
    let packages = Ecosystem::ALL
        .into_iter()
        .flat_map(|ecosystem| versions.map(|version| package(ecosystem, "demo", version)))
        .collect();
    Inventory {
        target: Scanned::Directory { path: "/".into() },
        distro: Some(Distro { id: "debian".into(), version: Some("12".into()), name: None }),
        platform: None,
        layers: Vec::new(),
        packages,
        problems: Vec::new(),
        repositories: Vec::new(),
        extractor_version: 1,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let affected = |ecosystem, release: Option<&str>, name: &str, end| Affected {
        ecosystem,
        release: release.map(str::to_owned),
        name: name.into(),
        ranges: vec![Range { introduced: Some("1".into()), end }],
        versions: vec!["0.5".into()],
        severity: None,
        undecidable: false,
        only: Only::default(),
        unfixed: FixStatus::None,
    };
    let advisory = |affected| Advisory {
        id: "P-1".into(),
        cves: vec!["CVE-2024-0001".into()],
        aliases: vec!["GHSA-a".into()],
        title: Some("t".into()),
        severity: Severity::High,
        cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        references: vec!["https://example.org".into()],
        published: Some(1),
        modified: Some(2),
        withdrawn: None,
        affected,
    };
    let file = |ecosystem, release: Option<&str>| {
        let ends =
            [RangeEnd::Fixed("2".into()), RangeEnd::LastAffected("2".into()), RangeEnd::Open];
        let entries =
            ends.into_iter().map(|end| affected(ecosystem, release, "demo", end)).collect();
        let advisory = advisory(entries);
        let feed = FeedDate { key: "osv".into(), newest: Some(3) };
        build(ecosystem, release, feed, &[&advisory]).expect("a small segment").bytes
    };
    vec![file(Ecosystem::PyPI, None), file(Ecosystem::Debian, Some("12"))]
}

#[test]
fn the_seeds_open_sealed() {
    for mut seed in seeds() {
        seal(&mut seed);
        let index = IndexSet::new(vec![Segment::open(seed).unwrap()], None, []);
        assert!(!match_inventory(&inventory(), &index).findings.is_empty());
    }
}
