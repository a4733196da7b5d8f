//! The forms of a report: what machines read of it holds, and a stranger's text stays text.
use crate::content::catalogue;
use seawall_model::Severity;
use seawall_model::facts::NodeFacts;
use seawall_posture::exemption::{self, Exemptions};
use seawall_posture::manifests::{self, File};
use seawall_posture::report::{About, Cluster, Form, Report, Shown, Unseen};
use seawall_posture::{Facts, Matches, Request, cloud};
use serde_json::{Value, json};

/// Unhealthy, exempt, unknown, healthy and not applicable, in two namespaces and none.
const OBJECTS: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          image: registry.test/web:1
          securityContext:
            privileged: true
        - {name: side, image: "registry.test/side:1", securityContext: {privileged: true}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ops}
spec: {template: {spec: {containers: [{name: agent, securityContext: {privileged: true}}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: "=<b>&\u202e"}
spec: {containers: [{name: a, securityContext: {privileged: "x"}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: ops}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a}]}}}}}
---
kind: [
"#;

const IGNORE: &str = "ignore:
- {control: SW-C-0001, resource: DaemonSet/agent, reason: reads devices, owner: platform, until: 2030-01-01}
- {control: SW-C-0001, resource: Deployment/web, container: side, reason: bounded, owner: platform, until: 2030-01-01}
";

fn exemptions() -> Exemptions {
    exemption::load("seawall-ignore.yaml", IGNORE, 0).unwrap().0
}

fn report(about: About<'_>) -> Report {
    let file = File { path: "deploy/web app.yaml", bytes: OBJECTS.as_bytes(), found: false };
    let request = Request { controls: vec!["SW-C-0001".to_owned()], ..Request::default() };
    let selection = catalogue().select(&request).unwrap();
    let about = About { target: "deploy", exemptions: exemptions(), ..about };
    let manifests = manifests::read([file]);
    let mut report = Report::new(&manifests, &selection, &about);
    report.locate(&manifests);
    report
}

const ALL: Shown<'_> = Shown { severities: &[], all: true };

fn render(form: Form, shown: Shown<'_>) -> String {
    report(About::default()).render(form, shown).unwrap()
}

fn json(form: Form, shown: Shown<'_>) -> Value {
    serde_json::from_str(&render(form, shown)).unwrap()
}

#[test]
fn json_has_every_state_and_the_scores() {
    let report = json(Form::Json, Shown::default());
    let states: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["unhealthy", "exempt", "unknown", "healthy"]);
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    let expected = [
        "schema",
        "target",
        "kubernetes",
        "frameworks",
        "scores",
        "coverage",
        "findings",
        "problems",
        "counts",
    ];
    assert_eq!(keys, expected);
    // Web weighs 3.3 and fails, the exempt one is accepted, the unknown one left out, the last one passes.
    assert_eq!(report["scores"]["secure"], json!(50.0));
    assert_eq!(report["scores"]["compliance"], json!(50.0));
    let risk = report["scores"]["risk"].as_f64().unwrap();
    assert!((risk - 100.0 * 3.3 / 4.3).abs() < 1e-9, "{risk}");
    assert_eq!(report["scores"]["frameworks"], json!([]), "one control alone is no framework");
    assert!((report["coverage"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    let web = &report["findings"][0];
    assert_eq!(web["evidence"].as_array().unwrap().len(), 1, "the other container is excused");
    assert_eq!(web["source"], json!({"file": "deploy/web app.yaml", "line": 1}));
    assert_eq!(report["findings"][1]["exemption"]["by"], "platform");
    assert_eq!(report["problems"][0]["code"], "yaml-syntax");
    // The same bytes each time.
    assert_eq!(render(Form::Json, ALL), render(Form::Json, ALL));
}

#[test]
fn severities_narrow_what_is_shown_and_nothing_else() {
    let low = Shown { severities: &[Severity::Low], all: true };
    let narrowed = json(Form::Json, low);
    assert_eq!(narrowed["findings"], json!([]));
    assert_eq!(narrowed["scores"], json(Form::Json, ALL)["scores"]);
    assert_eq!(render(Form::Csv, low).lines().count(), 1);
    assert_eq!(json(Form::Sarif, low)["runs"][0]["results"], json!([]));
}

#[test]
fn sarif_has_rules_places_and_prints() {
    let log = json(Form::Sarif, Shown::default());
    let run = &log["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(
        (rule["id"].as_str(), rule["name"].as_str()),
        (Some("SW-C-0001"), Some("PrivilegedContainer"))
    );
    assert!(
        rule["help"]["markdown"].as_str().unwrap().contains("**Remediation:** Remove `privileged`")
    );
    assert_eq!(rule["properties"]["security-severity"], "9.0");
    let results = run["results"].as_array().unwrap();
    let told: Vec<(&str, &str, &str, u64)> = results
        .iter()
        .map(|result| {
            let text = |value: &'_ Value| value.as_str().unwrap().to_owned();
            assert_eq!(text(&result["ruleId"]), "SW-C-0001");
            assert_eq!(result["ruleIndex"], 0);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "deploy/web%20app.yaml");
            let line = place["region"]["startLine"].as_u64().unwrap();
            let suppressed = if result["suppressions"].is_null() { "" } else { "suppressed" };
            (result["kind"].as_str().unwrap(), result["level"].as_str().unwrap(), suppressed, line)
        })
        .collect();
    // The line is that of the failing field, not of the object.
    assert_eq!(
        told,
        [("fail", "error", "", 12), ("fail", "error", "suppressed", 18), ("open", "none", "", 23)]
    );
    let all = json(Form::Sarif, ALL);
    assert_eq!(all["runs"][0]["results"][3]["kind"], "pass");
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"],
        "yaml-syntax"
    );
}

#[test]
fn fingerprints_stay_where_lines_move() {
    let prints = |text: &str| -> Vec<String> {
        let file = File { path: "a.yaml", bytes: text.as_bytes(), found: false };
        let request = Request { controls: vec!["SW-C-0001".to_owned()], ..Request::default() };
        let selection = catalogue().select(&request).unwrap();
        let report = Report::new(&manifests::read([file]), &selection, &About::default());
        let log: Value = serde_json::from_str(&report.render(Form::Sarif, ALL).unwrap()).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let print =
            |result: &Value| result["partialFingerprints"]["seawallResource/v1"].to_string();
        results.iter().map(print).collect()
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n";
    let one = prints(pod);
    assert_eq!(prints(&format!("# moved\n\n{pod}")), one);
    assert_ne!(prints(&pod.replace("name: a", "name: b")), one);
    let two = prints(&format!("{pod}---\n{pod}"));
    assert!(two[0] == one[0] && two[1] != one[0], "{two:?}");
}

#[test]
fn junit_counts_unknown_as_an_error() {
    let xml = render(Form::Junit, Shown::default());
    assert!(
        xml.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"0\""),
        "{xml}"
    );
    for (element, times) in [("<testcase ", 4), ("<failure ", 1), ("<error ", 1), ("<skipped/>", 1)]
    {
        assert_eq!(xml.matches(element).count(), times, "{element}");
    }
    assert!(xml.contains(
        "<failure type=\"critical\" message=\"privileged must not be true: /spec/template"
    ));
    assert!(xml.contains("<error type=\"error\""));
    assert!(xml.contains("deploy/web app.yaml:12"));
    assert!(xml.contains("name=\"Pod/=&lt;b&gt;&amp;\\u{202e}\""), "{xml}");
}

#[test]
fn csv_has_a_row_per_finding() {
    let csv = render(Form::Csv, Shown::default());
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "header, four rows, end");
    assert!(lines[1].starts_with("SW-C-0001,Privileged container,critical,unhealthy,,apps/v1,Deployment,shop,web,deploy/web app.yaml,12,"));
    assert!(lines[2].contains(",platform,reads devices,"));
    assert!(lines[3].contains(",'=<b>&\\u{202e},"), "{}", lines[3]);
}

