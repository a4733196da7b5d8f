//! Python versions. Source: PEP 440, "Summary of permitted suffixes and relative ordering" and appendix B; for other
//! strings `_legacy_cmpkey` of packaging 21.3, which kept the historic setuptools rule.
use super::digits;
use std::cmp::Ordering;

pub(super) enum Version {
    /// Below every PEP 440 version: the parts compare as text, one by one.
    Legacy(Vec<String>),
    Pep440(Pep440),
}

/// All lower case, letters normalised. Numbers stay digits of any length.
pub(super) struct Pep440 {
    epoch: String,
    release: Vec<String>,
    pre: Option<(Pre, String)>,
    post: Option<String>,
    dev: Option<String>,
    local: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    Alpha,
    Beta,
    Candidate,
}

impl Version {
    /// Every string is a version of one kind or the other.
    pub(super) fn parse(text: &str) -> Self {
        let lower = text.to_lowercase();
        match parse_pep440(&lower) {
            Some(version) => Self::Pep440(version),
            None => Self::Legacy(legacy_parts(&lower)),
        }
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Legacy(a), Self::Legacy(b)) => a.cmp(b),
            (Self::Legacy(_), Self::Pep440(_)) => Ordering::Less,
            (Self::Pep440(_), Self::Legacy(_)) => Ordering::Greater,
            (Self::Pep440(a), Self::Pep440(b)) => a.cmp(b),
        }
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        match self {
            Self::Legacy(parts) => {
                key.push(0);
                for part in parts {
                    key.extend(part.as_bytes());
                    key.push(END);
                }
                key.push(END);
            }
            Self::Pep440(version) => {
                key.push(1);
                version.encode(key);
            }
        }
    }
}

/// Below every byte of a version, which has no control characters.
const END: u8 = 0x00;

