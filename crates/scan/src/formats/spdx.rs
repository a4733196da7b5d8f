//! SPDX 2.3 in JSON: the target, its system and its packages; flaws as security references.
//!
//! Source: SPDX specification 2.3, clauses 6, 7, 11 and 12, annex F (external repository identifiers).
use super::told;
use crate::sbom::{of_inventory, of_package, target_purl};
use seawall_model::Millis;
use seawall_model::finding::{State, VulnFinding};
use seawall_model::package::{Inventory, Package, Target};
use serde_json::{Value, json};
use std::collections::HashMap;

const TOOL: &str = concat!("Tool: seawall-", env!("CARGO_PKG_VERSION"));
const ROOT: &str = "SPDXRef-Target";
const SYSTEM: &str = "SPDXRef-OperatingSystem";

pub(crate) fn document(inventory: &Inventory, findings: &[&VulnFinding], made: Millis) -> Value {
    let moment = super::moment(made);
    let mut flaws: HashMap<&str, Vec<&VulnFinding>> = HashMap::new();
    for finding in findings.iter().filter(|own| own.state != State::NotApplicable) {
        flaws.entry(&finding.package.purl).or_default().push(finding);
    }
    let mut packages = vec![root(inventory, &moment)];
    packages.extend(inventory.distro.iter().map(|distro| {
        let mut system = package_head(SYSTEM, &distro.id, "OPERATING-SYSTEM");
        if let Some(version) = &distro.version {
            system["versionInfo"] = json!(version);
        }
        system
    }));
    for (index, package) in inventory.packages.iter().enumerate() {
        let flaws = flaws.get(package.purl.as_str()).map(Vec::as_slice).unwrap_or_default();
        packages.push(library(index, package, inventory, flaws, &moment));
    }
    let contained = packages.iter().skip(1).map(|package| {
        json!({
            "spdxElementId": ROOT,
            "relationshipType": "CONTAINS",
            "relatedSpdxElement": package["SPDXID"],
        })
    });
    let described = json!({
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": ROOT,
    });
    let relationships: Vec<Value> = [described].into_iter().chain(contained).collect();
    let name = told::target_name(&inventory.target);
    let content = json!(packages).to_string();
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": format!("https://seawall.dev/spdx/{}", super::uuid(&[&content, &moment])),
        "creationInfo": {"created": moment, "creators": [TOOL]},
        "packages": packages,
        "relationships": relationships,
    })
}

/// What SPDX asks of every package.
fn package_head(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": purpose,
    })
}

fn purl_reference(purl: &str) -> Value {
    json!({
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": purl,
    })
}

fn annotations(pairs: Vec<(&'static str, String)>, moment: &str) -> Vec<Value> {
    let annotation = |(name, value): (&str, String)| {
        json!({
            "annotationDate": moment,
            "annotationType": "OTHER",
            "annotator": TOOL,
            "comment": format!("{name}: {value}"),
        })
    };
    pairs.into_iter().map(annotation).collect()
}

fn root(inventory: &Inventory, moment: &str) -> Value {
    let purpose = match inventory.target {
        Target::Image { .. } => "CONTAINER",
        Target::Node { .. } => "DEVICE",
        Target::Directory { .. } => "SOURCE",
    };
    let mut root = package_head(ROOT, told::target_name(&inventory.target), purpose);
    if let Target::Image { image } = &inventory.target
        && let Some(digest) = image.key_digest()
    {
        root["versionInfo"] = json!(digest);
    }
    if let Some(purl) = target_purl(&inventory.target) {
        root["externalRefs"] = json!([purl_reference(&purl)]);
    }
    root["annotations"] = json!(annotations(of_inventory(inventory), moment));
    root
}

fn library(
    index: usize,
    package: &Package,
    inventory: &Inventory,
    flaws: &[&VulnFinding],
    moment: &str,
) -> Value {
    let id = format!("SPDXRef-Package-{}", index + 1);
    let mut library = package_head(&id, &package.name, "LIBRARY");
    library["versionInfo"] = json!(package.version);
    if let Some(source) = &package.source {
        let built = format!("built package from: {} {}", source.name, source.version);
        library["sourceInfo"] = json!(built);
    }
    let mut references = vec![purl_reference(&package.purl)];
    references.extend(flaws.iter().filter_map(|finding| {
        // A locator is a link: a flaw without a page has none to give.
        let page = told::page(finding).filter(|page| !page.contains(char::is_whitespace))?;
        Some(json!({
            "referenceCategory": "SECURITY",
            "referenceType": "advisory",
            "referenceLocator": page,
            "comment": format!("{} ({}, {})", finding.id, finding.severity.level, told::state(finding)),
        }))
    }));
    references.dedup();
    library["externalRefs"] = json!(references);
    library["annotations"] = json!(annotations(of_package(package, inventory), moment));
    library
}
