//! The compiled form of all conditions: one graph in which every distinct sub-expression stands once.
use crate::condition::{Check, Condition, Expr, ExprId, Literal, MAX_DEPTH, Modifier, Op, Right};
use crate::event_set::{self, EventSet};
use crate::feed::Feed;
use crate::fields::FieldRef;
use crate::fields::names::{events, is_event};
use crate::matching::{self, Test, Unsuited};
use crate::source::{self, Source};
use crate::suggest::did_you_mean;
use crate::value::{Kind, Quantity, Value};
use crate::yaml::Place;
use seawall_model::Problem;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) type NodeId = u32;

/// Values of a list that an explanation shows before it only counts them.
const SHOWN_VALUES: usize = 8;

#[derive(Debug)]
pub(crate) enum Node {
    /// `order` is the children by rising cost.
    And {
        children: Box<[NodeId]>,
        order: Box<[NodeId]>,
    },
    Or {
        children: Box<[NodeId]>,
        order: Box<[NodeId]>,
    },
    Not(NodeId),
    Check(Box<Compiled>),
}

#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) source: Source,
    pub(crate) rule: Comparison,
    /// As explanations print it.
    pub(crate) shown: String,
}

#[derive(Debug)]
pub(crate) enum Comparison {
    /// `all` is what `in` demands of a list.
    Constant {
        op: Op,
        test: Test,
        all: bool,
    },
    Computed {
        op: Op,
        right: Source,
    },
    /// Constant, and true or false only on some events: `evt.type = …` is also the index's key.
    Limited {
        test: Test,
        yes: EventSet,
        no: EventSet,
    },
}

/// The graph while rules are added.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    costs: Vec<u32>,
    depths: Vec<u32>,
    known: HashMap<Key, NodeId>,
    slots: HashMap<FieldRef, u16>,
    /// Comparisons that are never true on what is collected, where they stand, and why.
    pub(crate) dead: Vec<(NodeId, Place, String)>,
    /// Comparisons that are never true on events of one feed, for it has no such field.
    foreign: HashMap<NodeId, Vec<(Feed, Place, String)>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
    Not(NodeId),
    Check(String),
}

/// Names that conditions refer to.
pub(crate) struct Names<'n> {
    pub(crate) lists: &'n HashMap<String, Arc<[String]>>,
    /// `None` is a macro that did not load.
    pub(crate) macros: &'n dyn Fn(&str, Place) -> Result<NodeId, Problem>,
    pub(crate) used_lists: &'n mut HashSet<String>,
}

type Compile<T> = Result<T, (Problem, Place)>;

impl Program {
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn cost(&self, node: NodeId) -> u32 {
        self.costs[node as usize]
    }

    /// Compiles a condition; returns its root. All its errors are reported, not only the first.
    pub(crate) fn add(
        &mut self,
        condition: &Condition,
        names: &mut Names<'_>,
    ) -> Result<NodeId, Vec<(Problem, Place)>> {
        let mut ids: Vec<Option<NodeId>> = Vec::with_capacity(condition.nodes.len());
        let mut problems = Vec::new();
        for expr in &condition.nodes {
            let compiled = match self.expr(expr, &ids, names) {
                Ok(id) => id,
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            };
            ids.push(compiled);
        }
        match ids.get(condition.root as usize).copied().flatten() {
            Some(root) if problems.is_empty() => Ok(root),
            _ => Err(problems),
        }
    }

    /// `None` where a child failed.
    fn expr(
        &mut self,
        expr: &Expr,
        ids: &[Option<NodeId>],
        names: &mut Names<'_>,
    ) -> Compile<Option<NodeId>> {
        let child = |id: &ExprId| ids.get(*id as usize).copied().flatten();
        match expr {
            Expr::And(children) => match children.iter().map(child).collect::<Option<Vec<_>>>() {
                Some(children) => self.join(children, true).map(Some),
                None => Ok(None),
            },
            Expr::Or(children) => match children.iter().map(child).collect::<Option<Vec<_>>>() {
                Some(children) => self.join(children, false).map(Some),
                None => Ok(None),
            },
            Expr::Not(inner) => match child(inner) {
                Some(inner) => {
                    let (depth, cost) =
                        (self.depths[inner as usize] + 1, self.costs[inner as usize]);
                    self.intern(Key::Not(inner), depth, cost, || Node::Not(inner)).map(Some)
                }
                None => Ok(None),
            },
            Expr::Macro { name, place } => {
                (names.macros)(name, *place).map(Some).map_err(|problem| (problem, *place))
            }
            Expr::Check(check) => self.check(check, names).map(Some),
        }
    }

