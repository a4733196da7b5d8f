//! SemVer 2 read leniently, as Go modules and other feeds write it. Source: semver.org, item 11.
use super::digits;
use std::cmp::Ordering;

/// `[v]N(.N)*[-]prerelease[+build]`: any number of parts, missing ones are 0, build is ignored.
pub(super) struct Version<'t> {
    parts: Vec<&'t str>,
    /// `None` ranks above every prerelease.
    prerelease: Option<Vec<&'t str>>,
    /// What stands after the first `+`. It says nothing to SemVer, but something to schemes that build on it.
    build: Option<&'t str>,
}

impl<'t> Version<'t> {
    /// `None` unless a digit leads, after one `v`.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (number, after) = digits::split(rest);
            if number.is_empty() {
                break;
            }
            parts.push(number);
            // Empty parts between dots count for nothing: `1..2` is `1.2`.
            let next = after.trim_start_matches('.');
            if next.len() == after.len() || !next.starts_with(|c: char| c.is_ascii_digit()) {
                rest = after;
                break;
            }
            rest = next;
        }
        let (tail, build) = match rest.split_once('+') {
            Some((tail, build)) => (tail, Some(build)),
            None => (rest, None),
        };
        let tail = tail.strip_prefix('-').unwrap_or(tail);
        let prerelease = (!tail.is_empty()).then(|| tail.split('.').collect());
        (!parts.is_empty()).then_some(Self { parts, prerelease, build })
    }

    pub(super) fn build(&self) -> Option<&'t str> {
        self.build
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        digits::compare_parts(&self.parts, &other.parts).then_with(|| {
            match (&self.prerelease, &other.prerelease) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => compare_identifiers(a, b),
            }
        })
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        digits::encode_parts(&self.parts, key);
        let Some(identifiers) = &self.prerelease else { return key.push(RELEASE) };
        encode_identifiers(identifiers, key);
    }
}

/// Below every byte of a version, which has no control characters.
const END: u8 = 0x00;
const NUMBER: u8 = 0x01;
const TEXT: u8 = 0x02;
const RELEASE: u8 = 0xFF;

/// Numbers by value and below text, text by bytes, a longer list above its own prefix.
pub(super) fn compare_identifiers(a: &[&str], b: &[&str]) -> Ordering {
    let unequal = |(a, b): (&&str, &&str)| {
        let order = match (digits::all_digits(a), digits::all_digits(b)) {
            (true, true) => digits::compare(a, b),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.as_bytes().cmp(b.as_bytes()),
        };
        Some(order).filter(|order| order.is_ne())
    };
    a.iter().zip(b).find_map(unequal).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Appends a list of identifiers in the order of [`compare_identifiers`], ended by [`END`].
pub(super) fn encode_identifiers(identifiers: &[&str], key: &mut Vec<u8>) {
    for identifier in identifiers {
        if digits::all_digits(identifier) {
            key.push(NUMBER);
            digits::encode(identifier, key);
        } else {
            key.push(TEXT);
            key.extend(identifier.as_bytes());
            key.push(END);
        }
    }
    key.push(END);
}
