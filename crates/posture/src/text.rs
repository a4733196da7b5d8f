//! Text of strangers in forms of others: names come from files, images and clusters, and nothing in them may end an
//! element, start a formula, steer a terminal or hide in a line.
use serde_json::Value;

/// In a line: unsafe characters are written as `\u{1b}`, line ends too.
pub fn escape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// For element content and attributes of XML and HTML. Characters that XML 1.0 forbids, and those that steer a terminal
/// or reorder text, are written as `\u{1b}`. Source: XML 1.0, section 2.2; Unicode Standard Annex 9.
pub fn markup(text: &str) -> String {
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
pub fn escape_json(json: &str) -> String {
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

/// A path as a URI reference: relative ones stay so. Source: RFC 3986, section 3.3.
pub fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'@'
            | b'+'
            | b','
            | b'=' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

/// A YAML document that ends a line; as JSON, which is YAML too, where it holds unsafe characters.
pub(crate) fn yaml(value: &Value) -> String {
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
pub fn field(text: &str) -> String {
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
fn lines_stay_lines() {
    assert_eq!(escape("plain é 字"), "plain é 字");
    assert_eq!(escape("a\u{1b}[31m\n"), "a\\u{1b}[31m\\u{a}");
    assert_eq!(escape("\u{202e}\u{9b}\u{7f}"), "\\u{202e}\\u{9b}\\u{7f}");
}

#[test]
fn paths_become_references() {
    for (path, expected) in [
        ("deploy/web.yaml", "deploy/web.yaml"),
        ("./a b.yaml", "a%20b.yaml"),
        ("/srv/ü.yaml", "file:///srv/%C3%BC.yaml"),
        ("a:b#c?.yaml", "a%3Ab%23c%3F.yaml"),
        ("-", "stdin"),
    ] {
        assert_eq!(uri(path), expected);
    }
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
