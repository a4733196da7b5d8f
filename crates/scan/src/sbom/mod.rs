//! Bills of materials: inventories written for others, and others' read as inventories.
//!
//! ```text
//! Inventory ─write─► CycloneDX 1.6, SPDX 2.3, our JSON
//! CycloneDX, SPDX (JSON, tag-value), our JSON ─read─► Bom ─inventory─► Inventory
//! ```
//!
//! What matching needs survives: source package, architecture, module, owner, layers, repositories and gaps stand in
//! properties that only we write, and those of trivy and syft are understood.
mod bom;
mod component;
mod cyclonedx;
mod distro;
mod properties;
mod source;
mod spdx;
mod tag_value;

pub(crate) use properties::{of_inventory, of_package};

use crate::formats::{self, pretty};
use bom::Bom;
use packageurl::PackageUrl;
use seawall_model::Millis;
use seawall_model::package::{Inventory, Target};
use serde::{Deserialize, Serialize};

/// Bytes of a bill of materials: the largest known, of a distribution's whole archive, has 300 MB.
pub const MAX_SBOM: u64 = 512 * 1024 * 1024;

/// Raised when a field changes its meaning; new fields do not raise it.
const SCHEMA: &str = "seawall/sbom/v1";

/// A form to write a bill of materials in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SbomForm {
    /// 1.6, JSON.
    CycloneDx,
    /// 2.3, JSON.
    Spdx,
    /// The inventory itself.
    Json,
}

/// Why text is no bill of materials that this version reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SbomError {
    #[error("it is neither CycloneDX JSON, SPDX JSON, SPDX tag-value nor an SBOM of ours")]
    UnknownForm,
    #[error("this version does not read {form} {version}")]
    UnknownVersion { form: &'static str, version: String },
    #[error("it is no valid {form}")]
    Invalid { form: &'static str, source: serde_json::Error },
    #[error("line {line} is no tag of SPDX")]
    InvalidTag { line: usize },
    #[error("the text that begins in line {line} does not end")]
    OpenText { line: usize },
}

#[derive(Serialize, Deserialize)]
struct Own<I> {
    schema: String,
    #[serde(flatten)]
    inventory: I,
}

/// What says which form a JSON document has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    bom_format: Option<String>,
    spec_version: Option<String>,
    spdx_version: Option<String>,
    schema: Option<String>,
}

/// The inventory as text that ends a line. `made` is the moment that the document bears, epoch milliseconds.
pub fn write(inventory: &Inventory, form: SbomForm, made: Millis) -> serde_json::Result<String> {
    match form {
        SbomForm::CycloneDx => pretty(&formats::cyclonedx::document(inventory, None, made)),
        SbomForm::Spdx => pretty(&formats::spdx::document(inventory, &[], made)),
        SbomForm::Json => {
            pretty(&serde_json::to_value(Own { schema: SCHEMA.to_owned(), inventory })?)
        }
    }
}

/// Reads a bill of materials of any form. `name` is what the target is called where the document does not say.
pub fn read(bytes: &[u8], name: &str) -> Result<Inventory, SbomError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Ok(tag_value::read(bytes)?.inventory(name));
    }
    let invalid = |form| move |source| SbomError::Invalid { form, source };
    let head: Head = serde_json::from_slice(bytes).map_err(invalid("JSON"))?;
    if head.bom_format.as_deref() == Some("CycloneDX") {
        let version = head.spec_version.unwrap_or_default();
        if !cyclonedx::VERSIONS.contains(&version.as_str()) {
            return Err(SbomError::UnknownVersion { form: "CycloneDX", version });
        }
        let bom: Bom = cyclonedx::read(bytes).map_err(invalid("CycloneDX"))?;
        return Ok(bom.inventory(name));
    }
    if let Some(version) = head.spdx_version {
        spdx::check_version(&version)?;
        return Ok(spdx::read(bytes).map_err(invalid("SPDX"))?.inventory(name));
    }
    match head.schema {
        Some(schema) if schema == SCHEMA => {
            let own: Own<Inventory> =
                serde_json::from_slice(bytes).map_err(invalid("SBOM of ours"))?;
            Ok(own.inventory)
        }
        Some(version) => Err(SbomError::UnknownVersion { form: "a document of schema", version }),
        None => Err(SbomError::UnknownForm),
    }
}

/// How other tools name the target: an image by its digest. `None` for what has no such name.
/// Source: package-url specification, PURL-TYPES, `oci`.
pub(crate) fn target_purl(target: &Target) -> Option<String> {
    let Target::Image { image } = target else { return None };
    let digest = image.digest.as_ref().or(image.index_digest.as_ref())?;
    let (repository, tag) = repository_and_tag(&image.name);
    let mut purl = PackageUrl::new("oci", repository.rsplit('/').next()?.to_owned()).ok()?;
    purl.with_version(digest.clone()).ok()?;
    if repository.contains('/') {
        purl.add_qualifier("repository_url", repository.to_owned()).ok()?;
    }
    if let Some(tag) = tag {
        purl.add_qualifier("tag", tag.to_owned()).ok()?;
    }
    Some(purl.to_string())
}

/// `example.org:5000/app:1@sha256:…` → `example.org:5000/app`, `1`.
pub(crate) fn repository_and_tag(name: &str) -> (&str, Option<&str>) {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

#[test]
fn images_are_named_by_digest() {
    use seawall_model::image::ImageRef;
    #[track_caller]
    fn check(name: &str, digest: Option<&str>, expected: Option<&str>) {
        let image = ImageRef {
            name: name.into(),
            digest: digest.map(str::to_owned),
            ..ImageRef::default()
        };
        assert_eq!(target_purl(&Target::Image { image }).as_deref(), expected);
    }
    let purl = "pkg:oci/app@sha256:ab?repository_url=example.org:5000%2Fapp&tag=1";
    check("example.org:5000/app:1", Some("sha256:ab"), Some(purl));
    check("app", Some("sha256:ab"), Some("pkg:oci/app@sha256:ab"));
    check("app", None, None);
}