impl Pep440 {
    fn cmp(&self, other: &Self) -> Ordering {
        fn parts(of: &[String]) -> Vec<&str> {
            of.iter().map(String::as_str).collect()
        }
        digits::compare(&self.epoch, &other.epoch)
            .then_with(|| digits::compare_parts(&parts(&self.release), &parts(&other.release)))
            .then_with(|| self.compare_pre(other))
            .then_with(|| match (&self.post, &other.post) {
                (Some(a), Some(b)) => digits::compare(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
            .then_with(|| match (&self.dev, &other.dev) {
                (Some(a), Some(b)) => digits::compare(a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            })
            .then_with(|| compare_local(&self.local, &other.local))
    }

    /// Where the pre-release stands: `1.0.dev1` is before `1.0a1`, which is before `1.0`.
    fn pre_rank(&self) -> u8 {
        match &self.pre {
            None if self.post.is_none() && self.dev.is_some() => 1,
            Some((Pre::Alpha, _)) => 2,
            Some((Pre::Beta, _)) => 3,
            Some((Pre::Candidate, _)) => 4,
            None => 5,
        }
    }

    fn compare_pre(&self, other: &Self) -> Ordering {
        self.pre_rank().cmp(&other.pre_rank()).then_with(|| match (&self.pre, &other.pre) {
            (Some((_, a)), Some((_, b))) => digits::compare(a, b),
            _ => Ordering::Equal,
        })
    }

    fn encode(&self, key: &mut Vec<u8>) {
        digits::encode(&self.epoch, key);
        let release: Vec<&str> = self.release.iter().map(String::as_str).collect();
        digits::encode_parts(&release, key);
        key.push(self.pre_rank());
        if let Some((_, number)) = &self.pre {
            digits::encode(number, key);
        }
        match &self.post {
            Some(number) => digits::encode(number, key),
            None => key.push(END),
        }
        match &self.dev {
            Some(number) => {
                key.push(0);
                digits::encode(number, key);
            }
            None => key.push(1),
        }
        for segment in &self.local {
            if digits::all_digits(segment) {
                key.push(2);
                digits::encode(segment, key);
            } else {
                key.push(1);
                key.extend(segment.as_bytes());
                key.push(END);
            }
        }
        key.push(END);
    }
}

/// Text by bytes and below numbers, numbers by value, a longer list above its own prefix.
fn compare_local(a: &[String], b: &[String]) -> Ordering {
    let unequal = |(a, b): (&String, &String)| {
        let order = match (digits::all_digits(a), digits::all_digits(b)) {
            (true, true) => digits::compare(a, b),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a.cmp(b),
        };
        Some(order).filter(|order| order.is_ne())
    };
    a.iter().zip(b).find_map(unequal).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Spellings, longest first: the expression of PEP 440 backtracks to the one that lets the rest match.
const PRE: [(&str, Pre); 8] = [
    ("preview", Pre::Candidate),
    ("alpha", Pre::Alpha),
    ("beta", Pre::Beta),
    ("pre", Pre::Candidate),
    ("rc", Pre::Candidate),
    ("a", Pre::Alpha),
    ("b", Pre::Beta),
    ("c", Pre::Candidate),
];

fn parse_pep440(text: &str) -> Option<Pep440> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, parse_local(local)?),
        None => (text, Vec::new()),
    };
    let (epoch, mut rest) = match public.split_once('!') {
        Some((epoch, rest)) => (digits::all_digits(epoch).then_some(epoch)?, rest),
        None => ("0", public),
    };
    let mut release = Vec::new();
    loop {
        let (number, after) = digits::split(rest);
        if number.is_empty() {
            return None;
        }
        release.push(number.to_owned());
        rest = after;
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    let mut pre = None;
    if let Some((letter, number, after)) = suffix(rest, &PRE) {
        (pre, rest) = (Some((letter, number)), after);
    }
    let mut post = None;
    let implicit =
        rest.strip_prefix('-').map(digits::split).filter(|(number, _)| !number.is_empty());
    if let Some((number, after)) = implicit {
        (post, rest) = (Some(number.to_owned()), after);
    } else if let Some(((), number, after)) = suffix(rest, &[("post", ()), ("rev", ()), ("r", ())])
    {
        (post, rest) = (Some(number), after);
    }
    let mut dev = None;
    if let Some(((), number, after)) = suffix(rest, &[("dev", ())]) {
        (dev, rest) = (Some(number), after);
    }
    rest.is_empty().then(|| Pep440 { epoch: epoch.to_owned(), release, pre, post, dev, local })
}

/// `[-_.]? word [-_.]? [number]`; an absent number is 0. Returns what follows.
fn suffix<'t, W: Copy>(text: &'t str, words: &[(&str, W)]) -> Option<(W, String, &'t str)> {
    let separator = ['-', '_', '.'];
    let body = text.strip_prefix(separator).unwrap_or(text);
    let (word, rest) =
        words.iter().find_map(|(spelling, word)| Some((*word, body.strip_prefix(spelling)?)))?;
    let (number, rest) = digits::split(rest.strip_prefix(separator).unwrap_or(rest));
    Some((word, number.to_owned(), rest))
}

fn parse_local(text: &str) -> Option<Vec<String>> {
    let segment = |segment: &str| {
        let valid = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric());
        valid.then(|| segment.to_owned())
    };
    text.split(['-', '_', '.']).map(segment).collect()
}

/// Digits a number is padded to. The historic rule compares padded numbers as text.
const LEGACY_PAD: usize = 8;

fn legacy_parts(lower: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let texts = legacy_tokens(lower).into_iter().filter_map(legacy_part);
    for part in texts.chain([FINAL.to_owned()]) {
        if part.starts_with('*') {
            // A hyphen before a pre-release word says nothing.
            while part.as_str() < FINAL && parts.last().is_some_and(|last| last == "*final-") {
                parts.pop();
            }
            while parts.last().is_some_and(|last| last == "00000000") {
                parts.pop();
            }
        }
        parts.push(part);
    }
    parts
}

const FINAL: &str = "*final";

/// Runs of digits, runs of `a`–`z`, single dots and hyphens; what stands between is a token too.
fn legacy_tokens(lower: &str) -> Vec<&str> {
    fn class(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => 0,
            b'a'..=b'z' => 1,
            b'.' => 2,
            b'-' => 3,
            _ => 4,
        }
    }
    let bytes = lower.as_bytes();
    let mut tokens = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let boundary = bytes.get(at).is_none_or(|&next| {
            let (left, right) = (class(bytes[at - 1]), class(next));
            left != right || matches!(left, 2 | 3)
        });
        if boundary {
            tokens.push(&lower[start..at]);
            start = at;
        }
    }
    tokens
}

fn legacy_part(token: &str) -> Option<String> {
    let word = match token {
        "." => return None,
        "pre" | "preview" | "rc" => "c",
        "-" => "final-",
        "dev" => "@",
        other => other,
    };
    let number = word.starts_with(|c: char| c.is_ascii_digit());
    Some(if number { format!("{word:0>LEGACY_PAD$}") } else { format!("*{word}") })
}
