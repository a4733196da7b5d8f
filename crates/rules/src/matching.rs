//! What a comparison does to a value, prepared so that one event costs as little as possible: sets are hashed,
//! networks parsed, paths in a tree, regular expressions compiled with a size limit.
use crate::condition::{Modifier, Op};
use crate::value::{Kind, Quantity, Value, parse_bool, parse_number};
use ipnet::IpNet;
use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// Bytes of one compiled regular expression. `.{1,1000}` of a Unicode class fits, nested counts do not.
const MAX_REGEX_BYTES: usize = 1 << 20;
/// Nested groups of one regular expression.
const MAX_REGEX_NESTING: u32 = 100;
/// Directories of one `pmatch` prefix; PATH_MAX allows 2,048, real ones have ten.
const MAX_PATH_PARTS: usize = 256;

/// A comparison with constants.
#[derive(Debug)]
pub(crate) enum Test {
    Exists,
    Text(TextTest),
    Number { op: Op, number: i128 },
    Numbers(HashSet<i128>),
    Bool(bool),
    Networks { networks: Vec<IpNet>, equal: bool },
    Combined { modifier: Modifier, tests: Vec<Test> },
}

#[derive(Debug)]
pub(crate) enum TextTest {
    Equal(String),
    NotEqual(String),
    Contains(String),
    ContainsAnyCase(String),
    StartsWith(String),
    EndsWith(String),
    ContainsBytes(Vec<u8>),
    StartsWithBytes(Vec<u8>),
    Glob { pattern: String, any_case: bool },
    Regex(Regex),
    In(HashSet<String>),
    Under(PathTree),
}

/// Why a constant does not suit its field and operator; `code` is the problem's.
#[derive(Debug)]
pub(crate) struct Unsuited {
    /// The operator is at fault, not the value.
    pub(crate) operator: bool,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

fn unsuited(message: String) -> Unsuited {
    Unsuited { operator: false, code: "type", message }
}

/// Prepares `field op value`. `loose` fields hold text that may be a number (`evt.rawarg.*`).
pub(crate) fn single(kind: Kind, op: Op, text: &str, loose: bool) -> Result<Test, Unsuited> {
    match kind {
        Kind::Text if op.is_numeric() && loose => Ok(Test::Number { op, number: number(text)? }),
        Kind::Text => Ok(Test::Text(text_test(op, text)?)),
        Kind::Number => match op {
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                Ok(Test::Number { op, number: number(text)? })
            }
            _ => Err(wrong_operator(op, kind)),
        },
        Kind::Bool => match (op, parse_bool(text)) {
            (Op::Eq, Some(value)) => Ok(Test::Bool(value)),
            (Op::Ne, Some(value)) => Ok(Test::Bool(!value)),
            (Op::Eq | Op::Ne, None) => Err(unsuited(format!("`{text}` is neither true nor false"))),
            _ => Err(wrong_operator(op, kind)),
        },
        Kind::Address => match op {
            Op::Eq | Op::Ne => {
                Ok(Test::Networks { networks: vec![network(text)?], equal: op == Op::Eq })
            }
            _ => Err(wrong_operator(op, kind)),
        },
    }
}

/// Prepares `field in (…)` and its like.
pub(crate) fn list<'v>(
    kind: Kind,
    op: Op,
    values: impl Iterator<Item = &'v str>,
) -> Result<Test, Unsuited> {
    match (kind, op) {
        (Kind::Text, Op::PMatch) => {
            let mut tree = PathTree::default();
            for value in values {
                tree.insert(value)?;
            }
            Ok(Test::Text(TextTest::Under(tree)))
        }
        (_, Op::PMatch) => Err(wrong_operator(op, kind)),
        (Kind::Text, _) => Ok(Test::Text(TextTest::In(values.map(str::to_owned).collect()))),
        (Kind::Number, _) => Ok(Test::Numbers(values.map(number).collect::<Result<_, _>>()?)),
        (Kind::Address, _) => {
            let networks = values.map(network).collect::<Result<_, _>>()?;
            Ok(Test::Networks { networks, equal: true })
        }
        (Kind::Bool, _) => {
            let tests =
                values.map(|value| single(kind, Op::Eq, value, false)).collect::<Result<_, _>>()?;
            Ok(Test::Combined { modifier: Modifier::AnyOf, tests })
        }
    }
}