    fn join(&mut self, mut children: Vec<NodeId>, and: bool) -> Compile<NodeId> {
        let mut seen = HashSet::new();
        children.retain(|child| seen.insert(*child));
        if let [one] = children.as_slice() {
            return Ok(*one);
        }
        let depth =
            children.iter().map(|child| self.depths[*child as usize]).max().unwrap_or(0) + 1;
        let cost = children.iter().map(|child| self.cost(*child)).fold(0, u32::saturating_add);
        let mut order = children.clone();
        order.sort_by_key(|child| self.cost(*child));
        let (children, order): (Box<[NodeId]>, Box<[NodeId]>) = (children.into(), order.into());
        let key = if and { Key::And(children.clone()) } else { Key::Or(children.clone()) };
        self.intern(key, depth, cost, || {
            if and { Node::And { children, order } } else { Node::Or { children, order } }
        })
    }

    fn intern(
        &mut self,
        key: Key,
        depth: u32,
        cost: u32,
        node: impl FnOnce() -> Node,
    ) -> Compile<NodeId> {
        if depth as usize > MAX_DEPTH {
            let message =
                format!("the condition nests more than {MAX_DEPTH} deep, macros included");
            return Err((Problem::error("too-deep", message), Place::default()));
        }
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let id = self.nodes.len() as NodeId;
        self.known.insert(key, id);
        self.nodes.push(node());
        self.depths.push(depth);
        self.costs.push(cost);
        Ok(id)
    }

    fn check(&mut self, check: &Check, names: &mut Names<'_>) -> Compile<NodeId> {
        let mut source = source::resolve(&check.left)?;
        let place = place_of(check);
        let prepared = prepare(check, &source, names)?;
        let shown = format!("{} {}", source.written(), prepared.shown);
        let cost = prepared.comparison.cost().saturating_add(source_cost(&source));
        self.give_slots(&mut source);
        let mut comparison = prepared.comparison;
        if let Comparison::Computed { right, .. } = &mut comparison {
            self.give_slots(right);
        }
        let key = Key::Check(format!("{} {}", source.written(), prepared.key));
        let never = never_true(&source, &comparison);
        let foreign = foreign_to(&source, &comparison);
        let id = self.intern(key, 1, cost, || {
            Node::Check(Box::new(Compiled { source, rule: comparison, shown }))
        })?;
        self.dead.extend(never.map(|why| (id, place, why)));
        let foreign = foreign.into_iter().map(|(feed, why)| (feed, place, why));
        self.foreign.entry(id).or_insert_with(|| foreign.collect());
        Ok(id)
    }

    /// Costly fields get a place to keep their value in.
    pub(crate) fn give_slots(&mut self, source: &mut Source) {
        match source {
            Source::Field { field, slot } => {
                if field.field().costly && slot.is_none() {
                    let next = self.slots.len() as u16;
                    *slot = Some(*self.slots.entry(field.clone()).or_insert(next));
                }
            }
            Source::Transform { arguments, .. } => {
                for argument in arguments {
                    if let source::Argument::Source(source) = argument {
                        self.give_slots(source);
                    }
                }
            }
        }
    }

