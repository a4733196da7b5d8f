//! What the forms have no field for, as named values: properties of CycloneDX, annotations of SPDX.
use seawall_model::package::{Inventory, Package};
use serde::Serialize;

pub(super) const TARGET: &str = "seawall:target";
pub(super) const DISTRO: &str = "seawall:distro";
pub(super) const PLATFORM: &str = "seawall:platform";
pub(super) const REPOSITORY: &str = "seawall:repository";
pub(super) const LAYER: &str = "seawall:layer";
pub(super) const PROBLEM: &str = "seawall:problem";

pub(super) const ECOSYSTEM: &str = "seawall:ecosystem";
pub(super) const NAME: &str = "seawall:name";
pub(super) const VERSION: &str = "seawall:version";
pub(super) const SOURCE_NAME: &str = "seawall:source:name";
pub(super) const SOURCE_VERSION: &str = "seawall:source:version";
pub(super) const ARCH: &str = "seawall:arch";
pub(super) const MODULE: &str = "seawall:module";
pub(super) const OWNER: &str = "seawall:owner";
pub(super) const THIRD_PARTY: &str = "seawall:third_party";
pub(super) const LAYER_INDEX: &str = "seawall:layer:index";
pub(super) const LAYER_DIFF_ID: &str = "seawall:layer:diff_id";
pub(super) const LOCATION: &str = "seawall:location";

pub(crate) type Properties = Vec<(&'static str, String)>;

/// Of the target. Nested values are JSON, so that they come back as they were.
pub(crate) fn of_inventory(inventory: &Inventory) -> Properties {
    let mut properties = vec![(TARGET, json(&inventory.target))];
    properties.extend(inventory.distro.iter().map(|distro| (DISTRO, json(distro))));
    properties.extend(inventory.platform.iter().map(|platform| (PLATFORM, platform.clone())));
    properties.extend(inventory.repositories.iter().map(|from| (REPOSITORY, from.clone())));
    properties.extend(inventory.layers.iter().map(|layer| (LAYER, json(layer))));
    properties.extend(inventory.problems.iter().map(|problem| (PROBLEM, json(problem))));
    properties
}

pub(crate) fn of_package(package: &Package, inventory: &Inventory) -> Properties {
    let layer = package.layer.and_then(|index| inventory.layers.get(index as usize));
    let source = package.source.as_ref();
    let texts = [
        (ECOSYSTEM, Some(package.ecosystem.osv_name().to_owned())),
        // Purls fold case where they should not: Go's names have it.
        (NAME, Some(package.name.clone())),
        (VERSION, Some(package.version.clone())),
        (SOURCE_NAME, source.map(|source| source.name.clone())),
        (SOURCE_VERSION, source.map(|source| source.version.clone())),
        (ARCH, package.arch.clone()),
        (MODULE, package.module.clone()),
        (OWNER, package.owner.clone()),
        (THIRD_PARTY, package.third_party.then(|| "true".to_owned())),
        (LAYER_INDEX, package.layer.map(|index| index.to_string())),
        (LAYER_DIFF_ID, layer.map(|layer| layer.diff_id.clone())),
    ];
    let mut properties: Properties =
        texts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    properties.extend(package.locations.iter().map(|location| (LOCATION, location.clone())));
    properties
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values serialise")
}