pub(crate) fn wrong_operator(op: Op, kind: Kind) -> Unsuited {
    let message = format!("`{}` does not compare a {}", op.as_str(), kind.as_str());
    Unsuited { operator: true, code: "type", message }
}

fn number(text: &str) -> Result<i128, Unsuited> {
    parse_number(text).ok_or_else(|| unsuited(format!("`{text}` is no number")))
}

fn network(text: &str) -> Result<IpNet, Unsuited> {
    let parsed =
        text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    parsed.ok_or_else(|| unsuited(format!("`{text}` is no IP address and no network")))
}

fn text_test(op: Op, text: &str) -> Result<TextTest, Unsuited> {
    let owned = text.to_owned();
    Ok(match op {
        Op::Eq => TextTest::Equal(owned),
        Op::Ne => TextTest::NotEqual(owned),
        Op::Contains => TextTest::Contains(owned),
        Op::IContains => TextTest::ContainsAnyCase(owned),
        Op::StartsWith => TextTest::StartsWith(owned),
        Op::EndsWith => TextTest::EndsWith(owned),
        Op::Glob => TextTest::Glob { pattern: owned, any_case: false },
        Op::IGlob => TextTest::Glob { pattern: owned, any_case: true },
        Op::BContains => TextTest::ContainsBytes(hex_bytes(text)?),
        Op::BStartsWith => TextTest::StartsWithBytes(hex_bytes(text)?),
        Op::Regex => TextTest::Regex(regex(text)?),
        _ => return Err(wrong_operator(op, Kind::Text)),
    })
}

fn hex_bytes(text: &str) -> Result<Vec<u8>, Unsuited> {
    let bad = || unsuited(format!("`{text}` is no sequence of hexadecimal bytes"));
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return Err(bad());
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| bad()))
        .collect()
}

/// Matches the whole value, in linear time.
fn regex(pattern: &str) -> Result<Regex, Unsuited> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(MAX_REGEX_BYTES)
        .nest_limit(MAX_REGEX_NESTING)
        .build()
        .map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("the regular expression needs more than {limit} bytes compiled")
                }
                other => {
                    let text = other.to_string();
                    let last = text.lines().last().unwrap_or("does not parse");
                    format!("regular expression: {}", last.trim_start_matches("error: "))
                }
            };
            Unsuited { operator: false, code: "regex", message }
        })
}

impl Test {
    /// Whether a present value passes. `all` is what `in` demands of a list, against `intersects`.
    pub(crate) fn passes(&self, value: &Value<'_>, quantity: Quantity, all: bool) -> bool {
        match value {
            Value::Many(values) => {
                let one = |value: &Value<'_>| self.one(value);
                match quantity {
                    _ if matches!(self, Self::Exists) => !values.is_empty(),
                    Quantity::List if all => !values.is_empty() && values.iter().all(one),
                    Quantity::Ends if self.is_negative() => values.iter().all(one),
                    _ => values.iter().any(one),
                }
            }
            value => self.one(value),
        }
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Networks { equal, .. } => !equal,
            Self::Number { op, .. } => *op == Op::Ne,
            _ => false,
        }
    }

    fn one(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Exists, _) => true,
            (Self::Text(test), Value::Text(text)) => test.passes(text),
            (Self::Number { op, number }, Value::Number(value)) => compare(*op, *value, *number),
            (Self::Number { op, number }, Value::Text(text)) => {
                parse_number(text).is_some_and(|value| compare(*op, value, *number))
            }
            (Self::Numbers(numbers), Value::Number(value)) => numbers.contains(value),
            (Self::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Self::Networks { networks, equal }, Value::Address(address)) => {
                networks.iter().any(|network| network.contains(address)) == *equal
            }
            (Self::Combined { modifier, tests }, value) => {
                let passed = |test: &&Test| test.one(value);
                match modifier {
                    Modifier::AnyOf => tests.iter().any(|test| test.one(value)),
                    Modifier::AllOf => {
                        !tests.is_empty() && tests.iter().all(|test| test.one(value))
                    }
                    Modifier::OneOf => tests.iter().filter(passed).take(2).count() == 1,
                }
            }
            _ => false,
        }
    }

    /// Relative cost of one evaluation.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Self::Exists | Self::Bool(_) | Self::Number { .. } => 1,
            Self::Numbers(_) => 2,
            Self::Networks { networks, .. } => 1 + networks.len() as u32 / 4,
            Self::Combined { tests, .. } => {
                tests.iter().map(Test::cost).fold(1, u32::saturating_add)
            }
            Self::Text(test) => match test {
                TextTest::Equal(_) | TextTest::NotEqual(_) => 1,
                TextTest::In(_) | TextTest::StartsWith(_) | TextTest::EndsWith(_) => 2,
                TextTest::StartsWithBytes(_) => 2,
                TextTest::Under(_) => 6,
                TextTest::Contains(_) | TextTest::ContainsBytes(_) => 5,
                TextTest::ContainsAnyCase(_) => 8,
                TextTest::Glob { .. } => 10,
                TextTest::Regex(_) => 20,
            },
        }
    }
}

