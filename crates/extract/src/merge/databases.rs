//! Which package databases count, and which package owns a file.
use super::tree::{History, Tree};
use super::unread::Laid;
use crate::facts::FileFacts;
use crate::hash::path_hash;
use crate::os::{apk, chisel, dpkg, rpm};
use seawall_model::Problem;
use seawall_model::problem::ProblemKind;
use std::collections::{HashMap, HashSet};

/// Extractors of databases.
pub(super) const DATABASES: [&str; 7] = [
    dpkg::STATUS.id,
    chisel::EXTRACTOR.id,
    apk::INSTALLED.id,
    rpm::sqlite::EXTRACTOR.id,
    rpm::ndb::EXTRACTOR.id,
    rpm::bdb::EXTRACTOR.id,
    rpm::manifest::EXTRACTOR.id,
];

/// The package databases as each package manager would find its own.
pub(super) struct Databases<'t, 'a> {
    /// Path and history of each that counts; of dpkg these are `status`, each stanza in `status.d`, Chisel's manifests.
    pub(super) counting: Vec<(String, &'t History<'a>)>,
    /// Owner name and list of owned paths, where a package has a list of its own.
    lists: Vec<(String, &'a FileFacts)>,
    /// Of databases that do not count.
    pub(super) notes: Vec<Problem>,
}

impl<'t, 'a> Databases<'t, 'a> {
    pub(super) fn find(laid: &Laid<'t, 'a>) -> Self {
        let mut databases = Self { counting: Vec::new(), lists: Vec::new(), notes: Vec::new() };
        databases.add_dpkg(laid);
        databases.counting.extend(chisel::PLACES.iter().filter_map(|place| laid.database(place)));
        databases.add_first("apk", &apk::PLACES, laid);
        databases.add_first("rpm", &rpm::PLACES, laid);
        databases
    }

    /// Whether a file is a database away from where its package manager looks, and so somebody's data; its faults are
    /// not this image's.
    pub(super) fn is_stray(&self, path: &str, file: &FileFacts) -> bool {
        let counts = |path: &str| self.counting.iter().any(|(own, _)| own == path);
        if file.extractor == rpm::sqlite::LOG.id {
            return !path.strip_suffix("-wal").is_some_and(counts);
        }
        DATABASES.contains(&file.extractor.as_str()) && !counts(path)
    }

    /// Whether a database that counts could not be read in full.
    pub(super) fn have_gaps(&self) -> bool {
        let latest = self.counting.iter().filter_map(|(_, history)| history.last());
        latest.flat_map(|(_, file)| &file.problems).any(|problem| problem.kind == ProblemKind::Gap)
    }

    /// Of several databases of one package manager the first in its order counts that names a package: a tool of another
    /// configuration leaves an empty one behind, and one that cannot be read must not hide what is told elsewhere. Those
    /// after it get a note if they name packages.
    fn add_first(&mut self, manager: &str, places: &[&str], laid: &Laid<'t, 'a>) {
        let packages =
            |history: &History<'_>| history.last().map_or(0, |(_, file)| file.packages.len());
        let mut counting: Option<String> = None;
        for (path, history) in places.iter().filter_map(|place| laid.database(place)) {
            // Two places may lead to one file.
            if self.counting.iter().any(|(own, _)| *own == path) {
                continue;
            }
            match &counting {
                None => {
                    counting = (packages(history) > 0).then(|| path.clone());
                    self.counting.push((path, history));
                }
                Some(first) if packages(history) > 0 => {
                    let message = format!(
                        "{} packages of a second {manager} database are left out: {first} counts",
                        packages(history)
                    );
                    self.notes.push(Problem::note("second-database", message).file(path));
                }
                Some(_) => {}
            }
        }
    }

    fn add_dpkg(&mut self, laid: &Laid<'t, 'a>) {
        let tree = laid.tree;
        let [status, folder] = dpkg::PLACES;
        self.counting.extend(laid.stanza(status));
        self.counting.extend(laid.linked_stanzas().filter_map(|link| laid.stanza(link)));
        let folder_of = |path: &str| tree.real_path(path).unwrap_or_default();
        let (stanzas, info) = (folder_of(folder), folder_of("var/lib/dpkg/info"));
        let mut named = HashMap::new();
        for (path, history) in tree.files() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            let Some((_, file)) = history.last() else { continue };
            if parent == stanzas && file.extractor == dpkg::STATUS.id {
                self.counting.push((path.to_owned(), history));
                if let Some(package) = file.packages.first() {
                    named.insert(name.to_owned(), package.name.clone());
                }
            } else if (parent == stanzas || parent == info) && file.extractor == dpkg::FILES.id {
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                self.lists.push((stem.to_owned(), file));
            }
        }
        for (stem, _) in &mut self.lists {
            *stem = match named.get(stem) {
                Some(package) => package.clone(),
                // `libc6:amd64.list`, where several architectures may be installed side by side.
                None => stem.split(':').next().unwrap_or_default().to_owned(),
            };
        }
    }

    /// Path of language evidence → the installed OS package that lists it, by any name the path has through links.
    pub(super) fn owners(&self, tree: &Tree<'_>) -> HashMap<String, String> {
        let evidence = tree.files().filter(|(_, history)| is_language(history));
        let mut wanted: HashMap<u64, Vec<&str>> = HashMap::new();
        for (path, _) in evidence {
            for name in tree.names(path) {
                wanted.entry(path_hash(&name.text)).or_default().push(path);
            }
        }
        let latest = self.counting.iter().filter_map(|(_, history)| history.last());
        let packages: Vec<_> = latest.flat_map(|(_, file)| &file.packages).collect();
        let installed: HashSet<&str> =
            packages.iter().map(|package| package.name.as_str()).collect();
        let listed = self.lists.iter().map(|(name, file)| (name.as_str(), &file.owned));
        let listed = listed.filter(|(name, _)| installed.contains(name));
        let own = packages.iter().map(|package| (package.name.as_str(), &package.owned));
        let mut owners = HashMap::new();
        for (package, owned) in listed.chain(own) {
            for path in owned.iter().filter_map(|hash| wanted.get(hash)).flatten() {
                owners.insert((*path).to_owned(), package.to_owned());
            }
        }
        owners
    }
}

pub(super) fn is_language(history: &History<'_>) -> bool {
    let Some((_, file)) = history.last() else { return false };
    file.packages.iter().any(|package| !package.ecosystem.is_of_distro())
}
