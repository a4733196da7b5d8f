//! Rules files: what cannot load is told, the rest loads, runs its own tests and tells its cost.
use super::texts;
use crate::Target;
use seawall_rules::RuleSet;

pub(crate) const TARGET: Target = Target { name: "rules-yaml", run, seeds, rounds: 500 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (set, _) = RuleSet::load(&[("lib.yaml", LIBRARY), ("t.yaml", &text)]);
    set.test();
    set.costs();
    set.wanted();
}

const LIBRARY: &str = "- macro: spawned\n  condition: evt.type in (execve, execveat)\n- list: shells\n  items: [bash, sh]\n";

fn seeds() -> Vec<Vec<u8>> {
    let detections = seawall_content::detections();
    let mut seeds = texts(detections.iter().map(|entry| entry.text));
    seeds.extend(texts([
        "- rule: r\n  desc: d\n  condition: spawned and proc.name in (shells)\n  output: \"%proc.name %evt.time\"\n  priority: WARNING\n  \
         exceptions:\n  - {name: e, fields: [proc.name, fd.name], comps: [in, startswith], values: [[[sh], /x]]}\n  tags: [a]\n",
        "- rule: r\n  desc: d\n  condition: spawned\n  output: o\n  priority: INFO\n  threshold: {count: 3, by: [container.id], within: 10s, distinct: proc.name}\n  \
         tests:\n  - {name: t, expect: fire, events: [{evt.type: execve, container.id: a, after: 5s}]}\n",
        "- rule: s\n  desc: d\n  condition: evt.type = connect\n  output: \"%step1.fd.name\"\n  priority: ERROR\n  \
         sequence: {after: [evt.type = openat], by: [proc.sid], within: 5m}\n",
        "- rule: r\n  append: true\n  condition: and proc.pid > 1\n- rule: r\n  enabled: false\n- macro: spawned\n  override: {condition: append}\n  condition: or evt.type = clone\n\
         - list: shells\n  items: [shells, zsh]\n- required_engine_version: 0.31.0\n",
    ]));
    seeds
}
