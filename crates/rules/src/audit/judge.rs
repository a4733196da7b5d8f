//! One cluster's audit log through the rules: what an agent does with each batch.
use super::{Counts, Decoder};
use crate::firing::{Detections, Node};
use crate::rule_set::State;
use crate::timeline::Timeline;
use seawall_model::Problem;
use seawall_model::alert::Firing;
use seawall_model::audit::AuditEvent;
use seawall_model::event::Event;

/// What is remembered between batches: duplicates, windows, the latest time.
pub struct AuditLog {
    detections: Detections,
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
    pub fn new(detections: Detections) -> Self {
        let state = detections.rules.state();
        let (decoder, timeline) = (Decoder::default(), Timeline::new(true));
        Self { detections, decoder, state, timeline, events: 0 }
    }

    /// Records since the log began.
    pub fn counts(&self) -> Counts {
        self.decoder.counts()
    }

    /// Decodes and judges one batch: a webhook's body, or whole lines of a file. `heed` hears of each event that is no
    /// duplicate; of `node`, the cluster and the time of receipt matter.
    pub fn judge(
        &mut self,
        bytes: &[u8],
        node: Node<'_>,
        heed: &mut dyn FnMut(&AuditEvent),
    ) -> Judged {
        let Self { detections, decoder, state, timeline, events } = self;
        let mut firings = Vec::new();
        let problems = decoder.each(bytes, &mut |numbered| {
            heed(&numbered.event);
            *events += 1;
            let mut event = Event::of_audit(numbered.event, *events);
            event.time_ns = timeline.settle(event.time_ns, *events).time_ns;
            firings.extend(detections.rules.firings(&event, state, node, &detections.attack));
        });
        Judged { firings, problems }
    }
}
