//! Recorded events and audit logs to alerts, one JSON object each: what `seawall replay` prints.
use crate::audit::{Counts, Decoded, Decoder, Numbered};
use crate::clock;
use crate::event_view::{EventView, FieldEvent};
use crate::rule_set::{Fired, RuleSet, State};
use crate::timeline::Timeline;
use seawall_model::event::Event;
use seawall_model::{Problem, Severity};
use serde_json::{Map, Value as Json, json};

/// Audit records held back until one carries a time. Where so many have none, the others go without theirs.
const MAX_UNTIMED: usize = 10_000;

/// How a replay treats its rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplayOptions {
    /// Only the first rule that matches an event, in order of definition: Falco's default.
    pub first_match: bool,
    /// Also rules in `mode: audit`.
    pub audit: bool,
}

/// One alert of a replay.
#[derive(Debug)]
pub struct ReplayAlert {
    pub severity: Severity,
    /// Keys in order: time rule priority source output output_fields tags id severity mitre event.
    pub json: Json,
}

/// Evaluates records one after the other.
#[derive(Debug)]
pub struct Replay<'s> {
    set: &'s RuleSet,
    state: State,
    options: ReplayOptions,
    records: u64,
    timeline: Timeline,
}

impl<'s> Replay<'s> {
    /// `timed` tells whether any record of the file carries a time: see [`has_time`].
    pub fn new(set: &'s RuleSet, options: ReplayOptions, timed: bool) -> Self {
        let timeline = Timeline::new(timed);
        Self { set, state: set.state(), options, records: 0, timeline }
    }

    /// Evaluates one line. A line that does not decode is a problem with its record number as line; problems with
    /// single fields come beside the alerts.
    pub fn line(&mut self, line: &str) -> Result<(Vec<ReplayAlert>, Vec<Problem>), Problem> {
        self.records += 1;
        let record = u32::try_from(self.records).unwrap_or(u32::MAX);
        let place = |mut problem: Problem| {
            (problem.line, problem.column) = (Some(record), None);
            problem
        };
        let (mut event, problems) = FieldEvent::parse(line).map_err(place)?;
        let settled = self.timeline.settle(event.time_ns(), self.records);
        event.set_time(settled.time_ns);
        let alerts = self.evaluate(&event, settled.shown, self.records);
        Ok((alerts, problems.into_iter().map(place).collect()))
    }

    fn audit(&mut self, numbered: Numbered) -> Vec<ReplayAlert> {
        let mut event = Event::of_audit(numbered.event, numbered.record);
        let settled = self.timeline.settle(event.time_ns, numbered.record);
        event.time_ns = settled.time_ns;
        self.evaluate(&event, settled.shown, numbered.record)
    }

    fn evaluate(
        &mut self,
        event: &dyn EventView,
        shown: Option<u64>,
        record: u64,
    ) -> Vec<ReplayAlert> {
        let fired = self.set.evaluate(event, &mut self.state);
        let wanted = fired.iter().filter(|fired| self.options.audit || !fired.rule.audit);
        let limit = if self.options.first_match { 1 } else { usize::MAX };
        wanted.take(limit).map(|fired| alert(fired, shown, record)).collect()
    }

    /// A warning for the records whose time was missing or late, so that the one before lent them its own.
    pub fn untimed(&self) -> Option<Problem> {
        let count = self.timeline.flagged();
        let message =
            format!("{count} records have no time or a late one, and took the previous one's");
        (count > 0).then(|| Problem::warning("time", message))
    }
}

/// Evaluates an audit log as its bytes come.
#[derive(Debug)]
pub struct AuditReplay<'s> {
    set: &'s RuleSet,
    options: ReplayOptions,
    decoder: Decoder,
    /// Records before the first with a time.
    waiting: Vec<Numbered>,
    replay: Option<Replay<'s>>,
}

impl<'s> AuditReplay<'s> {
    pub fn new(set: &'s RuleSet, options: ReplayOptions) -> Self {
        Self { set, options, decoder: Decoder::default(), waiting: Vec::new(), replay: None }
    }

