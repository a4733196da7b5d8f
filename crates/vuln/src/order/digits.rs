//! Numbers of any length: compared by length, then bytes, never through a machine integer.
use std::cmp::Ordering;

/// Longest number whose length fits the one-byte prefix; the byte after it announces a four-byte length.
const SHORT: usize = 0xFD;

/// Orders two runs of ASCII digits as numbers; an empty run is 0.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Appends a run of ASCII digits so that `memcmp` orders it as a number. The first byte is 0x01 to 0xFF, so callers
/// may use 0x00 as the end of a list.
pub(super) fn encode(digits: &str, key: &mut Vec<u8>) {
    let digits = significant(digits);
    match u8::try_from(digits.len()) {
        Ok(len) if usize::from(len) <= SHORT => key.push(len + 1),
        _ => {
            key.push(0xFF);
            // A version of 4 GiB reaches no caller; the bound keeps the order total all the same.
            key.extend(u32::try_from(digits.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    key.extend(digits.as_bytes());
}

/// A run of ASCII digits as its value: an empty run is 0, leading zeros say nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number<'t> {
    /// Of `significant`; above the bytes in the order, so longer numbers are the greater.
    len: usize,
    significant: &'t str,
}

impl<'t> Number<'t> {
    pub(super) fn new(digits: &'t str) -> Self {
        let significant = significant(digits);
        Self { len: significant.len(), significant }
    }

    pub(super) fn is_zero(self) -> bool {
        self.len == 0
    }

    pub(super) fn encode(self, key: &mut Vec<u8>) {
        encode(self.significant, key);
    }
}

/// Splits the leading run of ASCII digits from the rest.
pub(super) fn split(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn significant(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

/// Drops zeros at the end of a list of numbers: a missing part is 0.
pub(super) fn trim_zero_parts<'t, 'p>(mut parts: &'p [&'t str]) -> &'p [&'t str] {
    while let [rest @ .., last] = parts
        && significant(last).is_empty()
    {
        parts = rest;
    }
    parts
}

/// Orders two lists of numbers, missing parts being 0.
pub(super) fn compare_parts(a: &[&str], b: &[&str]) -> Ordering {
    let (a, b) = (trim_zero_parts(a), trim_zero_parts(b));
    let unequal = |(a, b): (&&str, &&str)| Some(compare(a, b)).filter(|order| order.is_ne());
    // Trimmed lists end in a non-zero part, so the longer one is the greater.
    a.iter().zip(b).find_map(unequal).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Appends a list of numbers, missing parts being 0, ended by 0x00.
pub(super) fn encode_parts(parts: &[&str], key: &mut Vec<u8>) {
    trim_zero_parts(parts).iter().for_each(|part| encode(part, key));
    key.push(0);
}

#[test]
fn keys_of_long_numbers_keep_the_order() {
    let lengths = [0, 1, 2, 252, 253, 254, 255, 256, 300, 70_000];
    let numbers: Vec<String> = lengths.iter().map(|&len| "9".repeat(len)).collect();
    let key = |number: &str| {
        let mut key = Vec::new();
        encode(number, &mut key);
        key
    };
    for pair in numbers.windows(2) {
        assert!(compare(&pair[0], &pair[1]).is_lt());
        assert!(key(&pair[0]) < key(&pair[1]), "{} and {} digits", pair[0].len(), pair[1].len());
    }
    assert_eq!(key("007"), key("7"));
    assert_eq!(key("000"), key(""));
}
