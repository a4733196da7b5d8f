//! `seawall policy review`: users' policies and controls on one recorded admission review, answered as at admission.
use super::export::Action;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::{Context, anyhow};
use seawall_model::admission::{Narrowing, Policy, PolicyAction};
use seawall_model::problem::ProblemKind;
use seawall_model::time::{Clock, SystemClock};
use seawall_model::{Id, Problem};
use seawall_posture::Catalogue;
use seawall_posture::admission::{
    self, Answer, Answers, Inventory, InventoryRead, Lookup, Mode, Params, Policies, Review, Sets,
    Surroundings, Time, Worker,
};
use seawall_posture::manifests::{self, File};
use seawall_posture::policies::Document;
use seawall_posture::yaml::{self, Kind};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Policies, bindings, params, templates, constraints and controls: a file or a directory (repeatable)
    #[arg(long, required = true, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// An AdmissionReview of admission.k8s.io/v1 as JSON
    #[arg(long, value_name = "REVIEW.json")]
    review: PathBuf,
    /// Objects the policies may look at: namespaces, params, what constraints read (repeatable)
    #[arg(long, value_name = "FILE")]
    object: Vec<PathBuf>,
    /// What a failing control means; users' policies say it themselves
    #[arg(long, value_enum, default_value = "deny")]
    action: Action,
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
            Failure::usage(anyhow!("{}: {}", self.review.display(), problem.message))
        })?;
        let mut files = Files::default();
        self.policy.iter().try_for_each(|path| files.read(path, What::Policies))?;
        self.object.iter().try_for_each(|path| files.read(path, What::Objects))?;
        let policies = files.policies(self.action.into(), self.kubernetes_version)?;
        let objects = files.objects();
        let time = Time::unlimited();
        let surroundings = Surroundings {
            now: SystemClock.now(),
            agent: "",
            own_namespace: None,
            lookup: &objects,
            time: &time,
            mode: Mode::Rehearsal,
        };
        let answer = policies.judge(&review, &surroundings, &mut Worker::default());
        output::print_json(&response(&answer)?)?;
        tell(&answer);
        let denied = answer.counts.outcome == admission::Outcome::Denied;
        Ok(match (denied, answer.unjudged.is_empty()) {
            (true, _) => Exit::Findings,
            (false, true) => Exit::Pass,
            (false, false) => Exit::Incomplete,
        })
    }
}

/// What the engine could not decide.
fn tell(answer: &Answer) {
    let help = match answer.questions.is_empty() {
        true => "give what it looks up by --object",
        false => "only a cluster's authorizer can tell",
    };
    for (policy, why) in &answer.unjudged {
        output::error(&format!("{policy} was not judged: {why}"), Some(help));
    }
}

/// The answer with the annotations of users' policies under the API server's own keys. Those by which a webhook tells
/// of its controls are for audit logs.
fn response(answer: &Answer) -> anyhow::Result<Value> {
    let mut review: Value = serde_json::from_slice(&answer.response)?;
    if let Some(response) = review.get_mut("response").and_then(Value::as_object_mut) {
        response.remove("auditAnnotations");
        if !answer.annotations.is_empty() {
            response.insert("auditAnnotations".to_owned(), json!(answer.annotations));
        }
    }
    Ok(review)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Policies,
    Objects,
}

/// What the files of the call hold.
#[derive(Default)]
struct Files {
    policies: Vec<Document>,
    objects: Vec<Document>,
    /// Path and text of control files.
    controls: Vec<(String, String)>,
}

impl Files {
    /// A file, or all of a directory.
    fn read(&mut self, path: &Path, what: What) -> Result<(), Failure> {
        let files = match path.is_dir() {
            true => crate::files::below(path, &["yaml", "yml", "json"])?,
            false => vec![path.to_owned()],
        };
        files.iter().try_for_each(|file| self.file(file, path.is_dir(), what))
    }

    fn file(&mut self, path: &Path, found: bool, what: What) -> Result<(), Failure> {
        let bytes = std::fs::read(path)
            .with_context(|| format!("cannot read {}", path.display()))
            .map_err(Failure::usage)?;
        let shown = path.display().to_string();
        if what == What::Policies
            && let Some(text) = control(&bytes)
        {
            self.controls.push((shown, text.to_owned()));
            return Ok(());
        }
        let read = manifests::read([File { path: &shown, bytes: &bytes, found }]);
        output::print_problems(&read.problems, Format::Table);
        if !read.problems.is_empty() {
            return Err(Failure::usage(anyhow!("{shown} was not read whole; see above")));
        }
        let documents = match what {
            What::Policies => &mut self.policies,
            What::Objects => &mut self.objects,
        };
        documents.extend(read.objects.into_iter().map(|object| Document {
            object: object.value,
            file: Some(object.source.file),
            line: Some(object.source.line),
        }));
        Ok(())
    }

