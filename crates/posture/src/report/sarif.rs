//! SARIF 2.1.0: a rule per control with its help, a result per finding with file, line and fingerprint.
//!
//! Source: OASIS SARIF 2.1.0, sections 3.27 (result) and 3.49 (reportingDescriptor); GitHub, "SARIF support for code
//! scanning", for `security-severity` and what a location needs.
use super::row::{name, told};
use super::{Report, RuleText, Shown};
use crate::text::{escape_json, uri};
use seawall_model::finding::{ControlFinding, ExemptionRef, State};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Where the schema is published.
pub const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(report: &Report, shown: Shown<'_>) -> Result<String, serde_json::Error> {
    let mut results = Vec::new();
    let rules = rules(report);
    let indexes: HashMap<&str, usize> =
        rules.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut known: HashMap<u64, u32> = HashMap::new();
    for (finding, line) in report.shown(shown) {
        // What passes is no result for a code scanner, unless asked for.
        if !shown.all && matches!(finding.state, State::Healthy | State::NotApplicable) {
            continue;
        }
        let hash = fingerprint(finding);
        let ordinal = known.entry(hash).and_modify(|count| *count += 1).or_insert(1);
        let print = format!("{hash:016x}:{ordinal}");
        let mut result = result(finding, line, &print);
        if let Some(index) = indexes.get(finding.control.as_str()) {
            result["ruleIndex"] = json!(index);
        }
        results.push(result);
    }
    let notifications: Vec<Value> = report.problems.iter().map(notification).collect();
    let driver = json!({
        "name": "Seawall",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.into_values().collect::<Vec<_>>(),
        "notifications": codes(&report.problems),
    });
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": {
                "target": report.target,
                "kubernetes": report.kubernetes,
                "frameworks": report.frameworks,
                "coverage": report.coverage,
                "secure": report.scores.secure,
            },
        }],
    });
    Ok(escape_json(&serde_json::to_string_pretty(&log)?) + "\n")
}

/// Of every control that was run, and of users' policies that have a finding.
fn rules(report: &Report) -> BTreeMap<&str, Value> {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for rule in report.rules.values() {
        rules.insert(&rule.id, of_control(rule));
    }
    for finding in &report.findings {
        rules.entry(&finding.control).or_insert_with(|| {
            json!({
                "id": finding.control,
                "shortDescription": {"text": sentence(&finding.title)},
                "defaultConfiguration": {"level": level(finding.severity)},
                "properties": {"security-severity": score(finding.severity), "tags": ["security"]},
            })
        });
    }
    rules
}

fn of_control(rule: &RuleText) -> Value {
    let mut tags = vec!["security".to_owned(), "kubernetes".to_owned()];
    tags.extend(rule.sections.iter().cloned());
    let mut markdown = format!("{}\n\n**Remediation:** {}", rule.description, rule.remediation);
    if !rule.sections.is_empty() {
        markdown += &format!("\n\n**Frameworks:** {}", rule.sections.join(", "));
    }
    json!({
        "id": rule.id,
        "name": pascal(&rule.title),
        "shortDescription": {"text": sentence(&rule.title)},
        "fullDescription": {"text": sentence(&rule.description)},
        "help": {"text": format!("{}\n\n{}", rule.description, rule.remediation), "markdown": markdown},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "security-severity": score(rule.severity),
            "problem.severity": problem_severity(rule.severity),
            "precision": "very-high",
            "tags": tags,
        },
    })
}

fn result(finding: &ControlFinding, line: Option<u32>, print: &str) -> Value {
    let subject = name(&finding.resource);
    let said = told(finding);
    let said = if said.is_empty() { finding.title.clone() } else { said };
    let (kind, own_level) = match finding.state {
        State::Unhealthy | State::Exempt => ("fail", level(finding.severity)),
        // Section 3.27.10: what did not fail has no level.
        State::Unknown => ("open", "none"),
        State::Healthy => ("pass", "none"),
        State::NotApplicable => ("notApplicable", "none"),
    };
    let mut result = json!({
        "ruleId": finding.control,
        "kind": kind,
        "level": own_level,
        "message": {"text": sentence(&format!("{subject}: {said}"))},
        "locations": [location(finding, line, &subject)],
        "partialFingerprints": {"seawallResource/v1": print},
        "properties": {
            "state": finding.state,
            "reason": finding.reason,
            "severity": finding.severity,
            "frameworks": finding.frameworks,
            "evidence": finding.evidence,
            "fix": finding.fix,
        },
    });
    if let Some(exemption) = &finding.exemption {
        result["suppressions"] = suppressions(exemption);
    }
    result
}

