//! Times in which requests passed unjudged: from outages the agent knows of, and from what the API server's audit
//! says of requests it let pass.
//!
//! ```text
//! Life ─outage─────────────────► Pending ─settled─► Gap
//! audit event ─failed open?─────►    └ joined within 30 s, counted once
//! ```
//!
//! Source: k8s.io/apiserver `admission/plugin/webhook/validating/dispatcher.go`, 1.36: the annotation
//! `failed-open.validating.webhook.admission.k8s.io/round_0_index_N` has the webhook's name as its value.
use seawall_cluster::POLICIES;
use seawall_model::Millis;
use seawall_model::admission::Gap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// What passed unjudged this near to a gap belongs to it.
const JOIN: Millis = 30_000;
/// A gap is told this long after its end: the API server gathers audit events for 30 s, and after a failed delivery
/// waits up to 34 s before it tries again.
const SETTLE: Millis = 90_000;
/// Gaps that wait to be told; the oldest goes early when more come.
const MAX_PENDING: usize = 64;
/// Audit ids remembered, as events come again when an answer was lost: a minute of 130 failures a second.
const MAX_SEEN: usize = 8_192;
/// Key of the annotation, up to the round.
const FAILED_OPEN: &str = "failed-open.validating.webhook.admission.k8s.io/";

/// Why nobody judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The agent was gone and came back.
    Restart,
    /// It could not be reached, or did not run.
    Unreachable,
    /// Its certificate had expired.
    Expired,
    /// It did not answer in time.
    Timeout,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Unreachable => "unreachable",
            Self::Expired => "expired",
            Self::Timeout => "timeout",
        }
    }
}

/// A gap that may still grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    from: Millis,
    to: Millis,
    /// Of audit events.
    requests: u64,
    reason: Reason,
    /// Known from the agent's own life, not from audit events alone.
    outage: bool,
}

impl Pending {
    /// Milliseconds between them; none where they overlap.
    fn distance(&self, from: Millis, to: Millis) -> Millis {
        (from - self.to).max(self.from - to).max(0)
    }

    fn cover(&mut self, from: Millis, to: Millis) {
        self.from = self.from.min(from);
        self.to = self.to.max(to);
    }
}

/// The gaps of one webhook. Owned by [`super::life::Life`], which persists it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Gaps {
    pending: Vec<Pending>,
    /// When the newest audit event of any kind was made.
    newest_audit: Option<Millis>,
    /// The end of the newest time in which somebody was not answered, whether the request passed or was refused.
    #[serde(default)]
    last_failure: Option<Millis>,
    #[serde(skip)]
    seen: Seen,
}

/// A request that the API server let pass without our answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FailedOpen {
    audit_id: String,
    received: Millis,
    answered: Millis,
}

impl Gaps {
    pub(super) fn new() -> Self {
        Self { pending: Vec::new(), newest_audit: None, last_failure: None, seen: Seen::default() }
    }

    /// Nobody answered from `from` until `to`, as the agent itself knows.
    pub(super) fn outage(&mut self, from: Millis, to: Millis, reason: Reason) {
        self.last_failure = self.last_failure.max(Some(to));
        let mut outage = Pending { from, to, requests: 0, reason, outage: true };
        // What audit events told before is part of it; another outage stays one of its own.
        self.pending.retain(|pending| {
            let part = !pending.outage && pending.distance(from, to) <= JOIN;
            if part {
                outage.cover(pending.from, pending.to);
                outage.requests += pending.requests;
            }
            !part
        });
        self.pending.push(outage);
    }

    /// Looks at one audit event. `webhook` is our name in the configuration, `timeout` what it gives us.
    pub(super) fn audit(&mut self, event: &Value, webhook: &str, timeout: Duration) {
        let Some(time) = time(event, "stageTimestamp").or(time(event, "requestReceivedTimestamp"))
        else {
            return;
        };
        self.newest_audit = self.newest_audit.max(Some(time));
        if is_refused_unjudged(event, webhook) {
            self.last_failure = self.last_failure.max(Some(time));
        }
        let Some(failed) = FailedOpen::read(event, webhook) else { return };
        if !self.seen.is_new(&failed.audit_id) {
            return;
        }
        let (from, to) = (failed.received, failed.answered);
        self.last_failure = self.last_failure.max(Some(to));
        let near = self.pending.iter_mut().filter(|pending| pending.distance(from, to) <= JOIN);
        match near.min_by_key(|pending| (pending.distance(from, to), !pending.outage)) {
            Some(pending) => {
                pending.cover(from, to);
                pending.requests += 1;
            }
            None => {
                let slow = u128::try_from(to - from).is_ok_and(|took| took >= timeout.as_millis());
                let reason = if slow { Reason::Timeout } else { Reason::Unreachable };
                self.pending.push(Pending { from, to, requests: 1, reason, outage: false });
            }
        }
    }

    pub(super) fn last_failure(&self) -> Option<Millis> {
        self.last_failure
    }