    /// For every node the events on which it can be true. With `live`, only what that feed reports counts.
    pub(crate) fn event_sets(&self, live: Option<Feed>) -> Vec<EventSet> {
        let mut sets: Vec<(EventSet, EventSet)> = Vec::with_capacity(self.nodes.len());
        let mut dead = HashSet::new();
        if let Some(feed) = live {
            dead.extend(self.dead.iter().map(|(id, ..)| *id));
            dead.extend((0..self.nodes.len() as NodeId).filter(|id| self.is_foreign(*id, feed)));
        }
        for (id, node) in self.nodes.iter().enumerate() {
            let of = |child: &NodeId| sets[*child as usize];
            let set = match node {
                Node::And { children, .. } => children
                    .iter()
                    .map(of)
                    .fold((EventSet::ALL, EventSet::NONE), |(yes, no), (y, n)| {
                        (yes.and(y), no.or(n))
                    }),
                Node::Or { children, .. } => children
                    .iter()
                    .map(of)
                    .fold((EventSet::NONE, EventSet::ALL), |(yes, no), (y, n)| {
                        (yes.or(y), no.and(n))
                    }),
                Node::Not(child) => {
                    let (yes, no) = of(child);
                    (no, yes)
                }
                Node::Check(_) if dead.contains(&(id as NodeId)) => (EventSet::NONE, EventSet::ALL),
                Node::Check(check) => match &check.rule {
                    Comparison::Limited { yes, no, .. } => (*yes, *no),
                    _ => (EventSet::ALL, EventSet::ALL),
                },
            };
            sets.push(set);
        }
        sets.into_iter().map(|(yes, _)| yes).collect()
    }
}

/// Foreign comparisons of one rule that are told.
const MAX_FOREIGN: usize = 16;

impl Program {
    fn is_foreign(&self, id: NodeId, feed: Feed) -> bool {
        self.foreign.get(&id).is_some_and(|found| found.iter().any(|(of, ..)| *of == feed))
    }

    /// Which nodes hold comparisons that are foreign to the feed.
    pub(crate) fn with_foreign(&self, feed: Feed) -> Vec<bool> {
        let mut with: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes.iter().enumerate() {
            let any = match node {
                Node::And { children, .. } | Node::Or { children, .. } => {
                    children.iter().any(|child| with[*child as usize])
                }
                Node::Not(child) => with[*child as usize],
                Node::Check(_) => self.is_foreign(id as NodeId, feed),
            };
            with.push(any);
        }
        with
    }

    /// Places and reasons of the first foreign comparisons below the roots; `with` is [`Self::with_foreign`].
    pub(crate) fn foreign_below(
        &self,
        roots: &[NodeId],
        feed: Feed,
        with: &[bool],
    ) -> Vec<(Place, String)> {
        let mut open: Vec<NodeId> = roots.to_vec();
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        while let Some(id) = open.pop().filter(|_| found.len() < MAX_FOREIGN) {
            if !with[id as usize] || !seen.insert(id) {
                continue;
            }
            match &self.nodes[id as usize] {
                Node::And { children, .. } | Node::Or { children, .. } => open.extend(children),
                Node::Not(child) => open.push(*child),
                Node::Check(_) => {
                    let own = self.foreign.get(&id).into_iter().flatten();
                    let own = own.filter(|(of, ..)| *of == feed);
                    found.extend(own.map(|(_, place, why)| (*place, why.clone())));
                }
            }
        }
        found
    }
}

impl Comparison {
    fn cost(&self) -> u32 {
        match self {
            Self::Constant { test, .. } => test.cost(),
            Self::Computed { .. } => 6,
            Self::Limited { .. } => 0,
        }
    }
}

fn source_cost(source: &Source) -> u32 {
    match source {
        Source::Field { field, .. } if field.field().costly => 4,
        Source::Field { .. } => 1,
        Source::Transform { .. } => 10,
    }
}

fn place_of(check: &Check) -> Place {
    match &check.left {
        crate::condition::Operand::Field(name) => name.place,
        crate::condition::Operand::Transform { place, .. } => *place,
    }
}

/// A problem at the value, or at the operator where that is at fault.
fn refused(unsuited: Unsuited, check: &Check, value: Place) -> (Problem, Place) {
    let place = if unsuited.operator { check.op_place } else { value };
    (Problem::error(unsuited.code, unsuited.message), place)
}

struct Prepared {
    comparison: Comparison,
    /// Equal comparisons have equal keys.
    key: String,
    shown: String,
}

