//! Filters of lists: each is read and decides, or is refused with a place inside the text.
use super::texts;
use crate::Target;
use seawall_model::alert::Alert;
use seawall_model::finding::Finding;
use seawall_model::recommendation::Recommendation;
use seawall_store::{Filter, FilterError, Image, Noun};
use serde_json::{Value, json};

pub(crate) const TARGET: Target = Target { name: "store-filter", run, seeds, rounds: 3_000 };

/// Epoch milliseconds.
const NOW: i64 = 1_795_000_000_000;

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check::<Alert>(&text);
    check::<Finding>(&text);
    check::<Image>(&text);
    check::<Recommendation>(&text);
}

fn check<N: Noun>(text: &str) {
    match Filter::parse::<N>(text, NOW) {
        Ok(filter) => {
            let document: Value = json!({
                "severity": "high", "state": "unhealthy", "title": "Straße", "cluster": null, "first": NOW, "last": NOW,
                "kev": true, "epss": 0.5, "detail": {"aliases": ["a", "b"], "package": {"version": "1"}}, "status": "active",
            });
            let matched = filter.matches_json::<N>(&document);
            if let Ok(not) = Filter::parse::<N>(&format!("-({text})"), NOW) {
                assert_ne!(matched, not.matches_json::<N>(&document), "{text}");
            }
        }
        Err(FilterError { position, message, .. }) => {
            assert!((1..=text.chars().count() + 1).contains(&position), "{position} in {text:?}");
            assert!(!message.is_empty());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "severity:>=high state:unhealthy,exempt -cluster:prod* \"two words\"",
        "(kev:true OR epss:>0.5) first:<7d last:2026-01-31 title:\"a \\\"b\\\"\"",
        "rule:SW-C-00* status:active -(namespace:* OR scope:/org/) age:>=2w",
        "first:>2026-01-31T08:00Z sevrity:high",
        "fixable:true containers:>3 due:<7d category:risk_accepted",
    ])
}
