//! Layers laid over each other: which files are visible, and which layer brought each package.
//!
//! Layers are applied bottom up, as a runtime unpacks them, to a tree of the routed files and links alone. What else
//! a layer holds is known by path hash, enough to tell what it replaces.
mod contents;
mod databases;
mod distro;
mod replace;
#[cfg(test)]
mod tests;
mod tree;
mod unread;

use crate::facts::LayerFacts;
use seawall_model::Problem;
use seawall_model::package::{Distro, Package};

/// What an image or file system holds once all layers are applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    pub distro: Option<Distro>,
    /// Sorted by ecosystem, name, version, purl, layer, owner.
    pub packages: Vec<Package>,
    /// Where OS packages come from, sorted.
    pub repositories: Vec<String>,
    pub problems: Vec<Problem>,
}

/// Merges the layers of one image, lowest first. `None` is a layer that could not be read at all; what its reader
/// had to say is reported elsewhere. With `layered` packages name their introducing layer.
pub fn merge(layers: &[Option<&LayerFacts>], layered: bool) -> Contents {
    let mut tree = tree::Tree::default();
    for (index, layer) in layers.iter().enumerate() {
        if let Some(layer) = layer {
            tree.apply(u32::try_from(index).unwrap_or(u32::MAX), layer);
        }
    }
    tree.finish();
    contents::contents(&tree, layers, layered)
}
