//! What a caller knows of a target beside what was read of it.
use crate::sort_problems;
use seawall_model::package::Inventory;
use seawall_model::{Millis, Problem};
use seawall_vuln::IndexInfo;
use std::time::Duration;

/// Subscribes the target to more channels.
pub fn subscribe(inventory: &mut Inventory, channels: &[String]) {
    inventory.repositories.extend(channels.iter().cloned());
    inventory.repositories.sort();
    inventory.repositories.dedup();
}

/// A base image by the diffIDs of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// As the caller named it.
    pub reference: String,
    pub diff_ids: Vec<String>,
}

/// Marks the layers of the longest base image whose layers are exactly the lowest of this one. An image is no base of
/// itself. That none fits is told.
pub fn mark_base(inventory: &mut Inventory, bases: &[BaseImage]) {
    if bases.is_empty() {
        return;
    }
    let own: Vec<&str> = inventory.layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    let fits = |base: &&BaseImage| {
        let prefix = own.get(..base.diff_ids.len());
        base.diff_ids.len() < own.len() && prefix.is_some_and(|prefix| base.diff_ids == prefix)
    };
    let longest = bases.iter().filter(fits).map(|base| base.diff_ids.len()).max().unwrap_or(0);
    for layer in inventory.layers.iter_mut().take(longest) {
        layer.base = true;
    }
    if longest == 0 {
        let names: Vec<&str> = bases.iter().map(|base| base.reference.as_str()).collect();
        let message = format!("the image is not built on {}", names.join(" or "));
        inventory.problems.push(
            Problem::note("base-image", message)
                .help("name the base image by the digest it had when the image was built"),
        );
        sort_problems(&mut inventory.problems);
    }
}

/// A gap where the index's newest record is older, or nothing says how old it is.
pub fn index_age(index: &IndexInfo, most: Duration, now: Millis) -> Option<Problem> {
    let help = "build the index again: `seawall db update`";
    let Some(newest) = index.newest else {
        let message = "no record of the index has a date, so nothing tells its age";
        return Some(Problem::gap("index-too-old", message).help(help));
    };
    let age = u128::try_from(now.saturating_sub(newest)).unwrap_or(0);
    (age > most.as_millis()).then(|| {
        let hours = age / 3_600_000;
        let age =
            if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) };
        let message = format!("the newest record of the index is {age} old");
        Problem::gap("index-too-old", message).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::image::Layer;
    use seawall_model::package::Target;

    fn image(diff_ids: &[&str]) -> Inventory {
        let layer = |diff_id: &&str| Layer {
            diff_id: (*diff_id).to_owned(),
            created_by: None,
            size: None,
            base: false,
        };
        Inventory {
            target: Target::Directory { path: String::new() },
            distro: None,
            platform: None,
            layers: diff_ids.iter().map(layer).collect(),
            packages: Vec::new(),
            repositories: Vec::new(),
            problems: Vec::new(),
            extractor_version: 0,
        }
    }

    #[test]
    fn bases_are_exact_prefixes() {
        #[track_caller]
        fn check(bases: &[&[&str]], marked: usize) {
            let mut inventory = image(&["a", "b", "c"]);
            let base = |diff_ids: &&[&str]| BaseImage {
                reference: "base".to_owned(),
                diff_ids: diff_ids.iter().map(|&own| own.to_owned()).collect(),
            };
            mark_base(&mut inventory, &bases.iter().map(base).collect::<Vec<_>>());
            let found = inventory.layers.iter().filter(|layer| layer.base).count();
            assert_eq!(found, marked, "{bases:?}");
            assert_eq!(inventory.problems.len(), usize::from(marked == 0 && !bases.is_empty()));
        }
        check(&[&["a"]], 1);
        check(&[&["a"], &["a", "b"], &["x"]], 2);
        check(&[&["a", "c"]], 0);
        check(&[&["b"]], 0);
        check(&[&["a", "b", "c"]], 0);
        check(&[&[]], 0);
        check(&[], 0);
    }

    #[test]
    fn ages_count_from_the_newest_record() {
        let info =
            |newest| IndexInfo { newest, ..seawall_vuln::IndexSet::new(vec![], None, []).info() };
        let day = Duration::from_secs(86_400);
        let now = 100 * 86_400_000;
        assert!(index_age(&info(Some(now - 86_400_000)), day, now).is_none());
        let told = index_age(&info(Some(now - 3 * 86_400_000)), day, now).unwrap();
        assert!(told.message.contains("3 days"), "{}", told.message);
        assert!(index_age(&info(Some(now + 1)), day, now).is_none());
        assert!(index_age(&info(None), day, now).is_some());
    }
}
