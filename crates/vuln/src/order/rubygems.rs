//! Ruby gem versions. Source: `Gem::Version` in rubygems `lib/rubygems/version.rb` (3.3), `canonical_segments`, `<=>`.
//!
//! Two versions compare segment by segment as if each went on with zeros for ever, text below numbers. That is a total
//! order, although a version that ends has a place among those that go on: `1.a.0.b` < `1.a` < `1.a.0.1`. So a zero is
//! told by what follows it, text or a number, and the end stands between the two.
use super::digits::{self, Number};

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'t>(Vec<Segment<'t>>);

/// Lowest first: the order of what may stand at one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'t> {
    Text(&'t str),
    /// The first segment after this zero and those beside it is text.
    ZeroBeforeText,
    End,
    /// The first segment after this zero and those beside it is a number.
    ZeroBeforeNumber,
    /// Not zero.
    Number(Number<'t>),
}

impl<'t> Version<'t> {
    /// `None` unless a digit leads, after one `v`. Gem refuses what is neither digit, letter nor separator; here it
    /// separates, as it does to `Gem::Version#segments`.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut segments = runs(text);
        // The numbers before the first text end without zeros, and so does the whole.
        let text_start = segments.iter().position(|segment| matches!(segment, Segment::Text(_)));
        let numbers_end = text_start.unwrap_or(segments.len());
        let is_zero = |segment: &Segment<'_>| matches!(segment, Segment::ZeroBeforeNumber);
        let kept = segments[..numbers_end].iter().rposition(|segment| !is_zero(segment));
        segments.drain(kept.map_or(0, |last| last + 1)..numbers_end);
        segments.truncate(
            segments.iter().rposition(|segment| !is_zero(segment)).map_or(0, |last| last + 1),
        );
        let mut before_text = false;
        for segment in segments.iter_mut().rev() {
            match segment {
                Segment::ZeroBeforeNumber if before_text => *segment = Segment::ZeroBeforeText,
                Segment::Text(_) => before_text = true,
                Segment::Number(_) => before_text = false,
                _ => {}
            }
        }
        segments.push(Segment::End);
        Some(Self(segments))
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        for segment in &self.0 {
            // The order of the variants.
            match segment {
                Segment::Text(text) => {
                    key.push(1);
                    key.extend(text.as_bytes());
                    key.push(0);
                }
                Segment::ZeroBeforeText => key.push(2),
                Segment::End => key.push(3),
                Segment::ZeroBeforeNumber => key.push(4),
                Segment::Number(number) => {
                    key.push(5);
                    number.encode(key);
                }
            }
        }
    }
}

/// What gem puts in place of a hyphen: `1.0-1` is the pre-release `1.0.pre.1`.
const HYPHEN: Segment<'_> = Segment::Text("pre");

/// Runs of digits and runs of letters; every zero as if a number followed.
fn runs(mut rest: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (segment, len) = match first {
            '0'..='9' => {
                let (digits, _) = digits::split(rest);
                let number = Number::new(digits);
                let zero = number.is_zero();
                let segment =
                    if zero { Segment::ZeroBeforeNumber } else { Segment::Number(number) };
                (Some(segment), digits.len())
            }
            letter if letter.is_ascii_alphabetic() => {
                let len = rest.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(rest.len());
                (Some(Segment::Text(&rest[..len])), len)
            }
            '-' => (Some(HYPHEN), 1),
            separator => (None, separator.len_utf8()),
        };
        segments.extend(segment);
        rest = &rest[len..];
    }
    segments
}
