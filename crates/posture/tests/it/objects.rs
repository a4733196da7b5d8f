//! Findings and fixes of single objects: what people meet, and what is malformed.
use crate::content::{catalogue, few};
use seawall_model::finding::{ControlFinding, State};
use seawall_posture::{Request, Selection, patch};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn selection(control: &str) -> Selection {
    catalogue()
        .select(&Request { controls: vec![control.to_owned()], ..Request::default() })
        .unwrap()
}

fn deployment(pod_spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec}}})
}

fn finding(control: &str, pod_spec: Value) -> ControlFinding {
    selection(control).evaluate(&deployment(pod_spec), None).unwrap().remove(0)
}

#[track_caller]
fn check_state(control: &str, pod_spec: Value, state: State, reason: Option<&str>, paths: &[&str]) {
    let finding = finding(control, pod_spec.clone());
    let found: Vec<_> = finding.evidence.iter().map(|evidence| evidence.path.as_str()).collect();
    assert_eq!(
        (finding.state, finding.reason.as_deref()),
        (state, reason),
        "{pod_spec}: {finding:?}"
    );
    assert_eq!(found, paths, "{pod_spec}");
}

/// `expected` is the patch; applied, it must heal.
#[track_caller]
fn check_fix(control: &str, pod_spec: Value, expected: Value) {
    let finding = finding(control, pod_spec.clone());
    assert_eq!(Value::Array(finding.fix.clone()), expected, "{:?}", finding.message);
    let mut healed = deployment(pod_spec);
    patch::apply(&mut healed, &finding.fix).unwrap();
    assert_eq!(selection(control).evaluate(&healed, None).unwrap()[0].state, State::Healthy);
}

#[test]
fn every_failing_element_is_named() {
    let spec = json!({
        "initContainers": [{"name": "i", "securityContext": {"privileged": true}}],
        "containers": [{"name": "a"}, {"name": "b", "securityContext": {"privileged": true}}],
        "ephemeralContainers": [{"name": "e", "securityContext": {"privileged": true}}],
    });
    let base = "/spec/template/spec";
    let path = |list: &str| format!("{base}/{list}/securityContext/privileged");
    let paths = [path("containers/1"), path("initContainers/0"), path("ephemeralContainers/0")];
    check_state("SW-C-0001", spec, State::Unhealthy, None, &paths.each_ref().map(String::as_str));
}

#[test]
fn malformed_objects_are_unknown_with_their_path() {
    let error = Some("error");
    check_state(
        "SW-C-0001",
        json!({"containers": "x"}),
        State::Unknown,
        error,
        &["/spec/template/spec/containers"],
    );
    check_state(
        "SW-C-0001",
        json!({"containers": ["x"]}),
        State::Unknown,
        error,
        &["/spec/template/spec/containers/0"],
    );
    check_state(
        "SW-C-0001",
        json!({"containers": [{"securityContext": "x"}]}),
        State::Unknown,
        error,
        &["/spec/template/spec/containers/0/securityContext"],
    );
    let quoted =
        json!({"containers": [{"securityContext": {"allowPrivilegeEscalation": "false"}}]});
    check_state(
        "SW-C-0017",
        quoted,
        State::Unknown,
        error,
        &["/spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation"],
    );
    // A definite failure outweighs an unanswered question, and what does not concern the control is not asked.
    let mixed = json!({"containers": [{"securityContext": "x"}, {"name": "b", "securityContext": {"privileged": true}}]});
    check_state(
        "SW-C-0001",
        mixed,
        State::Unhealthy,
        None,
        &["/spec/template/spec/containers/1/securityContext/privileged"],
    );
    check_state("SW-C-0116", json!({"containers": "x"}), State::Healthy, None, &[]);
    check_state("SW-C-0001", Value::Null, State::Unknown, error, &["/spec/template/spec"]);
}

