//! Functions whose results can be longer than all their arguments together.
use super::{Answer, MAX_TEXT, Stop, elements, string, text};
use regorus::Value;

pub(super) fn concat(args: &[Value]) -> Answer {
    let delimiter = text(&args[0])?;
    let items = elements(&args[1])?;
    let parts = items.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let length: usize = parts.iter().map(|part| part.len() + delimiter.len()).sum();
    if length > MAX_TEXT {
        return Err(Stop::Limit("a string over 16 MiB"));
    }
    string(parts.join(delimiter))
}

pub(super) fn replace(args: &[Value]) -> Answer {
    replaced(text(&args[0])?, text(&args[1])?, text(&args[2])?).and_then(string)
}

/// Every replacement at once: at each place the first pattern that matches, in the order of the keys.
pub(super) fn replace_n(args: &[Value]) -> Answer {
    let Value::Object(patterns) = &args[0] else { return Err(Stop::Undefined) };
    let mut pairs = Vec::new();
    for (pattern, replacement) in patterns.iter() {
        pairs.push((text(pattern)?, text(replacement)?));
    }
    pairs.sort_unstable();
    let mut rest = text(&args[1])?;
    let mut result = String::new();
    while let Some(first) = rest.chars().next() {
        let found =
            pairs.iter().find(|(pattern, _)| !pattern.is_empty() && rest.starts_with(pattern));
        match found {
            Some((pattern, replacement)) => {
                result.push_str(replacement);
                rest = &rest[pattern.len()..];
            }
            None => {
                result.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        if result.len() > MAX_TEXT {
            return Err(Stop::Limit("a string over 16 MiB"));
        }
    }
    string(result)
}

fn replaced(text: &str, old: &str, new: &str) -> Result<String, Stop> {
    let count = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    if count.saturating_mul(new.len()).saturating_add(text.len()) > MAX_TEXT {
        return Err(Stop::Limit("a string over 16 MiB"));
    }
    Ok(text.replace(old, new))
}
