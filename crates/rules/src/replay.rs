//! Recorded events to alerts, one JSON object each: what `seawall replay --events` prints.
use crate::clock;
use crate::event_view::{EventView, FieldEvent};
use crate::rule_set::{Fired, RuleSet, State};
use seawall_model::{Problem, Severity};
use serde_json::{Map, Value as Json, json};

/// A record this much older than the latest is taken to have come late: its time is the previous record's.
const LATE_NS: u64 = 60 * clock::SECOND;
/// Between records of a file in which none carries a time.
const STEP_NS: u64 = 1_000_000;

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
    /// Whether any record of the file carries a time.
    timed: bool,
    records: u64,
    latest: Option<u64>,
    /// Records without a usable time of their own.
    flagged: u64,
}

impl<'s> Replay<'s> {
    /// `timed` tells whether any record of the file carries a time: see [`has_time`].
    pub fn new(set: &'s RuleSet, options: ReplayOptions, timed: bool) -> Self {
        Self { set, state: set.state(), options, timed, records: 0, latest: None, flagged: 0 }
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
        let shown = self.set_time(&mut event);
        let fired = self.set.evaluate(&event, &mut self.state);
        let wanted = fired.iter().filter(|fired| self.options.audit || !fired.rule.audit);
        let limit = if self.options.first_match { 1 } else { usize::MAX };
        let alerts = wanted.take(limit).map(|fired| alert(fired, shown, self.records)).collect();
        Ok((alerts, problems.into_iter().map(place).collect()))
    }

    /// A warning for the records whose time was missing or late, so that the one before lent them its own.
    pub fn untimed(&self) -> Option<Problem> {
        let count = self.flagged;
        let message =
            format!("{count} records have no time or a late one, and took the previous one's");
        (count > 0).then(|| Problem::warning("time", message))
    }

    /// Gives the event the time that windows go by; returns the one that is printed.
    fn set_time(&mut self, event: &mut FieldEvent) -> Option<u64> {
        if !self.timed {
            event.set_time(Some(self.records * STEP_NS));
            return None;
        }
        let usable = event
            .time_ns()
            .filter(|time| self.latest.is_none_or(|latest| time.saturating_add(LATE_NS) >= latest));
        let time = usable.or(self.latest);
        self.flagged += u64::from(usable.is_none());
        self.latest = self.latest.max(time);
        event.set_time(time);
        time
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
