//! What is assigned as admission judges by it: controls with an action; the sets of users' own policies beside them.
use super::review::Review;
use super::sets::Sets;
use crate::assigned::{Assigned, Bound, Labels, Place, choose};
use crate::catalogue::Catalogue;
use seawall_model::Problem;
use seawall_model::admission::{Policy, PolicyAction};
use serde_json::Value;

/// Compiled policies and sets. The default holds none and so allows everything.
#[derive(Debug, Default)]
pub struct Policies {
    assigned: Assigned,
    pub(super) sets: Sets,
}

impl Policies {
    /// As [`Assigned::compile`] has it.
    pub fn compile(policies: &[Policy], catalogue: &Catalogue) -> (Self, Vec<Problem>) {
        let (assigned, problems) = Assigned::compile(policies, catalogue);
        (Self { assigned, sets: Sets::default() }, problems)
    }

    /// Judges by these sets too.
    pub fn with_sets(self, sets: Sets) -> Self {
        Self { sets, ..self }
    }

    /// The sets that count.
    pub fn sets(&self) -> &Sets {
        &self.sets
    }

    /// Policies of controls whose action is `action`.
    pub fn count(&self, action: PolicyAction) -> usize {
        self.assigned.by_control().flatten().filter(|bound| bound.action == action).count()
    }

    /// What counts for the review's object, deny first, each control with those that tie.
    pub(super) fn choose(&self, review: &Review) -> Vec<Vec<&Bound>> {
        let kind = review.object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let labels = Labels::Object(&review.object);
        let place = Place { namespace: &review.namespace, kind, labels };
        let mut chosen: Vec<Vec<&Bound>> = self
            .assigned
            .by_control()
            .map(|bound| choose(bound, &place))
            .filter(|tied| tied.first().is_some_and(|bound| bound.action != PolicyAction::Off))
            .collect();
        chosen.sort_by_key(|tied| std::cmp::Reverse(tied[0].action));
        chosen
    }
}
