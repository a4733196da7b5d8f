//! One review against the policies that count for its object.
use super::policies::{Bound, Policies};
use super::response::Response;
use super::review::Review;
use super::{exclusions, words};
use crate::workload::{self, View};
use crate::{fix, pointer};
use seawall_model::admission::{DecidedControl, Decision, PolicyAction, Verdict};
use seawall_model::finding::{Evidence, Resource, State};
use seawall_model::{Millis, Problem};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// Containers and volumes of one object. More do not fit into the 1.5 MiB that etcd takes: such an object is never
/// stored, and judging it would only hold up the others.
const MAX_ELEMENTS: usize = 150_000;
/// Failing places that a patch is made for; more are mended by a command, not by hand.
const MAX_FIXED: usize = 64;
/// Of one control in a decision, so that a pod of a thousand containers is still one small record.
const MAX_PATHS: usize = 64;
/// Bytes of one control's patch in a decision.
const MAX_FIX: usize = 16 << 10;
/// Bytes of a name in a decision; those of Kubernetes have at most 253, of users and groups at will.
const MAX_NAME: usize = 512;
/// Groups of the user in a decision; directories put people into hundreds.
const MAX_GROUPS: usize = 64;

/// What the engine cannot know from the review.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    pub now: Millis,
    /// Name of the agent that answers.
    pub agent: &'a str,
    /// Where Seawall itself runs; never judged.
    pub own_namespace: Option<&'a str>,
}

/// What came of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Passes whatever the policies say.
    Excluded,
    /// No object that a control is about, or no policy for it.
    NotJudged,
    Passed,
    Audited,
    Warned,
    Denied,
}

impl Outcome {
    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::NotJudged => "not_judged",
            Self::Passed => "passed",
            Self::Audited => "audited",
            Self::Warned => "warned",
            Self::Denied => "denied",
        }
    }
}

/// For the counters of whoever answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub outcome: Outcome,
    pub dry_run: bool,
    /// Controls without an answer, by id.
    pub undecided: Vec<String>,
    /// Controls that time did not suffice for, by id.
    pub unfinished: Vec<String>,
    /// Controls that the object failed before the update.
    pub already_failing: usize,
}

/// The answer to one review.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// An `AdmissionReview` in JSON, for HTTP 200.
    pub response: Vec<u8>,
    /// To be recorded; none for a dry run, for what passed, and for an update that only keeps what `audit` knows.
    pub decision: Option<Decision>,
    pub counts: Counts,
}

/// A policy's control that the object fails.
pub(super) struct Failed<'p> {
    pub(super) bound: &'p Bound,
    pub(super) message: String,
    /// JSON Pointers into the object.
    pub(super) paths: Vec<String>,
    pub(super) fix: Vec<Value>,
    /// Too many places for a patch.
    pub(super) more_to_fix: bool,
    pub(super) already_failing: bool,
}

impl Failed<'_> {
    pub(super) fn denies(&self) -> bool {
        self.bound.action == PolicyAction::Deny && !self.already_failing
    }

    /// What it means for the request: what failed before is told where something would have been said, never refused.
    fn verdict(&self) -> Option<Verdict> {
        match (self.bound.action, self.already_failing) {
            (PolicyAction::Deny, false) => Some(Verdict::Denied),
            (PolicyAction::Deny | PolicyAction::Warn, _) => Some(Verdict::Warned),
            (PolicyAction::Audit, false) => Some(Verdict::Audited),
            (PolicyAction::Audit, true) | (PolicyAction::Off, _) => None,
        }
    }
}

impl Policies {
    /// Answers the bytes of a review. `out_of_time` is asked before each policy, deny first; what is then not judged
    /// is allowed. Problems are those of [`Review::parse`].
    pub fn answer(
        &self,
        bytes: &[u8],
        surroundings: &Surroundings<'_>,
        out_of_time: &dyn Fn() -> bool,
    ) -> Result<Answer, Box<Problem>> {
        Ok(self.judge(&Review::parse(bytes)?, surroundings, out_of_time))
    }

