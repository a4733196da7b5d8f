//! A compiled set of rules and its evaluation of an event.
use crate::evaluate::{Evaluation, Memo};
use crate::event_set::{COLLECTED, EventSet};
use crate::event_view::EventView;
use crate::feed::Feed;
use crate::load::Loader;
use crate::program::{Node, NodeId};
use crate::requests::Requests;
use crate::rule::{Rule, RuleState, Sequence};
use crate::source::{Slots, Source};
use crate::value::Value;
use crate::window::{Counter, Key, Step, Tracker};
use seawall_model::Problem;
use seawall_model::alert::Why;
use seawall_model::event::EventKind;
use std::collections::HashMap;

/// A compiled set of rules. Immutable; what it remembers between events is in [`State`].
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) slots: usize,
    /// Rules to evaluate by bit of [`EventSet`].
    pub(crate) index: Vec<Vec<u32>>,
    /// Rules to evaluate on audit records.
    pub(crate) requests: Requests,
}

/// What thresholds and sequences remember, and scratch memory of the evaluation. One per stream of events.
#[derive(Debug)]
pub struct State {
    pub(crate) memo: Memo,
    pub(crate) memory: Memory,
}

/// Windows by index of the rule.
#[derive(Debug)]
pub(crate) struct Memory {
    counters: HashMap<u32, Counter>,
    trackers: HashMap<u32, Tracker>,
}

impl State {
    /// Keys that made room for newer ones, over all rules.
    pub fn evicted(&self) -> u64 {
        let counters: u64 = self.memory.counters.values().map(Counter::evicted).sum();
        counters + self.memory.trackers.values().map(Tracker::evicted).sum::<u64>()
    }
}

/// One rule that an event made true.
#[derive(Debug)]
pub struct Fired<'s> {
    pub rule: &'s Rule,
    pub output: String,
    /// Name as written in the output (without `%`), value or null.
    pub output_fields: Vec<(String, serde_json::Value)>,
    pub why: Vec<Why>,
    /// Epoch nanoseconds of the event.
    pub time_ns: Option<u64>,
}

impl RuleSet {
    /// Loads files in order as one set. What cannot load is named in the problems with its place; the rest does.
    pub fn load(files: &[(&str, &str)]) -> (Self, Vec<Problem>) {
        Loader::new(files).load()
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The kinds of events that any active rule can be true on.
    pub fn wanted(&self) -> Vec<EventKind> {
        let active = self.rules.iter().filter(|rule| rule.state == RuleState::Active);
        let set = active.fold(EventSet::NONE, |set, rule| set.or(rule.live));
        let mut kinds: Vec<EventKind> = Vec::new();
        for (bit, (_, kind)) in COLLECTED.iter().enumerate() {
            if set.has(bit) && !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        kinds
    }

    /// An empty memory for one stream of events.
    pub fn state(&self) -> State {
        let numbered = || self.rules.iter().enumerate().map(|(index, rule)| (index as u32, rule));
        let counters = numbered()
            .filter_map(|(index, rule)| Some((index, rule.threshold.as_ref()?.counter())))
            .collect();
        let trackers = numbered()
            .filter_map(|(index, rule)| Some((index, rule.sequence.as_ref()?.tracker())))
            .collect();
        State { memo: Memo::default(), memory: Memory { counters, trackers } }
    }

    /// Evaluates every rule on one event, in order of definition. Thresholds and sequences go by the event's own
    /// time; without one they take 0.
    pub fn evaluate(&self, event: &dyn EventView, state: &mut State) -> Vec<Fired<'_>> {
        let State { memo, memory } = state;
        let mut evaluation = Evaluation::new(event, &self.nodes, self.slots, memo);
        let mut decide = |index| self.decide(index, &mut evaluation, memory);
        if Feed::of(event.source()) == Some(Feed::Audit) {
            return self.requests.candidates(event).filter_map(decide).collect();
        }
        let bit = EventSet::bit(event.event_type().unwrap_or_default());
        let candidates = self.index.get(bit).map(Vec::as_slice).unwrap_or_default();
        candidates.iter().filter_map(|index| decide(*index)).collect()
    }

    /// One rule on one event, whether it is enabled or not.
    pub(crate) fn decide(
        &self,
        index: u32,
        evaluation: &mut Evaluation<'_, '_>,
        memory: &mut Memory,
    ) -> Option<Fired<'_>> {
        let event = evaluation.event;
        let rule = &self.rules[index as usize];
        let root = rule.root.filter(|_| rule.source == event.source())?;
        let time = event.time_ns().unwrap_or(0);
        if let Some(sequence) = &rule.sequence {
            let tracker = memory.trackers.get_mut(&index)?;
            return follow(rule, root, sequence, tracker, evaluation, time);
        }
        if !evaluation.holds(root) {
            return None;
        }
        if let (Some(threshold), Some(counter)) = (&rule.threshold, memory.counters.get_mut(&index))
        {
            let key = key(&threshold.by, event, &mut evaluation.slots)?;
            let distinct = match &threshold.distinct {
                None => None,
                Some(source) => Some(key_part(source, event, &mut evaluation.slots)?),
            };
            if !counter.add(&key, time, distinct) {
                return None;
            }
        }
        Some(fire(rule, root, evaluation, Vec::new()))
    }
}

