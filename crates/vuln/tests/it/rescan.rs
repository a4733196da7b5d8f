//! A rescan says what a full match of every target would.
use crate::advisories::{advisory, affected, deb, distro, index, inventory, package, segment};
use proptest::prelude::*;
use seawall_model::advisory::Advisory;
use seawall_model::package::{Ecosystem, Inventory};
use seawall_vuln::rescan::{Estate, changed_names};
use seawall_vuln::{IndexSet, match_inventory};
use std::collections::BTreeMap;

const PYPI: Ecosystem = Ecosystem::PyPI;

/// One record: name 0 to 5, upper bound 1 to 5, or open at 0; in Debian 11 or in PyPI.
type Draft = (u8, u8, bool);

fn records(drafts: &BTreeMap<u8, Draft>, debian: bool) -> Vec<Advisory> {
    let own = drafts.iter().filter(|(_, (_, _, of_debian))| *of_debian == debian);
    own.map(|(number, (name, bound, _))| {
        let name = format!("p{name}");
        let range = if *bound == 0 { "..".to_owned() } else { format!("..{bound}") };
        let entry = match debian {
            true => affected(Ecosystem::Debian, Some("11"), &name, &[&range]),
            false => affected(PYPI, None, &name, &[&range]),
        };
        let cve = format!("CVE-2024-{number:04}");
        advisory(&format!("R-{number}"), &[&cve], vec![entry])
    })
    .collect()
}

fn built(drafts: &BTreeMap<u8, Draft>) -> IndexSet {
    let segments = [(Ecosystem::Debian, Some("11"), true), (PYPI, None, false)];
    let segments = segments.into_iter().filter_map(|(ecosystem, release, debian)| {
        let records = records(drafts, debian);
        (!records.is_empty()).then(|| segment(ecosystem, release, &records))
    });
    index(segments.collect())
}

fn target(packages: &[(u8, u8, bool)]) -> Inventory {
    let own = packages.iter().map(|(name, version, debian)| {
        let (name, version) = (format!("p{name}"), version.to_string());
        match debian {
            true => deb(&format!("{name}-bin{version}"), &name, &version),
            false => package(PYPI, &name, &version),
        }
    });
    let mut own: Vec<_> = own.collect();
    own.sort_by(|a, b| a.purl.cmp(&b.purl));
    own.dedup();
    inventory(distro("debian:11"), own)
}

/// `flaw purl` of all findings of a target.
fn reported(inventory: &Inventory, index: &IndexSet) -> Vec<String> {
    let findings = match_inventory(inventory, index).findings;
    let mut told: Vec<String> =
        findings.iter().map(|own| format!("{} {}", own.id, own.package.purl)).collect();
    told.sort();
    told
}

fn draft() -> impl Strategy<Value = BTreeMap<u8, Draft>> {
    prop::collection::btree_map(0..12u8, (0..6u8, 0..6u8, any::<bool>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_rescan_equals_a_full_match(
        before in draft(),
        after in draft(),
        targets in prop::collection::vec(prop::collection::vec((0..6u8, 1..6u8, any::<bool>()), 0..8), 1..6),
    ) {
        let (old, new) = (built(&before), built(&after));
        let targets: Vec<Inventory> = targets.iter().map(|own| target(own)).collect();
        let mut estate = Estate::default();
        for (number, inventory) in (0..).zip(&targets) {
            estate.add(number, inventory);
        }
        let changes = estate.rescan(&old, &new);
        for (number, inventory) in (0..).zip(&targets) {
            let mut told = reported(inventory, &old);
            for change in changes.iter().filter(|change| change.targets.contains(number)) {
                let name = |own: &seawall_model::finding::VulnFinding| format!("{} {}", own.id, own.package.purl);
                let gone: Vec<String> = change.resolved.iter().map(name).collect();
                told.retain(|own| !gone.contains(own));
                told.extend(change.raised.iter().map(name));
            }
            told.sort();
            prop_assert_eq!(told, reported(inventory, &new));
        }
    }
}

#[test]
fn names_that_say_the_same_are_not_asked_again() {
    let of = |drafts: &[Draft]| {
        let drafts: BTreeMap<u8, Draft> = (0..).zip(drafts.iter().copied()).collect();
        segment(PYPI, None, &records(&drafts, false))
    };
    let (old, new) =
        (of(&[(0, 2, false), (1, 3, false)]), of(&[(0, 2, false), (1, 4, false), (2, 1, false)]));
    assert_eq!(changed_names(Some(&old), Some(&new)), ["p1", "p2"]);
    assert_eq!(changed_names(Some(&old), Some(&old)), [""; 0]);
    assert_eq!(changed_names(Some(&old), None), ["p0", "p1"]);
    assert_eq!(changed_names(None, Some(&new)), ["p0", "p1", "p2"]);
}

#[test]
fn a_target_that_went_is_told_nothing() {
    let drafts = BTreeMap::from([(0, (0, 0, false))]);
    let (own, mut estate) = (target(&[(0, 1, false)]), Estate::default());
    estate.add(7, &own);
    estate.add(9, &own);
    assert_eq!(estate.len(), 1);
    let (old, new) = (built(&BTreeMap::new()), built(&drafts));
    let of = |estate: &Estate| {
        let changes = estate.rescan(&old, &new);
        changes.iter().flat_map(|change| change.targets.iter()).collect::<Vec<_>>()
    };
    assert_eq!(of(&estate), [7, 9]);
    estate.forget(7, &own);
    assert_eq!(of(&estate), [9]);
    estate.forget(9, &own);
    assert_eq!(of(&estate), [0; 0]);
}
