//! What a set would do: objects as they stand and recorded requests, held against it whatever its ceiling is.
//!
//! Nothing here looks at a clock: policies end by their own budgets.
use super::hearing::Hearing;
use super::judge::{Mode, Surroundings};
use super::lookup::Lookup;
use super::review::Review;
use super::ruling::Ruling;
use super::sets::{Place, Sets};
use super::time::Time;
use super::worker::Worker;
use super::{exclusions, words};
use crate::policies::{creation, pod};
use crate::workload;
use seawall_cel::authz::Answers;
use seawall_cel::{Answer as Authorization, Question};
use seawall_model::admission::PolicyAction;
use seawall_model::finding::Resource;
use seawall_model::policy_set::{MAX_SAMPLES, TrialOutcome, TrialSample, Tried};
use seawall_model::{Id, Millis, Problem};
use seawall_policy::gatekeeper::{Inventory, InventoryRead};
use seawall_policy::vap::Params;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of one sample's message.
const MAX_MESSAGE: usize = 1 << 10;

/// Holds one object or request after the other against one set.
pub struct Trier<'a> {
    pub sets: &'a Sets,
    /// Which of them.
    pub set: Id,
    pub lookup: &'a dyn Lookup,
    /// What policies are told the time is.
    pub now: Millis,
    /// Never judged.
    pub own_namespace: Option<&'a str>,
}

/// What came of one object or request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// A policy of the set is for it.
    pub judged: bool,
    pub refused: bool,
    /// It would pass with a warning.
    pub warned: bool,
    /// A policy could not tell.
    pub undecided: bool,
    /// At most [`MAX_SAMPLES`], refusals first.
    pub samples: Vec<TrialSample>,
}

impl Attempt {
    pub fn count(&self, tried: &mut Tried) {
        tried.judged += u64::from(self.judged);
        tried.refused += u64::from(self.refused);
        tried.warned += u64::from(self.warned);
        tried.undecided += u64::from(self.undecided);
    }
}

impl Trier<'_> {
    /// The request that would create an object that is there, and the one for the pod that it makes.
    pub fn object(&self, object: &Value, worker: &mut Worker) -> Attempt {
        let mut attempt = Attempt::default();
        let pod = pod(object);
        let resource = workload::resource(object);
        for object in std::iter::once(object).chain(&pod) {
            let mut request = creation(object);
            // Everything is there already: who asks is nobody, and nothing is being deleted.
            request["uid"] = "trial".into();
            request["userInfo"] = json!({"username": "", "groups": []});
            let Value::Object(request) = request else { continue };
            if let Ok(review) = Review::of(request) {
                self.review(&review, &resource, worker, &mut attempt);
            }
        }
        attempt.finish()
    }

    /// A recorded request; the bytes are those of its AdmissionReview. Problems are those of [`Review::parse`].
    pub fn request(&self, bytes: &[u8], worker: &mut Worker) -> Result<Attempt, Box<Problem>> {
        let review = Review::parse(bytes)?;
        let mut attempt = Attempt::default();
        let object = if review.object.is_null() { &review.old_object } else { &review.object };
        let mut resource = workload::resource(object);
        if !review.namespace.is_empty() {
            resource.namespace = Some(review.namespace.clone());
        }
        self.review(&review, &resource, worker, &mut attempt);
        for sample in &mut attempt.samples {
            sample.user = Some(review.user.clone());
        }
        Ok(attempt.finish())
    }

    fn review(
        &self,
        review: &Review,
        resource: &Resource,
        worker: &mut Worker,
        attempt: &mut Attempt,
    ) {
        if exclusions::excluded(review, self.own_namespace).is_some() {
            return;
        }
        let time = Time::unlimited();
        let surroundings = self.surroundings(self.lookup, &time);
        let mut hearing = Hearing::new(self.sets, review, &surroundings);
        for place in &self.sets.places {
            if self.sets.sets[place.set].id != self.set {
                continue;
            }
            let Some(ruling) = hearing.rule(place, worker) else { continue };
            let mut word = Word::of(&ruling);
            if !ruling.questions.is_empty() {
                word = self.whatever_is_allowed(review, place, worker).unwrap_or(word);
            }
            attempt.add(&ruling.id, &word, resource);
        }
    }

    /// Nobody asks the authorizer in a trial. What a policy says where everything is allowed and where nothing is, it
    /// says in any case; nothing where the two differ.
    fn whatever_is_allowed(
        &self,
        review: &Review,
        place: &Place,
        worker: &mut Worker,
    ) -> Option<Word> {
        let [granted, denied] = [true, false].map(|allowed| {
            let mut answers = Answers::new();
            loop {
                let assumed = Assumed { lookup: self.lookup, answers: Arc::new(answers.clone()) };
                let time = Time::unlimited();
                let surroundings = self.surroundings(&assumed, &time);
                let mut hearing = Hearing::new(self.sets, review, &surroundings);
                let ruling = hearing.rule(place, worker)?;
                let open = ruling.questions.iter().filter(|asked| !answers.contains_key(asked));
                let open: Vec<Question> = open.cloned().collect();
                if open.is_empty() {
                    return Some(Word::of(&ruling));
                }
                let answer = Authorization { allowed, reason: String::new(), error: None };
                answers.extend(open.into_iter().map(|question| (question, answer.clone())));
            }
        });
        granted.filter(|granted| denied.is_some_and(|denied| denied.own == granted.own))
    }

    fn surroundings<'s>(&'s self, lookup: &'s dyn Lookup, time: &'s Time) -> Surroundings<'s> {
        Surroundings {
            now: self.now,
            agent: "",
            own_namespace: self.own_namespace,
            lookup,
            time,
            mode: Mode::Admission,
        }
    }
}

