//! Which segments judged the packages, and which packages none could judge.
use super::release::{self, Release};
use crate::index::IndexSet;
use crate::name;
use crate::segment::{FeedDate, Segment};
use seawall_model::Problem;
use seawall_model::package::{Ecosystem, Inventory, Package};
use seawall_model::problem::ProblemKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The report's `coverage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// No gap and no error: what is not reported was judged.
    pub complete: bool,
    pub segments: Vec<SegmentCoverage>,
    pub not_covered: Vec<NotCovered>,
    /// Language packages that a package of the distro owns: the distro's advisories alone judge them.
    pub owned: u32,
    /// Packages of other vendors, which the distro's advisories do not speak of.
    pub third_party: u32,
}

/// One segment that judged packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCoverage {
    /// `Debian:11`, `PyPI`.
    pub segment: String,
    pub feeds: Vec<FeedDate>,
    /// Flaws without a fix are not in it.
    pub fixed_only: bool,
    pub packages: u32,
}

/// Packages of one segment that the index does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotCovered {
    /// `Debian:12`, `ubuntu:22.04`.
    pub segment: String,
    pub packages: u32,
    /// The index was asked to hold the ecosystem, or nobody can tell what it is: the report is incomplete.
    pub gap: bool,
}

/// Where a package is to be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Segment(Ecosystem, Option<String>),
    /// The distro has no release, as Debian's testing.
    NoRelease(Ecosystem, String),
    /// Nothing tells which distro it is, or it is one that no feed speaks of.
    UnknownDistro(Option<String>),
}

impl Place {
    pub(crate) fn of(package: &Package, inventory: &Inventory, index: &IndexSet) -> Self {
        let ecosystem = package.ecosystem;
        if !ecosystem.is_of_distro() {
            return Self::Segment(ecosystem, None);
        }
        let Some(distro) = &inventory.distro else { return Self::UnknownDistro(None) };
        let id = distro.id.to_ascii_lowercase();
        let named = name_with_version(&id, distro.version.as_deref());
        if Ecosystem::on(ecosystem.format(), &id) != Some(ecosystem) {
            return Self::UnknownDistro(Some(named));
        }
        match release::of(ecosystem, distro, &inventory.repositories) {
            Release::Rolling => Self::Segment(ecosystem, None),
            Release::Named(names) => {
                // Old point releases say `VERSION_ID="6.0.10"` where feeds speak of `6`.
                let held = names.iter().find(|name| index.segment(ecosystem, Some(name)).is_some());
                match held.or(names.last()) {
                    Some(name) => Self::Segment(ecosystem, Some(name.clone())),
                    None => Self::NoRelease(ecosystem, named),
                }
            }
        }
    }

    pub(crate) fn segment<'i>(&self, index: &'i IndexSet) -> Option<&'i Segment> {
        match self {
            Self::Segment(ecosystem, release) => index.segment(*ecosystem, release.as_deref()),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Segment(ecosystem, release) => name::segment(*ecosystem, release.as_deref()),
            Self::NoRelease(_, name) => name.clone(),
            Self::UnknownDistro(name) => {
                name.clone().unwrap_or_else(|| "unknown distro".to_owned())
            }
        }
    }

    fn problem(&self, packages: u32, index: &IndexSet) -> Problem {
        let name = self.name();
        let counted =
            if packages == 1 { "1 package".to_owned() } else { format!("{packages} packages") };
        let held = |ecosystem| match index.held(ecosystem) {
            held if held.is_empty() => "nothing of it".to_owned(),
            held => held.join(", "),
        };
        match self {
            Self::Segment(ecosystem, _) => {
                let kind =
                    if index.asked(*ecosystem) { ProblemKind::Gap } else { ProblemKind::Note };
                let message = format!(
                    "{name} is not in the index, which holds {}: {counted} not judged",
                    held(*ecosystem)
                );
                Problem::new(kind, "not-covered", message)
                    .help("build the index from a feed that covers it")
            }
            Self::NoRelease(ecosystem, _) => {
                let kind =
                    if index.asked(*ecosystem) { ProblemKind::Gap } else { ProblemKind::Note };
                let message =
                    format!("{name} has no release to look advisories up by: {counted} not judged");
                Problem::new(kind, "not-covered", message)
            }
            Self::UnknownDistro(_) => {
                let message = format!("the distro is not known ({name}): {counted} not judged");
                Problem::gap("unknown-distro", message)
            }
        }
        .item(name)
    }
}

fn name_with_version(id: &str, version: Option<&str>) -> String {
    version.map_or_else(|| id.to_owned(), |version| format!("{id}:{version}"))
}

/// Counts while packages are matched.
#[derive(Default)]
pub(super) struct CoverageDraft {
    segments: BTreeMap<String, SegmentCoverage>,
    missed: BTreeMap<Place, u32>,
    pub(super) owned: u32,
    pub(super) third_party: u32,
}

impl CoverageDraft {
    pub(super) fn hit(&mut self, segment: &Segment) {
        let meta = segment.meta();
        let name = segment.name();
        let covered = self.segments.entry(name.clone()).or_insert_with(|| SegmentCoverage {
            segment: name,
            feeds: meta.feeds.clone(),
            fixed_only: meta.fixed_only,
            packages: 0,
        });
        covered.packages += 1;
    }

    pub(super) fn miss(&mut self, place: Place) {
        *self.missed.entry(place).or_default() += 1;
    }

    /// Adds a problem for whatever limits the result; complete if no problem is a gap or an error.
    pub(super) fn finish(self, index: &IndexSet, problems: &mut Vec<Problem>) -> Coverage {
        if !index.has_advisories() {
            let message = "the index holds advisories of no ecosystem: nothing was judged";
            let help = "build the index from a feed of advisories, such as osv";
            problems.push(Problem::gap("no-advisories", message).help(help));
        }
        let mut not_covered = Vec::new();
        for (place, packages) in &self.missed {
            let problem = place.problem(*packages, index);
            let gap = problem.kind == ProblemKind::Gap;
            not_covered.push(NotCovered { segment: place.name(), packages: *packages, gap });
            problems.push(problem);
        }
        for segment in self.segments.values().filter(|segment| segment.fixed_only) {
            let message = format!("{} lists only flaws that have a fix", segment.segment);
            problems.push(Problem::note("fixed-only", message).item(&segment.segment));
        }
        Coverage {
            complete: !problems.iter().any(|problem| problem.kind >= ProblemKind::Gap),
            segments: self.segments.into_values().collect(),
            not_covered,
            owned: self.owned,
            third_party: self.third_party,
        }
    }
}
