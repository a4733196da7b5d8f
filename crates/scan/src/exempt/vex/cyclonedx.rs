//! CycloneDX with analyses of vulnerabilities. Source: CycloneDX 1.4 to 1.7, `vulnerabilities`.
use super::{Product, Statement, Status, millis, sentence};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    component: Option<Component>,
    supplier: Option<Named>,
    manufacture: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
    name: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    analysis: Option<Analysis>,
    updated: Option<String>,
    #[serde(default)]
    affects: Vec<Affected>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<State>,
    justification: Option<String>,
    detail: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Resolved,
    ResolvedWithPedigree,
    Exploitable,
    InTriage,
    FalsePositive,
    NotAffected,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(rename = "ref")]
    bom_ref: String,
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<(Option<String>, Vec<Statement>)> {
    let document: Document = serde_json::from_slice(bytes)?;
    let mut names = BTreeMap::new();
    collect(&document.components, &mut names);
    let metadata = document.metadata.as_ref();
    collect(
        metadata.and_then(|own| own.component.as_ref()).map_or(&[], std::slice::from_ref),
        &mut names,
    );
    let by = metadata.and_then(|own| own.supplier.as_ref().or(own.manufacture.as_ref()));
    let by = by.and_then(|named| named.name.clone());
    let dated = metadata.and_then(|own| own.timestamp.as_deref());
    let statements = document.vulnerabilities.iter().filter_map(|own| own.statement(&names, dated));
    Ok((by, statements.collect()))
}

/// The purl, else the name, behind each `bom-ref`.
fn collect<'d>(components: &'d [Component], names: &mut BTreeMap<&'d str, &'d str>) {
    for component in components {
        let name = component.purl.as_deref().or(component.name.as_deref());
        if let (Some(own), Some(name)) = (component.bom_ref.as_deref(), name) {
            names.insert(own, name);
        }
        collect(&component.components, names);
    }
}

impl Vulnerability {
    /// `None` while nobody has analysed it.
    fn statement(&self, names: &BTreeMap<&str, &str>, dated: Option<&str>) -> Option<Statement> {
        let analysis = self.analysis.as_ref()?;
        let status = match analysis.state? {
            State::Resolved | State::ResolvedWithPedigree => Status::Fixed,
            State::NotAffected | State::FalsePositive => Status::NotAffected,
            State::Exploitable => Status::Affected,
            State::InTriage => Status::UnderInvestigation,
        };
        let others = self.references.iter().filter_map(|own| own.id.clone());
        let products = self.affects.iter().map(|affected| Product {
            id: named(&affected.bom_ref, names),
            subcomponents: Vec::new(),
        });
        Some(Statement {
            flaws: self.id.iter().cloned().chain(others).collect(),
            status,
            why: sentence([analysis.justification.as_deref(), analysis.detail.as_deref()]),
            at: millis(self.updated.as_deref().or(dated)),
            products: products.collect(),
        })
    }
}

/// A reference within the document, or `urn:cdx:SERIAL/VERSION#REF` into another, where it often is a purl.
fn named(bom_ref: &str, names: &BTreeMap<&str, &str>) -> String {
    let own = match bom_ref.strip_prefix("urn:cdx:") {
        Some(link) => link.split_once('#').map_or(bom_ref, |(_, own)| own),
        None => bom_ref,
    };
    names.get(own).map_or(own, |name| name).to_owned()
}
