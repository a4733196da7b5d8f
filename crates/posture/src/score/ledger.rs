//! All scores of one set of findings, kept up to date by what changes: a delta costs the same in a cluster of ten
//! thousand workloads as in one of ten.
use super::group::{Groups, Mark};
use super::{Base, Tally, Weight, compliance, risk};
use seawall_model::exemption::Category;
use seawall_model::finding::State;
use seawall_model::recommendation::GroupScore;
use serde::Serialize;
use std::collections::BTreeMap;

/// What scores have to know of a control.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub group: String,
    pub base: Base,
    /// Preview controls are left out of every score.
    pub preview: bool,
    /// `NAME@VERSION` of each framework it is counted in.
    pub frameworks: Vec<String>,
}

/// One control on one resource, as scores see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub state: State,
    /// Of the exemption, where the state is exempt.
    pub exemption: Option<Category>,
    pub weight: Weight,
}

/// One finding that came, moved or went.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'a> {
    pub control: &'a str,
    /// Identity of the resource, such as its UID.
    pub resource: &'a str,
    /// As it was last applied; `None`: it was not there.
    pub before: Option<Standing>,
    /// `None`: it is gone.
    pub after: Option<Standing>,
}

/// A delta that does not fit the ledger. Nothing of it was applied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("no rule is known for control {control}")]
    FindRule { control: String },
    #[error("{control} on {resource} was not counted as the delta says it was")]
    TakeBack { control: String, resource: String },
}

/// Running sums. Owned by whoever owns the findings; only [`Self::apply`] changes it.
#[derive(Clone, Debug)]
pub struct Ledger {
    rules: BTreeMap<String, (Rule, Tally)>,
    groups: Groups,
}

/// Every score at one moment. Percentages are 0 to 100.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// `None` while nothing is decided.
    pub secure: Option<f64>,
    /// Weight that fails, of all weight; `None` while there is none.
    pub risk: Option<f64>,
    /// Mean over controls of the resources that pass; `None` without a control that can be counted.
    pub compliance: Option<f64>,
    pub groups: Vec<GroupScore>,
    pub frameworks: Vec<FrameworkScore>,
    pub controls: Vec<ControlScore>,
    /// decided / (decided + unknown); `None` while nothing was asked.
    #[serde(skip)]
    pub coverage: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrameworkScore {
    /// `NAME@VERSION`.
    pub framework: String,
    pub risk: Option<f64>,
    pub compliance: Option<f64>,
    /// Stable controls that were run for it.
    pub controls: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControlScore {
    pub control: String,
    pub risk: Option<f64>,
    /// 100 without a resource; `None` where no resource could be decided, as that is no pass.
    pub compliance: Option<f64>,
    pub passed: u64,
    pub failed: u64,
    pub unknown: u64,
}

impl Ledger {
    /// Without findings. Rules are known from the start: a control without resources is complied with.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules.into_iter().map(|rule| (rule.id.clone(), (rule, Tally::default())));
        Self { rules: rules.collect(), groups: Groups::default() }
    }

    /// Counts a change, whole or not at all.
    pub fn apply(&mut self, delta: &Delta<'_>) -> Result<(), LedgerError> {
        let Delta { control, resource, before, after } = *delta;
        let Some((rule, tally)) = self.rules.get_mut(control) else {
            return Err(LedgerError::FindRule { control: control.to_owned() });
        };
        if rule.preview {
            return Ok(());
        }
        let mark = |standing: Option<Standing>| {
            standing.and_then(|s| Mark::of(s.state, s.exemption).map(|mark| (mark, s.weight)))
        };
        if let Some((mark, weight)) = mark(before) {
            let counted = tally.holds(mark, weight);
            if !counted || !self.groups.remove(&rule.group, resource, mark) {
                let (control, resource) = (control.to_owned(), resource.to_owned());
                return Err(LedgerError::TakeBack { control, resource });
            }
            tally.remove(mark, weight);
        }
        if let Some((mark, weight)) = mark(after) {
            self.groups.add(&rule.group, resource, mark);
            tally.add(mark, weight);
        }
        Ok(())
    }

    /// The scores now.
    pub fn scores(&self) -> Scores {
        let scored = self.groups.scored();
        let counted = || self.rules.values().filter(|(rule, _)| !rule.preview);
        let mut members: BTreeMap<&str, Vec<&(Rule, Tally)>> = BTreeMap::new();
        for entry in counted() {
            for framework in &entry.0.frameworks {
                members.entry(framework).or_default().push(entry);
            }
        }
        let frameworks = members.into_iter().map(|(framework, members)| FrameworkScore {
            framework: framework.to_owned(),
            risk: risk(members.iter().map(|(rule, tally)| (rule.base, tally))),
            compliance: compliance(members.iter().map(|(_, tally)| tally)),
            controls: members.len() as u64,
        });
        let controls = counted().map(|entry| ControlScore {
            control: entry.0.id.clone(),
            risk: risk([(entry.0.base, &entry.1)]),
            compliance: entry.1.compliance(),
            passed: entry.1.passed,
            failed: entry.1.failed,
            unknown: entry.1.unknown,
        });
        Scores {
            secure: scored.secure,
            risk: risk(counted().map(|(rule, tally)| (rule.base, tally))),
            compliance: compliance(counted().map(|(_, tally)| tally)),
            groups: scored.groups,
            frameworks: frameworks.collect(),
            controls: controls.collect(),
            coverage: scored.coverage,
        }
    }
}
