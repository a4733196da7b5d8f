//! The routed files and links that are visible, by resolved path.
//! Source: OCI image layer specification, "Applying Changesets"; containerd `archive/tar.go` for what that leaves open.
use crate::facts::{FileFacts, LayerFacts};
use crate::hash::path_hash;
use crate::layer::{by_path, join};
use seawall_model::Problem;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// As Linux allows in one path look-up; see path_resolution(7).
const MAX_HOPS: usize = 40;
/// Bytes; a resolved path beyond this is dropped, as everywhere.
const MAX_PATH: usize = 4096;
/// Names under which one path is looked up in a layer that wrote through directory links.
const MAX_ALIASES: usize = 16;

/// Owned by [`super::merge`]; changed by [`Tree::apply`] alone, once per layer.
#[derive(Default)]
pub(super) struct Tree<'a> {
    nodes: BTreeMap<String, Node<'a>>,
    /// Resolved target directory → links that lead to it.
    aliases: HashMap<String, Vec<String>>,
    pub(super) problems: Vec<Problem>,
}

enum Node<'a> {
    Link(String),
    File(History<'a>),
}

/// The copies of one file in the layers that wrote it, lowest first, since it was last absent.
pub(super) type History<'a> = Vec<(u32, &'a FileFacts)>;

impl<'a> Tree<'a> {
    pub(super) fn apply(&mut self, layer: u32, facts: &'a LayerFacts) {
        self.hide(facts);
        let mut replaced = self.replace(facts);
        for link in facts.links.iter().filter(|link| !link.hard) {
            if let Some(path) = self.place(&link.path) {
                self.nodes.insert(path, Node::Link(link.target.clone()));
            }
        }
        self.index_aliases();
        for file in &facts.files {
            let Some(path) = self.place(&file.path) else { continue };
            let mut history = replaced.remove(&path).unwrap_or_default();
            history.push((layer, file));
            self.nodes.insert(path, Node::File(history));
        }
        for link in facts.links.iter().filter(|link| link.hard) {
            self.hard_link(layer, &link.path, &link.target, facts);
        }
    }

    /// The file at `path`, through links; with the path it really lies at.
    pub(super) fn file(&self, path: &str) -> Option<(String, &History<'a>)> {
        let resolved = self.resolve(path, Last::Follow).ok()?;
        match self.nodes.get(&resolved)? {
            Node::File(history) => Some((resolved, history)),
            Node::Link(_) => None,
        }
    }

