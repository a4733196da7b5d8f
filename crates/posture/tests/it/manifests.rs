//! Manifests as people write them, right and wrong: what is judged, reported, written back.
use crate::content::{catalogue, few};
use seawall_model::finding::State;
use seawall_model::{Problem, Severity};
use seawall_posture::exemption::Exemptions;
use seawall_posture::manifests::{self, File, Manifests, Repaired};
use seawall_posture::report::{About, Report, Shown};
use seawall_posture::{Request, Selection};

fn only(control: &str) -> Selection {
    catalogue()
        .select(&Request { controls: vec![control.to_owned()], ..Request::default() })
        .unwrap()
}

fn judge(manifests: &Manifests, selection: &Selection) -> Report {
    Report::new(manifests, selection, &About { target: "web.yaml", ..About::default() })
}

fn repair(manifests: &Manifests, selection: &Selection) -> (Vec<Repaired>, Vec<Problem>) {
    manifests::repair(manifests, selection, &Exemptions::default())
}

fn read(text: &str) -> Manifests {
    manifests::read([File { path: "web.yaml", bytes: text.as_bytes(), found: false }])
}

/// `line state` of each finding of the privileged control, then `line code` of each problem.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let manifests = read(text);
    let report = judge(&manifests, &only("SW-C-0001"));
    let findings = report.findings.iter().map(|finding| {
        let line = finding.source.as_ref().unwrap().line;
        format!(
            "{line} {}{}",
            finding.state.as_str(),
            finding.reason.as_deref().map(|reason| format!(" {reason}")).unwrap_or_default()
        )
    });
    let problems = report
        .problems
        .iter()
        .map(|problem| format!("{} {}", problem.line.unwrap_or(0), problem.code));
    assert_eq!(findings.chain(problems).collect::<Vec<_>>(), expected, "{text}");
}

fn pod(name: &str, privileged: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: a\n    securityContext:\n      privileged: {privileged}\n"
    )
}

#[test]
fn bad_input() {
    // Booleans are kubectl's.
    for (text, state) in [
        ("yes", "unhealthy"),
        ("on", "unhealthy"),
        ("y", "unhealthy"),
        ("no", "healthy"),
        ("~", "healthy"),
        ("\"yes\"", "unknown error"),
        ("0644", "unknown error"),
    ] {
        check(&pod("a", text), &[&format!("1 {state}")]);
    }
    // One broken document loses no other.
    let broken = format!("{}---\nkind: [\n---\n{}", pod("a", "true"), pod("b", "false"));
    check(&broken, &["1 unhealthy", "12 healthy", "10 yaml-syntax"]);
    check(
        &format!("{}---\napiVersion: v1\nkind: Pod\nkind: Pod\n", pod("a", "true")),
        &["1 unhealthy", "12 duplicate-key"],
    );
    check(&format!("a: {}1{}\n", "[".repeat(120), "]".repeat(120)), &["1 limit"]);
    let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","))
    });
    check(&format!("{bomb}---\n{}", pod("a", "true")), &["11 unhealthy", "5 limit"]);
    // What has no kind is no object; in a directory it is only counted.
    check("a: 1\n", &["1 no-object"]);
    let found =
        manifests::read([File { path: "values.yaml", bytes: b"a: 1\n---\nb: 2\n", found: true }]);
    assert_eq!((found.problems.len(), found.foreign), (0, 2));
    // A template says what to do, once.
    let template = "kind: {{ .Values.kind }}\n{{- if x }}\na: 1\n---\n{{ end }}\n";
    check(template, &["1 template"]);
    assert!(read(template).problems[0].help.as_deref().unwrap().contains("helm template"));
    // Bytes that are no text.
    let binary = manifests::read([File { path: "x", bytes: b"a: 1\n\xff", found: false }]);
    assert_eq!((binary.problems[0].code.as_str(), binary.problems[0].line), ("encoding", Some(2)));
    // Unknown versions are counted, and workloads among them told.
    check("apiVersion: extensions/v1beta1\nkind: Deployment\n", &["1 unknown-version"]);
    check("apiVersion: v1\nkind: ConfigMap\n", &[]);
    let manifests = read("apiVersion: v1\nkind: Event\n---\napiVersion: x/v1\nkind: Thing\n");
    let counted = judge(&manifests, &few()).counts.not_applicable;
    assert_eq!(
        counted.into_iter().collect::<Vec<_>>(),
        [("v1 Event".to_owned(), 1), ("x/v1 Thing".to_owned(), 1)]
    );
    check("", &[]);
    check("\u{feff}# only a comment\n", &[]);
    // Documents without a value are passed over, as by kubectl.
    for empty in
        ["---\n", "---\n# nothing here\n", "null\n", "--- # rendered to nothing\n\n", "--- ~\n"]
    {
        check(empty, &[]);
        check(
            &format!("{empty}---\n{}", pod("a", "no")),
            &[&format!("{} healthy", empty.lines().count() + 2)],
        );
        check(
            &format!("{}---\n{}", pod("a", "no"), empty.trim_start_matches("---\n")),
            &["1 healthy"],
        );
    }
    check("{}\n", &["1 no-object"]);
}

