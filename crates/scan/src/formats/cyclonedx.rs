//! CycloneDX 1.6 in JSON: components, what depends on what, and what the scan says of flaws.
//!
//! Source: CycloneDX 1.6, `bom-1.6.schema.json`.
use super::told;
use crate::sbom::{of_inventory, of_package, target_purl};
use seawall_model::finding::{ExemptionRef, State, VulnFinding};
use seawall_model::package::{Distro, Inventory, Package, Target};
use seawall_model::problem::ProblemKind;
use seawall_model::{Millis, Severity};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// `findings`: `None` writes a bill of materials alone.
pub(crate) fn document(
    inventory: &Inventory,
    findings: Option<&[&VulnFinding]>,
    made: Millis,
) -> Value {
    let refs = references(&inventory.packages);
    let mut components: Vec<Value> = inventory.distro.iter().map(system).collect();
    let libraries = inventory.packages.iter().zip(&refs);
    components.extend(libraries.map(|(package, own)| library(package, own, inventory)));
    let root = root(inventory);
    let root_ref = root["bom-ref"].clone();
    let all: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    // Who needs whom is not read: all that is there is the root's, and nobody's nothing is claimed.
    let dependencies = json!([{"ref": root_ref, "dependsOn": all}]);
    let complete = !inventory.problems.iter().any(|problem| problem.kind >= ProblemKind::Gap);
    let content = json!([root, components]).to_string();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", super::uuid(&[&content])),
        "version": 1,
        "metadata": {
            "timestamp": super::moment(made),
            "tools": {"components": [{
                "type": "application",
                "name": "seawall",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": root,
            "properties": properties(of_inventory(inventory)),
        },
        "components": components,
        "dependencies": dependencies,
        "compositions": [{"aggregate": if complete { "complete" } else { "incomplete" }}],
    });
    if let Some(findings) = findings {
        document["vulnerabilities"] = json!(vulnerabilities(findings, &inventory.packages, &refs));
    }
    document
}

/// Of each package one that no other has: its purl, with a number where several instances share it.
fn references(packages: &[Package]) -> Vec<String> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let numbered = packages.iter().map(|package| {
        let count = seen.entry(&package.purl).or_default();
        *count += 1;
        match count {
            1 => package.purl.clone(),
            other => format!("{}#{other}", package.purl),
        }
    });
    numbered.collect()
}

