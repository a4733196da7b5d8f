//! What a report means to a script: 0 pass, 1 findings, 3 an error, 4 something was left out. 2, wrong usage, is the
//! caller's.
use crate::report::Report;
use seawall_model::finding::{State, VulnFinding};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use seawall_vuln::IndexInfo;
use std::str::FromStr;

/// Key of the feed of exploit predictions.
const EPSS_FEED: &str = "epss";

/// `--fail-on LEVEL[,kev][,epss=0.5]`: a finding fails if any of the conditions holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FailOn {
    /// At or over this severity.
    pub level: Option<Severity>,
    /// Known to be exploited.
    pub kev: bool,
    /// At or over this EPSS score, 0 to 1.
    pub epss: Option<f64>,
}

impl FailOn {
    /// Conditions that no finding can meet because the index lacks what they ask for: each a gap, never a pass.
    pub fn gaps(&self, index: &IndexInfo) -> Vec<Problem> {
        let lacks_kev = self.kev && index.kev.is_none();
        let lacks_epss =
            self.epss.is_some() && !index.feeds.iter().any(|feed| feed.key == EPSS_FEED);
        let gap = |condition: &str, lacking: &str| {
            let message =
                format!("`--fail-on {condition}` decides nothing: the index has no {lacking}");
            Problem::gap("condition-not-covered", message)
                .item(condition)
                .help("build the index from a feed that has it, or drop the condition")
        };
        let kev = lacks_kev.then(|| gap("kev", "known exploited vulnerabilities"));
        let epss = lacks_epss.then(|| gap("epss", "EPSS scores"));
        kev.into_iter().chain(epss).collect()
    }

    /// What holds counts; what is undecided only where any finding fails. An exempt finding never does.
    fn meets(&self, finding: &VulnFinding) -> bool {
        if finding.state == State::Unknown {
            return self.level == Some(Severity::Unknown);
        }
        let level = self.level.is_some_and(|level| finding.severity.level.meets(level));
        let epss =
            self.epss.zip(finding.epss.as_ref()).is_some_and(|(least, epss)| epss.score >= least);
        finding.state == State::Unhealthy && (level || epss || (self.kev && finding.kev.is_some()))
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fail_on = Self::default();
        for part in text.split(',').map(str::trim) {
            match part.split_once('=') {
                None if part.eq_ignore_ascii_case("kev") => fail_on.kev = true,
                None => {
                    let level: Severity =
                        part.parse().map_err(|error| format!("{error}, or kev, or epss=SCORE"))?;
                    if let Some(first) = fail_on.level.replace(level) {
                        return Err(format!("it names two levels, {first} and {level}"));
                    }
                }
                Some(("epss", score)) => {
                    let score = score.parse().ok().filter(|score| (0.0..=1.0).contains(score));
                    fail_on.epss = Some(score.ok_or("`epss=` takes a score from 0 to 1")?);
                }
                Some((key, _)) => {
                    return Err(format!("`{key}=` is no condition: expected epss=SCORE"));
                }
            }
        }
        Ok(fail_on)
    }
}

/// 3 beats 1 beats 4.
pub fn exit_code(report: &Report, fail_on: Option<&FailOn>, allow_incomplete: bool) -> u8 {
    if report.has(ProblemKind::Error) {
        return 3;
    }
    if fail_on.is_some_and(|fail_on| report.findings.iter().any(|finding| fail_on.meets(finding))) {
        return 1;
    }
    let unanswered = fail_on.is_some_and(|fail_on| !fail_on.gaps(&report.index).is_empty());
    let incomplete = report.has(ProblemKind::Gap) || !report.coverage.complete || unanswered;
    if incomplete && !allow_incomplete {
        return 4;
    }
    0
}

#[test]
fn conditions() {
    #[track_caller]
    fn check(text: &str, expected: Option<FailOn>) {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }
    let high = FailOn { level: Some(Severity::High), ..FailOn::default() };
    check("high", Some(high.clone()));
    check("high,kev,epss=0.5", Some(FailOn { kev: true, epss: Some(0.5), ..high }));
    check("kev", Some(FailOn { kev: true, ..FailOn::default() }));
    check("", None);
    check("severe", None);
    check("low,critical", None);
    check("high,high", None);
    check("epss=2", None);
    check("epss=x", None);
    check("cvss=1", None);
}
