//! The engine from outside: language, loading, replay, content.
mod audit;
mod audit_data;
mod content;
mod falco_file;
mod hostile;
mod ka;
mod loading;
mod replay;
mod round_trip;
mod semantics;
mod typed;
mod windows;

use seawall_model::Problem;
use seawall_rules::{FieldEvent, RuleSet};

/// One rule with this condition, loaded without problems other than warnings.
fn rule_set(condition: &str) -> RuleSet {
    rule_set_of("syscall", condition)
}

fn rule_set_of(source: &str, condition: &str) -> RuleSet {
    let yaml = format!(
        "- list: shells\n  items: [bash, sh, '\"(odd)\"']\n- macro: spawned\n  condition: evt.type in (execve, execveat)\n\
         - rule: r\n  desc: d\n  source: {source}\n  condition: {}\n  output: o\n  priority: INFO\n",
        serde_json::Value::from(condition)
    );
    let (set, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
    let errors: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.code != "unused" && problem.code != "inactive")
        .collect();
    assert!(errors.is_empty(), "{condition}: {errors:?}");
    set
}

fn event(json: &str) -> FieldEvent {
    let (event, problems) = FieldEvent::parse(json).expect("an event");
    assert_eq!(problems, [], "{json}");
    event
}

/// Whether the condition is true on the event.
fn holds(condition: &str, json: &str) -> bool {
    let set = rule_set(condition);
    !set.evaluate(&event(json), &mut set.state()).is_empty()
}
