//! Evaluation of the graph on one event: each distinct sub-expression at most once, cheap ones first; and the reasons
//! for a result.
use crate::event_view::EventView;
use crate::matching::compare_values;
use crate::program::{Comparison, Compiled, Node, NodeId};
use crate::source::Slots;
use crate::value::{Quantity, Value};
use seawall_model::alert::Why;
use std::collections::HashSet;

/// Reasons of one firing; a condition of this length is no longer read.
const MAX_REASONS: usize = 32;
/// Characters of a value in a reason.
const MAX_VALUE_CHARS: usize = 512;

/// Remembers results by node during one event. The generation makes forgetting free.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    generation: u32,
    results: Vec<(u32, bool)>,
}

impl Memo {
    fn next(&mut self, nodes: usize) {
        if self.results.len() != nodes || self.generation == u32::MAX {
            self.results = vec![(0, false); nodes];
            self.generation = 0;
        }
        self.generation += 1;
    }
}

/// One event under evaluation.
pub(crate) struct Evaluation<'e, 'p> {
    pub(crate) event: &'e dyn EventView,
    pub(crate) slots: Slots<'e>,
    nodes: &'p [Node],
    memo: &'p mut Memo,
}

impl<'e, 'p> Evaluation<'e, 'p> {
    pub(crate) fn new(
        event: &'e dyn EventView,
        nodes: &'p [Node],
        slots: usize,
        memo: &'p mut Memo,
    ) -> Self {
        memo.next(nodes.len());
        Self { event, slots: vec![None; slots], nodes, memo }
    }

    /// Recursion is as deep as the condition, which compiling bounds.
    pub(crate) fn holds(&mut self, id: NodeId) -> bool {
        let (generation, result) = self.memo.results[id as usize];
        if generation == self.memo.generation {
            return result;
        }
        let nodes = self.nodes;
        let result = match &nodes[id as usize] {
            Node::And { order, .. } => order.iter().all(|child| self.holds(*child)),
            Node::Or { order, .. } => order.iter().any(|child| self.holds(*child)),
            Node::Not(child) => !self.holds(*child),
            Node::Check(check) => self.check(check),
        };
        self.memo.results[id as usize] = (self.memo.generation, result);
        result
    }

    fn check(&mut self, check: &Compiled) -> bool {
        let quantity = check.source.quantity();
        match &check.rule {
            Comparison::Constant { test, all, .. } => {
                check.source.read(self.event, &mut self.slots, |value| {
                    value.is_some_and(|value| test.passes(value, quantity, *all))
                })
            }
            Comparison::Limited { test, .. } => {
                check.source.read(self.event, &mut self.slots, |value| {
                    value.is_some_and(|value| test.passes(value, quantity, false))
                })
            }
            Comparison::Computed { op, right } => {
                let Some(right) = right.value(self.event, &mut self.slots) else { return false };
                check.source.read(self.event, &mut self.slots, |left| match left {
                    Some(Value::Many(lefts)) if quantity == Quantity::List => {
                        let passes = |left: &Value<'_>| compare_values(*op, left, &right);
                        if *op == crate::condition::Op::In {
                            lefts.iter().all(passes)
                        } else {
                            lefts.iter().any(passes)
                        }
                    }
                    Some(left) => compare_values(*op, left, &right),
                    None => false,
                })
            }
        }
    }

    /// The comparisons that made `root` true, with the values they saw.
    pub(crate) fn reasons(&mut self, root: NodeId) -> Vec<Why> {
        let mut reasons = Vec::new();
        // A node and whether its being true (or false) is to be explained.
        let mut open = vec![(root, true)];
        // Parts that several others share would unfold without end.
        let mut explained = HashSet::new();
        while let Some((id, truth)) = open.pop() {
            if reasons.len() >= MAX_REASONS {
                break;
            }
            if !explained.insert((id, truth)) {
                continue;
            }
            match &self.nodes[id as usize] {
                Node::Not(child) => open.push((*child, !truth)),
                Node::And { children, .. } if truth => {
                    open.extend(children.iter().rev().map(|id| (*id, true)))
                }
                Node::Or { children, .. } if !truth => {
                    open.extend(children.iter().rev().map(|id| (*id, false)))
                }
                Node::And { children, .. } | Node::Or { children, .. } => {
                    let decisive =
                        children.iter().copied().find(|child| self.holds(*child) == truth);
                    open.extend(decisive.map(|child| (child, truth)));
                }
                Node::Check(check) => {
                    let not = if truth { "" } else { "not " };
                    let expression = format!("{not}{}", check.shown);
                    let value = self.shown_value(check);
                    let reason = Why { expression, value };
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
            }
        }
        reasons
    }

    fn shown_value(&mut self, check: &Compiled) -> Option<String> {
        check.source.read(self.event, &mut self.slots, |value| {
            value.map(|value| value.render().chars().take(MAX_VALUE_CHARS).collect())
        })
    }

    /// The whole condition with the result and value of each part, for a failed test. Lines, indented.
    pub(crate) fn tree(&mut self, root: NodeId) -> Vec<String> {
        let mut lines = Vec::new();
        let mut open = vec![(root, 0_usize)];
        while let Some((id, depth)) = open.pop() {
            // A graph with shared parts may unfold without end.
            if lines.len() >= 400 {
                lines.push("…".to_owned());
                break;
            }
            let held = if self.holds(id) { "true " } else { "false" };
            let indent = "  ".repeat(depth.min(40));
            let nodes = self.nodes;
            let text = match &nodes[id as usize] {
                Node::And { children, .. } => {
                    open.extend(children.iter().rev().map(|child| (*child, depth + 1)));
                    "and".to_owned()
                }
                Node::Or { children, .. } => {
                    open.extend(children.iter().rev().map(|child| (*child, depth + 1)));
                    "or".to_owned()
                }
                Node::Not(child) => {
                    open.push((*child, depth + 1));
                    "not".to_owned()
                }
                Node::Check(check) => {
                    let value = self
                        .shown_value(check)
                        .map_or("absent".to_owned(), |value| format!("{value:?}"));
                    format!("{}    [{} is {value}]", check.shown, check.source.written())
                }
            };
            lines.push(format!("{held} {indent}{text}"));
        }
        lines
    }
}
