//! One layer's entries, in tar order, into facts.
use crate::facts::{FileFacts, LayerFacts, Link};
use crate::found::{Found, Needle, Route};
use crate::hash::path_hash;
use crate::os::unread;
use crate::{ALL, EXTRACTOR_VERSION, Extractor, glob};
use seawall_model::Problem;
use std::collections::BTreeMap;

/// Bytes asked for to tell what a binary is: an ELF header and its program headers, which linkers put behind it.
const MAGIC_BYTES: usize = 4096;
/// Links kept per layer; the largest real images hold some 100,000.
const MAX_LINKS: usize = 1_000_000;
/// Routed files per layer; a layer of 10,000 Python packages stays far below.
const MAX_FILES: usize = 1_000_000;

/// What a tar entry or directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    HardLink,
    /// Devices, sockets, pipes.
    Other,
}

/// An entry without its content. `path` has no leading slash, no `.` and no `..` segment.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub path: &'a str,
    pub kind: Kind,
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Target of a link.
    pub link: Option<&'a str>,
}

/// What is wanted of an entry's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    Skip,
    /// The first bytes, to decide.
    Head(usize),
    /// All of it, up to that many bytes.
    Whole(u64),
    /// All of it up to `cap` bytes, if one of the needles occurs; a reader may look first.
    Containing {
        cap: u64,
        needles: [Option<Needle>; MAX_NEEDLES],
    },
}

/// Things to look for in one binary: one that tells a Go program, two that tell one of Rust.
pub const MAX_NEEDLES: usize = 3;

/// What counts as evidence of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// What is installed or linked: images and root file systems.
    Installed,
    /// Lock files: source trees, where installed is only what happens to lie about.
    Locked,
}

/// Collects the facts of one layer. Entries are given in tar order: the last of one path counts.
pub struct LayerReader {
    reads: Reads,
    tracked: BTreeMap<String, Tracked>,
    paths: Vec<u64>,
    directories: Vec<u64>,
    implied: Vec<u64>,
    /// Directory of the latest entry.
    parent: String,
    whiteouts: Vec<String>,
    opaque: Vec<String>,
    links: usize,
    problems: Vec<Problem>,
    dropped: usize,
    /// Whiteouts that would hide the directory they stand in, or the one above.
    outside: usize,
}

enum Tracked {
    File(FileFacts),
    Link { target: String, hard: bool },
}

impl Default for LayerReader {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerReader {
    /// Reads what is installed.
    pub fn new() -> Self {
        Self::of(Reads::Installed)
    }

    /// Reads the lock files of a source tree.
    pub fn of_source() -> Self {
        Self::of(Reads::Locked)
    }

    fn of(reads: Reads) -> Self {
        Self {
            reads,
            tracked: BTreeMap::new(),
            paths: Vec::new(),
            directories: Vec::new(),
            implied: Vec::new(),
            parent: String::new(),
            whiteouts: Vec::new(),
            opaque: Vec::new(),
            links: 0,
            problems: Vec::new(),
            dropped: 0,
            outside: 0,
        }
    }

    /// Notes the entry and says what of its content is needed.
    pub fn want(&mut self, head: &Head<'_>) -> Want {
        let (parent, name) = head.path.rsplit_once('/').unwrap_or(("", head.path));
        if let Some(hidden) = name.strip_prefix(".wh.") {
            self.whiteout(parent, hidden);
            return Want::Skip;
        }
        self.imply(parent);
        self.replace(head);
        match (head.kind, head.link) {
            (Kind::File, _) => self.route(head),
            (Kind::Symlink, Some(target)) => self.link(head.path, target, false),
            (Kind::HardLink, Some(target)) => {
                self.link(head.path, target.trim_start_matches("./").trim_start_matches('/'), true)
            }
            _ => Want::Skip,
        }
    }

    /// The first bytes after [`Want::Head`]; says whether the whole is needed.
    pub fn head(&self, bytes: &[u8]) -> Want {
        let mut wanted = [None; MAX_NEEDLES];
        let mut cap = 0;
        let needles = binaries(bytes).flat_map(|(extractor, needles)| {
            needles.into_iter().map(|needle| (extractor.max_bytes, needle))
        });
        for (place, (max_bytes, needle)) in wanted.iter_mut().zip(needles) {
            *place = Some(needle);
            cap = cap.max(max_bytes);
        }
        if cap == 0 { Want::Skip } else { Want::Containing { cap, needles: wanted } }
    }

