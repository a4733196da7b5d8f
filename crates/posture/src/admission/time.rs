//! The time that one answer may take. Engines have no clock: whoever asks brings one.
use seawall_model::Millis;
use seawall_policy::gatekeeper::{Clock, DEFAULT_STEPS, Limits};
use std::rc::Rc;
use std::time::Duration;

/// Of one evaluation of Rego at admission: a twentieth of the shortest time that is waited for an answer.
const MAX_EVALUATION: Duration = Duration::from_millis(100);
/// Steps of one evaluation of Rego where nobody brings a clock: about [`MAX_EVALUATION`].
const UNTIMED_STEPS: u64 = DEFAULT_STEPS / 10;

/// A clock and the moment by which the answer must be there.
#[derive(Clone)]
pub struct Time(Option<(Rc<dyn Fn() -> Duration>, Duration)>);

impl Time {
    /// `clock` is the time since any fixed point and never goes back; `end` is on it.
    pub fn until(clock: Rc<dyn Fn() -> Duration>, end: Duration) -> Self {
        Self(Some((clock, end)))
    }

    /// As long as it takes: policies end by their own budgets alone, the same way on every machine.
    pub fn unlimited() -> Self {
        Self(None)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.as_ref().is_some_and(|(clock, end)| clock() >= *end)
    }

    /// For one evaluation that begins now; `now` is what policies are told.
    pub(super) fn limits(&self, now: Millis) -> Limits {
        let now = now.checked_mul(1_000_000);
        match &self.0 {
            None => Limits { steps: UNTIMED_STEPS, clock: None, now },
            Some((read, end)) => {
                let limit = end.saturating_sub(read()).min(MAX_EVALUATION);
                let clock = Clock { read: Rc::clone(read), limit };
                Limits { steps: DEFAULT_STEPS, clock: Some(clock), now }
            }
        }
    }
}