    /// Gaps that nothing is added to any more, oldest first. They are forgotten here.
    pub(super) fn due(&mut self, now: Millis) -> Vec<Gap> {
        self.pending.sort_by_key(|pending| (pending.from, pending.to));
        let early = self.pending.len().saturating_sub(MAX_PENDING);
        let mut index = 0;
        let settled = self.pending.extract_if(.., |pending| {
            index += 1;
            index <= early || pending.to + SETTLE <= now
        });
        let newest_audit = self.newest_audit;
        settled
            .map(|pending| {
                // Silence of an audit that reaches us counts as none; of one that does not, as unknown.
                let heard = newest_audit.is_some_and(|newest| newest >= pending.from);
                Gap {
                    from: pending.from,
                    to: pending.to,
                    requests: heard.then_some(pending.requests),
                    reason: pending.reason.as_str().to_owned(),
                }
            })
            .collect()
    }
}

impl FailedOpen {
    /// None where our webhook answered, where the request failed for another reason, or before its end: an event comes
    /// once for each stage.
    fn read(event: &Value, webhook: &str) -> Option<Self> {
        let annotations = event.get("annotations")?.as_object()?;
        let ours = |(key, value): (&String, &Value)| {
            key.starts_with(FAILED_OPEN)
                && value.as_str().is_some_and(|name| name == webhook || name == POLICIES)
        };
        let ended = event.get("stage").and_then(Value::as_str) == Some("ResponseComplete");
        let status = event.pointer("/responseStatus/code").and_then(Value::as_u64);
        let passed = status.is_none_or(|status| status < 400);
        if !ended || !passed || !annotations.iter().any(ours) {
            return None;
        }
        let received = time(event, "requestReceivedTimestamp")?;
        Some(Self {
            audit_id: event.get("auditID")?.as_str()?.to_owned(),
            received,
            answered: time(event, "stageTimestamp").unwrap_or(received).max(received),
        })
    }
}

/// Whether the API server refused the request because nobody answered: with `Fail` nothing passes, so there is no gap.
/// Source: k8s.io/apiserver `admission/plugin/webhook/errors.go` and `validating/dispatcher.go`, 1.36: an internal error
/// with these words.
fn is_refused_unjudged(event: &Value, webhook: &str) -> bool {
    let status = &event["responseStatus"];
    let told = status["message"].as_str().unwrap_or_default();
    status["code"] == 500
        && [webhook, POLICIES]
            .iter()
            .any(|name| told.contains(&format!("failed calling webhook \"{name}\"")))
}

/// RFC 3339 with microseconds, as Kubernetes' `MicroTime`.
pub(super) fn time(event: &Value, key: &str) -> Option<Millis> {
    let time: jiff::Timestamp = event.get(key)?.as_str()?.parse().ok()?;
    Some(time.as_millisecond())
}

/// The last audit ids.
#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<String>,
    ids: HashSet<String>,
}

impl Seen {
    fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Monday, 2026-01-05 00:00:00 UTC.
    const START: Millis = 1_767_571_200_000;
    const NAME: &str = "admission.seawall.dev";
    const TIMEOUT: Duration = Duration::from_secs(5);

    /// An event whose request came after `second` and took `millis`.
    fn event(id: &str, second: i64, millis: i64, webhook: &str, code: u16) -> Value {
        let stamp = |at: Millis| jiff::Timestamp::from_millisecond(at).unwrap().to_string();
        let received = START + second * 1000;
        json!({"kind": "Event", "auditID": id, "stage": "ResponseComplete", "verb": "create",
            "requestReceivedTimestamp": stamp(received), "stageTimestamp": stamp(received + millis),
            "responseStatus": {"code": code}, "annotations": {
                "authorization.k8s.io/decision": "allow", format!("{FAILED_OPEN}round_0_index_0"): webhook}})
    }

    fn failed(id: &str, second: i64) -> Value {
        event(id, second, 10, NAME, 201)
    }

    /// `from..to reason requests` in seconds after the start.
    fn told(gaps: Vec<Gap>) -> Vec<String> {
        let seconds = |at: Millis| (at - START) as f64 / 1000.0;
        let tell = |gap: Gap| {
            let requests = gap.requests.map_or("?".to_owned(), |requests| requests.to_string());
            format!("{}..{} {} {requests}", seconds(gap.from), seconds(gap.to), gap.reason)
        };
        gaps.into_iter().map(tell).collect()
    }

    #[track_caller]
    fn check(outages: &[(i64, i64, Reason)], events: &[Value], expected: &[&str]) {
        for events_first in [false, true] {
            let mut gaps = Gaps::new();
            if events_first {
                events.iter().for_each(|event| gaps.audit(event, NAME, TIMEOUT));
            }
            for (from, to, reason) in outages {
                gaps.outage(START + from * 1000, START + to * 1000, *reason);
            }
            if !events_first {
                events.iter().for_each(|event| gaps.audit(event, NAME, TIMEOUT));
            }
            assert_eq!(told(gaps.due(START + 3_600_000)), expected, "events first: {events_first}");
            assert_eq!(gaps.due(START + 3_600_000), []);
        }
    }

