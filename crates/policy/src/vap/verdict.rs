//! What is answered.
use super::spec::Action;
use seawall_cel::Question;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The answer of all policies to one request.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// In the policies' order; as in the API server the first one answers.
    pub denials: Vec<Denial>,
    pub warnings: Vec<String>,
    pub audit_annotations: BTreeMap<String, String>,
    /// Checks to make before asking again with their answers; until then nothing here is final.
    pub questions: Vec<Question>,
    /// Policies that could not be judged: neither passed nor failed.
    pub undecided: Vec<Undecided>,
    /// Policies that were run: they match, and so do their conditions. A scan tells by it what passes from what is not
    /// concerned.
    pub judged: BTreeSet<String>,
    /// What failed, whatever is then done about it.
    pub failures: Vec<PolicyFailure>,
}

/// A validation that does not hold, or could not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFailure {
    pub policy: String,
    /// Without the API server's words around it.
    pub message: String,
    /// It could not be told; failurePolicy decides what an admission makes of it.
    pub error: bool,
    /// What the binding does about it; nothing where failurePolicy passes an error over.
    pub actions: Vec<Action>,
}

impl Verdict {
    /// Whether every policy was judged.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.questions.is_empty() && self.undecided.is_empty()
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub policy: String,
    /// `None`: the policy itself is at fault.
    pub binding: Option<String>,
    /// The API server's whole sentence.
    pub message: String,
    /// What failed, without the sentence around it.
    pub cause: String,
    /// A metav1.StatusReason.
    pub reason: String,
    /// The HTTP status of that reason.
    pub code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    pub policy: String,
    pub binding: Option<String>,
    pub reason: String,
}

/// The reason where a validation names none.
pub(super) const INVALID: &str = "Invalid";

impl Denial {
    /// Of a policy that could not be judged, where its failurePolicy takes that for a refusal.
    #[must_use]
    pub fn unjudged(policy: &str, binding: Option<&str>, why: &str) -> Denial {
        Denial::new(policy, binding, why, INVALID)
    }

    pub(super) fn new(policy: &str, binding: Option<&str>, message: &str, reason: &str) -> Denial {
        let by = match binding {
            Some(binding) => format!("'{policy}' with binding '{binding}'"),
            None => format!("'{policy}'"),
        };
        Denial {
            policy: policy.to_owned(),
            binding: binding.map(str::to_owned),
            message: format!("ValidatingAdmissionPolicy {by} denied request: {message}"),
            cause: message.to_owned(),
            reason: reason.to_owned(),
            code: code(reason),
        }
    }
}

fn code(reason: &str) -> u16 {
    match reason {
        "Forbidden" => 403,
        "Unauthorized" => 401,
        "RequestEntityTooLarge" => 413,
        _ => 422,
    }
}

/// The audit annotation of failed validations; a list, as the API server means to tell several one day.
pub(super) const FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'v> {
    message: &'v str,
    policy: &'v str,
    binding: &'v str,
    expression_index: usize,
    validation_actions: &'v [Action],
}

/// The value of [`FAILURE`].
pub(super) fn failure(
    (policy, binding): (&str, &str),
    message: &str,
    expression_index: usize,
    validation_actions: &[Action],
) -> String {
    let failure = Failure { message, policy, binding, expression_index, validation_actions };
    serde_json::to_string(&[failure]).unwrap_or_default()
}
