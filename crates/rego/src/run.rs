//! The bounds of one evaluation: steps, the caller's deadline, the caller's time.
//!
//! The interpreter asks a process-wide source for the time. Ours counts how often it is asked, per thread: its time is
//! work done, so that the same policy on the same input ends the same way on every machine.
use crate::builtin::{Answer, Stop};
use regorus::Value;
use regorus::utils::limits::{ExecutionTimerConfig, TimeSource};
use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

/// Interpreter steps between two looks at the bounds: some microseconds.
const INTERVAL: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// What an evaluation may take.
#[derive(Clone)]
pub struct Limits {
    /// Steps of the interpreter, one per expression: two million take about a second.
    pub steps: u64,
    /// Ends an evaluation that takes too long. Engines have no clock, so the caller brings its own.
    pub clock: Option<Clock>,
    /// Nanoseconds since 1970 for `time.now_ns`; absent: a policy that asks has no answer.
    pub now: Option<i64>,
}

/// A time limit of each evaluation by itself, looked at every 64 steps.
#[derive(Clone)]
pub struct Clock {
    /// Time since any fixed point; never goes back.
    pub read: Rc<dyn Fn() -> Duration>,
    /// From begin to end.
    pub limit: Duration,
}

/// Steps that no policy of use reaches; templates of ours take under ten thousand on a pod.
pub const DEFAULT_STEPS: u64 = 2_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self { steps: DEFAULT_STEPS, clock: None, now: None }
    }
}

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
    /// The clock and when it ends the evaluation.
    static DEADLINE: RefCell<Option<(Clock, Duration)>> = const { RefCell::new(None) };
    static NOW: Cell<Option<i64>> = const { Cell::new(None) };
    static STOPPED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

struct Steps;

impl TimeSource for Steps {
    fn now(&self) -> Option<Duration> {
        let steps = STEPS.get() + u64::from(INTERVAL.get());
        STEPS.set(steps);
        let expired = DEADLINE.with_borrow(|deadline| {
            deadline.as_ref().is_some_and(|(clock, end)| (clock.read)() > *end)
        });
        if expired {
            STOPPED.set(Some("out of time"));
            return Some(Duration::MAX);
        }
        Some(Duration::from_nanos(steps))
    }
}

/// Begins an evaluation on this thread and says how the engine is to watch it.
pub(crate) fn begin(limits: &Limits) -> ExecutionTimerConfig {
    static SOURCE: Once = Once::new();
    SOURCE.call_once(|| {
        // Set once per process, and by nobody else: no other crate names the interpreter.
        let _ = regorus::utils::limits::set_time_source(&Steps);
    });
    STEPS.set(0);
    NOW.set(limits.now);
    STOPPED.set(None);
    let deadline = limits.clock.clone().map(|clock| {
        let end = (clock.read)().saturating_add(clock.limit);
        (clock, end)
    });
    DEADLINE.set(deadline);
    ExecutionTimerConfig { limit: Duration::from_nanos(limits.steps), check_interval: INTERVAL }
}

/// Ends it. Returns the bound that was reached, if one was.
pub(crate) fn end(error: Option<&regorus::LimitError>) -> Option<String> {
    DEADLINE.set(None);
    let stopped = STOPPED.take();
    match (stopped, error) {
        (Some(what), _) => Some(what.to_owned()),
        (None, Some(regorus::LimitError::TimeLimitExceeded { limit, .. })) => {
            Some(format!("over {} steps", limit.as_nanos()))
        }
        (None, Some(other)) => Some(other.to_string()),
        (None, None) => None,
    }
}

/// Steps taken since [`begin`], to the next 64.
pub(crate) fn steps() -> u64 {
    STEPS.get()
}

/// Notes that a bound was reached inside of a function.
pub(crate) fn stop(what: &'static str) -> anyhow::Error {
    STOPPED.set(Some(what));
    anyhow::anyhow!(what)
}

/// `time.now_ns`.
pub(crate) fn now(_: &[Value]) -> Answer {
    NOW.get().map(Value::from).ok_or(Stop::Limit("no time was given"))
}
