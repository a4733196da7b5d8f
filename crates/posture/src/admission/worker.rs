//! What one thread keeps between reviews.
use super::sets::Sets;
use seawall_model::admission::PolicyAction;
use seawall_policy::gatekeeper::Judge;
use std::sync::Arc;

/// Interpreters of one worker, each built when it is first needed: workers that share one wait for each other.
#[derive(Default)]
pub struct Worker {
    /// The sets they belong to.
    of: Option<Arc<()>>,
    /// By index of the set.
    judges: Vec<Judge>,
}

impl Worker {
    /// Builds the interpreters of sets that are in force, so that no review waits for it.
    pub fn prepare(&mut self, sets: &Sets) {
        for (at, set) in sets.sets.iter().enumerate() {
            if set.ceiling > PolicyAction::Off {
                self.judge(sets, at).prepare(&set.policies.gatekeeper);
            }
        }
    }

    /// The interpreters of one set; those of sets that were replaced since are dropped.
    pub(super) fn judge(&mut self, sets: &Sets, set: usize) -> &mut Judge {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &sets.identity)) {
            self.of = Some(Arc::clone(&sets.identity));
            self.judges.clear();
            self.judges.resize_with(sets.sets.len(), Judge::new);
        }
        &mut self.judges[set]
    }
}
