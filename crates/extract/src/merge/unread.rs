//! Package evidence that is there but that nothing read: a link moved it to a place whose name tells no extractor.
use super::databases::DATABASES;
use super::tree::{History, Tree};
use crate::facts::{FileFacts, LayerFacts};
use crate::found::Route;
use crate::hash::path_hash;
use crate::layer::{by_path, join};
use crate::os::dpkg::{self, PLACES};
use crate::os::{apk, chisel, content_sets, dnf_history, os_release, rpm, ubuntu_pro, unread};
use crate::{ALL, glob};
use seawall_model::Problem;

/// Folders of dpkg's, each with a name that one of its files may have.
const FOLDERS: [(&str, &str); 2] = [(PLACES[1], "a"), ("var/lib/dpkg/info", "a.list")];

/// What was laid over each other: the visible nodes, and of the rest the hashes.
pub(super) struct Laid<'t, 'a> {
    pub(super) tree: &'t Tree<'a>,
    pub(super) layers: &'t [Option<&'a LayerFacts>],
}

impl<'t, 'a> Laid<'t, 'a> {
    /// Databases, those that an extractor reads and those that none does.
    pub(super) fn databases(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.stanza(PLACES[0]).is_none() {
            problems.extend(self.moved(PLACES[0], "the dpkg database"));
        }
        let others = [&chisel::PLACES[..], &apk::PLACES, &rpm::PLACES].into_iter().flatten();
        for place in others.filter(|place| self.tree.file(place).is_none()) {
            problems.extend(self.moved(place, "a package database"));
        }
        // Two places may lead to one file.
        problems.dedup();
        for (folder, member) in FOLDERS {
            let Some(real) = self.tree.real_path(folder) else { continue };
            if by_path(&join(&real, member)).is_none() && self.has_folder(&real) {
                problems.push(not_read("a folder of the dpkg database", real));
            }
        }
        problems.extend(self.linked_stanzas().filter_map(|link| match self.stanza(link) {
            Some(_) => None,
            None => self.moved(link, "a part of the dpkg database"),
        }));
        for (path, format) in unread::FORMATS {
            // A file of that name was recognised when it was read, unless a link of either kind stands for it.
            let Some(real) = self.tree.real_path(path) else { continue };
            let linked = real != *path || self.is_hard_link(path);
            if linked && self.tree.file(path).is_none() && self.has_file(&real) {
                problems.push(unread::problem(format).file(real));
            }
        }
        problems
    }

    /// Evidence of language packages, and the release file if there is no other.
    pub(super) fn evidence(&self, has_release: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !has_release {
            let releases = ["etc/os-release", "usr/lib/os-release"].into_iter();
            problems.extend(releases.filter_map(|path| self.moved(path, "the release file")));
        }
        let patterns = patterns_of_evidence();
        for (link, _) in self.tree.links() {
            let names = patterns.iter().filter_map(|pattern| name_of_evidence(pattern, link));
            let unread = names.filter(|name| self.tree.file(name).is_none());
            problems.extend(unread.filter_map(|name| self.moved(&name, "evidence of a package")));
        }
        problems
    }

