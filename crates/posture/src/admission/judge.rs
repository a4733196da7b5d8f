//! One review against the policies that count for its object.
use super::answer::{Answer, Outcome};
use super::hearing::Hearing;
use super::lookup::Lookup;
use super::policies::Policies;
use super::review::Review;
use super::ruling::Ruling;
use super::sets::Place;
use super::time::Time;
use super::worker::Worker;
use super::{exclusions, words};
use crate::assigned::Bound;
use crate::workload::View;
use crate::{fix, pointer};
use seawall_model::admission::{PolicyAction, Verdict};
use seawall_model::finding::{Evidence, State};
use seawall_model::{Millis, Problem};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// Containers and volumes of one object. More do not fit into the 1.5 MiB that etcd takes: such an object is never
/// stored, and judging it would only hold up the others.
const MAX_ELEMENTS: usize = 150_000;
/// Failing places that a patch is made for; more are mended by a command, not by hand.
const MAX_FIXED: usize = 64;

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The API server waits for it.
    Admission,
    /// Somebody holds a recorded review against policies: nothing is excluded, and what a policy cannot tell is told
    /// and never refused.
    Rehearsal,
}

/// What the engine cannot know from the review.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub now: Millis,
    /// Name of the agent that answers.
    pub agent: &'a str,
    /// Where Seawall itself runs; never judged.
    pub own_namespace: Option<&'a str>,
    /// What users' policies look up.
    pub lookup: &'a dyn Lookup,
    pub time: &'a Time,
    pub mode: Mode,
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
    pub(super) fn verdict(&self) -> Option<Verdict> {
        match (self.bound.action, self.already_failing) {
            (PolicyAction::Deny, false) => Some(Verdict::Denied),
            (PolicyAction::Deny | PolicyAction::Warn, _) => Some(Verdict::Warned),
            (PolicyAction::Audit, false) => Some(Verdict::Audited),
            (PolicyAction::Audit, true) | (PolicyAction::Off, _) => None,
        }
    }
}

impl Policies {
    /// Answers the bytes of a review. Time is looked at before each policy, those that may refuse first; a control that
    /// is not judged by then allows, a user's policy follows its failurePolicy. Problems are those of
    /// [`Review::parse`].
    pub fn answer(
        &self,
        bytes: &[u8],
        surroundings: &Surroundings<'_>,
        worker: &mut Worker,
    ) -> Result<Answer, Box<Problem>> {
        Ok(self.judge(&Review::parse(bytes)?, surroundings, worker))
    }

    /// Judges a review that has been read.
    pub fn judge(
        &self,
        review: &Review,
        surroundings: &Surroundings<'_>,
        worker: &mut Worker,
    ) -> Answer {
        let excluded = || exclusions::excluded(review, surroundings.own_namespace).is_some();
        if surroundings.mode == Mode::Admission && excluded() {
            return Answer::passed(review, Outcome::Excluded);
        }
        let view = View::new(&review.object);
        let mut controls = match exclusions::is_judged(review) {
            true => self.choose(review),
            false => Vec::new(),
        };
        controls.retain(|tied| tied[0].control.concerns(&view));
        let before = Before { old: &review.old_object, view: OnceCell::new() };
        let mut hearing = Hearing::new(&self.sets, review, surroundings);
        let mut judged = Judged { concerned: !controls.is_empty(), ..Judged::default() };
        let (deny, others): (Vec<_>, Vec<_>) =
            controls.into_iter().partition(|tied| tied[0].action == PolicyAction::Deny);
        let may = |place: &Place| place.may(&self.sets.sets);
        let places = &self.sets.places;
        let denying = places.partition_point(|place| may(place) == PolicyAction::Deny);
        let (first, then) = places.split_at(denying);
        for (controls, places) in [(deny, first), (others, then)] {
            judged.controls(&controls, &view, &before, surroundings.time);
            for place in places.iter().filter(|place| may(place) > PolicyAction::Off) {
                if let Some(mut ruling) = hearing.rule(place, worker) {
                    ruling.settle(place.own, surroundings.mode);
                    judged.rulings.push((may(place), ruling));
                }
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

/// What controls and users' policies said.
#[derive(Default)]
pub(super) struct Judged<'p> {
    /// Some control is for the object.
    pub(super) concerned: bool,
    pub(super) failed: Vec<Failed<'p>>,
    /// Of users' policies, each with the most that it may do.
    pub(super) rulings: Vec<(PolicyAction, Ruling<'p>)>,
    /// Controls without an answer, and why.
    pub(super) undecided: Vec<(String, String)>,
    pub(super) unfinished: Vec<String>,
    /// Those of them whose policy would have spoken.
    pub(super) missed: Vec<String>,
    /// Of controls without an answer, where the policy would have spoken.
    pub(super) warnings: Vec<String>,
}

impl<'p> Judged<'p> {
    fn controls(
        &mut self,
        chosen: &[Vec<&'p Bound>],
        view: &View<'p>,
        before: &Before<'p>,
        time: &Time,
    ) {
        let oversized = !chosen.is_empty() && view.count_elements() > MAX_ELEMENTS;
        for tied in chosen {
            if oversized {
                self.undecided(tied[0], "more containers and volumes than an object can hold");
            } else if time.is_over() {
                self.unfinished(tied[0]);
            } else {
                self.control(tied, view, before);
            }
        }
    }

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
        self.undecided.push((id.clone(), why.to_owned()));
    }

    fn unfinished(&mut self, bound: &Bound) {
        let id = &bound.control.id;
        if bound.action > PolicyAction::Audit {
            self.missed.push(id.clone());
        }
        self.unfinished.push(id.clone());
    }
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
