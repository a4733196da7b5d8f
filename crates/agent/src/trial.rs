//! Tries policy sets: holds what is there, and the requests that came lately, against each, and tells what came of it.
//!
//! A new text is tried at once, every other now and then, since what would be refused changes with the cluster. The
//! work is cut into slices, so that changes are heard of between them.
use crate::policy_sets::PolicySets;
use bytes::Bytes;
use seawall_model::Id;
use seawall_model::policy_set::{DesiredSet, MAX_SAMPLES, Trial, Tried};
use seawall_model::record::Record;
use seawall_model::time::Millis;
use seawall_posture::admission::{Answers, Attempt, Needs, Sets, Trier, Worker};
use seawall_posture::objects::Objects;
use seawall_posture::owners::{Role, role};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Work between two looks at the channel of changes: a fifth of the time in which a change is told.
const SLICE: Duration = Duration::from_millis(20);
/// What would be refused is told anew after this long; Gatekeeper's own audit comes once a minute and costs a core
/// where there are many objects.
const AGAIN: Duration = Duration::from_secs(600);
/// How often it is looked whether what a set looks up is followed; its text is compiled each time.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Problems of one set that are told; all are counted.
const MAX_PROBLEMS: usize = 20;

/// Owned by the agent's loop.
pub(crate) struct Trials {
    shared: Arc<PolicySets>,
    /// Where Seawall itself runs; never judged.
    own_namespace: Option<String>,
    running: Option<Box<Running>>,
    ended: HashMap<Id, Ended>,
    /// A set waits for what it looks up.
    waiting: Option<Instant>,
}

/// The last trial of a set.
struct Ended {
    version: u64,
    at: Instant,
    needs: Needs,
    /// What of them was not to be had.
    hindrances: Vec<String>,
}

struct Running {
    sets: Sets,
    worker: Worker,
    objects: Vec<String>,
    requests: Vec<Bytes>,
    began: Millis,
    needs: Needs,
    trial: Trial,
}

impl Trials {
    pub(crate) fn new(shared: Arc<PolicySets>, own_namespace: Option<String>) -> Self {
        Self { shared, own_namespace, running: None, ended: HashMap::new(), waiting: None }
    }

    /// Whether there is something to do.
    pub(crate) fn has_work(&self) -> bool {
        let waits = self.waiting.is_some_and(|until| Instant::now() < until);
        self.running.is_some() || (!waits && self.due().is_some())
    }

    fn due(&self) -> Option<DesiredSet> {
        self.shared.find(|set| {
            let Some(ended) = self.ended.get(&set.set) else { return true };
            // A right that was granted, or taken, changes what the trial comes to.
            ended.version != set.version
                || ended.at.elapsed() >= AGAIN
                || ended.hindrances != self.shared.known.hindrances(&ended.needs)
        })
    }

    /// One slice of work; the trial that it ended.
    pub(crate) fn step(&mut self, objects: &Objects, now: Millis) -> Option<Record> {
        let running = self
            .running
            .take()
            .filter(|running| self.shared.wants(running.trial.set, running.trial.version));
        let mut running = match running {
            Some(running) => running,
            None => Box::new(self.begin(objects, now)?),
        };
        let began = Instant::now();
        let known = self.shared.known.seen(Arc::new(Answers::default()));
        while began.elapsed() < SLICE {
            let trier = Trier {
                sets: &running.sets,
                set: running.trial.set,
                lookup: &known,
                now,
                own_namespace: self.own_namespace.as_deref(),
            };
            if let Some(uid) = running.objects.pop() {
                if let Some(object) = objects.parse(&uid) {
                    let attempt = trier.object(&object, &mut running.worker);
                    take(&mut running.trial, Of::Object, attempt);
                }
            } else if let Some(request) = running.requests.pop() {
                // What was recorded has been read before.
                if let Ok(attempt) = trier.request(&request, &mut running.worker) {
                    take(&mut running.trial, Of::Request, attempt);
                }
            } else {
                drop(known);
                return Some(self.end(*running, now));
            }
        }
        drop(known);
        self.running = Some(running);
        None
    }

    /// The next trial that is due, with all that is there now.
    fn begin(&mut self, objects: &Objects, now: Millis) -> Option<Running> {
        let set = self.due()?;
        let (sets, problems) = Sets::load(std::slice::from_ref(&set), self.shared.minor);
        let needs = sets.needs();
        if !self.shared.known.meets(&needs) {
            self.waiting = Some(Instant::now() + LOOK_AGAIN);
            return None;
        }
        self.waiting = None;
        let mut told: Vec<String> =
            problems.iter().take(MAX_PROBLEMS).map(ToString::to_string).collect();
        if problems.len() > MAX_PROBLEMS {
            told.push(format!("and {} more problems", problems.len() - MAX_PROBLEMS));
        }
        let judged = |uid: &str| match role(objects, uid) {
            Role::Subject { .. } | Role::Injected { .. } | Role::Other => true,
            Role::Represented { .. } | Role::Waiting { .. } | Role::Skipped => false,
        };
        let uids = objects.iter().map(|(uid, _)| uid);
        let trial = Trial {
            set: set.set,
            version: set.version,
            time: now,
            took: 0,
            objects: Tried::default(),
            requests: Tried::default(),
            samples: Vec::new(),
            problems: told,
        };
        Some(Running {
            sets,
            worker: Worker::default(),
            objects: uids.filter(|uid| judged(uid)).map(str::to_owned).collect(),
            requests: self.shared.recent.all(),
            began: now,
            needs,
            trial,
        })
    }

    fn end(&mut self, running: Running, now: Millis) -> Record {
        let Running { mut trial, began, needs, .. } = running;
        settle(&mut trial);
        let hindrances = self.shared.known.hindrances(&needs);
        trial.problems.extend(hindrances.iter().take(MAX_PROBLEMS).cloned());
        (trial.time, trial.took) = (now, now - began);
        self.ended.retain(|set, ended| self.shared.wants(*set, ended.version));
        let ended = Ended { version: trial.version, at: Instant::now(), needs, hindrances };
        self.ended.insert(trial.set, ended);
        self.shared.set_tried(trial.set, trial.version);
        Record::Trial(Box::new(trial))
    }
}

enum Of {
    Object,
    Request,
}

fn take(trial: &mut Trial, of: Of, attempt: Attempt) {
    let tried = match of {
        Of::Object => &mut trial.objects,
        Of::Request => &mut trial.requests,
    };
    attempt.count(tried);
    trial.samples.extend(attempt.samples);
    if trial.samples.len() > 2 * MAX_SAMPLES {
        settle(trial);
    }
}

/// Refusals first, as many as are told.
fn settle(trial: &mut Trial) {
    trial.samples.sort_by_key(|sample| sample.outcome);
    trial.samples.truncate(MAX_SAMPLES);
}
