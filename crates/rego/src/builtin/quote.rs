//! Values as OPA writes them into text, and strings as Go quotes them.
use regorus::Value;
use std::fmt::Write;

/// Go's `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\0'..=' ' if char < ' ' => quoted.push_str(&format!("\\x{:02x}", char as u32)),
            '\u{7f}' => quoted.push_str("\\x7f"),
            _ if char.is_control() || unprintable(char) => {
                let code = char as u32;
                quoted.push_str(&match code {
                    0..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Spaces other than U+0020 and the characters that only steer layout. Source: Go's `strconv.IsPrint`.
fn unprintable(char: char) -> bool {
    (char.is_whitespace() && char != ' ')
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(char, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// A scalar's JSON text. The interpreter fails to write numbers of many hundred digits.
pub(crate) fn plain(value: &Value) -> String {
    let mut text = String::new();
    match write!(text, "{value}") {
        Ok(()) => text,
        Err(_) => "null".to_owned(),
    }
}

/// OPA's `Value.String()`: `{"a": [1, "b"]}`, sets `{1, 2}`, the empty one `set()`.
pub(super) fn shown(value: &Value) -> String {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    match value {
        Value::String(text) => quote(text),
        Value::Array(items) => format!("[{}]", list(&mut items.iter().map(shown))),
        Value::Set(items) if items.iter().next().is_none() => "set()".to_owned(),
        Value::Set(items) => format!("{{{}}}", list(&mut items.iter().map(shown))),
        Value::Object(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().collect();
            pairs.sort();
            let mut shown =
                pairs.iter().map(|(key, value)| format!("{}: {}", shown(key), shown(value)));
            format!("{{{}}}", list(&mut shown))
        }
        other => plain(other),
    }
}
