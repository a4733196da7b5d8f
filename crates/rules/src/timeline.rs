//! The time that windows go by: an event's own, unless it has none or comes too late.
use crate::clock;

/// An event this much older than the latest is taken to have come late: its time is the previous one's.
const LATE_NS: u64 = 60 * clock::SECOND;
/// Between records of a file in which none carries a time.
const STEP_NS: u64 = 1_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    /// Whether any record carries a time.
    timed: bool,
    latest: Option<u64>,
    flagged: u64,
}

/// When an event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// For windows.
    pub(crate) time_ns: Option<u64>,
    /// For people; absent where nothing tells it.
    pub(crate) shown: Option<u64>,
}

impl Timeline {
    pub(crate) fn new(timed: bool) -> Self {
        Self { timed, latest: None, flagged: 0 }
    }

    /// Events whose time was missing or late.
    pub(crate) fn flagged(&self) -> u64 {
        self.flagged
    }

    /// Settles the time of the `record`th event from its own.
    pub(crate) fn settle(&mut self, own: Option<u64>, record: u64) -> Settled {
        if !self.timed {
            return Settled { time_ns: Some(record.saturating_mul(STEP_NS)), shown: None };
        }
        let usable = own
            .filter(|time| self.latest.is_none_or(|latest| time.saturating_add(LATE_NS) >= latest));
        let time = usable.or(self.latest);
        self.flagged += u64::from(usable.is_none());
        self.latest = self.latest.max(time);
        Settled { time_ns: time, shown: time }
    }
}
