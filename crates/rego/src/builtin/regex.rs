//! Regular expressions as Go matches them.
use super::{Answer, MAX_ELEMENTS, MAX_TEXT, Stop, array, go_regex, string, text, whole};
use regex::{Regex, RegexBuilder};
use regorus::Value;
use std::cell::RefCell;
use std::collections::HashMap;

/// Bytes of a compiled pattern. The interpreter's own stop at 100 KiB, which `\pL{1,63}` exceeds.
const MAX_COMPILED: usize = 10 << 20;
/// Compiled patterns kept per thread; templates hold a handful, parameters some dozens.
const MAX_KEPT: usize = 256;

thread_local! {
    static KEPT: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compiled(pattern: &str) -> Result<Regex, Stop> {
    if let Some(regex) = KEPT.with_borrow(|kept| kept.get(pattern).cloned()) {
        return Ok(regex);
    }
    let translated = go_regex::translate(pattern).ok_or(Stop::Undefined)?;
    let built = RegexBuilder::new(&translated).size_limit(MAX_COMPILED).build();
    let regex = built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Stop::Limit("a regular expression over 10 MiB"),
        _ => Stop::Undefined,
    })?;
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}

/// The pattern as Go reads it; `None` where Go refuses it or it is over 10 MiB.
pub fn regex_of_go(pattern: &str) -> Option<Regex> {
    let pattern = go_regex::translate(pattern)?;
    RegexBuilder::new(&pattern).size_limit(MAX_COMPILED).build().ok()
}

pub(super) fn is_valid(args: &[Value]) -> Answer {
    let valid = text(&args[0])
        .ok()
        .and_then(go_regex::translate)
        .is_some_and(|pattern| regex_syntax_is_valid(&pattern));
    Ok(Value::Bool(valid))
}

/// Whether it parses, whatever its size.
fn regex_syntax_is_valid(pattern: &str) -> bool {
    !matches!(
        RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build(),
        Err(regex::Error::Syntax(_))
    )
}

pub(super) fn matches(args: &[Value]) -> Answer {
    Ok(Value::Bool(compiled(text(&args[0])?)?.is_match(text(&args[1])?)))
}

/// All matches, or the first `n` if that is not negative.
pub(super) fn find(args: &[Value]) -> Answer {
    let (regex, subject) = (compiled(text(&args[0])?)?, text(&args[1])?);
    let found = regex.find_iter(subject).take(count(&args[2])?);
    array(found.map(|found| Value::from(found.as_str())).collect())
}

pub(super) fn find_submatches(args: &[Value]) -> Answer {
    let (regex, subject) = (compiled(text(&args[0])?)?, text(&args[1])?);
    let found = regex.captures_iter(subject).take(count(&args[2])?);
    let groups = |captures: regex::Captures<'_>| {
        let group =
            |group: Option<regex::Match<'_>>| Value::from(group.map_or("", |group| group.as_str()));
        Value::from(captures.iter().map(group).collect::<Vec<_>>())
    };
    array(found.map(groups).collect())
}

fn count(value: &Value) -> Result<usize, Stop> {
    Ok(usize::try_from(whole(value)?).unwrap_or(MAX_ELEMENTS + 1))
}

pub(super) fn replace(args: &[Value]) -> Answer {
    let (subject, regex, with) = (text(&args[0])?, compiled(text(&args[1])?)?, text(&args[2])?);
    let mut result = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(subject) {
        let Some(whole) = captures.get(0) else { continue };
        result.push_str(&subject[last..whole.start()]);
        captures.expand(with, &mut result);
        last = whole.end();
        if result.len() > MAX_TEXT {
            return Err(Stop::Limit("a string over 16 MiB"));
        }
    }
    result.push_str(&subject[last..]);
    string(result)
}

/// Go's `Regexp.Split(s, -1)`: an empty match at the beginning or the end makes no empty part.
pub(super) fn split(args: &[Value]) -> Answer {
    let (regex, subject) = (compiled(text(&args[0])?)?, text(&args[1])?);
    if subject.is_empty() && !text(&args[0])?.is_empty() {
        return array(vec![Value::from("")]);
    }
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(subject) {
        end = found.start();
        if found.end() != 0 {
            parts.push(Value::from(&subject[begin..end]));
        }
        begin = found.end();
    }
    if end != subject.len() {
        parts.push(Value::from(&subject[begin..]));
    }
    array(parts)
}
