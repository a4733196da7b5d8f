//! Go's regular expressions → those of the `regex` crate.
//!
//! Source: Go's `regexp/syntax`. `\d`, `\s`, `\w` and `\b` are of ASCII there, `\Q…\E` quotes, `{` that begins no
//! repetition and `[` inside of a class are themselves, and a class has neither nested classes nor `&&`, `--`, `~~`.

/// The pattern rewritten; `None` where Go refuses what the other takes.
pub(super) fn translate(pattern: &str) -> Option<String> {
    let mut reader = Reader { rest: pattern, out: String::with_capacity(pattern.len() + 16) };
    reader.pattern()?;
    Some(reader.out)
}

/// Repetitions of one part, in Go.
const MAX_REPEAT: u32 = 1000;

struct Reader<'a> {
    rest: &'a str,
    out: String,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    fn pattern(&mut self) -> Option<()> {
        let mut repeatable = false;
        let mut repeated = false;
        while let Some(char) = self.next() {
            let (mut now_repeatable, mut now_repeated) = (true, false);
            match char {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => {
                    self.group()?;
                    now_repeatable = false;
                }
                '|' => {
                    self.out.push('|');
                    now_repeatable = false;
                }
                '*' | '+' | '?' => {
                    // `a**` is an error in Go; so is nothing to repeat.
                    if repeated || !repeatable {
                        return None;
                    }
                    self.out.push(char);
                    self.lazy();
                    now_repeated = true;
                }
                '{' => match self.repetition() {
                    Repetition::None => self.out.push_str("\\{"),
                    Repetition::Wrong => return None,
                    Repetition::Text(text) => {
                        if repeated || !repeatable {
                            return None;
                        }
                        self.out.push_str(&text);
                        self.lazy();
                        now_repeated = true;
                    }
                },
                '}' => self.out.push_str("\\}"),
                ']' => self.out.push_str("\\]"),
                '#' | '&' | '-' | '~' | ' ' => self.out.push(char),
                _ => self.out.push(char),
            }
            (repeatable, repeated) = (now_repeatable, now_repeated);
        }
        Some(())
    }

    fn lazy(&mut self) {
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            self.out.push('?');
        }
    }

    /// `(?i)` and its kin: Go knows the flags `i`, `m`, `s`, `U`.
    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        let Some(rest) = self.rest.strip_prefix('?') else { return Some(()) };
        if rest.starts_with("P<") || rest.starts_with('<') {
            return Some(());
        }
        let end = rest.find([')', ':'])?;
        let flags = &rest[..end];
        if !flags.chars().all(|flag| matches!(flag, 'i' | 'm' | 's' | 'U' | '-')) {
            return None;
        }
        self.out.push('?');
        self.out.push_str(&rest[..=end]);
        self.rest = &rest[end + 1..];
        Some(())
    }

    fn repetition(&mut self) -> Repetition {
        let Some(end) = self.rest.find('}') else { return Repetition::None };
        let inside = &self.rest[..end];
        let (least, most) = inside.split_once(',').map_or((inside, None), |(a, b)| (a, Some(b)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(least) || most.is_some_and(|most| !most.is_empty() && !digits(most)) {
            return Repetition::None;
        }
        let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        let upper = most.filter(|most| !most.is_empty()).map(number);
        if number(least) > MAX_REPEAT
            || upper.is_some_and(|upper| upper > MAX_REPEAT || upper < number(least))
        {
            return Repetition::Wrong;
        }
        let text = format!("{{{inside}}}");
        self.rest = &self.rest[end + 1..];
        Repetition::Text(text)
    }

    /// Behind a backslash, outside of a class.
    fn escape(&mut self) -> Option<()> {
        let char = self.next()?;
        match char {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            's' => self.out.push_str("[\\t\\n\\x0C\\r ]"),
            'S' => self.out.push_str("[^\\t\\n\\x0C\\r ]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => self.out.push_str("(?-u:\\B)"),
            'A' | 'z' => self.out.extend(['\\', char]),
            'Q' => {
                let end = self.rest.find("\\E").unwrap_or(self.rest.len());
                self.out.push_str(&regex::escape(&self.rest[..end]));
                self.rest = self.rest[end..].strip_prefix("\\E").unwrap_or("");
            }
            'E' => {}
            _ => self.literal(char)?,
        }
        Some(())
    }

    /// An escape that stands for one character or for a class by name.
    fn literal(&mut self, char: char) -> Option<()> {
        match char {
            'p' | 'P' => {
                self.out.extend(['\\', char]);
                let name = if self.rest.starts_with('{') { self.rest.find('}')? + 1 } else { 1 };
                self.out.push_str(self.rest.get(..name)?);
                self.rest = &self.rest[name..];
            }
            'a' | 'f' | 't' | 'n' | 'r' | 'v' => self.out.extend(['\\', char]),
            'x' => {
                let (digits, length) = match self.rest.strip_prefix('{') {
                    Some(rest) => (&rest[..rest.find('}')?], rest.find('}')? + 2),
                    None => (self.rest.get(..2)?, 2),
                };
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
                self.out.push_str(&format!("\\x{{{:x}}}", code as u32));
                self.rest = &self.rest[length..];
            }
            // Octal: `\012`; `\1` would refer back, which Go refuses.
            '0'..='7' => {
                let more =
                    self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                if char != '0' && more == 0 {
                    return None;
                }
                let digits = format!("{char}{}", &self.rest[..more]);
                let code = u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32)?;
                self.out.push_str(&format!("\\x{{{:x}}}", code as u32));
                self.rest = &self.rest[more..];
            }
            _ if char.is_ascii_punctuation() => {
                self.out.push_str(&format!("\\x{{{:x}}}", char as u32))
            }
            _ => return None,
        }
        Some(())
    }

    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest.find(":]")
            {
                let name = &self.rest[..end + 2];
                self.out.push_str(name);
                self.rest = &self.rest[end + 2..];
                first = false;
                continue;
            }
            let char = self.next()?;
            match char {
                ']' if !first => {
                    self.out.push(']');
                    return Some(());
                }
                '\\' => {
                    let char = self.next()?;
                    match char {
                        'd' => self.out.push_str("0-9"),
                        'D' => self.out.push_str("[^0-9]"),
                        's' => self.out.push_str("\\t\\n\\x0C\\r "),
                        'S' => self.out.push_str("[^\\t\\n\\x0C\\r ]"),
                        'w' => self.out.push_str("0-9A-Za-z_"),
                        'W' => self.out.push_str("[^0-9A-Za-z_]"),
                        _ => self.literal(char)?,
                    }
                }
                // A range's dash; at either end it is itself.
                '-' if !first && !self.rest.starts_with(']') => self.out.push('-'),
                '[' | ']' | '&' | '~' | '-' | '^' => self.out.extend(['\\', char]),
                _ => self.out.push(char),
            }
            first = false;
        }
    }
}