/// The cluster, with other answers of its authorizer.
struct Assumed<'a> {
    lookup: &'a dyn Lookup,
    answers: Arc<Answers>,
}

impl Lookup for Assumed<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.lookup.namespace(name)
    }

    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        self.lookup.params(api_version, kind)
    }

    fn inventory(&self, reads: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        self.lookup.inventory(reads)
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::clone(&self.answers)
    }
}

/// What a policy says of one object.
struct Word {
    /// The severest that it asks for.
    own: PolicyAction,
    causes: Vec<String>,
    /// Why it could not tell.
    unjudged: Option<String>,
}

impl Word {
    fn of(ruling: &Ruling<'_>) -> Self {
        let unjudged = ruling.unjudged.as_ref().map(|unjudged| unjudged.why.clone());
        Self { own: ruling.own, causes: ruling.causes.clone(), unjudged }
    }
}

impl Attempt {
    fn add(&mut self, policy: &str, word: &Word, resource: &Resource) {
        self.judged = true;
        let mut sample = |outcome, message: &str| {
            let (policy, resource) = (policy.to_owned(), resource.clone());
            let message = words::cut(message, MAX_MESSAGE);
            let sample = TrialSample { policy, outcome, message, resource, user: None };
            if !self.samples.contains(&sample) {
                self.samples.push(sample);
            }
        };
        let outcome = match word.own {
            PolicyAction::Deny => Some(TrialOutcome::Refused),
            PolicyAction::Warn => Some(TrialOutcome::Warned),
            PolicyAction::Audit | PolicyAction::Off => None,
        };
        if let Some(outcome) = outcome {
            sample(outcome, &word.causes.join("; "));
        }
        if let Some(why) = &word.unjudged {
            sample(TrialOutcome::Undecided, why);
        }
        self.refused |= outcome == Some(TrialOutcome::Refused);
        self.warned |= outcome == Some(TrialOutcome::Warned);
        self.undecided |= word.unjudged.is_some();
    }

    fn finish(mut self) -> Self {
        // Each counts once, by the severest.
        self.warned &= !self.refused;
        self.samples.sort_by_key(|sample| sample.outcome);
        self.samples.truncate(MAX_SAMPLES);
        self
    }
}
