//! Maven versions. Source: `ComparableVersion` in maven-artifact 3.8.6; POM reference, "Version Order Specification".
//!
//! `ComparableVersion` is no order, and neither are the tables of OSV that were made with it: they hold
//! `1.2.0.CR1` < `1.2.0.Final`, `2.9.0` < `2.9.0-1` and `2.9.0-1` < `2.9.0.RC1`, a circle but for the numbers. At one
//! place, words after a dot < words after a hyphen < numbers after a hyphen < numbers after a dot, while the end of a
//! version is above words of pre-releases and zeros that lead to one, below all else. So no key can hold it whole.
//!
//! [`Version::cmp`] is that relation. Keys are the total order that has the end where it must be, among what stands
//! beside it; they differ from the relation only in these circles:
//!
//! - a zero before the word of a pre-release is below the end, words and hyphened numbers: `2.9.0.RC1` < `2.9.0-1`, as
//!   in Maven since 3.8.7;
//! - another word after a dot is above a pre-release after a hyphen: `1-rc` < `1.x`.
//!
//! One deviation from 3.8.6: an empty place between two hyphens vanishes, as OSV's tables have it (`1-ga-1` = `1-1`);
//! the code goes one list deeper there.
use super::digits::{self, Number};
use std::cmp::Ordering;

/// Tokens without those that say nothing: zeros and empty words at the end of what stands between hyphens.
pub(super) struct Version<'t>(Vec<Token<'t>>);

struct Token<'t> {
    /// The first after a hyphen, or after a change between letters and digits.
    hyphen: bool,
    item: Item<'t>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Item<'t> {
    Known(Word),
    Unknown(String),
    Number(Number<'t>),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    Release,
    ServicePack,
}

/// In any case of letters.
const WORDS: [(&str, Word); 10] = [
    ("alpha", Word::Alpha),
    ("beta", Word::Beta),
    ("milestone", Word::Milestone),
    ("rc", Word::Candidate),
    ("cr", Word::Candidate),
    ("snapshot", Word::Snapshot),
    ("ga", Word::Release),
    ("final", Word::Release),
    ("release", Word::Release),
    ("sp", Word::ServicePack),
];

/// Words that mean this only where a digit follows at once.
const LETTERS: [(&str, Word); 3] = [("a", Word::Alpha), ("b", Word::Beta), ("m", Word::Milestone)];

impl<'t> Version<'t> {
    /// Every string is a version.
    pub(super) fn parse(text: &'t str) -> Self {
        let mut segments = vec![Vec::new()];
        let mut rest = text;
        loop {
            let (piece, separated) = match rest.find(['.', '-']) {
                Some(at) => (&rest[..at], Some(at)),
                None => (rest, None),
            };
            read_piece(piece, separated.is_some(), &mut segments);
            let Some(at) = separated else { break };
            if rest[at..].starts_with('-') {
                segments.push(Vec::new());
            }
            rest = &rest[at + 1..];
        }
        let mut tokens = Vec::new();
        for (place, mut segment) in segments.into_iter().enumerate() {
            segment.truncate(
                segment.iter().rposition(|item| !item.is_null()).map_or(0, |last| last + 1),
            );
            let first = place > 0;
            tokens.extend(
                segment
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| Token { hyphen: first && at == 0, item }),
            );
        }
        Self(tokens)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let unequal =
            |(a, b): (&Token<'_>, &Token<'_>)| Some(a.cmp_beside(b)).filter(|order| order.is_ne());
        self.0.iter().zip(&other.0).find_map(unequal).unwrap_or_else(|| {
            let shared = self.0.len().min(other.0.len());
            beyond_end(&self.0[shared..]).then_with(|| beyond_end(&other.0[shared..]).reverse())
        })
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        let mut sides: Vec<Ordering> = Vec::with_capacity(self.0.len());
        for token in self.0.iter().rev() {
            let side = token.item.side();
            sides.push(if side.is_eq() { sides.last().copied().unwrap_or(side) } else { side });
        }
        for (token, side) in self.0.iter().zip(sides.iter().rev()) {
            // END is 5: four kinds of token below, four above, each in the order of `rank`.
            key.push(token.rank() + if side.is_lt() { 1 } else { END + 1 });
            match &token.item {
                Item::Known(word) => key.push(*word as u8),
                Item::Unknown(text) => {
                    key.push(UNKNOWN);
                    key.extend(text.as_bytes());
                    key.push(0);
                }
                Item::Number(number) => number.encode(key),
            }
        }
        key.push(END);
    }
}