/// Takes one event through a sequence: completion first, then the steps backwards, so that no event counts twice.
fn follow<'s>(
    rule: &'s Rule,
    root: NodeId,
    sequence: &Sequence,
    tracker: &mut Tracker,
    evaluation: &mut Evaluation<'_, '_>,
    time: u64,
) -> Option<Fired<'s>> {
    let event = evaluation.event;
    let ends = evaluation.holds(root);
    let steps: Vec<usize> = (0..sequence.steps.len())
        .rev()
        .filter(|step| evaluation.holds(sequence.steps[*step]))
        .collect();
    if !ends && steps.is_empty() {
        return None;
    }
    let key = key(&sequence.by, event, &mut evaluation.slots)?;
    let complete = if ends { tracker.complete(&key, time) } else { None };
    for step in steps {
        if tracker.expects(&key, step, time) {
            let reasons = evaluation.reasons(sequence.steps[step]);
            let values = rule.output.read(Some(step), event, &mut evaluation.slots);
            tracker.advance(&key, step, time, Step { reasons, values });
        }
    }
    Some(fire(rule, root, evaluation, complete?))
}

fn fire<'s>(
    rule: &'s Rule,
    root: NodeId,
    evaluation: &mut Evaluation<'_, '_>,
    steps: Vec<Step>,
) -> Fired<'s> {
    let event = evaluation.event;
    let mut values: Vec<Option<Value<'static>>> = vec![None; rule.output.columns.len()];
    let last = rule.output.read(None, event, &mut evaluation.slots);
    let mut why = Vec::new();
    let mut place = |read: Vec<(usize, Option<Value<'static>>)>| {
        for (index, value) in read {
            values[index] = value;
        }
    };
    for (number, step) in steps.into_iter().enumerate() {
        let step_number = number + 1;
        why.extend(step.reasons.into_iter().map(|reason| Why {
            expression: format!("step {step_number}: {}", reason.expression),
            value: reason.value,
        }));
        place(step.values);
    }
    place(last);
    why.extend(evaluation.reasons(root));
    let (output, output_fields) = rule.output.render(&values);
    Fired { rule, output, output_fields, why, time_ns: event.time_ns() }
}

/// `None` where a field is absent: such an event belongs to no key.
fn key<'e>(by: &[Source], event: &'e dyn EventView, slots: &mut Slots<'e>) -> Option<Key> {
    let parts: Option<Vec<String>> =
        by.iter().map(|source| key_part(source, event, slots)).collect();
    Some(parts?.join("\u{1f}"))
}

fn key_part<'e>(
    source: &Source,
    event: &'e dyn EventView,
    slots: &mut Slots<'e>,
) -> Option<String> {
    source.read(event, slots, |value| value.map(|value| value.render().into_owned()))
}