impl TextTest {
    fn passes(&self, text: &str) -> bool {
        match self {
            Self::Equal(wanted) => text == wanted,
            Self::NotEqual(wanted) => text != wanted,
            Self::Contains(part) => text.contains(part.as_str()),
            Self::ContainsAnyCase(part) => contains_any_case(text, part),
            Self::StartsWith(part) => text.starts_with(part.as_str()),
            Self::EndsWith(part) => text.ends_with(part.as_str()),
            Self::ContainsBytes(part) => {
                part.is_empty() || text.as_bytes().windows(part.len()).any(|window| window == part)
            }
            Self::StartsWithBytes(part) => text.as_bytes().starts_with(part),
            Self::Glob { pattern, any_case } => glob(pattern, text, *any_case),
            Self::Regex(regex) => regex.is_match(text),
            Self::In(set) => set.contains(text),
            Self::Under(tree) => tree.covers(text),
        }
    }
}

pub(crate) fn compare(op: Op, left: i128, right: i128) -> bool {
    match op {
        Op::Eq => left == right,
        Op::Ne => left != right,
        Op::Lt => left < right,
        Op::Le => left <= right,
        Op::Gt => left > right,
        Op::Ge => left >= right,
        _ => false,
    }
}

/// Compares two values of one type, for a right side that is computed.
pub(crate) fn compare_values(op: Op, left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (_, Value::Many(rights)) => rights.iter().any(|right| compare_values(op, left, right)),
        (Value::Many(lefts), right) => lefts.iter().any(|left| compare_values(op, left, right)),
        (Value::Number(left), Value::Number(right)) => match op {
            Op::In | Op::Intersects => left == right,
            op => compare(op, *left, *right),
        },
        (Value::Text(left), Value::Text(right)) => match op {
            Op::Eq | Op::In | Op::Intersects => left == right,
            Op::Ne => left != right,
            Op::Contains => left.contains(right.as_ref()),
            Op::IContains => contains_any_case(left, right),
            Op::StartsWith => left.starts_with(right.as_ref()),
            Op::EndsWith => left.ends_with(right.as_ref()),
            Op::Glob => glob(right, left, false),
            Op::IGlob => glob(right, left, true),
            Op::PMatch => {
                let mut tree = PathTree::default();
                tree.insert(right).is_ok() && tree.covers(left)
            }
            _ => false,
        },
        (left, right) => match op {
            Op::Eq | Op::In | Op::Intersects => left == right,
            Op::Ne => left != right,
            _ => false,
        },
    }
}

