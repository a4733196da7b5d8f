//! Our entries in the API server: the CA by which it knows the webhook, the requests it asks about, and what becomes of
//! those that nobody judges; put there and kept there.
//!
//! ```text
//! Wanted ─┐            ┌─resolve (rules)─► what is served and not yet asked about ─┐
//! Guard ──┴─look─► GET ┴─decide (guard)──► Fail or Ignore, the last error ─────────┴─plan (entry)─► PATCH ─► events
//! ```
//!
//! Only the one name is read and patched; making a deleted entry anew takes a right that the agent does not have.
mod entry;
mod guard;
mod rules;

pub use entry::POLICIES;
pub use guard::{CALM, FailurePolicy, Guard, Hindrance, Replicas, Standing};
pub use rules::{Rule, Scope};

use crate::Connection;
use crate::discovery::Asked;
use crate::watch::{Kind, chain, resource};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entry::{Plan, Values};
use guard::{Decision, Known};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use rules::Resolved;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often the entry is looked at: a changed one is mended, a deleted one told, within this.
const EVERY: Duration = Duration::from_secs(10);
/// A request that hangs must not stop the looking.
const DEADLINE: Duration = Duration::from_secs(10);
/// Looks in a row where somebody else changes the entry between read and patch: as many agents as a cluster has.
const ATTEMPTS: usize = 4;
/// As the API server names whose the fields are.
const MANAGER: &str = "seawall";

#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    #[error("cannot read ValidatingWebhookConfiguration {name}")]
    Read { name: String, source: kube::Error },
    #[error("cannot patch ValidatingWebhookConfiguration {name}")]
    Patch { name: String, source: kube::Error },
    #[error("the API server does not answer about ValidatingWebhookConfiguration {name}")]
    Timeout { name: String },
}

/// What was found, and what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    Unchanged,
    /// Something of ours was absent or another.
    Patched,
    /// There is no such configuration.
    Missing,
}

/// What the entries have to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None where the owner of the configuration writes it, and while it is not known.
    pub ca_pem: Option<String>,
    /// Requests to be judged besides those of the chart's entry; wildcards and kinds are resolved here.
    pub rules: Vec<Rule>,
    /// `Fail` stands only while the guard allows it.
    pub failure_policy: FailurePolicy,
}

/// What whoever keeps a registration wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationEvent {
    /// The entry holds what is ours, for the first time, again after trouble, or with the first CA.
    Registered,
    /// What is ours had been changed by somebody, and is back.
    Restored,
    /// The entry is gone: nothing is judged any more.
    Missing,
    /// Rules, selectors or bounds of the chart's entry are not what they were when first seen.
    Altered,
    /// It cannot be read or patched, with the reason.
    Failed(String),
    /// What becomes of requests that nobody judges has changed, or the reason for it.
    FailurePolicy(Standing),
    /// Which wishes for requests cannot be met; empty after some could not.
    Unjudged(Vec<String>),
}

/// Puts `ca_pem` into every webhook of the configuration `name` if it is not there; `failurePolicy` is `Ignore`.
pub async fn register(
    connection: &Connection,
    name: &str,
    ca_pem: &str,
) -> Result<Registered, RegistrationError> {
    let ca = STANDARD.encode(ca_pem);
    let judge = |_: &Value| Judged { decision: Decision::default(), resolved: None };
    Ok(look(connection, name, Some(&ca), &judge).await?.registered)
}

/// Looks at the entry every ten seconds, and at once when what is wanted or known changes; ends when nobody listens, the
/// sender of what is wanted is gone, or this agent leaves and has let go of `Fail`.
pub async fn keep_registered(
    connection: Connection,
    name: String,
    mut wanted: watch::Receiver<Wanted>,
    mut served: watch::Receiver<Asked>,
    mut guard: Guard,
    events: mpsc::Sender<RegistrationEvent>,
) {
    let mut keeper = Keeper::default();
    loop {
        let now_wanted = wanted.borrow_and_update().clone();
        let asked = served.borrow_and_update().clone();
        let unserved = asked.error.clone().filter(|_| !now_wanted.rules.is_empty());
        let ca = now_wanted.ca_pem.as_ref().map(|pem| STANDARD.encode(pem));
        let (replicas, own) =
            (*guard.replicas.borrow_and_update(), *guard.last_error.borrow_and_update());
        let leaving = *guard.leaving.borrow_and_update();
        let judge = |found: &Value| {
            let (calm, now) = (guard.calm, guard.clock.now());
            let written = entry::last_error(found);
            let known = Known { written, own, replicas, leaving, calm, now };
            let decision = guard::decide(now_wanted.failure_policy, &known);
            Judged { decision, resolved: resolve(&asked, &now_wanted.rules, found) }
        };
        let looked = look(&connection, &name, ca.as_deref(), &judge).await;
        let left = leaving && looked.is_ok();
        for event in keeper.hear(&now_wanted, unserved, looked) {
            if events.send(event).await.is_err() {
                return;
            }
        }
        if left {
            // Whoever stays may put `Fail` back, and is not to be contradicted.
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            changed = wanted.changed() => if changed.is_err() { return },
            () = changed(&mut served) => {}
            () = changed(&mut guard.replicas) => {}
            () = changed(&mut guard.last_error) => {}
            () = changed(&mut guard.leaving) => {}
        }
    }
}