    /// Judges a review that has been read.
    pub fn judge(
        &self,
        review: &Review,
        surroundings: &Surroundings<'_>,
        out_of_time: &dyn Fn() -> bool,
    ) -> Answer {
        if exclusions::excluded(review, surroundings.own_namespace).is_some() {
            return passed(review, Outcome::Excluded);
        }
        let view = View::new(&review.object);
        let mut chosen = self.choose(review);
        chosen.retain(|tied| tied[0].control.concerns(&view));
        if chosen.is_empty() || !exclusions::is_judged(review) {
            return passed(review, Outcome::NotJudged);
        }
        let before = Before { old: &review.old_object, view: OnceCell::new() };
        let mut judged = Judged::default();
        let oversized = view.count_elements() > MAX_ELEMENTS;
        for tied in chosen {
            if oversized {
                judged.undecided(tied[0], "more containers and volumes than an object can hold");
            } else if out_of_time() {
                judged.unfinished(tied[0]);
            } else {
                judged.control(&tied, &view, &before);
            }
        }
        judged.answer(review, surroundings)
    }
}

/// The object before the update, looked at only where the new one fails.
struct Before<'o> {
    old: &'o Value,
    view: OnceCell<View<'o>>,
}

impl<'o> Before<'o> {
    /// Whether everything in `evidence` failed before. An old object that cannot be judged proves nothing.
    fn failed(&self, bound: &'o Bound, object: &Value, evidence: &[Evidence]) -> bool {
        let view = self.view.get_or_init(|| View::new(self.old));
        if !bound.control.concerns(view) {
            return false;
        }
        let old = bound.control.judge(view, &bound.params);
        if old.state != State::Unhealthy {
            return false;
        }
        let failing = |object: &Value, evidence: &[Evidence]| -> BTreeSet<String> {
            evidence.iter().map(|evidence| identity(object, &evidence.path)).collect()
        };
        failing(object, evidence).is_subset(&failing(self.old, &old.evidence))
    }
}

/// A pointer with the elements of lists by their name, where they have one: who adds a container before another
/// moves every index behind it, and adds no failing path.
fn identity(object: &Value, path: &str) -> String {
    let (mut identity, mut at) = (String::new(), Some(object));
    for token in pointer::tokens(path) {
        let list = at.and_then(Value::as_array);
        at = match list {
            Some(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
            None => at.and_then(|value| value.get(token.as_ref())),
        };
        let name = at.and_then(|element| element.get("name")).and_then(Value::as_str);
        match (list, name) {
            (Some(_), Some(name)) => pointer::push(&mut identity, &format!("={name}")),
            _ => pointer::push(&mut identity, &token),
        }
    }
    identity
}

#[derive(Default)]
struct Judged<'p> {
    failed: Vec<Failed<'p>>,
    undecided: Vec<String>,
    unfinished: Vec<String>,
    /// Those of them whose policy would have spoken.
    missed: Vec<String>,
    /// Of controls without an answer, where the policy would have spoken.
    warnings: Vec<String>,
}