fn properties(pairs: Vec<(&'static str, String)>) -> Vec<Value> {
    pairs.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn root(inventory: &Inventory) -> Value {
    let purl = target_purl(&inventory.target);
    let name = told::target_name(&inventory.target);
    let kind = match inventory.target {
        Target::Image { .. } => "container",
        Target::Node { .. } => "device",
        Target::Directory { .. } => "application",
    };
    let mut root = Map::new();
    root.insert("type".to_owned(), json!(kind));
    root.insert("bom-ref".to_owned(), json!(purl.as_deref().unwrap_or("target")));
    root.insert("name".to_owned(), json!(name));
    if let Target::Image { image } = &inventory.target
        && let Some(digest) = image.key_digest()
    {
        root.insert("version".to_owned(), json!(digest));
    }
    if let Some(purl) = &purl {
        root.insert("purl".to_owned(), json!(purl));
    }
    Value::Object(root)
}

fn system(distro: &Distro) -> Value {
    let mut system =
        json!({"type": "operating-system", "bom-ref": "operating-system", "name": distro.id});
    if let Some(version) = &distro.version {
        system["version"] = json!(version);
    }
    if let Some(name) = &distro.name {
        system["description"] = json!(name);
    }
    system
}

fn library(package: &Package, own_ref: &str, inventory: &Inventory) -> Value {
    let mut library = json!({
        "type": "library",
        "bom-ref": own_ref,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "properties": properties(of_package(package, inventory)),
    });
    if !package.locations.is_empty() {
        let occurrences = package.locations.iter().map(|at| json!({"location": at}));
        library["evidence"] = json!({"occurrences": occurrences.collect::<Vec<_>>()});
    }
    library
}

/// A flaw is one entry for all packages of which the same is said.
fn vulnerabilities(findings: &[&VulnFinding], packages: &[Package], refs: &[String]) -> Vec<Value> {
    let mut by_purl: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        by_purl.entry(&package.purl).or_default().push(index);
    }
    let mut flaws: BTreeMap<(&str, String), Vec<&VulnFinding>> = BTreeMap::new();
    for finding in findings {
        let said = json!([finding.state, finding.exemption, finding.severity]).to_string();
        flaws.entry((&finding.id, said)).or_default().push(finding);
    }
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    flaws
        .iter()
        .map(|((id, _), findings)| {
            let number = numbers.entry(id).and_modify(|own| *own += 1).or_insert(1);
            let mut affects: BTreeMap<&str, &str> = BTreeMap::new();
            for finding in findings {
                let instances = by_purl.get(finding.package.purl.as_str());
                for index in instances.into_iter().flatten() {
                    let package = &packages[*index];
                    let layer = finding.package.layer.as_ref().map(|layer| layer.index);
                    if package.layer == layer && package.locations == finding.package.locations {
                        affects.insert(&refs[*index], &package.version);
                    }
                }
            }
            vulnerability(findings, &affects, *number)
        })
        .collect()
}

fn vulnerability(findings: &[&VulnFinding], affects: &BTreeMap<&str, &str>, number: u32) -> Value {
    let first = findings[0];
    let status = match first.state {
        State::Unhealthy | State::Exempt => "affected",
        State::Unknown => "unknown",
        State::Healthy | State::NotApplicable => "unaffected",
    };
    let affects = affects.iter().map(
        |(own, version)| json!({"ref": own, "versions": [{"version": version, "status": status}]}),
    );
    let mut remedies: Vec<String> = findings.iter().map(|own| told::remedy(own)).collect();
    remedies.sort();
    remedies.dedup();
    let mut told = json!({
        "bom-ref": match number {
            1 => first.id.clone(),
            other => format!("{}#{other}", first.id),
        },
        "id": first.id,
        "source": source(first),
        "ratings": [rating(first)],
        "description": told::title(first),
        "recommendation": remedies.join(" "),
        "advisories": first.references.iter().map(|url| json!({"url": url})).collect::<Vec<_>>(),
        "affects": affects.collect::<Vec<_>>(),
        "properties": vulnerability_properties(first),
    });
    if !first.aliases.is_empty() {
        let source = json!({"name": first.matched.feed});
        let aliases = first.aliases.iter().map(|id| json!({"id": id, "source": source}));
        told["references"] = json!(aliases.collect::<Vec<_>>());
    }
    if let Some(analysis) = analysis(first) {
        told["analysis"] = analysis;
    }
    told
}

fn source(finding: &VulnFinding) -> Value {
    match told::flaw_page(&finding.id) {
        Some(url) => json!({"name": finding.disclosed_by, "url": url}),
        None => json!({"name": finding.disclosed_by}),
    }
}

fn rating(finding: &VulnFinding) -> Value {
    let severity = &finding.severity;
    let level = match severity.level {
        Severity::Info => "info",
        level => level.as_str(),
    };
    let mut rating = json!({"severity": level});
    if let Some(source) = &severity.source {
        rating["source"] = json!({"name": source});
    }
    if let Some(score) = severity.score {
        rating["score"] = json!(score);
    }
    if let Some(vector) = &severity.vector {
        rating["method"] = json!(match vector.split('/').next().unwrap_or_default() {
            "CVSS:4.0" => "CVSSv4",
            "CVSS:3.1" => "CVSSv31",
            "CVSS:3.0" => "CVSSv3",
            _ => "CVSSv2",
        });
        rating["vector"] = json!(vector);
    }
    rating
}

fn vulnerability_properties(finding: &VulnFinding) -> Vec<Value> {
    let pairs = [
        ("seawall:state", Some(finding.state.as_str().to_owned())),
        ("seawall:fix", Some(told::fix_status(finding.fix.status).to_owned())),
        ("seawall:record", Some(finding.matched.record.clone())),
        ("seawall:kev", finding.kev.map(told::day)),
        ("seawall:epss", finding.epss.as_ref().map(|epss| epss.score.to_string())),
    ];
    let told = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    properties(told.collect())
}

/// What is excused, not applicable or undecided; of what just matched nobody has judged yet.
fn analysis(finding: &VulnFinding) -> Option<Value> {
    match (finding.state, &finding.exemption) {
        (State::Exempt, Some(ExemptionRef { category, .. })) if category == "mitigated" => {
            let detail = finding.exemption.as_ref().map(told::excuse);
            Some(json!({"state": "not_affected", "detail": detail}))
        }
        (State::Exempt, exemption) => Some(json!({
            "state": "exploitable",
            "response": ["will_not_fix"],
            "detail": exemption.as_ref().map(told::excuse).unwrap_or_default(),
        })),
        (State::NotApplicable, _) => Some(json!({
            "state": "not_affected",
            "justification": "code_not_reachable",
            "detail": "What it is in does not run here.",
        })),
        (State::Unknown, _) => Some(json!({
            "state": "in_triage",
            "detail": "The versions alone do not decide whether it holds.",
        })),
        _ => None,
    }
}
