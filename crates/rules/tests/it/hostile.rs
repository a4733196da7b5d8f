//! Input made to break the loader: an error with its place, never a panic, an endless loop or a deep stack.
use proptest::prelude::*;
use seawall_rules::{FieldEvent, RuleSet};

fn rule(condition: &str) -> String {
    format!("- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n")
}

#[track_caller]
fn refused(yaml: &str, code: &str) {
    let (set, problems) = RuleSet::load(&[("t.yaml", yaml)]);
    let found = problems.iter().find(|problem| problem.code == code);
    let found = found.unwrap_or_else(|| panic!("no {code} among {problems:?}"));
    assert!(found.line.is_some() && found.column.is_some(), "{found:?}");
    assert!(set.rules().is_empty());
}

#[test]
fn size_and_depth_are_limited() {
    refused(&" ".repeat((8 << 20) + 1), "yaml");
    refused(&rule(&format!("{}proc.pid = 1{}", "(".repeat(1_001), ")".repeat(1_001))), "too-deep");
    refused(&rule(&"(".repeat(3_000_000)), "too-deep");
    refused(
        &rule(&format!("{}proc.name{} = x", "tolower(".repeat(40), ")".repeat(40))),
        "too-deep",
    );
    refused(&"[".repeat(100_000), "too-deep");
    refused(&rule("proc.name regex '((((((((a{99}){99}){99}){99}){99}){99}){99}){99})'"), "regex");
    // As deep as allowed, evaluated on a test thread's small stack.
    let nested: String = (0..499).map(|_| "(proc.pid = 1 and not (proc.pid = 2 or ").collect();
    let deepest = rule(&format!("{nested}proc.pid = 3{}", ")".repeat(998)));
    let (set, problems) = RuleSet::load(&[("t.yaml", &deepest)]);
    let (event, _) = FieldEvent::parse(r#"{"evt.type": "execve", "proc.pid": 1}"#).unwrap();
    if problems.is_empty() {
        set.evaluate(&event, &mut set.state());
    } else {
        assert_eq!(problems[0].code, "too-deep");
    }
    let (set, problems) =
        RuleSet::load(&[("t.yaml", &rule(&"not ".repeat(100_000).replace("not ", "not (")))]);
    assert!(set.rules().is_empty() && !problems.is_empty());
}

#[test]
fn macros_and_lists_do_not_explode() {
    let mut yaml = String::from(
        "- macro: m0\n  condition: proc.pid = 1 or proc.pid = 2\n- list: l0\n  items: [a, b]\n",
    );
    for level in 1..400 {
        let inner = level - 1;
        yaml.push_str(&format!(
            "- macro: m{level}\n  condition: (m{inner} and m{inner}) or not m{inner}\n"
        ));
        yaml.push_str(&format!("- list: l{level}\n  items: [l{inner}, l{inner}]\n"));
    }
    yaml.push_str(&rule("m399 and proc.name in (l399)"));
    let (set, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
    let (event, _) =
        FieldEvent::parse(r#"{"evt.type": "execve", "proc.pid": 1, "proc.name": "a"}"#).unwrap();
    if problems.is_empty() {
        assert_eq!(set.evaluate(&event, &mut set.state()).len(), 1);
    } else {
        assert!(problems.iter().any(|problem| problem.code == "too-deep"), "{problems:?}");
    }
    let chain: String = (1..10_000)
        .map(|level| format!("- macro: c{level}\n  condition: c{}\n", level - 1))
        .collect();
    let yaml = format!("- macro: c0\n  condition: proc.pid = 1\n{chain}{}", rule("c9999"));
    let (set, _) = RuleSet::load(&[("t.yaml", &yaml)]);
    assert_eq!(set.evaluate(&event, &mut set.state()).len(), 1);
    let chain: String = (1..3_000)
        .map(|level| format!("- macro: d{level}\n  condition: not d{}\n", level - 1))
        .collect();
    refused(
        &format!("- macro: d0\n  condition: proc.pid = 1\n{chain}{}", rule("d2999")),
        "too-deep",
    );
}

#[test]
fn many_rules_on_one_line_take_linear_time() {
    let items: Vec<String> = (0..1_000)
        .map(|n| format!("{{rule: r{n}, desc: d, condition: proc.pid = {n} and proc.nmae = x, output: o, priority: INFO}}"))
        .collect();
    let (_, problems) = RuleSet::load(&[("t.yaml", &format!("[{}]", items.join(",")))]);
    assert_eq!(problems.len(), 1_000);
}

#[test]
fn records_are_read_whatever_they_hold() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    for line in [
        "",
        "null",
        "[]",
        "{",
        "{\"proc.aname[\": 1}",
        "{\"proc.aname[99999999999999999999]\": \"x\"}",
        "{\"evt.rawtime\": -5}",
        "{\"evt.rawtime\": 1e300}",
        "{\"fd.ip\": [[[]]]}",
        &deep,
    ] {
        let _ = FieldEvent::parse(line);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_rules_file(text in "\\PC{0,300}") {
        RuleSet::load(&[("t.yaml", &text)]);
    }

    #[test]
    fn any_condition_loads_or_is_refused_with_a_place(
        words in prop::collection::vec(prop::sample::select(vec![
            "proc.name", "fd.rip", "evt.type", "and", "or", "not", "(", ")", "in", "=", "!=", "<", "contains", "regex", "bash", "'a b'",
            "\"", "10.0.0.0/8", "execve", "tolower(", "val(", "[1]", ",", "exists", "pmatch", "anyof", "é", "\\", "m", "join(",
        ]), 0..20)
    ) {
        let yaml = format!("- macro: m\n  condition: proc.pid = 1\n{}", rule(&serde_json::to_string(&words.join(" ")).unwrap()));
        let (set, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
        let errors = problems.iter().filter(|problem| problem.code != "unused" && problem.code != "inactive");
        for problem in errors.clone() {
            prop_assert!(problem.line.is_some_and(|line| line >= 1), "{:?}", problem);
        }
        prop_assert_eq!(set.rules().is_empty(), errors.count() > 0);
        let (event, _) = FieldEvent::parse(r#"{"evt.type": "execve", "proc.name": "bash", "fd.rip": "10.0.0.1"}"#).unwrap();
        for fired in set.evaluate(&event, &mut set.state()) {
            prop_assert!(!fired.output.is_empty());
        }
    }
}
