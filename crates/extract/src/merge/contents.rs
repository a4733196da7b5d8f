//! From visible files to packages: databases, evidence, owners, introducing layers.
use super::Contents;
use super::databases::{Databases, is_language};
use super::distro::{self, OsPackages};
use super::tree::{History, Tree};
use super::unread::Laid;
use crate::facts::{FoundPackage, LayerFacts};
use crate::os::rpm;
use crate::purl::purl;
use seawall_model::Problem;
use seawall_model::package::{Distro, Ecosystem, Format, Package};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Paths kept per package instance; more only repeat it.
const MAX_LOCATIONS: usize = 1_000;

pub(super) fn contents<'a>(
    tree: &Tree<'a>,
    layers: &[Option<&'a LayerFacts>],
    layered: bool,
) -> Contents {
    let laid = Laid { tree, layers };
    let release = distro::release(tree);
    let distro = release.and_then(distro::distro);
    let mut instances = Instances { layered, distro: distro.as_ref(), packages: BTreeMap::new() };
    let mut problems = tree.problems.clone();
    let databases = Databases::find(&laid);
    for (path, history) in &databases.counting {
        instances.add_all(path, history, &HashMap::new());
    }
    let owners = databases.owners(tree);
    for (path, history) in tree.files() {
        if is_language(history) {
            instances.add_all(path, history, &owners);
        }
    }
    for (path, history) in tree.files() {
        let Some((_, file)) = history.last() else { continue };
        if !databases.is_stray(path, file) {
            problems.extend(file.problems.iter().cloned());
        }
    }
    problems.extend(databases.notes.iter().cloned());
    problems.extend(layers.iter().flatten().flat_map(|layer| layer.problems.iter().cloned()));
    problems.extend(laid.databases());
    let is_database = |problem: &Problem| {
        ["database-not-read", "database-not-supported"].contains(&problem.code.as_str())
    };
    let reported = problems.iter().any(is_database) || databases.have_gaps();
    problems.extend(laid.evidence(release.is_some()));
    let packages = instances.finish();
    let os = || packages.iter().filter(|package| package.ecosystem.is_of_distro());
    let of_distro = os().any(|package| !package.third_party);
    let os_packages = OsPackages { listed: os().next().is_some(), of_distro, reported };
    problems.extend(distro::gap(release, &os_packages));
    let mut repositories: Vec<String> = tree
        .files()
        .filter_map(|(_, history)| history.last())
        .flat_map(|(_, file)| file.repositories.iter().cloned())
        .collect();
    repositories.sort_unstable();
    repositories.dedup();
    Contents { distro, packages, repositories, problems }
}

/// Package instances while they are collected: one (purl, introducing layer, owner).
struct Instances<'a> {
    layered: bool,
    distro: Option<&'a Distro>,
    packages: BTreeMap<(Ecosystem, String, Option<u32>, Option<String>), Package>,
}

impl Instances<'_> {
    fn add_all(&mut self, path: &str, history: &History<'_>, owners: &HashMap<String, String>) {
        let Some((_, file)) = history.last() else { return };
        let introduced = if self.layered { introduced(history) } else { HashMap::new() };
        for package in &file.packages {
            let ecosystem = self.judged_by(package);
            let own = FoundPackage { ecosystem, owned: Vec::new(), ..package.clone() };
            let layer = introduced.get(&identity(package)).copied();
            let owner = owners.get(path).cloned();
            let purl = purl(&own, self.distro);
            let third_party =
                own.third_party || rpm::is_third_party(ecosystem, own.vendor.as_deref());
            let key = (ecosystem, purl.clone(), layer, owner.clone());
            let instance = self.packages.entry(key).or_insert_with(|| Package {
                ecosystem,
                name: own.name,
                version: own.version,
                purl,
                arch: own.arch,
                source: own.source,
                locations: Vec::new(),
                owner,
                layer,
                third_party,
                module: own.module,
            });
            if instance.locations.len() < MAX_LOCATIONS {
                instance.locations.push(path.to_owned());
            }
        }
    }

    /// A database tells the format of its packages, os-release whose they are.
    fn judged_by(&self, package: &FoundPackage) -> Ecosystem {
        let format = package.ecosystem.format();
        let own = self.distro.filter(|_| format != Format::Language);
        own.and_then(|distro| Ecosystem::on(format, &distro.id)).unwrap_or(package.ecosystem)
    }

    fn finish(self) -> Vec<Package> {
        let mut packages: Vec<_> = self.packages.into_values().collect();
        for package in &mut packages {
            package.locations.sort_unstable();
            package.locations.dedup();
        }
        let key = |package: &Package| {
            let Package { ecosystem, name, version, purl, layer, owner, .. } = package.clone();
            (ecosystem, name, version, purl, layer, owner)
        };
        packages.sort_by_cached_key(key);
        packages
    }
}

/// Name, version and architecture.
type Identity<'a> = (&'a str, &'a str, Option<&'a str>);

fn identity(package: &FoundPackage) -> Identity<'_> {
    (&package.name, &package.version, package.arch.as_deref())
}

/// For each package of the topmost copy the lowest layer of the unbroken run up to the top whose copy holds it.
fn introduced<'a>(history: &History<'a>) -> HashMap<Identity<'a>, u32> {
    let mut introduced = HashMap::new();
    let mut copies = history.iter().rev();
    let Some((top, file)) = copies.next() else { return introduced };
    let mut running: HashSet<_> = file.packages.iter().map(identity).collect();
    introduced.extend(running.iter().map(|package| (*package, *top)));
    for (layer, file) in copies {
        let held: HashSet<_> = file.packages.iter().map(identity).collect();
        running.retain(|package| held.contains(package));
        introduced.extend(running.iter().map(|package| (*package, *layer)));
    }
    introduced
}
