//! What a set would do: objects as they stand and recorded requests, held against it whatever its ceiling is.
//!
//! Nothing here looks at a clock: policies end by their own budgets.
use super::hearing::Hearing;
use super::judge::{Mode, Surroundings};
use super::lookup::Lookup;
use super::review::Review;
use super::ruling::Ruling;
use super::sets::Sets;
use super::time::Time;
use super::worker::Worker;
use super::{exclusions, words};
use crate::policies::{creation, pod};
use crate::workload;
use seawall_model::admission::PolicyAction;
use seawall_model::finding::Resource;
use seawall_model::policy_set::{MAX_SAMPLES, TrialOutcome, TrialSample, Tried};
use seawall_model::{Id, Millis, Problem};
use serde_json::{Value, json};

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
        let surroundings = Surroundings {
            now: self.now,
            agent: "",
            own_namespace: self.own_namespace,
            lookup: self.lookup,
            time: &time,
            mode: Mode::Admission,
        };
        let mut hearing = Hearing::new(self.sets, review, &surroundings);
        for place in &self.sets.places {
            if self.sets.sets[place.set].id == self.set
                && let Some(ruling) = hearing.rule(place, worker)
            {
                attempt.add(&ruling, resource);
            }
        }
    }
}

impl Attempt {
    fn add(&mut self, ruling: &Ruling<'_>, resource: &Resource) {
        self.judged = true;
        let mut sample = |outcome, message: &str| {
            let (policy, resource) = (ruling.id.clone(), resource.clone());
            let message = words::cut(message, MAX_MESSAGE);
            let sample = TrialSample { policy, outcome, message, resource, user: None };
            if !self.samples.contains(&sample) {
                self.samples.push(sample);
            }
        };
        let outcome = match ruling.own {
            PolicyAction::Deny => Some(TrialOutcome::Refused),
            PolicyAction::Warn => Some(TrialOutcome::Warned),
            PolicyAction::Audit | PolicyAction::Off => None,
        };
        if let Some(outcome) = outcome {
            sample(outcome, &ruling.causes.join("; "));
        }
        if let Some(unjudged) = &ruling.unjudged {
            sample(TrialOutcome::Undecided, &unjudged.why);
        }
        self.refused |= outcome == Some(TrialOutcome::Refused);
        self.warned |= outcome == Some(TrialOutcome::Warned);
        self.undecided |= ruling.unjudged.is_some();
    }

    fn finish(mut self) -> Self {
        // Each counts once, by the severest.
        self.warned &= !self.refused;
        self.samples.sort_by_key(|sample| sample.outcome);
        self.samples.truncate(MAX_SAMPLES);
        self
    }
}