fn prepare(check: &Check, source: &Source, names: &mut Names<'_>) -> Compile<Prepared> {
    let (op, kind) = (check.op, source.kind());
    if source.quantity() == Quantity::List && !matches!(op, Op::Exists | Op::In | Op::Intersects) {
        let message =
            format!("`{}` is a list: it takes `in`, `intersects` and `exists`", source.written());
        return Err((Problem::error("type", message), check.op_place));
    }
    match &check.right {
        Right::None => {
            let comparison = Comparison::Constant { op, test: Test::Exists, all: false };
            Ok(Prepared { comparison, key: "exists".into(), shown: "exists".into() })
        }
        Right::Operand(operand) => {
            let right = source::resolve(operand)?;
            let suits = kind == right.kind() && (kind != Kind::Text || !op.is_numeric());
            let runtime = !matches!(op, Op::Regex | Op::BContains | Op::BStartsWith);
            if !suits || !runtime || check.modifier.is_some() {
                let message = format!(
                    "`{}` and `{}` do not compare by `{}`",
                    source.written(),
                    right.written(),
                    op.as_str()
                );
                return Err((Problem::error("type", message), check.op_place));
            }
            let shown = format!("{} {}", op.as_str(), right.written());
            let key = format!("{} ={}", op.as_str(), right.written());
            Ok(Prepared { comparison: Comparison::Computed { op, right }, key, shown })
        }
        Right::Literal(literal) => {
            let test = matching::single(kind, op, &literal.text, source.is_loose());
            let test = test.map_err(|unsuited| refused(unsuited, check, literal.place))?;
            let key = format!("{} {:?}", op.as_str(), literal.text);
            let shown = format!("{} {}", op.as_str(), quote(&literal.text));
            let comparison = constant(source, op, std::slice::from_ref(literal), test)?;
            Ok(Prepared { comparison, key, shown })
        }
        Right::List(_) | Right::ListName(_) => prepare_list(check, source, names),
    }
}

fn prepare_list(check: &Check, source: &Source, names: &mut Names<'_>) -> Compile<Prepared> {
    let (op, kind) = (check.op, source.kind());
    let (literals, written) = match &check.right {
        Right::List(literals) => (
            literals.as_slice(),
            literals.iter().map(|literal| quote(&literal.text)).collect::<Vec<_>>(),
        ),
        Right::ListName(name) => {
            if !names.lists.contains_key(&name.text) {
                return Err((unknown_list(&name.text, names.lists), name.place));
            }
            (std::slice::from_ref(name), vec![name.text.clone()])
        }
        _ => (&[][..], Vec::new()),
    };
    let mut values: Vec<(String, Place)> = Vec::new();
    for literal in literals {
        match names.lists.get(&literal.text).filter(|_| !literal.quoted) {
            Some(list) => {
                names.used_lists.insert(literal.text.clone());
                values.extend(list.iter().map(|item| (item.clone(), literal.place)));
            }
            None => values.push((literal.text.clone(), literal.place)),
        }
    }
    let test = match check.modifier {
        Some(modifier) => {
            let tests = values
                .iter()
                .map(|(value, place)| {
                    matching::single(kind, op, value, source.is_loose())
                        .map_err(|unsuited| refused(unsuited, check, *place))
                })
                .collect::<Result<_, _>>()?;
            Test::Combined { modifier, tests }
        }
        None => matching::list(kind, op, values.iter().map(|(value, _)| value.as_str())).map_err(
            |unsuited| {
                // Which of the values it was, only an error has to know.
                let bad = values.iter().find(|(value, _)| {
                    matching::list(kind, op, std::iter::once(value.as_str())).is_err()
                });
                refused(unsuited, check, bad.map_or(check.op_place, |(_, place)| *place))
            },
        )?,
    };
    let modifier =
        check.modifier.map(|modifier| format!(" {}", modifier.as_str())).unwrap_or_default();
    let mut sorted: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
    sorted.sort_unstable();
    if check.modifier != Some(Modifier::OneOf) {
        sorted.dedup();
    }
    let key = format!("{}{modifier} {sorted:?}", op.as_str());
    let shown = format!("{}{modifier} ({})", op.as_str(), abbreviate(&written));
    let literals: Vec<Literal> =
        values.into_iter().map(|(text, place)| Literal { text, quoted: true, place }).collect();
    let comparison = constant(source, op, &literals, test)?;
    Ok(Prepared { comparison, key, shown })
}

