//! The forms of a report: for people, code scanners, test reports and other scanners.
//!
//! ```text
//! Report ─shown─► findings of the displayed severities ─render─► text that ends a line
//! ```
//!
//! Invariant: names come from images of strangers, and nothing they hold ends an element, starts a formula or steers a
//! terminal in any form.
mod csv;
pub(crate) mod cyclonedx;
mod fingerprint;
mod gitlab;
mod html;
mod json;
mod junit;
mod markdown;
mod openvex;
mod sarif;
pub(crate) mod spdx;
mod table;
mod told;
mod updates;

pub(crate) use fingerprint::uuid;
pub use json::render_json;
pub use table::render_table;
pub(crate) use told::target_name;

use crate::report::{Display, Report};
use seawall_model::Millis;
use seawall_model::finding::{State, VulnFinding};
use seawall_posture::text::escape_json;
use serde_json::Value;

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Table,
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// GitLab's report of container or dependency scanning.
    Gitlab,
    /// For comments of pull requests.
    Markdown,
    /// CycloneDX 1.6, with vulnerabilities.
    CycloneDx,
    /// SPDX 2.3.
    Spdx,
    /// RFC 4180.
    Csv,
    /// One self-contained page.
    Html,
    /// OpenVEX 0.2.0: what the scan says of each flaw, for others to read.
    OpenVex,
}

/// The report as text. `made` is the moment that forms with a date of their own bear, epoch milliseconds.
pub fn render(
    report: &Report,
    form: Form,
    display: &Display,
    made: Millis,
) -> serde_json::Result<String> {
    match form {
        Form::Table => Ok(render_table(report, display)),
        Form::Json => render_json(report, display),
        Form::Sarif => pretty(&sarif::document(report, display)),
        Form::Junit => Ok(junit::render(report, display)),
        Form::Gitlab => pretty(&gitlab::document(report, display, made)),
        Form::Markdown => Ok(markdown::render(report, display)),
        Form::CycloneDx => {
            let inventory = report.inventory();
            let findings: Vec<_> = shown(report, display).collect();
            pretty(&cyclonedx::document(&inventory, Some(&findings), made))
        }
        Form::Spdx => {
            let inventory = report.inventory();
            let findings: Vec<_> = shown(report, display).collect();
            pretty(&spdx::document(&inventory, &findings, made))
        }
        Form::Csv => Ok(csv::render(report, display)),
        Form::Html => Ok(html::render(report, display)),
        Form::OpenVex => pretty(&openvex::document(report, display, made)),
    }
}

/// Findings of the displayed severities in any state but healthy.
fn shown<'a>(
    report: &'a Report,
    display: &'a Display,
) -> impl Iterator<Item = &'a VulnFinding> + 'a {
    let told = |finding: &&VulnFinding| finding.state != State::Healthy;
    report.findings.iter().filter(told).filter(|finding| display.shows(finding))
}

/// What people have to look at: what holds and what is undecided.
fn open<'a>(
    report: &'a Report,
    display: &'a Display,
) -> impl Iterator<Item = &'a VulnFinding> + 'a {
    shown(report, display)
        .filter(|finding| matches!(finding.state, State::Unhealthy | State::Unknown))
}

/// With a line end, and without characters that steer a terminal.
pub(crate) fn pretty(value: &Value) -> serde_json::Result<String> {
    Ok(escape_json(&serde_json::to_string_pretty(value)?) + "\n")
}

/// `2026-01-31T00:00:00Z` of epoch milliseconds; the epoch where a date is out of range.
pub(crate) fn moment(millis: Millis) -> String {
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
