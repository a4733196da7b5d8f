//! What is answered and recorded, from what controls and users' policies said.
use super::judge::{Failed, Judged, Mode, Surroundings};
use super::response::{Denied, Response};
use super::review::Review;
use super::ruling::{Refusal, Ruling};
use super::words;
use crate::workload;
use seawall_cel::Question;
use seawall_model::admission::{DecidedControl, Decision, PolicyAction, Verdict};
use seawall_model::finding::Resource;
use serde_json::Value;
use std::collections::BTreeMap;

/// Of one control in a decision, so that a pod of a thousand containers is still one small record.
const MAX_PATHS: usize = 64;
/// Bytes of one control's patch in a decision.
const MAX_FIX: usize = 16 << 10;
/// Bytes of a name in a decision; those of Kubernetes have at most 253, of users and groups at will.
const MAX_NAME: usize = 512;
/// Groups of the user in a decision; directories put people into hundreds.
const MAX_GROUPS: usize = 64;
/// Bytes of what one user's policy says in a decision; messages have up to 5 KiB.
const MAX_MESSAGE: usize = 1 << 10;
/// Users' policies in a decision, so that it is a small record whatever the sets hold.
const MAX_POLICIES: usize = 64;

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

/// For the counters of whoever answers. Users' policies stand beside controls as `ValidatingAdmissionPolicy/NAME`, and
/// as kind and name of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub outcome: Outcome,
    pub dry_run: bool,
    /// Controls and policies without an answer.
    pub undecided: Vec<String>,
    /// Those that time did not suffice for.
    pub unfinished: Vec<String>,
    /// Users' policies that ended in an error, which their failurePolicy passes over as the API server does: silently.
    pub ignored: Vec<String>,
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
    /// Authorization checks about the user of the request. While there are any, nothing here is final: whoever asks
    /// makes them and judges the review once more with their answers.
    pub questions: Vec<Question>,
    /// Controls and policies that were not judged, and why.
    pub unjudged: Vec<(String, String)>,
    /// Audit annotations of users' policies under the API server's own keys, which a webhook's response cannot carry.
    pub annotations: BTreeMap<String, String>,
}

impl Answer {
    pub(super) fn passed(review: &Review, outcome: Outcome) -> Self {
        let (undecided, unfinished, ignored) = Default::default();
        let dry_run = review.dry_run;
        Answer {
            response: Response::default().bytes(&review.uid),
            decision: None,
            counts: Counts { outcome, dry_run, undecided, unfinished, ignored, already_failing: 0 },
            questions: Vec::new(),
            unjudged: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }
}

impl Ruling<'_> {
    fn verdict(&self) -> Option<Verdict> {
        match self.action() {
            PolicyAction::Off => None,
            PolicyAction::Audit => Some(Verdict::Audited),
            PolicyAction::Warn => Some(Verdict::Warned),
            PolicyAction::Deny => Some(Verdict::Denied),
        }
    }
}

