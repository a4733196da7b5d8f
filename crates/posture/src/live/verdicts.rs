//! What has been said of each subject, by control.
use super::Judged;
use seawall_model::finding::{ControlFinding, Resource};
use std::collections::{BTreeMap, BTreeSet};

/// What controls that need several objects say of one subject.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub resource: Resource,
    findings: BTreeMap<usize, ControlFinding>,
}

impl Verdict {
    /// By control, in the selection's order.
    pub fn findings(&self) -> impl Iterator<Item = &ControlFinding> {
        self.findings.values()
    }
}

#[derive(Debug, Default)]
pub(super) struct Verdicts {
    by_subject: BTreeMap<String, Verdict>,
    /// The subjects of each control, by scope.
    subjects: BTreeMap<usize, BTreeMap<String, BTreeSet<String>>>,
}

impl Verdicts {
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_subject.keys().map(String::as_str)
    }

    pub(super) fn of(&self, key: &str) -> Option<&Verdict> {
        self.by_subject.get(key)
    }

    /// Scopes in which a control has subjects.
    pub(super) fn scopes(&self, control: usize) -> Vec<String> {
        self.subjects.get(&control).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// The same, each with the keys of those subjects.
    pub(super) fn scopes_with_subjects(
        &self,
        control: usize,
    ) -> impl Iterator<Item = (&String, &BTreeSet<String>)> {
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
        let scopes = self.subjects.entry(control).or_default();
        let mut gone = scopes.remove(scope).unwrap_or_default();
        let present: BTreeSet<String> = judged.iter().map(|(key, _)| key.clone()).collect();
        gone.retain(|key| !present.contains(key));
        if !present.is_empty() {
            scopes.insert(scope.to_owned(), present);
        }
        for (key, finding) in judged {
            let Some(finding) = finding else { continue };
            let known = self.by_subject.entry(key.clone()).or_insert_with(|| Verdict {
                resource: finding.resource.clone(),
                findings: BTreeMap::new(),
            });
            if known.findings.get(&control) != Some(&finding) {
                known.findings.insert(control, finding);
                told.insert(key);
            }
        }
        for key in gone {
            if let Some(known) = self.by_subject.get_mut(&key)
                && known.findings.remove(&control).is_some()
            {
                if known.findings.is_empty() {
                    self.by_subject.remove(&key);
                }
                told.insert(key);
            }
        }
    }
}
