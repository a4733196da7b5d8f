//! The text of a policy set: every mistake is told with its line, document and reason before anything is kept.
use crate::api::problem::Refusal;
use seawall_model::Problem;
use seawall_model::policy_set::MAX_TEXT;
use seawall_model::problem::ProblemKind;
use seawall_posture::manifests::{self, File};
use seawall_posture::policies::{Document, Expansion, NEWEST_MINOR, UserPolicies};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Mistakes told beside the first: as many as one mends before the next try.
const MAX_MISTAKES: usize = 50;

const ADMISSION: &str = "admissionregistration.k8s.io";
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";
const TEMPLATES: &str = "templates.gatekeeper.sh";
const CONSTRAINTS: &str = "constraints.gatekeeper.sh";
const EXPANSIONS: &str = "expansion.gatekeeper.sh";

/// Compiling half a megabyte of policies takes a processor for a while.
pub(super) async fn check(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_TEXT {
        let detail = format!(
            "has {} bytes; at most {MAX_TEXT}: split it into several policy sets",
            text.len()
        );
        return Err(Refusal::invalid("/text", detail));
    }
    let text = text.to_owned();
    let found = tokio::task::spawn_blocking(move || mistakes(&text)).await;
    let mut found = found.map_err(Refusal::internal)?.into_iter();
    let Some(first) = found.next() else { return Ok(()) };
    let mut more: Vec<String> = found.by_ref().take(MAX_MISTAKES).collect();
    match found.count() {
        0 => {}
        untold => more.push(format!("{untold} others: mend these first")),
    }
    Err(Refusal::mistakes("/text", first, more))
}

/// In the order of their lines.
fn mistakes(text: &str) -> Vec<String> {
    let read = manifests::read([File { path: "", bytes: text.as_bytes(), found: false }]);
    let document = |object: manifests::Object| Document {
        object: object.value,
        file: None,
        line: Some(object.source.line),
    };
    let documents: Vec<Document> = read.objects.into_iter().map(document).collect();
    let (policies, told) = UserPolicies::load(&documents, NEWEST_MINOR);
    let mut problems = read.problems;
    problems.extend(told);
    problems.extend(strays(&documents));
    problems.retain(|problem| problem.kind >= ProblemKind::Gap);
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() && policies.is_empty() {
        let nothing =
            "holds no policy: neither a ValidatingAdmissionPolicy nor a constraint of Gatekeeper";
        return vec![nothing.to_owned()];
    }
    problems.iter().map(line).collect()
}

fn line(problem: &Problem) -> String {
    let Problem { line, item, message, .. } = problem;
    let place = line.map(|line| format!("line {line}"));
    let parts = place.iter().chain(item).chain([message]).map(String::as_str);
    parts.collect::<Vec<_>>().join(": ")
}

/// What no loader takes, or takes only the last of.
fn strays(documents: &[Document]) -> Vec<Problem> {
    let policies = || documents.iter().filter(|document| is_of(document, ADMISSION, POLICY));
    let names: BTreeSet<&str> = policies().map(|policy| word(policy, "/metadata/name")).collect();
    let params: BTreeSet<(&str, &str)> = policies()
        .map(|policy| {
            (word(policy, "/spec/paramKind/apiVersion"), word(policy, "/spec/paramKind/kind"))
        })
        .collect();
    let mut seen: BTreeMap<[&str; 4], u32> = BTreeMap::new();
    let mut problems = Vec::new();
    for document in documents {
        let (api_version, kind) = (word(document, "/apiVersion"), word(document, "/kind"));
        let (namespace, name) =
            (word(document, "/metadata/namespace"), word(document, "/metadata/name"));
        let line = document.line.unwrap_or_default();
        let first = *seen.entry([group(api_version), kind, namespace, name]).or_insert(line);
        if first != line {
            problems.push(stray(document, format!("stands on line {first} already: keep one")));
        }
        let reason = match group(api_version) {
            ADMISSION if kind == POLICY => None,
            ADMISSION if kind == BINDING => {
                let policy = word(document, "/spec/policyName");
                let is_there = policy.is_empty() || names.contains(policy);
                (!is_there).then(|| format!("no {POLICY} `{policy}` in this text: add it"))
            }
            TEMPLATES if kind == "ConstraintTemplate" => None,
            CONSTRAINTS => None,
            EXPANSIONS if kind == "ExpansionTemplate" => Expansion::load(&document.object).err(),
            _ if params.contains(&(api_version, kind)) => None,
            _ => Some(format!(
                "{api_version} is no policy, binding, template, constraint or expansion, nor a parameter that a policy \
                 of this text names: leave it out"
            )),
        };
        problems.extend(reason.map(|reason| stray(document, reason)));
    }
    problems
}

fn stray(document: &Document, message: String) -> Problem {
    let item = format!("{} {}", word(document, "/kind"), word(document, "/metadata/name"));
    let mut problem = Problem::error("policy", message).item(item.trim_end());
    problem.line = document.line;
    problem
}

fn is_of(document: &Document, wanted: &str, kind: &str) -> bool {
    group(word(document, "/apiVersion")) == wanted && word(document, "/kind") == kind
}

/// The core group is empty.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn word<'a>(document: &'a Document, pointer: &str) -> &'a str {
    document.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::mistakes;

    const VAP: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations: [{expression: 'object.spec.replicas <= 5'}]
";

    #[track_caller]
    fn check(documents: &[&str], expected: &[&str]) {
        let told = mistakes(&documents.join("---\n"));
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
        }
    }

    fn document(api_version: &str, kind: &str, rest: &str) -> String {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n{rest}\n")
    }

    #[test]
    fn every_mistake_has_its_line() {
        let binding = |policy: &str| {
            let spec = format!("spec: {{policyName: {policy}, validationActions: [Deny]}}");
            document("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", &spec)
        };
        let params = document("v1", "ConfigMap", "data: {most: '5'}");
        check(&[VAP, &binding("replicas"), &params], &[]);
        check(&[], &["holds no policy"]);
        check(&["{}\n"], &["no apiVersion"]);
        check(&[VAP, "a: [\n"], &["line "]);
        check(
            &[VAP, VAP],
            &["line 10: ValidatingAdmissionPolicy replicas: stands on line 1 already"],
        );
        let gone =
            "line 10: ValidatingAdmissionPolicyBinding x: no ValidatingAdmissionPolicy `gone`";
        check(&[VAP, &binding("gone")], &[gone]);
        let pod = document("v1", "Pod", "spec: {}");
        check(&[&pod, VAP], &["line 1: Pod x: v1 is no policy"]);
        let broken = VAP.replace("<= 5'", "<='");
        check(&[&broken], &["line 1: ValidatingAdmissionPolicy replicas: spec.validations[0]"]);
        let other = VAP.replace("admissionregistration.k8s.io", "example.com");
        check(&[VAP, &other], &["example.com/v1 is no policy"]);
        let constraint = document("constraints.gatekeeper.sh/v1beta1", "K8sGone", "spec: {}");
        check(&[&constraint], &["line 1: K8sGone x: missing ConstraintTemplate"]);
        let expansion =
            document("expansion.gatekeeper.sh/v1beta1", "ExpansionTemplate", "spec: {}");
        check(
            &[VAP, &expansion],
            &["line 10: ExpansionTemplate x: ExpansionTemplate x has empty source"],
        );
    }
}
