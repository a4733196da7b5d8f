//! Alpine package versions. Source: apk-tools `src/version.c`, `token_next` and `apk_version_compare_fuzzy` of 3.0.
//!
//! apk orders streams of tokens; a stream that goes on is greater than one that ends, but for a pre-release suffix. As
//! that is one order of the tokens at each place, a version is its tokens and their order is that of the lists.
//!
//! More is read than apk 3 does, for versions that were published before it refused them: a number after the letter
//! (apk 2), empty numbers between dots, a leading dot, `-r` without a number.
use super::digits::{self, Number};

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'t>(Vec<Token<'t>>);

/// Lowest first: the order of what may stand at one place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'t> {
    /// Place in [`PRE`].
    Pre(u8),
    /// From here on nothing can be read; all tails tie.
    Tail,
    End,
    Revision(Number<'t>),
    Hash(&'t str),
    SuffixNumber(Number<'t>),
    /// Place in [`POST`].
    Post(u8),
    Letter(u8),
    /// A later number with a leading zero, or an empty one: as text, below those without.
    ZeroLed(&'t str),
    Number(Number<'t>),
}

const PRE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

impl<'t> Version<'t> {
    /// `None` unless a digit leads, after one dot.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let (first, rest) = digits::split(text);
        if !text.strip_prefix('.').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut tokens = vec![Token::Number(Number::new(first))];
        let rest = numbers(rest, &mut tokens);
        let rest = suffixes(rest, &mut tokens);
        let rest = hash(rest, &mut tokens);
        let rest = match rest.strip_prefix("-r") {
            Some(after) => {
                let (number, rest) = digits::split(after);
                tokens.push(Token::Revision(Number::new(number)));
                rest
            }
            None => rest,
        };
        tokens.push(if rest.is_empty() { Token::End } else { Token::Tail });
        Some(Self(tokens))
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        for token in &self.0 {
            token.encode(key);
        }
    }
}

impl Token<'_> {
    fn encode(&self, key: &mut Vec<u8>) {
        key.push(self.rank());
        match self {
            Self::Tail | Self::End => {}
            Self::Pre(byte) | Self::Post(byte) | Self::Letter(byte) => key.push(*byte),
            Self::Revision(number) | Self::SuffixNumber(number) | Self::Number(number) => {
                number.encode(key);
            }
            Self::Hash(text) | Self::ZeroLed(text) => {
                key.extend(text.as_bytes());
                key.push(0);
            }
        }
    }

    /// The order of the variants.
    fn rank(&self) -> u8 {
        match self {
            Self::Pre(_) => 1,
            Self::Tail => 2,
            Self::End => 3,
            Self::Revision(_) => 4,
            Self::Hash(_) => 5,
            Self::SuffixNumber(_) => 6,
            Self::Post(_) => 7,
            Self::Letter(_) => 8,
            Self::ZeroLed(_) => 9,
            Self::Number(_) => 10,
        }
    }
}

/// `{.number}{letter{number}}`, again and again: apk 2 went on after the letter's number.
fn numbers<'t>(mut rest: &'t str, tokens: &mut Vec<Token<'t>>) -> &'t str {
    loop {
        let after = rest.trim_start_matches('.');
        let dots = rest.len() - after.len();
        let (number, beyond) = digits::split(after);
        if dots > 0 && !number.is_empty() {
            tokens.extend((1..dots).map(|_| Token::ZeroLed("")));
            let zero_led = number.starts_with('0');
            tokens.push(if zero_led {
                Token::ZeroLed(number)
            } else {
                Token::Number(Number::new(number))
            });
            rest = beyond;
            continue;
        }
        let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) else { return rest };
        tokens.push(Token::Letter(letter));
        let (number, beyond) = digits::split(&rest[1..]);
        if number.is_empty() {
            return beyond;
        }
        tokens.push(Token::Number(Number::new(number)));
        rest = beyond;
    }
}

/// `{_suffix{number}}`; a word that is no suffix stays in the rest.
fn suffixes<'t>(mut rest: &'t str, tokens: &mut Vec<Token<'t>>) -> &'t str {
    while let Some(after) = rest.strip_prefix('_') {
        let end = after.bytes().position(|b| !b.is_ascii_lowercase()).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        let place =
            |of: &[&str]| (0u8..).zip(of).find_map(|(at, known)| (*known == word).then_some(at));
        let Some(token) = place(&PRE).map(Token::Pre).or(place(&POST).map(Token::Post)) else {
            break;
        };
        tokens.push(token);
        let (number, after) = digits::split(after);
        if !number.is_empty() {
            tokens.push(Token::SuffixNumber(Number::new(number)));
        }
        rest = after;
    }
    rest
}

/// `{~hash}`, the commit that was built.
fn hash<'t>(rest: &'t str, tokens: &mut Vec<Token<'t>>) -> &'t str {
    let Some(after) = rest.strip_prefix('~') else { return rest };
    let hexadecimal = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let end = after.bytes().position(|b| !hexadecimal(&b)).unwrap_or(after.len());
    if end == 0 {
        return rest;
    }
    let (hash, after) = after.split_at(end);
    tokens.push(Token::Hash(hash));
    after
}
