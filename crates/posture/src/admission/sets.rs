//! Sets of users' own policies, compiled.
use crate::manifests::{self, File};
use crate::policies::{BINDING, POLICY, UserPolicies, Vap};
use seawall_model::admission::PolicyAction;
use seawall_model::policy_set::{DesiredSet, MAX_TEXT};
use seawall_model::{Id, Problem};
use seawall_policy::gatekeeper::{Action, Constraint, Expansion, Inventory, Point};
use seawall_policy::vap::{self, Document};
use serde_json::Value;
use std::cmp::Reverse;
use std::sync::Arc;

/// Sets held: each team of a large company has one. Each review looks at every policy of each.
const MAX_SETS: usize = 1_000;
/// Groups whose objects are policies themselves, so that no policy looks them up.
const CONSTRAINTS: &str = "constraints.gatekeeper.sh";
const TEMPLATES: &str = "templates.gatekeeper.sh";
const EXPANSIONS: &str = "expansion.gatekeeper.sh";

/// Compiled sets. The default holds none and so allows everything.
#[derive(Debug, Default)]
pub struct Sets {
    pub(super) sets: Vec<Set>,
    /// Every policy, those that may refuse first, ValidatingAdmissionPolicies before constraints.
    pub(super) places: Vec<Place>,
    /// Tells these from others that were compiled.
    pub(super) identity: Arc<()>,
}

/// One set.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) id: Id,
    pub(super) ceiling: PolicyAction,
    pub(super) policies: UserPolicies,
    pub(super) expansions: Vec<Expansion>,
    /// Objects that are no policies.
    pub(super) own: Inventory,
}

/// One policy of a set.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Index of its set.
    pub(super) set: usize,
    pub(super) policy: PolicyOf,
    /// The severest of its bindings or actions.
    pub(super) own: PolicyAction,
}

#[derive(Clone, Debug)]
pub(super) enum PolicyOf {
    /// Index among the set's.
    Vap(usize),
    Constraint(Box<Constraint>),
}

impl Sets {
    /// Reads and compiles sets; expressions as Kubernetes 1.`minor` compiles them. Problems name set, line and document:
    /// what does not load is left out, and the rest counts.
    pub fn load(desired: &[DesiredSet], minor: u32) -> (Self, Vec<Problem>) {
        let (mut loaded, mut problems) = (Self::default(), Vec::new());
        if desired.len() > MAX_SETS {
            let message = format!("only the first {MAX_SETS} policy sets count");
            problems.push(Problem::gap("limit", message));
        }
        for set in desired.iter().take(MAX_SETS) {
            let mut told = Vec::new();
            let documents = read(&set.text, &mut told);
            loaded.add((set.set, set.action), &documents, minor, &mut told);
            problems.extend(told.into_iter().map(|problem| named(&set.name, problem)));
        }
        loaded.order();
        (loaded, problems)
    }

    /// One set without a name, of documents that stand in files; its problems name those. Its policies may do whatever
    /// they say.
    pub fn of_documents(documents: &[Document], minor: u32) -> (Self, Vec<Problem>) {
        let (mut loaded, mut problems) = (Self::default(), Vec::new());
        let nobody = Id::new(0, [0; 10]);
        loaded.add((nobody, PolicyAction::Deny), documents, minor, &mut problems);
        loaded.order();
        (loaded, problems)
    }

    fn order(&mut self) {
        let sets = &self.sets;
        self.places.sort_by_key(|place| {
            let constraint = matches!(place.policy, PolicyOf::Constraint(_));
            (Reverse(place.may(sets)), constraint)
        });
    }

    /// Whether no set has a policy that loaded.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Policies and constraints of sets whose ceiling is `ceiling`.
    pub fn count(&self, ceiling: PolicyAction) -> usize {
        self.places.iter().filter(|place| self.sets[place.set].ceiling == ceiling).count()
    }

