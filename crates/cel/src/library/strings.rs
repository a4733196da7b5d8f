//! The strings extension: positions count characters (Go's runes), not bytes. Versions: 0 before Kubernetes 1.29,
//! then 2 (`format`, `strings.quote`, a lenient `join`); `reverse` is version 3 and never in Kubernetes.
//! Source: github.com/google/cel-go/ext/strings.go at 0.26.

pub(super) mod functions;
pub(crate) mod printf;
mod render;

use super::go_text::named_escape;

fn out_of_range(index: i64) -> String {
    format!("index out of range: {index}")
}

/// `index` as a position in 0..=length.
fn position(index: i64, length: usize) -> Result<usize, String> {
    usize::try_from(index).ok().filter(|at| *at <= length).ok_or_else(|| out_of_range(index))
}

/// The character at `index`; empty just behind the last one.
pub(crate) fn char_at(text: &str, index: i64) -> Result<String, String> {
    let at = position(index, text.chars().count())?;
    Ok(text.chars().nth(at).map(String::from).unwrap_or_default())
}

/// -1 where `part` does not occur at or after `offset`. An empty part is found at any offset, even beyond the end.
pub(crate) fn index_of(text: &str, part: &str, offset: i64) -> Result<i64, String> {
    if part.is_empty() {
        return Ok(offset);
    }
    let offset = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    let Some((start, _)) = text.char_indices().nth(offset) else { return Ok(-1) };
    Ok(match text[start..].find(part) {
        Some(found) => (offset + text[start..start + found].chars().count()) as i64,
        None => -1,
    })
}

/// The last occurrence that begins at or before `offset`, or anywhere; -1 where there is none, and where the offset
/// lies beyond the end.
pub(crate) fn last_index_of(text: &str, part: &str, offset: Option<i64>) -> Result<i64, String> {
    let length = text.chars().count();
    if part.is_empty() {
        return Ok(offset.unwrap_or(length as i64));
    }
    let offset = match offset {
        None => length.saturating_sub(1),
        Some(offset) => usize::try_from(offset).map_err(|_| out_of_range(offset))?,
    };
    if offset >= length {
        return Ok(-1);
    }
    let width = part.chars().count();
    let end = text.char_indices().nth(offset + width).map_or(text.len(), |(end, _)| end);
    Ok(text[..end].rfind(part).map_or(-1, |found| text[..found].chars().count() as i64))
}

/// `count` negative: every occurrence. An empty `old` stands between all characters.
pub(crate) fn replace(text: &str, old: &str, new: &str, count: i64) -> String {
    match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    }
}

/// `count`: at most so many parts, the last one unsplit; 0 none, negative all. An empty separator splits characters.
pub(crate) fn split(text: &str, separator: &str, count: i64) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if separator.is_empty() {
        return explode(text, count);
    }
    match count {
        0 => Vec::new(),
        _ => text.splitn(count, separator).map(str::to_owned).collect(),
    }
}

fn explode(text: &str, count: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next().filter(|_| parts.len() < count) {
        let width = if parts.len() + 1 == count { rest.len() } else { letter.len_utf8() };
        parts.push(rest[..width].to_owned());
        rest = &rest[width..];
    }
    parts
}

/// From `start` to the end, or up to `end`.
pub(crate) fn substring(text: &str, start: i64, end: Option<i64>) -> Result<String, String> {
    let length = text.chars().count();
    if let Some(end) = end.filter(|end| start > *end) {
        return Err(format!("invalid substring range. start: {start}, end: {end}"));
    }
    let from = position(start, length)?;
    let to = position(end.unwrap_or(length as i64), length)?;
    Ok(text.chars().skip(from).take(to - from).collect())
}

/// Double quotes around the text, control characters and quotes escaped, everything else as it is.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match named_escape(letter) {
            Some(escape) => quoted.push_str(escape),
            None => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(index: i64) -> Result<String, String> {
        Err(out_of_range(index))
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(char_at("héy", 1), Ok("é".into()));
        assert_eq!(char_at("héy", 3), Ok(String::new()));
        assert_eq!(char_at("héy", 4), out(4));
        assert_eq!(char_at("héy", -1), out(-1));
        assert_eq!(substring("héyo", 1, Some(3)), Ok("éy".into()));
        assert_eq!(substring("héyo", 4, None), Ok(String::new()));
        assert_eq!(substring("héyo", 5, None), out(5));
        assert_eq!(substring("héyo", 1, Some(9)), out(9));
        assert_eq!(substring("héyo", -1, Some(1)), out(-1));
        assert_eq!(
            substring("héyo", 2, Some(1)),
            Err("invalid substring range. start: 2, end: 1".into())
        );
    }

    #[test]
    fn searches() {
        let check = |got: Result<i64, String>, expected: i64| assert_eq!(got, Ok(expected));
        check(index_of("éaéa", "a", 0), 1);
        check(index_of("éaéa", "a", 2), 3);
        check(index_of("éaéa", "a", 9), -1);
        check(index_of("éaéa", "", 99), 99);
        assert!(index_of("a", "a", -1).is_err());
        check(last_index_of("éaéa", "a", None), 3);
        check(last_index_of("éaéa", "a", Some(2)), 1);
        check(last_index_of("éaéa", "éa", Some(2)), 2);
        check(last_index_of("éaéa", "éa", Some(3)), 2);
        check(last_index_of("éaéa", "a", Some(4)), -1);
        check(last_index_of("éa", "éaé", None), -1);
        check(last_index_of("éa", "", None), 2);
        check(last_index_of("éa", "", Some(9)), 9);
        check(last_index_of("", "a", None), -1);
        assert!(last_index_of("a", "a", Some(-1)).is_err());
    }

    #[test]
    fn parts() {
        assert_eq!(split("a,b,c", ",", -1), ["a", "b", "c"]);
        assert_eq!(split("a,b,c", ",", 2), ["a", "b,c"]);
        assert_eq!(split("a,b,c", ",", 0), [""; 0]);
        assert_eq!(split("", ",", -1), [""]);
        assert_eq!(split("éab", "", -1), ["é", "a", "b"]);
        assert_eq!(split("éab", "", 2), ["é", "ab"]);
        assert_eq!(split("", "", -1), [""; 0]);
        assert_eq!(replace("abc", "", "-", -1), "-a-b-c-");
        assert_eq!(replace("abc", "", "-", 2), "-a-bc");
        assert_eq!(replace("a,b,c", ",", "", 0), "a,b,c");
    }

    #[test]
    fn quotes() {
        assert_eq!(quote("a\n\"\\é\u{7}\u{b}"), "\"a\\n\\\"\\\\é\\a\\v\"");
    }
}
