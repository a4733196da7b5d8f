//! Findings by control, worst first: what is wrong, where, and how it is healed.
use crate::report::row::name;
use crate::report::{Report, Shown};
use crate::text::markup;
use seawall_model::Severity;
use seawall_model::finding::{ControlFinding, State};
use std::collections::BTreeMap;

/// Rows of one control on a page; past this JSON and CSV are the place to look.
const MAX_ROWS: usize = 500;
/// Failing paths shown of one finding.
const MAX_PATHS: usize = 20;

type Found<'a> = (&'a ControlFinding, Option<u32>);

pub(super) fn render(report: &Report, shown: Shown<'_>) -> String {
    let mut controls: BTreeMap<&str, Vec<Found<'_>>> = BTreeMap::new();
    for (finding, line) in report.shown(shown) {
        if shown.state(finding.state) || finding.state == State::Exempt {
            controls.entry(&finding.control).or_default().push((finding, line));
        }
    }
    let mut text = "<section><h2>Findings</h2>\n".to_owned();
    if controls.is_empty() {
        return text
            + "<div class=\"card\"><p class=\"none\">Nothing is unhealthy or unknown.</p></div></section>\n";
    }
    text += "<div class=\"tools\" hidden><input type=\"search\" placeholder=\"Search resources, controls, frameworks\" aria-label=\"Search\">";
    for severity in Severity::ALL {
        if controls.values().any(|found| found[0].0.severity == severity) {
            text += &format!(
                "<button type=\"button\" data-severity=\"{severity}\" aria-pressed=\"false\">{severity}</button>"
            );
        }
    }
    text += "<button type=\"button\" id=\"open-all\">Open all</button></div>\n<p class=\"none\" id=\"nothing\" hidden>Nothing fits.</p>\n";
    let mut controls: Vec<(&str, Vec<Found<'_>>)> = controls.into_iter().collect();
    for (_, found) in &mut controls {
        found.sort_by_key(|(finding, _)| order(finding.state));
    }
    controls.sort_by_key(|(id, found)| {
        let (finding, _) = found[0];
        (order(finding.state), std::cmp::Reverse(finding.severity), *id)
    });
    for (index, (id, found)) in controls.iter().enumerate() {
        text += &control(report, id, found, index == 0);
    }
    text + "</section>\n"
}

fn order(state: State) -> u8 {
    match state {
        State::Unhealthy => 0,
        State::Unknown => 1,
        State::Exempt => 2,
        State::Healthy => 3,
        State::NotApplicable => 4,
    }
}

fn control(report: &Report, id: &str, found: &[Found<'_>], open: bool) -> String {
    let first = found[0].0;
    let severity = first.severity;
    let count = |state: State| found.iter().filter(|(finding, _)| finding.state == state).count();
    let counts: Vec<String> = [State::Unhealthy, State::Unknown, State::Exempt]
        .iter()
        .filter(|state| count(**state) > 0)
        .map(|state| {
            let word = state.as_str();
            format!("<span class=\"{word}\">{} {word}</span>", count(*state))
        })
        .collect();
    let mut text = format!(
        "<details class=\"control\" data-severity=\"{severity}\"{}><summary><span class=\"chip {severity}\">{severity}</span><span><b>{}</b><small>{}</small></span><span class=\"count\">{}</span></summary><div class=\"body\">\n",
        if open { " open" } else { "" },
        markup(&first.title),
        markup(id),
        counts.join(" · "),
    );
    if let Some(rule) = report.rules.get(id) {
        text += &format!(
            "<p>{}</p>\n<p><b>Remediation.</b> {}</p>\n",
            prose(&rule.description),
            prose(&rule.remediation)
        );
        for section in &rule.sections {
            text += &format!("<span class=\"tag\">{}</span>", markup(section));
        }
    }
    text += "<table><tr><th>State</th><th>Resource</th><th>Where</th><th>What</th></tr>\n";
    found.iter().take(MAX_ROWS).for_each(|one| text += &row(one));
    if let Some(more) = found.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        text += &format!(
            "<tr><td></td><td>and {more} more, which JSON and CSV have</td><td></td><td></td></tr>\n"
        );
    }
    text + "</table></div></details>\n"
}

fn row((finding, line): &Found<'_>) -> String {
    let state = finding.state.as_str();
    let place = finding
        .source
        .as_ref()
        .map(|source| format!("{}:{}", source.file, line.unwrap_or(source.line)))
        .unwrap_or_default();
    let mut what = finding.message.as_deref().map(markup).unwrap_or_default();
    if let Some(reason) = &finding.reason {
        what += &format!(" <span class=\"tag\">{}</span>", markup(reason));
    }
    if let Some(exemption) = &finding.exemption {
        let by = exemption.by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
        what += &format!("<br>Excused: {}", markup(&format!("{}{by}", exemption.reason)));
    }
    what += "<ul class=\"evidence\">";
    for evidence in finding.evidence.iter().take(MAX_PATHS) {
        let value = match evidence.value.is_null() {
            true => "absent".to_owned(),
            false => evidence.value.to_string(),
        };
        what += &format!("<li><code>{} = {}</code></li>", markup(&evidence.path), markup(&value));
    }
    if let Some(more) = finding.evidence.len().checked_sub(MAX_PATHS).filter(|more| *more > 0) {
        what += &format!("<li>and {more} more</li>");
    }
    what += "</ul>";
    what += &fix(finding);
    format!(
        "<tr><td class=\"{state}\">{}</td><td>{}</td><td><code>{}</code></td><td>{what}</td></tr>\n",
        state.replace('_', " "),
        markup(&name(&finding.resource)),
        markup(&place),
    )
}

/// The operations of the patch that change something, one a line.
fn fix(finding: &ControlFinding) -> String {
    let mut lines = Vec::new();
    for operation in &finding.fix {
        let text = |key: &str| operation.get(key).and_then(|value| value.as_str()).unwrap_or("");
        if text("op") != "test" {
            let value = operation.get("value").map(|value| format!(" {value}")).unwrap_or_default();
            lines.push(format!("{} {}{value}", text("op"), text("path")));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let lines = markup(&lines.join("\n"));
    format!("<details class=\"fix\"><summary>Fix</summary><pre>{lines}</pre></details>")
}

/// Content marks names with back quotes.
fn prose(text: &str) -> String {
    let mut shown = String::new();
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => shown += &markup(part),
            _ => shown += &format!("<code>{}</code>", markup(part)),
        }
    }
    shown
}
