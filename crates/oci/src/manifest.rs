//! The JSON documents of images, read leniently: only what is needed is demanded.
//! Source: OCI image specification v1.1 (index, manifest, config); docker-save's `manifest.json`.
use crate::error::OpenError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What an index or manifest says of something else. Source: OCI image specification, "Descriptors".
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: Option<String>,
    /// What a referrer is.
    pub artifact_type: Option<String>,
    pub digest: String,
    /// Bytes.
    pub size: u64,
    pub platform: Option<DescriptorPlatform>,
    pub annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DescriptorPlatform {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
    pub variant: Option<String>,
}

/// An index or a manifest: older documents name no media type, so their members tell.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub(crate) manifests: Option<Vec<Descriptor>>,
    pub(crate) config: Option<Descriptor>,
    pub(crate) layers: Option<Vec<Descriptor>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
    pub(crate) rootfs: Option<RootFs>,
    pub(crate) history: Option<Vec<History>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RootFs {
    pub(crate) diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) created_by: Option<String>,
    #[serde(default)]
    pub(crate) empty_layer: bool,
}

/// One image of docker-save's `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Saved {
    pub(crate) config: String,
    pub(crate) repo_tags: Option<Vec<String>>,
    pub(crate) layers: Option<Vec<String>>,
}

impl Config {
    pub(crate) fn platform(&self) -> DescriptorPlatform {
        DescriptorPlatform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
    }

    /// The steps that made a layer, in layer order.
    pub(crate) fn steps(&self) -> Vec<Option<String>> {
        let history = self.history.iter().flatten().filter(|step| !step.empty_layer);
        history.map(|step| step.created_by.clone()).collect()
    }
}

pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, OpenError> {
    serde_json::from_slice(bytes)
        .map_err(|source| OpenError::Malformed { what: what.to_owned(), source })
}
