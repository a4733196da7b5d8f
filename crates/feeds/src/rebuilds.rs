//! Packages that one record names several times: on other architectures, or built again.
use seawall_model::advisory::{Affected, Only, RangeEnd};
use seawall_vuln::Scheme;
use std::collections::BTreeMap;

/// Several fixes of one package in one record are rebuilds of it: the lowest counts, on each architecture by itself.
pub(crate) fn lowest(entries: Vec<Affected>) -> Vec<Affected> {
    let mut found: BTreeMap<(String, Option<String>, Only), Affected> = BTreeMap::new();
    for entry in entries {
        let arches = match entry.only.arches.as_slice() {
            [] => vec![Vec::new()],
            some => some.iter().map(|arch| vec![arch.clone()]).collect(),
        };
        for arches in arches {
            let only = Only { arches, ..entry.only.clone() };
            let key = (entry.name.clone(), entry.release.clone(), only.clone());
            match found.get(&key) {
                Some(known) if fix(known) <= fix(&entry) => {}
                _ => _ = found.insert(key, Affected { only, ..entry.clone() }),
            }
        }
    }
    // Together again where nothing but the architecture differs.
    let mut joined: Vec<Affected> = Vec::new();
    for own in found.into_values() {
        let twin = joined.iter_mut().find(|other| {
            let only = Only { arches: other.only.arches.clone(), ..own.only.clone() };
            !own.only.arches.is_empty()
                && !other.only.arches.is_empty()
                && other.name == own.name
                && **other == Affected { only, ..own.clone() }
        });
        match twin {
            Some(other) => other.only.arches.extend(own.only.arches),
            None => joined.push(own),
        }
    }
    joined
}

/// The key of the fix, or its text where the order does not hold it.
fn fix(entry: &Affected) -> Option<Vec<u8>> {
    entry.ranges.iter().find_map(|range| match &range.end {
        RangeEnd::Fixed(version) => {
            let key = Scheme::of(entry.ecosystem).key(version);
            Some(key.unwrap_or_else(|| version.clone().into_bytes()))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{affected, below};
    use seawall_model::package::Ecosystem;

    #[track_caller]
    fn check(entries: &[(&str, &[&str])], expected: &str) {
        let entry = |(fix, arches): &(&str, &[&str])| {
            let only = Only {
                arches: arches.iter().map(|&arch| arch.into()).collect(),
                ..Only::default()
            };
            Affected { only, ..affected(Ecosystem::Oracle, Some("8"), "a", vec![below(fix)]) }
        };
        let told = |own: &Affected| {
            let RangeEnd::Fixed(fix) = &own.ranges[0].end else { panic!("no fix") };
            format!("{fix} {}", own.only.arches.join(","))
        };
        let lowest = lowest(entries.iter().map(entry).collect());
        assert_eq!(lowest.iter().map(told).collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn the_lowest_counts_on_each_architecture() {
        check(&[("0:2-1", &["x86_64"]), ("0:1-1", &["x86_64"])], "0:1-1 x86_64");
        check(&[("0:1-1", &["aarch64"]), ("0:1-1", &["x86_64"])], "0:1-1 aarch64,x86_64");
        check(&[("0:1-2", &["aarch64"]), ("0:1-1", &["x86_64"])], "0:1-2 aarch64; 0:1-1 x86_64");
        check(
            &[("0:10-1", &["aarch64", "x86_64"]), ("0:9-1", &["aarch64", "x86_64"])],
            "0:9-1 aarch64,x86_64",
        );
        check(&[("0:1-1", &[]), ("0:2-1", &[])], "0:1-1 ");
    }
}
