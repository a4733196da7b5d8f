//! The scores at a glance, by group, framework and severity.
use crate::report::Report;
use crate::text::markup;
use seawall_model::Severity;
use seawall_model::finding::State;

pub(super) fn render(report: &Report) -> String {
    let scores = &report.scores;
    let unhealthy = report.counts.states.get("unhealthy").copied().unwrap_or_default();
    let unknown = report.counts.states.get("unknown").copied().unwrap_or_default();
    let coverage = report.coverage.map(|part| part * 100.0);
    let mut text = "<div class=\"cards\">\n".to_owned();
    text += &dial("Secure score", scores.secure, "", true, "of what can be won is won");
    text += &dial("Compliance", scores.compliance, "%", true, "of resources pass, over controls");
    text += &dial("Risk", scores.risk, "%", false, "of the weight fails");
    let asked = format!("{unhealthy} unhealthy, {unknown} unknown");
    text += &dial("Coverage", coverage, "%", true, &asked);
    text += "</div>\n<section class=\"columns\">\n";
    text += &groups(report);
    text += &severities(report);
    text += "</section>\n";
    text + &frameworks(report)
}

/// A ring and its number; `good` says whether much of it is.
fn dial(title: &str, score: Option<f64>, unit: &str, good: bool, says: &str) -> String {
    const LENGTH: f64 = 2.0 * std::f64::consts::PI * 30.0;
    let part = score.unwrap_or(0.0).clamp(0.0, 100.0);
    let quality = if good { part } else { 100.0 - part };
    let color = match quality {
        _ if score.is_none() => "var(--track)",
        quality if quality >= 80.0 => "var(--good)",
        quality if quality >= 50.0 => "var(--medium)",
        _ => "var(--high)",
    };
    let ring = match part > 0.0 {
        true => format!(
            "<circle class=\"part\" cx=\"36\" cy=\"36\" r=\"30\" style=\"stroke:{color};stroke-dasharray:{:.1} 999\"/>",
            LENGTH * part / 100.0
        ),
        false => String::new(),
    };
    let number = score.map_or("–".to_owned(), |score| format!("{score:.0}{unit}"));
    format!(
        "<div class=\"card score\"><svg viewBox=\"0 0 72 72\" aria-hidden=\"true\"><circle cx=\"36\" cy=\"36\" r=\"30\"/>{ring}</svg><div><span>{title}</span><b>{number}</b><small>{}</small></div></div>\n",
        markup(says)
    )
}

fn groups(report: &Report) -> String {
    let mut text =
        "<div class=\"card\"><h2>Secure score by group</h2><div class=\"bars\">\n".to_owned();
    for group in &report.scores.groups {
        let counted = group.healthy + group.unhealthy;
        let percent = |part: u64| percent(part, counted);
        let shown = match group.max > 0.0 {
            true => format!("{:.1} of {:.0}", group.score, group.max),
            false => "not scored".to_owned(),
        };
        text += &format!(
            "<span>{}</span><div class=\"bar\" title=\"{} healthy, {} unhealthy, {} unknown\"><i class=\"fill-good\" style=\"width:{:.1}%\"></i><i class=\"fill-high\" style=\"width:{:.1}%\"></i></div><span class=\"number\">{shown}</span>\n",
            markup(&group.group),
            group.healthy,
            group.unhealthy,
            group.unknown,
            percent(group.healthy),
            percent(group.unhealthy),
        );
    }
    if report.scores.groups.is_empty() {
        text += "<p class=\"none\">Nothing was judged.</p>";
    }
    text + "</div></div>\n"
}

fn severities(report: &Report) -> String {
    let of = |severity: Severity| {
        let unhealthy = report
            .findings
            .iter()
            .filter(|finding| finding.state == State::Unhealthy && finding.severity == severity);
        unhealthy.count() as u64
    };
    let counts: Vec<(Severity, u64)> =
        Severity::ALL.into_iter().filter(|s| *s != Severity::Unknown).map(|s| (s, of(s))).collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let mut text =
        "<div class=\"card\"><h2>Unhealthy findings by severity</h2><div class=\"bars\">\n"
            .to_owned();
    for (severity, count) in counts {
        text += &format!(
            "<span class=\"{severity}\">{severity}</span><div class=\"bar\"><i class=\"fill-{severity}\" style=\"width:{:.1}%\"></i></div><span class=\"number\">{count}</span>\n",
            percent(count, most)
        );
    }
    text + "</div></div>\n"
}

fn frameworks(report: &Report) -> String {
    if report.scores.frameworks.is_empty() {
        return String::new();
    }
    let mut text = "<section class=\"card\"><h2>Frameworks</h2><table><tr><th>Framework</th><th style=\"width:42%\">Compliance</th><th class=\"number\"></th><th class=\"number\">Risk</th><th class=\"number\">Controls</th></tr>\n".to_owned();
    for framework in &report.scores.frameworks {
        let number =
            |score: Option<f64>| score.map_or("–".to_owned(), |score| format!("{score:.1}%"));
        text += &format!(
            "<tr><td>{}</td><td><div class=\"bar\" style=\"margin-top:7px\"><i class=\"fill-good\" style=\"width:{:.1}%\"></i></div></td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            markup(&framework.framework),
            framework.compliance.unwrap_or(0.0),
            number(framework.compliance),
            number(framework.risk),
            framework.controls
        );
    }
    text + "</table></section>\n"
}

fn percent(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}
