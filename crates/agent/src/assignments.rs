//! What people assigned to this cluster, as the hub told last: the loop assesses by it, whoever hears of it.
use seawall_model::Problem;
use seawall_model::admission::Policy;
use seawall_posture::{Assigned, Catalogue};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Fed by whoever follows the hub, with a webhook or without one; read by the agent's loop.
#[derive(Debug)]
pub struct Assignments {
    catalogue: Arc<Catalogue>,
    wanted: Mutex<Vec<Policy>>,
    assigned: watch::Sender<Arc<Assigned>>,
}

impl Assignments {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Arc<Self> {
        let (wanted, assigned) = (Mutex::default(), watch::Sender::default());
        Arc::new(Self { catalogue, wanted, assigned })
    }

    /// What the hub wants from now on, whatever the API server judges by itself of it. Policies that cannot count are
    /// returned as problems, once.
    pub(crate) fn want(&self, policies: &[Policy]) -> Vec<Problem> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if *wanted == policies {
            return Vec::new();
        }
        *wanted = policies.to_vec();
        let (assigned, problems) = Assigned::compile(policies, &self.catalogue);
        self.assigned.send_replace(Arc::new(assigned));
        problems
    }

    /// What counts, and every change of it.
    pub(crate) fn follow(&self) -> watch::Receiver<Arc<Assigned>> {
        let mut assigned = self.assigned.subscribe();
        // What was wanted before anybody looked is a change too.
        assigned.mark_changed();
        assigned
    }
}
