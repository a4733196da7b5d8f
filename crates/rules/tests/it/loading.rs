//! What loads, what does not, and where a problem is said to be.
use seawall_rules::{FieldEvent, RuleSet, RuleState};

/// A rule around a condition; the condition begins at line 3, column 14.
fn rule(condition: &str) -> String {
    format!("- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n")
}

/// `files` are loaded in order; problems read `line:column code`, `*` for a warning before the code.
#[track_caller]
fn check(files: &[&str], expected: &[&str]) -> RuleSet {
    let names: Vec<String> = (0..files.len()).map(|index| format!("{index}.yaml")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(files.iter().copied()).collect();
    let (set, problems) = RuleSet::load(&files);
    let found: Vec<String> = problems
        .iter()
        .map(|problem| {
            let warning =
                if problem.kind == seawall_model::problem::ProblemKind::Warning { "*" } else { "" };
            let (line, column) = (problem.line.unwrap_or(0), problem.column.unwrap_or(0));
            format!("{line}:{column} {warning}{}", problem.code)
        })
        .collect();
    assert_eq!(found, expected, "{problems:#?}");
    set
}

#[track_caller]
fn fires(set: &RuleSet, event: &str) -> Vec<String> {
    let (event, _) = FieldEvent::parse(event).expect("an event");
    set.evaluate(&event, &mut set.state()).iter().map(|fired| fired.rule.name.clone()).collect()
}

#[test]
fn condition_errors_point_at_their_token() {
    for (condition, expected) in [
        ("proc.nmae = x", "3:14 unknown-field"),
        ("proc.name = x and proc.nmae in (y)", "3:32 unknown-field"),
        ("proc.name equals x", "3:24 unknown-operator"),
        ("proc.name startwith x", "3:24 unknown-operator"),
        ("upper(proc.name) = x", "3:14 unknown-operator"),
        ("spawned and proc.name = x", "3:14 unknown-macro"),
        ("proc.name in shells", "3:27 unknown-list"),
        ("proc.name = x or", "3:30 syntax"),
        ("proc.name = x and", "3:31 syntax"),
        ("(proc.name = x", "3:28 syntax"),
        ("proc.name = x)", "3:27 syntax"),
        ("proc.name in (x", "3:29 syntax"),
        ("proc.name = x proc.pid = 1", "3:28 syntax"),
        ("proc.name =", "3:25 syntax"),
        ("proc.name", "3:23 syntax"),
        ("proc.aname[2 = x", "3:26 syntax"),
        ("proc.pid = x", "3:25 type"),
        ("proc.pid contains 1", "3:23 type"),
        ("proc.name > 1", "3:24 type"),
        ("proc.is_exe_writable = maybe", "3:37 type"),
        ("fd.rip = hello", "3:23 type"),
        ("fd.rip in (10.0.0.0/8, x)", "3:37 type"),
        ("proc.name[1] = x", "3:14 type"),
        ("proc.stdio.peers = x", "3:31 type"),
        ("evt.type = opne", "3:25 type"),
        ("proc.pid = val(proc.name)", "3:23 type"),
        ("len(proc.name, proc.pid) = 1", "3:14 syntax"),
        ("tolower(proc.pid) = 1", "3:14 type"),
        ("proc.name regex '('", "3:30 regex"),
        ("proc.name regex '(a{1000}){1000}'", "3:30 regex"),
        (">-\n    proc.name = x\n    and proc.nmae = y", "5:9 unknown-field"),
        ("|\n    proc.name = x\n      and proc.nmae = y", "5:11 unknown-field"),
        ("'proc.name = ''x'' and proc.nmae = y'", "3:37 unknown-field"),
        ("\"proc.name = \\\"x\\\" and proc.nmae = y\"", "3:37 unknown-field"),
        ("proc.name = x and\n    proc.nmae = y", "4:5 unknown-field"),
        ("''", "3:14 syntax"),
    ] {
        let yaml = rule(condition);
        let (_, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
        let first = problems.first().unwrap_or_else(|| panic!("{condition} loads"));
        let (line, column) = (first.line.unwrap(), first.column.unwrap());
        // Where a value is expected, any blank before it is as good a place as the next.
        assert_eq!(format!("{line}:{column} {}", first.code), expected, "{condition}: {first}");
    }
}

#[test]
fn the_message_names_the_nearest_word() {
    let yaml = rule(">-\n    proc.name = x\n    and proc.nmae in (shells)");
    let (_, problems) = RuleSet::load(&[("custom.yaml", &yaml)]);
    assert_eq!(
        problems[0].to_string(),
        "custom.yaml:5:9: error[unknown-field]: no field `proc.nmae`"
    );
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `proc.name`?"));
    assert_eq!(problems[0].item.as_deref(), Some("r"));
}

#[test]
fn item_errors_are_named_and_the_rest_loads() {
    let good = rule("proc.name = x");
    for (item, expected) in [
        ("- rul: x\n", "1:3 unknown-key"),
        ("- just text\n", "1:3 yaml"),
        (
            "- rule: x\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: HIGH\n",
            "5:13 type",
        ),
        ("- rule: x\n  desc: d\n  condition: evt.type = execve\n  priority: INFO\n", "1:3 yaml"),
        ("- rule: x\n  desk: d\n", "2:3 unknown-key"),
        ("- rule: x\n  rule: y\n", "2:3 yaml"),
        ("- rule: x\n  enabled: false\n", "1:3 no-previous"),
        (
            "- rule: x\n  append: true\n  condition: and proc.pid = 1\n",
            "1:3 no-previous; 2:3 *deprecated",
        ),
        (
            "- rule: x\n  condition: and proc.pid = 1\n  override: {condition: append}\n",
            "1:3 no-previous",
        ),
        (
            "- macro: x\n  condition: or proc.pid = 1\n  override: {condition: append}\n",
            "1:3 no-previous",
        ),
        ("- list: x\n  items: [a]\n  override: {items: append}\n", "1:3 no-previous"),
        ("- list: x\n", "1:3 yaml"),
        ("- list: x\n  items: 5\n", "2:10 type"),
        ("- macro: x\n  condition: [a]\n", "2:14 type"),
        ("- macro: x\n  condition: proc.pid = 1\n  override: {output: append}\n", "3:22 type"),
        ("- required_engine_version: banana\n", "1:28 type"),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: '%proc.nmae'\n  priority: INFO\n",
            "4:13 unknown-field",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: 'a %'\n  priority: INFO\n",
            "4:14 output",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: '%step1.proc.pid'\n  priority: INFO\n",
            "4:13 output",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  mitre: [T1]\n",
            "6:11 type",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  mode: block\n",
            "6:9 type",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  threshold: {count: 0, within: 1m}\n",
            "6:14 type",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  sequence: {after: [proc.nmae = x], by: [], within: 1m}\n",
            "6:22 unknown-field",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  exceptions: [{name: e, fields: [proc.nmae]}]\n",
            "6:35 unknown-field",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  exceptions: [{name: e, fields: [proc.name, proc.pid], values: [[a]]}]\n",
            "6:66 type",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  exceptions: [{name: e, fields: [proc.name], comps: [is]}]\n",
            "6:55 unknown-operator",
        ),
        (
            "- rule: x\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n  tests: [{name: t, expect: maybe}]\n",
            "6:11 type",
        ),
    ] {
        let both = format!("{item}{good}");
        let set = check(&[&both], &expected.split("; ").collect::<Vec<_>>());
        assert_eq!(
            set.rules().iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
            ["r"],
            "{item}"
        );
    }
}

#[test]
fn broken_yaml_keeps_the_rules_before_it() {
    let set = check(&[&format!("{}- rule: [\n", rule("proc.name = x"))], &["7:1 yaml"]);
    assert_eq!(set.rules().len(), 1);
    check(&["rule: x\n"], &["1:1 yaml"]);
    check(&["", "---\n", "# nothing\n"], &[]);
}

#[test]
fn later_definitions_replace_append_override_and_switch() {
    let first = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n\
        - rule: r\n  desc: d\n  condition: evt.type = execve and m\n  output: one\n  priority: INFO\n";
    let event = |name: &str| {
        format!(
            r#"{{"evt.type": "execve", "proc.name": "{name}", "proc.pid": 5, "user.name": "root"}}"#
        )
    };
    let base = check(&[first], &[]);
    assert_eq!(fires(&base, &event("a")), ["r"]);
    assert_eq!(fires(&base, &event("b")), [""; 0]);

    let appended = check(&[first, "- list: l\n  items: [b]\n  override: {items: append}\n"], &[]);
    assert_eq!(fires(&appended, &event("b")), ["r"]);
    let old = check(&[first, "- list: l\n  append: true\n  items: [b]\n"], &["2:3 *deprecated"]);
    assert_eq!(fires(&old, &event("b")), ["r"]);
    let replaced = check(&[first, "- list: l\n  items: [b]\n"], &[]);
    assert_eq!((fires(&replaced, &event("a")).len(), fires(&replaced, &event("b")).len()), (0, 1));

    let wider = check(
        &[first, "- macro: m\n  condition: or proc.name = c\n  override: {condition: append}\n"],
        &[],
    );
    assert_eq!(fires(&wider, &event("c")), ["r"]);
    let narrower = "- rule: r\n  condition: and proc.pid = 6\n  output: two\n  priority: ERROR\n\
        \x20 override: {condition: append, output: append, priority: replace}\n";
    let narrower = check(&[first, narrower], &[]);
    assert_eq!(fires(&narrower, &event("a")), [""; 0]);
    assert_eq!(narrower.rules()[0].priority.as_str(), "Error");

    let off = check(&[first, "- rule: r\n  enabled: false\n"], &[]);
    assert_eq!(off.rules()[0].state, RuleState::Disabled);
    assert_eq!(fires(&off, &event("a")), [""; 0]);
    let on = check(
        &[
            first,
            "- rule: r\n  enabled: false\n",
            "- rule: r\n  enabled: true\n  override: {enabled: replace}\n",
        ],
        &[],
    );
    assert_eq!(fires(&on, &event("a")), ["r"]);

    // What stands beside `override` without being named would be taken or left silently.
    for (item, place) in [
        (
            "- rule: r\n  condition: and m\n  priority: ERROR\n  override: {condition: append}\n",
            "3:3 yaml",
        ),
        ("- list: l\n  items: [b]\n  override: {}\n", "2:3 yaml"),
        ("- macro: m\n  condition: proc.pid = 1\n  override: {}\n", "2:3 yaml"),
    ] {
        assert_eq!(check(&[first, item], &[place]).rules()[0].priority.as_str(), "Informational");
    }

    // Joined as text, so the `or` takes the whole rule with it; that is worth a warning.
    let loose = check(
        &[first, "- rule: r\n  condition: or proc.pid = 5\n  override: {condition: append}\n"],
        &["2:14 *precedence"],
    );
    assert_eq!(fires(&loose, &event("z")), ["r"]);
}

#[test]
fn exceptions_except() {
    let base = "- list: tools\n  items: [dpkg, rpm]\n- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: INFO\n\
        \x20 exceptions:\n  - name: pair\n    fields: [proc.name, user.name]\n    values:\n    - [apt, root]\n\
        \x20 - name: mixed\n    fields: [proc.name, fd.directory]\n    comps: [=, in]\n    values:\n    - [cp, [/usr/bin, /bin]]\n\
        \x20 - name: single\n    fields: proc.name\n    values: [tools, yum, '\"(odd)\"']\n\
        \x20 - name: prefix\n    fields: proc.cmdline\n    comps: startswith anyof\n    values: [\"run me\"]\n\
        \x20 - name: later\n    fields: [proc.pname]\n";
    let set = check(&[base], &[]);
    let event = |fields: &str| format!(r#"{{"evt.type": "execve", {fields}}}"#);
    for (fields, expected) in [
        (r#""proc.name": "apt", "user.name": "root""#, false),
        (r#""proc.name": "apt", "user.name": "app""#, true),
        (r#""proc.name": "apt""#, true),
        (r#""proc.name": "cp", "fd.directory": "/bin""#, false),
        (r#""proc.name": "cp", "fd.directory": "/tmp""#, true),
        (r#""proc.name": "rpm""#, false),
        (r#""proc.name": "yum""#, false),
        (r#""proc.name": "(odd)""#, false),
        (r#""proc.name": "tools""#, true),
        (r#""proc.name": "x", "proc.cmdline": "run me now""#, false),
        (r#""proc.name": "x", "proc.pname": "init""#, true),
    ] {
        assert_eq!(fires(&set, &event(fields)).len() == 1, expected, "{fields}");
    }
    let more = "- rule: r\n  exceptions:\n  - name: later\n    values: [[init], [systemd]]\n  - name: own\n    fields: [proc.pid]\n    values: [[1]]\n\
        \x20 override: {exceptions: append}\n";
    let set = check(&[base, more], &[]);
    assert!(fires(&set, &event(r#""proc.name": "x", "proc.pname": "init""#)).is_empty());
    assert!(fires(&set, &event(r#""proc.name": "x", "proc.pid": 1"#)).is_empty());
    assert_eq!(fires(&set, &event(r#""proc.name": "x""#)).len(), 1);
}

#[test]
fn macros_see_earlier_macros_only() {
    let late =
        format!("- macro: a\n  condition: b\n- macro: b\n  condition: proc.pid = 1\n{}", rule("a"));
    let set = check(&[&late], &["2:14 unknown-macro", "3:3 *unused", "7:14 unknown-macro"]);
    assert!(set.rules().is_empty());
    // A redefinition sees what came before it, not only what came before the first.
    let redefined = format!(
        "- macro: a\n  condition: proc.pid = 1\n- macro: b\n  condition: proc.pid = 2\n- macro: a\n  condition: b\n{}",
        rule("a")
    );
    let set = check(&[&redefined], &[]);
    assert_eq!(fires(&set, r#"{"evt.type": "execve", "proc.pid": 2}"#), ["r"]);
    let cycle = format!(
        "- macro: a\n  condition: proc.pid = 1\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n{}",
        rule("a")
    );
    let (set, problems) = RuleSet::load(&[("t.yaml", &cycle)]);
    assert!(set.rules().is_empty());
    assert!(problems.iter().any(|problem| problem.code == "too-deep"), "{problems:?}");
    let lists = format!(
        "- list: a\n  items: [b, x]\n- list: b\n  items: [a, y]\n{}",
        rule("proc.name in (a)")
    );
    let (set, problems) = RuleSet::load(&[("t.yaml", &lists)]);
    assert_eq!(problems[0].code, "too-deep");
    assert_eq!(
        fires(&set, r#"{"evt.type": "execve", "proc.name": "x"}"#),
        ["r"],
        "the rest of the list stands"
    );
}

#[test]
fn what_is_not_collected_is_inactive_not_an_error() {
    let set = check(&[&rule("evt.type = execve and proc.env[A] = x")], &["3:36 *inactive"]);
    assert_eq!(set.rules()[0].state, RuleState::Inactive);
    assert_eq!(
        fires(&set, r#"{"evt.type": "execve", "proc.env[A]": "x"}"#),
        ["r"],
        "tests can still provoke it"
    );
    let set = check(&[&rule("evt.type = ptrace")], &["1:3 *inactive"]);
    assert_eq!(set.rules()[0].state, RuleState::Inactive);
    assert!(set.wanted().is_empty());
    let set = check(&[&rule("evt.type in (execve, ptrace)")], &[]);
    assert_eq!(set.rules()[0].state, RuleState::Active);
    // One branch still works, so the rule does.
    let set = check(
        &[&rule("evt.type = execve and (proc.env[A] = x or proc.pid = 1)")],
        &["3:37 *inactive"],
    );
    assert_eq!(set.rules()[0].state, RuleState::Active);
    let cloud = rule("ct.name = ConsoleLogin and json.value[/kind] = Event")
        .replace("priority", "source: aws_cloudtrail\n  priority");
    let set = check(&[&cloud], &["5:11 *inactive"]);
    assert_eq!(set.rules()[0].state, RuleState::Inactive);
    let skipped =
        rule("proc.brand_new = 1").replace("priority", "skip-if-unknown-filter: true\n  priority");
    assert_eq!(check(&[&skipped], &["3:14 *inactive"]).rules()[0].state, RuleState::Inactive);
}

#[test]
fn what_a_sensor_never_reports_is_inactive() {
    for (condition, expected) in [
        ("evt.type = open_by_handle_at", &["1:3 *inactive"][..]),
        ("evt.type in (exit, exit_group)", &["1:3 *inactive"]),
        ("evt.type = openat and evt.rawres < 0", &["1:3 *inactive"]),
        ("evt.type = openat and evt.rawres in (-13, -1)", &["1:3 *inactive"]),
        ("evt.type = openat and evt.failed = true", &["1:3 *inactive"]),
        ("evt.type = openat and evt.res = EACCES", &["1:3 *inactive"]),
        ("evt.type = openat and evt.res != SUCCESS", &["1:3 *inactive"]),
        ("evt.type = execve and not evt.rawres >= 0", &["1:3 *inactive"]),
        ("evt.type = openat and fd.type = directory", &["3:36 *inactive"]),
        ("evt.type = openat and fd.typechar = d", &["3:36 *inactive"]),
        ("evt.type = execve and evt.dir = >", &["3:36 *inactive"]),
        ("evt.type = execve and proc.is_exe_writable = true", &["3:36 *inactive"]),
        ("evt.type = execve and evt.arg[0] = x", &["3:36 *inactive"]),
        ("evt.type = execve and evt.arg.nmae = x", &["3:36 *inactive"]),
        ("evt.type = execve and proc.exepath = val(proc.stdin.name)", &["3:36 *inactive"]),
        ("evt.type in (execve, execveat, fork, vfork, clone, clone3)", &[]),
        ("evt.type in (open, open_by_handle_at)", &[]),
        ("evt.type = connect and evt.rawres < 0", &[]),
        ("evt.type = connect and evt.res = EINPROGRESS", &[]),
        ("evt.type = openat and evt.rawres >= 0", &[]),
        ("evt.type = execve and evt.failed = false and evt.res = SUCCESS", &[]),
        ("evt.type = execve and evt.dir = <", &[]),
        ("evt.type = procexit and evt.failed = false", &[]),
    ] {
        let set = check(&[&rule(condition)], expected);
        let state = if expected.is_empty() { RuleState::Active } else { RuleState::Inactive };
        assert_eq!(set.rules()[0].state, state, "{condition}");
    }
}

/// Equal comparisons are one in the program, and yet each rule says which of its own is dead.
#[test]
fn every_rule_on_an_uncollected_field_is_reported() {
    let named =
        |name: &str, condition: &str| rule(condition).replace("rule: r", &format!("rule: {name}"));
    let text = "- macro: m\n  condition: proc.env[A] = x\n".to_owned()
        + &named("first", "evt.type = execve and m")
        + &named("second", "evt.type = execve and m and m")
        + &named("third", "evt.type = execve and proc.env[A] = x")
        + &named("fine", "evt.type = execve and proc.pid = 1");
    let (_, problems) = RuleSet::load(&[("t.yaml", &text)]);
    let told: Vec<_> = problems
        .iter()
        .map(|problem| (problem.item.as_deref().unwrap(), problem.line.unwrap()))
        .collect();
    assert_eq!(told, [("first", 2), ("second", 2), ("third", 15)]);
}

#[test]
fn rules_of_other_sources_are_checked_as_far_as_they_can_be() {
    let okta = |condition: &str| rule(condition).replace("priority", "source: okta\n  priority");
    let names = "- list: verbs\n  items: [create]\n- list: more\n  items: [get]\n- macro: kevt\n  condition: okta.verb exists\n";
    check(
        &[
            names,
            &okta(
                "kevt and okta.verb in (verbs, list) and okta.user.name in more and new.plugin = 1",
            ),
        ],
        &["5:11 *inactive"],
    );
    check(&[&okta("kevtt and okta.verb = x")], &["3:14 unknown-macro"]);
    check(&[&okta("okta.verb in verbs")], &["3:27 unknown-list"]);
    check(
        &[&okta("okta.verb = x").replace("output: o", "output: \"%okta.verb[x\"")],
        &["4:24 output"],
    );
    check(
        &[&okta("okta.verb = x").replace("output: o", "output: \"%new.plugin\"")],
        &["5:11 *inactive"],
    );
}

/// A rule is of one source, and fields of another never hold a value for it.
#[test]
fn rules_on_audit_records_load() {
    let audit =
        |condition: &str| rule(condition).replace("priority", "source: k8s_audit\n  priority");
    for (condition, expected) in [
        ("ka.verb = create and jevt.value[/kind] = Event", &[][..]),
        ("ka.response.code startswith 2 and ka.response.code < 300", &[]),
        ("ka.user.groups intersects (system:masters) and ka.sourceips exists", &[]),
        ("ka.req.pod.containers.image[0] startswith nginx", &[]),
        ("evt.type = pluginevent and evt.time exists", &[]),
        ("ka.verb = create or proc.name = sh", &["3:34 *inactive"]),
        ("ka.verb = create and proc.name = sh", &["3:35 *inactive"]),
        ("evt.type = execve", &["1:3 *inactive"]),
        ("ka.vreb = create", &["3:14 unknown-field"]),
        ("ka.uri.param = x", &["3:14 type"]),
        ("ka.user.groups = x", &["3:29 type"]),
    ] {
        let set = check(&[&audit(condition)], expected);
        let active = expected.is_empty() || condition.contains(" or ");
        if let [rule] = set.rules() {
            assert_eq!(rule.state == RuleState::Active, active, "{condition}");
        }
        assert!(set.wanted().is_empty(), "a sensor has nothing to report for it");
    }
    check(&[&rule("evt.type = execve and ka.verb = create")], &["3:36 *inactive"]);
}

/// Falco's own names for calls, and its fields, load whether they are collected or not.
#[test]
fn falcos_names_load() {
    for name in
        ["pread", "pwrite", "prlimit", "llseek", "umount", "accept", "sysdigevent", "s390_sthyi"]
    {
        check(&[&rule(&format!("evt.type in (execve, {name})"))], &[]);
    }
    for field in [
        "proc.stdin.name = x",
        "proc.stdout.name = x",
        "proc.stderr.name = x",
        "thread.vmsize.b > 1",
        "thread.vmrss.b > 1",
        "thread.nametid = x",
        "evt.outputtime > 1",
        "evt.count.procinfo = 1",
    ] {
        check(&[&rule(&format!("evt.type = execve and {field}"))], &["3:36 *inactive"]);
    }
    check(&[&rule("evt.type = execve and proc.args[0] = x and proc.aargs[2] = y")], &[]);
    check(&[&rule("proc.args[x] = y")], &["3:14 type"]);
}

#[test]
fn warnings_do_not_keep_anything_from_loading() {
    let set = check(
        &[&format!("- required_engine_version: 99.0.0\n{}", rule("proc.pid = 1"))],
        &["1:28 *deprecated"],
    );
    assert_eq!(set.rules().len(), 1);
    check(
        &[&format!(
            "- required_engine_version: 17\n- required_plugin_versions: [{{name: k8saudit, version: 0.7.0}}]\n{}",
            rule("proc.pid = 1")
        )],
        &[],
    );
    check(
        &["- list: l\n  items: [a]\n- macro: m\n  condition: proc.pid = 1\n"],
        &["1:3 *unused", "3:3 *unused"],
    );
    let dear = check(&[&rule("evt.type = openat and evt.is_open_write = true")], &[]);
    assert_eq!(dear.costs()[0].code, "cost");
    let cheap = check(&[&rule("evt.type = openat and fd.name startswith /etc")], &[]);
    assert!(cheap.costs().is_empty());
}

#[test]
fn ids_are_unique() {
    let one = rule("proc.pid = 1").replace("desc", "id: SW-D-9000\n  desc");
    let two = one.replace("rule: r", "rule: s");
    let set = check(&[&one, &two], &["1:3 duplicate-id"]);
    assert_eq!(set.rules().len(), 1);
}

#[test]
fn metadata_is_read() {
    let yaml = rule("proc.pid = 1").replace(
        "priority: INFO",
        "priority: warning\n  tags: [a, b]\n  mitre: [T1059.004]\n  parity: [X]\n  remediation: Do it.\n  mode: audit\n  id: SW-D-0001",
    );
    let set = check(&[&yaml], &[]);
    let rule = &set.rules()[0];
    assert_eq!(rule.priority.as_str(), "Warning");
    assert_eq!(rule.priority.severity(), seawall_model::Severity::Medium);
    assert_eq!(
        (rule.tags.as_slice(), rule.parity.as_slice()),
        (&["a".to_owned(), "b".to_owned()][..], &["X".to_owned()][..])
    );
    assert!(rule.audit && rule.id.as_deref() == Some("SW-D-0001") && rule.remediation == "Do it.");
    assert_eq!(rule.mitre[0].as_str(), "T1059.004");
}

#[test]
fn a_failing_test_shows_the_condition_with_values() {
    let yaml = rule("evt.type = execve and (proc.name = bash or not proc.pid = 7)").replace(
        "priority: INFO",
        "priority: INFO\n  tests:\n  - name: t\n    expect: fire\n    events: [{evt.type: execve, proc.name: zsh, proc.pid: 7}]\n  - name: u\n    expect: silent\n    events: [{evt.type: execve, proc.nmae: zsh, proc.pid: 7}]",
    );
    let set = check(&[&yaml], &[]);
    let results = set.test();
    assert_eq!(
        results.iter().map(seawall_rules::TestResult::passed).collect::<Vec<_>>(),
        [false, false]
    );
    assert_eq!(
        results[0].failure,
        [
            "expected to fire, did stay silent",
            "event 1:",
            "  false and",
            "  true    evt.type = execve    [evt.type is \"execve\"]",
            "  false   or",
            "  false     proc.name = bash    [proc.name is \"zsh\"]",
            "  false     not",
            "  true        proc.pid = 7    [proc.pid is \"7\"]",
        ]
    );
    assert_eq!(results[1].failure, ["event 1: no field `proc.nmae`, did you mean `proc.name`?"]);
}
