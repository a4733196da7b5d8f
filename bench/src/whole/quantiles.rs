//! Times in order.
use std::fmt;
use std::time::Duration;

/// Nearest-rank quantiles of what was measured.
pub(super) struct Quantiles(Vec<Duration>);

impl Quantiles {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Of `percent` from 0 to 100; zero where nothing was measured.
    pub(super) fn at(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, last, most) = (self.at(50), self.at(99), self.at(100));
        write!(f, "p50 {median:.2?}, p99 {last:.2?}, most {most:.2?} of {}", self.0.len())
    }
}

#[test]
fn ranks() {
    let of = |count: u64| Quantiles::new((1..=count).rev().map(Duration::from_millis).collect());
    for (count, percent, millis) in
        [(100, 50, 50), (100, 99, 99), (100, 100, 100), (1, 50, 1), (3, 50, 2), (0, 50, 0)]
    {
        assert_eq!(of(count).at(percent), Duration::from_millis(millis), "{percent} of {count}");
    }
}