#[test]
fn fixes_make_missing_parents_and_test_what_they_replace() {
    let base = "/spec/template/spec/containers/0";
    let name = json!({"op": "test", "path": format!("{base}/name"), "value": "a"});
    check_fix(
        "SW-C-0017",
        json!({"containers": [{"name": "a"}]}),
        json!([
            name,
            {"op": "add", "path": format!("{base}/securityContext"), "value": {"allowPrivilegeEscalation": false}},
        ]),
    );
    let at = format!("{base}/securityContext/allowPrivilegeEscalation");
    check_fix(
        "SW-C-0017",
        json!({"containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": true}}]}),
        json!([
            name,
            {"op": "test", "path": at, "value": true},
            {"op": "replace", "path": at, "value": false},
        ]),
    );
    // One limit is there already and stays as it is.
    check_fix(
        "SW-C-0003",
        json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "2"}}}]}),
        json!([
            name,
            {"op": "add", "path": format!("{base}/resources/limits/memory"), "value": "500Mi"},
        ]),
    );
    let volume = "/spec/template/spec/volumes/1";
    check_fix(
        "SW-C-0002",
        json!({"containers": [], "volumes": [{"name": "t"}, {"name": "v", "hostPath": {"path": "/etc"}}]}),
        json!([
            {"op": "test", "path": format!("{volume}/name"), "value": "v"},
            {"op": "test", "path": format!("{volume}/hostPath"), "value": {"path": "/etc"}},
            {"op": "remove", "path": format!("{volume}/hostPath")},
            {"op": "add", "path": format!("{volume}/emptyDir"), "value": {}},
        ]),
    );
}

