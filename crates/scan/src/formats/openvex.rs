//! OpenVEX 0.2.0: what the scan says of each flaw in each package, with what excuses it.
//!
//! Source: OpenVEX specification 0.2.0, "Statement" and "Status labels".
use super::told;
use crate::report::{Display, Report};
use crate::sbom::target_purl;
use seawall_model::Millis;
use seawall_model::finding::{State, VulnFinding};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

pub(super) fn document(report: &Report, display: &Display, made: Millis) -> Value {
    let product = target_purl(&report.target.target);
    // What is said alike of several packages is one statement.
    let mut statements: BTreeMap<String, (Value, Vec<&str>)> = BTreeMap::new();
    for finding in super::shown(report, display) {
        let said = said(finding);
        let (_, packages) =
            statements.entry(said.to_string()).or_insert_with(|| (said, Vec::new()));
        if !packages.contains(&finding.package.purl.as_str()) {
            packages.push(&finding.package.purl);
        }
    }
    let statements: Vec<Value> = statements
        .into_values()
        .map(|(mut said, packages)| {
            let packages: Vec<Value> =
                packages.into_iter().map(|purl| json!({"@id": purl})).collect();
            said["products"] = match &product {
                Some(product) => json!([{"@id": product, "subcomponents": packages}]),
                None => json!(packages),
            };
            said
        })
        .collect();
    let content = json!(statements).to_string();
    let id = super::uuid(&[&content]);
    json!({
        "@context": CONTEXT,
        "@id": format!("https://openvex.dev/docs/public/vex-{id}"),
        "author": "Seawall",
        "role": "vulnerability scanner",
        "timestamp": super::moment(made),
        "version": 1,
        "tooling": format!("seawall {}", env!("CARGO_PKG_VERSION")),
        "statements": statements,
    })
}

fn said(finding: &VulnFinding) -> Value {
    let mut vulnerability = json!({"name": finding.id});
    if let Some(page) = told::flaw_page(&finding.id) {
        vulnerability["@id"] = json!(page);
    }
    if !finding.aliases.is_empty() {
        vulnerability["aliases"] = json!(finding.aliases);
    }
    let mut said = json!({"vulnerability": vulnerability});
    match (finding.state, &finding.exemption) {
        (State::Exempt, Some(exemption)) if exemption.category == "mitigated" => {
            said["status"] = json!("not_affected");
            said["impact_statement"] = json!(exemption.reason);
        }
        (State::Exempt, exemption) => {
            let reason = exemption.as_ref().map(told::excuse).unwrap_or_default();
            said["status"] = json!("affected");
            said["action_statement"] = json!(format!("The risk is accepted; {reason}"));
        }
        (State::NotApplicable | State::Healthy, _) => {
            said["status"] = json!("not_affected");
            said["justification"] = json!("vulnerable_code_not_in_execute_path");
            said["impact_statement"] = json!("What it is in does not run here.");
        }
        (State::Unknown, _) => {
            said["status"] = json!("under_investigation");
            said["status_notes"] = json!(told::why(finding));
        }
        (State::Unhealthy, _) => {
            said["status"] = json!("affected");
            said["action_statement"] = json!(told::remedy(finding));
        }
    }
    said
}
