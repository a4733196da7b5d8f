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

/// C0, C1 and DEL; line and paragraph separators; marks of direction; characters without width.
/// Source: Unicode Standard Annex 9, "Directional Formatting Characters".
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[test]
fn table() {
    assert_eq!(escape("plain é 字"), "plain é 字");
    assert_eq!(escape("a\u{1b}[31m\n"), "a\\u{1b}[31m\\u{a}");
    assert_eq!(escape("\u{202e}\u{9b}\u{7f}"), "\\u{202e}\\u{9b}\\u{7f}");
}
