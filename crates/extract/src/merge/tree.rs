//! The routed files and links that are visible, by resolved path.
use super::replace::Upper;
use crate::facts::{FileFacts, LayerFacts, Link};
use crate::hash::path_hash;
use crate::layer::{by_path, join};
use seawall_model::Problem;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::rc::Rc;

/// As Linux allows in one path look-up; see path_resolution(7).
const MAX_HOPS: usize = 40;
/// Bytes; a resolved path beyond this is dropped, as everywhere.
const MAX_PATH: usize = 4096;
/// Names of one path through links, for the question whether an OS package owns it.
const MAX_ALIASES: usize = 16;
/// Paths named in a counted problem.
const MAX_NAMED: usize = 3;

/// Owned by [`super::merge`]; changed by [`Tree::apply`] alone, once per layer.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub(super) nodes: BTreeMap<Rc<str>, Node<'a>>,
    /// Hash → path of every node and every directory above one, so that a layer of few paths costs few look-ups. What
    /// lay there may be gone: then the path leads to nothing.
    pub(super) known: HashMap<u64, Rc<str>>,
    /// Resolved target directory → links that lead to it, once all layers are applied.
    aliases: HashMap<String, Vec<Rc<str>>>,
    pub(super) problems: Vec<Problem>,
    /// Names asked for so far in the layers' hashes.
    pub(super) lookups: usize,
    /// Links and entries that no path leads to: their count, and the first of them.
    cycles: (usize, Vec<String>),
}

pub(super) enum Node<'a> {
    Link { layer: u32, target: &'a str },
    File(History<'a>),
}

/// The copies of one file in the layers that wrote it, lowest first, since it was last absent.
pub(super) type History<'a> = Vec<(u32, &'a FileFacts)>;

impl<'a> Tree<'a> {
    /// Lays one layer over what is there: first goes what it replaces or hides, then its links and files come.
    pub(super) fn apply(&mut self, layer: u32, facts: &'a LayerFacts) {
        let mut upper = Upper::new(layer, facts);
        self.replace(&mut upper);
        for link in facts.links.iter().filter(|link| !link.hard) {
            if let Some(path) = self.place(&link.path) {
                self.hide(&path, &mut upper);
                self.insert(&path, Node::Link { layer, target: &link.target });
            }
        }
        self.replace_through_new_links(&mut upper);
        self.hide_through_links(&mut upper);
        for file in &facts.files {
            if let Some(path) = self.place(&file.path) {
                self.put(&path, file, &mut upper);
            }
        }
        for link in facts.links.iter().filter(|link| link.hard) {
            self.hard_link(link, &mut upper);
        }
    }

    /// To be called once, after the last layer: finds the names that paths have through links.
    pub(super) fn finish(&mut self) {
        let links: Vec<_> = self.links().map(|(path, _)| path.clone()).collect();
        for path in links {
            match self.resolve(&path, Last::Follow) {
                Ok(target) if target.is_empty() => {}
                Ok(target) => self.aliases.entry(target).or_default().push(path),
                Err(Cycle) => self.cycle(&path),
            }
        }
        let (count, named) = &self.cycles;
        if let Some(first) = named.first() {
            let message = format!(
                "{count} left out, links lead in a circle or over {MAX_HOPS} hops: {}",
                named.join(", ")
            );
            self.problems.push(Problem::note("link-cycle", message).file(first));
        }
    }

    /// The file at `path`, through links; with the path it really lies at.
    pub(super) fn file(&self, path: &str) -> Option<(String, &History<'a>)> {
        let resolved = self.resolve(path, Last::Follow).ok()?;
        match self.nodes.get(resolved.as_str())? {
            Node::File(history) => Some((resolved, history)),
            Node::Link { .. } => None,
        }
    }