pub(crate) fn unknown_list(name: &str, lists: &HashMap<String, Arc<[String]>>) -> Problem {
    let mut problem = Problem::error("unknown-list", format!("no list `{name}`"));
    problem.help = did_you_mean(name, lists.keys().map(String::as_str));
    problem
}

fn abbreviate(values: &[String]) -> String {
    let mut shown = values[..values.len().min(SHOWN_VALUES)].join(", ");
    if values.len() > SHOWN_VALUES {
        shown.push_str(&format!(", … {} in all", values.len()));
    }
    shown
}

/// Finds out on which events a constant comparison can hold. Names of event types are checked against all system
/// calls, because a misspelt one would silence a rule for good.
fn constant(source: &Source, op: Op, literals: &[Literal], test: Test) -> Compile<Comparison> {
    let all = op == Op::In;
    let Source::Field { field, .. } = source else {
        return Ok(Comparison::Constant { op, test, all });
    };
    let is_type = matches!(field.field().name, "evt.type" | "syscall.type");
    let named = is_type && matches!(op, Op::Eq | Op::Ne | Op::In | Op::Intersects);
    if let Some(literal) = literals.iter().find(|literal| named && !is_event(&literal.text)) {
        let mut problem = Problem::error("type", format!("`{}` is no event type", literal.text));
        problem.help = did_you_mean(&literal.text, events());
        return Err((problem, literal.place));
    }
    let sets = match is_type {
        true => {
            event_set::of_types(op, &test, literals.iter().map(|literal| literal.text.as_str()))
        }
        false => event_set::of_outcome(field.field().name, &test),
    };
    Ok(match sets {
        Some((yes, no)) => Comparison::Limited { test, yes, no },
        None => Comparison::Constant { op, test, all },
    })
}

fn fields_of<'c>(source: &'c Source, comparison: &'c Comparison) -> Vec<&'c FieldRef> {
    let mut fields = Vec::new();
    source.fields(&mut fields);
    if let Comparison::Computed { right, .. } = comparison {
        right.fields(&mut fields);
    }
    fields
}

/// Why a comparison is never true on what is collected.
fn never_true(source: &Source, comparison: &Comparison) -> Option<String> {
    let fields = fields_of(source, comparison);
    if let Some(field) = fields.iter().find(|field| !field.is_collected()) {
        return Some(format!("`{}` is not collected", field.written()));
    }
    let (Source::Field { field, .. }, Comparison::Constant { test, all, .. }) =
        (source, comparison)
    else {
        return None;
    };
    let values: &[&str] = match field.field().name {
        "evt.dir" => &["<"],
        "fd.type" => &["file", "ipv4", "ipv6"],
        "fd.typechar" => &["f", "4", "6"],
        _ => return None,
    };
    let passes = |value: &&str| test.passes(&Value::text(value), Quantity::One, *all);
    let never = !values.iter().any(passes);
    never.then(|| format!("`{}` is only {}", field.written(), values.join(" or ")))
}

/// The feeds whose events lack a field of the comparison.
fn foreign_to(source: &Source, comparison: &Comparison) -> Vec<(Feed, String)> {
    let fields = fields_of(source, comparison);
    let of_feed = |feed: Feed| {
        let field = fields.iter().find(|field| !field.field().is_of(feed))?;
        let why = format!("`{}` is no field of {} events", field.written(), feed.as_str());
        Some((feed, why))
    };
    Feed::ALL.into_iter().filter_map(of_feed).collect()
}

/// Quotes what would not read back as one bare word.
fn quote(text: &str) -> String {
    let bare =
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "()\"'=,".contains(c));
    if bare { text.to_owned() } else { format!("{text:?}") }
}
