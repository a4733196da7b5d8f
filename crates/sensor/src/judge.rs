//! Rules on events, alerts into the sink.
use crate::kernel::drops::Losses;
use seawall_model::event::Event;
use seawall_model::record::Record;
use seawall_rules::State;
use seawall_rules::firing::{Detections, Node};
use std::collections::VecDeque;
use std::sync::Arc;

/// What an alert calls near in time, seconds.
const NEARBY_SECONDS: usize = 60;

/// Where this sensor runs.
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) node: String,
}

/// Sees every event.
pub type EventTap = Box<dyn FnMut(&Event) + Send>;

/// Where the sensor's results go. Both are called from the sensor's thread and must not block for long: events wait
/// in the kernel's rings meanwhile.
pub struct Outputs {
    /// Alerts, running containers, capabilities.
    pub record: Arc<dyn Fn(Record) + Send + Sync>,
    /// Every event, after its container is known. A connect whose streams close a loop only later comes a second
    /// time, with the same sequence number, so that a recording decides as the sensor did.
    pub event: Option<EventTap>,
}

/// Owned by the pipeline.
pub(crate) struct Judge {
    detections: Detections,
    state: State,
    outputs: Outputs,
    place: Place,
    losses: Arc<Losses>,
    /// Total losses, one sample a second.
    lost: VecDeque<u64>,
}

impl Judge {
    pub(crate) fn new(
        detections: Detections,
        outputs: Outputs,
        place: Place,
        losses: Arc<Losses>,
    ) -> Self {
        let state = detections.rules.state();
        Self { detections, state, outputs, place, losses, lost: VecDeque::new() }
    }

    /// Evaluates one event and returns the rules that fired. An event judged `again` because more became known of it
    /// raises only what was silent before.
    pub(crate) fn judge(&mut self, event: &Event, again: Option<&[String]>) -> Vec<String> {
        if let Some(tap) = &mut self.outputs.event {
            tap(event);
        }
        let mut names = Vec::new();
        let lost =
            self.losses.total().saturating_sub(self.lost.front().copied().unwrap_or_default());
        let node = Node {
            cluster: &self.place.cluster,
            node: Some(&self.place.node),
            lost_nearby: lost,
            now: i64::try_from(event.time_ns.unwrap_or_default() / 1_000_000).unwrap_or_default(),
        };
        let Detections { rules, attack } = &self.detections;
        for firing in rules.firings(event, &mut self.state, node, attack) {
            // A firing's title is its rule's name.
            if again.is_some_and(|before| before.contains(&firing.title)) {
                continue;
            }
            names.push(firing.title.clone());
            (self.outputs.record)(Record::Firing(Box::new(firing)));
        }
        names
    }

    pub(crate) fn send(&self, record: Record) {
        (self.outputs.record)(record);
    }

    /// Once a second.
    pub(crate) fn tick(&mut self) {
        self.losses.set("rules:windows", self.state.evicted());
        self.lost.push_back(self.losses.total());
        if self.lost.len() > NEARBY_SECONDS {
            self.lost.pop_front();
        }
    }
}
