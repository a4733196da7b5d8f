//! Assets as written: with what reported them, which decides what a full listing may end.
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredAsset {
    pub(crate) asset: seawall_model::asset::Asset,
    /// [`OBJECT`] or [`NODE`].
    #[serde(skip)]
    pub(crate) origin: &'static str,
}

/// Reported by an assessment of a Kubernetes object.
pub(crate) const OBJECT: &str = "object";
/// Reported by the inventory of a node.
pub(crate) const NODE: &str = "node";
