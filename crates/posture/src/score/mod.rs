//! Scores: how much of what can be won is won, how much weight fails, how many resources pass, and how much of what
//! was asked is answered.
//!
//! ```text
//! outcomes ─score─► Scored (secure, coverage)        deltas ─Ledger::apply─► Ledger ─scores─► Scores (all of them)
//! ```
mod cause;
mod group;
mod ledger;
mod tally;
mod weight;

pub use cause::{Change, cause};
pub use ledger::{
    ControlScore, Delta, FrameworkScore, Ledger, LedgerError, Rule, Scores, Standing,
};
pub use tally::{Tally, compliance, risk};
pub use weight::{Base, Weight};

use group::{Groups, Mark};
use seawall_model::exemption::Category;
use seawall_model::finding::State;
use seawall_model::recommendation::GroupScore;
use std::collections::BTreeMap;

/// Points a group is worth.
const MAXIMA: [(&str, f64); 10] = [
    ("vulnerabilities", 6.0),
    ("configuration", 4.0),
    ("access", 4.0),
    ("network", 4.0),
    ("in-transit", 4.0),
    ("at-rest", 4.0),
    ("ddos", 2.0),
    ("logging", 1.0),
    ("practices", 0.0),
    ("plans", 0.0),
];

/// Points of a group; `None` where there is no such group.
pub fn maximum(group: &str) -> Option<f64> {
    MAXIMA.iter().find(|(name, _)| *name == group).map(|(_, maximum)| *maximum)
}

pub(crate) fn groups() -> String {
    MAXIMA.map(|(name, _)| name).join(", ")
}

/// One control, or the flaws of one image, on one resource.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    pub group: &'a str,
    /// Identity of the resource, such as its UID.
    pub resource: &'a str,
    pub state: State,
    /// Of the exemption, where the state is exempt.
    pub exemption: Option<Category>,
    /// Preview controls are left out.
    pub preview: bool,
}

/// The secure score of a set of outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// 0 to 100; `None` while nothing is decided.
    pub secure: Option<f64>,
    /// decided / (decided + unknown); `None` while nothing was asked.
    pub coverage: Option<f64>,
    pub decided: u64,
    pub undecided: u64,
    /// In the order of their maxima; only groups with an outcome.
    pub groups: Vec<GroupScore>,
}

/// In a group a resource is unhealthy if any stable control is, else healthy if one is.
/// `mitigated` counts as healthy; `risk_accepted`, `not_applicable`, `unknown` and preview are left out.
pub fn score<'a>(outcomes: impl IntoIterator<Item = Outcome<'a>>) -> Scored {
    let mut groups = Groups::default();
    for outcome in outcomes.into_iter().filter(|outcome| !outcome.preview) {
        if let Some(mark) = Mark::of(outcome.state, outcome.exemption) {
            groups.add(outcome.group, outcome.resource, mark);
        }
    }
    groups.scored()
}

/// Part of the questions that have an answer; `None` where none was asked.
pub fn coverage(decided: u64, undecided: u64) -> Option<f64> {
    ratio(decided, decided + undecided)
}

/// The groups of several clusters as one: their resources are different ones.
pub fn joined<'g>(groups: impl IntoIterator<Item = &'g GroupScore>) -> Vec<GroupScore> {
    let mut whole: BTreeMap<&str, GroupScore> = BTreeMap::new();
    for group in groups {
        let empty =
            || GroupScore { score: 0.0, healthy: 0, unhealthy: 0, unknown: 0, ..group.clone() };
        let sum = whole.entry(&group.group).or_insert_with(empty);
        sum.healthy += group.healthy;
        sum.unhealthy += group.unhealthy;
        sum.unknown += group.unknown;
        sum.score = sum.max * ratio(sum.healthy, sum.healthy + sum.unhealthy).unwrap_or(0.0);
    }
    MAXIMA.iter().filter_map(|(name, _)| whole.remove(name)).collect()
}

/// Mean over clusters, each weighted by its counted resources. `None` while none has a score.
pub fn mean(clusters: impl IntoIterator<Item = (Option<f64>, u64)>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "resource counts are far below 2^53")]
    let weighted = clusters
        .into_iter()
        .filter_map(|(score, weight)| Some((score? * weight as f64, weight as f64)));
    let (sum, weights) = weighted
        .fold((0.0, 0.0), |(sum, weights), (score, weight)| (sum + score, weights + weight));
    (weights > 0.0).then(|| sum / weights)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "resource counts are far below 2^53")]
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(group: &'static str, resource: &'static str, state: State) -> Outcome<'static> {
        Outcome { group, resource, state, exemption: None, preview: false }
    }

    #[track_caller]
    fn check(outcomes: &[Outcome<'_>], secure: Option<f64>, coverage: Option<f64>) {
        let scored = score(outcomes.iter().copied());
        let round = |value: Option<f64>| value.map(|value| (value * 100.0).round() / 100.0);
        assert_eq!(
            (round(scored.secure), round(scored.coverage)),
            (secure, coverage),
            "{scored:?}"
        );
    }

    #[test]
    fn formula() {
        use State::{Healthy, NotApplicable, Unhealthy, Unknown};
        check(&[], None, None);
        // The documented example: 6 of 78 healthy, worth 4 points, is 0.31.
        let names: Vec<String> = (0..78).map(|n| n.to_string()).collect();
        let many = names.iter().enumerate().map(|(n, name)| Outcome {
            group: "access",
            resource: name,
            state: if n < 6 { Healthy } else { Unhealthy },
            exemption: None,
            preview: false,
        });
        let scored = score(many);
        assert_eq!((scored.groups[0].score * 100.0).round(), 31.0);
        // One failing control makes the resource unhealthy; other groups are apart.
        let mixed = [
            outcome("access", "a", Healthy),
            outcome("access", "a", Unhealthy),
            outcome("configuration", "a", Healthy),
        ];
        check(&mixed, Some(50.0), Some(1.0));
        // Unknown is not decided, and never a pass.
        check(&[outcome("access", "a", Unknown)], None, Some(0.0));
        check(
            &[outcome("access", "a", Unknown), outcome("access", "b", Healthy)],
            Some(100.0),
            Some(0.5),
        );
        check(&[outcome("access", "a", NotApplicable)], None, None);
        // Groups worth nothing decide nothing.
        check(&[outcome("practices", "a", Unhealthy)], None, Some(1.0));
    }

    #[test]
    fn exemptions_and_preview() {
        let exempt = |category| Outcome {
            exemption: Some(category),
            ..outcome("access", "a", State::Exempt)
        };
        let unhealthy = outcome("access", "b", State::Unhealthy);
        check(&[exempt(Category::Mitigated), unhealthy], Some(50.0), Some(1.0));
        check(&[exempt(Category::RiskAccepted), unhealthy], Some(0.0), Some(1.0));
        check(&[Outcome { preview: true, ..unhealthy }], None, None);
    }

    #[test]
    fn clusters_weigh_by_resources() {
        assert_eq!(mean([(Some(100.0), 1), (Some(0.0), 3), (None, 9)]), Some(25.0));
        assert_eq!(mean([(None, 9)]), None);
    }
}
