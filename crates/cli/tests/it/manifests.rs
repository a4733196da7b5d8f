//! `seawall scan manifests` and `scan cluster --from`: what the options decide.
use crate::bench::*;
use std::io::Write;
use std::process::{Output, Stdio};

const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {containers: [{name: a, securityContext: {privileged: true}}]}\n";

fn scan(bench: &Bench, arguments: &[&str]) -> Output {
    bench.run(&[&["scan", "manifests", "--control", "SW-C-0001"], arguments].concat())
}

/// The exit code, and what stands on either stream.
#[track_caller]
fn check(bench: &Bench, arguments: &[&str], expected: i32, said: &str) {
    let output = scan(bench, arguments);
    let text = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(code(&output), expected, "{arguments:?}: {text}");
    assert!(text.contains(said), "{arguments:?}: no {said:?} in {text}");
}

fn piped(bench: &Bench, arguments: &[&str], input: &str) -> Output {
    let mut command =
        bench.command(&[&["scan", "manifests", "--control", "SW-C-0001"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn two_beats_three_beats_one_beats_four() {
    let bench = Bench::empty();
    bench.put("a.yaml", PRIVILEGED);
    bench.put("b.yaml", "kind: [");
    bench.put("bad.yaml", "ignore: [{}]\n");
    check(&bench, &["a.yaml"], 0, "SW-C-0001");
    check(&bench, &["a.yaml", "--fail-on", "high"], 1, "SW-C-0001");
    check(&bench, &["b.yaml"], 4, "yaml-syntax");
    check(&bench, &["b.yaml", "--allow-incomplete"], 0, "yaml-syntax");
    check(&bench, &["a.yaml", "b.yaml", "--fail-on", "high"], 1, "yaml-syntax");
    check(&bench, &["a.yaml", "none.yaml", "--fail-on", "high"], 3, "cannot read none.yaml");
    check(&bench, &["none.yaml", "--ignore-file", "bad.yaml"], 2, "needs a reason");
    check(&bench, &["none.yaml", "--framework", "none"], 2, "there is no framework");
    check(
        &bench,
        &["a.yaml", "--format", "json=none/x.json", "--fail-on", "high"],
        3,
        "cannot write",
    );
}

#[test]
fn forms_go_to_stdout_and_to_files() {
    let bench = Bench::empty();
    bench.put("a.yaml", PRIVILEGED);
    let forms = ["json", "sarif", "junit", "csv", "html", "policyreport", "openreports", "table"];
    let files: Vec<String> = forms.iter().map(|form| format!("{form}=out/{form}")).collect();
    bench.put("out/kept", "");
    let mut arguments = vec!["a.yaml"];
    files.iter().for_each(|file| arguments.extend(["--format", file]));
    let output = scan(&bench, &arguments);
    assert_eq!((code(&output), stdout(&output)), (0, ""));
    for (form, start) in forms.iter().zip([
        "{",
        "{",
        "<?xml",
        "control,",
        "<!doctype html>",
        "---",
        "---",
        "CONTROL",
    ]) {
        let alone = scan(&bench, &["a.yaml", "--format", form]);
        let text = stdout(&alone);
        assert!(text.starts_with(start) && text.ends_with('\n'), "{form}: {text}");
        assert_eq!(std::fs::read_to_string(bench.path(&format!("out/{form}"))).unwrap(), text);
    }
    check(&bench, &["a.yaml", "--format", "xml"], 2, "expected table, json, sarif");
    check(
        &bench,
        &["a.yaml", "--format", "json", "--format", "csv"],
        2,
        "two `--format` go to stdout",
    );
}

#[test]
fn a_diff_or_fixed_manifests_have_stdout_alone() {
    let bench = Bench::empty();
    bench.put("a.yaml", PRIVILEGED);
    for taken in
        [&["a.yaml", "--diff", "--format", "json"][..], &["-", "--fix", "--format", "table"]]
    {
        check(&bench, taken, 2, "give the report a file");
    }
    let output = scan(&bench, &["a.yaml", "--diff", "--format", "json=r.json", "--fail-on", "low"]);
    assert_eq!(code(&output), 1, "the state as it is");
    assert!(stdout(&output).starts_with("--- a/a.yaml\n+++ b/a.yaml\n@@ "), "{}", stdout(&output));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["findings"][0]["state"], "unhealthy");

    let output =
        piped(&bench, &["-", "--fix", "--fail-on", "low", "--format", "json=r.json"], PRIVILEGED);
    let fixed = PRIVILEGED.replace("true", "false");
    assert_eq!((code(&output), stdout(&output)), (0, fixed.as_str()));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["findings"][0]["state"], "healthy", "the state after the fix");

    // Fixed files leave stdout to the report of the state afterwards.
    let output = scan(&bench, &["a.yaml", "--fix", "--fail-on", "low"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("nothing unhealthy"), "{}", stdout(&output));
    assert_eq!(std::fs::read_to_string(bench.path("a.yaml")).unwrap(), fixed);
}

#[test]
fn exemptions_lie_beside_the_target_or_are_named() {
    let bench = Bench::empty();
    bench.put("app/a.yaml", PRIVILEGED);
    let entry =
        |rest: &str| format!("ignore:\n- {{control: SW-C-0001, reason: r, owner: o, {rest}}}\n");
    bench.put("app/seawall-ignore.yaml", entry("until: 2999-01-01"));
    check(&bench, &["app", "--fail-on", "low"], 0, "1 exempt");
    check(&bench, &["app/a.yaml", "--fail-on", "low"], 0, "1 exempt");
    check(&bench, &["app/a.yaml", "app/seawall-ignore.yaml", "--fail-on", "low"], 0, "1 objects");
    bench.put("old.yaml", entry("until: 2001-01-01"));
    check(
        &bench,
        &["app", "--fail-on", "low", "--ignore-file", "old.yaml"],
        1,
        "old.yaml:2:1: warning[exemption-expired]",
    );
    bench.put("other.yaml", entry("until: 2999-01-01, resource: Deployment/x"));
    check(
        &bench,
        &["app", "--fail-on", "low", "--ignore-file", "other.yaml"],
        1,
        "other.yaml:2:1: warning[exemption-unused]",
    );
    bench.put("broken.yaml", "ignore: [");
    check(&bench, &["app", "--ignore-file", "broken.yaml"], 2, "the ignore file is invalid");
    check(&bench, &["app", "--ignore-file", "none.yaml"], 3, "cannot read none.yaml");
}

#[test]
fn a_dump_is_a_cluster_if_it_has_its_namespaces() {
    let bench = Bench::empty();
    let owned = "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"web\", \"namespace\": \"bank\", \"uid\": \"d\"}, \"spec\": {\"template\": {\"spec\": {\"containers\": [{\"name\": \"a\"}]}}}},
        {\"apiVersion\": \"apps/v1\", \"kind\": \"ReplicaSet\", \"metadata\": {\"name\": \"web-1\", \"namespace\": \"bank\", \"uid\": \"r\", \"ownerReferences\": [{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"name\": \"web\", \"uid\": \"d\", \"controller\": true}]}, \"spec\": {\"replicas\": 1, \"template\": {\"spec\": {\"containers\": [{\"name\": \"a\"}]}}}}";
    bench.put(
        "dump/objects.json",
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{owned}]}}"),
    );
    bench.put("dump/pods.yaml", PRIVILEGED);
    let run = |arguments: &[&str]| {
        let arguments = [
            &["scan", "cluster", "--from", "dump", "--control", "SW-C-0001", "--format", "json"],
            arguments,
        ]
        .concat();
        let output = bench.run(&arguments);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["resource"]["name"].as_str().unwrap().to_owned());
        (code(&output), names.collect::<Vec<_>>(), stderr(&output).contains("partial-dump"))
    };
    assert_eq!(run(&["--fail-on", "low"]), (1, vec!["web".to_owned(), "a".to_owned()], true));
    assert_eq!(run(&["--fail-on", "low", "--namespace", "ban*"]).0, 0);
    assert_eq!(run(&["--namespace", "shop", "--namespace", "x"]).1, ["a"]);
    bench.put(
        "dump/namespaces.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n",
    );
    assert!(!run(&[]).2);
    for (options, said) in [
        (&["--from", "dump", "--context", "x"][..], "cannot be used with"),
        (&["--fix", "--context", "x"], "nothing is written into a cluster"),
        (
            &["--from", "dump", "--cloud", "dump/pods.yaml"],
            "is no description of a managed cluster",
        ),
        (
            &["--from", "dump", "--cloud", "dump/objects.json"],
            "is no description of a managed cluster",
        ),
        (&["--from", "dump", "--node-facts", "dump/objects.json"], "holds no facts of a node"),
    ] {
        let output = bench.run(&[&["scan", "cluster"], options].concat());
        assert_eq!(code(&output), 2, "{options:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{options:?}: {}", stderr(&output));
    }
}

#[test]
fn policies_of_users_are_judged_beside_controls() {
    let bench = Bench::empty();
    bench.put("a.yaml", PRIVILEGED);
    let policy = |expression: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: team}}\nspec:\n  matchConstraints: {{resourceRules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]}}\n  validations: [{{expression: \"{expression}\", message: a team is needed}}]\n"
        )
    };
    bench.put(
        "policies/team.yaml",
        policy("has(object.metadata.labels) && 'team' in object.metadata.labels"),
    );
    let all = ["a.yaml", "--policy", "policies", "--fail-on", "high", "--format", "csv"];
    check(
        &bench,
        &all,
        1,
        "ValidatingAdmissionPolicy/team,team,high,unhealthy,,v1,Pod,shop,a,a.yaml,1,a team is needed",
    );
    bench.put("policies/team.yaml", policy("object.metadata.gone"));
    check(&bench, &all, 2, "policies/team.yaml:1: error[policy]: spec.validations[0].expression");
    check(&bench, &["a.yaml", "--policy", "none"], 3, "cannot read none");
    bench.put("policies/team.yaml", "kind: ConfigMap\napiVersion: v1\n");
    check(&bench, &["a.yaml", "--policy", "policies"], 2, "no policy found");
}
