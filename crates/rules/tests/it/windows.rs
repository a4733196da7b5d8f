//! Thresholds and sequences over event time.
use seawall_rules::{FieldEvent, RuleSet};

fn load(yaml: &str) -> RuleSet {
    let (set, problems) = RuleSet::load(&[("t.yaml", yaml)]);
    assert_eq!(problems, []);
    set
}

/// Feeds `(second, event)` pairs; returns the outputs.
fn run(set: &RuleSet, events: &[(u64, &str)]) -> Vec<String> {
    let mut state = set.state();
    let mut outputs = Vec::new();
    for (second, json) in events {
        let (event, problems) = FieldEvent::parse(json).expect("an event");
        assert_eq!(problems, []);
        let event = event.at(second * 1_000_000_000);
        outputs.extend(set.evaluate(&event, &mut state).into_iter().map(|fired| fired.output));
    }
    outputs
}

const FAILED: &str = "- rule: r\n  desc: d\n  condition: evt.type = connect and evt.rawres < 0\n  output: \"%container.id\"\n  priority: INFO\n";

#[test]
fn thresholds_count_per_key_and_span() {
    let set =
        load(&format!("{FAILED}  threshold: {{count: 3, by: [container.id], within: 10s}}\n"));
    let a = r#"{"evt.type": "connect", "evt.rawres": -1, "container.id": "a"}"#;
    let b = r#"{"evt.type": "connect", "evt.rawres": -1, "container.id": "b"}"#;
    let nobody = r#"{"evt.type": "connect", "evt.rawres": -1}"#;
    let success = r#"{"evt.type": "connect", "evt.rawres": 0, "container.id": "a"}"#;
    assert_eq!(run(&set, &[(0, a), (1, b), (2, a), (3, success), (4, a), (5, b), (6, a)]), ["a"]);
    assert!(run(&set, &[(0, a), (6, a), (12, a)]).is_empty(), "spread over more than the span");
    assert!(run(&set, &[(0, nobody), (1, nobody), (2, nobody)]).is_empty(), "no key");
}

#[test]
fn thresholds_count_distinct_values() {
    let set = load(&format!(
        "{FAILED}  threshold: {{count: 2, by: container.id, within: 1m, distinct: fd.rport}}\n"
    ));
    let port = |port: u32| {
        format!(
            r#"{{"evt.type": "connect", "evt.rawres": -1, "container.id": "a", "fd.rport": {port}}}"#
        )
    };
    assert!(run(&set, &[(0, &port(1)), (1, &port(1)), (2, &port(1))]).is_empty());
    assert_eq!(run(&set, &[(0, &port(1)), (1, &port(2))]), ["a"]);
}

#[test]
fn more_keys_than_the_limit_evict_and_are_counted() {
    let set = load(&format!("{FAILED}  threshold: {{count: 2, by: [proc.pid], within: 1h}}\n"));
    let mut state = set.state();
    for pid in 0..65_537 {
        let line = format!(r#"{{"evt.type": "connect", "evt.rawres": -1, "proc.pid": {pid}}}"#);
        set.evaluate(&FieldEvent::parse(&line).unwrap().0, &mut state);
    }
    assert_eq!(state.evicted(), 1);
}

const SEQUENCE: &str = "\
- rule: r
  desc: d
  condition: evt.type = connect and fd.rip = 169.254.169.254
  sequence:
    after: [evt.type = openat and fd.name startswith /run/secrets/]
    by: [container.id, proc.sid]
    within: 5m
  output: \"%step1.proc.name read %step1.fd.name, %proc.name reached %fd.rip\"
  priority: ERROR
";

#[test]
fn sequences_join_by_key_in_order_and_in_time() {
    let set = load(SEQUENCE);
    let read = r#"{"evt.type": "openat", "fd.name": "/run/secrets/x/token", "proc.name": "cat", "proc.sid": 7, "container.id": "c"}"#;
    let reach = r#"{"evt.type": "connect", "fd.rip": "169.254.169.254", "proc.name": "curl", "proc.sid": 7, "container.id": "c"}"#;
    let other = &reach.replace("\"proc.sid\": 7", "\"proc.sid\": 8");
    assert_eq!(
        run(&set, &[(0, read), (60, reach)]),
        ["cat read /run/secrets/x/token, curl reached 169.254.169.254"]
    );
    assert!(run(&set, &[(0, reach), (1, read)]).is_empty(), "the wrong order");
    assert!(run(&set, &[(0, read), (301, reach)]).is_empty(), "too late");
    assert!(run(&set, &[(0, read), (1, other)]).is_empty(), "another session");
    assert_eq!(run(&set, &[(0, read), (1, reach), (2, reach)]).len(), 1, "a step is used up");
    assert_eq!(
        run(&set, &[(0, read), (200, read), (400, reach)]).len(),
        1,
        "the latest start counts"
    );
    let mut state = set.state();
    for (second, line) in [(0, read), (1, reach)] {
        let event = FieldEvent::parse(line).unwrap().0.at(second * 1_000_000_000);
        for fired in set.evaluate(&event, &mut state) {
            let reasons: Vec<&str> = fired.why.iter().map(|why| why.expression.as_str()).collect();
            assert_eq!(
                reasons,
                [
                    "step 1: evt.type = openat",
                    "step 1: fd.name startswith /run/secrets/",
                    "evt.type = connect",
                    "fd.rip = 169.254.169.254"
                ]
            );
        }
    }
}

#[test]
fn one_event_takes_one_step() {
    let set = load(
        "- rule: r\n  desc: d\n  condition: evt.type = execve and proc.pid > 0\n  output: o\n  priority: INFO\n\
         \x20 sequence: {after: [evt.type = execve, evt.type = execve and proc.pid > 0], by: [], within: 1m}\n",
    );
    let exec = r#"{"evt.type": "execve", "proc.pid": 1}"#;
    assert!(run(&set, &[(0, exec), (1, exec)]).is_empty());
    assert_eq!(run(&set, &[(0, exec), (1, exec), (2, exec)]).len(), 1);
}

#[test]
fn after_sets_the_distance_in_tests() {
    let tested = |after: &str, expect: &str| {
        format!(
            "{SEQUENCE}  tests:\n  - name: t\n    expect: {expect}\n    events:\n    - {{evt.type: openat, fd.name: /run/secrets/t, proc.sid: 7, container.id: c, proc.name: cat}}\n    - {{evt.type: connect, fd.rip: 169.254.169.254, proc.sid: 7, container.id: c{after}}}\n"
        )
    };
    for (after, expect) in [("", "fire"), (", after: 5m", "fire"), (", after: 301s", "silent")] {
        let results = load(&tested(after, expect)).test();
        assert!(results[0].passed(), "{after}: {:?}", results[0].failure);
    }
}
