//! The lines that `seawall replay --events` prints.
use seawall_model::Severity;
use seawall_rules::RuleSet;
use seawall_rules::replay::{ReplayOptions, Replayed, replay};

const RULES: &str = "\
- rule: first
  id: SW-D-9001
  desc: d
  condition: evt.type = execve and proc.name = sh
  output: \"shell %proc.name of %proc.pname by %user.name, %tolower(proc.cwd)\"
  priority: critical
  tags: [a]
  mitre: [T1059.004]
- rule: second
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
- rule: quiet
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  mode: audit
- rule: burst
  desc: d
  condition: evt.type = connect
  output: o
  priority: NOTICE
  threshold: {count: 2, by: [], within: 2s}
";

fn run(lines: &str, options: ReplayOptions) -> Replayed {
    let (set, problems) = RuleSet::load(&[("t.yaml", RULES)]);
    assert_eq!(problems, []);
    replay(&set, lines.lines(), options)
}

#[test]
fn an_alert_is_one_object_with_keys_in_order() {
    let line = r#"{"evt": {"type": "execve", "rawtime": 1777636800000000001}, "proc.name": "sh", "proc.cwd": "/TMP", "proc.aname": ["nginx"]}"#;
    let replayed = run(line, ReplayOptions::default());
    assert_eq!(
        replayed.alerts[0].json.to_string(),
        r#"{"time":"2026-05-01T12:00:00.000000001Z","rule":"first","priority":"Critical","source":"syscall","output":"shell sh of nginx by <NA>, /tmp","output_fields":{"proc.name":"sh","proc.pname":"nginx","user.name":null,"tolower(proc.cwd)":"/tmp","proc.cwd":"/TMP"},"tags":["a"],"id":"SW-D-9001","severity":"critical","mitre":["T1059.004"],"event":1}"#
    );
    assert_eq!(replayed.alerts[0].severity, Severity::Critical);
    assert_eq!(replayed.alerts[1].json["id"], serde_json::Value::Null);
    assert_eq!(replayed.alerts[1].json["mitre"], serde_json::json!([]));
    assert_eq!(replayed.alerts[1].json["priority"], "Informational");
    assert_eq!(replayed.alerts.len(), 2);
}

#[test]
fn options_choose_rules() {
    let line = r#"{"evt.type": "execve", "proc.name": "sh"}"#;
    let names = |options| -> Vec<String> {
        run(line, options)
            .alerts
            .iter()
            .map(|alert| alert.json["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(ReplayOptions::default()), ["first", "second"]);
    assert_eq!(names(ReplayOptions { first_match: true, audit: false }), ["first"]);
    assert_eq!(
        names(ReplayOptions { first_match: false, audit: true }),
        ["first", "second", "quiet"]
    );
}

#[test]
fn bad_records_are_counted_and_the_rest_evaluated() {
    let lines = "{\"evt.type\": \"execve\"}\n\nnot json\n[1]\n{\"evt.type\": \"execve\", \"proc.pid\": \"x\", \"other\": 1}\n";
    let replayed = run(lines, ReplayOptions::default());
    assert_eq!(replayed.undecodable, 2);
    let events: Vec<_> =
        replayed.alerts.iter().map(|alert| alert.json["event"].as_u64().unwrap()).collect();
    assert_eq!(events, [1, 4], "every record counts, blank lines do not");
    let problems: Vec<_> =
        replayed.problems.iter().map(|problem| (problem.line, problem.code.as_str())).collect();
    assert_eq!(
        problems,
        [(Some(2), "syntax"), (Some(3), "type"), (Some(4), "type"), (Some(4), "unknown-field")]
    );
}

#[test]
fn time_is_the_record_s_or_the_previous_one_s() {
    let at = |second: u64| {
        format!("{{\"evt.type\": \"connect\", \"evt.rawtime\": {}}}\n", second * 1_000_000_000)
    };
    let none = "{\"evt.type\": \"connect\"}\n";
    let times = |lines: &str| -> Vec<serde_json::Value> {
        run(lines, ReplayOptions::default())
            .alerts
            .iter()
            .map(|alert| alert.json["time"].clone())
            .collect()
    };
    assert_eq!(times(&format!("{}{none}", at(100))), ["1970-01-01T00:01:40.000000000Z"]);
    assert!(times(&format!("{}{}", at(100), at(103))).is_empty(), "beyond the span");
    assert_eq!(
        times(&format!("{}{}", at(100), at(39))).len(),
        1,
        "over 60 s late: the previous record's time"
    );
    assert_eq!(
        times(&format!("{none}{none}")),
        [serde_json::Value::Null],
        "no record has a time: 1 ms apart"
    );
    assert_eq!(
        times(&format!("{none}{none}{}", at(100))),
        [serde_json::Value::Null],
        "the first have none"
    );
    let untimed = run(&format!("{}{none}{}", at(100), at(1)), ReplayOptions::default()).problems;
    assert_eq!((untimed.len(), untimed[0].code.as_str()), (1, "time"));
    assert!(untimed[0].message.starts_with("2 records"), "{untimed:?}");
    assert_eq!(run(&at(100), ReplayOptions::default()).problems, []);
}
