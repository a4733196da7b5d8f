//! One cluster's audit log through the rules: what an agent does with each batch.
use super::{Counts, Decoder};
use crate::attack::Attack;
use crate::firing::Node;
use crate::rule_set::{RuleSet, State};
use crate::timeline::Timeline;
use seawall_model::Problem;
use seawall_model::alert::Firing;
use seawall_model::event::Event;

/// What is remembered between batches: duplicates, windows, the latest time.
#[derive(Debug)]
pub struct AuditLog {
    decoder: Decoder,
    state: State,
    timeline: Timeline,
    events: u64,
}

/// What a batch gave.
#[derive(Debug, Default)]
pub struct Judged {
    pub firings: Vec<Firing>,
    /// One for each faulty record.
    pub problems: Vec<Problem>,
}

impl AuditLog {
    pub fn new(rules: &RuleSet) -> Self {
        Self {
            decoder: Decoder::default(),
            state: rules.state(),
            timeline: Timeline::new(true),
            events: 0,
        }
    }

    /// Goes on with another set of rules, whose windows begin empty.
    pub fn change_rules(&mut self, rules: &RuleSet) {
        self.state = rules.state();
    }

    /// Records since the log began.
    pub fn counts(&self) -> Counts {
        self.decoder.counts()
    }

    /// Records without a time of their own, or with one too late to go by.
    pub fn untimed(&self) -> u64 {
        self.timeline.flagged()
    }

    /// Keys of windows that made room for newer ones, since the rules were changed.
    pub fn evicted(&self) -> u64 {
        self.state.evicted()
    }

    /// Decodes and judges one batch: a webhook's body, or whole lines of a file. The rules are those of [`Self::new`] or
    /// the latest [`Self::change_rules`]; of `node`, the cluster and the time of receipt matter.
    pub fn judge(
        &mut self,
        bytes: &[u8],
        rules: &RuleSet,
        attack: &Attack,
        node: Node<'_>,
    ) -> Judged {
        let Self { decoder, state, timeline, events } = self;
        let mut firings = Vec::new();
        let problems = decoder.each(bytes, &mut |numbered| {
            *events += 1;
            let mut event = Event::of_audit(numbered.event, *events);
            event.time_ns = timeline.settle(event.time_ns, *events).time_ns;
            firings.extend(rules.firings(&event, state, node, attack));
        });
        Judged { firings, problems }
    }
}
