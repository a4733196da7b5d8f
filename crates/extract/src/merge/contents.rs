//! From visible files to packages: databases, evidence, owners, introducing layers.
use super::Contents;
use super::distro::{self, OsPackages};
use super::tree::{History, Tree};
use super::unread::Laid;
use crate::facts::{FileFacts, FoundPackage, LayerFacts};
use crate::hash::path_hash;
use crate::os::dpkg;
use crate::purl::purl;
use seawall_model::Problem;
use seawall_model::package::{Distro, Ecosystem, Format, Package};
use std::collections::{BTreeMap, HashMap};

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
    for (path, history) in &databases.stanzas {
        instances.add_all(path, history, &HashMap::new());
    }
    let owners = owners(tree, &databases);
    for (path, history) in tree.files() {
        if is_language(history) {
            instances.add_all(path, history, &owners);
        }
    }
    for (path, history) in tree.files() {
        let Some((_, file)) = history.last() else { continue };
        // A database away from where dpkg looks is somebody's data; its faults are not this image's.
        let stray = file.extractor == dpkg::STATUS.id
            && !databases.stanzas.iter().any(|(own, _)| own == path);
        if !stray {
            problems.extend(file.problems.iter().cloned());
        }
    }
    problems.extend(layers.iter().flatten().flat_map(|layer| layer.problems.iter().cloned()));
    problems.extend(laid.databases());
    let is_database = |problem: &Problem| {
        ["database-not-read", "database-not-supported"].contains(&problem.code.as_str())
    };
    let reported = problems.iter().any(is_database);
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

/// The package database as dpkg would find it.
struct Databases<'t, 'a> {
    /// Path and history of `status` and of each stanza in `status.d`.
    stanzas: Vec<(String, &'t History<'a>)>,
    /// Owner name and list of owned paths.
    lists: Vec<(String, &'a FileFacts)>,
}

impl<'t, 'a> Databases<'t, 'a> {
    fn find(laid: &Laid<'t, 'a>) -> Self {
        let tree = laid.tree;
        let mut databases = Self { stanzas: Vec::new(), lists: Vec::new() };
        let [status, folder] = dpkg::PLACES;
        databases.stanzas.extend(laid.stanza(status));
        databases.stanzas.extend(laid.linked_stanzas().filter_map(|link| laid.stanza(link)));
        let folder_of = |path: &str| tree.real_path(path).unwrap_or_default();
        let (stanzas, info) = (folder_of(folder), folder_of("var/lib/dpkg/info"));
        let mut named = HashMap::new();
        for (path, history) in tree.files() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            let Some((_, file)) = history.last() else { continue };
            if parent == stanzas && file.extractor == dpkg::STATUS.id {
                databases.stanzas.push((path.to_owned(), history));
                if let Some(package) = file.packages.first() {
                    named.insert(name.to_owned(), package.name.clone());
                }
            } else if (parent == stanzas || parent == info) && file.extractor == dpkg::FILES.id {
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                databases.lists.push((stem.to_owned(), file));
            }
        }
        for (stem, _) in &mut databases.lists {
            *stem = match named.get(stem) {
                Some(package) => package.clone(),
                // `libc6:amd64.list`, where several architectures may be installed side by side.
                None => stem.split(':').next().unwrap_or_default().to_owned(),
            };
        }
        databases
    }
}

fn is_language(history: &History<'_>) -> bool {
    let (_, file) = history[history.len() - 1];
    file.packages.iter().any(|package| !package.ecosystem.is_of_distro())
}

/// Path of language evidence → the installed OS package that lists it, by any name the path has through links.
fn owners(tree: &Tree<'_>, databases: &Databases<'_, '_>) -> HashMap<String, String> {
    let evidence = tree.files().filter(|(_, history)| is_language(history));
    let mut wanted: HashMap<u64, Vec<&str>> = HashMap::new();
    for (path, _) in evidence {
        for name in tree.names(path) {
            wanted.entry(path_hash(&name.text)).or_default().push(path);
        }
    }
    let latest = databases.stanzas.iter().filter_map(|(_, history)| history.last());
    let installed: std::collections::HashSet<&str> =
        latest.flat_map(|(_, file)| &file.packages).map(|package| package.name.as_str()).collect();
    let mut owners = HashMap::new();
    for (package, list) in &databases.lists {
        if !installed.contains(package.as_str()) {
            continue;
        }
        for path in list.owned.iter().filter_map(|hash| wanted.get(hash)).flatten() {
            owners.insert((*path).to_owned(), package.clone());
        }
    }
    owners
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
        for package in &file.packages {
            let own = FoundPackage { ecosystem: self.judged_by(package), ..package.clone() };
            let layer = self.layered.then(|| introduced(package, history));
            let owner = owners.get(path).cloned();
            let purl = purl(&own, self.distro);
            let key = (own.ecosystem, purl.clone(), layer, owner.clone());
            let instance = self.packages.entry(key).or_insert_with(|| Package {
                ecosystem: own.ecosystem,
                name: own.name,
                version: own.version,
                purl,
                arch: own.arch,
                source: own.source,
                locations: Vec::new(),
                owner,
                layer,
                third_party: own.third_party,
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

/// The lowest layer of the unbroken run up to the top whose copy holds that name, version and architecture.
fn introduced(package: &FoundPackage, history: &History<'_>) -> u32 {
    let holds = |file: &FileFacts| {
        file.packages.iter().any(|own| {
            own.name == package.name && own.version == package.version && own.arch == package.arch
        })
    };
    let run = history.iter().rev().take_while(|(_, file)| holds(file));
    run.last().map_or(0, |(layer, _)| *layer)
}
