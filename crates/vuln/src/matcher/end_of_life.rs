//! A distro release that gets no fixes any more: what is found there stays, and what is not found may be there.
use crate::index::IndexSet;
use seawall_model::package::{Distro, Inventory};
use seawall_model::{Millis, Problem};

/// `ID` of os-release and the product's name at endoflife.date, where they differ.
const PRODUCTS: [(&str, &str); 7] = [
    ("alpine", "alpine-linux"),
    ("rocky", "rocky-linux"),
    ("amzn", "amazon-linux"),
    ("ol", "oracle-linux"),
    ("opensuse-leap", "opensuse"),
    ("azurelinux", "azure-linux"),
    ("mariner", "azure-linux"),
];

/// A note where the release is past its end. An engine has no clock: past is what the list says, or a day before the
/// newest record that any advisory feed has.
pub(super) fn told(inventory: &Inventory, index: &IndexSet) -> Option<Problem> {
    let list = index.enrichment().endoflife.as_ref()?;
    let distro = inventory.distro.as_ref()?;
    let id = distro.id.to_ascii_lowercase();
    let product =
        PRODUCTS.into_iter().find(|(own, _)| *own == id).map_or(id.as_str(), |(_, to)| to);
    let life = releases(distro).into_iter().find_map(|release| list.of(product, &release))?;
    let passed = |ends: Millis| index.newest().is_some_and(|newest| ends < newest);
    if !life.over && !life.ends.is_some_and(passed) {
        return None;
    }
    let version = distro.version.as_deref().unwrap_or_default();
    let since = life.ends.and_then(|ends| jiff::Timestamp::from_millisecond(ends).ok());
    let since = since.map(|since| format!(" since {}", since.strftime("%Y-%m-%d")));
    let message = format!(
        "{id} {version} is past its end of life{}: it gets no fixes, and new flaws may not be reported for it",
        since.unwrap_or_default()
    );
    let problem = Problem::note("end-of-life", message).item(format!("{id}:{version}"));
    Some(problem.help("move to a release that is maintained"))
}

/// As the list may write it, the most exact first: `3.18.4`, `3.18`, `3`.
fn releases(distro: &Distro) -> Vec<String> {
    let version = distro.version.as_deref().unwrap_or_default();
    let parts: Vec<&str> = version.split('.').collect();
    (1..=parts.len()).rev().map(|count| parts[..count].join(".")).collect()
}
