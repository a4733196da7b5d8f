//! VEX documents that lie at an image in its registry, as referrers: bare, or as statements of in-toto.
//!
//! Source: OCI distribution 1.1, "Listing Referrers"; in-toto attestation framework, statement v1; DSSE 1.0; sigstore
//! bundle 0.3. Signatures are not checked: who may write to the repository may excuse.
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use seawall_model::image::ImageRef;
use seawall_oci::registry::{Error, Name, Options, Registry};
use seawall_oci::{Descriptor, Reference};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Referrers that are looked into; a signed image has a handful.
const MAX_REFERRERS: usize = 64;

/// One document and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedVex {
    /// `registry/repository@sha256:…`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Why documents could not be looked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachedError {
    #[error("only images of registries have documents attached")]
    NoRegistry,
    #[error("cannot read what is attached to the image")]
    Registry(#[from] Error),
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Descriptor>,
}

/// A sigstore bundle, or the envelope alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapped {
    dsse_envelope: Option<Envelope>,
    #[serde(flatten)]
    envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    predicate_type: String,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

/// Every VEX document attached to the image that `reference` named when it was opened.
pub fn attached_vex(
    reference: &str,
    image: &ImageRef,
    options: &Options,
) -> Result<Vec<AttachedVex>, AttachedError> {
    let Ok(Reference::Registry { name }) = Reference::parse(reference) else {
        return Err(AttachedError::NoRegistry);
    };
    let registry = Arc::new(Registry::new(options)?);
    let mut found = Vec::new();
    // Of the platform's manifest, and of the index that all platforms share.
    for digest in image.digest.iter().chain(&image.index_digest) {
        let referrers = registry.referrers(&name, digest, None)?;
        for referrer in referrers.iter().filter(|own| may_be_vex(own)).take(MAX_REFERRERS) {
            found.extend(documents(&registry, &name, referrer)?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup();
    Ok(found)
}

/// Kinds that are VEX or may wrap one.
fn may_be_vex(referrer: &Descriptor) -> bool {
    let kind = referrer.artifact_type.as_deref().unwrap_or_default().to_lowercase();
    ["vex", "csaf", "cyclonedx", "dsse", "in-toto", "sigstore.bundle"]
        .iter()
        .any(|word| kind.contains(word))
}

fn documents(
    registry: &Arc<Registry>,
    name: &Name,
    referrer: &Descriptor,
) -> Result<Vec<AttachedVex>, AttachedError> {
    let at = name.at(&referrer.digest);
    let manifest = registry.manifest(&at)?;
    let Ok(Manifest { layers }) = serde_json::from_slice(&manifest.bytes) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for layer in layers {
        let blob = registry.blob(name, &layer.digest)?;
        if let Some(bytes) = unwrapped(blob) {
            found.push(AttachedVex { name: name.at(&layer.digest).to_string(), bytes });
        }
    }
    Ok(found)
}

/// The VEX document in a blob; `None` for what is another statement, such as a provenance.
fn unwrapped(blob: Vec<u8>) -> Option<Vec<u8>> {
    let Ok(wrapped) = serde_json::from_slice::<Wrapped>(&blob) else { return vex(blob) };
    let Some(envelope) = wrapped.dsse_envelope.or(wrapped.envelope) else { return vex(blob) };
    let payload = BASE64_STANDARD.decode(envelope.payload).ok()?;
    let statement: Statement<'_> = serde_json::from_slice(&payload).ok()?;
    let kind = statement.predicate_type.to_lowercase();
    let is_vex = ["vex", "csaf", "cyclonedx"].iter().any(|word| kind.contains(word));
    is_vex.then(|| statement.predicate.get().as_bytes().to_vec()).and_then(vex)
}

/// A bill of materials is CycloneDX too: only one that speaks of flaws is VEX.
fn vex(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let speaks = value.get("statements").is_some() || value.get("vulnerabilities").is_some();
    speaks.then_some(bytes)
}

#[test]
fn statements_are_unwrapped() {
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}"#;
    let statement = |kind: &str| {
        let statement = format!(r#"{{"_type":"x","predicateType":"{kind}","predicate":{vex}}}"#);
        let payload = BASE64_STANDARD.encode(statement);
        format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#
        )
    };
    let openvex = statement("https://openvex.dev/ns/v0.2.0");
    for (blob, is_vex) in [
        (vex.to_owned(), true),
        (openvex.clone(), true),
        (format!(r#"{{"mediaType":"x","dsseEnvelope":{openvex}}}"#), true),
        (statement("https://slsa.dev/provenance/v1"), false),
        (r#"{"bomFormat":"CycloneDX","components":[]}"#.to_owned(), false),
        ("no JSON".to_owned(), false),
    ] {
        let found = unwrapped(blob.clone().into_bytes());
        assert_eq!(found.as_deref(), is_vex.then_some(vex.as_bytes()), "{blob}");
    }
}
