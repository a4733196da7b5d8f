//! `regex.globs_match`: whether two patterns of `.`, `[a-z]`, `*` and `+` match a text in common.
//!
//! Source: github.com/yashtewari/glob-intersection, README: `*` and `+` repeat what stands before them, `\` escapes.
use super::{Answer, Stop, text};
use regorus::Value;
use std::collections::HashSet;

/// Characters of one pattern; the search is over pairs of places.
const MAX_PATTERN: usize = 4096;

struct Part {
    /// Ranges of characters, both ends included.
    set: Vec<(char, char)>,
    /// May be passed over.
    optional: bool,
    repeated: bool,
}

pub(super) fn intersect(args: &[Value]) -> Answer {
    let (left, right) = (text(&args[0])?, text(&args[1])?);
    if left.len().max(right.len()) > MAX_PATTERN {
        return Err(Stop::Limit("a glob over 4,096 characters"));
    }
    let (left, right) = (parts(left)?, parts(right)?);
    Ok(Value::Bool(meet(&left, &right)))
}

fn parts(pattern: &str) -> Result<Vec<Part>, Stop> {
    let mut parts: Vec<Part> = Vec::new();
    let mut chars = pattern.chars();
    let mut fresh = false;
    while let Some(char) = chars.next() {
        let set = match char {
            '*' | '+' => {
                let Some(part) = parts.last_mut().filter(|_| fresh) else {
                    return Err(Stop::Undefined);
                };
                (part.optional, part.repeated, fresh) = (char == '*', true, false);
                continue;
            }
            '.' => vec![('\0', char::MAX)],
            '\\' => single(chars.next().ok_or(Stop::Undefined)?),
            '[' => class(&mut chars)?,
            ']' => return Err(Stop::Undefined),
            _ => single(char),
        };
        parts.push(Part { set, optional: false, repeated: false });
        fresh = true;
    }
    Ok(parts)
}

fn single(char: char) -> Vec<(char, char)> {
    vec![(char, char)]
}

fn class(chars: &mut std::str::Chars<'_>) -> Result<Vec<(char, char)>, Stop> {
    let mut set: Vec<(char, char)> = Vec::new();
    let mut range = false;
    loop {
        match chars.next().ok_or(Stop::Undefined)? {
            ']' if range || set.is_empty() => return Err(Stop::Undefined),
            ']' => return Ok(set),
            '-' if !range && !set.is_empty() => range = true,
            char => {
                let char = if char == '\\' { chars.next().ok_or(Stop::Undefined)? } else { char };
                match set.last_mut().filter(|_| range) {
                    Some(last) if last.0 <= char => last.1 = char,
                    Some(_) => return Err(Stop::Undefined),
                    None => set.push((char, char)),
                }
                range = false;
            }
        }
    }
}

/// Whether both can end together, from any pair of places that one text reaches. The empty text does not count.
fn meet(left: &[Part], right: &[Part]) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![(0, 0, false)];
    while let Some((i, j, some)) = open.pop() {
        if !seen.insert((i, j, some)) {
            continue;
        }
        if some && i == left.len() && j == right.len() {
            return true;
        }
        let (a, b) = (left.get(i), right.get(j));
        if a.is_some_and(|part| part.optional) {
            open.push((i + 1, j, some));
        }
        if b.is_some_and(|part| part.optional) {
            open.push((i, j + 1, some));
        }
        if let (Some(a), Some(b)) = (a, b)
            && a.set.iter().any(|x| b.set.iter().any(|y| x.0 <= y.1 && y.0 <= x.1))
        {
            // Having matched once, a repeated part may match again or be left.
            open.push((i + 1, j + 1, true));
            if a.repeated {
                open.push((i, j + 1, true));
            }
            if b.repeated {
                open.push((i + 1, j, true));
            }
        }
    }
    false
}