const END: u8 = 5;
/// Above every [`Word`].
const UNKNOWN: u8 = 0xFF;

/// Appends the items of what stands between two separators; each change between letters and digits is a hyphen.
fn read_piece<'t>(piece: &'t str, separated: bool, segments: &mut Vec<Vec<Item<'t>>>) {
    fn push<'t>(segments: &mut [Vec<Item<'t>>], item: Item<'t>) {
        segments.last_mut().expect("there is a first segment from the start").push(item);
    }
    if piece.is_empty() && separated {
        // Nothing before a separator is 0.
        return push(segments, Item::Number(Number::new("")));
    }
    let mut rest = piece;
    while !rest.is_empty() {
        let (number, after) = digits::split(rest);
        if number.is_empty() {
            let (word, after) =
                rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
            push(segments, Item::of_word(word, !after.is_empty()));
            rest = after;
        } else {
            push(segments, Item::Number(Number::new(number)));
            rest = after;
        }
        if !rest.is_empty() {
            segments.push(Vec::new());
        }
    }
}

impl Item<'_> {
    fn of_word(word: &str, before_digit: bool) -> Self {
        let word = word.to_lowercase();
        let letters = if before_digit { LETTERS.as_slice() } else { &[] };
        match letters.iter().chain(&WORDS).find(|(text, _)| *text == word) {
            Some((_, known)) => Self::Known(*known),
            None => Self::Unknown(word),
        }
    }

    fn is_null(&self) -> bool {
        self.side().is_eq()
    }

    /// How the item stands to the end of a version.
    fn side(&self) -> Ordering {
        match self {
            Self::Known(word) => word.cmp(&Word::Release),
            Self::Unknown(_) => Ordering::Greater,
            Self::Number(number) if number.is_zero() => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
        }
    }
}

impl Token<'_> {
    fn rank(&self) -> u8 {
        match (self.hyphen, &self.item) {
            (false, Item::Known(_) | Item::Unknown(_)) => 0,
            (true, Item::Known(_) | Item::Unknown(_)) => 1,
            (true, Item::Number(_)) => 2,
            (false, Item::Number(_)) => 3,
        }
    }

    fn cmp_beside(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| self.item.cmp(&other.item))
    }
}

/// How what follows stands to the end of the other version: as the first item that says something.
fn beyond_end(rest: &[Token<'_>]) -> Ordering {
    rest.iter().map(|token| token.item.side()).find(|side| side.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether the version can stand in a circle of `ComparableVersion`.
    fn circular(version: &Version<'_>) -> bool {
        let rest = |at| beyond_end(&version.0[at..]);
        version.0.iter().enumerate().any(|(at, token)| match token.item {
            Item::Number(number) => number.is_zero() && rest(at).is_lt(),
            _ => !token.hyphen && rest(at).is_gt(),
        })
    }

    fn key(version: &Version<'_>) -> Vec<u8> {
        let mut key = Vec::new();
        version.encode(&mut key);
        key
    }

    #[track_caller]
    fn check(a: &str, relation: Ordering, keys: Ordering, b: &str) {
        let (a, b) = (Version::parse(a), Version::parse(b));
        assert_eq!((a.cmp(&b), key(&a).cmp(&key(&b))), (relation, keys));
    }

    #[test]
    fn keys_leave_the_circles() {
        use Ordering::{Greater, Less};
        check("2.9.0", Less, Less, "2.9.0-1");
        check("2.9.0.RC1", Less, Less, "2.9.0");
        check("2.9.0.RC1", Greater, Less, "2.9.0-1");
        check("1-rc", Less, Less, "1");
        check("1", Less, Less, "1.x");
        check("1-rc", Greater, Less, "1.x");
    }

    fn version() -> impl Strategy<Value = String> {
        let pieces = [
            "0", "1", "2", "00", ".", ".", ".0.", "-", "-", "a", "rc", "Alpha", "sp", "final", "x",
            "SNAPSHOT", "é",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..9)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8_000) })]

        #[test]
        fn keys_are_the_relation_outside_circles(a in version(), b in version()) {
            let (x, y) = (Version::parse(&a), Version::parse(&b));
            let order = x.cmp(&y);
            prop_assert_eq!(order.is_eq(), key(&x) == key(&y), "{} {}", a, b);
            if !circular(&x) && !circular(&y) {
                prop_assert_eq!(order, key(&x).cmp(&key(&y)), "{} {}", a, b);
            }
        }
    }
}
