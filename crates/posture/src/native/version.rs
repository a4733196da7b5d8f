//! Versions, and ranges of them as controls write them: `>=1.8.3 <1.8.5`.
use std::cmp::Ordering;

/// Numbers, then whether it is a pre-release, which comes before the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: Vec<u64>,
    /// What follows the numbers: `-rc1`, `-gke.100`, `+k3s1`.
    pub(super) suffix: String,
}

impl Version {
    /// Takes `v1.2.3-rc1`, `1.2`; `None` where no number stands at the start.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, suffix) = text.split_at(end);
        let numbers: Option<Vec<u64>> =
            numbers.trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect();
        Some(Self { numbers: numbers?, suffix: suffix.to_owned() })
    }

    /// The second number; 0 where it is absent.
    pub(super) fn minor(&self) -> u64 {
        self.numbers.get(1).copied().unwrap_or_default()
    }

    /// How many numbers it has.
    pub(super) fn precision(&self) -> usize {
        self.numbers.len()
    }

    fn is_before_release(&self) -> bool {
        ["-rc", "-alpha", "-beta", "-pre", "rc"].iter().any(|word| self.suffix.starts_with(word))
    }

    fn compare(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let number = |of: &Self, at: usize| of.numbers.get(at).copied().unwrap_or_default();
        let numbers = (0..length).map(|at| number(self, at).cmp(&number(other, at)));
        let order = numbers.fold(Ordering::Equal, Ordering::then);
        // `false` is the release.
        order.then(other.is_before_release().cmp(&self.is_before_release()))
    }

    /// Whether it lies in one of the ranges. What is no range holds nothing; the loader's tests see that.
    pub(super) fn is_in(&self, ranges: &[&str]) -> bool {
        ranges.iter().any(|range| {
            let mut bounds = range.split_whitespace().peekable();
            bounds.peek().is_some() && bounds.all(|bound| self.satisfies(bound) == Some(true))
        })
    }

    fn satisfies(&self, bound: &str) -> Option<bool> {
        let digits = bound.find(|c: char| c.is_ascii_digit())?;
        let (operator, version) = bound.split_at(digits);
        let order = self.compare(&Self::read(version)?);
        match operator {
            ">=" => Some(order.is_ge()),
            ">" => Some(order.is_gt()),
            "<=" => Some(order.is_le()),
            "<" => Some(order.is_lt()),
            "=" => Some(order.is_eq()),
            _ => None,
        }
    }
}

#[test]
fn ranges() {
    for (version, ranges, expected) in [
        ("v1.8.4", &[">=1.8.3 <1.8.5"][..], true),
        ("1.8.5", &[">=1.8.3 <1.8.5"], false),
        ("2.2.0", &["<2.1.9", ">=2.2.0 <2.2.4"], true),
        ("2.2.4-rc1", &[">=2.2.0 <2.2.4"], true),
        ("1.25.1-gke.100", &["<1.25.1"], false),
        ("1.6", &["=1.6.0"], true),
        ("1.6", &["about 1.6"], false),
    ] {
        assert_eq!(Version::read(version).unwrap().is_in(ranges), expected, "{version} {ranges:?}");
    }
    assert_eq!(Version::read("latest"), None);
}