/// Never, where the sender is gone.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// None leaves the second entry as it is.
fn resolve(asked: &Asked, wanted: &[Rule], found: &Value) -> Option<Resolved> {
    if wanted.is_empty() {
        return Some(Resolved::default());
    }
    let first = entry::first(found).unwrap_or(&Value::Null);
    asked.served.as_ref().map(|served| rules::resolve(wanted, &served.resources, first))
}

/// What is to be said, given what the configuration says.
struct Judged {
    decision: Decision,
    resolved: Option<Resolved>,
}

/// One look.
struct Looked {
    registered: Registered,
    rest: Value,
    foreign: bool,
    standing: Option<Standing>,
    problems: Vec<String>,
}

/// Remembers what has been told, so that each change is told once.
#[derive(Default)]
struct Keeper {
    told: Option<RegistrationEvent>,
    /// What was in place last.
    placed: Option<Wanted>,
    /// The chart's entry without what is ours, as first seen.
    first: Option<Value>,
    altered: Option<Value>,
    standing: Option<Standing>,
    problems: Vec<String>,
}

impl Keeper {
    /// `unknown`: why the server does not say what it serves.
    fn hear(
        &mut self,
        wanted: &Wanted,
        unknown: Option<String>,
        looked: Result<Looked, RegistrationError>,
    ) -> Vec<RegistrationEvent> {
        let mut events = Vec::new();
        let state = match looked {
            Err(error) => RegistrationEvent::Failed(chain(&error)),
            Ok(Looked { registered: Registered::Missing, .. }) => {
                (self.placed, self.standing) = (None, None);
                RegistrationEvent::Missing
            }
            Ok(looked) => {
                // Another agent that was told sooner or later writes other values, and says so in its annotation.
                let ours = self.placed.as_ref() == Some(wanted);
                if looked.registered == Registered::Patched && ours && looked.foreign {
                    events.push(RegistrationEvent::Restored);
                }
                let knew_ca = self.placed.as_ref().is_some_and(|placed| placed.ca_pem.is_some());
                if wanted.ca_pem.is_some() && !knew_ca {
                    self.told = None;
                }
                self.placed = Some(wanted.clone());
                let rest = looked.rest;
                let first = self.first.get_or_insert_with(|| rest.clone());
                let altered = (*first != rest).then_some(rest);
                if altered.is_some() && altered != self.altered {
                    events.push(RegistrationEvent::Altered);
                }
                self.altered = altered;
                if looked.standing != self.standing {
                    self.standing = looked.standing;
                    events.extend(looked.standing.map(RegistrationEvent::FailurePolicy));
                }
                let problems = looked.problems.into_iter().chain(unknown).collect();
                if problems != self.problems {
                    self.problems = problems;
                    events.push(RegistrationEvent::Unjudged(self.problems.clone()));
                }
                RegistrationEvent::Registered
            }
        };
        if self.told.as_ref() != Some(&state) {
            events.insert(0, state.clone());
            self.told = Some(state);
        }
        events
    }
}

/// Finds, patches where needed.
async fn look(
    connection: &Connection,
    name: &str,
    ca: Option<&str>,
    judge: &impl Fn(&Value) -> Judged,
) -> Result<Looked, RegistrationError> {
    let kind = Kind::new(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    );
    let resource: ApiResource = resource(&kind);
    let api: Api<DynamicObject> = Api::all_with(connection.client.clone(), &resource);
    let looking = async {
        let mut attempt = 1;
        loop {
            match once(&api, name, ca, judge).await {
                Err(RegistrationError::Patch { source: kube::Error::Api(status), .. })
                    if matches!(status.code, 409 | 422) && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                looked => return looked,
            }
        }
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(looked) => looked,
        Err(_) => Err(RegistrationError::Timeout { name: name.to_owned() }),
    }
}

