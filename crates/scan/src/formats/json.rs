//! The report as JSON.
use crate::report::{Display, Report};
use seawall_posture::text::escape_json;

/// Pretty-printed, with a line end, and without characters that steer a terminal.
pub fn render_json(report: &Report, display: &Display) -> serde_json::Result<String> {
    let shown = match display.severities.is_empty() {
        true => serde_json::to_string_pretty(report)?,
        false => {
            let mut shown = report.clone();
            shown.findings.retain(|finding| display.shows(finding));
            serde_json::to_string_pretty(&shown)?
        }
    };
    let mut text = escape_json(&shown);
    text.push('\n');
    Ok(text)
}
