//! Risk and compliance: how much of what could fail does, by severity and weight, and how much of a framework is kept.
//!
//! Both are sums over controls, so they are counted from one [`Tally`] a control, whatever the number of objects.

/// One control over all resources of a scope. Weights count resources: a Deployment of ten replicas weighs eleven.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// The control's base score, 0 to 9.
    pub base: f64,
    /// Resources that satisfy it, or fail it with a mitigation.
    pub passed: u64,
    pub passed_weight: f64,
    pub failed: u64,
    pub failed_weight: f64,
    /// Resources without an answer.
    pub unknown: u64,
}

impl Tally {
    /// 100 × passed / all. Without resources nothing is violated; without any answer nothing is known.
    fn compliance(&self) -> Option<f64> {
        match (self.passed + self.failed, self.unknown) {
            (0, 0) => Some(100.0),
            (0, _) => None,
            (all, _) => Some(100.0 * ratio(self.passed, all)),
        }
    }
}

/// 100 × ΣΣ failed w·base / ΣΣ all w·base: 0 is best. `None` while nothing that weighs is decided.
pub fn risk<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> Option<f64> {
    let (failed, all) = tallies.into_iter().fold((0.0, 0.0), |(failed, all), tally| {
        let weight = tally.failed_weight * tally.base;
        (failed + weight, all + weight + tally.passed_weight * tally.base)
    });
    (all > 0.0).then(|| 100.0 * failed / all)
}

/// Mean over the controls; one without any answer is left out. `None` where all are.
pub fn compliance<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u64);
    for compliance in tallies.into_iter().filter_map(Tally::compliance) {
        sum += compliance;
        count += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are at most thousands of controls")]
    (count > 0).then(|| sum / count as f64)
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "resource counts are far below 2^53")]
    let ratio = part as f64 / whole as f64;
    ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(base: f64, passed: u64, failed: u64, unknown: u64) -> Tally {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (passed_weight, failed_weight) = (passed as f64, failed as f64);
        Tally { base, passed, passed_weight, failed, failed_weight, unknown }
    }

    #[track_caller]
    fn check(tallies: &[Tally], expected: (Option<f64>, Option<f64>)) {
        let rounded = |value: Option<f64>| value.map(|value| (value * 100.0).round() / 100.0);
        assert_eq!((rounded(risk(tallies)), rounded(compliance(tallies))), expected);
    }

    #[test]
    fn worked_examples() {
        check(&[], (None, None));
        check(&[tally(9.0, 3, 1, 0)], (Some(25.0), Some(75.0)));
        // A critical control that one of two fails beside a low one that all satisfy: 9 of 9+9+3+3.
        check(&[tally(9.0, 1, 1, 0), tally(3.0, 2, 0, 0)], (Some(37.5), Some(75.0)));
        // What concerns nothing is kept; what has no answer is not.
        check(&[tally(9.0, 0, 0, 0), tally(5.0, 0, 1, 0)], (Some(100.0), Some(50.0)));
        check(&[tally(9.0, 0, 0, 4), tally(5.0, 1, 2, 0)], (Some(66.67), Some(33.33)));
        check(&[tally(9.0, 0, 0, 4)], (None, None));
        // A DaemonSet on 40 nodes fails, a Deployment of three replicas (3.3) and a Pod pass: 40 of 44.3.
        let weighed = Tally { passed_weight: 4.3, failed_weight: 40.0, ..tally(7.0, 2, 1, 0) };
        check(&[weighed], (Some(90.29), Some(66.67)));
        // Info controls have no weight, so no risk.
        check(&[tally(0.0, 1, 1, 0)], (None, Some(50.0)));
    }
}