impl<'p> Judged<'p> {
    /// Asks one control under every set of parameters that counts; the first that fails is told.
    fn control(&mut self, tied: &[&'p Bound], view: &View<'p>, before: &Before<'p>) {
        let mut unknown = None;
        for bound in tied {
            let judgement = bound.control.judge(view, &bound.params);
            match judgement.state {
                State::Unhealthy => {
                    let already_failing = before.failed(bound, view.object(), &judgement.evidence);
                    // Without a patch the remedy in words remains.
                    let failures = &judgement.failures;
                    let fix = (failures.len() <= MAX_FIXED)
                        .then(|| fix::build(&bound.control, view, &bound.params, failures).ok());
                    self.failed.push(Failed {
                        bound,
                        message: judgement.message.unwrap_or_else(|| bound.control.title.clone()),
                        paths: judgement.evidence.into_iter().map(|found| found.path).collect(),
                        fix: fix.flatten().unwrap_or_default(),
                        more_to_fix: failures.len() > MAX_FIXED,
                        already_failing,
                    });
                    return;
                }
                State::Unknown => unknown = Some((bound, judgement.message.unwrap_or_default())),
                State::Healthy | State::NotApplicable | State::Exempt => {}
            }
        }
        if let Some((bound, why)) = unknown {
            self.undecided(bound, &why);
        }
    }

    fn undecided(&mut self, bound: &Bound, why: &str) {
        let id = &bound.control.id;
        if bound.action > PolicyAction::Audit {
            self.warnings.push(words::undecided(id, why));
        }
        self.undecided.push(id.clone());
    }

    fn unfinished(&mut self, bound: &Bound) {
        let id = &bound.control.id;
        if bound.action > PolicyAction::Audit {
            self.missed.push(id.clone());
        }
        self.unfinished.push(id.clone());
    }

    fn answer(self, review: &Review, surroundings: &Surroundings<'_>) -> Answer {
        let verdict = self.failed.iter().filter_map(Failed::verdict).max();
        let outcome = match verdict {
            None => Outcome::Passed,
            Some(Verdict::Audited) => Outcome::Audited,
            Some(Verdict::Warned) => Outcome::Warned,
            Some(Verdict::Denied) => Outcome::Denied,
        };
        let speaks =
            |failed: &&Failed<'_>| !failed.denies() && failed.bound.action > PolicyAction::Audit;
        let mut warnings: Vec<String> =
            self.failed.iter().filter(speaks).map(words::warning).collect();
        warnings.extend(self.warnings);
        if !self.missed.is_empty() {
            warnings.push(words::unfinished(&self.missed));
        }
        let response = Response {
            denial: (verdict == Some(Verdict::Denied)).then(|| words::denial(&self.failed)),
            warnings: words::warnings(warnings),
            annotations: words::annotations(&self.failed, &self.undecided, &self.unfinished),
        };
        let already_failing = self.failed.iter().filter(|failed| failed.already_failing).count();
        let recorded = verdict.filter(|_| !review.dry_run);
        let decision = recorded.map(|verdict| decision(review, surroundings, verdict, self.failed));
        Answer {
            response: response.bytes(&review.uid),
            decision,
            counts: Counts {
                outcome,
                dry_run: review.dry_run,
                undecided: self.undecided,
                unfinished: self.unfinished,
                already_failing,
            },
        }
    }
}

fn passed(review: &Review, outcome: Outcome) -> Answer {
    let (undecided, unfinished) = Default::default();
    let dry_run = review.dry_run;
    Answer {
        response: Response::default().bytes(&review.uid),
        decision: None,
        counts: Counts { outcome, dry_run, undecided, unfinished, already_failing: 0 },
    }
}

fn decision(
    review: &Review,
    surroundings: &Surroundings<'_>,
    verdict: Verdict,
    failed: Vec<Failed<'_>>,
) -> Decision {
    let name = |text: &str| words::cut(text, MAX_NAME);
    let found = workload::resource(&review.object);
    let resource = Resource {
        namespace: (!review.namespace.is_empty()).then(|| name(&review.namespace)),
        name: name(&found.name),
        uid: found.uid.as_deref().map(name),
        ..found
    };
    let controls = failed.into_iter().map(|mut failed| {
        failed.paths.truncate(MAX_PATHS);
        // Half a patch heals nothing.
        let bytes: usize = failed.fix.iter().map(|operation| operation.to_string().len()).sum();
        let fix = if bytes > MAX_FIX { Vec::new() } else { failed.fix };
        DecidedControl {
            control: failed.bound.control.id.clone(),
            title: failed.bound.control.title.clone(),
            severity: failed.bound.control.severity,
            action: failed.bound.action,
            assignment: failed.bound.assignment,
            message: failed.message,
            paths: failed.paths,
            fix,
            already_failing: failed.already_failing,
        }
    });
    Decision {
        time: surroundings.now,
        verdict,
        operation: review.operation.as_str().to_owned(),
        resource,
        owner: owner(&review.object).as_deref().map(name),
        user: name(&review.user),
        groups: review.groups.iter().take(MAX_GROUPS).map(|group| name(group)).collect(),
        controls: controls.collect(),
        agent: surroundings.agent.to_owned(),
    }
}

/// The controller in the object's own words; who holds the cluster's objects may know one further up.
fn owner(object: &Value) -> Option<String> {
    let references = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let controls = |reference: &&Value| reference.get("controller") == Some(&Value::Bool(true));
    let controller = references.iter().find(controls)?;
    let text = |key: &str| controller.get(key).and_then(Value::as_str);
    Some(format!("{}/{}", text("kind")?, text("name")?))
}

#[test]
fn elements_are_known_by_name() {
    let object = serde_json::json!({"spec": {"containers": [{"name": "a/b", "x": [1]}, {"image": "i"}], "hostPID": true}});
    for (path, expected) in [
        ("/spec/containers/0/x/0", "/spec/containers/=a~1b/x/0"),
        ("/spec/containers/1/image", "/spec/containers/1/image"),
        ("/spec/containers/9/image", "/spec/containers/9/image"),
        ("/spec/hostPID", "/spec/hostPID"),
        ("/spec/gone/0", "/spec/gone/0"),
        ("", ""),
    ] {
        assert_eq!(identity(&object, path), expected);
    }
}
