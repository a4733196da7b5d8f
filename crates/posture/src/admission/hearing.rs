//! One review before the policies of sets: what they are shown of it is made once.
use super::judge::{Mode, Surroundings};
use super::lookup::{Lookup, Seen};
use super::needs::DEFAULT_OPERATIONS;
use super::review::Review;
use super::ruling::{Ruling, Unjudged};
use super::sets::{Place, PolicyOf, Set, Sets};
use super::time::Time;
use super::worker::Worker;
use seawall_policy::gatekeeper::{
    self, Action, Constraint, Expansion, Namespace, Origin, Point, Violation,
};
use seawall_policy::vap;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::rc::Rc;

/// One review, ready for the policies of sets.
pub(super) struct Hearing<'a> {
    sets: &'a Sets,
    review: &'a Review,
    lookup: &'a dyn Lookup,
    time: &'a Time,
    surroundings: &'a Surroundings<'a>,
    /// With null members as they were sent.
    request: Option<vap::Review>,
    /// By set; those without expansions and namespaces of their own share one.
    subjects: HashMap<Option<usize>, Rc<Subjects>>,
}

/// The object of the review and what it will make, as Gatekeeper's policies see them.
struct Subjects {
    all: Vec<Subject>,
    /// Why some are missing.
    missing: Option<String>,
}

struct Subject {
    review: gatekeeper::Review,
    /// The expansion that made it, with an action that overrides the constraint's.
    implied: Option<(String, Option<Action>)>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(
        sets: &'a Sets,
        review: &'a Review,
        surroundings: &'a Surroundings<'a>,
    ) -> Self {
        let Surroundings { lookup, time, .. } = surroundings;
        let has = |place: &Place| matches!(place.policy, PolicyOf::Vap(_));
        let request = sets.places.iter().any(has).then(|| vap::Review::of(&review.request).ok());
        let request = request.flatten().map(|mut request| {
            let [object, old_object] = review.sent();
            (request.object, request.old_object) = (object.clone(), old_object.clone());
            request
        });
        let subjects = HashMap::new();
        Self { sets, review, lookup: *lookup, time, surroundings, request, subjects }
    }

