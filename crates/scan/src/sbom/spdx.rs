//! SPDX 2 in JSON. Source: SPDX specification 2.3, clauses 6 (document), 7 (package), 11 (relationship), 12 (annotation).
use super::SbomError;
use super::bom::Bom;
use super::component::{Component, Kind};
use serde::Deserialize;

const VERSIONS: [&str; 3] = ["SPDX-2.1", "SPDX-2.2", "SPDX-2.3"];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) document_describes: Vec<String>,
    #[serde(default)]
    pub(super) packages: Vec<SpdxPackage>,
    #[serde(default)]
    pub(super) relationships: Vec<Relationship>,
    #[serde(default)]
    pub(super) annotations: Vec<Annotation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpdxPackage {
    #[serde(rename = "SPDXID", default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) version_info: Option<String>,
    pub(super) source_info: Option<String>,
    pub(super) primary_package_purpose: Option<String>,
    #[serde(default)]
    pub(super) external_refs: Vec<ExternalRef>,
    #[serde(default)]
    pub(super) annotations: Vec<Annotation>,
    #[serde(default)]
    pub(super) attribution_texts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalRef {
    #[serde(default)]
    pub(super) reference_type: String,
    #[serde(default)]
    pub(super) reference_locator: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    #[serde(default)]
    pub(super) spdx_element_id: String,
    #[serde(default)]
    pub(super) relationship_type: String,
    #[serde(default)]
    pub(super) related_spdx_element: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Annotation {
    #[serde(default)]
    pub(super) comment: String,
}

pub(super) fn check_version(version: &str) -> Result<(), SbomError> {
    match VERSIONS.contains(&version) {
        true => Ok(()),
        false => Err(SbomError::UnknownVersion { form: "SPDX", version: version.to_owned() }),
    }
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<Bom> {
    Ok(serde_json::from_slice::<Document>(bytes)?.bom())
}

impl Document {
    pub(super) fn bom(self) -> Bom {
        let described = self.relationships.iter().filter(|own| {
            own.spdx_element_id == "SPDXRef-DOCUMENT" && own.relationship_type == "DESCRIBES"
        });
        let mut roots: Vec<&str> = described.map(|own| own.related_spdx_element.as_str()).collect();
        roots.extend(self.document_describes.iter().map(String::as_str));
        let mut bom = Bom::default();
        bom.root.name = self.name.unwrap_or_default();
        let document = self.annotations.iter().filter_map(|own| pair(&own.comment));
        bom.root.properties = document.collect();
        // A document that describes several packages is a list of them, not one target with contents.
        let root = match roots.as_slice() {
            [root] if self.packages.len() > 1 => Some((*root).to_owned()),
            _ => None,
        };
        for package in self.packages {
            let is_root = root.as_ref().is_some_and(|root| *root == package.id);
            let component = component(package);
            if is_root {
                let properties = std::mem::take(&mut bom.root.properties);
                bom.root = component;
                bom.root.properties.extend(properties);
            } else {
                bom.components.push(component);
            }
        }
        bom
    }
}

fn component(package: SpdxPackage) -> Component {
    let purl = package.external_refs.into_iter().find(|own| own.reference_type == "purl");
    let kind = match package.primary_package_purpose.as_deref() {
        Some("OPERATING-SYSTEM" | "OPERATING_SYSTEM") => Kind::System,
        Some("CONTAINER") => Kind::Container,
        Some("LIBRARY" | "FRAMEWORK") => Kind::Library,
        // Few tools say the purpose of packages; trivy has lock files among them, as applications and sources.
        None => Kind::Library,
        Some(_) => Kind::Other,
    };
    let comments = package.annotations.iter().map(|own| own.comment.as_str());
    let comments = comments.chain(package.attribution_texts.iter().map(String::as_str));
    Component {
        kind,
        group: String::new(),
        name: package.name,
        version: package.version_info.filter(|version| version != "NOASSERTION"),
        purl: purl.map(|own| own.reference_locator),
        properties: comments.filter_map(pair).collect(),
        locations: Vec::new(),
        source_info: package.source_info,
    }
}

/// `name: value`, as we and trivy write annotations.
fn pair(comment: &str) -> Option<(String, String)> {
    let (name, value) = comment.split_once(": ")?;
    (!name.contains(char::is_whitespace)).then(|| (name.to_owned(), value.to_owned()))
}
