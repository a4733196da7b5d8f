//! Bracketed classes: `[a-z]`, `[^\d_]`, `[[:alpha:]-]`.
use super::escape::{self, Escape};
use super::translate::SyntaxError;
use std::fmt::Write;

const POSIX: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Code points that are no characters.
const SURROGATES: std::ops::RangeInclusive<u32> = 0xd800..=0xdfff;

/// Translates the class at the start of `whole`, which begins with a bracket: the translation and the rest.
pub(super) fn read(whole: &str) -> Result<(String, &str), SyntaxError> {
    let mut text = &whole[1..];
    let negated = text.starts_with('^');
    if negated {
        text = &text[1..];
    }
    let mut body = String::new();
    let mut first = true;
    while first || !text.starts_with(']') {
        first = false;
        if let Some((class, rest)) = posix(text)? {
            body.push_str(&class);
            text = rest;
            continue;
        }
        if text.starts_with('\\')
            && text.len() > 1
            && let (Escape::Class(class), rest) = escape::read(text)?
        {
            body.push_str(&class);
            text = rest;
            continue;
        }
        text = range(text, whole, &mut body)?;
    }
    let class = match (body.is_empty(), negated) {
        // Only surrogates stood there.
        (true, false) => NOTHING.to_owned(),
        (true, true) => "(?s:.)".to_owned(),
        (false, false) => format!("[{body}]"),
        (false, true) => format!("[^{body}]"),
    };
    Ok((class, &text[1..]))
}

/// A class that no character is in.
pub(super) const NOTHING: &str = "[a&&b]";

fn posix(text: &str) -> Result<Option<(String, &str)>, SyntaxError> {
    let Some(inner) = text.strip_prefix("[:") else { return Ok(None) };
    let Some((name, rest)) = inner.split_once(":]") else { return Ok(None) };
    let known = POSIX.contains(&name.strip_prefix('^').unwrap_or(name));
    let expression = &text[..text.len() - rest.len()];
    match known {
        true => Ok(Some((expression.to_owned(), rest))),
        false => Err(SyntaxError::new("invalid character class range", expression)),
    }
}

/// One character or a range of them.
fn range<'t>(text: &'t str, whole: &str, body: &mut String) -> Result<&'t str, SyntaxError> {
    let (low, mut rest) = character(text, whole)?;
    let mut high = low;
    if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
        (high, rest) = character(&rest[1..], whole)?;
        if high < low {
            let expression = &text[..text.len() - rest.len()];
            return Err(SyntaxError::new("invalid character class range", expression));
        }
    }
    let low = if SURROGATES.contains(&low) { SURROGATES.end() + 1 } else { low };
    let high = if SURROGATES.contains(&high) { SURROGATES.start() - 1 } else { high };
    if low <= high {
        // Writing to a string cannot fail.
        let _ = write!(body, "\\x{{{low:X}}}-\\x{{{high:X}}}");
    }
    Ok(rest)
}

fn character<'t>(text: &'t str, whole: &str) -> Result<(u32, &'t str), SyntaxError> {
    if text.starts_with('\\') {
        return escape::character(text);
    }
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) => Ok((u32::from(letter), letters.as_str())),
        None => Err(SyntaxError::new("missing closing ]", whole)),
    }
}
