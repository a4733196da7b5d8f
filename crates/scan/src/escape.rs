//! Names come from images of strangers: nothing they hold may steer a terminal or hide in a line.

/// Control characters and those that reorder or hide text, as escapes.
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

/// JSON text with the same characters as `\uNNNN` escapes. JSON has them in strings alone, where it permits escapes;
/// the one control character outside them is the printer's own line feed.
pub fn escape_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

/// C0, C1 and DEL; line and paragraph separators; marks of direction; characters without width.
/// Source: Unicode Standard Annex 9, "Directional Formatting Characters".
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[test]
fn table() {
    assert_eq!(escape("plain é 字"), "plain é 字");
    assert_eq!(escape("a\u{1b}[31m\n"), "a\\u{1b}[31m\\u{a}");
    assert_eq!(escape("\u{202e}\u{9b}\u{7f}"), "\\u{202e}\\u{9b}\\u{7f}");
}

#[test]
fn json_stays_json() {
    let json = serde_json::to_string(&["a\u{9b}\u{202e}\n\u{1b}"]).unwrap();
    assert_eq!(escape_json(&json), r#"["a\u009b\u202e\n\u001b"]"#);
}