    /// What one policy says; nothing where it is not for the review.
    pub(super) fn rule(&mut self, place: &'a Place, worker: &mut Worker) -> Option<Ruling<'a>> {
        let set = &self.sets.sets[place.set];
        match &place.policy {
            PolicyOf::Vap(at) => self.vap(set, *at),
            PolicyOf::Constraint(constraint) => self.constraint(place.set, set, constraint, worker),
        }
    }

    fn vap(&self, set: &'a Set, at: usize) -> Option<Ruling<'a>> {
        let vap = &set.policies.vap[at];
        let request = self.request.as_ref()?;
        let seen = Seen { set, cluster: self.lookup };
        if !vap.policies.concerns(request, &seen) {
            return None;
        }
        let mut ruling = Ruling::of_vap(set, vap);
        if self.time.is_over() {
            ruling.unjudged = Some(Unjudged::out_of_time());
            return Some(ruling);
        }
        ruling.take(vap.policies.review(request, &seen)).then_some(ruling)
    }

    fn constraint(
        &mut self,
        at: usize,
        set: &'a Set,
        constraint: &'a Constraint,
        worker: &mut Worker,
    ) -> Option<Ruling<'a>> {
        let library = &set.policies.gatekeeper;
        let template = library.template(constraint)?;
        // Whose requests come for another policy's sake: Gatekeeper is not asked about them by itself.
        let asked = DEFAULT_OPERATIONS.contains(&self.review.operation.as_str());
        if self.surroundings.mode == Mode::Admission && template.operations().is_empty() && !asked {
            return None;
        }
        let subjects = self.subjects(at, set);
        let mut ruling = Ruling::of_constraint(set, constraint);
        ruling.unjudged = subjects.missing.as_deref().map(Unjudged::new);
        let mut concerns = subjects.missing.is_some();
        for subject in &subjects.all {
            match library.concerns(constraint, &subject.review, Point::Admission) {
                Ok(false) => continue,
                Ok(true) if self.time.is_over() => {
                    ruling.unjudged = Some(Unjudged::out_of_time());
                }
                Ok(true) => match self.evaluate(at, set, constraint, subject, worker) {
                    Ok(found) => found.iter().for_each(|one| violated(&mut ruling, one, subject)),
                    Err(why) => ruling.unjudged = Some(Unjudged::new(why)),
                },
                Err(undecided) => ruling.unjudged = Some(Unjudged::new(undecided.message)),
            }
            concerns = true;
        }
        concerns.then_some(ruling)
    }

    fn evaluate(
        &self,
        at: usize,
        set: &Set,
        constraint: &Constraint,
        subject: &Subject,
        worker: &mut Worker,
    ) -> Result<Vec<Violation>, String> {
        let library = &set.policies.gatekeeper;
        let reads = library.template(constraint).map(|template| template.reads());
        let reads = reads.filter(|reads| !reads.is_empty());
        let cluster = reads.map(|reads| self.lookup.inventory(&reads)).transpose()?;
        let inventories: Vec<_> = cluster.into_iter().chain([&set.own]).collect();
        let limits = self.time.limits(self.surroundings.now);
        let judge = worker.judge(self.sets, at);
        let (review, point) = (&subject.review, Point::Admission);
        let found = judge.evaluate(library, constraint, review, &inventories, point, &limits);
        found.map_err(|undecided| match undecided.reason {
            "limit" => format!("it was stopped at its limit: {}", undecided.message),
            _ => undecided.message,
        })
    }

    fn subjects(&mut self, at: usize, set: &Set) -> Rc<Subjects> {
        let own = !set.expansions.is_empty() || set.own.namespace(&self.review.namespace).is_some();
        let key = own.then_some(at);
        if let Some(known) = self.subjects.get(&key) {
            return Rc::clone(known);
        }
        let made = Rc::new(self.show(set));
        self.subjects.insert(key, Rc::clone(&made));
        made
    }

    /// What the policies of one set are shown.
    fn show(&self, set: &Set) -> Subjects {
        let Review { object, old_object, request, namespace, .. } = self.review;
        let seen = Seen { set, cluster: self.lookup };
        let known = vap::Lookup::namespace(&seen, namespace);
        let known = || known.map_or(Namespace::Unknown, |found| Namespace::Object(found.clone()));
        let mut whole = request.clone();
        whole.insert("object".to_owned(), object.clone());
        whole.insert("oldObject".to_owned(), old_object.clone());
        let original = match gatekeeper::Review::of_request(&whole, known()) {
            Ok(review) => Subject { review, implied: None },
            Err(error) => return Subjects { all: Vec::new(), missing: Some(error) },
        };
        let mut subjects = Subjects { all: vec![original], missing: None };
        let makes = self.review.subresource.is_empty()
            && DEFAULT_OPERATIONS.contains(&self.review.operation.as_str());
        if !makes || set.expansions.is_empty() {
            return subjects;
        }
        match Expansion::expand(&set.expansions, object) {
            Ok(expanded) => {
                for one in expanded {
                    match self.generated(&one.object, known()) {
                        Ok(review) => {
                            let implied = Some((one.template, one.action));
                            subjects.all.push(Subject { review, implied });
                        }
                        Err(error) => subjects.missing = Some(error),
                    }
                }
            }
            Err(error) => subjects.missing = Some(error),
        }
        subjects
    }

    /// The request for an object that the reviewed one will make.
    fn generated(
        &self,
        object: &Value,
        namespace: Namespace,
    ) -> Result<gatekeeper::Review, String> {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = crate::control::group_version(text("/apiVersion"));
        let mut request = Map::new();
        let kind = json!({"group": group, "version": version, "kind": text("/kind")});
        request.insert("kind".to_owned(), kind);
        request.insert("object".to_owned(), object.clone());
        request.insert("name".to_owned(), text("/metadata/name").into());
        for shared in ["namespace", "operation", "userInfo", "dryRun"] {
            if let Some(value) = self.review.request.get(shared) {
                request.insert(shared.to_owned(), value.clone());
            }
        }
        let mut review = gatekeeper::Review::of_request(&request, namespace)?;
        review.origin = Origin::Generated;
        Ok(review)
    }
}

fn violated(ruling: &mut Ruling<'_>, violation: &Violation, subject: &Subject) {
    match &subject.implied {
        None => ruling.violated(&violation.message, &violation.actions),
        Some((template, action)) => {
            let message = format!("[Implied by {template}] {}", violation.message);
            let actions = action.as_ref().map_or(&violation.actions[..], std::slice::from_ref);
            ruling.violated(&message, actions);
        }
    }
}