#[test]
fn lists_and_json() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: {containers: [{name: a, securityContext: {privileged: true}}]}\n- {a: 1}\n- apiVersion: v1\n  kind: Pod\n  spec: {containers: []}\n";
    check(list, &["4 unhealthy", "8 healthy", "7 no-object"]);
    let typed = "{\"apiVersion\": \"apps/v1\", \"kind\": \"DeploymentList\", \"items\": [\n\t{\"spec\": {\"template\": {\"spec\": {\"containers\": [{\"name\": \"a\", \"securityContext\": {\"privileged\": true}}]}}}}]}";
    check(typed, &["2 unhealthy"]);

    // Lists of lists, as dumps joined by a script are; one too many, and what is no list, is said.
    let inner = list.replace("items:", "metadata: {}\nitems:").replace('\n', "\n  ");
    check(
        &format!("kind: List\napiVersion: v1\nitems:\n- {inner}"),
        &["8 unhealthy", "12 healthy", "11 no-object"],
    );
    let nested = "{apiVersion: v1, kind: List, items: [".repeat(9) + &"]}".repeat(9);
    check(&nested, &["1 limit"]);
    let typed = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n  - spec: {containers: []}\n";
    check(typed, &["7 healthy"]);
    for (items, expected) in
        [("{a: 1}", &["3 no-object"][..]), ("x", &["3 no-object"]), ("~", &[]), ("[]", &[])]
    {
        check(&format!("apiVersion: v1\nkind: PodList\nitems: {items}\n"), expected);
    }
}

/// A dump of a cluster holds a workload at every level: it is judged at its owner.
#[test]
fn what_an_owner_answers_for_is_judged_there() {
    let object = |kind: &str, name: &str, owner: &str, image: &str| {
        let spec = format!(
            "{{containers: [{{name: a, image: {image}, securityContext: {{privileged: true}}}}]}}"
        );
        let (version, spec) = if kind == "Pod" {
            ("v1", spec)
        } else {
            ("apps/v1", format!("{{template: {{spec: {spec}}}}}"))
        };
        let owners = owner.split_once('/').map_or(String::new(), |(kind, name)| {
            format!(", ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: {name}, uid: {name}, controller: true}}]")
        });
        format!(
            "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, uid: {name}{owners}}}\nspec: {spec}\n"
        )
    };
    let all = object("Pod", "web-1-a", "ReplicaSet/web-1", "x")
        + &object("Pod", "web-1-b", "ReplicaSet/web-1", "mesh")
        + &object("ReplicaSet", "web-1", "Deployment/web", "x")
        + &object("Deployment", "web", "", "x")
        + &object("Pod", "lone", "ReplicaSet/elsewhere", "x");
    let manifests = read(&all);
    let report = judge(&manifests, &only("SW-C-0001"));
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.resource.name.as_str(), finding.reason.as_deref()))
        .collect();
    assert_eq!(told, [("web-1-b", Some("injected")), ("web", None), ("lone", None)]);
    assert_eq!((report.counts.judged, report.counts.owned), (3, 2));
    // A fix belongs to the owner too.
    let (repaired, left) = repair(&manifests, &only("SW-C-0001"));
    assert_eq!(left, []);
    assert_eq!(repaired[0].after.matches("privileged: true").count(), 2);
}

