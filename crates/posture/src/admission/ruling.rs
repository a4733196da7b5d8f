//! What one policy of a set says to one review, and what becomes of it.
use super::judge::Mode;
use super::sets::{Set, of_binding, of_constraint};
use super::words;
use crate::policies::{Vap, of_action};
use seawall_cel::Question;
use seawall_model::Severity;
use seawall_model::admission::PolicyAction;
use seawall_policy::gatekeeper::{Action, Constraint, Point};
use seawall_policy::vap::{Denial, FailurePolicy, Verdict};

/// Why a policy was not judged.
#[derive(Clone, Debug)]
pub(super) struct Unjudged {
    pub(super) why: String,
    /// Which binding, where it is one's alone.
    binding: Option<String>,
    /// Time had run out before.
    pub(super) unfinished: bool,
}

/// A refusal, and what is said instead where nobody is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) sentence: String,
    warning: String,
    pub(super) code: u16,
    pub(super) reason: String,
}

/// The word of one policy that is for the review.
#[derive(Debug)]
pub(super) struct Ruling<'s> {
    pub(super) set: &'s Set,
    /// `ValidatingAdmissionPolicy/NAME`, or kind and name of a constraint.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: Severity,
    /// ValidatingAdmissionPolicies speak first.
    pub(super) of_vap: bool,
    failure: FailurePolicy,
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<String>,
    /// What failed, in the policy's own words, each once.
    pub(super) causes: Vec<String>,
    /// The severest that it asks for; off where nothing failed.
    pub(super) own: PolicyAction,
    /// As the API server names them.
    pub(super) annotations: Vec<(String, String)>,
    pub(super) unjudged: Option<Unjudged>,
    /// An error that its failurePolicy passes over.
    pub(super) ignored: bool,
    pub(super) questions: Vec<Question>,
}

impl Unjudged {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), binding: None, unfinished: false }
    }

    pub(super) fn out_of_time() -> Self {
        Self { unfinished: true, ..Self::new("time ran out before it was judged") }
    }
}

impl<'s> Ruling<'s> {
    fn new(set: &'s Set, id: String, title: &str, failure: FailurePolicy) -> Self {
        Self {
            set,
            id,
            title: title.to_owned(),
            severity: Severity::Low,
            of_vap: false,
            failure,
            refusals: Vec::new(),
            warnings: Vec::new(),
            causes: Vec::new(),
            own: PolicyAction::Off,
            annotations: Vec::new(),
            unjudged: None,
            ignored: false,
            questions: Vec::new(),
        }
    }

    pub(super) fn of_vap(set: &'s Set, vap: &Vap) -> Self {
        let failure =
            vap.policies.facts().next().map_or(FailurePolicy::Fail, |facts| facts.failure);
        let new = Self::new(set, vap.id.clone(), &vap.name, failure);
        Self { of_vap: true, severity: vap.severity, ..new }
    }

    pub(super) fn of_constraint(set: &'s Set, constraint: &Constraint) -> Self {
        let template = set.policies.gatekeeper.template(constraint);
        // Gatekeeper's own webhook lets errors pass unless the policy's source in CEL says otherwise.
        let failure = template.and_then(|template| template.failure_policy());
        let id = format!("{}/{}", constraint.kind, constraint.name);
        let severest = constraint.actions(Point::Admission).first().copied();
        let new = Self::new(set, id, &constraint.name, failure.unwrap_or(FailurePolicy::Ignore));
        Self { severity: of_action(severest.as_ref()), ..new }
    }

