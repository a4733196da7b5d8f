//! What has been said of each subject, by control. Kept small, as there are some twenty for each workload: without what
//! the control itself knows, and most say nothing but that all is well.
use super::Judged;
use crate::catalogue::Chosen;
use seawall_model::finding::{ControlFinding, Evidence, Resource, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What controls that need several objects say of one subject.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'l> {
    pub resource: &'l Resource,
    said: &'l [(usize, Said)],
    controls: &'l [Chosen],
}

impl Verdict<'_> {
    /// By control, in the selection's order.
    pub fn findings(&self) -> impl Iterator<Item = ControlFinding> {
        self.said.iter().map(|(control, said)| {
            let more = said.more.as_deref().map(serde_json::from_str::<More>);
            let More { reason, message, evidence, fix } = match more {
                None => More::default(),
                Some(more) => more.expect("it was written from one"),
            };
            let state = said.state;
            let known = self.controls[*control].empty(self.resource.clone());
            ControlFinding { state, reason, message, evidence, fix, ..known }
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Said {
    state: State,
    /// Where there is more to say, [`More`] as JSON: parsed values take ten times as much.
    more: Option<Box<str>>,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct More {
    reason: Option<String>,
    message: Option<String>,
    evidence: Vec<Evidence>,
    fix: Vec<Value>,
}

impl Said {
    fn of(finding: ControlFinding) -> (Resource, Self) {
        let ControlFinding { resource, state, reason, message, evidence, fix, .. } = finding;
        let more = More { reason, message, evidence, fix };
        let written = || serde_json::to_string(&more).expect("plain values serialise").into();
        (resource, Self { state, more: (more != More::default()).then(written) })
    }
}

#[derive(Debug)]
struct Subject {
    resource: Resource,
    /// By control, in order.
    said: Vec<(usize, Said)>,
}

#[derive(Debug, Default)]
pub(super) struct Verdicts {
    by_subject: BTreeMap<Arc<str>, Subject>,
    /// The subjects of each control, by scope.
    subjects: BTreeMap<usize, BTreeMap<String, BTreeSet<Arc<str>>>>,
}

impl Verdicts {
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_subject.keys().map(AsRef::as_ref)
    }

    pub(super) fn of<'l>(&'l self, key: &str, controls: &'l [Chosen]) -> Option<Verdict<'l>> {
        let Subject { resource, said } = self.by_subject.get(key)?;
        Some(Verdict { resource, said, controls })
    }

    /// Scopes in which a control has subjects.
    pub(super) fn scopes(&self, control: usize) -> Vec<String> {
        self.subjects.get(&control).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// The same, each with the keys of those subjects.
    pub(super) fn scopes_with_subjects(
        &self,
        control: usize,
    ) -> impl Iterator<Item = (&String, &BTreeSet<Arc<str>>)> {
        self.subjects.get(&control).into_iter().flatten()
    }

    /// All subjects of a control in a scope as they are now; what is said of those that are gone is forgotten.
    pub(super) fn record(
        &mut self,
        control: usize,
        scope: &str,
        judged: Judged,
        told: &mut BTreeSet<String>,
    ) {
        let mut gone = self
            .subjects
            .get_mut(&control)
            .and_then(|scopes| scopes.remove(scope))
            .unwrap_or_default();
        let mut present = BTreeSet::new();
        for (key, finding) in judged {
            gone.remove(key.as_str());
            let known = self.by_subject.get_key_value(key.as_str()).map(|(key, _)| key.clone());
            let shared = known.unwrap_or_else(|| key.as_str().into());
            if let Some(finding) = finding
                && self.say(&shared, control, finding)
            {
                told.insert(key);
            }
            present.insert(shared);
        }
        if !present.is_empty() {
            self.subjects.entry(control).or_default().insert(scope.to_owned(), present);
        }
        for key in gone {
            if self.forget(&key, control) {
                told.insert(key.to_string());
            }
        }
    }

    /// Whether it is something new.
    fn say(&mut self, key: &Arc<str>, control: usize, finding: ControlFinding) -> bool {
        let (resource, new) = Said::of(finding);
        let subject = self
            .by_subject
            .entry(key.clone())
            .or_insert_with(|| Subject { resource, said: Vec::new() });
        match subject.said.binary_search_by_key(&control, |(control, _)| *control) {
            Ok(at) if subject.said[at].1 == new => return false,
            Ok(at) => subject.said[at].1 = new,
            Err(at) => subject.said.insert(at, (control, new)),
        }
        true
    }

    /// Whether there was something to forget.
    fn forget(&mut self, key: &Arc<str>, control: usize) -> bool {
        let Some(subject) = self.by_subject.get_mut(key) else { return false };
        let Ok(at) = subject.said.binary_search_by_key(&control, |(control, _)| *control) else {
            return false;
        };
        subject.said.remove(at);
        if subject.said.is_empty() {
            self.by_subject.remove(key);
        }
        true
    }
}
