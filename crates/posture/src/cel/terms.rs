//! Takes a condition apart: what is said of every element of a list is judged, reported and mended element by element.
use super::Tree;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

/// The lists whose elements are judged one by one.
const LISTS: [&str; 5] =
    ["containers", "mainContainers", "initContainers", "ephemeralContainers", "volumes"];

/// Part of a conjunction.
#[derive(Debug)]
pub(crate) enum Term {
    Whole(Tree),
    /// Must hold for every element of a list.
    Each(Each),
    /// `guard || each`: nothing is asked of the elements where the guard holds.
    Guarded {
        guard: Tree,
        each: Each,
    },
}

/// `range.all(variable, body)`.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) range: Range,
    pub(crate) variable: String,
    pub(crate) body: Vec<Term>,
    /// The same in one piece, for a range that is no list: `all` over a map goes through its keys.
    pub(crate) whole: Tree,
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

/// Takes `tree` apart. `bound` are the variables of outer `all`s.
pub(crate) fn split(tree: IdedExpr, bound: &[String], terms: &mut Vec<Term>) {
    match tree.expr {
        Expr::Call(mut call)
            if call.func_name == operators::LOGICAL_AND && call.args.len() == 2 =>
        {
            let right = call.args.pop();
            call.args.into_iter().chain(right).for_each(|term| split(term, bound, terms));
        }
        Expr::Call(call) if call.func_name == operators::LOGICAL_OR => {
            let tree = IdedExpr { id: tree.id, expr: Expr::Call(call) };
            terms.push(guarded(&tree, bound).unwrap_or_else(|| Term::Whole(Tree::new(tree))));
        }
        expr => {
            let tree = IdedExpr { id: tree.id, expr };
            terms.push(match each(&tree, bound) {
                Some(each) => Term::Each(each),
                None => Term::Whole(Tree::new(tree)),
            });
        }
    }
}

/// `a || b || list.all(…)`, where one alternative alone goes through a list.
fn guarded(tree: &IdedExpr, bound: &[String]) -> Option<Term> {
    let mut alternatives = Vec::new();
    disjuncts(tree, &mut alternatives);
    let mut guard: Option<IdedExpr> = None;
    let mut found = None;
    for alternative in alternatives {
        match each(alternative, bound) {
            Some(_) if found.is_some() => return None,
            Some(each) => found = Some(each),
            None => {
                let alternative = alternative.clone();
                guard = Some(match guard {
                    None => alternative,
                    Some(guard) => IdedExpr {
                        id: tree.id,
                        expr: Expr::Call(CallExpr {
                            func_name: operators::LOGICAL_OR.to_owned(),
                            target: None,
                            args: vec![guard, alternative],
                        }),
                    },
                });
            }
        }
    }
    Some(Term::Guarded { guard: Tree::new(guard?), each: found? })
}

fn disjuncts<'t>(tree: &'t IdedExpr, into: &mut Vec<&'t IdedExpr>) {
    match &tree.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_OR => {
            call.args.iter().for_each(|argument| disjuncts(argument, into));
        }
        _ => into.push(tree),
    }
}

/// `range.all(v, …)`, if `tree` is one.
fn each(tree: &IdedExpr, bound: &[String]) -> Option<Each> {
    let Expr::Comprehension(comprehension) = &tree.expr else { return None };
    let Expr::Literal(LiteralValue::Boolean(start)) = &comprehension.accu_init.expr else {
        return None;
    };
    let Expr::Call(step) = &comprehension.loop_step.expr else { return None };
    if !*start.inner()
        || step.func_name != operators::LOGICAL_AND
        || comprehension.iter_var2.is_some()
    {
        return None;
    }
    let range = range(&comprehension.iter_range, bound)?;
    let predicate = step.args.get(1)?.clone();
    let variable = comprehension.iter_var.clone();
    let mut inner = bound.to_vec();
    inner.push(variable.clone());
    let mut body = Vec::new();
    split(predicate, &inner, &mut body);
    Some(Each { range, variable, body, whole: Tree::new(tree.clone()) })
}

fn range(tree: &IdedExpr, bound: &[String]) -> Option<Range> {
    if let Expr::Call(call) = &tree.expr
        && call.func_name == "orValue"
        && let (Some(target), [default]) = (&call.target, call.args.as_slice())
        && matches!(&default.expr, Expr::List(list) if list.elements.is_empty())
    {
        let (mut fields, mut optional) = (Vec::new(), None);
        let root = chain(target, bound, &mut fields, &mut optional)?;
        return Some(Range { root, fields, optional_from: optional? });
    }
    let (mut fields, mut optional) = (Vec::new(), None);
    let root = chain(tree, bound, &mut fields, &mut optional)?;
    let optional_from = fields.len();
    optional.is_none().then_some(Range { root, fields, optional_from })
}

/// The root and the fields of `object.a.?b`; `optional` is the index of the first one behind a `.?`.
fn chain(
    tree: &IdedExpr,
    bound: &[String],
    fields: &mut Vec<String>,
    optional: &mut Option<usize>,
) -> Option<Root> {
    let root = match &tree.expr {
        Expr::Ident(name) if bound.iter().any(|variable| variable == name) => {
            Root::Element(name.clone())
        }
        Expr::Ident(name) if name == "object" => Root::Object,
        Expr::Select(select) if !select.test => {
            if let Expr::Ident(name) = &select.operand.expr
                && name == "variables"
            {
                match select.field.as_str() {
                    "podSpec" => Root::PodSpec,
                    list if LISTS.contains(&list) => Root::Prelude(list.to_owned()),
                    _ => return None,
                }
            } else {
                let root = chain(&select.operand, bound, fields, optional)?;
                fields.push(select.field.clone());
                root
            }
        }
        Expr::Call(call) if call.func_name == operators::OPT_SELECT => {
            let [operand, field] = call.args.as_slice() else { return None };
            let Expr::Literal(LiteralValue::String(field)) = &field.expr else { return None };
            let root = chain(operand, bound, fields, optional)?;
            optional.get_or_insert(fields.len());
            fields.push(field.inner().to_owned());
            root
        }
        _ => return None,
    };
    (fields.is_empty() || !matches!(root, Root::Prelude(_))).then_some(root)
}
