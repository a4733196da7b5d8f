//! CSAF 2, profile VEX. Source: CSAF 2.0, sections 3.2.2 (product tree), 3.2.3 (vulnerabilities) and 4.5.
use super::{Product, Statement, Status, millis, sentence};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Branches within branches; vendors use four.
const MAX_DEPTH: usize = 30;

#[derive(Deserialize)]
struct Csaf {
    document: About,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct About {
    publisher: Option<Publisher>,
    tracking: Option<Tracking>,
}

#[derive(Deserialize)]
struct Publisher {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Tracking {
    current_release_date: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<FullName>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    product: Option<FullName>,
}

#[derive(Deserialize)]
struct FullName {
    product_id: String,
    product_identification_helper: Option<Helper>,
}

#[derive(Deserialize)]
struct Helper {
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: FullName,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<OtherId>,
    #[serde(default)]
    product_status: ProductStatus,
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    threats: Vec<Threat>,
}

#[derive(Deserialize)]
struct OtherId {
    text: String,
}

#[derive(Default, Deserialize)]
struct ProductStatus {
    #[serde(default)]
    known_not_affected: Vec<String>,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    known_affected: Vec<String>,
    #[serde(default)]
    under_investigation: Vec<String>,
}

#[derive(Deserialize)]
struct Flag {
    label: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Threat {
    category: String,
    details: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<(Option<String>, Vec<Statement>)> {
    let csaf: Csaf = serde_json::from_slice(bytes)?;
    let by = csaf.document.publisher.and_then(|publisher| publisher.name);
    let dated = csaf.document.tracking.and_then(|tracking| tracking.current_release_date);
    let at = millis(dated.as_deref());
    let products = csaf.product_tree.products();
    let mut statements = Vec::new();
    for vulnerability in &csaf.vulnerabilities {
        let status = &vulnerability.product_status;
        for (status, ids) in [
            (Status::NotAffected, &status.known_not_affected),
            (Status::Fixed, &status.fixed),
            (Status::Affected, &status.known_affected),
            (Status::UnderInvestigation, &status.under_investigation),
        ] {
            let of = |id: &String| vulnerability.statement(status, id, products.get(id)?, at);
            statements.extend(ids.iter().filter_map(of));
        }
    }
    Ok((by, statements))
}

impl Tree {
    /// By product id; one without a purl goes by nothing that a scan knows, and is left out.
    fn products(self) -> BTreeMap<String, Product> {
        let mut purls = BTreeMap::new();
        let mut names = self.full_product_names;
        collect(self.branches, &mut names, 0);
        for name in &names {
            if let Some(purl) = name.purl() {
                purls.insert(name.product_id.clone(), purl.to_owned());
            }
        }
        let whole = |(id, purl): (&String, &String)| {
            (id.clone(), Product { id: purl.clone(), subcomponents: Vec::new() })
        };
        let mut products: BTreeMap<String, Product> = purls.iter().map(whole).collect();
        for relationship in &self.relationships {
            // A part of what nobody can tell here, as a product that only has a CPE, could be a part of anything.
            let (Some(part), Some(whole)) = (
                purls.get(&relationship.product_reference),
                purls.get(&relationship.relates_to_product_reference),
            ) else {
                continue;
            };
            let product = Product { id: whole.clone(), subcomponents: vec![part.clone()] };
            products.insert(relationship.full_product_name.product_id.clone(), product);
        }
        products
    }
}

impl FullName {
    fn purl(&self) -> Option<&str> {
        self.product_identification_helper.as_ref()?.purl.as_deref()
    }
}

fn collect(branches: Vec<Branch>, names: &mut Vec<FullName>, depth: usize) {
    for branch in branches {
        names.extend(branch.product);
        if depth < MAX_DEPTH {
            collect(branch.branches, names, depth + 1);
        }
    }
}

impl Vulnerability {
    fn statement(
        &self,
        status: Status,
        id: &String,
        product: &Product,
        at: Option<seawall_model::Millis>,
    ) -> Option<Statement> {
        let flaws = self.cve.iter().chain(self.ids.iter().map(|own| &own.text)).cloned().collect();
        let flag = self.flags.iter().find(|flag| flag.product_ids.contains(id));
        let impact = self.threats.iter().find(|threat| {
            let of_all = threat.product_ids.is_empty();
            threat.category == "impact" && (of_all || threat.product_ids.contains(id))
        });
        let impact = impact.and_then(|threat| threat.details.as_deref());
        Some(Statement {
            flaws,
            status,
            why: sentence([flag.map(|flag| flag.label.as_str()), impact]),
            at,
            products: vec![product.clone()],
        })
    }
}
