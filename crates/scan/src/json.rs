//! The report as JSON.
use crate::escape::is_unsafe;
use crate::report::{Display, Report};

/// Pretty-printed, with a line end. Characters that steer a terminal are `\uNNNN` escapes, which JSON permits to
/// stand only in strings, where alone they can occur.
pub fn render_json(report: &Report, display: &Display) -> serde_json::Result<String> {
    let shown = match display.severities.is_empty() {
        true => serde_json::to_string_pretty(report)?,
        false => {
            let mut shown = report.clone();
            shown.findings.retain(|finding| display.shows(finding));
            serde_json::to_string_pretty(&shown)?
        }
    };
    let mut text = String::with_capacity(shown.len() + 1);
    for character in shown.chars() {
        // The one control character outside strings is the printer's own line feed.
        if character != '\n' && is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    Ok(text)
}
