//! Takes a condition apart: what is said of every element of a list is judged, reported and mended element by element.
use seawall_cel::{CompileError, Comprehension, Env, Kind, Loop, Node, Program, Type};

/// The lists whose elements are judged one by one.
const LISTS: [&str; 5] =
    ["containers", "mainContainers", "initContainers", "ephemeralContainers", "volumes"];

/// Part of a conjunction.
#[derive(Debug)]
pub(crate) enum Term {
    Whole(Program),
    /// Must hold for every element of a list.
    Each(Box<Each>),
    /// `guard || each`: nothing is asked of the elements where the guard holds.
    Guarded {
        guard: Program,
        each: Box<Each>,
    },
}

/// `range.all(variable, body)`.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) range: Range,
    pub(crate) variable: String,
    pub(crate) body: Vec<Term>,
    /// The same in one piece, for a range that is no list: `all` over a map goes through its keys.
    pub(crate) whole: Program,
}

/// Where a list stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) root: Root,
    pub(crate) fields: Vec<String>,
    /// Fields from here on may be absent, which is empty: `object.spec.?ports.orValue([])`.
    pub(crate) optional_from: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Object,
    PodSpec,
    /// A list of the prelude; it has no fields.
    Prelude(String),
    /// The element of an outer `all`.
    Element(String),
}

type Split<T> = Result<T, Vec<CompileError>>;

/// One expression and the variables of the `all`s around the part that is looked at.
struct Splitter<'p> {
    program: &'p Program,
    /// Knows `bound`.
    env: Env,
    bound: Vec<String>,
}

/// The conjunction that `program` is.
pub(super) fn split(env: &Env, program: &Program) -> Split<Vec<Term>> {
    let splitter = Splitter { program, env: env.clone(), bound: Vec::new() };
    splitter.terms(program.root())
}

impl Splitter<'_> {
    fn terms(&self, node: &Node) -> Split<Vec<Term>> {
        Ok(match &node.kind {
            Kind::And(parts) => {
                let parts = parts.iter().map(|part| self.terms(part));
                parts.collect::<Split<Vec<_>>>()?.into_iter().flatten().collect()
            }
            Kind::Or(parts) => match self.guarded(parts)? {
                Some(term) => vec![term],
                None => vec![Term::Whole(self.piece(node)?)],
            },
            _ => match self.each(node)? {
                Some(each) => vec![Term::Each(Box::new(each))],
                None => vec![Term::Whole(self.piece(node)?)],
            },
        })
    }

    /// A part of the text, which means alone what it means within.
    fn piece(&self, node: &Node) -> Split<Program> {
        self.env.compile(self.text(node))
    }

    fn text(&self, node: &Node) -> &str {
        self.program.text().get(node.span.clone()).unwrap_or_default()
    }

    /// `a || b || list.all(…)`, where one alternative alone goes through a list.
    fn guarded(&self, parts: &[Node]) -> Split<Option<Term>> {
        let (mut guard, mut found) = (Vec::new(), None);
        for part in parts {
            match self.each(part)? {
                Some(_) if found.is_some() => return Ok(None),
                Some(each) => found = Some(each),
                // A comment at the end of a part must not swallow what follows.
                None => guard.push(format!("({}\n)", self.text(part))),
            }
        }
        let Some(each) = found else { return Ok(None) };
        let guard = self.env.compile(&guard.join(" || "))?;
        Ok(Some(Term::Guarded { guard, each: Box::new(each) }))
    }

    /// `range.all(v, …)`, if `node` is one.
    fn each(&self, node: &Node) -> Split<Option<Each>> {
        let Kind::Comprehension(comprehension) = &node.kind else { return Ok(None) };
        let Comprehension { kind: Loop::All, range: list, variable, second: None, body, .. } =
            comprehension.as_ref()
        else {
            return Ok(None);
        };
        let Some(range) = self.range(list) else { return Ok(None) };
        let element = match self.program.type_of(list) {
            Type::List(of) => of.as_ref().clone(),
            _ => Type::Dyn,
        };
        let mut bound = self.bound.clone();
        bound.push(variable.clone());
        let env = self.env.clone().with_variable(variable, element);
        let inner = Splitter { program: self.program, env, bound };
        let (body, whole) = (inner.terms(body)?, self.piece(node)?);
        Ok(Some(Each { range, variable: variable.clone(), body, whole }))
    }

    fn range(&self, node: &Node) -> Option<Range> {
        let (mut fields, mut optional) = (Vec::new(), None);
        if let Kind::Call { function, target: Some(target), arguments } = &node.kind
            && function == "orValue"
            && let [Node { kind: Kind::List(default), .. }] = arguments.as_slice()
            && default.is_empty()
        {
            let root = self.chain(target, &mut fields, &mut optional)?;
            return Some(Range { root, fields, optional_from: optional? });
        }
        let root = self.chain(node, &mut fields, &mut optional)?;
        let optional_from = fields.len();
        optional.is_none().then_some(Range { root, fields, optional_from })
    }

    /// The root and the fields of `object.a.?b`; `optional` is the index of the first one behind a `.?`.
    fn chain(
        &self,
        node: &Node,
        fields: &mut Vec<String>,
        optional: &mut Option<usize>,
    ) -> Option<Root> {
        let is_bound = |name: &String| self.bound.contains(name);
        match &node.kind {
            Kind::Ident(name) if is_bound(name) => Some(Root::Element(name.clone())),
            Kind::Ident(name) if name == "object" => Some(Root::Object),
            Kind::Select { operand, field, optional: false } if matches!(&operand.kind, Kind::Ident(name) if name == "variables" && !is_bound(name)) => {
                match field.as_str() {
                    "podSpec" => Some(Root::PodSpec),
                    list if LISTS.contains(&list) => Some(Root::Prelude(list.to_owned())),
                    _ => None,
                }
            }
            Kind::Select { operand, field, optional: maybe } => {
                let root = self.chain(operand, fields, optional)?;
                if *maybe {
                    optional.get_or_insert(fields.len());
                }
                fields.push(field.clone());
                (!matches!(root, Root::Prelude(_))).then_some(root)
            }
            _ => None,
        }
    }
}