#[test]
fn a_fix_that_the_api_server_would_refuse_is_withheld() {
    #[track_caller]
    fn check(control: &str, container: Value, why: &str) {
        let finding = finding(control, json!({"containers": [container]}));
        assert_eq!((finding.state, &finding.fix), (State::Unhealthy, &Vec::new()));
        assert!(
            finding.message.as_deref().is_some_and(|message| message.contains(why)),
            "{:?}",
            finding.message
        );
    }
    check(
        "SW-C-0017",
        json!({"name": "a", "securityContext": {"privileged": true}}),
        "is privileged, mend that first",
    );
    check(
        "SW-C-0017",
        json!({"name": "a", "securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}}),
        "CAP_SYS_ADMIN",
    );
    check(
        "SW-C-0003",
        json!({"name": "a", "resources": {"requests": {"cpu": "2"}}}),
        "requests more cpu",
    );
    check(
        "SW-C-0001",
        json!({"name": "a", "securityContext": {"privileged": true}, "volumeMounts": [{"mountPropagation": "Bidirectional"}]}),
        "Bidirectional",
    );
}

#[test]
fn healing_goes_on_until_nothing_is_left() {
    let few = few();
    let object = deployment(json!({
        "containers": [{"name": "a", "securityContext": {"privileged": true}}],
        "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    }));
    let (healed, operations) = few.heal(&object);
    let states: Vec<_> =
        few.evaluate(&healed, None).unwrap().into_iter().map(|finding| finding.state).collect();
    assert_eq!(states, [State::Healthy; 4]);
    let mut patched = object;
    patch::apply(&mut patched, &operations).unwrap();
    assert_eq!(patched, healed);
}

#[test]
fn selections_bind_versions_and_parameters() {
    let windows = deployment(json!({"os": {"name": "windows"}, "containers": [{"name": "a"}]}));
    let catalogue = catalogue();
    let state = |request: &Request| {
        let selection = catalogue.select(request).unwrap();
        let findings = selection.evaluate(&windows, None).unwrap();
        let finding = findings.into_iter().find(|finding| finding.control == "SW-C-0017").unwrap();
        (finding.state, finding.reason)
    };
    let framework =
        |name: &str| Request { frameworks: vec![name.to_owned()], ..Request::default() };
    let exempt = (State::NotApplicable, Some("windows".to_owned()));
    assert_eq!(state(&Request::default()), exempt);
    assert_eq!(state(&framework("pss-restricted@v1.25")), exempt);
    assert_eq!(state(&framework("pss-restricted@1.24")), (State::Unhealthy, None));
    let mut assigned = framework("pss-restricted@1.24");
    assigned.params.insert(
        "SW-C-0017".to_owned(),
        json!({"windowsExempt": true}).as_object().unwrap().clone(),
    );
    assert_eq!(state(&assigned), exempt);

    // The Kubernetes version binds what no version is named for, also where no framework is.
    let meant = |version: &str, request: Request| Request {
        kubernetes: Some(version.to_owned()),
        ..request
    };
    assert_eq!(state(&meant("1.24", Request::default())), (State::Unhealthy, None));
    assert_eq!(state(&meant("1.24", framework("pss-restricted"))), (State::Unhealthy, None));
    assert_eq!(state(&meant("1.24", framework("pss-restricted@1.25"))), exempt);
    assert_eq!(state(&meant("1.25", framework("pss-restricted"))), exempt);
    assert_eq!(state(&meant("1.99", Request::default())), exempt);

    let ids = |name: &str| {
        let selection = catalogue.select(&framework(name)).unwrap();
        selection.controls().map(|control| control.id.clone()).collect::<BTreeSet<_>>()
    };
    let (baseline, restricted) = (ids("pss-baseline"), ids("pss-restricted"));
    assert!(baseline.contains("SW-C-0001") && !baseline.contains("SW-C-0017"));
    assert!(restricted.is_superset(&baseline) && restricted.contains("SW-C-0017"));
    assert!(ids("cis-k8s@1.12").contains("SW-C-0017"));
    for (request, code) in [
        (framework("pss"), "unknown-framework"),
        (framework("pss-restricted@2.0"), "unknown-framework"),
        (
            Request { controls: vec!["SW-C-9999".to_owned()], ..Request::default() },
            "unknown-control",
        ),
    ] {
        let problem = catalogue.select(&request).unwrap_err();
        assert_eq!(problem.code, code);
        assert!(
            problem.help.is_some_and(|help| help.contains("SW-C-0001") || help.contains("pss-"))
        );
    }
    let labels = selection("SW-C-0001").evaluate(&windows, None).unwrap().remove(0).frameworks;
    for label in ["cis-k8s@1.12", "mitre@current", "pss-baseline@1.37", "pss-restricted@1.37"] {
        assert!(labels.iter().any(|own| own == label), "{labels:?}");
    }
    for (values, code) in [
        (json!({"windowsExempt": "no"}), "parameter-type"),
        (json!({"linuxExempt": true}), "unknown-parameter"),
    ] {
        let params = [("SW-C-0017".to_owned(), values.as_object().unwrap().clone())].into();
        let problem = catalogue.select(&Request { params, ..Request::default() }).unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.help.unwrap().contains("windowsExempt"), "{code}");
    }
}

#[test]
fn a_framework_asked_for_binds_alone() {
    // Baseline lets pods in a user namespace unmask /proc since 1.35, restricted does not.
    let pod = deployment(json!({"hostUsers": false,
        "containers": [{"name": "a", "securityContext": {"procMount": "Unmasked"}}]}));
    let catalogue = catalogue();
    let state = |frameworks: &[&str], kubernetes: &str| {
        let request = Request {
            frameworks: frameworks.iter().map(|name| (*name).to_owned()).collect(),
            kubernetes: Some(kubernetes.to_owned()),
            ..Request::default()
        };
        let findings = catalogue.select(&request).unwrap().evaluate(&pod, None).unwrap();
        findings.into_iter().find(|finding| finding.control == "SW-C-0108").unwrap().state
    };
    assert_eq!(state(&["pss-baseline"], "1.35"), State::Healthy);
    assert_eq!(state(&["pss-baseline"], "1.34"), State::Unhealthy);
    assert_eq!(state(&["pss-restricted"], "1.35"), State::Unhealthy);
    assert_eq!(state(&["pss-baseline", "pss-restricted"], "1.35"), State::Unhealthy);
    assert_eq!(state(&[], "1.35"), State::Unhealthy);
}

#[test]
fn control_files_are_refused_with_their_place() {
    let good = seawall_content::controls()
        .into_iter()
        .find(|entry| entry.path.ends_with("privilege-escalation.yaml"))
        .unwrap()
        .text;
    #[track_caller]
    fn check(text: &str, line_of: &str, message: &str) {
        let (catalogue, problems) =
            seawall_posture::Catalogue::load([("workload/x.yaml", text)], []);
        assert!(catalogue.controls.is_empty(), "{message}");
        let line = text.lines().position(|line| line.contains(line_of)).unwrap() + 1;
        let found = problems.iter().find(|problem| problem.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{message}: {problems:#?}"));
        assert_eq!(found.line, u32::try_from(line).ok(), "{found:?}");
    }
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    check(&with("severity: medium", "severity: bad"), "severity: bad", "bad");
    check(&with("severity: medium", "severity: medium\nowner: me"), "owner: me", "owner");
    check(&with("SW-C-0017", "C-17"), "id: C-17", "no control id");
    check(&with("scoreGroup: access", "scoreGroup: luck"), "luck", "unknown score group");
    check(&with("match: workloads", "match: nodes"), "match: nodes", "expected workloads, node");
    check(
        &with("match: workloads", "match: {native: no-such-code}"),
        "match: {native",
        "no native control `no-such-code`",
    );
    check(
        &with("match: workloads", "match: {matchConditions: []}"),
        "match: {matchC",
        "cannot see `variables`",
    );
    check(
        &with("match: workloads", "match: node"),
        "variables.containers.all(c,",
        "undefined field 'containers'",
    );
    check(
        &with("&& variables.isWindows", "&& variables.isLinux"),
        "isLinux",
        "undefined field 'isLinux'",
    );
    check(
        &with(
            "allowPrivilegeEscalation.orValue(true) == false",
            "escalation.orValue(true) == false",
        ),
        "variables.containers.all(c,",
        "undefined field 'escalation'",
    );
    check(
        &with("path: containers[*]", "path: volumes[*]"),
        "path: volumes[*]",
        "the path's list is `volumes`",
    );
    check(
        &with("{op: add, path: \"containers[*]", "{op: add, path: \"volumes[*]"),
        "{op: add",
        "no validation has the path `volumes[*]`",
    );
    check(&with("{op: add,", "{op: move,"), "{op: move", "`move` is no operation");
    check(
        &with(
            "windowsExempt: {type: boolean, default: true}",
            "windowsExempt: {type: boolean, default: 1}",
        ),
        "default: 1",
        "no boolean",
    );
    check(
        &with("  - notApplicable:", "  - passes: {}\n    notApplicable:"),
        "  - passes: {}\n".trim_end(),
        "one of fails, passes",
    );
}

#[test]
fn a_suite_sees_wrong_tests_and_fixes_that_do_not_heal() {
    let good = seawall_content::controls()
        .into_iter()
        .find(|entry| entry.path.ends_with("privileged-container.yaml"))
        .unwrap()
        .text;
    let failed = |text: &str| {
        let (catalogue, _) = seawall_posture::Catalogue::load([("workload/x.yaml", text)], []);
        seawall_posture::test(&catalogue.controls[0])
            .into_iter()
            .flat_map(|result| result.failures)
            .collect::<Vec<_>>()
    };
    assert_eq!(failed(good), [""; 0]);
    let wrong = failed(&good.replace("passes: {}", "fails: {}"));
    assert_eq!(wrong.len(), 8, "{wrong:?}");
    assert_eq!(wrong[0], "as Pod: expected unhealthy, is healthy");
    let useless = failed(&good.replace("value: false}", "value: true}"));
    assert!(
        useless.iter().any(|failure| failure == "as CronJob: no fix: it does not heal"),
        "{useless:?}"
    );
}

#[test]
fn whole_elements_are_removed_from_the_end() {
    let entry = seawall_content::controls()
        .into_iter()
        .find(|entry| entry.path.ends_with("host-path-volume.yaml"));
    let head = entry.unwrap().text.split("\nfix:").next().unwrap();
    let text = format!("{head}\nfix: [{{op: remove, path: \"volumes[*]\"}}]\n");
    let (catalogue, problems) =
        seawall_posture::Catalogue::load([("workload/x.yaml", text.as_str())], []);
    assert!(problems.iter().all(|problem| problem.code == "framework"), "{problems:?}");
    let selection = catalogue.select(&Request::default()).unwrap();
    let volume = |name: &str, host: bool| {
        if host { json!({"name": name, "hostPath": {"path": "/"}}) } else { json!({"name": name}) }
    };
    let mut object = deployment(
        json!({"containers": [], "volumes": [volume("a", true), volume("b", false), volume("c", true)]}),
    );
    let finding = selection.evaluate(&object, None).unwrap().remove(0);
    patch::apply(&mut object, &finding.fix).unwrap();
    assert_eq!(object.pointer("/spec/template/spec/volumes"), Some(&json!([{"name": "b"}])));
}
