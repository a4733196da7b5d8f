//! Debian package versions. Source: deb-version(7), "Sorting algorithm"; `verrevcmp` in dpkg `lib/dpkg/version.c`.
use super::digits;
use std::cmp::Ordering;

/// `[epoch:]upstream[-revision]`; an absent epoch and revision are 0.
pub(super) struct Version<'t> {
    epoch: &'t str,
    upstream: &'t str,
    revision: &'t str,
}

impl<'t> Version<'t> {
    /// `None` if what stands before the first colon is no number.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        digits::all_digits(epoch).then_some(Self { epoch, upstream, revision })
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        digits::compare(self.epoch, other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        digits::encode(self.epoch, key);
        encode_part(self.upstream, key);
        encode_part(self.revision, key);
    }
}

/// dpkg's order of one character: `~` before the end, letters, then the rest. Digits end a run, so they weigh as the
/// end does.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None | Some(b'0'..=b'9') => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}

fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (run_a, rest_a) = split_text(a);
        let (run_b, rest_b) = split_text(b);
        let (bytes_a, bytes_b) = (run_a.as_bytes(), run_b.as_bytes());
        for i in 0..bytes_a.len().max(bytes_b.len()) {
            let order = weight(bytes_a.get(i).copied()).cmp(&weight(bytes_b.get(i).copied()));
            if order.is_ne() {
                return order;
            }
        }
        let (number_a, number_b);
        (number_a, a) = digits::split(rest_a);
        (number_b, b) = digits::split(rest_b);
        let order = digits::compare(number_a, number_b);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Splits off what stands before the next ASCII digit.
fn split_text(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| b.is_ascii_digit()).unwrap_or(text.len()))
}

const TILDE: u8 = 0x01;
const END: u8 = 0x02;
const FIRST_LETTER: u8 = 0x03;
/// Announces any other character; above the last letter (0x03 + `z` - `A` = 0x3C).
const OTHER: u8 = 0x40;

/// Pairs of text run (ended by [`END`]) and number. The end of the part is the end of an empty run: dpkg compares a
/// missing tail as an empty run and 0, and only `~` is below that.
fn encode_part(mut part: &str, key: &mut Vec<u8>) {
    loop {
        let (run, rest) = split_text(part);
        for byte in run.bytes() {
            match byte {
                b'~' => key.push(TILDE),
                letter if letter.is_ascii_alphabetic() => key.push(FIRST_LETTER + (letter - b'A')),
                other => key.extend([OTHER, other]),
            }
        }
        let (number, rest) = digits::split(rest);
        key.push(END);
        digits::encode(number, key);
        part = rest;
        if part.is_empty() {
            return key.push(END);
        }
    }
}
