//! What a layer takes away from those below it.
//! Source: OCI image layer specification, "Applying Changesets"; containerd `archive/tar.go` for what that leaves open.
use super::tree::{Cycle, History, Last, Node, Tree};
use crate::facts::LayerFacts;
use crate::hash::path_hash;
use crate::layer::join;
use seawall_model::Problem;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

/// Names looked up per image where layers write through links to directories. Real ones do so for a few directories of
/// a few thousand names, and each costs a hash.
const MAX_LOOKUPS: usize = 10_000_000;

/// The layer being applied.
pub(super) struct Upper<'a> {
    pub(super) layer: u32,
    facts: &'a LayerFacts,
    /// Files that its entries replaced, by the path they lay at; its own files go on with their histories.
    replaced: BTreeMap<Rc<str>, History<'a>>,
}

impl<'a> Upper<'a> {
    pub(super) fn new(layer: u32, facts: &'a LayerFacts) -> Self {
        Self { layer, facts, replaced: BTreeMap::new() }
    }

    pub(super) fn take_replaced(&mut self, path: &str) -> Option<History<'a>> {
        self.replaced.remove(path)
    }
}

/// A directory of the tree, and the name through links under which the layer wrote below it.
struct Alias {
    name: String,
    directory: String,
}

impl<'a> Tree<'a> {
    /// Removes what the layer hides or replaces. All names that go through no link come first: what the layer holds
    /// below a directory that took a link's place, or below a link that it hides, is not below the link's target.
    pub(super) fn replace(&mut self, upper: &mut Upper<'a>) {
        for path in &upper.facts.whiteouts {
            self.hide(path, upper);
        }
        for directory in &upper.facts.opaque {
            self.hide_below(directory, upper);
        }
        for hash in &upper.facts.paths {
            if let Some(path) = self.known.get(hash).cloned() {
                self.take(&path, upper);
            }
        }
        for hash in &upper.facts.directories {
            if let Some(path) = self.known.get(hash).cloned() {
                self.take_node(&path, upper);
            }
        }
        let implied = upper.facts.implied.iter().filter_map(|hash| self.known.get(hash));
        let links = implied.filter(|path| matches!(self.nodes.get(*path), Some(Node::Link { .. })));
        let names: Vec<_> = links.map(|path| path.to_string()).collect();
        self.replace_through(names, upper);
    }

    /// The same for what the layer wrote through links that came with it.
    pub(super) fn replace_through_new_links(&mut self, upper: &mut Upper<'a>) {
        let links = upper.facts.links.iter().filter(|link| !link.hard);
        let names = links.filter(|link| holds(&upper.facts.implied, path_hash(&link.path)));
        let names = names.map(|link| link.path.clone()).collect();
        self.replace_through(names, upper);
    }

    /// A layer's paths are known by hash alone, so the names that nodes have through `links` are asked for, directory
    /// by directory, as far down as the layer holds anything.
    fn replace_through(&mut self, links: Vec<String>, upper: &mut Upper<'a>) {
        let facts = upper.facts;
        let mut todo: Vec<_> =
            links.into_iter().filter_map(|name| self.alias(&name, &name)).collect();
        while let Some(Alias { name, directory }) = todo.pop() {
            for child in self.children(&directory) {
                self.lookups += 1;
                if self.lookups > MAX_LOOKUPS {
                    let message = format!("limit reached: names through links, {MAX_LOOKUPS}");
                    self.problems.push(Problem::gap("limit-reached", message).file(&name));
                    return;
                }
                let (name, path) = (join(&name, &child), join(&directory, &child));
                let hash = path_hash(&name);
                if holds(&facts.paths, hash) {
                    self.take(&path, upper);
                    continue;
                }
                let explicit = holds(&facts.directories, hash);
                let within = explicit || holds(&facts.implied, hash);
                match self.nodes.get(path.as_str()) {
                    None if within => todo.push(Alias { name, directory: path }),
                    Some(_) if explicit => self.take_node(&path, upper),
                    Some(Node::Link { .. }) if within => todo.extend(self.alias(&name, &path)),
                    _ => {}
                }
            }
        }
    }

    fn alias(&self, name: &str, link: &str) -> Option<Alias> {
        let directory = self.resolve(link, Last::Follow).ok()?;
        Some(Alias { name: name.to_owned(), directory })
    }

    /// Whiteouts and opaque directories hide what *lower* layers hold, wherever they stand in the tar; here those that
    /// are named through links.
    pub(super) fn hide_through_links(&mut self, upper: &mut Upper<'a>) {
        for path in &upper.facts.whiteouts {
            if let Some(path) = self.place(path) {
                self.hide(&path, upper);
                upper.replaced.remove(path.as_str());
            }
        }
        for directory in &upper.facts.opaque {
            match self.resolve(directory, Last::Follow) {
                Ok(path) => self.hide_below(&path, upper),
                Err(Cycle) => self.cycle(directory),
            }
        }
    }

    /// Removes what lower layers hold at `path` and below.
    pub(super) fn hide(&mut self, path: &str, upper: &mut Upper<'a>) {
        if self.nodes.get(path).is_some_and(|node| node.is_below(upper.layer)) {
            self.nodes.remove(path);
        }
        self.hide_below(path, upper);
    }

    fn hide_below(&mut self, path: &str, upper: &mut Upper<'a>) {
        let lower: Vec<_> = below(&self.nodes, path)
            .filter(|(_, node)| node.is_below(upper.layer))
            .map(|(path, _)| path.clone())
            .collect();
        for path in lower {
            self.nodes.remove(&path);
        }
        let ended: Vec<_> = below(&upper.replaced, path).map(|(path, _)| path.clone()).collect();
        for path in ended {
            upper.replaced.remove(&path);
        }
    }

    /// Removes the node at `path` and all below it; a file's history is kept for a new copy of it.
    fn take(&mut self, path: &str, upper: &mut Upper<'a>) {
        self.take_node(path, upper);
        self.hide_below(path, upper);
    }

    fn take_node(&mut self, path: &str, upper: &mut Upper<'a>) {
        if !self.nodes.get(path).is_some_and(|node| node.is_below(upper.layer)) {
            return;
        }
        if let Some((path, Node::File(history))) = self.nodes.remove_entry(path) {
            upper.replaced.insert(path, history);
        }
    }
}

impl Node<'_> {
    /// Whether it came with a layer below this one.
    fn is_below(&self, layer: u32) -> bool {
        match self {
            Self::Link { layer: own, .. } => *own < layer,
            Self::File(history) => history.last().is_some_and(|(own, _)| *own < layer),
        }
    }
}

fn holds(sorted: &[u64], hash: u64) -> bool {
    sorted.binary_search(&hash).is_ok()
}

/// The entries below `directory`; empty text is the root.
fn below<'m, V>(
    map: &'m BTreeMap<Rc<str>, V>,
    directory: &str,
) -> impl Iterator<Item = (&'m Rc<str>, &'m V)> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let from = map.range::<str, _>((Bound::Included(&*prefix), Bound::Unbounded));
    from.take_while(move |(path, _)| path.starts_with(&*prefix))
}