    /// Where `path` leads, through links; `None` in a cycle.
    pub(super) fn real_path(&self, path: &str) -> Option<String> {
        self.resolve(path, Last::Follow).ok()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &History<'a>)> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::File(history) => Some((&**path, history)),
            Node::Link { .. } => None,
        })
    }

    /// Paths and targets of the symbolic links.
    pub(super) fn links(&self) -> impl Iterator<Item = (&Rc<str>, &'a str)> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::Link { target, .. } => Some((path, *target)),
            Node::File(_) => None,
        })
    }

    /// The names of `path` through links to one of its directories, itself first.
    pub(super) fn names(&self, path: &str) -> Vec<Name> {
        let mut names = vec![Name { text: path.to_owned(), link: 0, since: 0 }];
        for (at, _) in path.match_indices('/') {
            for link in self.aliases.get(&path[..at]).into_iter().flatten() {
                let Some(Node::Link { layer, .. }) = self.nodes.get(link) else { continue };
                if names.len() >= MAX_ALIASES {
                    return names;
                }
                let text = format!("{link}{}", &path[at..]);
                names.push(Name { text, link: link.len(), since: *layer });
            }
        }
        names
    }

    /// The names right below `directory` at which, or below which, a node lies.
    pub(super) fn children(&self, directory: &str) -> Vec<String> {
        let prefix = join(directory, "");
        let mut children = Vec::new();
        let mut from = prefix.clone();
        loop {
            let mut rest = self.nodes.range::<str, _>((Bound::Included(&*from), Bound::Unbounded));
            let next = rest.next().and_then(|(path, _)| path.strip_prefix(&*prefix));
            let Some(below) = next else { return children };
            let child = below.split('/').next().unwrap_or(below).to_owned();
            // `0` comes right after `/`, so this passes over all that lies below the child.
            let passed = if child.len() == below.len() { '\0' } else { '0' };
            from = format!("{prefix}{child}{passed}");
            children.push(child);
        }
    }

    fn insert(&mut self, path: &str, node: Node<'a>) {
        let path: Rc<str> = path.into();
        self.known.insert(path_hash(&path), path.clone());
        for (at, _) in path.rmatch_indices('/') {
            let hash = path_hash(&path[..at]);
            // Directories above a known one are known.
            if self.known.contains_key(&hash) {
                break;
            }
            self.known.insert(hash, path[..at].into());
        }
        self.nodes.insert(path, node);
    }

    /// Puts a copy of a file where it really lies; one that was there before goes on.
    fn put(&mut self, path: &str, file: &'a FileFacts, upper: &mut Upper<'a>) {
        let mut history = upper.take_replaced(path).unwrap_or_default();
        if let Some(Node::File(before)) = self.nodes.remove(path) {
            history = before;
        }
        // Two names of one place in one layer: one copy.
        history.retain(|(layer, _)| *layer != upper.layer);
        history.push((upper.layer, file));
        self.hide(path, upper);
        self.insert(path, Node::File(history));
    }

    fn hard_link(&mut self, link: &'a Link, upper: &mut Upper<'a>) {
        let Some(place) = self.place(&link.path) else { return };
        let source = self.resolve(&link.target, Last::Keep).ok();
        let latest = source.and_then(|source| match self.nodes.get(source.as_str())? {
            Node::File(history) => history.last().map(|(_, file)| *file),
            Node::Link { .. } => None,
        });
        match latest {
            Some(file) => self.put(&place, file, upper),
            // Only a path that matters: most hard links are between files that nothing here reads.
            None if by_path(&link.path).is_some() => {
                let message = "a hard link to a file that was read under no name of its own";
                self.problems.push(Problem::gap("hard-link-not-read", message).file(&link.path));
            }
            None => {}
        }
    }

    /// Where an entry at `path` lands: its directory through links, its own name as it is.
    pub(super) fn place(&mut self, path: &str) -> Option<String> {
        match self.resolve(path, Last::Keep) {
            Ok(path) => Some(path),
            Err(Cycle) => {
                self.cycle(path);
                None
            }
        }
    }

    pub(super) fn cycle(&mut self, path: &str) {
        let (count, named) = &mut self.cycles;
        *count += 1;
        if named.len() < MAX_NAMED {
            named.push(path.to_owned());
        }
    }

    pub(super) fn resolve(&self, path: &str, last: Last) -> Result<String, Cycle> {
        let mut done = String::new();
        let mut todo: Vec<&str> = path.split('/').rev().collect();
        let mut hops = 0;
        while let Some(segment) = todo.pop() {
            match segment {
                "" | "." => continue,
                ".." => {
                    done.truncate(done.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let here = join(&done, segment);
            if here.len() > MAX_PATH {
                return Err(Cycle);
            }
            let follow = !todo.is_empty() || matches!(last, Last::Follow);
            match self.nodes.get(here.as_str()) {
                Some(Node::Link { target, .. }) if follow => {
                    hops += 1;
                    if hops > MAX_HOPS {
                        return Err(Cycle);
                    }
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.split('/').rev());
                }
                _ => done = here,
            }
        }
        Ok(done)
    }
}

/// A name of a path.
pub(super) struct Name {
    pub(super) text: String,
    /// Bytes of the link that it begins with, if any.
    pub(super) link: usize,
    /// The layer that the link came with: below it the name was another path's.
    pub(super) since: u32,
}

/// What happens at a link in the last segment.
#[derive(Clone, Copy)]
pub(super) enum Last {
    Follow,
    Keep,
}

pub(super) struct Cycle;
