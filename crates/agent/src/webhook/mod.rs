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
mod audit;
mod counters;
mod entry;
mod gaps;
mod keep;
mod life;
mod run;
mod tampered;

pub use counters::{Counters, Totals};
pub use gaps::Reason;
pub use life::Lifeline;
pub use run::{Config, Files, Running, WebhookHealth, service_names};
pub use seawall_cluster::webhook::{AuditOutcome, AuditTrust, Server, Tls, TlsError};
pub use seawall_cluster::{CALM, FailurePolicy};
pub use seawall_rules::firing::Detections;

use bytes::Bytes;
use counters::Text;
use seawall_cluster::webhook::{Admitted, Handler, Served};
use seawall_model::Problem;
use seawall_model::admission::{Desired, PolicyAction};
use seawall_model::record::Record;
use seawall_model::time::{Clock, Millis};
use seawall_posture::Catalogue;
use seawall_posture::admission::{Mode, Nothing, Policies, Surroundings, Time, Worker};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// Reviews judged at a time, each on a thread of its own: more than the machine has cores, few enough that a burst
/// waits in line instead of taking every thread.
const JUDGES: usize = 32;
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
}

/// Answers what the [`Server`] is asked. Policies and readiness change while it runs.
pub struct Webhook {
    settings: Settings,
    policies: RwLock<Arc<Policies>>,
    ready: AtomicBool,
    judges: Arc<Semaphore>,
    pub counters: Counters,
}

impl Webhook {
    /// Not ready, and without policies.
    pub fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            policies: RwLock::default(),
            ready: AtomicBool::new(false),
            judges: Arc::new(Semaphore::new(JUDGES)),
            counters: Counters::default(),
        })
    }

    /// Judges by what the hub wants from now on. Policies that cannot count are returned as problems.
    pub fn set_desired(&self, desired: &Desired, catalogue: &Catalogue) -> Vec<Problem> {
        let (policies, problems) = Policies::compile(&desired.policies, catalogue);
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
        problems
    }

    fn policies(&self) -> Arc<Policies> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        let left = (certificate_expires - self.settings.clock.now()) / 1000;
        text.line("certificate_expiry_seconds", "", &left);
        text.head("ready", "gauge", "1 where reviews are answered as they should be.");
        text.line("ready", "", &u8::from(self.is_ready()));
        text.0
    }
}

impl Handler for Webhook {
    async fn admit(&self, body: Bytes, deadline: Instant) -> Admitted {
        let judge = self.judges.clone().acquire_owned().await;
        let judge = judge.expect("the semaphore is never closed");
        let policies = self.policies();
        let (agent, namespace) = (self.settings.agent.clone(), self.settings.namespace.clone());
        let now = self.settings.clock.now();
        let judged = tokio::task::spawn_blocking(move || {
            let _judge = judge;
            let begun = Instant::now();
            let clock = Rc::new(move || begun.elapsed());
            let time = Time::until(clock, deadline.saturating_duration_since(begun));
            let surroundings = Surroundings {
                now,
                agent: &agent,
                own_namespace: namespace.as_deref(),
                lookup: &Nothing,
                time: &time,
                mode: Mode::Admission,
            };
            policies.answer(&body, &surroundings, &mut Worker::default())
        });
        let answer = match judged.await {
            Ok(Ok(answer)) => answer,
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
        if let Some(decision) = answer.decision {
            let record = Record::Decision(Box::new(decision));
            let taken = tokio::time::timeout(HAND_ON, self.settings.records.send(record)).await;
            if !matches!(taken, Ok(Ok(()))) {
                self.counters.decision_dropped();
            }
        }
        Admitted::Answer(answer.response)
    }

    async fn audit(&self, body: Bytes) -> AuditOutcome {
        (self.settings.audit)(body).await
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn served(&self, served: Served) {
        self.counters.served(served);
    }
}
