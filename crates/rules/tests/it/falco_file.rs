//! A whole file in Falco's style loads unmodified.
use seawall_model::problem::ProblemKind;
use seawall_rules::{FieldEvent, RuleSet, RuleState};

const FILE: &str = include_str!("falco_style.yaml");

fn load() -> RuleSet {
    let (set, problems) = RuleSet::load(&[("falco_style.yaml", FILE)]);
    let errors: Vec<_> =
        problems.iter().filter(|problem| problem.kind == ProblemKind::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    set
}

#[test]
fn every_rule_loads_and_says_whether_it_can_fire() {
    let set = load();
    let names = |state| -> Vec<&str> {
        set.rules()
            .iter()
            .filter(|rule| rule.state == state)
            .map(|rule| rule.name.as_str())
            .collect()
    };
    assert_eq!(
        names(RuleState::Inactive),
        [
            "Symlink over sensitive files",
            "Setuid by chmod",
            "Kernel module from container",
            "Ptrace attached",
            "Unexpected inbound",
            "Redirect to connection",
            "Namespace change",
            "Modified system files",
            "Directory listing",
            "Unknown filter tolerated",
            "Cloud console login",
        ]
    );
    assert_eq!(names(RuleState::Disabled), ["Metadata service"]);
    assert_eq!(names(RuleState::Active).len(), 28);
}

#[test]
fn rules_decide_as_written() {
    let set = load();
    let exec = r#""evt.type": "execve", "evt.num": 1, "evt.rawres": 0, "evt.failed": false"#;
    let open = r#""evt.type": "openat", "evt.num": 1, "fd.typechar": "f", "fd.num": 3"#;
    for (event, rule, fires) in [
        (format!(r#"{{{exec}, "container.id": "c", "proc.name": "bash", "proc.tty": 1, "container.start_ts": 1}}"#), "Terminal shell in container", true),
        (format!(r#"{{{exec}, "container.id": "c", "proc.name": "bash", "proc.tty": 1, "container.start_ts": 1, "k8s.ns.name": "debug"}}"#), "Terminal shell in container", false),
        (format!(r#"{{{exec}, "container.id": "host", "proc.name": "bash", "proc.tty": 1, "container.start_ts": 1}}"#), "Terminal shell in container", false),
        (format!(r#"{{{exec}, "container.id": "c", "proc.name": "bash", "proc.tty": 0, "container.start_ts": 1}}"#), "Terminal shell in container", false),
        (format!(r#"{{{open}, "evt.is_open_write": true, "fd.name": "/usr/bin/x", "proc.name": "sh"}}"#), "Write below binary dir", true),
        (format!(r#"{{{open}, "evt.is_open_write": true, "fd.name": "/usr/bin/x", "proc.name": "apk"}}"#), "Write below binary dir", false),
        (format!(r#"{{{open}, "evt.is_open_write": true, "fd.name": "/usr/bin/x", "proc.name": "backup"}}"#), "Write below binary dir", false),
        (format!(r#"{{{open}, "evt.is_open_write": true, "fd.name": "/usr/bin/x", "proc.name": "installer"}}"#), "Write below binary dir", false),
        (format!(r#"{{{open}, "evt.is_open_read": true, "fd.name": "/etc/shadow", "proc.name": "cat"}}"#), "Read sensitive file untrusted", true),
        (format!(r#"{{{open}, "evt.is_open_read": true, "fd.name": "/etc/shadow", "proc.name": "(systemd)"}}"#), "Read sensitive file untrusted", false),
        (format!(r#"{{{open}, "evt.is_open_read": true, "fd.name": "/etc/pam.conf", "proc.name": "qualys"}}"#), "Read sensitive file untrusted", false),
        (format!(r#"{{{open}, "evt.is_open_read": true, "fd.name": "/etc/sudoers.d/x", "proc.name": "bash"}}"#), "Read sensitive file untrusted", false),
        (format!(r#"{{{open}, "evt.is_open_read": true, "fd.name": "/etc/shadow", "proc.name": "cat", "container.image.repository": "docker.io/library/auditor"}}"#), "Read sensitive file untrusted", false),
        (r#"{"evt.type": "connect", "evt.num": 1, "evt.rawres": 0, "fd.rip": "198.51.100.7", "fd.rport": 3333}"#.into(), "Miner connection", true),
        (r#"{"evt.type": "connect", "evt.num": 1, "evt.rawres": 0, "fd.rip": "10.1.2.3", "fd.rport": 3333}"#.into(), "Miner connection", false),
        (r#"{"evt.type": "connect", "evt.num": 1, "evt.rawres": -111, "evt.res": "ECONNREFUSED", "fd.rip": "198.51.100.7", "fd.rport": 3333}"#.into(), "Miner connection", false),
        (r#"{"evt.type": "connect", "evt.num": 1, "fd.rip": "169.254.169.254", "container.id": "c"}"#.into(), "Metadata service", false),
        (format!(r#"{{{exec}, "proc.exepath": "/tmp/.x1/run"}}"#), "Path by regular expression", true),
        (format!(r#"{{{exec}, "proc.name": "kubectl", "proc.cmdline": "kubectl --token x --server y"}}"#), "Any of several", true),
        (format!(r#"{{{exec}, "k8s.pod.label.app": "web", "k8s.pod.label[tier]": "back end"}}"#), "Labels decide", true),
        (format!(r#"{{{exec}, "k8s.pod.label.app": "web", "k8s.pod.label[tier]": "back end", "k8s.pod.labels": "app:web,skip:true"}}"#), "Labels decide", false),
        (format!(r#"{{{open}, "evt.arg.mode": "0x1ff", "evt.arg.name": "/x"}}"#), "Raw arguments", true),
        (r#"{"evt.type": "ptrace", "evt.num": 2}"#.into(), "Everything", true),
        (r#"{"evt.type": "ptrace", "evt.num": 2, "evt.arg.request": "PTRACE_ATTACH", "proc.name": "x"}"#.into(), "Ptrace attached", true),
    ] {
        let (parsed, _) = FieldEvent::parse(&event).unwrap();
        let mut state = set.state();
        let fired = set.evaluate(&parsed, &mut state);
        assert_eq!(fired.iter().any(|fired| fired.rule.name == rule), fires, "{rule}: {event}");
    }
}

#[test]
fn warnings_have_places_and_are_said_once_a_rule() {
    let (_, problems) = RuleSet::load(&[("falco_style.yaml", FILE)]);
    let mut places: Vec<_> = problems
        .iter()
        .map(|problem| (problem.line, problem.column, &problem.item, &problem.message))
        .collect();
    assert!(places.iter().all(|(line, column, ..)| line.is_some() && column.is_some()));
    let all = places.len();
    places.dedup();
    assert_eq!(places.len(), all);
    let of = |code: &str| problems.iter().filter(|problem| problem.code == code).count();
    assert_eq!(of("deprecated"), 2, "two items with `append: true`");
    assert!(of("inactive") >= 11);
    assert_eq!(of("unused"), 1, "{problems:#?}");
}
