//! Go's grammar of regular expressions, read once from left to right and written out anew.
use super::class;
use super::escape::{self, Escape};
use std::fmt;

/// Copies of one expression that nested counted repetitions may ask for.
const MAX_REPEAT: u32 = 1000;

/// Go's text of what is wrong, and the part of the expression it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    what: &'static str,
    part: String,
}

impl SyntaxError {
    pub(super) fn new(what: &'static str, part: &str) -> SyntaxError {
        SyntaxError { what, part: part.to_owned() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`", self.what, self.part)
    }
}

/// The expression in the syntax of crate `regex`. Error: Go's.
pub(crate) fn translate(pattern: &str) -> Result<String, SyntaxError> {
    let mut translation = Translation {
        pattern,
        out: String::with_capacity(pattern.len()),
        groups: vec![Group::default()],
        last_repeat: None,
    };
    let mut rest = pattern;
    while !rest.is_empty() {
        rest = translation.step(rest)?;
    }
    if translation.groups.len() > 1 {
        return Err(SyntaxError::new("missing closing )", pattern));
    }
    Ok(translation.out)
}

struct Translation<'t> {
    pattern: &'t str,
    out: String,
    /// Open groups, the expression itself first.
    groups: Vec<Group>,
    /// Where the repetition that was just read begins: another one behind it is an error.
    last_repeat: Option<&'t str>,
}

#[derive(Clone, Copy, Default)]
struct Group {
    flags: Flags,
    /// The flags that what is written so far sets. `a(?i)*` repeats `a`, so that flags wait for the next item.
    written: Flags,
    /// Copies that counted repetition makes of the last item; None where nothing stands that could be repeated.
    item: Option<u32>,
    /// The most copies of any item.
    copies: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    lazy: bool,
}

impl Flags {
    /// All of them, so that what is written never depends on what stands around it.
    fn text(self) -> String {
        let all = [
            ('i', self.ignore_case),
            ('m', self.multi_line),
            ('s', self.dot_all),
            ('U', self.lazy),
        ];
        let chosen = |on: bool| -> String {
            all.iter().filter(|(_, set)| *set == on).map(|(letter, _)| letter).collect()
        };
        match chosen(false) {
            off if off.is_empty() => chosen(true),
            off => format!("{}-{off}", chosen(true)),
        }
    }
}

impl<'t> Translation<'t> {
    /// Takes one item from the front of `text`, which is not empty.
    fn step(&mut self, text: &'t str) -> Result<&'t str, SyntaxError> {
        let last_repeat = self.last_repeat.take();
        let letter = text.chars().next().unwrap_or_default();
        let rest = &text[letter.len_utf8()..];
        match letter {
            '(' if rest.starts_with('?') => return self.perl_group(text),
            '(' => {
                let flags = self.group().flags;
                self.open("(", flags);
            }
            ')' => self.close()?,
            '|' => {
                self.out.push('|');
                self.group().item = None;
            }
            '^' | '$' | '.' => self.item(letter.encode_utf8(&mut [0; 4])),
            '[' => {
                let (class, rest) = class::read(text)?;
                self.item(&class);
                return Ok(rest);
            }
            '*' | '+' | '?' => return self.repeat(text, rest, None, last_repeat),
            '{' => match count(text) {
                Some((range, rest)) => return self.counted(text, rest, range, last_repeat),
                None => self.literal('{'),
            },
            '\\' => return self.escape(text),
            _ => self.literal(letter),
        }
        Ok(rest)
    }

    fn group(&mut self) -> &mut Group {
        self.groups.last_mut().expect("the outermost group is never closed")
    }

    fn item(&mut self, translated: &str) {
        self.write_flags();
        self.out.push_str(translated);
        let group = self.group();
        group.item = Some(1);
        group.copies = group.copies.max(1);
    }

    fn literal(&mut self, letter: char) {
        self.item(&::regex::escape(letter.encode_utf8(&mut [0; 4])));
    }

    fn open(&mut self, translated: &str, flags: Flags) {
        self.write_flags();
        self.out.push_str(translated);
        self.groups.push(Group { flags, written: flags, ..Group::default() });
    }

    fn write_flags(&mut self) {
        let group = self.group();
        if group.flags != group.written {
            group.written = group.flags;
            let flags = group.flags.text();
            self.out.push_str(&format!("(?{flags})"));
        }
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.groups.len() == 1 {
            return Err(SyntaxError::new("unexpected )", self.pattern));
        }
        let copies = self.groups.pop().map_or(1, |closed| closed.copies.max(1));
        self.out.push(')');
        let group = self.group();
        group.item = Some(copies);
        group.copies = group.copies.max(copies);
        Ok(())
    }

    fn escape(&mut self, text: &'t str) -> Result<&'t str, SyntaxError> {
        match text.as_bytes().get(1) {
            Some(b'A') => self.item(r"\A"),
            Some(b'z') => self.item(r"\z"),
            // Go's words are ASCII.
            Some(b'b') => self.item(r"(?-u:\b)"),
            Some(b'B') => self.item(r"(?-u:\B)"),
            Some(b'C') => return Err(SyntaxError::new("invalid escape sequence", &text[..2])),
            Some(b'Q') => {
                let (literal, rest) = text[2..].split_once("\\E").unwrap_or((&text[2..], ""));
                for letter in literal.chars() {
                    self.literal(letter);
                }
                return Ok(rest);
            }
            _ => {
                let (escape, rest) = escape::read(text)?;
                match escape {
                    Escape::Character(Some(letter)) => self.literal(letter),
                    Escape::Character(None) => self.item(class::NOTHING),
                    Escape::Class(class) => self.item(&format!("[{class}]")),
                }
                return Ok(rest);
            }
        }
        Ok(&text[2..])
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` and `(?flags:`.
    fn perl_group(&mut self, text: &'t str) -> Result<&'t str, SyntaxError> {
        let named = |prefix, least: usize| text.strip_prefix(prefix).filter(|_| text.len() > least);
        if let Some(inner) = named("(?P<", 4).or_else(|| named("(?<", 3)) {
            let what = "invalid named capture";
            let (name, rest) = inner.split_once('>').ok_or(SyntaxError::new(what, text))?;
            let word = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                let capture = &text[..text.len() - rest.len()];
                return Err(SyntaxError::new(what, capture));
            }
            let flags = self.group().flags;
            self.open("(", flags);
            return Ok(rest);
        }
        let mut flags = self.group().flags;
        let (mut on, mut seen) = (true, false);
        let mut letters = text[2..].chars();
        while let Some(letter) = letters.next() {
            let flag = match letter {
                'i' => &mut flags.ignore_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_all,
                'U' => &mut flags.lazy,
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    self.set_flags(flags, letter);
                    return Ok(letters.as_str());
                }
                _ => break,
            };
            *flag = on;
            seen = true;
        }
        let read = &text[..text.len() - letters.as_str().len()];
        Err(SyntaxError::new("invalid or unsupported Perl syntax", read))
    }

    fn set_flags(&mut self, flags: Flags, end: char) {
        match end {
            ':' => self.open(&format!("(?{}:", flags.text()), flags),
            _ => self.group().flags = flags,
        }
    }

    fn counted(
        &mut self,
        text: &'t str,
        rest: &'t str,
        (least, most): (u32, Option<u32>),
        last_repeat: Option<&'t str>,
    ) -> Result<&'t str, SyntaxError> {
        let backwards = most.is_some_and(|most| least > most);
        if least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT) || backwards {
            let part = &text[..text.len() - rest.len()];
            return Err(SyntaxError::new("invalid repeat count", part));
        }
        self.repeat(text, rest, Some(most.unwrap_or(least)), last_repeat)
    }

    /// `copies`: how many a counted repetition makes at least. `after` begins behind the operator.
    fn repeat(
        &mut self,
        text: &'t str,
        after: &'t str,
        copies: Option<u32>,
        last_repeat: Option<&'t str>,
    ) -> Result<&'t str, SyntaxError> {
        let rest = after.strip_prefix('?').unwrap_or(after);
        let operator = &text[..text.len() - rest.len()];
        if let Some(last) = last_repeat {
            let both = &last[..last.len() - rest.len()];
            return Err(SyntaxError::new("invalid nested repetition operator", both));
        }
        let Some(item) = self.group().item else {
            return Err(SyntaxError::new("missing argument to repetition operator", operator));
        };
        let item = item * copies.unwrap_or(1).max(1);
        if item > MAX_REPEAT && copies.is_some_and(|copies| copies >= 2) {
            return Err(SyntaxError::new("invalid repeat count", operator));
        }
        let group = self.group();
        group.item = Some(item);
        group.copies = group.copies.max(item);
        let turned = group.flags.lazy != group.written.lazy;
        let greedy = &text[..text.len() - after.len()];
        self.out.push_str(greedy);
        if turned != (rest.len() != after.len()) {
            self.out.push('?');
        }
        self.last_repeat = Some(text);
        Ok(rest)
    }
}

/// `{2}`, `{2,}` or `{2,5}`: the range and the rest. None: a brace that stands for itself. Numbers beyond what can be
/// repeated are cut.
fn count(text: &str) -> Option<((u32, Option<u32>), &str)> {
    let (least, rest) = number(&text[1..])?;
    let (range, rest) = match rest.strip_prefix(',') {
        None => ((least, Some(least)), rest),
        Some(rest) if rest.starts_with('}') => ((least, None), rest),
        Some(rest) => {
            let (most, rest) = number(rest)?;
            ((least, Some(most)), rest)
        }
    };
    rest.strip_prefix('}').map(|rest| (range, rest))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
