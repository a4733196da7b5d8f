//! How controls stand at a scope: what was counted of each, and the one word that it comes to.
use crate::api::problem::Refusal;
use crate::app::App;
use crate::compliance::tally;
use crate::content::{Content, Outline};
use seawall_model::Severity;
use seawall_model::scope::ScopePath;
use seawall_posture::score::{self, Base, Tally};
use seawall_store::{Verdicts, Visible};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// In the order in which one outweighs the next.
pub(super) const CONTROL_STATES: &[&str] =
    &["failing", "unknown", "passing", "exempt", "not_applicable", "not_assessed"];

/// What a control comes to over all resources of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ControlState {
    /// A resource fails it.
    Failing,
    /// Of a resource nobody can tell, and none fails.
    Unknown,
    Passing,
    /// Every resource that it concerns is exempt.
    Exempt,
    /// It concerns none of what was looked at.
    NotApplicable,
    /// Nothing was looked at with it.
    NotAssessed,
}

/// Controls by state; together all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ControlStates {
    failing: u64,
    unknown: u64,
    passing: u64,
    exempt: u64,
    not_applicable: u64,
    not_assessed: u64,
}

/// One control at a scope; counts are of resources.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FrameworkControl {
    id: String,
    title: String,
    severity: Severity,
    /// Counts in no score.
    preview: bool,
    /// Of the framework, in its order.
    sections: Vec<String>,
    state: ControlState,
    passed: u64,
    failed: u64,
    unknown: u64,
    not_applicable: u64,
    /// Mitigated or accepted.
    exempt: u64,
    /// Of those that are exempt: they count as passed in the percentage.
    mitigated: u64,
    /// Resources that satisfy it, of those decided, 0 to 100. `None` where none is.
    compliance: Option<f64>,
}

/// A framework over its stable controls.
pub(super) struct Summary {
    pub(super) controls: u64,
    pub(super) states: ControlStates,
    pub(super) compliance: Option<f64>,
    pub(super) risk: Option<f64>,
    pub(super) coverage: Option<f64>,
}

/// Every control at one scope, as far as a caller sees.
pub(super) struct Standing<'a> {
    content: &'a Content,
    counted: BTreeMap<String, seawall_store::Tally>,
}

impl<'a> Standing<'a> {
    pub(super) async fn read(
        app: &'a App,
        visible: &Visible,
        scope: &ScopePath,
    ) -> Result<Self, Refusal> {
        let counted = app.store.tallies(visible, scope).await?;
        Ok(Self { content: &app.content, counted })
    }

    fn counted(&self, control: &str) -> seawall_store::Tally {
        self.counted.get(control).cloned().unwrap_or_default()
    }

    pub(super) fn summary(&self, outline: &Outline) -> Summary {
        let mut states = ControlStates::default();
        let mut tallies: Vec<(Base, Tally)> = Vec::new();
        let ids = outline.controls();
        let entries = ids.iter().filter_map(|id| self.content.control(id));
        for entry in entries.filter(|entry| !entry.preview) {
            let counted = self.counted(&entry.id);
            states.count(state(&counted));
            tallies.push((entry.base, tally(&counted)));
        }
        let asked = self.counted.values().any(seawall_store::Tally::is_asked);
        let decided = tallies.iter().map(|(_, tally)| tally.passed + tally.failed).sum();
        let undecided = tallies.iter().map(|(_, tally)| tally.unknown).sum();
        let compliance = score::compliance(tallies.iter().map(|(_, tally)| tally));
        Summary {
            controls: tallies.len() as u64,
            states,
            compliance: compliance.filter(|_| asked),
            risk: score::risk(tallies.iter().map(|(base, tally)| (*base, tally))),
            coverage: score::coverage(decided, undecided),
        }
    }

    /// `None` for a control that this hub's content does not have.
    pub(super) fn control(&self, outline: &Outline, id: &str) -> Option<FrameworkControl> {
        let entry = self.content.control(id)?;
        let counted = self.counted(id);
        let scored = tally(&counted);
        let decided = scored.passed + scored.failed > 0;
        let within =
            outline.sections.iter().filter(|section| section.controls.iter().any(|own| own == id));
        Some(FrameworkControl {
            id: entry.id.clone(),
            title: entry.title.clone(),
            severity: entry.severity,
            preview: entry.preview,
            sections: within.filter_map(|section| section.number.clone()).collect(),
            state: state(&counted),
            passed: counted.healthy.resources,
            failed: counted.unhealthy.resources,
            unknown: counted.unknown.resources,
            not_applicable: counted.not_applicable,
            exempt: counted.mitigated.resources + counted.accepted.resources,
            mitigated: counted.mitigated.resources,
            compliance: score::compliance([&scored]).filter(|_| decided),
        })
    }
}

impl ControlStates {
    fn count(&mut self, state: ControlState) {
        *match state {
            ControlState::Failing => &mut self.failing,
            ControlState::Unknown => &mut self.unknown,
            ControlState::Passing => &mut self.passing,
            ControlState::Exempt => &mut self.exempt,
            ControlState::NotApplicable => &mut self.not_applicable,
            ControlState::NotAssessed => &mut self.not_assessed,
        } += 1;
    }
}

fn state(counted: &seawall_store::Tally) -> ControlState {
    let exempt = counted.mitigated.resources + counted.accepted.resources;
    let held = [
        (counted.unhealthy.resources, ControlState::Failing),
        (counted.unknown.resources, ControlState::Unknown),
        (counted.healthy.resources, ControlState::Passing),
        (exempt, ControlState::Exempt),
        (counted.not_applicable, ControlState::NotApplicable),
    ];
    let first = held.into_iter().find(|(resources, _)| *resources > 0);
    first.map_or(ControlState::NotAssessed, |(_, state)| state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_store::Weighed;

    #[track_caller]
    fn check(counts: [u64; 5], expected: &str) {
        let weighed = |resources| Weighed { resources, tenths: resources * 10 };
        let [unhealthy, unknown, healthy, accepted, not_applicable] = counts;
        let counted = seawall_store::Tally {
            unhealthy: weighed(unhealthy),
            unknown: weighed(unknown),
            healthy: weighed(healthy),
            accepted: weighed(accepted),
            not_applicable,
            ..Default::default()
        };
        let word = serde_json::to_value(state(&counted)).unwrap();
        assert_eq!(word, expected);
        assert!(CONTROL_STATES.contains(&expected));
    }

    #[test]
    fn the_worst_verdict_names_a_control() {
        check([1, 1, 1, 1, 1], "failing");
        check([0, 1, 9, 1, 1], "unknown");
        check([0, 0, 1, 1, 1], "passing");
        check([0, 0, 0, 1, 1], "exempt");
        check([0, 0, 0, 0, 1], "not_applicable");
        check([0, 0, 0, 0, 0], "not_assessed");
    }
}
