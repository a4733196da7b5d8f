//! From ring records to judged events, in one thread.
//!
//! ```text
//! rings ─decode─► merge by time ─► processes, streams, drift ─► Event ─wait for container─► rules ─► sink
//! ```
mod assemble;
mod waiting;

use crate::config::Config;
use crate::drift::Drift;
use crate::identity::{Answer, Groups, Question, Resolved, Worker};
use crate::judge::Judge;
use crate::kernel::decode::{self, Body, Header, Record};
use crate::kernel::drops::Losses;
use crate::kernel::load::Programs;
use crate::processes::Processes;
use crate::streams::Streams;
use aya::maps::{MapData, RingBuf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use seawall_model::event::{Event, Identity};
use seawall_model::record::Record as Report;
use seawall_model::time::Clock;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use waiting::Waiting;

/// Data records taken at once, so that priority records never wait behind a flood of them.
const BATCH: usize = 8_192;
/// A data record whose process is unknown waits this long for its exec to arrive on the other ring.
const HOLD_NS: u64 = 5_000_000;
/// Sleep after a wake-up: a burst costs one wake-up, an alert this much.
const NAP: Duration = Duration::from_millis(2);
/// Wake-up without records, for deadlines and the stop flag.
const IDLE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const BUSY: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
/// A connect between pipes is looked at again while the rest of its pipeline starts.
const RELAY_NS: u64 = 5_000_000_000;
const MAX_RELAYS: usize = 256;
const SECOND_NS: u64 = 1_000_000_000;

/// Owns everything the sensor knows; lives in the sensor's thread.
pub(crate) struct Pipeline {
    config: Config,
    clock: Arc<dyn Clock>,
    programs: Programs,
    losses: Arc<Losses>,
    judge: Judge,
    worker: Worker,
    answers: mpsc::Receiver<Answer>,
    processes: Processes,
    streams: Streams,
    groups: Groups,
    drift: Drift,
    waiting: Waiting,
    relays: VecDeque<Relay>,
    held: Vec<Record>,
    users: HashMap<u32, String>,
    /// Epoch minus boot-time clock, nanoseconds.
    offset: u64,
    sequence: u64,
    sequences: HashMap<(u16, bool), u32>,
    ticked: u64,
    refreshed: u64,
}

/// A connect whose process sits between pipes that do not lead back to it yet.
struct Relay {
    until: u64,
    header: Header,
    ends: [decode::End; 3],
    event: Event,
    fired: Vec<String>,
}

/// What a pipeline is made of.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) programs: Programs,
    pub(crate) losses: Arc<Losses>,
    pub(crate) judge: Judge,
    pub(crate) worker: Worker,
    pub(crate) answers: mpsc::Receiver<Answer>,
}