#[test]
fn the_report_counts_what_is_left_out() {
    let report = |text: &str| {
        let kubernetes = Some("1.36".to_owned());
        let about = About { target: "web.yaml", kubernetes, ..About::default() };
        Report::new(&read(text), &few(), &about)
    };
    let flawed = report(&pod("a", "true"));
    assert!(
        flawed.fails(Severity::Critical) && flawed.fails(Severity::Low) && !flawed.incomplete()
    );
    assert_eq!(flawed.scores.secure.map(|score| (score * 10.0).round()), Some(0.0));
    assert_eq!(flawed.coverage, Some(1.0));
    let rows: Vec<_> =
        flawed.rows(Shown::default()).into_iter().map(|row| (row.control, row.state)).collect();
    assert_eq!(
        rows,
        [
            ("SW-C-0001", State::Unhealthy),
            ("SW-C-0003", State::Unhealthy),
            ("SW-C-0017", State::Unhealthy)
        ]
        .map(|(id, state)| (id.to_owned(), state))
    );
    assert_eq!(flawed.rows(Shown { severities: &[Severity::High], all: true }).len(), 1);
    let row = &flawed.rows(Shown { severities: &[Severity::Critical], all: false })[0];
    assert_eq!((row.resource.as_str(), row.place.as_str()), ("Pod/a", "web.yaml:1"));
    assert_eq!(
        row.message,
        "privileged must not be true: /spec/containers/0/securityContext/privileged"
    );

    let unknown = report(&pod("a", "\"x\""));
    assert!(unknown.incomplete() && !unknown.fails(Severity::Critical));
    assert!(report("a: [").incomplete());
    assert!(!report("apiVersion: v1\nkind: ConfigMap\n").incomplete());

    let value = serde_json::to_value(&flawed).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema",
            "target",
            "kubernetes",
            "frameworks",
            "scores",
            "coverage",
            "findings",
            "problems",
            "counts"
        ]
    );
    let finding: Vec<_> =
        value["findings"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(finding[..6], ["control", "title", "severity", "state", "reason", "resource"]);
    assert_eq!(value["findings"][0]["resource"]["apiVersion"], "v1");
    assert_eq!(value["findings"][0]["source"], serde_json::json!({"file": "web.yaml", "line": 1}));
    assert_eq!(
        serde_json::to_string(&report(&pod("a", "true"))).unwrap(),
        serde_json::to_string(&flawed).unwrap()
    );
}

const WEB: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # public
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          securityContext:
            privileged: yes # for now
          # ports below
          ports:
            - containerPort: 80
        - {name: side, image: \"registry.example/side:1\"}
      volumes:
        - name: logs
          hostPath: # of the node
            path: /var/log
---
kind: ConfigMap
apiVersion: v1
data: {a: \"b\"}
";

const WEB_FIXED: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # public
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          securityContext:
            privileged: false # for now
            allowPrivilegeEscalation: false
          # ports below
          ports:
            - containerPort: 80
          resources:
            limits:
              cpu: 500m
              memory: 500Mi
        - {name: side, image: \"registry.example/side:1\", resources: {limits: {cpu: 500m, memory: 500Mi}}, securityContext: {allowPrivilegeEscalation: false}}
      volumes:
        - name: logs
          emptyDir: {}
---
kind: ConfigMap
apiVersion: v1
data: {a: \"b\"}
";

#[test]
fn fixes_are_written_with_comments_and_order_kept() {
    let (repaired, left) = repair(&read(WEB), &few());
    assert_eq!(left, []);
    assert_eq!(repaired[0].after, WEB_FIXED);
    let again = manifests::read(repaired.iter().map(manifests::Repaired::file));
    let report = judge(&again, &few());
    assert!(report.findings.iter().all(|finding| finding.state == State::Healthy));
    assert_eq!(repair(&again, &few()), (vec![], vec![]));

    let diff = manifests::diff(&repaired[0]);
    assert!(diff.starts_with("--- a/web.yaml\n+++ b/web.yaml\n@@ -11,15 +11,19 @@\n"), "{diff}");
    assert!(diff.contains("-            privileged: yes # for now\n+            privileged: false # for now\n+            allowPrivilegeEscalation: false\n"), "{diff}");
}

#[test]
fn what_cannot_be_written_safely_is_left_and_told() {
    let anchored = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    securityContext: &safe {privileged: true}\n  - name: b\n    securityContext: *safe\n";
    let (repaired, left) = repair(&read(anchored), &only("SW-C-0001"));
    assert_eq!(repaired, []);
    assert_eq!(
        left.iter().map(|problem| (problem.code.as_str(), problem.line)).collect::<Vec<_>>(),
        [("fix-left", Some(1))]
    );

    let wanting = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, resources: {requests: {cpu: 4}}}]}\n";
    let (repaired, left) = repair(&read(wanting), &only("SW-C-0003"));
    assert_eq!(repaired, []);
    assert!(left[0].code == "no-fix" && left[0].message.contains("requests more cpu"), "{left:?}");
}

#[test]
fn lists_are_repaired_in_place() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec: {containers: [{name: a, securityContext: {privileged: true}}]}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n  spec: {containers: [{name: b, securityContext: {privileged: true}}]}\n";
    let (repaired, left) = repair(&read(list), &only("SW-C-0001"));
    assert_eq!(left, []);
    assert_eq!(repaired[0].after, list.replace("privileged: true", "privileged: false"));
    let typed = "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{\"metadata\": {\"name\": \"a\"}, \"spec\": {\"containers\": [{\"name\": \"a\", \"securityContext\": {\"privileged\": true}}]}}]}\n";
    let (repaired, left) = repair(&read(typed), &only("SW-C-0001"));
    assert_eq!(left, []);
    assert_eq!(repaired[0].after, typed.replace("true", "false"));
}

