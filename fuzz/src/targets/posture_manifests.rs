//! Manifests: judged, repaired, and read again with the same problems and no fixable flaw made worse.
use super::texts;
use crate::Target;
use seawall_posture::exemption::Exemptions;
use seawall_posture::manifests::{File, Manifests, diff, read, repair};
use seawall_posture::report::{About, Form, Report, Shown};
use seawall_posture::{Catalogue, Request, Selection};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "posture-manifests", run, seeds, rounds: 100 };

/// Every control that ships.
pub(super) static SELECTION: LazyLock<Selection> = LazyLock::new(|| {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, _) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    catalogue.select(&Request::default()).expect("a request without names fits every catalogue")
});

const FORMS: [Form; 7] = [
    Form::Json,
    Form::Sarif,
    Form::Junit,
    Form::Csv,
    Form::Html,
    Form::PolicyReport,
    Form::OpenReports,
];

fn run(bytes: &[u8]) {
    for found in [false, true] {
        let manifests = read([File { path: "web.yaml", bytes, found }]);
        let about = About { target: "web.yaml", ..About::default() };
        let mut report = Report::new(&manifests, &SELECTION, &about);
        report.locate(&manifests);
        let shown = Shown { severities: &[], all: true };
        report.rows(shown);
        for form in FORMS {
            let text = report.render(form, shown).expect("every form takes every report");
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{form:?}: {text:?}");
        }
        let (repaired, _) = repair(&manifests, &SELECTION, &Exemptions::default());
        for file in &repaired {
            assert_ne!(file.before, file.after);
            diff(file);
            let again = read([file.file()]);
            assert_eq!(codes(&again), codes(&manifests), "{}", file.after);
        }
    }
}

/// Lines move, what is wrong does not.
fn codes(manifests: &Manifests) -> Vec<&str> {
    manifests.problems.iter().map(|problem| problem.code.as_str()).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "# front\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web   # public\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: registry.example/web:1\n          securityContext:\n            privileged: yes # for now\n          # ports below\n          ports:\n            - containerPort: 80\n        - {name: side, image: \"registry.example/side:1\"}\n      volumes:\n        - name: logs\n          hostPath: # of the node\n            path: /var/log\n---\nkind: ConfigMap\napiVersion: v1\ndata: {a: \"b\"}\n",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec: {containers: [{name: a, securityContext: {privileged: true}}]}\n- apiVersion: batch/v1\n  kind: CronJob\n  spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: b}]}}}}}\n",
        "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{\"metadata\": {\"name\": \"a\"}, \"spec\": {\"containers\": [{\"name\": \"a\", \"securityContext\": {\"privileged\": true}}]}}]}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    securityContext: &safe {privileged: true}\n  - name: b\n    securityContext: *safe\n    resources: {requests: {cpu: 4, memory: 1Gi}}\n",
        "kind: {{ .Values.kind }}\n{{- if x }}\na: 1\n---\n{{ end }}\n",
    ])
}
