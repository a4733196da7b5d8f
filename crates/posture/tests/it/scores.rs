//! Scores: the worked examples that users read, and the promise of the ledger.
use proptest::prelude::*;
use seawall_model::Severity;
use seawall_model::exemption::Category;
use seawall_model::finding::State;
use seawall_posture::score::{Base, Delta, Ledger, LedgerError, Rule, Standing, Weight, score};
use std::collections::BTreeMap;

const EXAMPLES: &str = include_str!("../../../../docs/scores.md");

fn rules() -> Vec<Rule> {
    [
        ("A", "access", Base::new(None, Severity::Critical), false),
        ("B", "access", Base::new(None, Severity::High), false),
        ("C", "configuration", Base::new(None, Severity::Medium), false),
        ("N", "network", Base::new(None, Severity::Low), false),
        ("I", "configuration", Base::new(None, Severity::Info), false),
        ("P", "access", Base::new(None, Severity::High), true),
        ("W", "access", Base::new(Some(6.5), Severity::Low), false),
    ]
    .map(|(id, group, base, preview)| Rule {
        id: id.to_owned(),
        group: group.to_owned(),
        base,
        preview,
        frameworks: vec!["all@1".to_owned()],
    })
    .into()
}

fn weight(text: &str) -> Weight {
    let number = |text: &str| text.parse::<u64>().unwrap();
    Weight::of(&match (text.split_once('x'), text.split_once('d')) {
        (Some((_, replicas)), _) => {
            serde_json::json!({"kind": "Deployment", "spec": {"replicas": number(replicas)}})
        }
        (_, Some((_, nodes))) => {
            serde_json::json!({"kind": "DaemonSet", "status": {"desiredNumberScheduled": number(nodes)}})
        }
        _ => serde_json::json!({"kind": "Pod"}),
    })
}

fn standing(letter: &str, weight: Weight) -> Standing {
    let (state, exemption) = match letter {
        "h" => (State::Healthy, None),
        "u" => (State::Unhealthy, None),
        "?" => (State::Unknown, None),
        "n" => (State::NotApplicable, None),
        "m" => (State::Exempt, Some(Category::Mitigated)),
        "r" => (State::Exempt, Some(Category::RiskAccepted)),
        other => panic!("no state {other}"),
    };
    Standing { state, exemption, weight }
}

#[track_caller]
fn check(findings: &str, expected: &[&str]) {
    let mut ledger = Ledger::new(rules());
    for finding in findings.split_whitespace() {
        let (subject, state) = finding.rsplit_once('=').unwrap();
        let (control, resource) = subject.split_once(':').unwrap();
        let after = Some(standing(state, weight(resource)));
        let resource = resource.split(['x', 'd']).next().unwrap();
        ledger.apply(&Delta { control, resource, before: None, after }).unwrap();
    }
    let scores = ledger.scores();
    let shown = [scores.secure, scores.risk, scores.compliance, scores.coverage].map(|score| {
        score.map_or("-".to_owned(), |score| format!("{:.2}", (score * 100.0).round() / 100.0))
    });
    assert_eq!(shown.each_ref().map(String::as_str), expected, "{findings}");
    // The one framework holds every control.
    let framework = &scores.frameworks[0];
    assert_eq!((framework.risk, framework.compliance), (scores.risk, scores.compliance));
    assert_eq!(framework.controls, 6);
}

#[test]
fn examples_in_the_documentation_are_true() {
    let rows: Vec<Vec<&str>> = EXAMPLES
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| findings"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        check(row[1].trim_matches('`'), &row[2..6]);
    }
}

#[test]
fn a_delta_that_does_not_fit_changes_nothing() {
    let mut ledger = Ledger::new(rules());
    let healthy = Some(standing("h", Weight::ONE));
    let delta = |control, before, after| Delta { control, resource: "1", before, after };
    ledger.apply(&delta("A", None, healthy)).unwrap();
    let before = ledger.scores();
    let unknown = LedgerError::FindRule { control: "X".to_owned() };
    assert_eq!(ledger.apply(&delta("X", None, healthy)), Err(unknown));
    let unhealthy = Some(standing("u", Weight::ONE));
    for (control, was) in
        [("A", unhealthy), ("B", healthy), ("A", Some(standing("?", Weight::ONE)))]
    {
        let refused = ledger.apply(&delta(control, was, None)).unwrap_err();
        assert!(matches!(refused, LedgerError::TakeBack { .. }), "{refused}");
    }
    assert_eq!(ledger.scores(), before);
    ledger.apply(&delta("A", healthy, None)).unwrap();
    assert_eq!(ledger.scores(), Ledger::new(rules()).scores());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// A thousand findings come, move and go; what is left is what counting it all again finds, to the last bit.
    #[test]
    fn deltas_replayed_are_a_full_recount(
        moves in prop::collection::vec((0..7usize, 0..12usize, 0..8usize, 0..40u64, any::<bool>()), 1_000)
    ) {
        let rules = rules();
        let mut ledger = Ledger::new(rules.clone());
        let mut present: BTreeMap<(usize, String), Standing> = BTreeMap::new();
        for (control, resource, state, size, daemon) in moves {
            let kind = if daemon { 'd' } else { 'x' };
            let letter = ["h", "u", "?", "n", "m", "r"].get(state);
            let key = (control, format!("r{resource}"));
            let after = letter.map(|letter| standing(letter, weight(&format!("{kind}{size}"))));
            let before = match after {
                Some(after) => present.insert(key.clone(), after),
                None => present.remove(&key),
            };
            let (control, resource) = (rules[control].id.as_str(), key.1.as_str());
            ledger.apply(&Delta { control, resource, before, after }).unwrap();
        }
        let mut recount = Ledger::new(rules.clone());
        for ((control, resource), standing) in &present {
            let control = rules[*control].id.as_str();
            recount.apply(&Delta { control, resource, before: None, after: Some(*standing) }).unwrap();
        }
        prop_assert_eq!(ledger.scores(), recount.scores());
        // The secure score is also counted without a ledger, where the hub does.
        let outcomes = present.iter().map(|((control, resource), standing)| {
            seawall_posture::score::Outcome {
                group: &rules[*control].group,
                resource,
                state: standing.state,
                exemption: standing.exemption,
                preview: rules[*control].preview,
            }
        });
        let scored = score(outcomes);
        prop_assert_eq!((scored.secure, scored.coverage), (ledger.scores().secure, ledger.scores().coverage));
    }
}
