//! Escapes: `\n`, octal and hexadecimal characters, `\d` and its like, `\p{Name}`.
use super::translate::SyntaxError;

/// What a backslash began.
pub(super) enum Escape {
    /// One character; a surrogate, which no text holds, is none.
    Character(Option<char>),
    /// The body of a class, without brackets, for `\d`, `\p{L}` and their like.
    Class(String),
}

/// Reads the escape at the start of `text`, which begins with a backslash: what it is and the rest.
pub(super) fn read(text: &str) -> Result<(Escape, &str), SyntaxError> {
    if text.starts_with("\\p") || text.starts_with("\\P") {
        let (class, rest) = unicode(text)?;
        return Ok((Escape::Class(class), rest));
    }
    if let Some(class) = perl(text) {
        return Ok((Escape::Class(class.to_owned()), &text[2..]));
    }
    character(text).map(|(code, rest)| (Escape::Character(char::from_u32(code)), rest))
}

/// `\d`, `\s` and `\w` are ASCII in Go; a vertical tab is no space.
fn perl(text: &str) -> Option<&'static str> {
    Some(match text.as_bytes().get(1)? {
        b'd' => "0-9",
        b'D' => "[^0-9]",
        b's' => r"\t\n\x0C\r\x20",
        b'S' => r"[^\t\n\x0C\r\x20]",
        b'w' => "0-9A-Za-z_",
        b'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// The code point an escape stands for, which may be a surrogate, and the rest.
pub(super) fn character(text: &str) -> Result<(u32, &str), SyntaxError> {
    let mut letters = text.chars();
    letters.next();
    let Some(letter) = letters.next() else {
        return Err(SyntaxError::new("trailing backslash at end of expression", ""));
    };
    let rest = letters.as_str();
    let wrong = |rest: &str| {
        let taken = &text[..text.len() - rest.len()];
        Err(SyntaxError::new("invalid escape sequence", taken))
    };
    let simple = match letter {
        'a' => 0x07,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        'x' => return hexadecimal(rest).or_else(wrong),
        '0' => return Ok(octal(letter, rest)),
        // A single digit would be a back reference, which RE2 has not.
        '1'..='7' if rest.starts_with(|next: char| next.is_digit(8)) => {
            return Ok(octal(letter, rest));
        }
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => u32::from(letter),
        _ => return wrong(rest),
    };
    Ok((simple, rest))
}

/// At most three octal digits, the first of which is read already.
fn octal(first: char, rest: &str) -> (u32, &str) {
    let more = rest.chars().take(2).take_while(|digit| digit.is_digit(8)).count();
    let digits = rest[..more].chars().filter_map(|digit| digit.to_digit(8));
    let code = digits.fold(first.to_digit(8).unwrap_or_default(), |code, digit| code * 8 + digit);
    (code, &rest[more..])
}

/// `41` or `{1F600}`. Error: what is left behind the last character that was read.
fn hexadecimal(text: &str) -> Result<(u32, &str), &str> {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return Err(text) };
    if first != '{' {
        let second = letters.next().and_then(|digit| digit.to_digit(16));
        let code = first.to_digit(16).zip(second).map(|(high, low)| high * 16 + low);
        return code.map(|code| (code, letters.as_str())).ok_or(letters.as_str());
    }
    let (mut code, mut digits) = (0u32, 0);
    loop {
        match letters.next() {
            Some('}') if digits > 0 => return Ok((code, letters.as_str())),
            Some(letter) => {
                let digit = letter.to_digit(16).ok_or(letters.as_str())?;
                code = code * 16 + digit;
                digits += 1;
                if code > u32::from(char::MAX) {
                    return Err(letters.as_str());
                }
            }
            None => return Err(""),
        }
    }
}

/// `\pL`, `\p{Greek}`, `\P{^Lu}`: the class and the rest.
fn unicode(text: &str) -> Result<(String, &str), SyntaxError> {
    let mut letters = text[2..].chars();
    let range = |expression: &str| SyntaxError::new("invalid character class range", expression);
    let (name, rest) = match letters.next() {
        None => return Err(range(text)),
        Some('{') => {
            let (name, rest) = text[3..].split_once('}').ok_or_else(|| range(text))?;
            (name, rest)
        }
        Some(_) => (&text[2..text.len() - letters.as_str().len()], letters.as_str()),
    };
    let expression = &text[..text.len() - rest.len()];
    let (name, caret) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let negated = text.starts_with("\\P") != caret;
    let property = property(name).ok_or_else(|| range(expression))?;
    Ok((format!("\\{}{{{property}}}", if negated { 'P' } else { 'p' }), rest))
}

/// Categories and scripts are all that Go knows; crate `regex` knows more properties, by the same names.
fn property(name: &str) -> Option<String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte));
    let known: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if !plain || known.is_empty() {
        return None;
    }
    match known.to_ascii_lowercase().as_str() {
        "any" | "assigned" | "ascii" => return Some(known),
        _ => {}
    }
    ["gc", "sc"]
        .iter()
        .map(|kind| format!("{kind}={known}"))
        .find(|property| ::regex::Regex::new(&format!("\\p{{{property}}}")).is_ok())
}