    /// Takes over what the API server would say; `false`: the policy is not for the review after all.
    pub(super) fn take(&mut self, verdict: Verdict) -> bool {
        for denial in verdict.denials {
            self.fail(PolicyAction::Deny, &denial.cause);
            self.refuse(denial);
        }
        for failure in &verdict.failures {
            match failure.actions.iter().copied().map(of_binding).max() {
                Some(action) => self.fail(action, &failure.message),
                None => self.ignored = true,
            }
        }
        self.warnings = verdict.warnings;
        self.annotations = verdict.audit_annotations.into_iter().collect();
        self.unjudged = verdict.undecided.into_iter().next().map(|undecided| Unjudged {
            binding: undecided.binding,
            ..Unjudged::new(undecided.reason)
        });
        if let Some(question) = verdict.questions.first() {
            let why = format!("an authorization check for `{}` has no answer", question.verb);
            self.unjudged.get_or_insert(Unjudged::new(why));
        }
        self.questions = verdict.questions;
        !verdict.judged.is_empty() || self.unjudged.is_some() || self.own > PolicyAction::Off
    }

    /// A constraint is violated: `message` is the policy's.
    pub(super) fn violated(&mut self, message: &str, actions: &[Action]) {
        if self.causes.iter().any(|cause| cause == message) {
            return;
        }
        let sentence = self.sentence(message);
        for action in actions {
            self.fail(of_constraint(*action), message);
            match action {
                Action::Deny => self.refusals.push(forbidden(sentence.clone())),
                Action::Warn => self.warnings.push(sentence.clone()),
                Action::Audit => {}
            }
        }
    }

    fn sentence(&self, message: &str) -> String {
        words::one_line(&format!("[{}] {message}", self.title))
    }

    fn fail(&mut self, action: PolicyAction, cause: &str) {
        self.own = self.own.max(action);
        if self.causes.iter().all(|known| known != cause) {
            self.causes.push(cause.to_owned());
        }
    }

    fn refuse(&mut self, denial: Denial) {
        let by = match &denial.binding {
            Some(binding) => format!("'{}' with binding '{binding}'", denial.policy),
            None => format!("'{}'", denial.policy),
        };
        let warning =
            format!("Validation failed for ValidatingAdmissionPolicy {by}: {}", denial.cause);
        let Denial { message: sentence, code, reason, .. } = denial;
        self.refusals.push(Refusal { sentence, warning, code, reason });
    }

    /// What remains of it where it may do at most `may`, and the set at most its ceiling: unknown follows the policy's
    /// failurePolicy at admission, then refusals become warnings, and warnings silence.
    pub(super) fn settle(&mut self, may: PolicyAction, mode: Mode) {
        if mode == Mode::Admission {
            self.follow_failure_policy(may);
        }
        let action = self.action();
        if action < PolicyAction::Deny {
            self.warnings.extend(self.refusals.drain(..).map(|refusal| refusal.warning));
        }
        if action < PolicyAction::Warn && self.own > PolicyAction::Off {
            self.warnings.clear();
        }
    }

    /// What it does: the most that it asks for and its set lets it do.
    pub(super) fn action(&self) -> PolicyAction {
        self.own.min(self.set.ceiling)
    }

    fn follow_failure_policy(&mut self, may: PolicyAction) {
        let Some(unjudged) = self.unjudged.clone() else { return };
        if self.failure == FailurePolicy::Ignore {
            return;
        }
        let why = format!("not judged, which its failurePolicy refuses: {}", unjudged.why);
        if may == PolicyAction::Deny && self.of_vap {
            let denial = Denial::unjudged(&self.title, unjudged.binding.as_deref(), &why);
            self.refuse(denial);
        } else if may == PolicyAction::Deny {
            self.refusals.push(forbidden(self.sentence(&why)));
        } else if may == PolicyAction::Warn {
            self.warnings.push(words::one_line(&format!("[{}] {why}", self.id)));
        }
        self.fail(may, &why);
    }

    /// Whether unknown is allowed, of which whoever asks hears.
    pub(super) fn is_passed_over(&self) -> bool {
        self.unjudged.is_some() && self.failure == FailurePolicy::Ignore
    }
}

/// Gatekeeper's answer, whatever the constraint.
fn forbidden(sentence: String) -> Refusal {
    let warning = sentence.clone();
    Refusal { sentence, warning, code: 403, reason: "Forbidden".to_owned() }
}
