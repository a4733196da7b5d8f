//! CycloneDX JSON, read leniently. Source: CycloneDX 1.2 to 1.7, JSON schemas.
use super::bom::Bom;
use super::component::{Component, Kind};
use serde::Deserialize;

pub(super) const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// Components within components; deeper ones are no package manager's.
const MAX_DEPTH: usize = 16;

#[derive(Deserialize)]
struct Document {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Entry>,
    #[serde(default)]
    compositions: Vec<Composition>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Entry>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: Option<String>,
    group: Option<String>,
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    components: Vec<Entry>,
    evidence: Option<Evidence>,
}

#[derive(Deserialize)]
struct Property {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default)]
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct Occurrence {
    location: Option<String>,
}

#[derive(Deserialize)]
struct Composition {
    aggregate: Option<String>,
    /// Absent: of the whole.
    #[serde(default)]
    assemblies: Vec<serde::de::IgnoredAny>,
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<Bom> {
    let document: Document = serde_json::from_slice(bytes)?;
    let incomplete = document.compositions.iter().any(|own| {
        own.assemblies.is_empty()
            && own.aggregate.as_deref().is_some_and(|said| said.starts_with("incomplete"))
    });
    let mut bom = Bom { incomplete, ..Bom::default() };
    if let Some(metadata) = document.metadata {
        if let Some(root) = metadata.component {
            bom.take(root.components, 1);
            bom.root = component(Entry { components: Vec::new(), ..root });
        }
        bom.root.properties.extend(pairs(metadata.properties));
    }
    bom.take(document.components, 0);
    Ok(bom)
}

impl Bom {
    fn take(&mut self, entries: Vec<Entry>, depth: usize) {
        for mut entry in entries {
            let nested = std::mem::take(&mut entry.components);
            self.components.push(component(entry));
            match depth < MAX_DEPTH {
                true => self.take(nested, depth + 1),
                false => self.incomplete |= !nested.is_empty(),
            }
        }
    }
}

fn component(entry: Entry) -> Component {
    let kind = match entry.kind.as_deref() {
        Some("library" | "framework") => Kind::Library,
        Some("operating-system") => Kind::System,
        Some("container") => Kind::Container,
        _ => Kind::Other,
    };
    let occurrences = entry.evidence.map(|evidence| evidence.occurrences).unwrap_or_default();
    Component {
        kind,
        group: entry.group.unwrap_or_default(),
        name: entry.name.unwrap_or_default(),
        version: entry.version,
        purl: entry.purl,
        properties: pairs(entry.properties).collect(),
        locations: occurrences.into_iter().filter_map(|own| own.location).collect(),
        source_info: None,
    }
}

fn pairs(properties: Vec<Property>) -> impl Iterator<Item = (String, String)> {
    properties.into_iter().filter_map(|own| Some((own.name?, own.value?)))
}
