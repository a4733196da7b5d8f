//! `seawall policy review`: users' policies on one recorded admission review, answered as the API server answers.
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_cel::authz::Answers;
use seawall_model::problem::ProblemKind;
use seawall_policy::vap::{Document, Lookup, Params, Policies, Review, Verdict};
use seawall_posture::manifests::{self, File};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Policies, bindings and params: a file or a directory (repeatable)
    #[arg(long, required = true, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// An AdmissionReview of admission.k8s.io/v1 as JSON
    #[arg(long, value_name = "REVIEW.json")]
    review: PathBuf,
    /// Objects the policies may look at: namespaces and params (repeatable)
    #[arg(long, value_name = "FILE")]
    object: Vec<PathBuf>,
    /// The Kubernetes version whose functions expressions may use
    #[arg(long, default_value = "1.36", value_name = "1.N", value_parser = minor)]
    kubernetes_version: u32,
}

fn minor(text: &str) -> Result<u32, String> {
    let digits = text.trim_start_matches('v').strip_prefix("1.");
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| "expected 1.N".to_owned())
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let bytes = std::fs::read(&self.review)
            .with_context(|| format!("cannot read {}", self.review.display()))
            .map_err(Failure::usage)?;
        let review = Review::parse(&bytes).map_err(|problem| {
            Failure::usage(anyhow::anyhow!("{}: {}", self.review.display(), problem.message))
        })?;
        let documents = documents(self.policy.iter().chain(&self.object))?;
        let (policies, problems) = Policies::load(&documents, self.kubernetes_version);
        output::print_problems(&problems, Format::Table);
        if problems.iter().any(|problem| problem.kind == ProblemKind::Error) {
            return Err(Failure::usage(anyhow::anyhow!("some policies did not load; see above")));
        }
        if policies.is_empty() {
            return Err(Failure::usage(anyhow::anyhow!("no policy found"))
                .with_help("name files with ValidatingAdmissionPolicies by --policy"));
        }
        let verdict = policies.review(&review, &Inventory { objects: &documents });
        output::print_json(&response(&review, &verdict))?;
        tell(&verdict);
        Ok(match (verdict.denials.is_empty(), verdict.is_complete()) {
            (false, _) => Exit::Findings,
            (true, true) => Exit::Pass,
            (true, false) => Exit::Incomplete,
        })
    }
}

/// What the engine could not decide.
fn tell(verdict: &Verdict) {
    for undecided in &verdict.undecided {
        let message = format!("policy {} was not judged: {}", undecided.policy, undecided.reason);
        output::error(&message, Some("give the object by --object"));
    }
    for question in &verdict.questions {
        let message = format!("an authorization check for `{}` has no answer here", question.verb);
        output::error(&message, Some("only a cluster's authorizer can tell"));
    }
}

/// The AdmissionReview a webhook would send: the first denial answers, further ones a line each.
fn response(review: &Review, verdict: &Verdict) -> Value {
    let mut response = Map::new();
    response.insert("uid".to_owned(), json!(review.uid));
    response.insert("allowed".to_owned(), json!(verdict.denials.is_empty()));
    if let Some(denial) = verdict.denials.first() {
        response.insert(
            "status".to_owned(),
            json!({"status": "Failure", "code": denial.code, "reason": denial.reason,
                "message": denial.message}),
        );
    }
    if !verdict.warnings.is_empty() {
        response.insert("warnings".to_owned(), json!(verdict.warnings));
    }
    if !verdict.audit_annotations.is_empty() {
        response.insert("auditAnnotations".to_owned(), json!(verdict.audit_annotations));
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}

/// Every object of the files, those of directories too.
fn documents<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        let files = match path.is_dir() {
            true => crate::files::below(path, &["yaml", "yml", "json"])?,
            false => vec![path.clone()],
        };
        for file in files {
            read(&file, path.is_dir(), &mut documents)?;
        }
    }
    Ok(documents)
}

fn read(path: &Path, found: bool, into: &mut Vec<Document>) -> Result<(), Failure> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::usage)?;
    let shown = path.display().to_string();
    let read = manifests::read([File { path: &shown, bytes: &bytes, found }]);
    output::print_problems(&read.problems, Format::Table);
    if !read.problems.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!("{shown} was not read whole; see above")));
    }
    into.extend(read.objects.into_iter().map(|object| Document {
        object: object.value,
        file: Some(object.source.file),
        line: Some(object.source.line),
    }));
    Ok(())
}

/// The objects of the call: what a policy looks up is among them or not at hand.
struct Inventory<'d> {
    objects: &'d [Document],
}

impl Lookup for Inventory<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.of("v1", "Namespace").find(|object| object["metadata"]["name"] == *name)
    }

    /// Without a single object the kind counts as served and empty, in namespaces where any object lies in one.
    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        let objects: Vec<&Value> = self.of(api_version, kind).collect();
        let namespaced = |object: &&Value| object["metadata"]["namespace"].is_string();
        match objects.is_empty() || objects.iter().any(namespaced) {
            true => Params::Namespaced(objects),
            false => Params::Cluster(objects),
        }
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::default()
    }
}

impl Inventory<'_> {
    fn of(&self, api_version: &str, kind: &str) -> impl Iterator<Item = &Value> {
        let objects = self.objects.iter().map(|document| &document.object);
        objects
            .filter(move |object| object["apiVersion"] == *api_version && object["kind"] == *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: 'object.spec.replicas <= int(params.data.max)', message: too many}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec:
  policyName: p
  validationActions: [Deny]
  paramRef: {name: limits, parameterNotFoundAction: Deny}
";

    #[track_caller]
    fn check(max: &str, expected: Exit) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "u", "operation": "CREATE", "name": "web", "namespace": "shop",
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "object": {"metadata": {"name": "web"}, "spec": {"replicas": 3}}}});
        let params = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: limits, namespace: shop}}\ndata: {{max: '{max}'}}\n"
        );
        let args = Args {
            policy: vec![write("policy.yaml", POLICY)],
            review: write("review.json", &review.to_string()),
            object: vec![write("params.yaml", &params)],
            kubernetes_version: 36,
        };
        assert_eq!(args.run().unwrap(), expected);
    }

    #[test]
    fn a_denial_is_exit_1() {
        check("3", Exit::Pass);
        check("2", Exit::Findings);
    }
}
