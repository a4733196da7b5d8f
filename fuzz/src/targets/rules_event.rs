//! Recorded events, one JSON object a line: read, and judged by the shipped detections.
use super::texts;
use crate::Target;
use seawall_rules::replay::{Replay, ReplayOptions, has_time};
use seawall_rules::{FieldEvent, RuleSet};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "rules-event", run, seeds, rounds: 2_000 };

static CATALOGUE: LazyLock<RuleSet> = LazyLock::new(|| {
    let entries = seawall_content::detections();
    RuleSet::load(&entries.iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()).0
});

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut state = CATALOGUE.state();
    let mut replay = Replay::new(&CATALOGUE, ReplayOptions::default(), text.lines().any(has_time));
    for line in text.lines() {
        if let Ok((event, _)) = FieldEvent::parse(line) {
            CATALOGUE.evaluate(&event, &mut state);
        }
        if let Err(problem) = replay.line(line) {
            assert!(problem.line.is_some());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"evt.type": "execve", "evt.rawtime": 1795473451540000000, "proc.name": "sh", "proc.stdio.remote": true, "proc.aname": ["nc", null, "init"], "proc.args": "-i", "fd.rip": "203.0.113.9"}"#,
        r#"{"evt": {"type": "openat", "is_open_read": true}, "proc": {"name": "cat", "exepath": "/bin/cat", "pid": 7}, "fd": {"name": "/etc/shadow"}, "container.id": "0123456789ab", "k8s": {"ns": {"name": "shop"}}}"#,
        "{\"evt.type\": \"connect\", \"fd.rport\": \"4444\", \"fd.rip\": \"::1\", \"evt.time\": \"2026-11-25T03:00:00Z\"}\n{\"evt.type\": \"connect\", \"evt.rawres\": -5}",
        r#"{"time": "2026-11-25T03:00:00Z", "output_fields": {"proc.name": "x", "proc.aname[2]": "y", "user.uid": 0}}"#,
    ])
}
