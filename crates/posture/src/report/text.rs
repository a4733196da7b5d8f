//! Text of strangers in forms of others: names come from files and clusters, and nothing in them may end an element,
//! start a formula or hide in a line.
use serde_json::Value;

/// For element content and attributes of XML and HTML. Characters that XML 1.0 forbids, and those that steer a terminal
/// or reorder text, are written as `\u{1b}`. Source: XML 1.0, section 2.2; Unicode Standard Annex 9.
pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            character if is_unsafe(character) => escaped.extend(character.escape_unicode()),
            character => escaped.push(character),
        }
    }
    escaped
}

/// JSON text with unsafe characters as `\uNNNN`; they stand in strings alone, where JSON permits escapes. The line feed
/// is the printer's own.
pub(super) fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A YAML document that ends a line; as JSON, which is YAML too, where it holds unsafe characters.
pub(super) fn yaml(value: &Value) -> String {
    match serde_saphyr::to_string(value) {
        Ok(text) if !text.contains(|character| character != '\n' && is_unsafe(character)) => text,
        _ => {
            let json = serde_json::to_string_pretty(value).expect("a value is JSON");
            escape_json(&json) + "\n"
        }
    }
}

/// One field of CSV, quoted where RFC 4180 needs it. A field that a spreadsheet would take for a formula gets an
/// apostrophe in front.
pub(super) fn field(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        plain.push('\'');
    }
    for character in text.chars() {
        match character {
            '\n' | '\t' => plain.push(character),
            character if is_unsafe(character) => plain.extend(character.escape_unicode()),
            character => plain.push(character),
        }
    }
    if plain.contains([',', '"', '\n']) {
        return format!("\"{}\"", plain.replace('"', "\"\""));
    }
    plain
}

/// C0, C1 and DEL; separators of lines; marks of direction; characters without width; what is no character of XML.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[test]
fn strangers_text_stays_text() {
    for (text, in_markup, in_csv) in [
        ("plain é 字", "plain é 字", "plain é 字"),
        ("<b a='1'>&\"", "&lt;b a=&#39;1&#39;&gt;&amp;&quot;", "\"<b a='1'>&\"\"\""),
        ("a\u{1b}[2J\u{202e}", "a\\u{1b}[2J\\u{202e}", "a\\u{1b}[2J\\u{202e}"),
        ("=1+1", "=1+1", "'=1+1"),
        ("-x, y", "-x, y", "\"'-x, y\""),
        ("a\nb", "a\nb", "\"a\nb\""),
        ("a\rb", "a\\u{d}b", "a\\u{d}b"),
    ] {
        assert_eq!((markup(text).as_str(), field(text).as_str()), (in_markup, in_csv), "{text:?}");
    }
    let json = serde_json::to_string("a\u{9b}\u{202e}\u{e0001}\n").unwrap();
    let escaped = escape_json(&json);
    assert!(!escaped.contains(is_unsafe), "{escaped}");
    assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "a\u{9b}\u{202e}\u{e0001}\n");
}
