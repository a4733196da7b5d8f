//! Suites: each is read, refused or none; its tests end in one verdict per case.
use super::texts;
use crate::Target;
use seawall_policy::suite::{self, Filter, Suite};
use seawall_rego::Limits;

pub(crate) const TARGET: Target = Target { name: "policy-suite", run, seeds, rounds: 400 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(document) = seawall_posture::yaml::parse(&text).ok().flatten() else { return };
    let document = document.to_json();
    let Ok(Some(suite)) = Suite::parse(&document) else { return };
    // Every file is the suite itself: read, but of no use.
    let files = |_: &str| Ok(vec![document.clone()]);
    let results = suite::run(&suite, &files, &Filter::default(), 36, &Limits::default());
    let tests = document.get("tests").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    assert!(results.len() >= tests, "{} results of {tests} tests", results.len());
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        include_str!("../../../e2e/gatekeeper/suites/assertions/suite.yaml"),
        include_str!("../../../e2e/gatekeeper/suites/skipped/suite.yaml"),
        include_str!("../../../e2e/gatekeeper/templates/require-labels/suite.yaml"),
    ])
}