    #[test]
    fn table() {
        use Reason::{Expired, Restart};
        check(&[], &[], &[]);
        // Without audit nobody knows how many passed; with it, silence is none.
        check(&[(10, 25, Restart)], &[], &["10..25 restart ?"]);
        check(
            &[(10, 25, Restart)],
            &[event("a", 30, 5, "other.example", 201)],
            &["10..25 restart 0"],
        );
        check(
            &[(10, 25, Restart)],
            &[event("a", 5, 5, "other.example", 201)],
            &["10..25 restart ?"],
        );
        check(&[(10, 25, Restart)], &[failed("a", 12), failed("b", 20)], &["10..25 restart 2"]);
        // The same event again, other stages, failures of other webhooks and refused requests count for nothing.
        let mut started = failed("c", 13);
        started["stage"] = "RequestReceived".into();
        check(
            &[(10, 25, Expired)],
            &[
                failed("a", 12),
                failed("a", 12),
                started,
                event("d", 14, 1, "other", 201),
                event("e", 15, 1, NAME, 409),
            ],
            &["10..25 expired 1"],
        );
        // Within 30 s of an outage they widen it.
        check(&[(10, 25, Restart)], &[failed("a", 8), failed("b", 55)], &["8..55.01 restart 2"]);
        check(
            &[(10, 25, Restart)],
            &[failed("b", 56)],
            &["10..25 restart 0", "56..56.01 unreachable 1"],
        );
        // Outside any they make their own, joined within 30 s.
        check(
            &[],
            &[failed("a", 0), failed("b", 29), failed("c", 58)],
            &["0..58.01 unreachable 3"],
        );
        check(
            &[],
            &[failed("a", 0), failed("b", 31)],
            &["0..0.01 unreachable 1", "31..31.01 unreachable 1"],
        );
        check(&[], &[event("a", 0, 5_000, NAME, 201)], &["0..5 timeout 1"]);
    }

    #[test]
    fn each_outage_is_told_once_however_near() {
        let mut gaps = Gaps::new();
        gaps.outage(START + 10_000, START + 12_000, Reason::Restart);
        gaps.outage(START + 20_000, START + 22_000, Reason::Restart);
        gaps.audit(&failed("a", 21), NAME, TIMEOUT);
        let expected = ["10..12 restart 0", "20..22 restart 1"];
        assert_eq!(told(gaps.due(START + 3_600_000)), expected);
    }

    #[test]
    fn a_gap_is_told_when_nothing_can_come_any_more() {
        let mut gaps = Gaps::new();
        gaps.outage(START, START + 1_000, Reason::Restart);
        assert_eq!(gaps.due(START + SETTLE), []);
        gaps.audit(&failed("a", 20), NAME, TIMEOUT);
        assert_eq!(gaps.due(START + 1_000 + SETTLE), []);
        assert_eq!(told(gaps.due(START + 20_010 + SETTLE)), ["0..20.01 restart 1"]);
    }

    #[test]
    fn gaps_and_ids_are_bounded() {
        let mut gaps = Gaps::new();
        for index in 0..100 {
            gaps.outage(START + index, START + index, Reason::Restart);
        }
        assert_eq!(gaps.due(START).len(), 100 - MAX_PENDING);
        let mut seen = Seen::default();
        for index in 0..MAX_SEEN * 2 {
            assert!(seen.is_new(&index.to_string()));
        }
        assert_eq!((seen.order.len(), seen.ids.len()), (MAX_SEEN, MAX_SEEN));
    }

    #[test]
    fn the_last_failure_is_known_whether_requests_passed_or_not() {
        #[track_caller]
        fn check(event: Value, expected: Option<Millis>) {
            let mut gaps = Gaps::new();
            gaps.audit(&event, NAME, TIMEOUT);
            assert_eq!(gaps.last_failure().map(|time| time - START), expected);
        }
        let refused = |name: &str, code: u16| {
            let mut event = event("a", 10, 5, "other", code);
            let words = format!("Internal error occurred: failed calling webhook \"{name}\": x");
            event["responseStatus"]["message"] = words.into();
            event
        };
        check(failed("a", 10), Some(10_010));
        check(event("a", 10, 5, "other", 201), None);
        check(refused(NAME, 500), Some(10_005));
        check(refused(POLICIES, 500), Some(10_005));
        check(refused("other", 500), None);
        check(refused(NAME, 403), None);
        let mut gaps = Gaps::new();
        gaps.outage(START, START + 7, Reason::Restart);
        gaps.outage(START, START + 3, Reason::Restart);
        assert_eq!(gaps.last_failure(), Some(START + 7));
    }

    #[test]
    fn what_is_no_event_says_nothing() {
        let mut gaps = Gaps::new();
        for event in [
            json!(null),
            json!([]),
            json!({"annotations": 1}),
            json!({"stageTimestamp": "yesterday"}),
        ] {
            gaps.audit(&event, NAME, TIMEOUT);
        }
        let mut nameless = failed("a", 1);
        nameless["auditID"] = Value::Null;
        gaps.audit(&nameless, NAME, TIMEOUT);
        assert!(gaps.pending.is_empty());
    }
}
