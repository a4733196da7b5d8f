//! Events whose container is not known yet, in order per control group.
use seawall_model::event::Event;
use std::collections::{HashMap, VecDeque};

/// How long an event waits for its container, nanoseconds: 5 s. A runtime that starts twenty pods at once answers after
/// seconds, and an alert without its pod helps nobody; events of known containers do not wait.
pub(super) const PATIENCE_NS: u64 = 5_000_000_000;
/// Events that may wait, about 1 KiB each: 4 MiB.
const MAX_WAITING: usize = 4_096;

#[derive(Default)]
pub(super) struct Waiting {
    queues: HashMap<u64, VecDeque<Waiter>>,
    count: usize,
}

struct Waiter {
    event: Event,
    nested: bool,
    /// Boot-time clock, nanoseconds.
    until: u64,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Gives the event back where the queue is full: it goes on without its container.
    pub(super) fn push(
        &mut self,
        event: Event,
        cgroup: u64,
        nested: bool,
        until: u64,
    ) -> Option<Event> {
        if self.count >= MAX_WAITING {
            return Some(event);
        }
        self.count += 1;
        self.queues.entry(cgroup).or_default().push_back(Waiter { event, nested, until });
        None
    }

    /// Events of a control group whose container became known, with whether their process is nested.
    pub(super) fn answered(&mut self, cgroup: u64) -> Vec<(Event, bool)> {
        let queue = self.queues.remove(&cgroup).unwrap_or_default();
        self.count -= queue.len();
        queue.into_iter().map(|waiter| (waiter.event, waiter.nested)).collect()
    }

    /// Events, control groups and nesting of those that waited long enough.
    pub(super) fn expired(&mut self, now: u64) -> Vec<(Event, u64, bool)> {
        let mut expired = Vec::new();
        if self.count == 0 {
            return expired;
        }
        for (cgroup, queue) in &mut self.queues {
            while queue.front().is_some_and(|waiter| waiter.until <= now) {
                if let Some(waiter) = queue.pop_front() {
                    expired.push((waiter.event, *cgroup, waiter.nested));
                }
            }
        }
        self.count -= expired.len();
        self.queues.retain(|_, queue| !queue.is_empty());
        expired
    }
}
