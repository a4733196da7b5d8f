//! One self-contained page: it loads nothing, reads without scripts, prints, and follows light and dark.
use super::told;
use super::updates::updates;
use crate::report::{Display, Report};
use seawall_model::finding::{State, VulnFinding};
use seawall_posture::report::html::{page, problems};
use seawall_posture::text::markup;

/// Rows of a page: past this JSON is the place to look.
const MAX_ROWS: usize = 5_000;

pub(super) fn render(report: &Report, display: &Display) -> String {
    let body = cards(report)
        + &to_do(report)
        + &findings(report, display)
        + &coverage(report)
        + &problems(&report.problems)
        + &format!(
            "<footer>A finding is one flaw in one package. Undecided findings are those that the versions alone cannot decide. Seawall {}.</footer>\n",
            env!("CARGO_PKG_VERSION")
        );
    let title = format!("Vulnerabilities of {}", told::target_name(&report.target.target));
    page(&title, &subtitle(report), &body, "")
}

fn subtitle(report: &Report) -> String {
    let distro = report.distro.as_ref().map(|distro| {
        distro.name.clone().unwrap_or_else(|| {
            format!("{} {}", distro.id, distro.version.as_deref().unwrap_or_default())
        })
    });
    let parts = [
        Some(told::target(&report.target.target)),
        report.target.platform.clone(),
        distro,
        Some(format!("{} packages", report.counts.packages.total)),
        report.index.newest.map(|newest| format!("records up to {}", told::day(newest))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn cards(report: &Report) -> String {
    let severities = &report.counts.findings;
    let card = |class: &str, title: &str, number: u32, says: String| {
        format!(
            "<div class=\"card score\"><div><span class=\"{class}\">{title}</span><b>{number}</b><small>{says}</small></div></div>\n"
        )
    };
    let counts = &report.counts;
    let exploited = match report.index.kev {
        Some(_) => format!("{} known exploited", counts.kev),
        None => "known exploited: not in the index".to_owned(),
    };
    "<div class=\"cards\">\n".to_owned()
        + &card("critical", "Critical", severities.critical, exploited)
        + &card("high", "High", severities.high, format!("{} of all have a fix", counts.fixable))
        + &card("medium", "Medium", severities.medium, format!("{} low", severities.low))
        + &card(
            "info",
            "Info and unknown",
            severities.info + severities.unknown,
            format!("{} undecided, {} exempt", counts.undecided, counts.exempt),
        )
        + "</div>\n"
}

fn to_do(report: &Report) -> String {
    let updates = updates(&report.findings);
    if updates.is_empty() {
        return String::new();
    }
    let items: String =
        updates.iter().map(|update| format!("<li>{}</li>\n", markup(&update.text()))).collect();
    format!(
        "<section class=\"card\"><h2>Updates that remove most</h2><ol>\n{items}</ol></section>\n"
    )
}

fn findings(report: &Report, display: &Display) -> String {
    let listed = |finding: &&VulnFinding| match finding.state {
        State::Exempt => display.show_exempt,
        state => matches!(state, State::Unhealthy | State::Unknown),
    };
    let findings: Vec<_> = super::shown(report, display).filter(listed).collect();
    if findings.is_empty() {
        return "<section class=\"card\"><h2>Findings</h2><p class=\"none\">None.</p></section>\n"
            .to_owned();
    }
    let mut text = "<section class=\"card\"><h2>Findings</h2><table><tr><th>Severity</th><th>Flaw</th><th>Package</th><th>Installed</th><th>Fixed in</th><th>Why</th></tr>\n".to_owned();
    text.extend(findings.iter().take(MAX_ROWS).map(|finding| row(finding)));
    if let Some(more) = findings.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        text +=
            &format!("<tr><td></td><td colspan=\"5\">and {more} more, which JSON has</td></tr>\n");
    }
    text + "</table></section>\n"
}

fn row(finding: &VulnFinding) -> String {
    let level = finding.severity.level;
    let class = if finding.state == State::Exempt { "exempt" } else { level.as_str() };
    let mut marks = Vec::new();
    if finding.kev.is_some() {
        marks.push("known exploited".to_owned());
    }
    if finding.state == State::Unknown {
        marks.push("undecided".to_owned());
    }
    if let Some(epss) = &finding.epss {
        marks.push(format!("EPSS {:.1} %", epss.score * 100.0));
    }
    let id = match told::page(finding).filter(|page| page.starts_with("https://")) {
        Some(page) => {
            format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", markup(&page), markup(&finding.id))
        }
        None => markup(&finding.id),
    };
    let package = &finding.package;
    let place = package.locations.first().map(|at| format!("<br><code>{}</code>", markup(at)));
    let layer = package.layer.as_ref().map(|layer| {
        let base = if layer.base { ", base image" } else { "" };
        format!("<br><small>layer {}{base}</small>", layer.index + 1)
    });
    let why = match &finding.exemption {
        Some(exemption) => format!("exempt: {}", told::excuse(exemption)),
        None => told::why(finding),
    };
    let title = finding.title.as_deref().map(|title| format!("<br>{}", markup(title)));
    format!(
        "<tr><td><span class=\"chip {class}\">{level}</span><br><small>{}</small></td><td>{id}{}</td><td>{}{}{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
        markup(&marks.join(", ")),
        title.unwrap_or_default(),
        markup(&package.name),
        place.unwrap_or_default(),
        layer.unwrap_or_default(),
        markup(&package.version),
        markup(&told::fix(finding)),
        markup(&why),
    )
}

fn coverage(report: &Report) -> String {
    let mut text = "<section class=\"card\"><h2>Judged by</h2><table><tr><th>Segment</th><th class=\"number\">Packages</th><th>Records up to</th></tr>\n".to_owned();
    for segment in &report.coverage.segments {
        let newest = segment.feeds.iter().filter_map(|feed| feed.newest).max().map(told::day);
        text += &format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>\n",
            markup(&segment.segment),
            segment.packages,
            newest.unwrap_or_else(|| "not dated".to_owned())
        );
    }
    for missing in &report.coverage.not_covered {
        text += &format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td>not covered</td></tr>\n",
            markup(&missing.segment),
            missing.packages
        );
    }
    text + "</table></section>\n"
}