/// That somebody excused a result, for its `suppressions`.
pub fn suppressions(exemption: &ExemptionRef) -> Value {
    json!([{
        "kind": "external",
        "status": "accepted",
        "justification": exemption.reason,
        "properties": {"by": exemption.by, "category": exemption.category, "expires": exemption.expires},
    }])
}

/// Objects of a cluster have no file: only their name, which code scanning of GitHub passes over.
fn location(finding: &ControlFinding, line: Option<u32>, subject: &str) -> Value {
    let mut location = Map::new();
    if let Some(source) = &finding.source {
        let region = json!({"startLine": line.unwrap_or(source.line)});
        let physical = json!({"artifactLocation": {"uri": uri(&source.file)}, "region": region});
        location.insert("physicalLocation".to_owned(), physical);
    }
    let logical =
        json!([{"name": finding.resource.name, "fullyQualifiedName": subject, "kind": "resource"}]);
    location.insert("logicalLocations".to_owned(), logical);
    Value::Object(location)
}

/// A problem of the scan, for `toolExecutionNotifications`.
pub fn notification(problem: &Problem) -> Value {
    let level = match problem.kind {
        ProblemKind::Note => "note",
        ProblemKind::Warning | ProblemKind::Gap => "warning",
        ProblemKind::Error => "error",
    };
    let mut told = json!({
        "descriptor": {"id": problem.code},
        "level": level,
        "message": {"text": sentence(&problem.message)},
    });
    if let Some(file) = &problem.file {
        let line = problem.line.unwrap_or(1).max(1);
        told["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": uri(file)}, "region": {"startLine": line}}}]);
    }
    told
}

/// The codes of problems, each once, for the driver's `notifications`.
pub fn codes(problems: &[Problem]) -> Vec<Value> {
    let codes: std::collections::BTreeSet<&str> =
        problems.iter().map(|problem| problem.code.as_str()).collect();
    codes.into_iter().map(|code| json!({"id": code})).collect()
}

/// FNV-1a over what a finding is of, so that it stays itself where lines move. Two findings that agree in it are told
/// apart by their order.
fn fingerprint(finding: &ControlFinding) -> u64 {
    let file = finding.source.as_ref().map(|source| source.file.as_str()).unwrap_or_default();
    let subject = name(&finding.resource);
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in [finding.control.as_str(), file, &finding.resource.api_version, &subject] {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// As which level a viewer shows a severity.
pub fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info | Severity::Unknown => "note",
    }
}

/// A `security-severity` within the range that GitHub shows as that severity.
pub fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.0",
        Severity::High => "7.0",
        Severity::Medium => "5.0",
        Severity::Low => "3.0",
        Severity::Info | Severity::Unknown => "0.0",
    }
}

fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info | Severity::Unknown => "recommendation",
    }
}

/// Messages end with a period, as section 3.11.3 wants plain text to read.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    match text.chars().next_back() {
        None => ".".to_owned(),
        Some('.' | '!' | '?') => text.to_owned(),
        Some(_) => format!("{text}."),
    }
}

/// `Container may run as root` → `ContainerMayRunAsRoot`; section 3.49.7 wants an identifier.
fn pascal(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        })
        .collect()
}

#[test]
fn texts_take_their_shape() {
    assert_eq!(pascal("Container has no CPU or memory limit"), "ContainerHasNoCPUOrMemoryLimit");
    assert_eq!(pascal("Pod shares the node's processes"), "PodSharesTheNodeSProcesses");
    assert_eq!(
        (sentence("a"), sentence("b. "), sentence("")),
        ("a.".into(), "b.".into(), ".".into())
    );
}
