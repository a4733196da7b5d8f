//! Which events a condition can be true on: by type, and by whether the call succeeded.
use crate::condition::Op;
use crate::fields::names::ERRORS;
use crate::matching::{Test, TextTest};
use crate::value::{Quantity, Value};
use seawall_model::event::EventKind;
use std::ops::RangeInclusive;

/// System calls whose events a sensor makes, with the kind that carries them.
pub(crate) const COLLECTED: [(&str, EventKind); 12] = [
    ("execve", EventKind::Exec),
    ("execveat", EventKind::Exec),
    ("fork", EventKind::Fork),
    ("vfork", EventKind::Fork),
    ("clone", EventKind::Fork),
    ("clone3", EventKind::Fork),
    ("procexit", EventKind::Exit),
    ("open", EventKind::Open),
    ("openat", EventKind::Open),
    ("openat2", EventKind::Open),
    ("creat", EventKind::Open),
    ("connect", EventKind::Connect),
];

/// A set of events. In the lower half one bit per entry of [`COLLECTED`] and one for all other types, in the upper
/// half the same for calls that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventSet(u32);

const HALF: u32 = 16;
/// A call returns these where it failed. Source: `linux/err.h`, MAX_ERRNO.
const FAILURES: RangeInclusive<i128> = -4095..=-1;
const SUCCESSES: RangeInclusive<i128> = 0..=i64::MAX as i128;

impl EventSet {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u32::MAX);
    const SUCCEEDED: Self = Self((1 << HALF) - 1);
    const FAILED: Self = Self(!Self::SUCCEEDED.0);
    const OTHER: Self = Self::both(COLLECTED.len());

    /// Successes and failures of the type with that bit.
    const fn both(bit: usize) -> Self {
        Self(1 << bit | 1 << (bit as u32 + HALF))
    }

    pub(crate) fn of(name: &str) -> Self {
        Self::both(Self::bit(name))
    }

    /// The index's bit of a type.
    pub(crate) fn bit(name: &str) -> usize {
        COLLECTED.iter().position(|(known, _)| *known == name).unwrap_or(COLLECTED.len())
    }

    /// Whether events of the type with that bit are in it, whatever became of the call.
    pub(crate) fn has(self, bit: usize) -> bool {
        !self.and(Self::both(bit)).is_empty()
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether events that are no system calls are in it.
    pub(crate) fn has_others(self) -> bool {
        !self.and(Self::OTHER).is_empty()
    }

    fn not(self) -> Self {
        Self(!self.0)
    }

    /// What of it a sensor reports: execs, forks and opens once they have succeeded, connects in any case.
    pub(crate) fn collected(self) -> Self {
        let reported = Self::SUCCEEDED.or(Self::of("connect"));
        self.and(reported).and(Self::OTHER.not())
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// On which events a comparison of `evt.type` is true and on which it is false.
pub(crate) fn of_types<'l>(
    op: Op,
    test: &Test,
    names: impl Iterator<Item = &'l str>,
) -> Option<(EventSet, EventSet)> {
    let plain = matches!(op, Op::Eq | Op::Ne | Op::In | Op::Intersects);
    if !plain || matches!(test, Test::Combined { .. }) {
        return None;
    }
    let types = names.fold(EventSet::NONE, |types, name| types.or(EventSet::of(name)));
    // Several unknown calls share one bit: of those, some pass and some do not.
    let others = types.not().or(EventSet::OTHER);
    Some(if op == Op::Ne { (others, types) } else { (types, others) })
}

/// The same for fields that tell whether the call succeeded.
pub(crate) fn of_outcome(field: &str, test: &Test) -> Option<(EventSet, EventSet)> {
    let passes = |value: Value<'_>| test.passes(&value, Quantity::One, false);
    // Whether some value passes, and whether some does not: after a success, after a failure.
    let [success, failure] = match (field, test) {
        ("evt.failed", Test::Bool(_)) => [false, true].map(|failed| {
            let passes = passes(Value::Bool(failed));
            (passes, !passes)
        }),
        ("evt.res", Test::Text(TextTest::Equal(_) | TextTest::NotEqual(_) | TextTest::In(_))) => {
            let success = passes(Value::text("SUCCESS"));
            let error = |(_, name): &(u16, &'static str)| passes(Value::text(name));
            [(success, !success), (ERRORS.iter().any(error), !ERRORS.iter().all(error))]
        }
        ("evt.rawres", Test::Number { op, number }) => {
            [SUCCESSES, FAILURES].map(|range| within(*op, *number, &range))
        }
        ("evt.rawres", Test::Numbers(numbers)) => [SUCCESSES, FAILURES]
            .map(|range| (numbers.iter().any(|number| range.contains(number)), true)),
        _ => return None,
    };
    let set = |success: bool, failure: bool| {
        let of = |wanted, set| if wanted { set } else { EventSet::NONE };
        of(success, EventSet::SUCCEEDED).or(of(failure, EventSet::FAILED))
    };
    let (yes, no) = (set(success.0, failure.0), set(success.1, failure.1));
    // The end of a process is no call: it returns nothing and does not fail.
    let exit = EventSet::of("procexit");
    Some(match field {
        "evt.failed" => (yes, no),
        _ => (yes.and(exit.not()), no.or(exit)),
    })
}

/// Whether some number of the range passes, and whether some does not.
fn within(op: Op, number: i128, range: &RangeInclusive<i128>) -> (bool, bool) {
    let (low, high) = (*range.start(), *range.end());
    match op {
        Op::Lt => (low < number, high >= number),
        Op::Le => (low <= number, high > number),
        Op::Gt => (high > number, low <= number),
        Op::Ge => (high >= number, low < number),
        Op::Eq => (range.contains(&number), true),
        Op::Ne => (true, range.contains(&number)),
        _ => (true, true),
    }
}
