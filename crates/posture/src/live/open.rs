//! What has to be judged again.
use crate::native::{Input, Join};
use crate::world::{Object, Subject};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Changed objects kept for one control; with more of them everything is judged again.
const MAX_CHANGES: usize = 64;

/// Which subjects of a control that sees everything.
#[derive(Debug)]
pub(super) enum Again {
    Every,
    /// Those that one of these objects is, or is joined to.
    Where(Vec<Value>),
}

impl Again {
    pub(super) fn concerns(&self, subject: &Subject<'_>, inputs: &[Input]) -> bool {
        let Self::Where(changes) = self else { return true };
        changes.iter().any(|changed| {
            let object = Object::new(changed);
            let same = subject.resource.uid.as_deref() == Some(object.uid());
            let joined = |input: &Input| match input.join {
                Join::When(holds) => {
                    input.reads(object.group(), object.kind()) && holds(changed, subject)
                }
                Join::Every
                | Join::Namespace
                | Join::Through(_)
                | Join::Holding(_)
                | Join::Names
                | Join::First(_) => false,
            };
            same || inputs.iter().any(joined)
        })
    }
}

/// Controls by their place in the selection.
#[derive(Debug, Default)]
pub(super) struct Open {
    whole: BTreeMap<usize, Again>,
    everywhere: BTreeSet<usize>,
    scopes: BTreeMap<String, BTreeSet<usize>>,
}

impl Open {
    pub(super) fn again(&mut self, control: usize, again: Again) {
        let known = self.whole.entry(control).or_insert_with(|| Again::Where(Vec::new()));
        match (known, again) {
            (Again::Every, _) => {}
            (known, Again::Every) => *known = Again::Every,
            (Again::Where(changes), Again::Where(more)) => {
                changes.extend(more);
                if changes.len() > MAX_CHANGES {
                    self.whole.insert(control, Again::Every);
                }
            }
        }
    }

    pub(super) fn everywhere(&mut self, control: usize) {
        self.everywhere.insert(control);
    }

    pub(super) fn scope(&mut self, control: usize, scope: &str) {
        if !self.everywhere.contains(&control) {
            self.scopes.entry(scope.to_owned()).or_default().insert(control);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.everywhere.is_empty() && self.scopes.is_empty()
    }

    pub(super) fn take_whole(&mut self) -> BTreeMap<usize, Again> {
        std::mem::take(&mut self.whole)
    }

    /// Up to `limit` scopes with the controls to judge there. `known` are the scopes that there are; `told` those in
    /// which something has been said by a control.
    pub(super) fn take_scopes<K: Iterator<Item = String>>(
        &mut self,
        limit: usize,
        known: impl Fn() -> K,
        told: impl Fn(usize) -> Vec<String>,
    ) -> BTreeMap<String, BTreeSet<usize>> {
        let everywhere = std::mem::take(&mut self.everywhere);
        if !everywhere.is_empty() {
            for scope in known() {
                self.scopes.entry(scope).or_default().extend(&everywhere);
            }
        }
        for control in everywhere {
            for scope in told(control) {
                self.scopes.entry(scope).or_default().insert(control);
            }
        }
        let mut taken = BTreeMap::new();
        while taken.len() < limit {
            let Some((scope, controls)) = self.scopes.pop_first() else { break };
            taken.insert(scope, controls);
        }
        taken
    }
}