    /// Where `path` leads, through links; `None` in a cycle.
    pub(super) fn real_path(&self, path: &str) -> Option<String> {
        self.resolve(path, Last::Follow).ok()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &History<'a>)> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::File(history) => Some((path.as_str(), history)),
            Node::Link(_) => None,
        })
    }

    /// The names of `path` through links to one of its directories, itself first.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let mut names = vec![path.to_owned()];
        for (at, _) in path.match_indices('/') {
            for link in self.aliases.get(&path[..at]).into_iter().flatten() {
                if names.len() >= MAX_ALIASES {
                    return names;
                }
                names.push(format!("{link}{}", &path[at..]));
            }
        }
        names
    }

    /// Whiteouts and opaque directories hide what *lower* layers hold, wherever they stand in the tar.
    fn hide(&mut self, facts: &LayerFacts) {
        for path in &facts.whiteouts {
            if let Some(path) = self.place(path) {
                self.remove(&path);
            }
        }
        for directory in &facts.opaque {
            match self.resolve(directory, Last::Follow) {
                Ok(path) if path.is_empty() => self.nodes.clear(),
                Ok(path) => self.remove_below(&path),
                Err(Cycle) => self.cycle(directory),
            }
        }
        // A directory in a link's place ends what the link led to, before the layer's entries below it count.
        let directory = |path: &str| facts.directories.binary_search(&path_hash(path)).is_ok();
        self.nodes.retain(|path, node| !(matches!(node, Node::Link(_)) && directory(path)));
        self.index_aliases();
    }

    /// Removes what the layer's own entries replace, and returns the histories that its files continue.
    fn replace(&mut self, facts: &LayerFacts) -> BTreeMap<String, History<'a>> {
        let within = |list: &[u64], path: &str| list.binary_search(&path_hash(path)).is_ok();
        let mut gone = BTreeSet::new();
        // Directories repeat among neighbours, and hashing costs.
        let mut ancestors: HashMap<String, bool> = HashMap::new();
        for path in self.nodes.keys() {
            let replaced = self.names(path).iter().any(|name| {
                let above = name.match_indices('/').any(|(at, _)| {
                    let directory = &name[..at];
                    if let Some(known) = ancestors.get(directory) {
                        return *known;
                    }
                    // A link written again is no file in the way of its own alias.
                    let replaced = within(&facts.paths, directory) && self.is_plain(directory);
                    ancestors.insert(directory.to_owned(), replaced);
                    replaced
                });
                above || within(&facts.paths, name) || within(&facts.directories, name)
            });
            if replaced {
                gone.insert(path.clone());
            }
        }
        let mut histories = BTreeMap::new();
        for path in gone {
            if let Some(Node::File(history)) = self.nodes.remove(&path) {
                histories.insert(path, history);
            }
        }
        histories
    }

    /// Whether no link lies at `path` itself.
    fn is_plain(&self, path: &str) -> bool {
        !matches!(self.nodes.get(path), Some(Node::Link(_)))
    }

    fn hard_link(&mut self, layer: u32, path: &str, target: &str, facts: &LayerFacts) {
        let Some(place) = self.place(path) else { return };
        let source = self.resolve(target, Last::Keep).ok();
        let latest = source.as_ref().and_then(|source| match self.nodes.get(source)? {
            Node::File(history) => history.last().map(|(_, file)| *file),
            Node::Link(_) => None,
        });
        match latest {
            Some(file) => {
                self.nodes.insert(place, Node::File(vec![(layer, file)]));
            }
            // Only a path that matters: most hard links are between files that nothing here reads.
            None if by_path(path).is_some()
                && !facts.files.iter().any(|file| file.path == path) =>
            {
                let message = "a hard link to a file that was read under no name of its own";
                self.problems.push(Problem::gap("hard-link-not-read", message).file(path));
            }
            None => {}
        }
    }

    /// Where an entry at `path` lands: its directory through links, its own name as it is.
    fn place(&mut self, path: &str) -> Option<String> {
        match self.resolve(path, Last::Keep) {
            Ok(path) => Some(path),
            Err(Cycle) => {
                self.cycle(path);
                None
            }
        }
    }

    fn cycle(&mut self, path: &str) {
        let message = "links lead in a circle or over 40 hops; the entry is left out";
        self.problems.push(Problem::note("link-cycle", message).file(path));
    }

    fn resolve(&self, path: &str, last: Last) -> Result<String, Cycle> {
        let mut done = String::new();
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut hops = 0;
        while let Some(segment) = todo.pop() {
            match segment.as_str() {
                "" | "." => continue,
                ".." => {
                    done.truncate(done.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let here = join(&done, &segment);
            if here.len() > MAX_PATH {
                return Err(Cycle);
            }
            let follow = !todo.is_empty() || matches!(last, Last::Follow);
            match self.nodes.get(&here) {
                Some(Node::Link(target)) if follow => {
                    hops += 1;
                    if hops > MAX_HOPS {
                        return Err(Cycle);
                    }
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.split('/').rev().map(str::to_owned));
                }
                _ => done = here,
            }
        }
        Ok(done)
    }

    fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
        self.remove_below(path);
    }

    fn remove_below(&mut self, path: &str) {
        let below = format!("{path}/");
        let range =
            self.nodes.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
        let gone: Vec<_> = range.map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.nodes.remove(&path);
        }
    }

    fn index_aliases(&mut self) {
        let links = self.nodes.iter().filter(|(_, node)| matches!(node, Node::Link(_)));
        let mut aliases: HashMap<String, Vec<String>> = HashMap::new();
        for (path, _) in links {
            match self.resolve(path, Last::Follow) {
                Ok(target) if !target.is_empty() => {
                    aliases.entry(target).or_default().push(path.clone())
                }
                _ => {}
            }
        }
        self.aliases = aliases;
    }
}

/// What happens at a link in the last segment.
#[derive(Clone, Copy)]
enum Last {
    Follow,
    Keep,
}

struct Cycle;
