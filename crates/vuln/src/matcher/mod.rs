//! Package → segment → name → rows → compare → record → flaw → finding.
//!
//! One finding is one (package instance, flaw). Several records of one flaw: affected if any says so.
mod coverage;
mod end_of_life;
mod enrich;
mod finding;
mod judge;
mod kernel;
mod only;
mod release;
mod rhel;
mod subject;

pub use coverage::{Coverage, NotCovered, SegmentCoverage};
pub use judge::{Judgement, Reason, Verdict, judge};
pub(crate) use rhel::products as products_of;
pub use subject::Subject;
pub(crate) use subject::keyed_by;

use crate::index::IndexSet;
use crate::order::Scheme;
use crate::segment::{DetailsCache, Segment};
use coverage::CoverageDraft;
pub(crate) use coverage::Place;
use finding::FindingDraft;
use seawall_model::Problem;
use seawall_model::finding::{FixStatus, VulnFinding};
use seawall_model::package::{Inventory, Package};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Everything one inventory's packages are known to suffer from, and what could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchReport {
    /// Known exploited first, then by severity, EPSS score, available fix, package and flaw.
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
    let products = products_of(inventory, index, &mut problems);
    for package in &inventory.packages {
        if package.owner.as_deref().is_some_and(|owner| !foreign.contains(owner)) {
            coverage.owned += 1;
            continue;
        }
        if package.ecosystem.is_of_distro() && package.third_party {
            coverage.third_party += 1;
            continue;
        }
        let place = Place::of(package, inventory, index);
        let Some(segment) = place.segment(index) else {
            coverage.miss(place);
            continue;
        };
        coverage.hit(segment);
        let subject = Subject::of(package, inventory, products.as_deref());
        let judgements = judge_with_source(segment, package, &subject);
        let unknown =
            |reason| judgements.iter().filter(move |own| own.verdict == Verdict::Unknown(reason));
        if unknown(Reason::NotComparable).next().is_some() {
            problems.push(not_comparable(package, &subject.version, segment.meta().scheme));
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
        let epss = finding.epss.as_ref().map(|epss| share(epss.score));
        (
            Reverse(finding.kev.is_some()),
            Reverse(finding.severity.level),
            Reverse(epss),
            Reverse(fixable),
            package,
            finding.id.clone(),
        )
    });
    problems.extend(end_of_life::told(inventory, index));
    let coverage = coverage.finish(index, &mut problems);
    MatchReport { findings, coverage, problems }
}

/// Statements on the package itself, and where a record makes none those on its source.
pub(crate) fn judge_with_source(
    segment: &Segment,
    package: &Package,
    subject: &Subject<'_>,
) -> Vec<Judgement> {
    let mut judgements = judge(segment, subject);
    let Some(source) = subject.source_of(package) else { return judgements };
    // In the order of the segment, so of their records.
    let named = judgements.len();
    for own in judge(segment, &source) {
        match judgements[..named].binary_search_by_key(&own.advisory, |other| other.advisory) {
            Err(_) => judgements.push(own),
            Ok(at) if judgements[at].verdict == Verdict::NotAffected(Reason::Qualifier) => {
                judgements[at] = own;
            }
            Ok(_) => {}
        }
    }
    judgements
}

/// A score from 0 to 1 in millionths, which have an order.
fn share(score: f64) -> u32 {
    (score.clamp(0.0, 1.0) * 1e6) as u32
}

/// OS packages of other vendors. No distro advisory speaks of what they own, so the language's own have to.
fn third_party_names(inventory: &Inventory) -> BTreeSet<&str> {
    let foreign = |package: &&Package| package.ecosystem.is_of_distro() && package.third_party;
    inventory.packages.iter().filter(foreign).map(|package| package.name.as_str()).collect()
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
