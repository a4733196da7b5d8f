//! What the hub wants, taken on: policies to judge by, and the requests that they are about.
use super::Webhook;
use super::run::State;
use crate::assignments::Assignments;
use crate::keep::Keep;
use crate::policy_sets::PolicySets;
use seawall_cluster::{Rule, Scope};
use seawall_model::admission::{Desired, PolicyAction};
use seawall_posture::admission::{self, Resources, RuleScope, Sets};
use seawall_posture::{Catalogue, Matches};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Where policies go.
pub(super) struct Adopting {
    pub(super) webhook: Arc<Webhook>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) policy_sets: Arc<PolicySets>,
    /// What runs is assessed by the same policies.
    pub(super) assignments: Arc<Assignments>,
    /// Controls that the API server judges by itself: nobody hears of them twice.
    pub(super) native: watch::Receiver<BTreeSet<String>>,
    /// The requests that they are about.
    pub(super) rules: watch::Sender<Vec<Rule>>,
    pub(super) state: watch::Sender<State>,
}

impl Adopting {
    fn adopt(&self, desired: &Desired) {
        let native = self.native.borrow().clone();
        let mut judged = desired.clone();
        judged.policies.retain(|policy| !native.contains(&policy.control));
        // What cannot count is told once, below.
        let _told = self.assignments.want(&desired.policies);
        for problem in self.webhook.set_desired(&judged, &self.catalogue) {
            tracing::warn!(%problem, "policy does not count");
        }
        let now = in_use(&judged, &self.catalogue, self.webhook.policies().sets());
        self.rules.send_if_modified(|rules| {
            let changed = *rules != now;
            *rules = now;
            changed
        });
        self.state.send_modify(|state| state.has_policies = true);
    }
}

/// Policies of the hub, or those kept from before the restart until it speaks; again whenever a set has been tried, or
/// the API server judges by other controls itself.
pub(super) async fn follow(
    mut desired: watch::Receiver<Option<Arc<Desired>>>,
    mut adopting: Adopting,
    keep: Arc<Mutex<Keep>>,
) {
    let kept = || keep.lock().unwrap_or_else(PoisonError::into_inner);
    let mut changes = adopting.policy_sets.changes();
    adopting.policy_sets.restore(kept().tried());
    let mut current = kept().desired().map(Arc::new);
    loop {
        current = desired.borrow_and_update().clone().or(current);
        adopting.native.mark_unchanged();
        if let Some(current) = &current {
            adopting.adopt(current);
            kept().set_desired(current, adopting.policy_sets.tried());
        }
        // What adopting changed has been adopted.
        changes.mark_unchanged();
        tokio::select! {
            changed = desired.changed() => if changed.is_err() {
                // The uplink is gone; what it said last goes on.
                return;
            },
            _ = changes.changed() => {}
            Ok(()) = adopting.native.changed() => {}
        }
    }
}

/// The requests that assigned controls are about, besides those of workloads, which the chart's entry brings, and those
/// that users' policies are about.
fn in_use(desired: &Desired, catalogue: &Catalogue, sets: &Sets) -> Vec<Rule> {
    let assigned = desired.policies.iter().filter(|policy| policy.action != PolicyAction::Off);
    let controls: BTreeSet<&str> = assigned.map(|policy| policy.control.as_str()).collect();
    let mut rules = BTreeSet::new();
    for control in controls.into_iter().filter_map(|id| catalogue.control(id)) {
        let Matches::Resources(constraints) = &control.matches else { continue };
        rules.extend(constraints.resource_rules.iter().map(|rule| Rule {
            groups: rule.api_groups.clone(),
            versions: rule.api_versions.clone(),
            resources: rule.resources.clone(),
            operations: rule.operations.clone(),
            ..Rule::default()
        }));
    }
    rules.extend(sets.rules().into_iter().map(of_set));
    rules.into_iter().collect()
}

fn of_set(rule: admission::Rule) -> Rule {
    let (resources, kinds) = match rule.resources {
        Resources::Plural(resources) => (resources, Vec::new()),
        Resources::Kinds(kinds) => (Vec::new(), kinds),
    };
    let scope = match rule.scope {
        RuleScope::All => Scope::All,
        RuleScope::Namespaced => Scope::Namespaced,
        RuleScope::Cluster => Scope::Cluster,
    };
    let admission::Rule { groups, versions, operations, .. } = rule;
    Rule { groups, versions, resources, kinds, operations, scope }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Id;
    use seawall_model::admission::{Narrowing, Policy};

    #[test]
    fn rules_are_those_of_assigned_controls() {
        let catalogue = crate::content().unwrap();
        let policy = |control: &str, action| Policy {
            assignment: Id::new(0, [1; 10]),
            control: control.to_owned(),
            depth: 1,
            narrowing: Narrowing::default(),
            action,
            params: serde_json::Map::new(),
        };
        let check = |policies: &[(&str, PolicyAction)], expected: &[&str]| {
            let policies =
                policies.iter().map(|(control, action)| policy(control, *action)).collect();
            let desired = Desired { policies, sets: Vec::new() };
            let rules = in_use(&desired, &catalogue, &Sets::default());
            let resources: Vec<&str> =
                rules.iter().flat_map(|rule| &rule.resources).map(String::as_str).collect();
            assert_eq!(resources, expected);
        };
        check(&[], &[]);
        check(&[("SW-C-0001", PolicyAction::Deny), ("SW-C-9999", PolicyAction::Deny)], &[]);
        // Services of type NodePort.
        let services = "SW-C-0348";
        check(&[(services, PolicyAction::Off)], &[]);
        check(&[(services, PolicyAction::Warn), (services, PolicyAction::Deny)], &["services"]);
    }
}