/// ASCII letters match in any case, as libsinsp's `stristr` does.
fn contains_any_case(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// fnmatch(3) without flags, as libsinsp calls it: `*` and `?` also match `/`. Linear space, at worst quadratic time.
pub(crate) fn glob(pattern: &str, text: &str, any_case: bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern_step(&pattern, p, text[t], any_case) {
            Step::Star => {
                star = Some((p + 1, t));
                p += 1;
            }
            Step::Match(next) => {
                p = next;
                t += 1;
            }
            Step::Miss => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

enum Step {
    Star,
    Match(usize),
    Miss,
}

fn pattern_step(pattern: &[char], at: usize, c: char, any_case: bool) -> Step {
    let same = |a: char, b: char| a == b || (any_case && a.eq_ignore_ascii_case(&b));
    match pattern.get(at) {
        None => Step::Miss,
        Some('*') => Step::Star,
        Some('?') => Step::Match(at + 1),
        Some('[') => match bracket(pattern, at, c, any_case) {
            Some((true, next)) => Step::Match(next),
            Some((false, _)) => Step::Miss,
            // An unclosed bracket is an ordinary character.
            None => {
                if c == '[' {
                    Step::Match(at + 1)
                } else {
                    Step::Miss
                }
            }
        },
        Some('\\') if at + 1 < pattern.len() => {
            if same(pattern[at + 1], c) {
                Step::Match(at + 2)
            } else {
                Step::Miss
            }
        }
        Some(wanted) => {
            if same(*wanted, c) {
                Step::Match(at + 1)
            } else {
                Step::Miss
            }
        }
    }
}

/// `[a-z]`, `[!a]`, `[^a]`: whether `c` is meant, and where the pattern goes on.
fn bracket(pattern: &[char], open: usize, c: char, any_case: bool) -> Option<(bool, usize)> {
    let mut at = open + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((found != negated, at + 1));
        }
        let range = pattern.get(at + 1) == Some(&'-')
            && pattern.get(at + 2).is_some_and(|high| *high != ']');
        let high = if range { pattern[at + 2] } else { low };
        let within = |c: char| low <= c && c <= high;
        found |= within(c)
            || (any_case && (within(c.to_ascii_lowercase()) || within(c.to_ascii_uppercase())));
        at += if range { 3 } else { 1 };
    }
}

/// Path prefixes of `pmatch`, by component; a component may be a glob that stays within its directory.
#[derive(Debug, Default)]
pub(crate) struct PathTree {
    ends: bool,
    names: HashMap<String, PathTree>,
    globs: Vec<(String, PathTree)>,
}

impl PathTree {
    fn insert(&mut self, prefix: &str) -> Result<(), Unsuited> {
        let parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
        if parts.len() > MAX_PATH_PARTS {
            return Err(unsuited(format!(
                "a path prefix has more than {MAX_PATH_PARTS} directories"
            )));
        }
        let mut node = self;
        for part in parts {
            if part.contains(['*', '?', '[']) {
                let known = node.globs.iter().position(|(glob, _)| glob == part);
                let index = known.unwrap_or_else(|| {
                    node.globs.push((part.to_owned(), Self::default()));
                    node.globs.len() - 1
                });
                node = &mut node.globs[index].1;
            } else {
                node = node.names.entry(part.to_owned()).or_default();
            }
        }
        node.ends = true;
        Ok(())
    }

    fn covers(&self, path: &str) -> bool {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let mut nodes = vec![self];
        loop {
            if nodes.iter().any(|node| node.ends) {
                return true;
            }
            let Some(part) = parts.next().filter(|_| !nodes.is_empty()) else { return false };
            nodes = nodes
                .into_iter()
                .flat_map(|node| {
                    let globs = node.globs.iter().filter(|(pattern, _)| glob(pattern, part, false));
                    node.names.get(part).into_iter().chain(globs.map(|(_, child)| child))
                })
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_follow_fnmatch() {
        for (pattern, text, expected) in [
            ("/home/*/.ssh/*", "/home/a/.ssh/id", true),
            ("/home/*", "/home/a/b", true),
            ("*.so", "/a/b.so", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("***", "", true),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxbxx", false),
            ("", "", true),
            ("é*", "éa", true),
        ] {
            assert_eq!(glob(pattern, text, false), expected, "{pattern} {text}");
        }
        assert!(glob("*.EXE", "a.exe", true));
    }

    #[test]
    fn path_prefixes_end_at_components() {
        let covers = |prefixes: &[&str], path: &str| {
            let mut tree = PathTree::default();
            prefixes.iter().for_each(|prefix| tree.insert(prefix).unwrap());
            tree.covers(path)
        };
        for (prefix, path, expected) in [
            ("/tmp/hello", "/tmp/hello", true),
            ("/tmp/hello", "/tmp/hello/world", true),
            ("/tmp/hello", "/tmp/hello_world", false),
            ("/tmp/hello/", "/tmp/hello/x", true),
            ("/tmp/hello", "/tmp", false),
            ("/", "/anything", true),
            ("/var/*", "/var/run/file.txt", true),
            ("/var/*/*.txt", "/var/run/file.txt", true),
            ("/var/*.txt", "/var/run/file.txt", false),
        ] {
            assert_eq!(covers(&[prefix], path), expected, "{prefix} {path}");
        }
        assert!(covers(&["/a/*/c", "/a/b/d"], "/a/b/c/e"));
    }

    #[test]
    fn huge_regular_expressions_are_refused() {
        for pattern in ["(a{1000}){1000}{1000}", "(", &"(".repeat(100_000)] {
            assert_eq!(regex(pattern).unwrap_err().code, "regex");
        }
    }
}
