//! The secure score's groups: each resource counts once per group, by the worst that stable controls say of it.
use super::{MAXIMA, Scored, ratio};
use seawall_model::exemption::Category;
use seawall_model::finding::State;
use seawall_model::recommendation::GroupScore;
use std::collections::{BTreeMap, HashMap};

/// What one outcome leaves in a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Healthy,
    Unhealthy,
    Unknown,
}

impl Mark {
    /// `None`: left out.
    pub(super) fn of(state: State, exemption: Option<Category>) -> Option<Self> {
        match (state, exemption) {
            (State::Healthy, _) | (State::Exempt, Some(Category::Mitigated)) => Some(Self::Healthy),
            (State::Unhealthy, _) => Some(Self::Unhealthy),
            (State::Unknown, _) => Some(Self::Unknown),
            (State::NotApplicable | State::Exempt, _) => None,
        }
    }
}

/// Outcomes of one resource in one group, by mark.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    healthy: u32,
    unhealthy: u32,
    unknown: u32,
}

impl Marks {
    fn of(&mut self, mark: Mark) -> &mut u32 {
        match mark {
            Mark::Healthy => &mut self.healthy,
            Mark::Unhealthy => &mut self.unhealthy,
            Mark::Unknown => &mut self.unknown,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Group {
    resources: HashMap<Box<str>, Marks>,
    healthy: u64,
    unhealthy: u64,
    unknown: u64,
}

impl Group {
    /// Counts `marks` in or out of the group's resources.
    fn count(&mut self, marks: Marks, change: fn(u64, u64) -> u64) {
        let counted = |whether: bool| u64::from(whether);
        self.unhealthy = change(self.unhealthy, counted(marks.unhealthy > 0));
        self.healthy = change(self.healthy, counted(marks.healthy > 0 && marks.unhealthy == 0));
        self.unknown = change(self.unknown, counted(marks.unknown > 0));
    }
}

/// Tallies of all groups. Owned by a ledger, which adds and removes marks, or by one count from nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<Box<str>, Group>,
    decided: u64,
    unknown: u64,
}

impl Groups {
    pub(super) fn add(&mut self, group: &str, resource: &str, mark: Mark) {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.into(), Group::default());
        }
        let Some(tally) = self.groups.get_mut(group) else { return };
        let old = tally.resources.get(resource).copied().unwrap_or_default();
        let mut new = old;
        *new.of(mark) += 1;
        tally.count(old, |count, part| count - part);
        tally.count(new, |count, part| count + part);
        match tally.resources.get_mut(resource) {
            Some(marks) => *marks = new,
            None => _ = tally.resources.insert(resource.into(), new),
        }
        *self.answers(mark) += 1;
    }

    /// False, and nothing changed, where there is no such mark.
    pub(super) fn remove(&mut self, group: &str, resource: &str, mark: Mark) -> bool {
        let Some(tally) = self.groups.get_mut(group) else { return false };
        let Some(old) = tally.resources.get(resource).copied() else { return false };
        let mut new = old;
        match new.of(mark) {
            0 => return false,
            count => *count -= 1,
        }
        tally.count(old, |count, part| count - part);
        tally.count(new, |count, part| count + part);
        if new.healthy + new.unhealthy + new.unknown == 0 {
            tally.resources.remove(resource);
        } else if let Some(marks) = tally.resources.get_mut(resource) {
            *marks = new;
        }
        *self.answers(mark) -= 1;
        true
    }

    fn answers(&mut self, mark: Mark) -> &mut u64 {
        if mark == Mark::Unknown { &mut self.unknown } else { &mut self.decided }
    }

    pub(super) fn scored(&self) -> Scored {
        let mut groups = Vec::new();
        for (name, max) in MAXIMA {
            let Some(tally) = self.groups.get(name) else { continue };
            let Group { healthy, unhealthy, unknown, .. } = *tally;
            let score = ratio(healthy, healthy + unhealthy).map_or(0.0, |healthy| max * healthy);
            if healthy + unhealthy + unknown > 0 {
                let group = name.to_owned();
                groups.push(GroupScore { group, max, score, healthy, unhealthy, unknown });
            }
        }
        let counted = groups.iter().filter(|group| group.healthy + group.unhealthy > 0);
        let (won, winnable) = counted
            .fold((0.0, 0.0), |(won, winnable), group| (won + group.score, winnable + group.max));
        Scored {
            secure: (winnable > 0.0).then(|| 100.0 * won / winnable),
            coverage: super::coverage(self.decided, self.unknown),
            decided: self.decided,
            undecided: self.unknown,
            groups,
        }
    }
}
