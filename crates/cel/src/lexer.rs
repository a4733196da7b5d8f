//! Text → tokens. Source: CEL language definition, "Syntax", and cel-go's grammar.
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Identifier,
    /// Between backquotes.
    Escaped,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    True,
    False,
    Null,
    In,
    Equals,
    NotEquals,
    Less,
    LessEquals,
    Greater,
    GreaterEquals,
    And,
    Or,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Not,
    Question,
    Colon,
    Dot,
    Comma,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
}

/// What is no token, and where it begins.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The tokens of `text`, with an [`Token::End`] last.
pub(crate) fn lex(text: &str) -> Result<Vec<Lexeme>, Unknown> {
    let bytes = text.as_bytes();
    let mut lexemes = Vec::with_capacity(text.len() / 4 + 1);
    let mut at = 0;
    while at < bytes.len() {
        if let Some(blank) = blank(bytes, at) {
            at = blank;
            continue;
        }
        let Some((token, end)) = token(bytes, at) else {
            let bad = text[at..].chars().next().map(String::from).unwrap_or_default();
            return Err(Unknown { at, text: bad });
        };
        lexemes.push(Lexeme { token, span: at..end });
        at = end;
    }
    lexemes.push(Lexeme { token: Token::End, span: at..at });
    Ok(lexemes)
}

/// The end of the space or comment at `at`.
fn blank(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at..].starts_with(b"//") {
        let length = bytes[at..].iter().position(|byte| *byte == b'\n');
        return Some(length.map_or(bytes.len(), |length| at + length));
    }
    matches!(bytes[at], b'\t' | b' ' | b'\r' | b'\n' | 0x0c).then_some(at + 1)
}

fn token(bytes: &[u8], at: usize) -> Option<(Token, usize)> {
    let rest = &bytes[at..];
    if let Some(found) = quoted(bytes, at) {
        return Some(found);
    }
    match rest[0] {
        b'0'..=b'9' => return Some(number(bytes, at)),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => return Some(number(bytes, at)),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => return Some(word(bytes, at)),
        b'`' => {
            let end = rest[1..].iter().position(|byte| *byte == b'`')?;
            let named = |byte: &u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' ')
            };
            let name = &rest[1..=end];
            return (!name.is_empty() && name.iter().all(named))
                .then_some((Token::Escaped, at + end + 2));
        }
        _ => {}
    }
    let (token, length) = match rest {
        [b'=', b'=', ..] => (Token::Equals, 2),
        [b'!', b'=', ..] => (Token::NotEquals, 2),
        [b'<', b'=', ..] => (Token::LessEquals, 2),
        [b'>', b'=', ..] => (Token::GreaterEquals, 2),
        [b'&', b'&', ..] => (Token::And, 2),
        [b'|', b'|', ..] => (Token::Or, 2),
        [b'<', ..] => (Token::Less, 1),
        [b'>', ..] => (Token::Greater, 1),
        [b'+', ..] => (Token::Plus, 1),
        [b'-', ..] => (Token::Minus, 1),
        [b'*', ..] => (Token::Star, 1),
        [b'/', ..] => (Token::Slash, 1),
        [b'%', ..] => (Token::Percent, 1),
        [b'!', ..] => (Token::Not, 1),
        [b'?', ..] => (Token::Question, 1),
        [b':', ..] => (Token::Colon, 1),
        [b'.', ..] => (Token::Dot, 1),
        [b',', ..] => (Token::Comma, 1),
        [b'(', ..] => (Token::OpenParen, 1),
        [b')', ..] => (Token::CloseParen, 1),
        [b'[', ..] => (Token::OpenBracket, 1),
        [b']', ..] => (Token::CloseBracket, 1),
        [b'{', ..] => (Token::OpenBrace, 1),
        [b'}', ..] => (Token::CloseBrace, 1),
        _ => return None,
    };
    Some((token, at + length))
}

fn word(bytes: &[u8], at: usize) -> (Token, usize) {
    let mut end = at;
    while bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        end += 1;
    }
    let token = match &bytes[at..end] {
        b"in" => Token::In,
        b"true" => Token::True,
        b"false" => Token::False,
        b"null" => Token::Null,
        _ => Token::Identifier,
    };
    (token, end)
}

fn number(bytes: &[u8], at: usize) -> (Token, usize) {
    let digits = |mut at: usize, hex: bool| {
        while bytes
            .get(at)
            .is_some_and(|byte| byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit())
        {
            at += 1;
        }
        at
    };
    let suffixed = |end: usize| match bytes.get(end) {
        Some(b'u' | b'U') => (Token::Uint, end + 1),
        _ => (Token::Int, end),
    };
    if bytes[at..].starts_with(b"0x") && bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit) {
        return suffixed(digits(at + 2, true));
    }
    let whole = digits(at, false);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1, false);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign, false);
        }
    }
    if end == whole { suffixed(end) } else { (Token::Double, end) }
}

/// A string or bytes literal that begins at `at`, with its prefix and quotes.
fn quoted(bytes: &[u8], at: usize) -> Option<(Token, usize)> {
    let mut open = at;
    let token = if matches!(bytes[open], b'b' | b'B') {
        open += 1;
        Token::Bytes
    } else {
        Token::String
    };
    let raw = matches!(bytes.get(open), Some(b'r' | b'R'));
    open += usize::from(raw);
    let quote = *bytes.get(open).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let triple = bytes[open..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let mut end = open + width;
    loop {
        let byte = *bytes.get(end)?;
        if bytes[end..].starts_with(&[quote; 3][..width]) {
            return Some((token, end + width));
        }
        match byte {
            b'\\' if !raw => {
                bytes.get(end + 1)?;
                end += 2;
            }
            b'\n' | b'\r' if !triple => return None,
            _ => end += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let lexemes = lex(text).expect(text);
        let told: Vec<&str> = lexemes.iter().map(|lexeme| &text[lexeme.span.clone()]).collect();
        assert_eq!(told[..told.len() - 1], *expected, "{text}");
    }

    #[test]
    fn table() {
        check("a.b<=1.5e3u", &["a", ".", "b", "<=", "1.5e3", "u"]);
        check("0x1Fu+12u", &["0x1Fu", "+", "12u"]);
        check("1.foo", &["1", ".", "foo"]);
        check("rb'x' br'\\' b\"\\\"\"", &["rb", "'x'", "br'\\'", "b\"\\\"\""]);
        check("'''a'b\n''' // '\n'c'", &["'''a'b\n'''", "'c'"]);
        check("inn in `a.b-c/d`", &["inn", "in", "`a.b-c/d`"]);
        check("a.?b[?c]", &["a", ".", "?", "b", "[", "?", "c", "]"]);
    }

    #[test]
    fn what_is_no_token_is_told() {
        for (text, at) in [("a # b", 2), ("'open", 0), ("'a\nb'", 0), ("a & b", 2), ("é", 0)] {
            assert_eq!(lex(text).expect_err(text).at, at, "{text}");
        }
    }
}