#[test]
fn policy_reports_are_one_per_namespace() {
    for (form, version, kind) in [
        (Form::PolicyReport, "wgpolicyk8s.io/v1alpha2", "PolicyReport"),
        (Form::OpenReports, "openreports.io/v1alpha1", "Report"),
    ] {
        let text = render(form, Shown::default());
        let file = File { path: "-", bytes: text.as_bytes(), found: false };
        let read = manifests::read([file]);
        assert_eq!(read.problems, [], "{text}");
        let told: Vec<(Option<&str>, u64, Vec<&str>)> = read
            .objects
            .iter()
            .map(|object| {
                let value = &object.value;
                assert_eq!((&value["apiVersion"], &value["kind"]), (&json!(version), &json!(kind)));
                let results = value["results"].as_array().unwrap();
                let words = results.iter().map(|result| result["result"].as_str().unwrap());
                let sum = value["summary"].as_object().unwrap().values();
                let sum = sum.map(|count| count.as_u64().unwrap()).sum();
                (value.pointer("/metadata/namespace").and_then(Value::as_str), sum, words.collect())
            })
            .collect();
        let expected = [
            (None, 1, vec!["error"]),
            (Some("ops"), 2, vec!["skip", "pass"]),
            (Some("shop"), 1, vec!["fail"]),
        ];
        assert_eq!(told, expected, "{text}");
    }
}

