//! A CSAF document as far as it is read. Source: CSAF 2.0, section 3.2.
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(super) struct Csaf {
    pub(super) document: Head,
    pub(super) product_tree: Option<Tree>,
    pub(super) vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) title: Option<String>,
    pub(super) tracking: Tracking,
    pub(super) aggregate_severity: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct Text {
    pub(super) text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Tracking {
    pub(super) id: String,
    /// `final`; `deleted` is Red Hat's own.
    pub(super) status: Option<String>,
    pub(super) current_release_date: Option<String>,
    pub(super) initial_release_date: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Tree {
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
    #[serde(default)]
    pub(super) full_product_names: Vec<Product>,
    #[serde(default)]
    pub(super) relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
pub(super) struct Branch {
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
    pub(super) product: Option<Product>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    pub(super) product_id: String,
    pub(super) product_identification_helper: Option<Helper>,
}

#[derive(Deserialize)]
pub(super) struct Helper {
    pub(super) cpe: Option<String>,
    pub(super) purl: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Relationship {
    pub(super) full_product_name: Product,
    pub(super) product_reference: String,
    pub(super) relates_to_product_reference: String,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability {
    pub(super) cve: Option<String>,
    pub(super) title: Option<String>,
    pub(super) release_date: Option<String>,
    /// Status → ids of products.
    pub(super) product_status: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) remediations: Vec<Remediation>,
    #[serde(default)]
    pub(super) threats: Vec<Threat>,
    #[serde(default)]
    pub(super) scores: Vec<Score>,
    #[serde(default)]
    pub(super) flags: Vec<Flag>,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
}

#[derive(Deserialize)]
pub(super) struct Remediation {
    pub(super) category: String,
    pub(super) details: Option<String>,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Threat {
    pub(super) category: String,
    pub(super) details: Option<String>,
    /// All of them where it is absent.
    pub(super) product_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct Score {
    pub(super) products: Option<Vec<String>>,
    pub(super) cvss_v4: Option<Cvss>,
    pub(super) cvss_v3: Option<Cvss>,
    pub(super) cvss_v2: Option<Cvss>,
}

#[derive(Deserialize)]
pub(super) struct Cvss {
    #[serde(rename = "vectorString")]
    pub(super) vector: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Flag {
    /// `vulnerable_code_not_present` and four more.
    pub(super) label: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) category: Option<String>,
    pub(super) url: Option<String>,
}
