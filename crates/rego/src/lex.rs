//! Text → tokens with their places.
//!
//! Source: OPA's `v1/ast/internal/scanner`. Newlines are no tokens; each token knows whether space and whether a line
//! break stands before it, because a call's `(` must touch its name and a line break ends a statement.
use crate::problem::{Problem, Span};

/// Bytes of one module; Gatekeeper's own templates stay under 30 KiB.
pub(crate) const MAX_TEXT: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    /// `"…"`, escapes as in JSON.
    String,
    /// Between back quotes, without escapes.
    Raw,
    /// One of [`MARKS`].
    Mark,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) start: usize,
    /// White space, a line break or a comment stands before it.
    pub(crate) spaced: bool,
    /// A line break stands before it.
    pub(crate) broken: bool,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn span(&self) -> Span {
        self.start..self.end()
    }

    pub(crate) fn is(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }
}

/// Longest first.
const MARKS: &[&str] = &[
    ":=", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "=", "<", ">",
    "+", "-", "*", "/", "%", "&", "|",
];

/// Every token of `text`, the last of kind [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Problem> {
    if text.len() > MAX_TEXT {
        return Err(Problem::new(0..0, format!("module is over {} KiB", MAX_TEXT >> 10)));
    }
    let mut tokens = Vec::new();
    let (mut at, mut spaced, mut broken) = (0, false, false);
    let bytes = text.as_bytes();
    loop {
        let Some(&byte) = bytes.get(at) else {
            tokens.push(Token { kind: Kind::End, text: "", start: text.len(), spaced, broken });
            return Ok(tokens);
        };
        match byte {
            b'\n' => (at, spaced, broken) = (at + 1, true, true),
            b' ' | b'\t' | b'\r' => (at, spaced) = (at + 1, true),
            b'#' => {
                at += bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(text.len() - at);
                spaced = true;
            }
            _ => {
                let (kind, length) = token(&text[at..], at)?;
                let text = &text[at..at + length];
                tokens.push(Token { kind, text, start: at, spaced, broken });
                (at, spaced, broken) = (at + length, false, false);
            }
        }
    }
}

fn token(rest: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let bytes = rest.as_bytes();
    let name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    match bytes[0] {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            Ok((Kind::Name, bytes.iter().position(|b| !name(b)).unwrap_or(rest.len())))
        }
        b'0'..=b'9' => Ok((Kind::Number, number(bytes))),
        b'"' => string(rest, at).map(|length| (Kind::String, length)),
        b'`' => match rest[1..].find('`') {
            Some(length) => Ok((Kind::Raw, length + 2)),
            None => Err(Problem::new(at..at + 1, "raw string is not closed".to_owned())),
        },
        b'$' if matches!(bytes.get(1), Some(b'"' | b'`')) => {
            Err(Problem::new(at..at + 2, "template strings are not supported".to_owned()))
        }
        _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            Some(mark) => Ok((Kind::Mark, mark.len())),
            None => {
                let stray = rest.chars().next().unwrap_or_default();
                Err(Problem::new(
                    at..at + stray.len_utf8(),
                    format!("illegal character {:?}", stray),
                ))
            }
        },
    }
}

fn number(bytes: &[u8]) -> usize {
    let digits =
        |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + signed);
        if exponent > end + 1 + signed {
            end = exponent;
        }
    }
    end
}

fn string(rest: &str, at: usize) -> Result<usize, Problem> {
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => break,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok(index + 1),
            _ => {}
        }
    }
    Err(Problem::new(at..at + 1, "string is not closed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match tokens(text) {
            Err(problem) => format!("{}: {}", problem.span.start, problem.message),
            Ok(tokens) => tokens
                .iter()
                .map(|token| match (token.broken, token.spaced) {
                    (true, _) => format!("/{}", token.text),
                    (_, true) => format!(" {}", token.text),
                    _ => token.text.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("~"),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn table() {
        check("a.b(1)", "a~.~b~(~1~)~");
        check("a (1)\n(b) # c", "a~ (~1~)~/(~b~)~ ");
        check(r#"x:="a\"b" == `c"`"#, r#"x~:=~"a\"b"~ ==~ `c"`~"#);
        check("1.5e-3 2. 0x1", "1.5e-3~ 2~.~ 0~x1~");
        check("a@b", "1: illegal character '@'");
        check("\"a\nb\"", "0: string is not closed");
        check("`a", "0: raw string is not closed");
        check("$\"a\"", "0: template strings are not supported");
    }
}
