//! Why a flaw is not reported of a target: an answer for every package that a record of it speaks of, else one for the
//! target as a whole.
//!
//! ```text
//! package ─► its segment ─► rows ─judge─► verdict of each record that names the flaw ─► answer
//! none of them ─► the whole index ─► another package, no record at all, or nothing that could tell
//! ```
use crate::index::IndexSet;
use crate::matcher::{Judgement, Place, Reason, Subject, Verdict, judge_with_source, products_of};
use crate::segment::{DetailsCache, Segment, SegmentError};
use seawall_model::advisory::{Advisory, RangeEnd};
use seawall_model::finding::{Compared, Qualifier, State, VulnFinding};
use seawall_model::package::{Inventory, Package};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Names shown where a record speaks of packages that are not there; the rest is counted.
const NAMES: usize = 8;

/// What is reported of a flaw, and why the rest is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// As it was asked for.
    pub id: String,
    /// Findings that hold or are undecided: it is reported.
    pub findings: Vec<VulnFinding>,
    pub answers: Vec<Answer>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub why: Why,
    pub message: String,
    /// Package URL; `None` where no package is concerned.
    pub package: Option<String>,
    /// `Debian:11`, `PyPI`.
    pub segment: Option<String>,
    pub record: Option<String>,
    pub compared: Vec<Compared>,
    pub qualifiers: Vec<Qualifier>,
}

/// The ten reasons for which a flaw is not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A record speaks of packages, none of which is there.
    PackageAbsent,
    /// No record of the index names it.
    NoAdvisory,
    /// The version is outside what the record calls affected.
    NotAffected,
    FixInstalled,
    /// The record speaks of another architecture, module, product or flavour.
    QualifierMismatch,
    /// A package of the distro owns the evidence, so the distro's advisories alone judge it.
    OwnedByOsPackage,
    /// Another vendor's build, of which the distro's advisories do not speak.
    ThirdParty,
    Withdrawn,
    /// Excused by an exemption, an ignore file or a VEX statement.
    Exempt,
    /// The index holds nothing that could tell.
    NotCovered,
}

/// Explains `id`, a CVE, an alias or a record's own id, against `findings`, which matching gave and exemptions may have
/// settled. `purl` narrows it to one package. The error is a damaged segment.
pub fn explain(
    id: &str,
    purl: Option<&str>,
    inventory: &Inventory,
    index: &IndexSet,
    findings: &[VulnFinding],
) -> Result<Explanation, SegmentError> {
    let asked = Asked { id, inventory, index };
    let wanted =
        |own: &str| purl.is_none_or(|purl| own == purl || own.split('?').next() == Some(purl));
    let (mut reported, mut answers) = (Vec::new(), Vec::new());
    for finding in findings.iter().filter(|finding| wanted(&finding.package.purl)) {
        if !names(id, &finding.id, &[], &finding.aliases) {
            continue;
        }
        match finding.state {
            State::Unhealthy | State::Unknown => reported.push(finding.clone()),
            State::Exempt => answers.push(exempt(finding)),
            State::NotApplicable | State::Healthy => answers.push(not_running(finding)),
        }
    }
    let packages: Vec<&Package> =
        inventory.packages.iter().filter(|package| wanted(&package.purl)).collect();
    let (mut details, mut uncovered) = (DetailsCache::default(), BTreeSet::new());
    for package in &packages {
        let place = Place::of(package, inventory, index);
        match place.segment(index) {
            Some(segment) => answers.extend(asked.of_package(package, segment, &mut details)?),
            None => _ = uncovered.insert(place.name()),
        }
    }
    if reported.is_empty() && answers.is_empty() {
        answers.push(match (purl, packages.is_empty()) {
            (Some(purl), true) => absent(format!("{purl} is not in the target")),
            _ => asked.of_target(&uncovered, &mut details)?,
        });
    }
    answers.sort_by(|a, b| (&a.package, a.why, &a.record).cmp(&(&b.package, b.why, &b.record)));
    answers.dedup();
    Ok(Explanation { id: id.to_owned(), findings: reported, answers })
}

struct Asked<'a> {
    id: &'a str,
    inventory: &'a Inventory,
    index: &'a IndexSet,
}