/// An anchor that objects of a list share: the fix of one would change the others, whose own are written.
#[test]
fn a_shared_anchor_holds_up_no_other_object_of_its_list() {
    let item = |name: &str, context: &str| {
        format!(
            "- apiVersion: v1\n  kind: Pod\n  metadata: {{name: {name}}}\n  spec:\n    containers:\n    - name: a\n      securityContext: {context}\n  # after {name}\n"
        )
    };
    let list = |context: &str| {
        "apiVersion: v1\nkind: List\nitems:\n".to_owned()
            + &item("a", context)
            + &item("b", "&shared {privileged: true}")
            + &item("c", context)
            + &item("d", "*shared")
            + &item("e", context)
    };
    let (repaired, left) = repair(&read(&list("{privileged: true}")), &only("SW-C-0001"));
    assert_eq!(repaired[0].after, list("{privileged: false}"));
    let left: Vec<_> = left.iter().map(|problem| problem.item.as_deref().unwrap()).collect();
    assert_eq!(left, ["Pod/b", "Pod/d"]);
}

/// A whole reading of the list for each pod would take minutes.
#[test]
fn a_long_list_is_repaired_and_shown_in_time() {
    let pods: String = (0..2_000)
        .map(|number| format!("- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p{number}\n  spec:\n    containers:\n    - name: a\n      securityContext:\n        privileged: true\n    volumes: [{{name: a}}]\n"))
        .collect();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{pods}");
    let started = std::time::Instant::now();
    let (repaired, left) = repair(&read(&list), &only("SW-C-0001"));
    assert_eq!(left, []);
    assert_eq!(repaired[0].after, list.replace("privileged: true", "privileged: false"));
    let diff = manifests::diff(&repaired[0]);
    assert_eq!(diff.lines().filter(|line| line.starts_with("@@")).count(), 2_000);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

/// What is compared edit by edit is what comparing the whole texts gives.
#[test]
fn diffs_are_those_of_the_whole_texts() {
    let two = format!("{}---\n{}", pod("a", "true"), pod("b", "true").trim_end());
    for text in [WEB.to_owned(), two, WEB.replace('\n', "\r\n"), pod("a", "true")] {
        let (repaired, _) = repair(&read(&text), &few());
        let whole = similar::TextDiff::from_lines(&repaired[0].before, &repaired[0].after);
        let whole =
            whole.unified_diff().context_radius(3).header("a/web.yaml", "b/web.yaml").to_string();
        assert_eq!(manifests::diff(&repaired[0]), whole);
    }
}

/// Text that someone, or something, has damaged: nothing panics, and what is written back is never worse to read.
#[test]
fn damaged_manifests_never_panic() {
    let selection = few();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let pieces = [
        "\t", "- ", "{", "}", "[", "]", ":", ": ", "#", "&a ", "*a", "|\n", "\"", "'", "é", "\r\n",
        "---\n", "<<: *a", "null", "? ", "%", "  ", "!!str ",
    ];
    let mut repaired_files = 0;
    for round in 0..400 {
        let mut text = if round % 3 == 0 { pod("a", "true") } else { WEB.to_owned() };
        for _ in 0..=random(4) {
            let at = (0..)
                .map(|back| random(text.len()) + back)
                .find(|at| text.is_char_boundary(*at))
                .unwrap();
            let end = (at + random(6)..)
                .find(|end| *end >= text.len() || text.is_char_boundary(*end))
                .unwrap()
                .min(text.len());
            text.replace_range(at..end, pieces[random(pieces.len())]);
        }
        let manifests = read(&text);
        let report = judge(&manifests, &selection);
        report.rows(Shown { severities: &[], all: true });
        let (repaired, _) = repair(&manifests, &selection);
        for file in &repaired {
            let again = manifests::read([file.file()]);
            // Lines move, what is wrong does not.
            let codes = |manifests: &Manifests| {
                manifests.problems.iter().map(|problem| problem.code.clone()).collect::<Vec<_>>()
            };
            assert_eq!(codes(&again), codes(&manifests), "{text}\n=====\n{}", file.after);
            repaired_files += 1;
        }
    }
    assert!(repaired_files > 50, "{repaired_files}");
}