async fn once(
    api: &Api<DynamicObject>,
    name: &str,
    ca: Option<&str>,
    judge: &impl Fn(&Value) -> Judged,
) -> Result<Looked, RegistrationError> {
    let named = || name.to_owned();
    let found = api.get_opt(name).await;
    let found = found.map_err(|source| RegistrationError::Read { name: named(), source })?;
    let found = found.and_then(|found| serde_json::to_value(found).ok());
    let Some(found) = found else {
        let (registered, rest) = (Registered::Missing, Value::Null);
        return Ok(Looked {
            registered,
            rest,
            foreign: false,
            standing: None,
            problems: Vec::new(),
        });
    };
    let Judged { decision, resolved } = judge(&found);
    let Plan { operations, rest, foreign } = entry::plan(
        &found,
        &Values {
            ca,
            failure_policy: decision.standing.policy.as_str(),
            rules: resolved.as_ref().map(|resolved| resolved.rules.as_slice()),
            last_error: decision.last_error.as_deref(),
        },
    );
    let registered =
        if operations.is_empty() { Registered::Unchanged } else { Registered::Patched };
    if registered == Registered::Patched {
        let patch: Patch<Value> = Patch::Json(
            serde_json::from_value(Value::Array(operations))
                .expect("each operation has its op, path and value"),
        );
        let params =
            PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patched = api.patch(name, &params, &patch).await;
        patched.map_err(|source| RegistrationError::Patch { name: named(), source })?;
    }
    let problems = resolved.map(|resolved| resolved.problems).unwrap_or_default();
    Ok(Looked { registered, rest, foreign, standing: Some(decision.standing), problems })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_change_is_told_once() {
        use RegistrationEvent::{Altered, Failed, Missing, Registered as There, Restored};
        let mut keeper = Keeper::default();
        let wanted = |ca: &str| Wanted { ca_pem: Some(ca.to_owned()), ..Wanted::default() };
        let mut check = |ca: &str,
                         registered: Registered,
                         foreign: bool,
                         rest: i32,
                         expected: &[RegistrationEvent]| {
            let (standing, problems) = (None, Vec::new());
            let looked = Looked { registered, rest: json!(rest), foreign, standing, problems };
            assert_eq!(keeper.hear(&wanted(ca), None, Ok(looked)), expected);
        };
        check("a", Registered::Patched, true, 1, &[There]);
        check("a", Registered::Unchanged, false, 1, &[]);
        check("b", Registered::Patched, false, 1, &[]);
        check("b", Registered::Patched, true, 1, &[Restored]);
        // Another agent that still has the old one.
        check("b", Registered::Patched, false, 1, &[]);
        check("b", Registered::Unchanged, false, 2, &[Altered]);
        check("b", Registered::Unchanged, false, 2, &[]);
        check("b", Registered::Unchanged, false, 1, &[]);
        check("b", Registered::Missing, false, 0, &[Missing]);
        check("b", Registered::Missing, false, 0, &[]);
        check("b", Registered::Patched, true, 1, &[There]);
        keeper.placed = Some(Wanted::default());
        let looked = Looked {
            registered: Registered::Patched,
            rest: json!(1),
            foreign: false,
            standing: None,
            problems: Vec::new(),
        };
        assert_eq!(keeper.hear(&wanted("b"), None, Ok(looked)), [There], "the first CA");
        let timeout = Err(RegistrationError::Timeout { name: "seawall".to_owned() });
        let failed = keeper.hear(&wanted("b"), None, timeout);
        assert!(matches!(failed.as_slice(), [Failed(_)]));
    }

    #[test]
    fn standing_and_problems_are_told_when_they_change() {
        let mut keeper = Keeper::default();
        let mut check =
            |policy: FailurePolicy, unknown: Option<&str>, expected: &[RegistrationEvent]| {
                let looked = Looked {
                    registered: Registered::Unchanged,
                    rest: Value::Null,
                    foreign: false,
                    standing: Some(Standing { policy, why: None }),
                    problems: Vec::new(),
                };
                let told = keeper.hear(&Wanted::default(), unknown.map(str::to_owned), Ok(looked));
                let state = |event: &&RegistrationEvent| **event != RegistrationEvent::Registered;
                assert_eq!(told.iter().filter(state).cloned().collect::<Vec<_>>(), expected);
            };
        let stands = |policy| RegistrationEvent::FailurePolicy(Standing { policy, why: None });
        let unjudged = |problems: &[&str]| {
            RegistrationEvent::Unjudged(problems.iter().map(ToString::to_string).collect())
        };
        check(FailurePolicy::Ignore, None, &[stands(FailurePolicy::Ignore)]);
        check(FailurePolicy::Ignore, None, &[]);
        check(FailurePolicy::Fail, Some("x"), &[stands(FailurePolicy::Fail), unjudged(&["x"])]);
        check(FailurePolicy::Fail, Some("x"), &[]);
        check(FailurePolicy::Fail, None, &[unjudged(&[])]);
    }
}
