//! Images, their packages, and where they run; inventories for matching again without pulling.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::asset::RunningContainer;
use seawall_model::image::Layer;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis, Problem};
use serde::{Deserialize, Serialize};

/// An image within one scope: name and digest together, so that what is said of one name never leaks to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    pub id: Id,
    pub scope: ScopePath,
    pub name: String,
    pub digest: Option<String>,
    pub config_digest: Option<String>,
    pub index_digest: Option<String>,
    pub platform: Option<String>,
    pub distro: Option<Distro>,
    pub layers: Vec<Layer>,
    /// `None` until an inventory came: unknown is not zero.
    pub package_count: Option<u64>,
    /// Unhealthy vulnerability findings; `None` until the packages were matched.
    pub counts: Option<SeverityCounts>,
    /// Those with a fix.
    pub fixable: Option<u64>,
    /// Containers of this image that run now, as far as the reader may see them.
    pub running: Vec<RunningPlace>,
    pub first: Millis,
    pub last: Millis,
    /// When an inventory last came.
    pub scanned: Option<Millis>,
    pub coverage_problems: Vec<Problem>,
    pub revision: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub info: u64,
    pub unknown: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningPlace {
    #[serde(flatten)]
    pub container: RunningContainer,
    /// Display name.
    pub cluster: String,
    pub node: String,
}

/// A package of one image with the findings on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImagePackage {
    #[serde(flatten)]
    pub package: Package,
    pub counts: SeverityCounts,
}

/// A package version across the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageVersion {
    pub id: Id,
    pub ecosystem: Ecosystem,
    pub name: String,
    pub version: String,
    /// Images and nodes that hold it, as far as the reader may see them.
    pub images: u64,
    pub nodes: u64,
}

/// A stored inventory, with the id that [`crate::Findings::replace_vulnerabilities`] takes.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredInventory {
    pub id: Id,
    pub scope: ScopePath,
    pub inventory: Inventory,
}

pub trait Images {
    async fn inventory(&self, id: Id) -> Result<Option<StoredInventory>>;
    /// Ids of all inventories after `after`, oldest first, at most `limit`: the walk of a re-match.
    async fn inventories_after(&self, after: Option<Id>, limit: u32) -> Result<Vec<Id>>;
    /// `None` when the image is unknown or not visible; empty until an inventory came.
    async fn image_packages(
        &self,
        visible: &Visible,
        image: Id,
    ) -> Result<Option<Vec<ImagePackage>>>;
}