    /// Evaluates what the next bytes complete. Each problem is a record that did not decode, wholly or in part.
    pub fn push(&mut self, bytes: &[u8]) -> (Vec<ReplayAlert>, Vec<Problem>) {
        let decoded = self.decoder.push(bytes);
        self.take(decoded)
    }

    /// Evaluates the rest.
    pub fn end(mut self) -> Replayed {
        let decoded = self.decoder.end();
        let (mut alerts, mut problems) = self.take(decoded);
        if self.replay.is_none() {
            alerts.extend(self.start(false));
        }
        let Counts { foreign, duplicates, faulty, .. } = self.decoder.counts();
        let told = [
            (foreign, "foreign", "are not of a Kubernetes audit log"),
            (duplicates, "duplicate", "came before"),
        ];
        let told = told.into_iter().filter(|(count, ..)| *count > 0);
        problems.extend(told.map(|(count, code, what)| {
            Problem::note(code, format!("records that {what}: {count}"))
        }));
        problems.extend(self.replay.as_ref().and_then(Replay::untimed));
        Replayed { alerts, problems, undecodable: faulty }
    }

    fn take(&mut self, decoded: Decoded) -> (Vec<ReplayAlert>, Vec<Problem>) {
        let mut alerts = Vec::new();
        for numbered in decoded.events {
            if let Some(replay) = &mut self.replay {
                alerts.extend(replay.audit(numbered));
                continue;
            }
            let timed = numbered.event.time_ns.is_some();
            self.waiting.push(numbered);
            if timed || self.waiting.len() >= MAX_UNTIMED {
                alerts.extend(self.start(timed));
            }
        }
        (alerts, decoded.problems)
    }

    /// Begins to evaluate, with what has waited.
    fn start(&mut self, timed: bool) -> Vec<ReplayAlert> {
        let replay = self.replay.insert(Replay::new(self.set, self.options, timed));
        self.waiting.drain(..).flat_map(|numbered| replay.audit(numbered)).collect()
    }
}

/// Whether a line carries a time of its own.
pub fn has_time(line: &str) -> bool {
    FieldEvent::parse(line).is_ok_and(|(event, _)| event.time_ns().is_some())
}

/// The alert's JSON; `record` counts from 1.
fn alert(fired: &Fired<'_>, time: Option<u64>, record: u64) -> ReplayAlert {
    let rule = fired.rule;
    let severity = rule.priority.severity();
    let fields: Map<String, Json> = fired.output_fields.iter().cloned().collect();
    let json = json!({
        "time": time.map(clock::rfc3339),
        "rule": rule.name,
        "priority": rule.priority.as_str(),
        "source": rule.source,
        "output": fired.output,
        "output_fields": fields,
        "tags": rule.tags,
        "id": rule.id,
        "severity": severity.as_str(),
        "mitre": rule.mitre.iter().map(|technique| technique.as_str()).collect::<Vec<_>>(),
        "event": record,
    });
    ReplayAlert { severity, json }
}

/// What a whole file gave.
#[derive(Debug, Default)]
pub struct Replayed {
    pub alerts: Vec<ReplayAlert>,
    pub problems: Vec<Problem>,
    /// Records that did not decode.
    pub undecodable: u64,
}

/// Evaluates a file of one record per line; blank lines are no records.
pub fn replay<'l>(
    set: &RuleSet,
    lines: impl Iterator<Item = &'l str> + Clone,
    options: ReplayOptions,
) -> Replayed {
    let lines = lines.filter(|line| !line.trim().is_empty());
    let mut replay = Replay::new(set, options, lines.clone().any(has_time));
    let mut replayed = Replayed::default();
    for line in lines {
        match replay.line(line) {
            Ok((alerts, problems)) => {
                replayed.alerts.extend(alerts);
                replayed.problems.extend(problems);
            }
            Err(problem) => {
                replayed.undecodable += 1;
                replayed.problems.push(problem);
            }
        }
    }
    replayed.problems.extend(replay.untimed());
    replayed
}
