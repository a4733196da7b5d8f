//! Conditions of rules: each loads, or is refused with its place.
use super::texts;
use crate::Target;
use seawall_rules::{FieldEvent, RuleSet};

pub(crate) const TARGET: Target = Target { name: "rules-condition", run, seeds, rounds: 1_000 };

const EVENTS: [&str; 3] = [
    r#"{"evt.type": "execve", "proc.name": "bash", "proc.aname": ["sh", "containerd-shim"], "proc.pid": 7, "proc.args": "-i"}"#,
    r#"{"evt.type": "openat", "fd.name": "/etc/shadow", "evt.is_open_read": true, "container.id": "abc"}"#,
    r#"{"evt.type": "connect", "fd.rip": "203.0.113.9", "fd.rport": 4444, "fd.l4proto": "tcp", "evt.rawres": -115}"#,
];

fn run(bytes: &[u8]) {
    let condition = serde_json::Value::from(String::from_utf8_lossy(bytes));
    let yaml = format!(
        "- list: shells\n  items: [bash, sh]\n- macro: m\n  condition: proc.pid = 1\n\
         - rule: r\n  desc: d\n  condition: {condition}\n  output: o %proc.name\n  priority: INFO\n"
    );
    let (set, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
    let errors =
        problems.iter().filter(|problem| problem.code != "unused" && problem.code != "inactive");
    for problem in errors.clone() {
        assert!(problem.line.is_some_and(|line| line >= 1), "{problem:?}");
    }
    assert_eq!(set.rules().is_empty(), errors.count() > 0, "{problems:?}");
    let mut state = set.state();
    for line in EVENTS {
        let (event, _) = FieldEvent::parse(line).expect("the events above are well-formed");
        for fired in set.evaluate(&event, &mut state) {
            assert!(fired.output.starts_with("o "));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "evt.type in (execve, execveat) and proc.name in (shells) and not m",
        "evt.type = openat and evt.is_open_read = true and fd.name pmatch (/etc, /run/secrets)",
        "evt.type = connect and (fd.rip = 203.0.113.0/24 or fd.rport >= 1024) and evt.rawres != 0",
        "proc.name regex '^ba?sh$' or proc.args contains \"-i\" or proc.cmdline icontains X",
        "tolower(proc.name) = sh and proc.aname[2] exists and fd.name glob '/e*/s?adow'",
        "proc.name = val(proc.pname) and container.id != host and proc.name startswith b",
        "(((((m or m) and m) or not m)))",
    ])
}
