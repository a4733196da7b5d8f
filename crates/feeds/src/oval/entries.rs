//! Ways to fulfil a definition become entries of an advisory.
use super::ways::ways;
use super::{Criteria, Criterion};
use crate::records::affected;
use seawall_model::advisory::{Affected, Only, Range, RangeEnd};
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet};

/// Where an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) release: String,
    pub(crate) channel: Option<String>,
}

/// What one criterion asks, in the words of a distro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Place(Place),
    Package {
        name: String,
        bound: Bound,
        arches: Vec<String>,
    },
    Arches(Vec<String>),
    /// `name:stream`.
    Module(String),
    Flavour(&'static str),
    /// Nothing that matching asks too: who signed it.
    Nothing,
    /// The class that what it is part of is counted under.
    Left(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    Below(String),
    UpTo(String),
    /// Not below, where the feed excludes the version itself too: none that is installed equals such a bound, since it
    /// has no release.
    From(String),
    Any,
    Never,
}

/// What a definition is of: everything but the architectures, which are joined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    place: Place,
    module: Option<String>,
    flavour: Option<&'static str>,
    bounds: BTreeSet<Bound>,
}

/// Entries of one definition, with what had to be left out by class; `place` is where they count if the criteria do not
/// say it. The error is the class for the whole.
pub(crate) fn entries(
    criteria: &Criteria,
    place: Option<&Place>,
    asked: impl Fn(&Criterion) -> Asked,
) -> Result<(Vec<Affected>, Vec<&'static str>), &'static str> {
    let all = ways(criteria).ok_or("more criteria than its limit")?;
    let mut left: Vec<&'static str> = (0..all.others).map(|_| "criterion not understood").collect();
    let mut found: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for way in all.ways {
        match joined(way.into_iter().map(&asked), place) {
            Err(class) => left.push(class),
            Ok((key, arches)) => match found.get_mut(&key) {
                // No architecture is every one of them.
                Some(known) if known.is_empty() || arches.is_empty() => known.clear(),
                Some(known) => known.extend(arches),
                None => _ = found.insert(key, arches),
            },
        }
    }
    Ok((found.into_iter().map(|(key, arches)| entry(key, arches)).collect(), left))
}

/// One way; the error is the class it is left out under.
fn joined(
    asked: impl Iterator<Item = Asked>,
    place: Option<&Place>,
) -> Result<(Key, BTreeSet<String>), &'static str> {
    let mut place = place.cloned();
    let (mut name, mut module, mut flavour) = (None, None, None);
    let (mut bounds, mut arches) = (BTreeSet::new(), BTreeSet::new());
    for asked in asked {
        match asked {
            Asked::Place(own) => place = Some(own),
            Asked::Package { name: own, bound, arches: of } => {
                if name.replace(own.clone()).is_some_and(|other| other != own) {
                    return Err("several packages at once");
                }
                bounds.insert(bound);
                arches.extend(of);
            }
            Asked::Arches(of) => arches.extend(of),
            Asked::Module(own) => module = Some(own),
            Asked::Flavour(own) => flavour = Some(own),
            Asked::Nothing => {}
            Asked::Left(class) => return Err(class),
        }
    }
    let (Some(place), Some(name)) = (place, name) else { return Err("no package or no release") };
    Ok((Key { name, place, module, flavour, bounds }, arches))
}

fn entry(key: Key, arches: BTreeSet<String>) -> Affected {
    let Key { name, place, module, flavour, bounds } = key;
    let mut range = Range { introduced: None, end: RangeEnd::Open };
    for bound in bounds {
        match bound {
            Bound::Below(version) => range.end = RangeEnd::Fixed(version),
            Bound::UpTo(version) => range.end = RangeEnd::LastAffected(version),
            Bound::From(version) => range.introduced = Some(version),
            Bound::Any => {}
            Bound::Never => range.end = RangeEnd::NotAffected(None),
        }
    }
    let only = Only {
        arches: arches.into_iter().collect(),
        module,
        cpe: None,
        channel: place.channel,
        flavour: flavour.map(str::to_owned),
    };
    Affected { only, ..affected(place.ecosystem, Some(&place.release), &name, vec![range]) }
}
