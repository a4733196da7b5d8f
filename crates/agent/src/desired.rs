//! What the hub wants, followed where no webhook does: what runs is assessed by it and sets are tried; nobody is refused.
use crate::assignments::Assignments;
use crate::keep::Keep;
use crate::policy_sets::PolicySets;
use crate::run::Agent;
use seawall_model::admission::Desired;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

type Wishes = watch::Receiver<Option<Arc<Desired>>>;

impl Agent {
    /// Begins with what an earlier process in `state_dir` was told, so that nothing is told twice while the hub has not
    /// spoken.
    pub fn restore(&self, state_dir: &Path) {
        if let Some(kept) = Keep::load(state_dir).desired() {
            self.assignments.want(&kept.policies);
        }
    }

    /// Follows the hub, and keeps what it wants in `state_dir`. A webhook does this by itself.
    pub fn follow(&self, desired: Wishes, state_dir: &Path) -> JoinHandle<()> {
        let (assignments, policy_sets) = (self.assignments.clone(), self.policy_sets.clone());
        tokio::spawn(follow(desired, assignments, policy_sets, Keep::load(state_dir)))
    }
}

async fn follow(
    mut desired: Wishes,
    assignments: Arc<Assignments>,
    policy_sets: Arc<PolicySets>,
    mut keep: Keep,
) {
    let mut changes = policy_sets.changes();
    policy_sets.restore(keep.tried());
    let mut current = keep.desired().map(Arc::new);
    loop {
        current = desired.borrow_and_update().clone().or(current);
        if let Some(current) = &current {
            policy_sets.want(&current.sets);
            let unread = policy_sets.load().1;
            for problem in assignments.want(&current.policies).into_iter().chain(unread) {
                tracing::warn!(%problem, "policy does not count");
            }
            keep.set_desired(current, policy_sets.tried());
        }
        // What this changed has been seen.
        changes.mark_unchanged();
        tokio::select! {
            changed = desired.changed() => if changed.is_err() {
                // The uplink is gone; what it said last goes on.
                return;
            },
            _ = changes.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Id;
    use seawall_model::admission::{Narrowing, Policy, PolicyAction};

    #[tokio::test]
    async fn what_is_wanted_is_heard_of_without_a_webhook_and_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let catalogue = Arc::new(crate::content().unwrap());
        let policy = |control: &str| Policy {
            assignment: Id::new(1, [0; 10]),
            control: control.to_owned(),
            depth: 1,
            narrowing: Narrowing::default(),
            action: PolicyAction::Audit,
            params: serde_json::Map::new(),
        };
        let wanted = Desired { policies: vec![policy("SW-C-0200")], sets: Vec::new() };
        let begin = || {
            let (sender, desired) = watch::channel(None);
            let assignments = Assignments::new(catalogue.clone());
            let mut heard = assignments.follow();
            heard.mark_unchanged();
            let sets = PolicySets::new(36);
            let following = follow(desired, assignments.clone(), sets, Keep::load(dir.path()));
            (sender, heard, assignments, tokio::spawn(following))
        };
        let (sender, mut heard, assignments, following) = begin();
        sender.send_replace(Some(Arc::new(wanted.clone())));
        heard.changed().await.unwrap();
        // The same again is no change.
        assert!(assignments.want(&wanted.policies).is_empty());
        assert!(!heard.has_changed().unwrap());
        assert_eq!(assignments.want(&[policy("SW-C-9999")]).len(), 1);
        drop(sender);
        following.await.unwrap();

        let (sender, mut heard, ..) = begin();
        heard.changed().await.unwrap();
        assert_eq!(Keep::load(dir.path()).desired(), Some(wanted));
        drop(sender);
    }
}
