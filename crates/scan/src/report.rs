//! The report of one target. Field order is that of the JSON.
use crate::sort_problems;
use seawall_model::finding::{FixStatus, SeverityOf, State, VulnFinding};
use seawall_model::image::Layer;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, Target};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use seawall_vuln::{Coverage, IndexInfo, IndexSet, match_inventory};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Raised when a field changes its meaning; new fields do not raise it.
const SCHEMA: &str = "seawall/vulnerability-report/v1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub target: ReportTarget,
    pub distro: Option<Distro>,
    pub index: IndexInfo,
    pub counts: Counts,
    pub coverage: Coverage,
    /// By ecosystem, name, version, purl.
    pub packages: Vec<Package>,
    /// Known exploited first, then by severity, available fix, package and flaw.
    pub findings: Vec<VulnFinding>,
    /// Worst first.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportTarget {
    #[serde(flatten)]
    pub target: Target,
    pub platform: Option<String>,
    pub layers: Vec<Layer>,
    /// Where its OS packages come from, as far as it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
}

/// Of the whole report, whatever is displayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub packages: PackageCounts,
    /// Findings that hold (`unhealthy`), by severity.
    pub findings: SeverityCounts,
    /// Findings that the versions alone cannot decide.
    pub undecided: u32,
    pub exempt: u32,
    /// Findings of what does not run, such as kernel headers in an image.
    pub not_applicable: u32,
    /// Findings of any state that `--ignore-unfixed` left out.
    pub ignored_unfixed: u32,
    /// Findings of any state that the earlier report has too, left out.
    #[serde(default)]
    pub in_baseline: u32,
    /// Of the findings that hold.
    pub fixable: u32,
    pub kev: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageCounts {
    pub total: u32,
    /// Of each ecosystem that there are packages of.
    #[serde(flatten)]
    pub ecosystems: BTreeMap<Ecosystem, u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCounts {
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub info: u32,
    pub unknown: u32,
}

/// What is shown of a report; never what is counted or decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Display {
    /// Empty: all.
    pub severities: Vec<Severity>,
    /// Also what is excused, in forms for people.
    pub show_exempt: bool,
}

impl Display {
    pub(crate) fn shows(&self, finding: &VulnFinding) -> bool {
        self.severities.is_empty() || self.severities.contains(&finding.severity.level)
    }
}

impl Report {
    /// Matches the inventory with the index and puts everything in its stable order.
    pub fn new(inventory: Inventory, index: &IndexSet) -> Self {
        let matched = match_inventory(&inventory, index);
        let mut problems = inventory.problems;
        problems.extend(matched.problems);
        sort_problems(&mut problems);
        let mut coverage = matched.coverage;
        coverage.complete &= !problems.iter().any(|problem| problem.kind >= ProblemKind::Gap);
        Self {
            schema: SCHEMA.to_owned(),
            target: ReportTarget {
                target: inventory.target,
                platform: inventory.platform,
                layers: inventory.layers,
                repositories: inventory.repositories,
            },
            distro: inventory.distro,
            index: index.info(),
            counts: Counts::of(&inventory.packages, &matched.findings),
            coverage,
            packages: inventory.packages,
            findings: matched.findings,
            problems,
        }
    }

    /// Whether it means what this version writes.
    pub fn is_of_this_schema(&self) -> bool {
        self.schema == SCHEMA
    }

    /// What was found in the target, and the findings.
    pub fn into_parts(self) -> (Inventory, Vec<VulnFinding>) {
        (self.inventory(), self.findings)
    }

    /// What was found in the target, with the report's problems.
    pub(crate) fn inventory(&self) -> Inventory {
        let ReportTarget { target, platform, layers, repositories } = self.target.clone();
        Inventory {
            target,
            distro: self.distro.clone(),
            platform,
            layers,
            packages: self.packages.clone(),
            repositories,
            problems: self.problems.clone(),
            extractor_version: seawall_extract::EXTRACTOR_VERSION,
        }
    }

