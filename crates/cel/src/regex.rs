//! Go's regular expressions: the same engine family, another dialect. Patterns are translated, then compiled.
//! Source: Go's regexp/syntax package documentation.
use regex::{Regex, RegexBuilder};

/// Bytes of a compiled program; the API server bounds patterns by cost only.
const MAX_PROGRAM: usize = 10 << 20;

/// Errors: Go's opening words and what is wrong.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let told = |detail: String| format!("error parsing regexp: {detail}");
    let translated = translate(pattern).map_err(|detail| told(detail.to_owned()))?;
    RegexBuilder::new(&translated).size_limit(MAX_PROGRAM).build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        told(format!("{} in `{pattern}`", last.trim_start_matches("error: ")))
    })
}

/// `\d \w \s \b` mean ASCII in Go; `[`, `&&`, `--`, `~~` are plain inside its classes; `\Q…\E` quotes; spaces and `#`
/// are never ignored, since Go has no `x` flag.
fn translate(pattern: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut class: Option<usize> = None; // Symbols since the class opened.
    let mut repeated = 0; // Repetition operators just before: one, then `?` for lazy.
    while let Some(symbol) = rest.next() {
        let inside = class.is_some();
        let before = std::mem::take(&mut repeated);
        match symbol {
            '*' | '+' | '?' if !inside => {
                repeated = repetition(before, symbol)?;
                out.push(symbol);
            }
            '{' if !inside => match counts(rest.clone()) {
                Some((counts, length)) => {
                    repeated = repetition(before, symbol)?;
                    out.push_str(&counts?);
                    rest.nth(length - 1);
                }
                None => out.push_str("\\{"),
            },
            '}' if !inside => out.push_str("\\}"),
            '\\' => {
                let escaped = rest.next().ok_or("trailing backslash at end of expression: ``")?;
                match escaped {
                    'Q' if !inside => quote(&mut rest, &mut out),
                    'd' if inside => out.push_str("0-9"),
                    'w' if inside => out.push_str("0-9A-Za-z_"),
                    's' if inside => out.push_str("\\t\\n\\x0C\\r "),
                    'd' => out.push_str("[0-9]"),
                    'w' => out.push_str("[0-9A-Za-z_]"),
                    's' => out.push_str("[\\t\\n\\x0C\\r ]"),
                    'D' => out.push_str("[^0-9]"),
                    'W' => out.push_str("[^0-9A-Za-z_]"),
                    'S' => out.push_str("[^\\t\\n\\x0C\\r ]"),
                    'b' | 'B' if !inside => {
                        out.push_str(if escaped == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" });
                    }
                    'C' => return Err("invalid escape sequence: `\\C`"),
                    'u' | 'U' => return Err("invalid escape sequence: `\\u`"),
                    '<' | '>' => out.push(escaped), // Word boundaries in Rust, punctuation in Go.
                    '0'..='7' => octal(escaped, &mut rest, &mut out)?,
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
                class = class.map(|count| count + 1);
            }
            '[' if !inside => {
                out.push('[');
                class = Some(0);
                if rest.peek() == Some(&'^') {
                    rest.next();
                    out.push('^');
                }
            }
            '[' => {
                // `[:alpha:]` is a class of its own, any other bracket is a symbol.
                if rest.peek() == Some(&':') {
                    out.push('[');
                } else {
                    out.push_str("\\[");
                }
                class = class.map(|count| count + 1);
                if rest.peek() == Some(&':') {
                    for symbol in rest.by_ref() {
                        out.push(symbol);
                        if symbol == ']' {
                            break;
                        }
                    }
                }
            }
            ']' if class == Some(0) => {
                out.push_str("\\]");
                class = Some(1);
            }
            ']' if inside => {
                out.push(']');
                class = None;
            }
            '&' | '~' if inside => {
                out.push('\\');
                out.push(symbol);
                class = class.map(|count| count + 1);
            }
            other => {
                out.push(other);
                class = class.map(|count| count + 1);
            }
        }
    }
    Ok(out)
}

/// Go has no repetition of a repetition; `?` after one makes it lazy.
fn repetition(before: u32, symbol: char) -> Result<u32, &'static str> {
    match (before, symbol) {
        (0, _) => Ok(1),
        (1, '?') => Ok(2),
        _ => Err("invalid nested repetition operator"),
    }
}

/// Times a repetition may count to. Source: Go's regexp/syntax.
const MAX_COUNT: u32 = 1000;

/// `n}`, `n,}`, `n,m}` after an open brace, and its length; `None`: the brace is a plain symbol.
fn counts(rest: impl Iterator<Item = char>) -> Option<(Result<String, &'static str>, usize)> {
    let text: String = rest.take_while(|symbol| *symbol != '}').take(16).collect();
    let (low, high) = text.split_once(',').unwrap_or((&text, ""));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if low.is_empty() || !number(low) || !number(high) || text.len() == 16 {
        return None;
    }
    let over = |text: &str| text.parse::<u32>().is_ok_and(|count| count > MAX_COUNT);
    let backwards = !high.is_empty() && high.parse::<u32>().ok() < low.parse::<u32>().ok();
    let counts = match over(low) || over(high) || backwards {
        true => Err("invalid repeat count"),
        false => Ok(format!("{{{text}}}")),
    };
    Some((counts, text.len() + 1))
}

fn quote(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut quoted = String::new();
    while let Some(symbol) = rest.next() {
        if symbol == '\\' && rest.peek() == Some(&'E') {
            rest.next();
            break;
        }
        quoted.push(symbol);
    }
    out.push_str(&regex::escape(&quoted));
}

/// `\0`, `\123`: a code point; single digits but 0 are back references, which neither dialect has.
fn octal(
    first: char,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), &'static str> {
    let mut code = first.to_digit(8).unwrap_or(0);
    let mut digits = 1;
    while digits < 3
        && let Some(digit) = rest.peek().and_then(|symbol| symbol.to_digit(8))
    {
        code = code * 8 + digit;
        digits += 1;
        rest.next();
    }
    if first != '0' && digits == 1 {
        return Err("invalid escape sequence: a back reference");
    }
    out.push_str(&format!("\\x{{{code:x}}}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        let regex = compile(pattern).expect(pattern);
        assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
    }

    #[test]
    fn dialect() {
        check(r"^\d+$", "٣", false);
        check(r"^\w+$", "é", false);
        check(r"[[]", "[", true);
        check(r"[]a]", "]", true);
        check(r"^[a&&b]$", "&", true);
        check(r"^[\w.-]+$", "a.b-c", true);
        check(r"\Qa.b\E.", "a.bc", true);
        check(r"\Qa.b\E", "axb", false);
        check(r"[[:alpha:]_]", "_", true);
        check(r"(?i)^ABC$", "abc", true);
        check(r"(?P<name>a)", "a", true);
        check(r"^a b#c$", "a b#c", true);
        check(r"\101", "A", true);
        check(r"^.$", "é", true);
        check(r"^a{x}{2}$", "a{x}}", true);
        check(r"^a{,2}$", "a{,2}", true);
        check(r"^(a{2,3}?)+b*?$", "aaaaab", true);
    }

    #[test]
    fn what_go_refuses() {
        for pattern in ["(", "a**", "[z-a]", r"\1", r"(?=a)", "a{1001}", "a{3,2}", "a+?+"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