    /// What does not load is a mistake in the call: half of one's policies would pass for all of them.
    fn policies(&self, action: PolicyAction, minor: u32) -> Result<Policies, Failure> {
        let (sets, mut problems) = Sets::of_documents(&self.policies, minor);
        let (controls, told) = self.compile(action);
        problems.extend(told);
        output::print_problems(&problems, Format::Table);
        if problems.iter().any(|problem| problem.kind == ProblemKind::Error) {
            return Err(Failure::usage(anyhow!("some policies did not load; see above")));
        }
        if sets.is_empty() && self.controls.is_empty() {
            return Err(Failure::usage(anyhow!("no policy found"))
                .with_help("name files with policies, constraints or controls by --policy"));
        }
        Ok(controls.with_sets(sets))
    }

    fn compile(&self, action: PolicyAction) -> (Policies, Vec<Problem>) {
        if self.controls.is_empty() {
            return Default::default();
        }
        let shared = seawall_content::permissions();
        let shared = shared.iter().map(|entry| (entry.path, entry.text));
        let own = self.controls.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let (catalogue, mut problems) = Catalogue::load(shared.chain(own), super::frameworks());
        let policy = |control: &str| Policy {
            assignment: Id::new(0, [0; 10]),
            control: control.to_owned(),
            depth: 0,
            narrowing: Narrowing::default(),
            action,
            params: Map::new(),
        };
        let policies: Vec<Policy> =
            catalogue.controls.iter().map(|control| policy(&control.id)).collect();
        let (compiled, told) = Policies::compile(&policies, &catalogue);
        problems.extend(told);
        (compiled, problems)
    }

    /// What policies look up is among the files of the call, whichever names it, or is not there.
    fn objects(&self) -> Objects {
        let mut inventory = Inventory::default();
        for document in self.policies.iter().chain(&self.objects) {
            // What has no kind or version is in no inventory.
            let _left_out = inventory.add(document.object.clone());
        }
        Objects(inventory)
    }
}

/// The text, if it is that of a control: one document without `apiVersion` that has an id.
fn control(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let root = yaml::parse(text).ok()??;
    let id = &root.entry("id")?.value.kind;
    let is_id = matches!(id, Kind::Scalar(Value::String(id)) if id.starts_with("SW-C-"));
    (is_id && root.entry("apiVersion").is_none()).then_some(text)
}

struct Objects(Inventory);

impl Lookup for Objects {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.0.namespace(name)
    }

    /// Without a single object the kind counts as served and empty, in namespaces where any object lies in one.
    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        let objects: Vec<&Value> = self.0.of_kind(api_version, kind).collect();
        let namespaced = |object: &&Value| object["metadata"]["namespace"].is_string();
        match objects.is_empty() || objects.iter().any(namespaced) {
            true => Params::Namespaced(objects),
            false => Params::Cluster(objects),
        }
    }

    fn inventory(&self, _: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        Ok(&self.0)
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::default()
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

    const CONSTRAINT: &str = "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: k8sno}
spec:
  crd: {spec: {names: {kind: K8sNo}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8sno
        violation[{\"msg\": \"no\"}] { true }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sNo
metadata: {name: never}
spec: {enforcementAction: ACTION}
";

    const CONTROL: &str =
        include_str!("../../../../../content/controls/workload/privileged-container.yaml");

    #[track_caller]
    fn check(policies: &[&str], action: Action, params: &str, expected: Exit) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "u", "operation": "CREATE", "name": "web", "namespace": "shop",
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"replicas": 3,
                    "containers": [{"name": "c", "securityContext": {"privileged": true}}]}}}});
        let args = Args {
            policy: policies
                .iter()
                .enumerate()
                .map(|(at, text)| write(&format!("{at}.yaml"), text))
                .collect(),
            review: write("review.json", &review.to_string()),
            object: vec![write("params.yaml", params)],
            action,
            kubernetes_version: 36,
        };
        assert_eq!(args.run().unwrap(), expected);
    }

    fn limits(max: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: limits, namespace: shop}}\ndata: {{max: '{max}'}}\n"
        )
    }

    #[test]
    fn a_denial_is_exit_1() {
        check(&[POLICY], Action::Deny, &limits("3"), Exit::Pass);
        check(&[POLICY], Action::Deny, &limits("2"), Exit::Findings);
        check(&[POLICY], Action::Warn, &limits("2"), Exit::Findings);
        check(&[CONTROL], Action::Deny, &limits("3"), Exit::Findings);
        check(&[CONTROL], Action::Warn, &limits("3"), Exit::Pass);
        check(
            &[&CONSTRAINT.replace("ACTION", "warn"), POLICY],
            Action::Deny,
            &limits("3"),
            Exit::Pass,
        );
        check(&[&CONSTRAINT.replace("ACTION", "deny"), CONTROL], Action::Audit, "", Exit::Findings);
    }

    #[test]
    fn what_nobody_can_tell_is_exit_4_unless_something_is_refused() {
        let asks = POLICY.replace(
            "object.spec.replicas <= int(params.data.max)",
            "namespaceObject.metadata.name == \"shop\"",
        );
        check(&[&asks], Action::Deny, &limits("3"), Exit::Incomplete);
        check(&[&asks, CONTROL], Action::Deny, &limits("3"), Exit::Findings);
    }
}
