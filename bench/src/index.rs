//! An index of the size of Debian's and PyPI's feeds together, and the inventory of a large image.
use crate::dice::Dice;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, SourcePackage, Target};
use seawall_vuln::segment::{FeedDate, build};

/// Source packages that advisories speak of.
const NAMES: usize = 4_000;
pub const RELEASE: &str = "12";

/// The bytes of one segment of `advisories` records.
pub fn segment(ecosystem: Ecosystem, advisories: usize) -> Vec<u8> {
    let release = (ecosystem == Ecosystem::Debian).then_some(RELEASE);
    let mut dice = Dice::new();
    let advisories: Vec<_> =
        (0..advisories).map(|number| advisory(ecosystem, release, number, &mut dice)).collect();
    let feed = FeedDate { key: "osv".to_owned(), newest: Some(1_700_000_000_000) };
    let built = build(ecosystem, release, feed, &advisories.iter().collect::<Vec<_>>());
    built.expect("generated advisories fit a segment").bytes
}

fn advisory(
    ecosystem: Ecosystem,
    release: Option<&str>,
    number: usize,
    dice: &mut Dice,
) -> Advisory {
    let introduced = (dice.roll(3) == 0).then(|| format!("{}.{}", dice.roll(3), dice.roll(9)));
    let end = match dice.roll(4) {
        0 => RangeEnd::Open,
        _ => RangeEnd::Fixed(version(dice)),
    };
    Advisory {
        id: format!("BENCH-{number}"),
        cves: vec![format!("CVE-2024-{number:05}")],
        aliases: Vec::new(),
        title: Some(format!("Out-of-bounds read number {number} in the parser of untrusted input")),
        severity: Severity::ALL[dice.roll(Severity::ALL.len())],
        cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
        references: vec![format!("https://example.org/advisories/{number}")],
        published: Some(1_690_000_000_000),
        modified: Some(1_700_000_000_000),
        withdrawn: None,
        affected: vec![Affected {
            ecosystem,
            release: release.map(str::to_owned),
            name: format!("package-{}", dice.roll(NAMES)),
            ranges: vec![Range { introduced, end }],
            versions: Vec::new(),
            severity: None,
            undecidable: false,
            only: Only::default(),
            unfixed: FixStatus::None,
        }],
    }
}

fn version(dice: &mut Dice) -> String {
    format!("{}.{}.{}", dice.roll(5), dice.roll(12), dice.roll(30))
}

/// Half Debian, half PyPI.
pub fn inventory(packages: usize) -> Inventory {
    let mut dice = Dice::new();
    let package = |number: usize| {
        let ecosystem = if number.is_multiple_of(2) { Ecosystem::Debian } else { Ecosystem::PyPI };
        let (name, version) = (format!("package-{}", dice.roll(NAMES)), version(&mut dice));
        Package {
            ecosystem,
            purl: format!("pkg:{}/{name}@{version}", ecosystem.purl_type()),
            arch: None,
            source: (ecosystem == Ecosystem::Debian)
                .then(|| SourcePackage { name: name.clone(), version: version.clone() }),
            name,
            version,
            locations: vec!["var/lib/dpkg/status".to_owned()],
            owner: None,
            layer: None,
            third_party: false,
            module: None,
        }
    };
    Inventory {
        target: Target::Directory { path: "/".to_owned() },
        distro: Some(Distro {
            id: "debian".to_owned(),
            version: Some(RELEASE.to_owned()),
            name: None,
        }),
        platform: None,
        layers: Vec::new(),
        packages: (0..packages).map(package).collect(),
        problems: Vec::new(),
        repositories: Vec::new(),
        extractor_version: 1,
    }
}

/// Pairs of versions of one ecosystem's shape.
pub fn versions(count: usize) -> Vec<(String, String)> {
    let mut dice = Dice::new();
    (0..count).map(|_| (version(&mut dice), version(&mut dice))).collect()
}

#[test]
fn the_inventory_has_findings() {
    use seawall_vuln::{IndexSet, Segment, match_inventory};
    let segments = [Ecosystem::Debian, Ecosystem::PyPI]
        .map(|ecosystem| Segment::open(segment(ecosystem, 2_000)).unwrap());
    let report = match_inventory(&inventory(100), &IndexSet::new(segments.into(), None, []));
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert!(report.findings.len() > 5, "{}", report.findings.len());
}
