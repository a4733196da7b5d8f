//! What the webhook has done, for status pages and for Prometheus. Counters begin at zero with the process.
use seawall_cluster::webhook::{Route, Served};
use seawall_posture::admission::{Counts, Outcome};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's buckets in milliseconds: from the engine's share to the longest timeout.
const BUCKETS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000];

/// A snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// By path and HTTP status.
    pub requests: BTreeMap<(Route, u16), u64>,
    /// Answers to `/admit` by bucket, not cumulative; the last bucket has no bound.
    pub durations: [u64; BUCKETS.len() + 1],
    pub duration_sum: Duration,
    /// No answer in time.
    pub timeouts: u64,
    pub outcomes: BTreeMap<Outcome, u64>,
    pub dry_runs: u64,
    /// Controls without an answer, by id.
    pub undecided: BTreeMap<String, u64>,
    /// Controls that time did not suffice for, by id.
    pub unfinished: BTreeMap<String, u64>,
    /// Failures told of updates that added none.
    pub already_failing: u64,
    /// Reviews that could not be read.
    pub malformed: u64,
    /// Decisions that nobody took in time; their requests were answered.
    pub decisions_dropped: u64,
}

/// Totals under a lock that is held for a few additions.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Totals>);

impl Counters {
    pub fn totals(&self) -> Totals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn served(&self, served: Served) {
        self.add(|totals| {
            *totals.requests.entry((served.route, served.status)).or_default() += 1;
            totals.timeouts += u64::from(served.timed_out && served.route == Route::Admit);
            if served.route == Route::Admit {
                let within = |bound: &u64| served.took <= Duration::from_millis(*bound);
                let bucket = BUCKETS.iter().position(within).unwrap_or(BUCKETS.len());
                totals.durations[bucket] += 1;
                totals.duration_sum += served.took;
            }
        });
    }

    pub(super) fn judged(&self, counts: &Counts) {
        self.add(|totals| {
            *totals.outcomes.entry(counts.outcome).or_default() += 1;
            totals.dry_runs += u64::from(counts.dry_run);
            totals.already_failing += counts.already_failing as u64;
            for id in &counts.undecided {
                *totals.undecided.entry(id.clone()).or_default() += 1;
            }
            for id in &counts.unfinished {
                *totals.unfinished.entry(id.clone()).or_default() += 1;
            }
        });
    }

    pub(super) fn malformed(&self) {
        self.add(|totals| totals.malformed += 1);
    }

    pub(super) fn decision_dropped(&self) {
        self.add(|totals| totals.decisions_dropped += 1);
    }
}

impl Totals {
    /// Text of Prometheus' exposition format 0.0.4.
    pub fn prometheus(&self) -> String {
        let mut text = Text::default();
        text.head("requests_total", "counter", "Requests by path and HTTP status.");
        for ((route, status), count) in &self.requests {
            let path = match route {
                Route::Admit => "/admit",
                Route::Audit => "/audit",
                Route::Ready => "/readyz",
                Route::Other => "other",
            };
            let labels = format!("{{path=\"{path}\",code=\"{status}\"}}");
            text.line("requests_total", &labels, count);
        }
        self.histogram(&mut text);
        text.head("timeouts_total", "counter", "Reviews without an answer in time.");
        text.line("timeouts_total", "", &self.timeouts);
        text.head("verdicts_total", "counter", "Reviews by what came of them.");
        for (outcome, count) in &self.outcomes {
            text.line("verdicts_total", &format!("{{verdict=\"{}\"}}", outcome.as_str()), count);
        }
        let by_control = [
            (
                "undecided_total",
                "Controls without an answer; the request was allowed.",
                &self.undecided,
            ),
            (
                "unfinished_total",
                "Controls not judged in time; the request was allowed.",
                &self.unfinished,
            ),
        ];
        for (name, help, counts) in by_control {
            text.head(name, "counter", help);
            for (control, count) in counts {
                text.line(name, &format!("{{control=\"{control}\"}}"), count);
            }
        }
        for (name, help, count) in [
            ("dry_runs_total", "Reviews of dry runs, answered and not recorded.", self.dry_runs),
            ("already_failing_total", "Failures that an update did not add.", self.already_failing),
            ("malformed_total", "Reviews that could not be read.", self.malformed),
            (
                "decisions_dropped_total",
                "Decisions that could not be recorded.",
                self.decisions_dropped,
            ),
        ] {
            text.head(name, "counter", help);
            text.line(name, "", &count);
        }
        text.0
    }

    fn histogram(&self, text: &mut Text) {
        text.head("duration_seconds", "histogram", "From a review's head to its answer.");
        let mut count = 0;
        for (index, bucket) in self.durations.iter().enumerate() {
            count += bucket;
            let bound = BUCKETS.get(index);
            let bound =
                bound.map_or("+Inf".to_owned(), |millis| (*millis as f64 / 1000.0).to_string());
            text.line("duration_seconds_bucket", &format!("{{le=\"{bound}\"}}"), &count);
        }
        text.line("duration_seconds_sum", "", &self.duration_sum.as_secs_f64());
        text.line("duration_seconds_count", "", &count);
    }
}

/// Lines whose names begin with the room and the noun.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    pub(super) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let name = format!("seawall_agent_admission_{name}");
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn line(&mut self, name: &str, labels: &str, value: &dyn std::fmt::Display) {
        let _infallible = writeln!(self.0, "seawall_agent_admission_{name}{labels} {value}");
    }
}

#[test]
fn text_for_prometheus() {
    let counters = Counters::default();
    let served = |millis, status, timed_out| Served {
        route: Route::Admit,
        status,
        took: Duration::from_millis(millis),
        timed_out,
    };
    counters.served(served(1, 200, false));
    counters.served(served(3, 200, false));
    counters.served(served(40_000, 504, true));
    counters.judged(&Counts {
        outcome: Outcome::Denied,
        dry_run: true,
        undecided: vec!["SW-C-0001".to_owned()],
        unfinished: vec!["SW-C-0002".to_owned(), "SW-C-0003".to_owned()],
        ignored: Vec::new(),
        already_failing: 2,
    });
    counters.malformed();
    let text = counters.totals().prometheus();
    for line in [
        "# TYPE seawall_agent_admission_duration_seconds histogram",
        "requests_total{path=\"/admit\",code=\"200\"} 2",
        "duration_seconds_bucket{le=\"0.001\"} 1",
        "duration_seconds_bucket{le=\"0.005\"} 2",
        "duration_seconds_bucket{le=\"30\"} 2",
        "duration_seconds_bucket{le=\"+Inf\"} 3",
        "duration_seconds_sum 40.004",
        "duration_seconds_count 3",
        "timeouts_total 1",
        "verdicts_total{verdict=\"denied\"} 1",
        "undecided_total{control=\"SW-C-0001\"} 1",
        "unfinished_total{control=\"SW-C-0003\"} 1",
        "already_failing_total 2",
        "malformed_total 1",
        "dry_runs_total 1",
    ] {
        let whole = if line.starts_with('#') {
            line.to_owned()
        } else {
            format!("seawall_agent_admission_{line}")
        };
        assert!(text.lines().any(|other| other == whole), "{whole}\n{text}");
    }
}
