//! Risk and compliance are sums over controls, so they are counted from one tally a control, whatever the number of
//! objects.
use super::group::Mark;
use super::{Base, Weight, ratio};

/// One control over all resources. Weights are tenths, see [`Weight`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Resources that satisfy it, or fail it with a mitigation.
    pub passed: u64,
    pub failed: u64,
    /// Resources without an answer.
    pub unknown: u64,
    pub weight_failed: u128,
    /// Of those that pass and fail together.
    pub weight_all: u128,
}

impl Tally {
    pub(super) fn holds(&self, mark: Mark, weight: Weight) -> bool {
        let tenths = u128::from(weight.tenths());
        match mark {
            Mark::Healthy => self.passed > 0 && self.weight_all - self.weight_failed >= tenths,
            Mark::Unhealthy => self.failed > 0 && self.weight_failed >= tenths,
            Mark::Unknown => self.unknown > 0,
        }
    }

    pub(super) fn add(&mut self, mark: Mark, weight: Weight) {
        match mark {
            Mark::Healthy => self.passed += 1,
            Mark::Unhealthy => {
                self.failed += 1;
                self.weight_failed += u128::from(weight.tenths());
            }
            Mark::Unknown => {
                self.unknown += 1;
                return;
            }
        }
        self.weight_all += u128::from(weight.tenths());
    }

    /// The tally holds it.
    pub(super) fn remove(&mut self, mark: Mark, weight: Weight) {
        match mark {
            Mark::Healthy => self.passed -= 1,
            Mark::Unhealthy => {
                self.failed -= 1;
                self.weight_failed -= u128::from(weight.tenths());
            }
            Mark::Unknown => {
                self.unknown -= 1;
                return;
            }
        }
        self.weight_all -= u128::from(weight.tenths());
    }

    /// 100 without a resource; `None` where no resource could be decided, as that is no pass.
    pub(super) fn compliance(&self) -> Option<f64> {
        match ratio(self.passed, self.passed + self.failed) {
            Some(part) => Some(100.0 * part),
            None if self.unknown == 0 => Some(100.0),
            None => None,
        }
    }
}

/// 100 × ΣΣ failed w·base / ΣΣ all w·base, 0 is best. `None` where nothing that weighs was decided.
pub fn risk<'t>(tallies: impl IntoIterator<Item = (Base, &'t Tally)>) -> Option<f64> {
    let (mut failed, mut all) = (0u128, 0u128);
    for (base, tally) in tallies {
        failed += tally.weight_failed * base.thousandths();
        all += tally.weight_all * base.thousandths();
    }
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs fewer than 53 bits")]
    (all > 0).then(|| 100.0 * (failed as f64 / all as f64))
}

/// Mean over controls of 100 × passed / all; one without any answer is left out. `None` where all are.
pub fn compliance<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> Option<f64> {
    let (sum, count) = tallies
        .into_iter()
        .filter_map(Tally::compliance)
        .fold((0.0, 0u64), |(sum, count), control| (sum + control, count + 1));
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 controls")]
    (count > 0).then(|| sum / count as f64)
}
