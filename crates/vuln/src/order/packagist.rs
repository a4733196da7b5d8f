//! PHP package versions. Source: `version_compare` in php-src `ext/standard/versioning.c` and its manual page; a
//! leading `v` falls away as in Composer.
//!
//! The relation is no order: `#` is equal to every number and to the end, so `1.#` = `1` and `1.#` = `1.1` although
//! `1` < `1.1`. [`Version::cmp`] is that relation. Keys order as if `#` were not there; without one, the two agree.
//!
//! Deviations from PHP: a separator at the start or end stands beside an unknown word, as PHP contradicts itself there
//! (`1.` < `1.dev` < `1.`). What is neither letter, digit nor separator belongs to a word, as the manual says; the C
//! code drops it where no digit stands before it, `#` too. Numbers have any length.
use super::digits::{self, Number};
use std::cmp::Ordering;

pub(super) struct Version<'t>(Vec<Part<'t>>);

/// Lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'t> {
    Unknown,
    Dev,
    Alpha,
    Beta,
    Candidate,
    /// `#`: a number whose value nobody knows. The end of a version is one too.
    Any,
    Number(Number<'t>),
    Patch,
}

/// What a word begins with; case counts.
const WORDS: [(&str, Part<'static>); 7] = [
    ("dev", Part::Dev),
    ("a", Part::Alpha),
    ("b", Part::Beta),
    ("RC", Part::Candidate),
    ("rc", Part::Candidate),
    ("#", Part::Any),
    ("p", Part::Patch),
];

const SEPARATORS: [char; 4] = ['.', '-', '_', '+'];

impl<'t> Version<'t> {
    /// Every string is a version.
    pub(super) fn parse(text: &'t str) -> Self {
        let mut rest = text
            .strip_prefix(['v', 'V'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(text);
        let mut parts = Vec::new();
        if rest.starts_with(SEPARATORS) {
            parts.push(Part::Unknown);
        }
        while !rest.is_empty() {
            let (number, after) = digits::split(rest);
            let end = |c: char| c.is_ascii_digit() || SEPARATORS.contains(&c);
            let (word, after) = after.split_at(after.find(end).unwrap_or(after.len()));
            parts.extend((!number.is_empty()).then(|| Part::Number(Number::new(number))));
            parts.extend((!word.is_empty()).then(|| Part::of_word(word)));
            rest = after.trim_start_matches(SEPARATORS);
            if rest.is_empty() && !after.is_empty() {
                parts.push(Part::Unknown);
            }
        }
        Self(parts)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let unequal =
            |(a, b): (&Part<'_>, &Part<'_>)| Some(a.cmp_php(b)).filter(|order| order.is_ne());
        self.0.iter().zip(&other.0).find_map(unequal).unwrap_or_else(|| {
            let shared = self.0.len().min(other.0.len());
            beyond_end(&self.0[shared..]).then_with(|| beyond_end(&other.0[shared..]).reverse())
        })
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Unknown => key.push(1),
                Part::Dev => key.push(2),
                Part::Alpha => key.push(3),
                Part::Beta => key.push(4),
                Part::Candidate => key.push(5),
                Part::Any => {}
                Part::Number(number) => {
                    key.push(END + 1);
                    number.encode(key);
                }
                Part::Patch => key.push(END + 2),
            }
        }
        key.push(END);
    }
}

/// Above the pre-releases, below a further number.
const END: u8 = 6;

impl Part<'_> {
    fn of_word(word: &str) -> Self {
        let begins =
            |(start, part): &(&str, Part<'static>)| word.starts_with(start).then_some(*part);
        WORDS.iter().find_map(begins).unwrap_or(Part::Unknown)
    }

    fn cmp_php(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Any, Self::Number(_)) | (Self::Number(_), Self::Any) => Ordering::Equal,
            (a, b) => a.cmp(b),
        }
    }
}

/// How what follows stands to the end of the other version.
fn beyond_end(rest: &[Part<'_>]) -> Ordering {
    rest.iter()
        .find(|part| **part != Part::Any)
        .map_or(Ordering::Equal, |part| part.cmp(&Part::Any))
}