impl Asked<'_> {
    /// An answer for each record that names the flaw and does not hold it against the package.
    fn of_package(
        &self,
        package: &Package,
        segment: &Segment,
        details: &mut DetailsCache,
    ) -> Result<Vec<Answer>, SegmentError> {
        let products = products_of(self.inventory, self.index, &mut Vec::new());
        let subject = Subject::of(package, self.inventory, products.as_deref());
        let mut answers = Vec::new();
        for judgement in judge_with_source(segment, package, &subject) {
            let record = details.advisory(segment, judgement.advisory)?;
            if !names(self.id, &record.id, &record.cves, &record.aliases) {
                continue;
            }
            let Some((why, message)) = reason(package, &judgement, &record) else { continue };
            answers.push(Answer {
                why,
                message,
                package: Some(package.purl.clone()),
                segment: Some(segment.name()),
                record: Some(record.id),
                compared: judgement.compared,
                qualifiers: judgement.qualifiers,
            });
        }
        Ok(answers)
    }

    /// No record that judged a package names it.
    fn of_target(
        &self,
        uncovered: &BTreeSet<String>,
        details: &mut DetailsCache,
    ) -> Result<Answer, SegmentError> {
        let (mut speaking, mut withdrawn, mut record) = (BTreeSet::new(), true, None);
        for segment in self.index.segments() {
            for place in 0..segment.meta().advisories {
                let advisory = details.advisory(segment, place)?;
                if !names(self.id, &advisory.id, &advisory.cves, &advisory.aliases) {
                    continue;
                }
                withdrawn &= advisory.withdrawn.is_some();
                let own = segment.names_of(place);
                speaking.extend(own.into_iter().map(|name| format!("{}/{name}", segment.name())));
                record.get_or_insert(advisory.id);
            }
        }
        let held = |place: &String| {
            speaking.iter().any(|own| {
                let ecosystem =
                    |name: &str| name.split([':', '/']).next().map(str::to_ascii_lowercase);
                ecosystem(own) == ecosystem(place)
            })
        };
        let untold = |places: Vec<&String>| {
            let places: Vec<&str> = places.into_iter().map(String::as_str).collect();
            format!(
                "the index holds nothing of {}, which the target has packages of",
                places.join(", ")
            )
        };
        let near: Vec<&String> = uncovered.iter().filter(|place| held(place)).collect();
        let (why, message) = match (&record, near.is_empty()) {
            (Some(record), _) if withdrawn => {
                (Why::Withdrawn, format!("{record} was withdrawn by who wrote it"))
            }
            (Some(_), false) => (Why::NotCovered, untold(near)),
            (Some(_), true) => (Why::PackageAbsent, absent_of(&speaking)),
            (None, _) if !uncovered.is_empty() => {
                (Why::NotCovered, untold(uncovered.iter().collect()))
            }
            (None, _) => (Why::NoAdvisory, format!("no record of the index names {}", self.id)),
        };
        let (compared, qualifiers) = (Vec::new(), Vec::new());
        Ok(Answer { why, message, package: None, segment: None, record, compared, qualifiers })
    }
}

/// `None` where the record holds the flaw against the package: that is a finding.
fn reason(package: &Package, judgement: &Judgement, record: &Advisory) -> Option<(Why, String)> {
    let Package { name, version, .. } = package;
    if let Some(owner) = &package.owner {
        let message = format!(
            "{name} {version} belongs to the package {owner}, which the distro's advisories judge"
        );
        return Some((Why::OwnedByOsPackage, message));
    }
    if package.ecosystem.is_of_distro() && package.third_party {
        let message = format!(
            "{name} {version} is another vendor's build, and the record speaks of the distro's"
        );
        return Some((Why::ThirdParty, message));
    }
    let Verdict::NotAffected(reason) = judgement.verdict else { return None };
    Some(match reason {
        Reason::FixInstalled => (Why::FixInstalled, format!("{name} {version} has the fix")),
        Reason::Qualifier => {
            (Why::QualifierMismatch, format!("the record asks for what {name} {version} is not"))
        }
        Reason::Withdrawn => {
            (Why::Withdrawn, format!("{} was withdrawn by who wrote it", record.id))
        }
        Reason::BeforeIntroduced => {
            (Why::NotAffected, format!("{name} {version} is older than the flaw"))
        }
        Reason::NeverAffected => (Why::NotAffected, never(record, judgement)),
        _ => (
            Why::NotAffected,
            format!("{name} {version} is in no range that the record calls affected"),
        ),
    })
}

/// The record's own words, where it has any.
fn never(record: &Advisory, judgement: &Judgement) -> String {
    let entry = record.affected.get(judgement.entry as usize);
    let said =
        entry.into_iter().flat_map(|entry| &entry.ranges).find_map(|range| match &range.end {
            RangeEnd::NotAffected(said) => said.clone(),
            _ => None,
        });
    let said = said.map_or(String::new(), |said| format!(": {said}"));
    format!("{} says that the package never was affected{said}", record.id)
}

fn exempt(finding: &VulnFinding) -> Answer {
    let message = match &finding.exemption {
        Some(own) => format!("exempt by {}: {}", own.id, own.reason),
        None => "exempt".to_owned(),
    };
    of_finding(Why::Exempt, message, finding)
}

fn not_running(finding: &VulnFinding) -> Answer {
    let message = "what is flawed does not run here, such as the kernel in an image".to_owned();
    of_finding(Why::NotAffected, message, finding)
}

fn of_finding(why: Why, message: String, finding: &VulnFinding) -> Answer {
    Answer {
        why,
        message,
        package: Some(finding.package.purl.clone()),
        segment: Some(finding.matched.segment.clone()),
        record: Some(finding.matched.record.clone()),
        compared: finding.matched.compared.clone(),
        qualifiers: finding.matched.qualifiers.clone(),
    }
}

fn absent(message: String) -> Answer {
    let (compared, qualifiers) = (Vec::new(), Vec::new());
    let why = Why::PackageAbsent;
    Answer { why, message, package: None, segment: None, record: None, compared, qualifiers }
}

fn absent_of(speaking: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = speaking.iter().take(NAMES).map(String::as_str).collect();
    let rest = speaking.len().saturating_sub(NAMES);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("the target has none of the packages it is about: {}{rest}", shown.join(", "))
}

/// Whether one of a record's names is the one asked for; ids are written in any case.
fn names(asked: &str, id: &str, cves: &[String], aliases: &[String]) -> bool {
    let is = |own: &str| own.eq_ignore_ascii_case(asked);
    // A record of several CVEs is asked for by its own id or one of them.
    is(id) || cves.iter().chain(aliases).any(|own| is(own))
}