#[test]
fn the_page_is_self_contained_and_safe() {
    let page = render(Form::Html, ALL);
    for foreign in
        ["http://", "https://", "<link", "src=", "@import", "url(", "\u{202e}", "<b>&\\u"]
    {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("Content-Security-Policy"));
    for text in [
        "Privileged container",
        "shop/Deployment/web",
        "deploy/web app.yaml:12",
        "Excused: reads devices, platform",
        "replace /spec/template/spec/containers/0/securityContext/privileged false",
        "unclosed bracket",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let shown = render(Form::Html, Shown::default());
    assert!(!shown.contains("ops/CronJob/nightly") && page.contains("ops/CronJob/nightly"));
}

#[test]
fn namespaces_narrow_findings_and_scores() {
    let of = |namespaces: &[&str]| {
        let namespaces: Vec<String> = namespaces.iter().map(|name| (*name).to_owned()).collect();
        let report = report(About { namespaces: &namespaces, ..About::default() });
        let names = report.findings.iter().map(|finding| finding.resource.name.clone());
        (names.collect::<Vec<_>>(), report.scores.secure)
    };
    assert_eq!(of(&["shop"]), (vec!["web".to_owned()], Some(0.0)));
    assert_eq!(of(&["op*"]).0, ["agent", "nightly"]);
    assert_eq!(of(&["none"]), (vec![], None));
    assert_eq!(of(&["shop", "ops"]).0.len(), 3);
}

#[test]
fn what_is_exempt_is_not_mended() {
    let file = File { path: "a.yaml", bytes: OBJECTS.as_bytes(), found: false };
    let request = Request { controls: vec!["SW-C-0001".to_owned()], ..Request::default() };
    let selection = catalogue().select(&request).unwrap();
    let (repaired, left) = manifests::repair(&manifests::read([file]), &selection, &exemptions());
    let after = &repaired[0].after;
    assert!(after.contains("            privileged: false\n"), "{after}");
    assert_eq!(after.matches("privileged: true").count(), 2, "{after}");
    assert_eq!(left, []);
}

/// `kind/name state reason` of each finding of these controls on no object but these.
fn cluster(cluster: Cluster, controls: &[&str], objects: &str, namespaces: &[&str]) -> Vec<String> {
    let file = File { path: "dump.yaml", bytes: objects.as_bytes(), found: false };
    let controls = controls.iter().map(|id| (*id).to_owned()).collect();
    let selection = catalogue().select(&Request { controls, ..Request::default() }).unwrap();
    let namespaces: Vec<String> = namespaces.iter().map(|name| (*name).to_owned()).collect();
    let about = About {
        target: "prod",
        namespaces: &namespaces,
        cluster: Some(cluster),
        ..About::default()
    };
    let report = Report::new(&manifests::read([file]), &selection, &about);
    let told = report.findings.iter().map(|finding| {
        let reason = finding.reason.as_deref().unwrap_or("-");
        let resource = &finding.resource;
        format!("{}/{} {} {reason}", resource.kind, resource.name, finding.state.as_str())
    });
    told.collect()
}

#[test]
fn what_may_not_be_read_is_unknown() {
    let refused = |kind: &str| Unseen {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        reason: "forbidden".to_owned(),
        message: "no".to_owned(),
    };
    let unseen = vec![refused("Deployment"), refused("DaemonSet")];
    let prod = || Cluster { unseen: unseen.clone(), whole: true, ..Cluster::default() };
    let expected = ["Deployment/* unknown forbidden", "DaemonSet/* unknown forbidden"];
    assert_eq!(cluster(prod(), &["SW-C-0001"], "", &[]), expected);
    // They may have been in any namespace.
    assert_eq!(cluster(prod(), &["SW-C-0001"], "", &["shop"]), expected);
}

#[test]
fn facts_of_machines_and_clouds_are_judged_or_missed() {
    let all = catalogue();
    let of = |facts: Facts| {
        let matches = Matches::Facts(facts);
        let control = all.controls.iter().find(|control| control.matches == matches);
        control.unwrap().id.as_str()
    };
    let prod = || Cluster { whole: true, ..Cluster::default() };
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
    assert_eq!(cluster(prod(), &[of(Facts::Node)], node, &[]), ["Node/n1 unknown not-collected"]);
    let facts = NodeFacts { node: "n1".to_owned(), ..NodeFacts::default() };
    let told = Cluster { nodes: vec![facts], ..prod() };
    let found = cluster(told, &[of(Facts::Node)], node, &[]);
    assert!(
        found.len() == 1 && found[0].starts_with("Node/n1 "),
        "once, not for the object too: {found:?}"
    );
    let aks = of(Facts::Aks);
    assert_eq!(cluster(prod(), &[aks], node, &[]), ["Cluster/prod not_applicable out-of-scope"]);
    let managed = "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {kubernetes.azure.com/cluster: x}}\n";
    assert_eq!(cluster(prod(), &[aks], managed, &[]), ["Cluster/prod unknown not-collected"]);
    let shown = "{\"type\": \"Microsoft.ContainerService/ManagedClusters\", \"name\": \"shop\"}";
    let described = Cluster { cloud: Some(cloud::read(shown).unwrap()), ..prod() };
    let found = cluster(described, &[aks], managed, &[]);
    assert!(found.len() == 1 && found[0].starts_with("ManagedCluster/shop "), "{found:?}");
}
