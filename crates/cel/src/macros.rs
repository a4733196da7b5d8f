//! Calls that are loops: `has`, `all`, `exists`, `exists_one`, `map`, `filter`, `optMap` and the two-variable forms.
use crate::error::CompileError;
use crate::node::{Comprehension, Kind, Loop, Node};
use crate::parser::Parser;
use std::ops::Range;

/// The name cel-go's loops once gave their result.
const ACCUMULATOR: &str = "__result__";

/// `function(arguments)`: a macro where it is one.
pub(crate) fn global(
    parser: &mut Parser<'_>,
    at: usize,
    span: Range<usize>,
    function: &str,
    mut arguments: Vec<Node>,
) -> Result<Node, CompileError> {
    if function != "has" || arguments.len() != 1 {
        return parser.call(at, span, function, arguments);
    }
    let argument = arguments.remove(0);
    match argument.kind {
        Kind::Select { operand, field, optional: false } => {
            parser.node(at, span, Kind::Has { operand, field })
        }
        _ => Err(parser.fault(argument.at, "invalid argument to has() macro")),
    }
}

/// `target.function(arguments)`: a macro where it is one.
pub(crate) fn receiver(
    parser: &mut Parser<'_>,
    at: usize,
    span: Range<usize>,
    function: &str,
    target: Node,
    mut arguments: Vec<Node>,
) -> Result<Node, CompileError> {
    let syntax = parser.syntax;
    let (kind, variables) = match (function, arguments.len()) {
        ("optMap" | "optFlatMap", 2) if syntax.optional => {
            return optional(parser, at, span, function, target, arguments);
        }
        ("sortBy", 2) if syntax.sort_by => {
            return sort_by(parser, at, span, target, arguments);
        }
        ("all", 2) => (Loop::All, 1),
        ("exists", 2) => (Loop::Exists, 1),
        ("exists_one", 2) => (Loop::ExistsOne, 1),
        ("map", 2 | 3) => (Loop::Map, 1),
        ("filter", 2) => (Loop::Filter, 1),
        ("all", 3) if syntax.two_variables => (Loop::All, 2),
        ("exists", 3) if syntax.two_variables => (Loop::Exists, 2),
        ("exists_one" | "existsOne", 3) if syntax.two_variables => (Loop::ExistsOne, 2),
        ("transformList", 3 | 4) if syntax.two_variables => (Loop::Map, 2),
        ("transformMap", 3 | 4) if syntax.two_variables => (Loop::TransformMap, 2),
        ("transformMapEntry", 3 | 4) if syntax.two_variables => (Loop::TransformMapEntry, 2),
        _ => {
            let target = Some(Box::new(target));
            let kind = Kind::Call { function: function.to_owned(), target, arguments };
            return parser.node(at, span, kind);
        }
    };
    let collects = variables == 1 && matches!(kind, Loop::Map | Loop::Filter);
    let fault =
        if collects { "argument is not an identifier" } else { "argument must be a simple name" };
    let first = variable(parser, &arguments[0], fault)?;
    let second = match variables {
        2 => Some(variable(parser, &arguments[1], fault)?),
        _ => None,
    };
    if second.as_ref() == Some(&first) {
        let told = format!("duplicate variable name: {first}");
        return Err(parser.fault(arguments[1].at, told));
    }
    arguments.drain(..variables);
    let filter = if arguments.len() == 2 { Some(arguments.remove(0)) } else { None };
    let body = arguments.remove(0);
    let range = target;
    let comprehension = Comprehension { kind, range, variable: first, second, filter, body };
    parser.node(at, span, Kind::Comprehension(Box::new(comprehension)))
}

fn optional(
    parser: &mut Parser<'_>,
    at: usize,
    span: Range<usize>,
    function: &str,
    target: Node,
    mut arguments: Vec<Node>,
) -> Result<Node, CompileError> {
    let fault = format!("{function}() variable name must be a simple identifier");
    let Kind::Ident(variable) = &arguments[0].kind else {
        return Err(parser.fault(arguments[0].at, fault));
    };
    let variable = variable.clone();
    let body = Box::new(arguments.remove(1));
    let flat = function == "optFlatMap";
    parser.node(at, span, Kind::OptMap { target: Box::new(target), variable, body, flat })
}

/// The name under which `sortBy` keeps what it sorts; no text can spell it.
const SORTED: &str = "@__sortBy_input__";

/// `target.sortBy(x, key)`: the target and its keys, `target.map(x, key)`, go to a function that sorts one by the other.
fn sort_by(
    parser: &mut Parser<'_>,
    at: usize,
    span: Range<usize>,
    target: Node,
    mut arguments: Vec<Node>,
) -> Result<Node, CompileError> {
    if matches!(target.kind, Kind::Literal(_) | Kind::Map(_) | Kind::Struct { .. }) {
        let told = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
        return Err(parser.fault(target.at, told));
    }
    let variable = variable(parser, &arguments[0], "argument is not an identifier")?;
    let range = parser.node(at, span.clone(), Kind::Ident(SORTED.to_owned()))?;
    let body = arguments.remove(1);
    let keys = Comprehension { kind: Loop::Map, range, variable, second: None, filter: None, body };
    let keys = parser.node(at, span.clone(), Kind::Comprehension(Box::new(keys)))?;
    let sorted = parser.node(at, span.clone(), Kind::Ident(SORTED.to_owned()))?;
    let call = Kind::Call {
        function: "@sortByAssociatedKeys".to_owned(),
        target: Some(Box::new(sorted)),
        arguments: vec![keys],
    };
    let body = Box::new(parser.node(at, span.clone(), call)?);
    let bind = Kind::Bind { target: Box::new(target), variable: SORTED.to_owned(), body };
    parser.node(at, span, bind)
}

fn variable(parser: &Parser<'_>, node: &Node, fault: &str) -> Result<String, CompileError> {
    match &node.kind {
        Kind::Ident(name) if name == ACCUMULATOR => {
            Err(parser.fault(node.at, "iteration variable overwrites accumulator variable"))
        }
        Kind::Ident(name) => Ok(name.clone()),
        _ => Err(parser.fault(node.at, fault)),
    }
}