    /// Links in `status.d` that stand for a stanza.
    pub(super) fn linked_stanzas(&self) -> impl Iterator<Item = &'t str> {
        let folder = self.tree.real_path(PLACES[1]).unwrap_or_default();
        let links = self.tree.links().map(|(link, _)| &**link);
        links.filter(move |link| {
            let (parent, name) = link.rsplit_once('/').unwrap_or(("", link));
            parent == folder && !name.ends_with(".md5sums")
        })
    }

    /// The dpkg stanzas at `path`, through links, if they were read.
    pub(super) fn stanza(&self, path: &str) -> Option<(String, &'t History<'a>)> {
        self.database(path).filter(|(_, history)| {
            history.last().is_some_and(|(_, file)| file.extractor == dpkg::STATUS.id)
        })
    }

    /// The package database at `path`, through links, if it was read.
    pub(super) fn database(&self, path: &str) -> Option<(String, &'t History<'a>)> {
        let is_database = |file: &FileFacts| DATABASES.contains(&file.extractor.as_str());
        self.tree
            .file(path)
            .filter(|(_, history)| history.last().is_some_and(|(_, file)| is_database(file)))
    }

    fn is_hard_link(&self, path: &str) -> bool {
        self.layers.iter().flatten().any(|layer| {
            let found = layer.links.binary_search_by(|link| link.path.as_str().cmp(path));
            found.is_ok_and(|at| layer.links[at].hard)
        })
    }

    /// The gap for a file that `path` leads to, if it is there.
    fn moved(&self, path: &str, what: &str) -> Option<Problem> {
        let real = self.tree.real_path(path).filter(|real| real != path)?;
        self.has_file(&real).then(|| not_read(what, real))
    }

    fn has_file(&self, path: &str) -> bool {
        self.holds(path, |layer| vec![&layer.paths])
    }

    fn has_folder(&self, path: &str) -> bool {
        self.holds(path, |layer| vec![&layer.directories, &layer.implied])
    }

    /// Whether a layer has `path` on one of those lists, by any name, and no higher layer hides it.
    fn holds(&self, path: &str, lists: fn(&LayerFacts) -> Vec<&Vec<u64>>) -> bool {
        let names = self.tree.names(path);
        let names: Vec<_> = names.iter().map(|name| (name, path_hash(&name.text))).collect();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let Some(layer) = layer else { continue };
            let valid = || names.iter().filter(|(name, _)| name.since as usize <= index);
            let listed = |hash| lists(layer).iter().any(|list| list.binary_search(hash).is_ok());
            if valid().any(|(_, hash)| listed(hash)) {
                return true;
            }
            if valid().any(|(name, _)| hides(layer, &name.text, name.link)) {
                return false;
            }
        }
        false
    }
}

fn not_read(what: &str, path: String) -> Problem {
    let message = format!("{what} lies behind a link at a place that is not read");
    Problem::gap("database-not-read", message).file(path)
}

/// Whether the layer takes away what lower ones have at `path`, by a whiteout or by something else in its place. What
/// happens to the link that the first `link` bytes name, or above it, takes nothing from its target.
fn hides(layer: &LayerFacts, path: &str, link: usize) -> bool {
    let listed =
        |list: &[String], path: &str| list.binary_search_by(|own| own.as_str().cmp(path)).is_ok();
    let hash = path_hash(path);
    layer.directories.binary_search(&hash).is_ok()
        || layer.paths.binary_search(&hash).is_ok()
        || listed(&layer.whiteouts, path)
        || listed(&layer.opaque, "")
        || path.match_indices('/').filter(|(at, _)| *at > link).any(|(at, _)| {
            let above = &path[..at];
            listed(&layer.whiteouts, above)
                || listed(&layer.opaque, above)
                || layer.paths.binary_search(&path_hash(above)).is_ok()
        })
}

/// Patterns of the files of language packages.
fn patterns_of_evidence() -> Vec<&'static str> {
    let os = [
        dpkg::FILES.id,
        os_release::EXTRACTOR.id,
        rpm::sqlite::LOG.id,
        apk::REPOSITORIES.id,
        content_sets::EXTRACTOR.id,
        dnf_history::EXTRACTOR.id,
        ubuntu_pro::SOURCES.id,
        ubuntu_pro::STATUS.id,
    ];
    let language = ALL
        .iter()
        .filter(|extractor| !os.contains(&extractor.id) && !DATABASES.contains(&extractor.id));
    let patterns = language.filter_map(|extractor| match extractor.route {
        Route::Files(patterns) => Some(patterns),
        Route::Locked(_) | Route::Binary { .. } => None,
    });
    patterns.flatten().copied().collect()
}

/// The name that fits `pattern`: a link's own, or that of a file in the directory that it leads to.
fn name_of_evidence(pattern: &str, link: &str) -> Option<String> {
    if glob::matches(pattern, link) {
        return Some(link.to_owned());
    }
    let (folder, name) = pattern.rsplit_once('/')?;
    (!name.contains('*') && glob::matches(folder, link)).then(|| join(link, name))
}
