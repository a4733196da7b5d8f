//! Images are identified by name and digest.
use serde::{Deserialize, Serialize};

/// An image as a node or registry names it. `digest` is the platform manifest's; the other two join what runtimes
/// and archives report. A docker-save archive has only `config_digest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ImageRef {
    /// `registry/repository:tag` as given, or as the runtime stores it.
    pub name: String,
    /// `sha256:…` of the platform manifest.
    pub digest: Option<String>,
    pub index_digest: Option<String>,
    pub config_digest: Option<String>,
}

impl ImageRef {
    /// The strongest digest known, for keys and links.
    pub fn key_digest(&self) -> Option<&str> {
        self.digest.as_deref().or(self.config_digest.as_deref()).or(self.index_digest.as_deref())
    }

    /// Whether one of the three digests is `digest`.
    pub fn has_digest(&self, digest: &str) -> bool {
        [&self.digest, &self.index_digest, &self.config_digest]
            .into_iter()
            .flatten()
            .any(|own| own == digest)
    }
}

/// One layer in image order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Layer {
    /// `sha256:…` of the uncompressed tar.
    pub diff_id: String,
    /// The Dockerfile step that made it, where the config has one.
    pub created_by: Option<String>,
    /// Compressed bytes; `None` where the source does not say.
    pub size: Option<u64>,
    /// Belongs to the recognised base image.
    pub base: bool,
}
