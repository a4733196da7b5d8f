//! Admission in a cluster: reviews from the API server against the policies the hub wants, decisions to the hub.
//!
//! ```text
//! hub ─Desired─► Policies ┐
//! API server ─review──────┴─judge─► answer, Record::Decision
//!            ─audit event─► whoever listens; Lifeline ─► Record::Gap
//! ```
//!
//! Invariant: a decision is handed on before the answer goes out; one that nobody takes in time is counted, and the
//! request is answered all the same.
mod adopt;
mod asking;
mod audit;
mod counters;
mod entry;
mod gaps;
mod judging;
mod life;
mod run;
mod tampered;

pub use asking::Authorizer;
pub use counters::{Counters, Totals};
pub use gaps::Reason;
pub use life::Lifeline;
pub use run::{Config, Files, Running, WebhookHealth, service_names};
pub use seawall_cluster::webhook::{AuditOutcome, AuditTrust, Server, Tls, TlsError};
pub use seawall_cluster::{CALM, FailurePolicy};
pub use seawall_rules::firing::Detections;

use crate::policy_sets::PolicySets;
use bytes::Bytes;
use counters::Text;
use judging::Judging;
use seawall_cluster::webhook::{Admitted, Handler, Served};
use seawall_model::Problem;
use seawall_model::admission::{Desired, PolicyAction};
use seawall_model::record::Record;
use seawall_model::time::{Clock, Millis};
use seawall_posture::Catalogue;
use seawall_posture::admission::{Answer, Outcome, Policies, Review};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long a decision may wait for room, a fraction of the shortest timeout.
const HAND_ON: Duration = Duration::from_millis(100);

/// Takes a batch of audit events.
pub type AuditSink =
    Box<dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = AuditOutcome> + Send>> + Send + Sync>;

/// Who answers, and where its decisions go.
pub struct Settings {
    /// Name of this agent in decisions.
    pub agent: String,
    /// The namespace it runs in; never judged.
    pub namespace: Option<String>,
    pub clock: Arc<dyn Clock>,
    pub records: mpsc::Sender<Record>,
    pub audit: AuditSink,
    /// Users' policies and what they look up.
    pub policy_sets: Arc<PolicySets>,
    /// Asked where a policy wants to know what a user may do; without one such a policy is not judged.
    pub authorizer: Option<Authorizer>,
}

/// Answers what the [`Server`] is asked. Policies and readiness change while it runs.
pub struct Webhook {
    judging: Arc<Judging>,
    records: mpsc::Sender<Record>,
    audit: AuditSink,
    ready: AtomicBool,
    pub counters: Counters,
}

impl Webhook {
    /// Not ready, and without policies.
    pub fn new(settings: Settings) -> Arc<Self> {
        let Settings { agent, namespace, clock, records, audit, policy_sets, authorizer } =
            settings;
        Arc::new(Self {
            judging: Judging::new(agent, namespace, clock, policy_sets, authorizer),
            records,
            audit,
            ready: AtomicBool::new(false),
            counters: Counters::default(),
        })
    }

    /// Judges by what the hub wants from now on, and by the users' policy sets as they count now. Policies that cannot
    /// count are returned as problems.
    pub fn set_desired(&self, desired: &Desired, catalogue: &Catalogue) -> Vec<Problem> {
        let policy_sets = &self.judging.policy_sets;
        policy_sets.want(&desired.sets);
        let (policies, mut problems) = Policies::compile(&desired.policies, catalogue);
        let (sets, told) = policy_sets.load();
        problems.extend(told);
        self.judging.set_policies(policies.with_sets(sets));
        problems
    }

    /// What is judged by.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.judging.policies()
    }

    /// Whether `/readyz` says so: before the end it says no, so that the Service sends reviews elsewhere.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Counters and gauges; `certificate_expires` is [`Tls::expires`].
    pub fn prometheus(&self, certificate_expires: Millis) -> String {
        let mut text = Text(self.counters.totals().prometheus());
        text.head("policies", "gauge", "Policies that count, by action.");
        let policies = self.policies();
        for action in
            [PolicyAction::Off, PolicyAction::Audit, PolicyAction::Warn, PolicyAction::Deny]
        {
            let labels = format!("{{action=\"{}\"}}", action.as_str());
            text.line("policies", &labels, &policies.count(action));
        }
        text.head("certificate_expiry_seconds", "gauge", "Seconds until the certificate ends.");
        let left = (certificate_expires - self.judging.clock.now()) / 1000;
        text.line("certificate_expiry_seconds", "", &left);
        text.head("ready", "gauge", "1 where reviews are answered as they should be.");
        text.line("ready", "", &u8::from(self.is_ready()));
        text.0
    }
}

/// Whether a request may be kept for trials: what holds secrets is not.
fn may_be_kept(review: &Review, answer: &Answer) -> bool {
    let secret =
        review.group.is_empty() && matches!(review.resource.as_str(), "secrets" | "configmaps");
    answer.counts.outcome != Outcome::Excluded && !secret
}

impl Handler for Webhook {
    async fn admit(&self, body: Bytes, deadline: Instant) -> Admitted {
        let (review, answer) = match self.judging.judge(body.clone(), deadline).await {
            Ok(Ok(judged)) => judged,
            Ok(Err(problem)) => {
                self.counters.malformed();
                return match problem.code.as_str() {
                    "limit" => Admitted::TooLarge,
                    _ => Admitted::Malformed(problem.message),
                };
            }
            Err(error) => {
                tracing::error!(%error, "review not judged");
                return Admitted::Failed("the review could not be judged".to_owned());
            }
        };
        self.counters.judged(&answer.counts);
        if may_be_kept(&review, &answer) {
            self.judging.policy_sets.recent.keep(body);
        }
        if let Some(decision) = answer.decision {
            let record = Record::Decision(Box::new(decision));
            let taken = tokio::time::timeout(HAND_ON, self.records.send(record)).await;
            if !matches!(taken, Ok(Ok(()))) {
                self.counters.decision_dropped();
            }
        }
        Admitted::Answer(answer.response)
    }

    async fn audit(&self, body: Bytes) -> AuditOutcome {
        (self.audit)(body).await
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn served(&self, served: Served) {
        self.counters.served(served);
    }
}