    fn add(
        &mut self,
        (id, ceiling): (Id, PolicyAction),
        documents: &[Document],
        minor: u32,
        problems: &mut Vec<Problem>,
    ) {
        let (policies, told) = UserPolicies::load(documents, minor);
        problems.extend(told);
        problems.extend(documents.iter().filter_map(|document| dangling(document, documents)));
        let (mut expansions, mut own) = (Vec::new(), Inventory::default());
        for document in documents {
            let added = match group(&document.object) {
                EXPANSIONS => {
                    Expansion::load(&document.object).map(|expansion| expansions.push(expansion))
                }
                _ if is_policy(&document.object) => Ok(()),
                _ => own.add(document.object.clone()),
            };
            if let Err(message) = added {
                problems.push(placed(document, Problem::error("policy", message)));
            }
        }
        let set = self.sets.len();
        let vaps =
            policies.vap.iter().enumerate().map(|(at, vap)| (PolicyOf::Vap(at), of_vap(vap)));
        let constraints = policies.gatekeeper.constraints().filter_map(|constraint| {
            let severest = *constraint.actions(Point::Admission).first()?;
            Some((PolicyOf::Constraint(Box::new(constraint.clone())), of_constraint(severest)))
        });
        let all = vaps.chain(constraints).map(|(policy, own)| Place { set, policy, own });
        self.places.extend(all);
        self.sets.push(Set { id, ceiling, policies, expansions, own });
    }
}

impl Place {
    /// The most that it may do.
    pub(super) fn may(&self, sets: &[Set]) -> PolicyAction {
        self.own.min(sets[self.set].ceiling)
    }
}

/// Objects of the text and where they begin in it.
fn read(text: &str, problems: &mut Vec<Problem>) -> Vec<Document> {
    if text.len() > MAX_TEXT {
        let message = format!("the text is over {} KiB", MAX_TEXT >> 10);
        problems.push(Problem::error("limit", message));
        return Vec::new();
    }
    let read = manifests::read([File { path: "", bytes: text.as_bytes(), found: false }]);
    problems.extend(read.problems);
    let document = |object: manifests::Object| Document {
        object: object.value,
        file: None,
        line: Some(object.source.line),
    };
    read.objects.into_iter().map(document).collect()
}

/// With the set, line and document in its words, which may be all that is shown.
fn named(set: &str, problem: Problem) -> Problem {
    let line = problem.line.map(|line| format!(", line {line}")).unwrap_or_default();
    let item = problem.item.as_ref().map(|item| format!(", {item}")).unwrap_or_default();
    let message = format!("policy set `{set}`{line}{item}: {}", problem.message);
    Problem { message, file: None, ..problem }
}

/// A binding that binds nothing.
fn dangling(document: &Document, all: &[Document]) -> Option<Problem> {
    if text(&document.object, "/kind") != BINDING {
        return None;
    }
    let policy = text(&document.object, "/spec/policyName");
    let names = |other: &Document| {
        text(&other.object, "/kind") == POLICY && text(&other.object, "/metadata/name") == policy
    };
    if all.iter().any(names) {
        return None;
    }
    let message = format!("it binds `{policy}`, which is not here, and so does nothing");
    Some(placed(document, Problem::warning("unbound", message)))
}

fn placed(document: &Document, problem: Problem) -> Problem {
    let name = text(&document.object, "/metadata/name");
    let item = format!("{} {name}", text(&document.object, "/kind"));
    Problem { file: document.file.clone(), line: document.line, ..problem.item(item) }
}

fn is_policy(object: &Value) -> bool {
    matches!(group(object), CONSTRAINTS | TEMPLATES | EXPANSIONS)
        || (group(object) == "admissionregistration.k8s.io"
            && matches!(text(object, "/kind"), POLICY | BINDING))
}

fn group(object: &Value) -> &str {
    text(object, "/apiVersion").split_once('/').map_or("", |(group, _)| group)
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn of_vap(vap: &Vap) -> PolicyAction {
    let actions = vap.policies.facts().flat_map(|facts| facts.actions);
    actions.map(of_binding).max().unwrap_or_default()
}

pub(super) fn of_binding(action: vap::Action) -> PolicyAction {
    match action {
        vap::Action::Deny => PolicyAction::Deny,
        vap::Action::Warn => PolicyAction::Warn,
        vap::Action::Audit => PolicyAction::Audit,
    }
}

pub(super) fn of_constraint(action: Action) -> PolicyAction {
    match action {
        Action::Deny => PolicyAction::Deny,
        Action::Warn => PolicyAction::Warn,
        Action::Audit => PolicyAction::Audit,
    }
}