impl Judged<'_> {
    pub(super) fn answer(mut self, review: &Review, surroundings: &Surroundings<'_>) -> Answer {
        if !self.concerned && self.rulings.is_empty() {
            return Answer::passed(review, Outcome::NotJudged);
        }
        // ValidatingAdmissionPolicies first, whatever was judged first.
        self.rulings.sort_by_key(|(_, ruling)| !ruling.of_vap);
        let of_controls = self.failed.iter().filter_map(Failed::verdict);
        let of_users = self.rulings.iter().filter_map(|(_, ruling)| ruling.verdict());
        let verdict = of_controls.chain(of_users).max();
        let outcome = match verdict {
            None => Outcome::Passed,
            Some(Verdict::Audited) => Outcome::Audited,
            Some(Verdict::Warned) => Outcome::Warned,
            Some(Verdict::Denied) => Outcome::Denied,
        };
        self.pass_over(surroundings.mode);
        let (annotations, counts) = (self.annotations(), self.counts(outcome, review.dry_run));
        let response = Response {
            denial: (verdict == Some(Verdict::Denied)).then(|| self.denied()),
            warnings: words::warnings(self.warnings()),
            annotations: words::annotations(&self, &counts, &annotations),
        };
        let recorded = verdict.filter(|_| !review.dry_run);
        Answer {
            response: response.bytes(&review.uid),
            unjudged: self.unjudged(),
            questions: self.questions(),
            decision: recorded.map(|verdict| self.decision(review, surroundings, verdict)),
            counts,
            annotations,
        }
    }

    fn counts(&self, outcome: Outcome, dry_run: bool) -> Counts {
        let mut counts = Counts {
            outcome,
            dry_run,
            undecided: self.undecided.iter().map(|(id, _)| id.clone()).collect(),
            unfinished: self.unfinished.clone(),
            ignored: Vec::new(),
            already_failing: self.failed.iter().filter(|failed| failed.already_failing).count(),
        };
        for (_, ruling) in &self.rulings {
            let list = match &ruling.unjudged {
                Some(unjudged) if unjudged.unfinished => &mut counts.unfinished,
                Some(_) => &mut counts.undecided,
                None if ruling.ignored => &mut counts.ignored,
                None => continue,
            };
            list.push(ruling.id.clone());
        }
        counts
    }

    /// Each once.
    fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        for question in self.rulings.iter().flat_map(|(_, ruling)| &ruling.questions) {
            if !questions.contains(question) {
                questions.push(question.clone());
            }
        }
        questions
    }

    /// Warns of policies without an answer that allow what they could not judge.
    fn pass_over(&mut self, mode: Mode) {
        if mode == Mode::Rehearsal {
            return;
        }
        for (may, ruling) in &self.rulings {
            match &ruling.unjudged {
                Some(unjudged) if *may > PolicyAction::Audit && ruling.is_passed_over() => {
                    match unjudged.unfinished {
                        true => self.missed.push(ruling.id.clone()),
                        false => self.warnings.push(words::undecided(&ruling.id, &unjudged.why)),
                    }
                }
                _ => {}
            }
        }
    }

    fn unjudged(&self) -> Vec<(String, String)> {
        let late = |id: &String| (id.clone(), "time ran out before it was judged".to_owned());
        let of_users = self.rulings.iter().filter_map(|(_, ruling)| {
            Some((ruling.id.clone(), ruling.unjudged.as_ref()?.why.clone()))
        });
        let of_controls = self.undecided.iter().cloned().chain(self.unfinished.iter().map(late));
        of_users.chain(of_controls).collect()
    }

    /// As the API server its policies, the first of several keeps a key.
    fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = BTreeMap::new();
        for (key, value) in self.rulings.iter().flat_map(|(_, ruling)| &ruling.annotations) {
            annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
        annotations
    }

    fn warnings(&self) -> Vec<String> {
        let speaks =
            |failed: &&Failed<'_>| !failed.denies() && failed.bound.action > PolicyAction::Audit;
        let mut warnings: Vec<String> =
            self.rulings.iter().flat_map(|(_, ruling)| ruling.warnings.clone()).collect();
        warnings.extend(self.failed.iter().filter(speaks).map(words::warning));
        warnings.extend(self.warnings.iter().cloned());
        if !self.missed.is_empty() {
            warnings.push(words::unfinished(&self.missed));
        }
        warnings
    }

    /// The first refusal gives code and reason. ValidatingAdmissionPolicies by themselves answer as in the API server,
    /// which tells the first refusal only.
    fn denied(&self) -> Denied {
        let refusals = |of_vap: bool| {
            let of = self.rulings.iter().filter(move |(_, ruling)| ruling.of_vap == of_vap);
            of.flat_map(|(_, ruling)| &ruling.refusals)
        };
        let controls = self.failed.iter().any(Failed::denies);
        let alone = !controls && refusals(false).next().is_none();
        let lines: Vec<&Refusal> = match alone {
            true => refusals(true).take(1).collect(),
            false => refusals(true).chain(refusals(false)).collect(),
        };
        let (code, reason) = match lines.first() {
            Some(first) => (first.code, first.reason.clone()),
            // It makes `kubectl` say "Forbidden", and controllers try again later instead of giving up.
            None => (403, "Forbidden".to_owned()),
        };
        let lines: Vec<&str> = lines.iter().map(|refusal| refusal.sentence.as_str()).collect();
        Denied { message: words::denial(&lines, &self.failed), code, reason }
    }

    fn decision(
        self,
        review: &Review,
        surroundings: &Surroundings<'_>,
        verdict: Verdict,
    ) -> Decision {
        let name = |text: &str| words::cut(text, MAX_NAME);
        // Of what is deleted only the old object is there.
        let object = if review.object.is_null() { &review.old_object } else { &review.object };
        let mut found = workload::resource(object);
        if found.name.is_empty() {
            // What is connected to, and what `generateName` is yet to name, has its name in the request alone.
            found.name =
                review.request.get("name").and_then(Value::as_str).unwrap_or_default().into();
        }
        let resource = Resource {
            namespace: (!review.namespace.is_empty()).then(|| name(&review.namespace)),
            name: name(&found.name),
            uid: found.uid.as_deref().map(name),
            ..found
        };
        let mut controls = of_users(self.rulings.iter().map(|(_, ruling)| ruling));
        controls.extend(self.failed.into_iter().map(of_control));
        Decision {
            time: surroundings.now,
            verdict,
            operation: review.operation.as_str().to_owned(),
            resource,
            owner: owner(object).as_deref().map(name),
            user: name(&review.user),
            groups: review.groups.iter().take(MAX_GROUPS).map(|group| name(group)).collect(),
            controls,
            agent: surroundings.agent.to_owned(),
        }
    }
}

fn of_control(mut failed: Failed<'_>) -> DecidedControl {
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
}

/// The severest first where there are more than a decision holds; the last says how many are missing.
fn of_users<'r>(rulings: impl Iterator<Item = &'r Ruling<'r>>) -> Vec<DecidedControl> {
    let mut failed: Vec<&Ruling<'_>> =
        rulings.filter(|ruling| ruling.action() > PolicyAction::Off).collect();
    let left_out = failed.len().saturating_sub(MAX_POLICIES);
    if left_out > 0 {
        failed.sort_by_key(|ruling| std::cmp::Reverse(ruling.action()));
        failed.truncate(MAX_POLICIES);
    }
    let decided = |ruling: &Ruling<'_>| DecidedControl {
        control: ruling.id.clone(),
        title: ruling.title.clone(),
        severity: ruling.severity,
        action: ruling.action(),
        assignment: ruling.set.id,
        message: words::cut(&ruling.causes.join("; "), MAX_MESSAGE),
        paths: Vec::new(),
        fix: Vec::new(),
        already_failing: false,
    };
    let mut decided: Vec<DecidedControl> = failed.into_iter().map(decided).collect();
    if let Some(last) = decided.last_mut().filter(|_| left_out > 0) {
        last.message = format!("{}; and {left_out} more policies", last.message);
    }
    decided
}

/// The controller in the object's own words; who holds the cluster's objects may know one further up.
fn owner(object: &Value) -> Option<String> {
    let references = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let controls = |reference: &&Value| reference.get("controller") == Some(&Value::Bool(true));
    let controller = references.iter().find(controls)?;
    let text = |key: &str| controller.get(key).and_then(Value::as_str);
    Some(format!("{}/{}", text("kind")?, text("name")?))
}
