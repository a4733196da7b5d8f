//! Secure score and coverage: how much of what can be won is won, and how much of what was asked is answered.
use seawall_model::Severity;
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

#[derive(Default)]
struct Resource {
    healthy: bool,
    unhealthy: bool,
    unknown: bool,
}

/// In a group a resource is unhealthy if any stable control is, else healthy if one is.
/// `mitigated` counts as healthy; `risk_accepted`, `not_applicable`, `unknown` and preview are left out.
pub fn score<'a>(outcomes: impl IntoIterator<Item = Outcome<'a>>) -> Scored {
    let mut resources: BTreeMap<(&str, &str), Resource> = BTreeMap::new();
    let (mut decided, mut unknown) = (0u64, 0u64);
    for outcome in outcomes.into_iter().filter(|outcome| !outcome.preview) {
        let resource = resources.entry((outcome.group, outcome.resource)).or_default();
        match (outcome.state, outcome.exemption) {
            (State::Healthy, _) | (State::Exempt, Some(Category::Mitigated)) => {
                resource.healthy = true;
                decided += 1;
            }
            (State::Unhealthy, _) => {
                resource.unhealthy = true;
                decided += 1;
            }
            (State::Unknown, _) => {
                resource.unknown = true;
                unknown += 1;
            }
            (State::NotApplicable | State::Exempt, _) => {}
        }
    }
    let mut groups = Vec::new();
    for (name, max) in MAXIMA {
        let mut group = GroupScore {
            group: name.to_owned(),
            max,
            score: 0.0,
            healthy: 0,
            unhealthy: 0,
            unknown: 0,
        };
        for (_, resource) in
            resources.range((name, "")..).take_while(|((group, _), _)| *group == name)
        {
            group.unhealthy += u64::from(resource.unhealthy);
            group.healthy += u64::from(resource.healthy && !resource.unhealthy);
            group.unknown += u64::from(resource.unknown);
        }
        if let Some(healthy) = ratio(group.healthy, group.healthy + group.unhealthy) {
            group.score = max * healthy;
        }
        if group.healthy + group.unhealthy + group.unknown > 0 {
            groups.push(group);
        }
    }
    let counted = groups.iter().filter(|group| group.healthy + group.unhealthy > 0);
    let (won, winnable) = counted
        .fold((0.0, 0.0), |(won, winnable), group| (won + group.score, winnable + group.max));
    let secure = (winnable > 0.0).then(|| 100.0 * won / winnable);
    let coverage = coverage(decided, unknown);
    Scored { secure, coverage, decided, undecided: unknown, groups }
}

/// Part of the questions that have an answer; `None` where none was asked.
pub fn coverage(decided: u64, undecided: u64) -> Option<f64> {
    ratio(decided, decided + undecided)
}

/// The groups of several clusters as one: their resources are different ones.
pub fn joined<'g>(groups: impl IntoIterator<Item = &'g GroupScore>) -> Vec<GroupScore> {
    let groups: Vec<&GroupScore> = groups.into_iter().collect();
    let mut joined = Vec::new();
    for (name, max) in MAXIMA {
        let mut whole: Option<GroupScore> = None;
        for group in groups.iter().filter(|group| group.group == name) {
            let empty =
                GroupScore { score: 0.0, healthy: 0, unhealthy: 0, unknown: 0, ..(*group).clone() };
            let whole = whole.get_or_insert(empty);
            whole.healthy += group.healthy;
            whole.unhealthy += group.unhealthy;
            whole.unknown += group.unknown;
        }
        if let Some(mut whole) = whole {
            whole.score =
                max * ratio(whole.healthy, whole.healthy + whole.unhealthy).unwrap_or(0.0);
            joined.push(whole);
        }
    }
    joined
}

/// What a control of that severity weighs in risk scores where it names no score of its own.
pub fn base(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 9.0,
        Severity::High => 7.0,
        Severity::Medium => 5.0,
        Severity::Low => 3.0,
        Severity::Info | Severity::Unknown => 0.0,
    }
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

/// One finding whose state moved; `None` is not there.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub title: &'a str,
    /// `Deployment/web`.
    pub resource: &'a str,
    pub from: Option<State>,
    pub to: Option<State>,
}

/// Why a score moved, in one line: `1 resource became unhealthy: Privileged container (Deployment/web)`.
/// The worst kind of move speaks first; `None` where nothing that counts moved.
pub fn cause(changes: &[Change<'_>]) -> Option<String> {
    type Moved = fn(&Change<'_>) -> bool;
    let moves: [(&str, Moved); 5] = [
        ("became unhealthy", |c| c.to == Some(State::Unhealthy)),
        ("became unknown", |c| c.to == Some(State::Unknown)),
        ("became healthy", |c| c.to == Some(State::Healthy) && c.from.is_some()),
        ("left the score", |c| {
            matches!(c.to, Some(State::Exempt | State::NotApplicable))
                || (c.to.is_none() && c.from.is_some())
        }),
        ("was added healthy", |c| c.to == Some(State::Healthy)),
    ];
    let mut lines = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    let moved: Vec<&Change<'_>> =
        changes.iter().filter(|change| change.from != change.to).collect();
    for (what, is) in moves {
        let of_kind: Vec<_> = moved.iter().filter(|change| is(change)).collect();
        let resources: std::collections::BTreeSet<&str> = of_kind
            .iter()
            .map(|change| change.resource)
            .filter(|resource| !told.contains(resource))
            .collect();
        let Some(first) = of_kind.iter().find(|change| resources.contains(change.resource)) else {
            continue;
        };
        let noun = if resources.len() == 1 { "resource" } else { "resources" };
        let more = if resources.len() > 1 {
            format!(" and {} more", resources.len() - 1)
        } else {
            String::new()
        };
        lines.push(format!(
            "{} {noun} {what}: {} ({}){more}",
            resources.len(),
            first.title,
            first.resource
        ));
        told.extend(resources);
    }
    (!lines.is_empty()).then(|| lines.join("; "))
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

    #[test]
    fn causes() {
        let change = |title, resource, from, to| Change { title, resource, from, to };
        let (u, h) = (Some(State::Unhealthy), Some(State::Healthy));
        let privileged = change("Privileged container", "Deployment/web", None, u);
        assert_eq!(
            cause(&[privileged]).as_deref(),
            Some("1 resource became unhealthy: Privileged container (Deployment/web)")
        );
        let healed = change("Host directory", "Deployment/db", u, h);
        let gone = change("Host directory", "Pod/x", u, None);
        assert_eq!(
            cause(&[healed, gone, privileged, change("No limits", "Deployment/api", h, u)])
                .as_deref(),
            Some(
                "2 resources became unhealthy: Privileged container (Deployment/web) and 1 more; 1 resource became healthy: Host directory (Deployment/db); 1 resource left the score: Host directory (Pod/x)"
            )
        );
        assert_eq!(cause(&[change("x", "y", u, u)]), None);
    }
}
