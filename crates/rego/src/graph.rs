//! What refers to what: recursion, what may be named at all, and what of the inventory is read.
use crate::ast::{Module, Term, TermKind, walk_rule};
use crate::problem::Problem;
use crate::resolve::Rules;
use std::collections::{BTreeMap, BTreeSet};

/// Rules that call each other in a row; each takes stack in the interpreter. Gatekeeper's own templates need 8.
const MAX_CHAIN: usize = 64;

/// Which objects of the inventory a template looks at: `data.inventory.namespace[ns][groupVersion][kind][name]` and
/// `data.inventory.cluster[groupVersion][kind][name]`, as far as written as constants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InventoryRead {
    /// Cluster-scoped (`true`) or namespaced objects; both if absent.
    pub cluster: Option<bool>,
    /// `apps/v1`; any if absent.
    pub group_version: Option<String>,
    /// Any if absent: the kind is computed.
    pub kind: Option<String>,
}

/// What a reference reads of the inventory; `None` if it does not.
pub(crate) fn inventory_read(term: &Term) -> Option<InventoryRead> {
    let TermKind::Ref(head, parts) = &term.kind else { return None };
    let TermKind::Var(root) = &head.kind else { return None };
    let constant = |index: usize| match parts.get(index).map(|part| &part.kind) {
        Some(TermKind::String(text)) => Some(text.clone()),
        _ => None,
    };
    if root != "data" || constant(0).as_deref() != Some("inventory") {
        return None;
    }
    let (cluster, after) = match constant(1).as_deref() {
        Some("cluster") => (Some(true), 2),
        Some("namespace") => (Some(false), 3),
        _ => return Some(InventoryRead { cluster: None, group_version: None, kind: None }),
    };
    Some(InventoryRead { cluster, group_version: constant(after), kind: constant(after + 1) })
}

/// Everything the modules read of the inventory.
pub(crate) fn inventory_reads(modules: &[Module]) -> BTreeSet<InventoryRead> {
    let mut reads = BTreeSet::new();
    for rule in modules.iter().flat_map(|module| &module.rules) {
        walk_rule(rule, &mut |term| reads.extend(inventory_read(term)));
    }
    reads
}

/// Finds rules that need themselves and chains over [`MAX_CHAIN`]: module and problem.
pub(crate) fn recursion(modules: &[Module], rules: &Rules) -> Vec<(usize, Problem)> {
    let mut edges: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (index, module) in modules.iter().enumerate() {
        for rule in &module.rules {
            let from = path_of(module, rule);
            places.entry(from.clone()).or_insert((index, rule.span.clone()));
            let to = edges.entry(from).or_default();
            walk_rule(rule, &mut |term| to.extend(targets(term, rules)));
        }
    }
    let mut search =
        Search { edges: &edges, done: BTreeMap::new(), path: Vec::new(), found: Vec::new() };
    for rule in edges.keys() {
        search.visit(rule);
    }
    let place = |rule: &Vec<String>| places.get(rule).cloned().unwrap_or((0, 0..0));
    let mut problems: Vec<(usize, Problem)> = Vec::new();
    for cycle in &search.found {
        let (index, span) = place(&cycle[0]);
        let names: Vec<String> =
            cycle.iter().map(|rule| rule.last().cloned().unwrap_or_default()).collect();
        let message = format!("rule {} is recursive: {}", names[0], names.join(" -> "));
        problems.push((index, Problem::new(span, message)));
    }
    let long = search.done.iter().find(|(_, length)| **length > MAX_CHAIN);
    if let (true, Some((rule, _))) = (problems.is_empty(), long) {
        let (index, span) = place(rule);
        let message = format!("over {MAX_CHAIN} rules need each other in a row");
        problems.push((index, Problem::new(span, message)));
    }
    problems
}

/// A rule's path below `data`, up to its first variable.
pub(crate) fn path_of(module: &Module, rule: &crate::ast::Rule) -> Vec<String> {
    let mut path = module.package.clone();
    path.push(rule.name.clone());
    for part in &rule.path {
        let TermKind::String(text) = &part.kind else { break };
        path.push(text.clone());
    }
    path
}

/// The rules that a term names.
fn targets(term: &Term, rules: &Rules) -> Vec<Vec<String>> {
    let (path, open) = match &term.kind {
        TermKind::Call(name, _) if name[0] == "data" => (name[1..].to_vec(), false),
        TermKind::Ref(head, parts) if matches!(&head.kind, TermKind::Var(root) if root == "data") =>
        {
            let constant = |part: &&Term| matches!(part.kind, TermKind::String(_));
            let names: Vec<String> = parts
                .iter()
                .take_while(constant)
                .filter_map(|part| match &part.kind {
                    TermKind::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect();
            (names, true)
        }
        _ => return Vec::new(),
    };
    let mut found: Vec<Vec<String>> = (1..=path.len())
        .map(|length| path[..length].to_vec())
        .filter(|path| rules.contains_key(path))
        .collect();
    // A reference to a package, whole or by a variable, names all that is in it.
    if open && found.is_empty() {
        found.extend(rules.keys().filter(|rule| rule.starts_with(&path)).cloned());
    }
    found
}

struct Search<'a> {
    edges: &'a BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
    /// Longest chain that begins at a rule.
    done: BTreeMap<Vec<String>, usize>,
    path: Vec<Vec<String>>,
    found: Vec<Vec<Vec<String>>>,
}

impl Search<'_> {
    fn visit(&mut self, rule: &Vec<String>) -> usize {
        if let Some(length) = self.done.get(rule) {
            return *length;
        }
        if let Some(start) = self.path.iter().position(|seen| seen == rule) {
            let mut cycle = self.path[start..].to_vec();
            cycle.push(rule.clone());
            self.found.push(cycle);
            return 0;
        }
        // Deeper than that is refused anyway; this search is recursive itself.
        if self.path.len() > MAX_CHAIN {
            return MAX_CHAIN + 1;
        }
        self.path.push(rule.clone());
        let next = self.edges.get(rule).into_iter().flatten();
        let longest = next.map(|next| self.visit(next)).max().unwrap_or(0);
        self.path.pop();
        self.done.insert(rule.clone(), longest + 1);
        longest + 1
    }
}
