//! GitLab's security report: container scanning of images, dependency scanning of directories.
//!
//! Source: GitLab security report schemas 15.0.7, `container-scanning-report-format.json` and
//! `dependency-scanning-report-format.json`.
use super::{fingerprint, told};
use crate::report::{Display, Report};
use seawall_model::finding::{State, VulnFinding};
use seawall_model::package::Target;
use seawall_model::problem::ProblemKind;
use seawall_model::{Millis, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const VERSION: &str = "15.0.7";

pub(super) fn document(report: &Report, display: &Display, made: Millis) -> Value {
    let of_image = matches!(report.target.target, Target::Image { .. });
    let kind = if of_image { "container_scanning" } else { "dependency_scanning" };
    // It knows no excuse: what is exempt is left out, and its number told.
    let vulnerabilities: Vec<Value> =
        super::open(report, display).map(|finding| vulnerability(report, finding)).collect();
    let errors = report.problems.iter().any(|problem| problem.kind == ProblemKind::Error);
    let tool = json!({
        "id": "seawall",
        "name": "Seawall",
        "version": env!("CARGO_PKG_VERSION"),
        "vendor": {"name": "Seawall"},
    });
    // The schema has neither zone nor fractions.
    let moment = super::moment(made).trim_end_matches('Z').to_owned();
    let mut document = json!({
        "version": VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": kind,
            "start_time": moment,
            "end_time": moment,
            "status": if errors { "failure" } else { "success" },
            "messages": messages(report),
        },
        "vulnerabilities": vulnerabilities,
        "remediations": [],
    });
    if !of_image {
        document["dependency_files"] = json!(files(report));
    }
    document
}

fn messages(report: &Report) -> Vec<Value> {
    let told = report.problems.iter().map(|problem| {
        let level = match problem.kind {
            ProblemKind::Note => "info",
            ProblemKind::Warning | ProblemKind::Gap => "warn",
            ProblemKind::Error => "fatal",
        };
        json!({"level": level, "value": problem.to_string()})
    });
    let exempt = (report.counts.exempt > 0)
        .then(|| json!({"level": "info", "value": format!("{} exempt", report.counts.exempt)}));
    told.chain(exempt).collect()
}

fn vulnerability(report: &Report, finding: &VulnFinding) -> Value {
    let package = &finding.package;
    let layer = package.layer.as_ref().map(|layer| layer.diff_id.as_str()).unwrap_or_default();
    let print = fingerprint::of(finding);
    let parts = [print.as_str(), &package.purl, layer];
    let mut links = finding.references.clone();
    links.retain(|link| link.starts_with("https://") || link.starts_with("http://"));
    let undecided = match finding.state {
        State::Unknown => " The versions alone do not decide whether it holds.",
        _ => "",
    };
    json!({
        "id": fingerprint::uuid(&parts),
        "name": told::title(finding),
        "description": format!("{}. {}.{undecided}", told::title(finding), told::why(finding)),
        "severity": severity(finding.severity.level),
        "solution": told::remedy(finding),
        "identifiers": identifiers(finding),
        "links": links.iter().map(|link| json!({"url": link})).collect::<Vec<_>>(),
        "location": location(report, finding),
    })
}

fn identifiers(finding: &VulnFinding) -> Vec<Value> {
    let names = [&finding.id].into_iter().chain(&finding.aliases);
    names
        .map(|name| {
            let kind = name.split('-').next().unwrap_or_default().to_lowercase();
            let mut identifier = json!({"type": kind, "name": name, "value": name});
            if let Some(page) = told::flaw_page(name) {
                identifier["url"] = json!(page);
            }
            identifier
        })
        .collect()
}

fn location(report: &Report, finding: &VulnFinding) -> Value {
    let package = &finding.package;
    let dependency = json!({"package": {"name": package.name}, "version": package.version});
    let Target::Image { image } = &report.target.target else {
        let file = package.locations.first().map(String::as_str).unwrap_or("-");
        return json!({"file": file, "dependency": dependency});
    };
    let distro = report.distro.as_ref().map(|distro| {
        [Some(distro.id.clone()), distro.version.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    });
    json!({
        "dependency": dependency,
        "operating_system": distro.unwrap_or_else(|| "unknown".to_owned()),
        "image": tagged(&image.name),
    })
}

/// The schema demands a tag.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

fn files(report: &Report) -> Vec<Value> {
    let mut files: BTreeMap<(&str, &str), Vec<Value>> = BTreeMap::new();
    for package in &report.packages {
        for location in &package.locations {
            let key = (location.as_str(), package.ecosystem.purl_type());
            files
                .entry(key)
                .or_default()
                .push(json!({"package": {"name": package.name}, "version": package.version}));
        }
    }
    files
        .into_iter()
        .map(|((path, manager), dependencies)| {
            json!({"path": path, "package_manager": manager, "dependencies": dependencies})
        })
        .collect()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
        Severity::Unknown => "Unknown",
    }
}

#[test]
fn names_have_tags() {
    for (name, expected) in [
        ("example.org:5000/app", "example.org:5000/app:latest"),
        ("example.org/app:1", "example.org/app:1"),
        ("image.tar", "image.tar:latest"),
    ] {
        assert_eq!(tagged(name), expected);
    }
}