    /// The content after [`Want::Whole`].
    pub fn whole(&mut self, head: &Head<'_>, bytes: &[u8]) {
        let Some((extractor, mut found)) = self.run(head.path, bytes) else { return };
        found.owned.sort_unstable();
        found.owned.dedup();
        let problems = found.problems.into_iter().map(|problem| problem.file(head.path)).collect();
        self.track(FileFacts {
            path: head.path.to_owned(),
            extractor: extractor.id.to_owned(),
            packages: found.packages,
            os_release: found.os_release,
            repositories: found.repositories,
            owned: found.owned,
            problems,
        });
    }

    /// What the file yields, and who read it. An emptied database is tracked, for it replaces a lower one; a C program
    /// is not.
    fn run(&self, path: &str, bytes: &[u8]) -> Option<(&'static Extractor, Found)> {
        if let Some(extractor) = self.by_path(path) {
            return Some((extractor, extractor.run_at(path, bytes)));
        }
        let read = binaries(bytes).map(|(extractor, _)| (extractor, extractor.run_at(path, bytes)));
        let telling =
            read.filter(|(_, found)| !found.packages.is_empty() || !found.problems.is_empty());
        telling.reduce(|(first, mut all), (_, more)| {
            all.packages.extend(more.packages);
            all.problems.extend(more.problems);
            (first, all)
        })
    }

    /// A routed file whose content could not be had: `problem` counts while the file is visible.
    pub fn refused(&mut self, head: &Head<'_>, problem: Problem) {
        let extractor = self.by_path(head.path).map_or("unread", |extractor| extractor.id);
        let extractor = extractor.to_owned();
        let path = head.path.to_owned();
        self.track(FileFacts { path, extractor, problems: vec![problem], ..FileFacts::default() });
    }

    /// A problem of the layer as a whole.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The facts of what was read so far.
    pub fn finish(mut self) -> LayerFacts {
        if self.dropped > 0 {
            let message =
                format!("{} files or links over the limit of a layer left out", self.dropped);
            self.problems.push(Problem::gap("limit-reached", message));
        }
        if self.outside > 0 {
            let message = format!("{} left out, whiteout of `.`, `..` or nothing", self.outside);
            self.problems.push(Problem::note("entry-dropped", message));
        }
        let mut facts =
            LayerFacts { extractor_version: EXTRACTOR_VERSION, ..LayerFacts::default() };
        for (path, tracked) in self.tracked {
            match tracked {
                Tracked::File(file) => facts.files.push(file),
                Tracked::Link { target, hard } => facts.links.push(Link { path, target, hard }),
            }
        }
        for list in [&mut self.paths, &mut self.directories, &mut self.implied] {
            list.sort_unstable();
            list.dedup();
        }
        self.implied.retain(|hash| self.directories.binary_search(hash).is_err());
        for list in [&mut self.paths, &mut self.directories, &mut self.implied] {
            list.shrink_to_fit();
        }
        for list in [&mut self.whiteouts, &mut self.opaque] {
            list.sort_unstable();
            list.dedup();
        }
        (facts.paths, facts.directories, facts.implied) =
            (self.paths, self.directories, self.implied);
        (facts.whiteouts, facts.opaque) = (self.whiteouts, self.opaque);
        facts.problems = self.problems;
        facts
    }

    /// Source: OCI image layer specification, "Whiteouts". Further names with `.wh..wh.` are AUFS' own records.
    fn whiteout(&mut self, parent: &str, hidden: &str) {
        match hidden {
            ".wh..opq" => self.opaque.push(parent.to_owned()),
            // containerd refuses the whole layer for these.
            "" | "." | ".." => self.outside += 1,
            _ if hidden.starts_with(".wh.") => {}
            _ => self.whiteouts.push(join(parent, hidden)),
        }
    }