enum Repetition {
    None,
    Wrong,
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<bool>) {
        let matched = translate(pattern)
            .and_then(|pattern| regex::Regex::new(&pattern).ok())
            .map(|regex| regex.is_match(text));
        assert_eq!(matched, expected, "{pattern} on {text}: {:?}", translate(pattern));
    }

    #[test]
    fn agrees_with_go() {
        check(r"^\d+$", "٣", Some(false));
        check(r"^\w+$", "é", Some(false));
        check(r"^[\w.-]+$", "a.b-c", Some(true));
        check(r"^[^\d]$", "x", Some(true));
        check(r"\bé", "xé", Some(true));
        check(r"^[[]$", "[", Some(true));
        check(r"^[a&&b]$", "&", Some(true));
        check(r"^[]a]+$", "]a", Some(true));
        check(r"^\Qa.b\E$", "a.b", Some(true));
        check(r"^\Qa.b\E$", "axb", Some(false));
        check(r"^a{,2}$", "a{,2}", Some(true));
        check(r"^a{2}$", "aa", Some(true));
        check(r"a{1001}", "a", None);
        check(r"a**", "a", None);
        check(r"*a", "a", None);
        check(r"(?x)a b", "ab", None);
        check(r"(?i)A", "a", Some(true));
        check(r"(?P<n>a)\1", "aa", None);
        check(r"\<", "<", Some(true));
        check(r"^[[:alpha:]]+$", "ab", Some(true));
        check(r"^[a\-z]$", "-", Some(true));
        check(r"^[+--]$", ",", Some(true));
        check(r"^\x41\x{42}$", "AB", Some(true));
        check(r"a(?=b)", "ab", None);
        check(r"^registry\.example/", "registry.example/a", Some(true));
        check(r"[", "a", None);
        check(r"\pL\p{Greek}", "aα", Some(true));
        check(r"a+?b??", "ab", Some(true));
    }
}
