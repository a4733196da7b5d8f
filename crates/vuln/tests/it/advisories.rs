//! Builders of records, segments and packages.
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, SourcePackage, Target};
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{IndexSet, Kev, Segment, kev};
use std::collections::BTreeMap;

pub(crate) fn feed() -> FeedDate {
    FeedDate { key: "osv".to_owned(), newest: Some(1_700_000_000_000) }
}

pub(crate) fn advisory(id: &str, names: &[&str], affected: Vec<Affected>) -> Advisory {
    let owned = |cve: bool| {
        names
            .iter()
            .filter(|name| name.starts_with("CVE-") == cve)
            .map(|name| (*name).to_owned())
            .collect()
    };
    Advisory {
        id: id.to_owned(),
        cves: owned(true),
        aliases: owned(false),
        title: Some(format!("{id} title")),
        severity: Severity::Unknown,
        cvss: None,
        references: vec![format!("https://example.org/{id}")],
        published: None,
        modified: Some(1_700_000_000_000),
        withdrawn: None,
        affected,
    }
}

/// `ranges` are `introduced..fixed`, `introduced..=last`, with either side empty; `=version` is a listed version.
pub(crate) fn affected(
    ecosystem: Ecosystem,
    release: Option<&str>,
    name: &str,
    ranges: &[&str],
) -> Affected {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (listed, ranges): (Vec<&str>, Vec<&str>) =
        ranges.iter().partition(|range| range.starts_with('='));
    let range = |range: &str| {
        let (introduced, end) = range.split_once("..").unwrap();
        let end = match (end.strip_prefix('='), end) {
            (Some(last), _) => RangeEnd::LastAffected(last.to_owned()),
            (None, "") => RangeEnd::Open,
            (None, fixed) => RangeEnd::Fixed(fixed.to_owned()),
        };
        Range { introduced: some(introduced), end }
    };
    Affected {
        ecosystem,
        release: release.map(str::to_owned),
        name: name.to_owned(),
        ranges: ranges.into_iter().map(range).collect(),
        versions: listed.into_iter().map(|version| version[1..].to_owned()).collect(),
        severity: None,
        undecidable: false,
        only: Only::default(),
        unfixed: FixStatus::None,
    }
}

pub(crate) fn segment(
    ecosystem: Ecosystem,
    release: Option<&str>,
    advisories: &[Advisory],
) -> Segment {
    let advisories: Vec<&Advisory> = advisories.iter().collect();
    Segment::open(build(ecosystem, release, feed(), &advisories).unwrap().bytes).unwrap()
}

pub(crate) fn index(segments: Vec<Segment>) -> IndexSet {
    let added = BTreeMap::from([("CVE-2024-0009".to_owned(), 1_704_153_600_000)]);
    IndexSet::new(segments, Some(Kev::open(kev::build(feed(), &added).unwrap()).unwrap()), [])
}

pub(crate) fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:{}/{name}@{version}", ecosystem.purl_type()),
        arch: None,
        source: None,
        locations: vec!["opt/app".to_owned()],
        owner: None,
        layer: None,
        third_party: false,
        module: None,
    }
}

/// A binary package of a source package.
pub(crate) fn deb(name: &str, source: &str, version: &str) -> Package {
    let source = SourcePackage { name: source.to_owned(), version: version.to_owned() };
    Package { source: Some(source), ..package(Ecosystem::Debian, name, "9:9") }
}

/// `debian:11` or `debian`.
pub(crate) fn distro(text: &str) -> Option<Distro> {
    let (id, version) =
        text.split_once(':').map_or((text, None), |(id, version)| (id, Some(version.to_owned())));
    Some(Distro { id: id.to_owned(), version, name: None })
}

pub(crate) fn inventory(distro: Option<Distro>, packages: Vec<Package>) -> Inventory {
    Inventory {
        target: Target::Directory { path: "/".to_owned() },
        distro,
        platform: None,
        layers: Vec::new(),
        packages,
        problems: Vec::new(),
        repositories: Vec::new(),
        extractor_version: 1,
    }
}