impl Pipeline {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { config, clock, programs, losses, judge, worker, answers } = parts;
        Self {
            groups: Groups::existing(&config.root),
            users: assemble::users(&config.root),
            drift: Drift::new(&config.root),
            offset: epoch_offset(clock.as_ref()),
            config,
            clock,
            programs,
            losses,
            judge,
            worker,
            answers,
            processes: Processes::default(),
            streams: Streams::default(),
            waiting: Waiting::default(),
            relays: VecDeque::new(),
            held: Vec::new(),
            sequence: 0,
            sequences: HashMap::new(),
            ticked: 0,
            refreshed: 0,
        }
    }

    /// Runs until `stop`, then judges what has arrived. `ready` is called once all that ran before is known.
    pub(crate) fn run(mut self, stop: &AtomicBool, ready: impl FnOnce()) {
        for question in self.groups.containers() {
            let cgroup = question.cgroup;
            if self.worker.ask(question) {
                self.groups.set(cgroup, Resolved::Waiting);
            }
        }
        if let Err(error) = self.programs.list_processes() {
            tracing::warn!(%error, "running processes could not be listed");
        }
        self.turn();
        ready();
        while !stop.load(Ordering::Relaxed) {
            self.wait();
            self.turn();
        }
        self.turn();
        self.release(u64::MAX);
        self.tick();
    }

    fn wait(&self) {
        let busy = !(self.held.is_empty() && self.waiting.is_empty());
        let mut rings = [
            PollFd::new(&self.programs.priority, PollFlags::IN),
            PollFd::new(&self.programs.data, PollFlags::IN),
        ];
        // An interrupted wait is a short one.
        if poll(&mut rings, Some(if busy { &BUSY } else { &IDLE })).is_ok_and(|count| count > 0) {
            std::thread::sleep(NAP);
        }
    }

    /// Takes what the rings hold now, and everything that became due.
    fn turn(&mut self) {
        loop {
            let (records, more) = self.take();
            let now = boot_ns();
            for record in records {
                self.take_in(record, now);
            }
            self.take_answers();
            self.release(now);
            if now > self.ticked + SECOND_NS {
                self.ticked = now;
                self.tick();
            }
            if !more {
                return;
            }
        }
    }

    /// Records of both rings in order of time, and whether more wait. Data records first, then every priority record:
    /// an exec that happened before an open has been written before it.
    fn take(&mut self) -> (Vec<Record>, bool) {
        let mut records = std::mem::take(&mut self.held);
        let mut gaps = 0;
        let mut malformed = 0;
        let mut drain = |ring: &mut RingBuf<MapData>, priority: bool, limit: usize| {
            let mut count = 0;
            while count < limit
                && let Some(item) = ring.next()
            {
                count += 1;
                match decode::record(&item) {
                    Ok(record) => {
                        let key = (record.header.cpu, priority);
                        let last = self.sequences.insert(key, record.header.sequence);
                        let step = record.header.sequence.wrapping_sub(last.unwrap_or_default());
                        gaps +=
                            if step < u32::MAX / 2 { u64::from(step.saturating_sub(1)) } else { 0 };
                        records.push(record);
                    }
                    Err(_) => malformed += 1,
                }
            }
            count == limit
        };
        let more = drain(&mut self.programs.data, false, BATCH);
        let _drained = drain(&mut self.programs.priority, true, usize::MAX);
        self.losses.add("record:malformed", malformed);
        self.sequence += gaps;
        // What ran before comes first, although it was listed after the first events; of that, parents before
        // children. The kernel lists by process number, which wraps.
        let order = |record: &Record| match &record.body {
            Body::State(image) => (false, image.start),
            _ => (true, record.header.time),
        };
        records.sort_by_key(order);
        (records, more)
    }

    fn take_in(&mut self, record: Record, now: u64) {
        let waits_for_exec = matches!(record.body, Body::Open(_) | Body::Connect(_))
            && !self.processes.contains(record.header.exec_id);
        if waits_for_exec {
            if now < record.header.time + HOLD_NS {
                self.held.push(record);
                return;
            }
            self.losses.add("process:unknown", 1);
            self.adopt(&record.header);
        }
        self.handle(record);
    }

    fn take_answers(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            match answer {
                Answer::Running(containers) => {
                    let observed = self.clock.now();
                    self.judge.send(Report::Running { containers, observed });
                }
                Answer::Group { cgroup, found } => {
                    self.groups.set(
                        cgroup,
                        match found {
                            Some((container, identity)) => Resolved::Container(container, identity),
                            None => Resolved::Host,
                        },
                    );
                    for (event, nested) in self.waiting.answered(cgroup) {
                        self.deliver(event, cgroup, nested);
                    }
                }
            }
        }
    }

    /// Events that waited long enough go on as pending.
    fn release(&mut self, now: u64) {
        for (mut event, cgroup, nested) in self.waiting.expired(now) {
            if let Resolved::Container(container, _) = self.groups.by_path(cgroup, nested) {
                event.container = Some(container);
            }
            event.identity = Identity::Pending;
            self.judge.judge(&event, None);
        }
        while self.relays.front().is_some_and(|relay| relay.until < now) {
            self.relays.pop_front();
        }
    }

    /// Judges an event as soon as its container is known; returns what fired, if it was judged at once.
    fn deliver(&mut self, mut event: Event, cgroup: u64, nested: bool) -> Vec<String> {
        match self.resolve(cgroup, nested) {
            Resolved::Waiting => {
                let until = boot_ns() + waiting::PATIENCE_NS;
                if let Some(overdue) = self.waiting.push(event, cgroup, nested, until) {
                    self.losses.add("queue:identity", 1);
                    self.judge.judge(&overdue, None);
                }
                Vec::new()
            }
            resolved => {
                place(&mut event, resolved);
                self.judge.judge(&event, None)
            }
        }
    }

    fn resolve(&mut self, cgroup: u64, nested: bool) -> Resolved {
        match self.groups.get(cgroup) {
            Some(Resolved::Host) if nested => {}
            Some(resolved) => return resolved.clone(),
            None => {}
        }
        if self.groups.path(cgroup).is_none() {
            let now = boot_ns();
            if now > self.refreshed + SECOND_NS {
                self.refreshed = now;
                self.groups.refresh(&self.config.root);
            }
        }
        let known_host = self.groups.get(cgroup).is_some();
        let resolved = match self.groups.path(cgroup) {
            Some(path) if path != "/" && !known_host => {
                let question = Question { cgroup, path: path.to_owned(), nested };
                match self.worker.ask(question) {
                    true => Resolved::Waiting,
                    false => self.groups.by_path(cgroup, nested),
                }
            }
            _ => self.groups.by_path(cgroup, nested),
        };
        self.groups.set(cgroup, resolved.clone());
        resolved
    }

    fn tick(&mut self) {
        self.offset = epoch_offset(self.clock.as_ref());
        for (class, count) in self.programs.counters.losses() {
            self.losses.set(class, count);
        }
        self.losses.set("cache:processes", self.processes.evicted);
        self.losses.set("cache:streams", self.streams.evicted);
        self.judge.tick();
        let (repeated, unwatched) = self.programs.counters.left_out();
        tracing::trace!(repeated, unwatched, lost = self.losses.total(), "sensor second");
    }
}

fn place(event: &mut Event, resolved: Resolved) {
    match resolved {
        Resolved::Container(container, identity) => {
            event.container = Some(container);
            event.identity = identity;
        }
        Resolved::Host | Resolved::Waiting => event.identity = Identity::Complete,
    }
}

/// The clock of all records.
fn boot_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or_default() * SECOND_NS
        + u64::try_from(now.tv_nsec).unwrap_or_default()
}

fn epoch_offset(clock: &dyn Clock) -> u64 {
    let epoch = u64::try_from(clock.now()).unwrap_or_default() * 1_000_000;
    epoch.saturating_sub(boot_ns())
}