    /// Adds what only the caller knows of, such as a condition that the index cannot answer.
    pub fn add(&mut self, problems: Vec<Problem>) {
        self.coverage.complete &= !problems.iter().any(|problem| problem.kind >= ProblemKind::Gap);
        self.problems.extend(problems);
        sort_problems(&mut self.problems);
    }

    /// Leaves out the findings that no available fix removes: they are neither shown nor decide. Their number stays.
    pub fn ignore_unfixed(&mut self) {
        self.counts.ignored_unfixed +=
            self.keep(|finding| finding.fix.status == FixStatus::Available);
    }

    /// Leaves out what the earlier report has: the same flaw in a package of that name at all of its places. What was
    /// excused then or did not apply, and does now, stays.
    pub fn subtract(&mut self, earlier: &Self) {
        let mut known: BTreeMap<(&str, &str), Vec<&VulnFinding>> = BTreeMap::new();
        for finding in &earlier.findings {
            known.entry((&finding.id, &finding.package.name)).or_default().push(finding);
        }
        let is_new = |finding: &VulnFinding| {
            let known = known.get(&(finding.id.as_str(), finding.package.name.as_str()));
            let same = known.into_iter().flatten().filter(|old| {
                let counted = matches!(old.state, State::Unhealthy | State::Unknown);
                counted || old.state == finding.state
            });
            let places: BTreeSet<&String> =
                same.clone().flat_map(|old| &old.package.locations).collect();
            let seen = finding.package.locations.iter().all(|place| places.contains(place));
            same.count() == 0 || !seen
        };
        self.counts.in_baseline += self.keep(is_new);
    }

    /// Only severities that these sources gave, by feed; what another rated is `unknown`.
    pub fn trust_severities_of(&mut self, sources: &[String]) {
        for finding in &mut self.findings {
            let trusted = finding.severity.source.as_ref().is_some_and(|own| sources.contains(own));
            if !trusted {
                finding.severity = SeverityOf {
                    level: Severity::Unknown,
                    source: None,
                    score: None,
                    vector: None,
                };
            }
        }
        self.findings.sort_by_key(|finding| {
            (Reverse(finding.kev.is_some()), Reverse(finding.severity.level))
        });
        self.recount();
    }

    /// Counts again what is there.
    pub(crate) fn recount(&mut self) {
        self.keep(|_| true);
    }

    /// Keeps those findings and tells how many went; the counts of what was left out stay.
    fn keep(&mut self, kept: impl Fn(&VulnFinding) -> bool) -> u32 {
        let before = self.findings.len();
        self.findings.retain(kept);
        let counts = Counts::of(&self.packages, &self.findings);
        let Counts { ignored_unfixed, in_baseline, .. } = self.counts;
        self.counts = Counts { ignored_unfixed, in_baseline, ..counts };
        u32::try_from(before - self.findings.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn has(&self, kind: ProblemKind) -> bool {
        self.problems.iter().any(|problem| problem.kind == kind)
    }
}

impl Counts {
    fn of(packages: &[Package], findings: &[VulnFinding]) -> Self {
        let mut counts = Self::default();
        for package in packages {
            counts.packages.total += 1;
            *counts.packages.ecosystems.entry(package.ecosystem).or_default() += 1;
        }
        for finding in findings {
            match finding.state {
                State::Unhealthy => counts.add(finding),
                State::Unknown => counts.undecided += 1,
                State::Exempt => counts.exempt += 1,
                State::NotApplicable => counts.not_applicable += 1,
                State::Healthy => {}
            }
        }
        counts
    }

    fn add(&mut self, finding: &VulnFinding) {
        let severities = &mut self.findings;
        *match finding.severity.level {
            Severity::Critical => &mut severities.critical,
            Severity::High => &mut severities.high,
            Severity::Medium => &mut severities.medium,
            Severity::Low => &mut severities.low,
            Severity::Info => &mut severities.info,
            Severity::Unknown => &mut severities.unknown,
        } += 1;
        self.fixable += u32::from(finding.fix.status == FixStatus::Available);
        self.kev += u32::from(finding.kev.is_some());
    }
}
