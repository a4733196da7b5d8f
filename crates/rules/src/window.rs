//! Thresholds and sequences: bounded memory of earlier events, by key and event time.
use crate::value::Value;
use seawall_model::alert::Why;
use std::collections::{HashMap, VecDeque};

/// Keys one rule remembers; the oldest makes room and is counted.
pub(crate) const MAX_KEYS: usize = 65_536;

/// The values of the `by` fields, joined by a character that no field holds.
pub(crate) type Key = String;

/// Values by key; the key that was touched longest ago is evicted first.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    values: HashMap<Key, (u64, V)>,
    /// Keys by time of touch; entries whose stamp is outdated are passed over.
    order: VecDeque<(u64, Key)>,
    stamp: u64,
    limit: usize,
    pub(crate) evicted: u64,
}

impl<V: Default> Bounded<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), stamp: 0, limit, evicted: 0 }
    }

    pub(crate) fn touch(&mut self, key: &str) -> &mut V {
        self.stamp += 1;
        if !self.values.contains_key(key) && self.values.len() >= self.limit {
            self.evict();
        }
        self.order.push_back((self.stamp, key.to_owned()));
        if self.order.len() > self.limit.saturating_mul(2) {
            let values = &self.values;
            self.order
                .retain(|(stamp, key)| values.get(key).is_some_and(|(latest, _)| latest == stamp));
            self.order.push_back((self.stamp, key.to_owned()));
        }
        let entry = self.values.entry(key.to_owned()).or_default();
        entry.0 = self.stamp;
        &mut entry.1
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }

    fn evict(&mut self) {
        while let Some((stamp, key)) = self.order.pop_front() {
            if self.values.get(&key).is_some_and(|(latest, _)| *latest == stamp) {
                self.values.remove(&key);
                self.evicted += 1;
                return;
            }
        }
    }
}

/// Fires on every `count`th event (or different value) of a key within a span, then counts anew.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) count: usize,
    /// Nanoseconds.
    pub(crate) within: u64,
    seen: Bounded<VecDeque<(u64, String)>>,
}

impl Counter {
    pub(crate) fn new(count: usize, within: u64) -> Self {
        Self { count, within, seen: Bounded::new(MAX_KEYS) }
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.seen.evicted
    }

    /// Counts one event. With `distinct`, events of one value count once, as of the latest.
    pub(crate) fn add(&mut self, key: &str, time: u64, distinct: Option<String>) -> bool {
        let seen = self.seen.touch(key);
        seen.retain(|(at, _)| at.saturating_add(self.within) >= time);
        let value = match distinct {
            Some(value) => {
                seen.retain(|(_, known)| *known != value);
                value
            }
            None => String::new(),
        };
        seen.push_back((time, value));
        let reached = seen.len() >= self.count;
        if reached {
            self.seen.remove(key);
        }
        reached
    }
}

/// What a step of a sequence left behind for the alert.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) reasons: Vec<Why>,
    /// By column of the output.
    pub(crate) values: Vec<(usize, Option<Value<'static>>)>,
}

/// The steps so far, and when the first happened.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    started: u64,
    pub(crate) steps: Vec<Step>,
}

/// Remembers per key how far a sequence has come, the latest start for each length.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// Nanoseconds from the first step to the last.
    within: u64,
    length: usize,
    chains: Bounded<Vec<Option<Chain>>>,
}

impl Tracker {
    /// `length` is the number of steps before the last.
    pub(crate) fn new(length: usize, within: u64) -> Self {
        Self { within, length, chains: Bounded::new(MAX_KEYS) }
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.chains.evicted
    }

    /// All earlier steps, if they happened in order and in time; they are used up.
    pub(crate) fn complete(&mut self, key: &str, time: u64) -> Option<Vec<Step>> {
        let chain = self.chains.get(key)?.get(self.length.checked_sub(1)?)?.as_ref()?;
        if !self.in_time(chain, time) {
            return None;
        }
        let steps = chain.steps.clone();
        self.chains.remove(key);
        Some(steps)
    }

    /// Whether a step would extend anything: the first always does.
    pub(crate) fn expects(&self, key: &str, step: usize, time: u64) -> bool {
        step == 0 || self.before(key, step).is_some_and(|chain| self.in_time(chain, time))
    }

    fn before(&self, key: &str, step: usize) -> Option<&Chain> {
        self.chains.get(key)?.get(step.checked_sub(1)?)?.as_ref()
    }

    fn in_time(&self, chain: &Chain, time: u64) -> bool {
        chain.started <= time && time - chain.started <= self.within
    }

    /// Records a step. Call in descending order of steps, so that one event takes only one.
    pub(crate) fn advance(&mut self, key: &str, step: usize, time: u64, left: Step) {
        let chain = match step {
            0 => Chain { started: time, steps: vec![left] },
            _ => {
                let Some(before) = self.before(key, step).filter(|chain| self.in_time(chain, time))
                else {
                    return;
                };
                let mut chain = before.clone();
                chain.steps.push(left);
                chain
            }
        };
        let length = self.length;
        let chains = self.chains.touch(key);
        chains.resize(length, None);
        chains[step] = Some(chain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_untouched_key_makes_room() {
        let mut bounded: Bounded<u8> = Bounded::new(2);
        for key in ["a", "b", "a", "c"] {
            *bounded.touch(key) += 1;
        }
        assert_eq!(
            (bounded.get("a"), bounded.get("b"), bounded.get("c")),
            (Some(&2), None, Some(&1))
        );
        assert_eq!(bounded.evicted, 1);
        for round in 0..1_000 {
            bounded.touch(["a", "c"][round % 2]);
        }
        assert!(bounded.order.len() <= 5, "the order stays bounded");
    }

    #[test]
    fn counters_fire_once_per_count_within_the_span() {
        let mut counter = Counter::new(3, 10);
        let fired: Vec<bool> =
            [0, 1, 2, 3, 4, 30, 35].map(|time| counter.add("k", time, None)).into();
        assert_eq!(fired, [false, false, true, false, false, false, false]);
        let mut distinct = Counter::new(2, 10);
        let fired: Vec<bool> =
            ["x", "x", "y", "x"].map(|value| distinct.add("k", 0, Some(value.into()))).into();
        assert_eq!(fired, [false, false, true, false]);
    }

    #[test]
    fn sequences_need_order_and_time() {
        let step = || Step { reasons: Vec::new(), values: Vec::new() };
        let mut tracker = Tracker::new(2, 10);
        tracker.advance("k", 1, 0, step());
        assert!(tracker.complete("k", 1).is_none(), "the second step alone");
        tracker.advance("k", 0, 2, step());
        assert!(tracker.complete("k", 3).is_none(), "the first alone");
        tracker.advance("k", 1, 4, step());
        assert!(tracker.complete("k", 13).is_none(), "too late");
        assert_eq!(tracker.complete("k", 12).map(|steps| steps.len()), Some(2));
        assert!(tracker.complete("k", 12).is_none(), "used up");
    }
}
