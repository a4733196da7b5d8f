//! A comment for pull requests, in GitHub's and GitLab's Markdown.
use super::told;
use super::updates::updates;
use crate::report::{Display, Report};
use seawall_model::finding::VulnFinding;
use seawall_model::problem::ProblemKind;
use seawall_posture::text::escape;

/// Findings in the table, and problems below it: GitHub takes 65,536 characters of a comment.
const MAX_ROWS: usize = 100;
const MAX_PROBLEMS: usize = 20;
/// Characters of one cell.
const MAX_CELL: usize = 160;

pub(super) fn render(report: &Report, display: &Display) -> String {
    let findings: Vec<&VulnFinding> = super::open(report, display).collect();
    let severities = &report.counts.findings;
    let mut text = format!(
        "### Vulnerabilities of {}\n\n**{} critical, {} high, {} medium, {} low**, {} info, {} unknown; {} fixable, {}",
        plain(&told::target(&report.target.target)),
        severities.critical,
        severities.high,
        severities.medium,
        severities.low,
        severities.info,
        severities.unknown,
        report.counts.fixable,
        match report.index.kev {
            Some(_) => format!("{} known exploited", report.counts.kev),
            None => "known exploited: not in the index".to_owned(),
        },
    );
    if report.counts.undecided + report.counts.exempt > 0 {
        let counts = &report.counts;
        text += &format!("; {} undecided, {} exempt", counts.undecided, counts.exempt);
    }
    text += "\n";
    if !report.coverage.complete {
        text += "\n> **Incomplete:** something could not be judged; see below.\n";
    }
    text += &table(&findings);
    let updates = updates(&report.findings);
    if !updates.is_empty() {
        text += "\n**Updates that remove most**\n\n";
        text.extend(updates.iter().map(|update| format!("- {}\n", plain(&update.text()))));
    }
    if display.show_exempt {
        text += &exempt(report, display);
    }
    text + &problems(report)
}

fn table(findings: &[&VulnFinding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut text =
        "\n| Severity | Flaw | Package | Installed | Fixed in |\n|---|---|---|---|---|\n"
            .to_owned();
    for finding in findings.iter().take(MAX_ROWS) {
        let id = match told::page(finding).filter(|page| is_plain_link(page)) {
            Some(page) => format!("[{}]({page})", plain(&finding.id)),
            None => plain(&finding.id),
        };
        let mut severity = told_severity(finding);
        if finding.kev.is_some() {
            severity += " (exploited)";
        }
        text += &format!(
            "| {severity} | {id} | {} | {} | {} |\n",
            plain(&finding.package.name),
            plain(&finding.package.version),
            plain(&told::fix(finding)),
        );
    }
    if let Some(more) = findings.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        text += &format!("\nand {more} more\n");
    }
    text
}

fn told_severity(finding: &VulnFinding) -> String {
    match finding.state {
        seawall_model::finding::State::Unknown => format!("{}?", finding.severity.level),
        _ => finding.severity.level.to_string(),
    }
}

fn exempt(report: &Report, display: &Display) -> String {
    let exempt = super::shown(report, display)
        .filter_map(|finding| Some((finding, finding.exemption.as_ref()?)));
    let lines: Vec<String> = exempt
        .take(MAX_ROWS)
        .map(|(finding, exemption)| {
            let name = &finding.package.name;
            format!(
                "- {} in {}: {}\n",
                plain(&finding.id),
                plain(name),
                plain(&told::excuse(exemption))
            )
        })
        .collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n**Exempt**\n\n{}", lines.concat()),
    }
}

fn problems(report: &Report) -> String {
    let worth = report.problems.iter().filter(|problem| problem.kind >= ProblemKind::Warning);
    let lines: Vec<String> =
        worth.map(|problem| format!("- {}\n", plain(&problem.to_string()))).collect();
    if lines.is_empty() {
        return String::new();
    }
    let more = lines.len().saturating_sub(MAX_PROBLEMS);
    let more = if more > 0 { format!("- and {more} more\n") } else { String::new() };
    let shown: String = lines.into_iter().take(MAX_PROBLEMS).collect();
    format!("\n**Left out, or worth knowing**\n\n{shown}{more}")
}

/// Text that neither formats, links, mentions nor ends a cell. Source: CommonMark 0.31, sections 2.4 and 2.5.
fn plain(text: &str) -> String {
    let mut escaped = String::new();
    for character in escape(text).chars().take(MAX_CELL) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn is_plain_link(link: &str) -> bool {
    link.starts_with("https://")
        && link.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>|\\`\"'".contains(&byte))
}

#[test]
fn names_stay_text() {
    assert_eq!(plain("a|b <img> @all #1 *x*"), "a\\|b &lt;img&gt; &#64;all &#35;1 \\*x\\*");
    assert_eq!(plain("line\nend"), "line\\\\u{a}end");
    assert!(is_plain_link("https://nvd.nist.gov/vuln/detail/CVE-2020-1"));
    assert!(!is_plain_link("https://x.example/)|"));
    assert!(!is_plain_link("javascript:alert(1)"));
}
