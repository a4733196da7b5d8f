//! Names that people give to users and tokens: what is read in the audit log must be what was meant.
use super::problem::Refusal;

/// Shown beside everything that is done under it.
const MAX_NAME_CHARS: usize = 100;

/// Characters that show nothing or change how others are shown: a name with one looks like another's. Source: Unicode
/// 17, general category Cf, and the property Default_Ignorable_Code_Point.
const INVISIBLE: [(char, char); 33] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{ffffd}'),
    ('\u{100000}', '\u{10fffd}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1fffe}', '\u{1ffff}'),
];

fn is_shown(c: char) -> bool {
    let is_blank = c.is_whitespace() && c != ' ';
    !c.is_control() && !is_blank && !INVISIBLE.iter().any(|&(from, to)| (from..=to).contains(&c))
}

/// The name without the blanks around it.
pub(crate) fn check_name(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        let detail = format!("must have 1 to {MAX_NAME_CHARS} characters");
        return Err(Refusal::invalid("/name", detail));
    }
    match name.chars().find(|&c| !is_shown(c)) {
        Some(c) => {
            let detail = format!("has the character U+{:04X}, which does not show", u32::from(c));
            Err(Refusal::invalid("/name", detail))
        }
        None => Ok(name),
    }
}

#[test]
fn names_are_what_they_look_like() {
    for name in ["ci", "Ana María", "李雷", "Łukasz-2 (on call)", "a@b.example"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    assert_eq!(check_name(" ci ").unwrap(), "ci");
    for name in [
        "",
        "  ",
        &"x".repeat(101),
        "a\nb",
        "a\u{a0}b",
        "ad\u{200b}min",
        "\u{202e}nimda",
        "admin\u{2060}",
        "ad\u{ad}min",
        "admin\u{e0041}",
        "a\u{fe0f}",
        "a\u{2028}b",
    ] {
        assert!(check_name(name).is_err(), "{name:?}");
    }
}
