//! Value, message and cost of hundreds of expressions against what cel-go gave for them.
use crate::run;

/// `cost or "compile", result, expression` by tabs. Made by the API server's own environment of Kubernetes 1.36.
const TOLD: &str = include_str!("../data/cel-go-1.36.txt");

#[test]
fn agrees_with_cel_go() {
    let mut differences = Vec::new();
    for line in TOLD.lines() {
        let mut parts = line.splitn(3, '\t');
        let (Some(cost), Some(told), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            panic!("{line}");
        };
        let (ours, spent) = run(text);
        let spent =
            if ours.starts_with("compile:") { "compile".to_owned() } else { spent.to_string() };
        let ours = ours.trim_start_matches("compile: ");
        if (spent.as_str(), ours) != (cost, told) {
            differences.push(format!("{text}\n  cel-go: {cost} {told}\n  ours:   {spent} {ours}"));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
