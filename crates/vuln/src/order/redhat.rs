//! RPM package versions. Source: `rpmvercmp` in rpm `rpmio/rpmvercmp.c`, `parseEVR` in rpm `lib/rpmds.c`.
//!
//! `rpmvercmp` decides at the first place where two lists of tokens differ, by one order of tokens, so a part is its
//! tokens and the order is that of the lists.
use super::digits::{self, Number};

/// `[epoch:]version[-release]`. An absent epoch is 0; feeds write text in its place, so it is ordered as a part. An
/// absent release is below any.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'t> {
    epoch: Vec<Token<'t>>,
    version: Vec<Token<'t>>,
    release: Option<Vec<Token<'t>>>,
}

/// Lowest first: the order of what may stand at one place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'t> {
    Tilde,
    End,
    Caret,
    Text(&'t str),
    Number(Number<'t>),
}

impl<'t> Version<'t> {
    pub(super) fn parse(text: &'t str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some(("", rest)) => ("0", rest),
            Some(split) => split,
            None => ("0", text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(tokens(release))),
            None => (rest, None),
        };
        Self { epoch: tokens(epoch), version: tokens(version), release }
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        encode_part(&self.epoch, key);
        encode_part(&self.version, key);
        match &self.release {
            Some(release) => {
                key.push(1);
                encode_part(release, key);
            }
            None => key.push(0),
        }
    }
}

/// Everything but ASCII letters and digits, `~` and `^` separates and says nothing.
fn tokens(mut rest: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let run = |of: fn(&u8) -> bool| rest.bytes().position(|b| !of(&b)).unwrap_or(rest.len());
        let (token, len) = match first {
            '~' => (Some(Token::Tilde), 1),
            '^' => (Some(Token::Caret), 1),
            '0'..='9' => {
                let (number, _) = digits::split(rest);
                (Some(Token::Number(Number::new(number))), number.len())
            }
            letter if letter.is_ascii_alphabetic() => {
                let len = run(u8::is_ascii_alphabetic);
                (Some(Token::Text(&rest[..len])), len)
            }
            separator => (None, separator.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[len..];
    }
    tokens.push(Token::End);
    tokens
}

fn encode_part(tokens: &[Token<'_>], key: &mut Vec<u8>) {
    for token in tokens {
        // The order of the variants.
        match token {
            Token::Tilde => key.push(1),
            Token::End => key.push(2),
            Token::Caret => key.push(3),
            Token::Text(text) => {
                key.push(4);
                key.extend(text.as_bytes());
                key.push(0);
            }
            Token::Number(number) => {
                key.push(5);
                number.encode(key);
            }
        }
    }
}
