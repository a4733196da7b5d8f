//! SARIF 2.1.0: a rule per flaw, a result per finding with place and fingerprint.
//!
//! Source: OASIS SARIF 2.1.0, sections 3.27 (result) and 3.49 (reportingDescriptor); GitHub, "SARIF support for code
//! scanning", for `security-severity` and what a location needs.
use super::{fingerprint, told};
use crate::report::{Display, Report};
use seawall_model::Severity;
use seawall_model::finding::{State, VulnFinding};
use seawall_posture::report::sarif::{
    SCHEMA, codes, level, notification, score, sentence, suppressions,
};
use seawall_posture::text::uri;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

pub(super) fn document(report: &Report, display: &Display) -> Value {
    let findings: Vec<&VulnFinding> = super::shown(report, display)
        .filter(|finding| finding.state != State::NotApplicable)
        .collect();
    let mut flaws: BTreeMap<&str, Vec<&VulnFinding>> = BTreeMap::new();
    for finding in &findings {
        flaws.entry(&finding.id).or_default().push(finding);
    }
    let indexes: HashMap<&str, usize> =
        flaws.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut ordinals: HashMap<String, u32> = HashMap::new();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let print = fingerprint::of(finding);
            // Two instances that agree in all that stays are told apart by their order.
            let ordinal = ordinals.entry(print.clone()).and_modify(|own| *own += 1).or_insert(1);
            let mut result = result(finding, &format!("{print}:{ordinal}"));
            result["ruleIndex"] = json!(indexes[finding.id.as_str()]);
            result
        })
        .collect();
    let notifications: Vec<Value> = report.problems.iter().map(notification).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Seawall",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": flaws.values().map(|findings| rule(findings)).collect::<Vec<_>>(),
                "notifications": codes(&report.problems),
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": {
                "target": report.target.target,
                "platform": report.target.platform,
                "complete": report.coverage.complete,
            },
        }],
    })
}

/// A flaw may be rated otherwise in each package: the highest counts.
fn rule(findings: &[&VulnFinding]) -> Value {
    let worst = findings.iter().max_by_key(|finding| finding.severity.level);
    let worst = worst.expect("a flaw comes from a finding");
    let title = told::title(worst);
    let remedies: Vec<String> = {
        let mut remedies: Vec<String> = findings.iter().map(|own| told::remedy(own)).collect();
        remedies.sort();
        remedies.dedup();
        remedies
    };
    let references: Vec<&String> = worst.references.iter().take(8).collect();
    let links: String = references.iter().map(|link| format!("\n- <{link}>")).collect();
    let mut rule = json!({
        "id": worst.id,
        "shortDescription": {"text": sentence(&title)},
        "fullDescription": {"text": sentence(&format!("{}: {title}", worst.id))},
        "help": {
            "text": remedies.join(" "),
            "markdown": format!("{}{}", remedies.join("\n\n"), if links.is_empty() { String::new() } else { format!("\n{links}") }),
        },
        "defaultConfiguration": {"level": level(worst.severity.level)},
        "properties": {
            "security-severity": security_severity(worst),
            "precision": "very-high",
            "tags": ["security", "vulnerability", worst.severity.level],
            "aliases": worst.aliases,
        },
    });
    if let Some(page) = told::page(worst) {
        rule["helpUri"] = json!(page);
    }
    rule
}

/// The score, where it lies in the range that GitHub shows as that severity; else one that does.
fn security_severity(finding: &VulnFinding) -> String {
    let range = match finding.severity.level {
        Severity::Critical => 9.0..=10.0,
        Severity::High => 7.0..=8.9,
        Severity::Medium => 4.0..=6.9,
        Severity::Low => 0.1..=3.9,
        Severity::Info | Severity::Unknown => 0.0..=0.0,
    };
    match finding.severity.score {
        Some(own) if range.contains(&own) => format!("{own:.1}"),
        _ => score(finding.severity.level).to_owned(),
    }
}

fn result(finding: &VulnFinding, print: &str) -> Value {
    let package = &finding.package;
    let (kind, own_level) = match finding.state {
        // Section 3.27.10: what did not fail has no level.
        State::Unknown => ("open", "none"),
        _ => ("fail", level(finding.severity.level)),
    };
    let said = format!(
        "{} {} has {} ({}). {}",
        package.name,
        package.version,
        finding.id,
        finding.severity.level,
        told::remedy(finding)
    );
    let locations: Vec<Value> = match package.locations.is_empty() {
        true => vec![location("", &package.purl)],
        false => package.locations.iter().take(10).map(|at| location(at, &package.purl)).collect(),
    };
    let mut result = json!({
        "ruleId": finding.id,
        "kind": kind,
        "level": own_level,
        "message": {"text": sentence(&said)},
        "locations": locations,
        "partialFingerprints": {"seawallFlaw/v1": print},
        "properties": {
            "state": finding.state,
            "purl": package.purl,
            "layer": package.layer,
            "fix": finding.fix,
            "kev": finding.kev,
            "epss": finding.epss,
            "match": finding.matched,
        },
    });
    if let Some(exemption) = &finding.exemption {
        result["suppressions"] = suppressions(exemption);
    }
    result
}

/// GitHub shows no result without a line: the first of the file that shows the package.
fn location(path: &str, purl: &str) -> Value {
    let logical = json!([{"fullyQualifiedName": purl, "kind": "package"}]);
    match path.is_empty() {
        true => json!({"logicalLocations": logical}),
        false => json!({
            "physicalLocation": {
                "artifactLocation": {"uri": uri(path)},
                "region": {"startLine": 1},
            },
            "logicalLocations": logical,
        }),
    }
}
