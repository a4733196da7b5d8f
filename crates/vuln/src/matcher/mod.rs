//! Package → segment → name → rows → compare → record → flaw → finding.
//!
//! One finding is one (package instance, flaw). Several records of one flaw: affected if any says so.
mod coverage;
mod finding;
mod judge;
mod kernel;

pub use coverage::{Coverage, NotCovered, SegmentCoverage};
pub use judge::{Judgement, Reason, Verdict, judge};

use crate::index::IndexSet;
use crate::order::Scheme;
use crate::segment::{DetailsCache, Segment};
use coverage::{CoverageDraft, Place};
use finding::FindingDraft;
use seawall_model::Problem;
use seawall_model::finding::{FixStatus, VulnFinding};
use seawall_model::package::{Ecosystem, Inventory, Package};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Everything one inventory's packages are known to suffer from, and what could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchReport {
    /// Known exploited first, then by severity, available fix, package and flaw.
    pub findings: Vec<VulnFinding>,
    pub coverage: Coverage,
    pub problems: Vec<Problem>,
}

/// Matches every package of `inventory`. Never fails: what cannot be judged is a problem, and a gap among them makes
/// the coverage incomplete.
pub fn match_inventory(inventory: &Inventory, index: &IndexSet) -> MatchReport {
    let mut coverage = CoverageDraft::default();
    let mut problems = Vec::new();
    let mut findings = Vec::new();
    let mut details = DetailsCache::default();
    let foreign = third_party_names(inventory);
    for package in &inventory.packages {
        if package.owner.as_deref().is_some_and(|owner| !foreign.contains(owner)) {
            coverage.owned += 1;
            continue;
        }
        if package.ecosystem == Ecosystem::Debian && package.third_party {
            coverage.third_party += 1;
            continue;
        }
        let place = Place::of(package, inventory.distro.as_ref(), index);
        let Some(segment) = place.segment(index) else {
            coverage.miss(place);
            continue;
        };
        coverage.hit(segment);
        let (name, version) = keyed_by(package);
        let judgements = judge(segment, &name, &version);
        let unknown =
            |reason| judgements.iter().filter(move |own| own.verdict == Verdict::Unknown(reason));
        if unknown(Reason::NotComparable).next().is_some() {
            problems.push(not_comparable(package, &version, segment.meta().scheme));
        }
        for judgement in unknown(Reason::BoundNotComparable) {
            // A damaged record is told of below, where every record is read.
            let record = details.advisory(segment, judgement.advisory).map(|record| record.id);
            problems.extend(record.ok().map(|id| bound_not_comparable(package, &id, segment)));
        }
        let draft = FindingDraft { inventory, package, segment, index };
        match draft.findings(&judgements, &mut details) {
            Ok(found) => findings.extend(found),
            Err(error) => problems.push(
                Problem::error("segment-damaged", format!("{}: {error}", segment.name()))
                    .item(&package.purl)
                    .help("build the index again with `seawall db build`"),
            ),
        }
    }
    findings.sort_by_cached_key(|finding| {
        let fixable = finding.fix.status == FixStatus::Available;
        let layer = finding.package.layer.as_ref().map(|layer| layer.index);
        let package = (finding.package.purl.clone(), layer, finding.package.locations.clone());
        (
            Reverse(finding.kev.is_some()),
            Reverse(finding.severity.level),
            Reverse(fixable),
            package,
            finding.id.clone(),
        )
    });
    let coverage = coverage.finish(index, &mut problems);
    MatchReport { findings, coverage, problems }
}

/// OS packages of other vendors. No distro advisory speaks of what they own, so the language's own have to.
fn third_party_names(inventory: &Inventory) -> BTreeSet<&str> {
    let foreign =
        |package: &&Package| package.ecosystem == Ecosystem::Debian && package.third_party;
    inventory.packages.iter().filter(foreign).map(|package| package.name.as_str()).collect()
}

/// The name and version that advisories are keyed by.
pub(crate) fn keyed_by(package: &Package) -> (Cow<'_, str>, Cow<'_, str>) {
    match (package.ecosystem, &package.source) {
        (Ecosystem::Debian, Some(source)) => (Cow::from(&source.name), Cow::from(&source.version)),
        (Ecosystem::Debian, None) => (Cow::from(&package.name), Cow::from(&package.version)),
        (Ecosystem::PyPI, _) => (
            Cow::from(crate::name::normalize(Ecosystem::PyPI, &package.name)),
            Cow::from(&package.version),
        ),
        (Ecosystem::Go, _) if package.name == GO_STDLIB => {
            (Cow::from(GO_STDLIB), Cow::from(go_toolchain(&package.version)))
        }
        (Ecosystem::Go, _) => (Cow::from(&package.name), Cow::from(&package.version)),
    }
}

/// The name the Go vulnerability database gives the standard library.
const GO_STDLIB: &str = "stdlib";

/// A toolchain version in SemVer: `go1.21rc2` is `1.21.0-rc.2`. Source: `GoTagToSemver` in golang.org/x/vuln, which
/// writes the bounds of the database.
fn go_toolchain(version: &str) -> String {
    let version = version.strip_prefix("go").unwrap_or(version);
    let Some(at) = ["rc", "beta", "alpha"].iter().find_map(|word| version.find(word)) else {
        return version.to_owned();
    };
    let (numbers, pre) = version.split_at(at);
    let digits = pre.find(|c: char| c.is_ascii_digit()).unwrap_or(pre.len());
    let (word, number) = pre.split_at(digits);
    let plain =
        numbers.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if plain && numbered && numbers.contains('.') {
        let patch = if numbers.matches('.').count() == 1 { ".0" } else { "" };
        format!("{numbers}{patch}-{word}.{number}")
    } else {
        version.to_owned()
    }
}

fn bound_not_comparable(package: &Package, record: &str, segment: &Segment) -> Problem {
    let message = format!(
        "{record} bounds {} by a version outside the {} order, so it decides nothing",
        package.name,
        segment.meta().scheme
    );
    Problem::gap("bound-not-comparable", message).item(&package.purl)
}

fn not_comparable(package: &Package, version: &str, scheme: Scheme) -> Problem {
    let message = format!(
        "{} {version} is outside the {scheme} order, so its advisories decide nothing",
        package.name
    );
    let problem = Problem::gap("version-not-comparable", message).item(&package.purl);
    match package.locations.first() {
        Some(location) => problem.file(location),
        None => problem,
    }
}

#[test]
fn toolchain_versions_become_semver() {
    for (go, semver) in [
        ("1.21.3", "1.21.3"),
        ("go1.21.3", "1.21.3"),
        ("1.21rc2", "1.21.0-rc.2"),
        ("1.21.0rc2", "1.21.0-rc.2"),
        ("go1.17beta1", "1.17.0-beta.1"),
        ("1.20", "1.20"),
        ("devel +abc", "devel +abc"),
        ("1.21rc2x", "1.21rc2x"),
        ("source", "source"),
    ] {
        assert_eq!(go_toolchain(go), semver, "{go}");
    }
}
