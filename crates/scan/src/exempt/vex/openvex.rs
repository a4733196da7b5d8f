//! OpenVEX. Source: OpenVEX specification 0.2.0, and 0.0.1 where it wrote texts for objects.
use super::{Product, Statement, Status, millis, sentence};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    author: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    statements: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    vulnerability: Named,
    #[serde(default)]
    products: Vec<Component>,
    /// Of all products, in 0.0.1.
    #[serde(default)]
    subcomponents: Vec<Component>,
    status: Word,
    justification: Option<String>,
    impact_statement: Option<String>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Text(String),
    Object {
        #[serde(rename = "@id")]
        id: Option<String>,
        name: Option<String>,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Component {
    Text(String),
    Object {
        #[serde(rename = "@id")]
        id: Option<String>,
        #[serde(default)]
        identifiers: Identifiers,
        #[serde(default)]
        subcomponents: Vec<Component>,
    },
}

#[derive(Default, Deserialize)]
struct Identifiers {
    purl: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<(Option<String>, Vec<Statement>)> {
    let document: Document = serde_json::from_slice(bytes)?;
    let dated = document.last_updated.or(document.timestamp);
    let statements = document.statements.into_iter().map(|written| {
        let own = written.timestamp.as_deref().or(dated.as_deref());
        statement(&written, own)
    });
    Ok((document.author, statements.collect()))
}

fn statement(written: &Written, dated: Option<&str>) -> Statement {
    let flaws = match &written.vulnerability {
        Named::Text(name) => [name.clone()].into(),
        Named::Object { id, name, aliases } => {
            // An id is a link that ends in the name.
            let of_id = id.as_deref().and_then(|id| id.rsplit('/').next()).map(str::to_owned);
            name.iter().chain(aliases).cloned().chain(of_id.filter(|own| !own.is_empty())).collect()
        }
    };
    let status = match written.status {
        Word::NotAffected => Status::NotAffected,
        Word::Affected => Status::Affected,
        Word::Fixed => Status::Fixed,
        Word::UnderInvestigation => Status::UnderInvestigation,
    };
    Statement {
        flaws,
        status,
        why: sentence([written.justification.as_deref(), written.impact_statement.as_deref()]),
        at: millis(dated),
        products: written
            .products
            .iter()
            .flat_map(|product| products(product, &written.subcomponents))
            .collect(),
    }
}

/// A product goes by its id and by its purl.
fn products(written: &Component, common: &[Component]) -> Vec<Product> {
    let own = match written {
        Component::Text(_) => &[],
        Component::Object { subcomponents, .. } => subcomponents.as_slice(),
    };
    let subcomponents: Vec<String> = own.iter().chain(common).flat_map(names).collect();
    let named = names(written).into_iter();
    named.map(|id| Product { id, subcomponents: subcomponents.clone() }).collect()
}

fn names(written: &Component) -> Vec<String> {
    match written {
        Component::Text(name) => vec![name.clone()],
        Component::Object { id, identifiers, .. } => {
            id.iter().chain(&identifiers.purl).cloned().collect()
        }
    }
}
