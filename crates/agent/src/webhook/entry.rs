//! Our entries in the API server as the agent wants them, and the errors that keep them from saying `Fail`.
use super::run::{State, blocked};
use super::{Lifeline, Reason, Webhook, tampered};
use seawall_cluster::webhook::Route;
use seawall_cluster::{
    Asked, Connection, FailurePolicy, Guard, RegistrationEvent, Rule, Wanted, keep_registered,
};
use seawall_model::Millis;
use seawall_model::record::Record;
use seawall_model::time::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often errors are looked for: with the entry's own ten seconds, how long `Fail` outlives one at most.
const LOOK: Duration = Duration::from_secs(1);

/// Our entries in the API server.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) cluster: String,
    pub(super) records: mpsc::Sender<Record>,
    pub(super) state: watch::Sender<State>,
    /// What is to become of requests that nobody judges.
    pub(super) failure_policy: FailurePolicy,
    pub(super) guard: Guard,
    /// The CA to put there, empty while it is not known; none where the owner of the configuration does.
    pub(super) ca_pem: Option<watch::Receiver<String>>,
    pub(super) rules: watch::Receiver<Vec<Rule>>,
    pub(super) served: watch::Receiver<Asked>,
}

impl Entry {
    /// Keeps them from the start on: an earlier agent may have left `Fail` behind, and without a hub there may be no CA
    /// for long.
    pub(super) async fn keep(mut self, connection: Connection) {
        let (wanted, following) = watch::channel(self.wanted());
        let (events, mut heard) = mpsc::channel(8);
        let guard = self.guard.clone();
        let (name, served) = (self.name.clone(), self.served.clone());
        let keeping = keep_registered(connection, name, following, served, guard, events);
        tokio::pin!(keeping);
        loop {
            tokio::select! {
                () = &mut keeping => break,
                event = heard.recv() => match event {
                    Some(event) => self.hear(event).await,
                    None => break,
                },
                () = self.changed() => {
                    let now = self.wanted();
                    wanted.send_if_modified(|wanted| {
                        let changed = *wanted != now;
                        *wanted = now;
                        changed
                    });
                }
            }
        }
        while let Ok(event) = heard.try_recv() {
            self.hear(event).await;
        }
    }

    fn wanted(&mut self) -> Wanted {
        Wanted {
            ca_pem: self
                .ca_pem
                .as_mut()
                .map(|ca_pem| ca_pem.borrow_and_update().clone())
                .filter(|pem| !pem.is_empty()),
            rules: self.rules.borrow_and_update().clone(),
            failure_policy: self.failure_policy,
        }
    }

    fn knows_ca(&self) -> bool {
        self.ca_pem.as_ref().is_none_or(|ca_pem| !ca_pem.borrow().is_empty())
    }

    /// Something is wanted otherwise; never, once nobody can want anything.
    async fn changed(&mut self) {
        let ca_changed = async {
            match &mut self.ca_pem {
                Some(ca_pem) => ca_pem.changed().await.is_ok(),
                None => false,
            }
        };
        let changed = tokio::select! {
            true = ca_changed => true,
            Ok(()) = self.rules.changed() => true,
            else => false,
        };
        if !changed {
            std::future::pending::<()>().await;
        }
    }

    async fn hear(&self, event: RegistrationEvent) {
        let name = &self.name;
        if let Some(firing) = tampered::firing(&event, name, &self.cluster, self.guard.clock.now())
        {
            tracing::error!("{}", firing.output);
            // Nobody listens any more only at the end.
            let _gone = self.records.send(Record::Firing(Box::new(firing))).await;
        }
        match event {
            RegistrationEvent::Restored | RegistrationEvent::Altered => {}
            RegistrationEvent::FailurePolicy(standing) => {
                tracing::info!(name, %standing, "requests that nobody judges");
                self.state.send_modify(|state| state.standing = Some(standing));
            }
            RegistrationEvent::Unjudged(problems) => {
                for problem in &problems {
                    tracing::warn!(name, problem, "requests not judged");
                }
                self.state.send_modify(|state| state.unjudged = problems);
            }
            // It comes again with the CA.
            RegistrationEvent::Registered if !self.knows_ca() => {}
            RegistrationEvent::Registered => {
                tracing::info!(name, "webhook is registered");
                self.state.send_modify(|state| state.entry = Some(event));
            }
            RegistrationEvent::Failed(ref reason) => {
                tracing::warn!(name, reason, "webhook configuration not kept");
                self.state.send_modify(|state| state.entry = Some(event));
            }
            RegistrationEvent::Missing => self.state.send_modify(|state| {
                (state.entry, state.standing) = (Some(event), None);
            }),
        }
    }
}

/// Looks each second for what keeps `Fail` from standing: gaps that ended, reviews that got no answer or a failure, an
/// expired certificate. `errors` has the time of the last.
pub(super) async fn follow_errors(
    webhook: Arc<Webhook>,
    lifeline: Lifeline,
    state: watch::Receiver<State>,
    clock: Arc<dyn Clock>,
    errors: watch::Sender<Option<Millis>>,
) {
    let mut failed = failures(&webhook);
    loop {
        tokio::time::sleep(LOOK).await;
        let (now, before) = (clock.now(), failed);
        failed = failures(&webhook);
        let expired = blocked(&state.borrow(), now) == Some(Reason::Expired);
        let found = (expired || failed > before).then_some(now);
        let last = found.max(lifeline.last_failure());
        errors.send_if_modified(|error| {
            let is_newer = last > *error;
            *error = last.max(*error);
            is_newer
        });
    }
}

/// Reviews that were not answered by our fault. What a client gets wrong does not count: anybody in the cluster could
/// keep `Fail` away with it.
fn failures(webhook: &Webhook) -> u64 {
    let totals = webhook.counters.totals();
    let by_us =
        |((route, status), _): &(&(Route, u16), &u64)| *route == Route::Admit && *status >= 500;
    let answered: u64 = totals.requests.iter().filter(by_us).map(|(_, count)| *count).sum();
    answered + totals.timeouts
}
