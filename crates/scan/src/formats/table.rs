//! The report for people: findings with why they matched, then what was counted and what is missing.
use super::told::{self, fix, why};
use super::updates::updates;
use crate::report::{Display, Report};
use comfy_table::{Table, presets};
use seawall_model::Severity;
use seawall_model::finding::{State, VulnFinding};
use seawall_posture::text::escape;
use seawall_vuln::Coverage;

/// Findings as aligned columns under a headline; `info` is counted, but shown only if asked for by name.
pub fn render_table(report: &Report, display: &Display) -> String {
    let mut text = headline(report);
    let shown: Vec<_> =
        report.findings.iter().filter(|finding| is_shown(finding, display)).collect();
    if !shown.is_empty() {
        text.push('\n');
        text.push_str(&findings(&shown));
    }
    text.push('\n');
    text.push_str(&summary(report, shown.len()));
    text
}

fn is_shown(finding: &VulnFinding, display: &Display) -> bool {
    let by_default = finding.severity.level != Severity::Info || !display.severities.is_empty();
    let listed = match finding.state {
        State::Exempt => display.show_exempt,
        state => matches!(state, State::Unhealthy | State::Unknown),
    };
    listed && by_default && display.shows(finding)
}

fn headline(report: &Report) -> String {
    let target = told::target(&report.target.target);
    let distro = report.distro.as_ref().map(|distro| {
        let release = distro.version.as_deref().map(|version| format!(" {version}"));
        distro
            .name
            .clone()
            .unwrap_or_else(|| format!("{}{}", distro.id, release.unwrap_or_default()))
    });
    let parts = [Some(target), report.target.platform.clone(), distro];
    escape(&parts.into_iter().flatten().collect::<Vec<_>>().join(", ")) + "\n"
}

fn findings(findings: &[&VulnFinding]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "LAYER", "WHY"]);
    for finding in findings {
        let package = &finding.package;
        let layer = package.layer.as_ref().map(|layer| {
            let base = if layer.base { " (base)" } else { "" };
            format!("{}{base}", layer.index + 1)
        });
        let severity = match finding.state {
            State::Unknown => format!("{}?", finding.severity.level),
            State::Exempt => format!("{} (exempt)", finding.severity.level),
            _ => finding.severity.level.to_string(),
        };
        let kev = if finding.kev.is_some() { " (exploited)" } else { "" };
        let row = [
            format!("{severity}{kev}"),
            finding.id.clone(),
            package.name.clone(),
            package.version.clone(),
            fix(finding),
            layer.unwrap_or_else(|| "-".to_owned()),
            finding
                .exemption
                .as_ref()
                .map_or_else(|| why(finding), |own| format!("exempt: {}", told::excuse(own))),
        ];
        table.add_row(row.iter().map(|cell| escape(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn summary(report: &Report, shown: usize) -> String {
    let counts = &report.counts;
    let severities = &counts.findings;
    let packages = &counts.packages;
    let exploited = match report.index.kev {
        Some(_) => format!("{} known exploited", counts.kev),
        None => "known exploited: not in the index".to_owned(),
    };
    let mut text = format!(
        "{} critical, {} high, {} medium, {} low, {} info, {} unknown; {} fixable, {exploited}\n",
        severities.critical,
        severities.high,
        severities.medium,
        severities.low,
        severities.info,
        severities.unknown,
        counts.fixable,
    );
    if counts.undecided + counts.exempt + counts.not_applicable > 0 {
        text.push_str(&format!(
            "{} undecided (marked ?), {} exempt, {} not applicable\n",
            counts.undecided, counts.exempt, counts.not_applicable
        ));
    }
    if counts.ignored_unfixed > 0 {
        text.push_str(&format!("{} without an available fix, ignored\n", counts.ignored_unfixed));
    }
    if counts.in_baseline > 0 {
        text.push_str(&format!("{} known from the earlier report, left out\n", counts.in_baseline));
    }
    let hidden = report.findings.len() - shown;
    if hidden > 0 {
        text.push_str(&format!("{hidden} counted, not shown\n"));
    }
    let told = packages.ecosystems.iter().map(|(ecosystem, count)| format!("{count} {ecosystem}"));
    let told: Vec<String> = told.collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    text.push_str(&format!("{} packages{told}\n", packages.total));
    text.push_str(&coverage(&report.coverage));
    if !report.coverage.complete {
        text.push_str("INCOMPLETE: something was left out; see the problems\n");
    }
    let updates = updates(&report.findings);
    if !updates.is_empty() {
        text.push_str("updates that remove most:\n");
    }
    let updates = updates.iter().map(|update| format!("  {}\n", escape(&update.text())));
    text.extend(updates);
    text
}

/// Who judged how many packages, and by records of what age: one age of all feeds would hide an old one.
fn coverage(coverage: &Coverage) -> String {
    let judged = coverage.segments.iter().map(|segment| {
        let newest = segment.feeds.iter().filter_map(|feed| feed.newest).max();
        let newest = newest.and_then(|newest| jiff::Timestamp::from_millisecond(newest).ok());
        let age = newest.map_or("no dated records".to_owned(), |newest| {
            format!("records up to {}", newest.strftime("%Y-%m-%d"))
        });
        let fixed_only = if segment.fixed_only { ", only flaws that have a fix" } else { "" };
        format!("judged by {}: {} packages, {age}{fixed_only}", segment.segment, segment.packages)
    });
    let not_covered = coverage
        .not_covered
        .iter()
        .map(|missing| format!("not covered: {}, {} packages", missing.segment, missing.packages));
    let others = [
        (coverage.owned, "owned by the distro's packages, left to the distro's advisories"),
        (coverage.third_party, "of other vendors, whom the distro's advisories do not speak of"),
    ];
    let others = others.into_iter().filter(|(packages, _)| *packages > 0);
    let others = others.map(|(packages, why)| format!("{packages} packages {why}"));
    judged.chain(not_covered).chain(others).map(|line| escape(&line) + "\n").collect()
}
