//! Policies from their text to their violations.
mod defects;
mod load;
mod run;

use seawall_rego::{Data, EvalError, Limits, Policy, Source, Version};
use serde_json::{Value, json};

fn source(version: Version, rego: &str) -> Source {
    Source { version, rego: format!("package t\n\n{rego}"), libs: Vec::new() }
}

#[track_caller]
fn load(version: Version, rego: &str) -> Policy {
    Policy::load(&source(version, rego)).unwrap_or_else(|errors| panic!("{rego}\n{errors:?}"))
}

/// An object that the tests look at.
fn input() -> Value {
    json!({
        "review": {"object": {"metadata": {"name": "web", "labels": {"app": "x"}}, "data": {"k": "deep"},
            "spec": {"containers": [{"name": "a", "n": 3}, {"name": "b", "n": 5}]}}},
        "parameters": {},
    })
}

fn evaluate(policy: &Policy, limits: &Limits) -> Result<Vec<String>, EvalError> {
    let found = policy.interpreter().evaluate(&Data::from_json(&input()), limits)?;
    Ok(found.into_iter().map(|found| found.message).collect())
}

/// The messages of a policy of v0.
#[track_caller]
fn check(rego: &str, expected: &[&str]) {
    check_version(Version::V0, rego, expected);
}

#[track_caller]
fn check_version(version: Version, rego: &str, expected: &[&str]) {
    let policy = load(version, rego);
    let messages = evaluate(&policy, &Limits { now: Some(7), ..Limits::default() });
    assert_eq!(
        messages.as_deref(),
        Ok(expected.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>().as_slice()),
        "{rego}"
    );
}