    /// Notes `parent` and the directories above it. Neighbours share most of them, and hashing costs.
    fn imply(&mut self, parent: &str) {
        if parent == self.parent {
            return;
        }
        let equal = parent.bytes().zip(self.parent.bytes()).take_while(|(own, last)| own == last);
        let equal = equal.count();
        let is_known = |end: usize| {
            end <= equal && self.parent.as_bytes().get(end).is_none_or(|byte| *byte == b'/')
        };
        let ends = parent.match_indices('/').map(|(at, _)| at).chain([parent.len()]);
        let new = ends.filter(|end| *end > 0 && !is_known(*end));
        self.implied.extend(new.map(|end| path_hash(&parent[..end])));
        parent.clone_into(&mut self.parent);
    }

    /// Forgets what an earlier entry of the same tar put at this path.
    fn replace(&mut self, head: &Head<'_>) {
        let hash = path_hash(head.path);
        if head.kind == Kind::Directory {
            self.directories.push(hash);
        } else {
            self.paths.push(hash);
        }
        self.tracked.remove(head.path);
        if head.kind != Kind::Directory && !self.tracked.is_empty() {
            let below = format!("{}/", head.path);
            let gone: Vec<_> = self
                .tracked
                .range(below.clone()..)
                .take_while(|(path, _)| path.starts_with(&below))
                .map(|(path, _)| path.clone())
                .collect();
            for path in gone {
                self.tracked.remove(&path);
            }
        }
    }

    fn route(&mut self, head: &Head<'_>) -> Want {
        if let Some(extractor) = self.by_path(head.path) {
            return Want::Whole(extractor.max_bytes);
        }
        if self.reads == Reads::Locked {
            return Want::Skip;
        }
        if let Some(format) = unread::format(head.path) {
            self.refused(head, unread::problem(format).file(head.path));
            return Want::Skip;
        }
        if is_binary(head) { Want::Head(MAGIC_BYTES) } else { Want::Skip }
    }

    fn by_path(&self, path: &str) -> Option<&'static Extractor> {
        match self.reads {
            Reads::Installed => by_path(path),
            Reads::Locked => ALL.iter().copied().find(|extractor| match extractor.route {
                Route::Locked(patterns) => fits(patterns, path),
                Route::Files(_) | Route::Binary { .. } => false,
            }),
        }
    }

    fn link(&mut self, path: &str, target: &str, hard: bool) -> Want {
        if self.links >= MAX_LINKS {
            self.dropped += 1;
            return Want::Skip;
        }
        self.links += 1;
        self.tracked.insert(path.to_owned(), Tracked::Link { target: target.to_owned(), hard });
        Want::Skip
    }

    fn track(&mut self, file: FileFacts) {
        if self.tracked.len() - self.links.min(self.tracked.len()) >= MAX_FILES {
            self.dropped += 1;
            return;
        }
        self.tracked.insert(file.path.clone(), Tracked::File(file));
    }
}

/// The extractor of installed evidence whose patterns `path` fits; a `.md5sums` beside a stanza is a list, no stanza.
pub(crate) fn by_path(path: &str) -> Option<&'static Extractor> {
    let fits = |extractor: &&&Extractor| match extractor.route {
        Route::Files(patterns) => fits(patterns, path),
        Route::Locked(_) | Route::Binary { .. } => false,
    };
    if path.ends_with(".md5sums") {
        return ALL.iter().rev().find(fits).copied();
    }
    ALL.iter().find(fits).copied()
}

fn fits(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, path))
}

/// The extractors of binaries that begin so, with what each looks for.
fn binaries(bytes: &[u8]) -> impl Iterator<Item = (&'static Extractor, Vec<Needle>)> {
    ALL.iter()
        .copied()
        .filter_map(|extractor| match extractor.route {
            Route::Binary { needles } => Some((extractor, needles(bytes))),
            Route::Files(_) | Route::Locked(_) => None,
        })
        .filter(|(_, needles)| !needles.is_empty())
}

/// Executable by mode, or named like what needs no such mode: shared objects, and programs for other systems.
fn is_binary(head: &Head<'_>) -> bool {
    let name = head.path.rsplit('/').next().unwrap_or_default();
    head.mode & 0o111 != 0
        || [".so", ".exe", ".dll", ".dylib"].iter().any(|end| name.ends_with(end))
        || name.contains(".so.")
}

pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}
