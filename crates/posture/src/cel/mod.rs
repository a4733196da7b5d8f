//! CEL: expressions compiled once, limited and type-checked, and run on the values of one object.
//!
//! `variables.<list>.all(v, …)` is taken apart, so that one element fails, is reported and is mended alone.
mod check;
mod limits;
mod terms;
pub(crate) mod types;
pub(crate) mod values;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::{Context, Env, ExecutionError, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
pub(crate) use terms::{Each, Range, Root, Term};
pub use types::Type;

/// Cost units of one expression on one object, as the API server's per-expression limit. A unit is one node of a
/// comprehension's body per round, or ten bytes that a string function reads.
pub const COST_LIMIT: u64 = 1_000_000;

/// What a comprehension step and a string function are made to call first.
const CHARGE: &str = "@charge";
const CHARGE_TEXT: &str = "@charge_text";

/// Stack for one expression, in bytes: 512 levels of [`LEVEL`], with room to spare; the parser takes 100 KiB per bracket.
const STACK: usize = 32 << 20;
/// Stack of one level of the interpreter in the slowest build, measured between 20 and 40 KiB. Threads have 2 MiB, so
/// only deep expressions take a stack of their own: mapping one costs more than judging an object.
const LEVEL: usize = 48 << 10;
/// Below this much left, parsing takes a stack of its own.
const PARSER: usize = 16 << 20;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    env.add_extension(cel::extensions::strings)
        .expect("the strings library is added to a fresh environment");
    Arc::new(env)
});

/// One thing wrong with an expression; line and column are 1-based and count within it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at {line}:{column} of the expression)")]
pub struct ExpressionError {
    pub message: String,
    pub line: u32,
    pub column: u32,
}

/// A boolean expression, ready to run.
#[derive(Debug)]
pub struct Expression {
    /// As it was written.
    pub(crate) text: String,
    pub(crate) terms: Vec<Term>,
    /// Prelude variables it reads, and `object` where it reads that.
    pub(crate) variables: BTreeSet<String>,
    /// (struct, field) pairs it reads, to tell which malformed fields concern it.
    pub(crate) fields: BTreeSet<(&'static str, &'static str)>,
}

/// An instrumented expression and how deep it is.
#[derive(Debug)]
pub(crate) struct Tree {
    root: IdedExpr,
    levels: usize,
}

impl Tree {
    fn new(mut root: IdedExpr) -> Self {
        instrument(&mut root);
        let levels = levels(&root);
        Self { root, levels }
    }
}

/// Levels of the tree below and with `node`.
fn levels(node: &IdedExpr) -> usize {
    let deepest = |nodes: &mut dyn Iterator<Item = &IdedExpr>| nodes.map(levels).max().unwrap_or(0);
    1 + match &node.expr {
        Expr::Call(call) => deepest(&mut call.args.iter().chain(call.target.as_deref())),
        Expr::Select(select) => levels(&select.operand),
        Expr::List(list) => deepest(&mut list.elements.iter()),
        Expr::Map(map) => {
            let entry = |entry: &cel::common::ast::IdedEntryExpr| match &entry.expr {
                EntryExpr::MapEntry(entry) => levels(&entry.key).max(levels(&entry.value)),
                EntryExpr::StructField(field) => levels(&field.value),
            };
            map.entries.iter().map(entry).max().unwrap_or(0)
        }
        Expr::Comprehension(comprehension) => {
            let parts = [
                &comprehension.iter_range,
                &comprehension.accu_init,
                &comprehension.loop_cond,
                &comprehension.loop_step,
                &comprehension.result,
            ];
            deepest(&mut parts.into_iter())
        }
        Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => 0,
    }
}

/// `text` as a string literal.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\\' | '\'' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

/// Why an expression has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Error(String),
    Limit,
}

/// Parses, limits and checks `text`. `params` are the declared parameters.
/// Errors: syntax, the limits of [`limits`], unknown functions, variables and fields, types that never fit.
pub fn compile(
    text: &str,
    params: &BTreeMap<String, Type>,
) -> Result<Expression, Vec<ExpressionError>> {
    limits::check(text).map_err(|message| vec![ExpressionError { message, line: 1, column: 1 }])?;
    stacker::maybe_grow(PARSER, STACK, || compile_bounded(text, params))
}

fn compile_bounded(
    text: &str,
    params: &BTreeMap<String, Type>,
) -> Result<Expression, Vec<ExpressionError>> {
    // The limits bound recursion already; the parser's own default is lower than the API server's.
    let parsed = ENVIRONMENT.parser().max_recursion_depth(512).parse_with_source_info(text);
    let (tree, source) = parsed.map_err(|errors| {
        let one_based = |n: isize| u32::try_from(n).unwrap_or(1).max(1);
        let error = |error: &cel::ParseError| ExpressionError {
            message: error.msg.clone(),
            line: one_based(error.pos.0),
            column: one_based(error.pos.1),
        };
        errors.errors.iter().map(error).collect::<Vec<_>>()
    })?;
    let checked = check::check(&tree, params);
    if !checked.errors.is_empty() {
        let located = |(id, message): (u64, String)| {
            let (line, column) = position(text, &source, id);
            ExpressionError { message, line, column }
        };
        return Err(checked.errors.into_iter().map(located).collect());
    }
    let mut terms = Vec::new();
    terms::split(tree, &[], &mut terms);
    Ok(Expression {
        text: text.to_owned(),
        terms,
        variables: checked.variables,
        fields: checked.fields,
    })
}

fn position(text: &str, source: &SourceInfo, id: u64) -> (u32, u32) {
    let start = source.offset_for(id).map_or(0, |(start, _)| start as usize);
    let before: String = text.chars().take(start).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Makes every round of a comprehension and every reading of text pay. Returns the nodes below `node`.
fn instrument(node: &mut IdedExpr) -> u64 {
    let id = node.id;
    match &mut node.expr {
        Expr::Call(call) => {
            let mut nodes = 1 + call.args.iter_mut().map(instrument).sum::<u64>();
            if let Some(target) = &mut call.target {
                nodes += instrument(target);
            }
            if matches!(
                call.func_name.as_str(),
                "matches"
                    | "contains"
                    | "startsWith"
                    | "endsWith"
                    | "replace"
                    | "split"
                    | "indexOf"
                    | "lastIndexOf"
            ) {
                let read = match &mut call.target {
                    Some(target) => Some(target.as_mut()),
                    None => call.args.first_mut(),
                };
                if let Some(read) = read {
                    let inner = std::mem::take(read);
                    *read = call_of(id, CHARGE_TEXT, vec![inner]);
                }
            }
            nodes
        }
        Expr::Select(select) => 1 + instrument(&mut select.operand),
        Expr::List(list) => 1 + list.elements.iter_mut().map(instrument).sum::<u64>(),
        Expr::Map(map) => {
            let entries = map.entries.iter_mut().map(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => {
                    instrument(&mut entry.key) + instrument(&mut entry.value)
                }
                EntryExpr::StructField(field) => instrument(&mut field.value),
            });
            1 + entries.sum::<u64>()
        }
        Expr::Comprehension(comprehension) => {
            let nodes = instrument(&mut comprehension.iter_range)
                + instrument(&mut comprehension.accu_init);
            let step = instrument(&mut comprehension.loop_step);
            let cost =
                literal(id, LiteralValue::Int(i64::try_from(step).unwrap_or(i64::MAX).into()));
            let condition = std::mem::take(&mut comprehension.loop_cond);
            comprehension.loop_cond = call_of(
                id,
                operators::CONDITIONAL,
                vec![
                    call_of(id, CHARGE, vec![cost]),
                    condition,
                    literal(id, LiteralValue::Boolean(false.into())),
                ],
            );
            nodes + instrument(&mut comprehension.result) + 1
        }
        Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => 1,
    }
}

fn call_of(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) }
}

fn literal(id: u64, value: LiteralValue) -> IdedExpr {
    IdedExpr { id, expr: Expr::Literal(value) }
}

/// One expression on one object: its variables and what it has cost.
pub(crate) struct Run {
    context: Context<'static, 'static>,
    cost: Arc<AtomicU64>,
}

impl Run {
    /// `variables` holds those the expression reads; `object` the whole object, if it reads that.
    pub(crate) fn new(variables: BTreeMap<String, Value>, object: Option<Value>) -> Self {
        let mut context = Context::with_env(ENVIRONMENT.clone());
        let cost = Arc::new(AtomicU64::new(0));
        let charged = cost.clone();
        let charge = move |units: u64| {
            let total = charged.fetch_add(units, Ordering::Relaxed).saturating_add(units);
            if total > COST_LIMIT {
                Err(ExecutionError::function_error("cost", "limit"))
            } else {
                Ok(())
            }
        };
        let charge_text = charge.clone();
        context
            .add_function(CHARGE, move |units: i64| charge(units.unsigned_abs()).map(|()| true))
            .expect("no library declares a name with `@`");
        context
            .add_function(CHARGE_TEXT, move |text: Value| {
                let bytes = if let Value::String(text) = &text { text.len() as u64 } else { 0 };
                charge_text(bytes / 10 + 1).map(|()| text)
            })
            .expect("no library declares a name with `@`");
        let map = variables.into_iter().collect::<std::collections::HashMap<_, _>>();
        context.add_variable_from_value("variables", map);
        if let Some(object) = object {
            context.add_variable_from_value("object", object);
        }
        Self { context, cost }
    }

    /// Runs a whole term, or a predicate with the elements it speaks of bound, outermost first.
    pub(crate) fn holds(&self, term: &Tree, elements: &[(&str, Value)]) -> Result<bool, Failure> {
        let needed = (term.levels + 2) * LEVEL;
        stacker::maybe_grow(needed, STACK, || self.holds_bounded(&term.root, elements))
    }

    fn holds_bounded(
        &self,
        expression: &IdedExpr,
        elements: &[(&str, Value)],
    ) -> Result<bool, Failure> {
        let result = if elements.is_empty() {
            Value::resolve(expression, &self.context)
        } else {
            let mut scope = self.context.new_inner_scope();
            for (name, value) in elements {
                scope.add_variable_from_value(*name, value.clone());
            }
            Value::resolve(expression, &scope)
        };
        // `||` may absorb the error that stopped the work, so the count decides, not the result.
        if self.cost.load(Ordering::Relaxed) > COST_LIMIT {
            return Err(Failure::Limit);
        }
        match result {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(Failure::Error(format!("expression yields {other:?}, not a boolean"))),
            Err(error) => Err(Failure::Error(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let errors =
            compile(text, &BTreeMap::from([("on".to_owned(), Type::Bool)])).expect_err(text);
        let told = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert!(told.contains(expected), "{text}: {told}");
    }

    #[track_caller]
    fn check(text: &str, expected: Result<bool, Failure>) {
        let expression =
            compile(text, &BTreeMap::new()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let object = json!({"n": 3, "big": 18_446_744_073_709_551_615u64, "f": 1.5, "s": "abc", "l": [1, 2], "m": {"a": null}});
        let run = Run::new(BTreeMap::new(), Some(values::of(&object)));
        let Term::Whole(whole) = &expression.terms[0] else { panic!("{text}") };
        assert_eq!(run.holds(whole, &[]), expected, "{text}");
    }

    #[test]
    fn what_cannot_be_right_is_refused_with_its_place() {
        check_error(
            "variables.containers.all(c, c.secContext == 1)",
            "Container has no field `secContext` (at 1:30",
        );
        check_error("variables.podSpec.hostPID == 'true'", "bool is never equal to string");
        check_error("variables.pods.all(c, true)", "unknown variable `variables.pods`");
        check_error("variables.params.off", "unknown parameter `off`");
        check_error(
            "variables.containers.all(c, c.?image.startsWith('x'))",
            "unknown function `startsWith` on optional(string)",
        );
        check_error(
            "authorizer.path('/x').check('get').allowed()",
            "unknown variable `authorizer`",
        );
        check_error("[1, 'a'] == []", "mixes int and string");
        check_error("variables.podSpec.hostPID &&", "Syntax error");
        check_error("1 + 1", "must be bool, is int");
        check_error(&"(".repeat(2000), "100 brackets");
    }

    #[test]
    fn deep_but_allowed_expressions_do_not_overflow() {
        let brackets = format!("{}true{}", "(".repeat(99), ")".repeat(99));
        let chain = format!("{}true", "!".repeat(500));
        let sum = format!("0{} == 480", "+1".repeat(480));
        for text in [brackets, chain, sum] {
            check(&text, Ok(true));
        }
    }

    #[test]
    fn views_yield_int() {
        check("object.n * 2 == 6 && type(object.n) == int", Ok(true));
        check(
            "type(object.big) == uint && object.f > 1.0 && object.l[0] == 1 && object.s.size() == 3",
            Ok(true),
        );
        check("object.missing == 1", Err(Failure::Error("No such key: missing".to_owned())));
        check(
            "object.s + 1 == 2",
            Err(Failure::Error(
                "Unsupported binary operator 'add': String(\"abc\"), Int(1)".to_owned(),
            )),
        );
    }

    #[test]
    fn a_runaway_expression_is_stopped() {
        let list = format!("[{}]", vec!["1"; 60].join(","));
        let nested = format!(
            "{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d > 0)))) || true"
        );
        check(&nested, Err(Failure::Limit));
        check(&format!("{list}.all(a, {list}.all(b, a + b > 0))"), Ok(true));
    }

    #[test]
    fn all_over_a_list_of_the_object_is_taken_apart() {
        fn told(each: &Each) -> String {
            let inner = each.body.iter().filter_map(|term| match term {
                Term::Each(inner) | Term::Guarded { each: inner, .. } => Some(told(inner)),
                Term::Whole(_) => None,
            });
            let root = match &each.range.root {
                Root::Object => "object",
                Root::PodSpec => "podSpec",
                Root::Prelude(name) | Root::Element(name) => name,
            };
            let mut text = root.to_owned();
            each.range.fields.iter().for_each(|field| text += &format!(".{field}"));
            inner.for_each(|inner| text += &format!(" > {inner}"));
            text
        }
        let terms = |text| {
            compile(text, &BTreeMap::new())
                .unwrap()
                .terms
                .iter()
                .map(|term| match term {
                    Term::Each(each) => told(each),
                    Term::Guarded { each, .. } => format!("?{}", told(each)),
                    Term::Whole(_) => "whole".to_owned(),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            terms(
                "variables.containers.all(c, true) && variables.volumes.all(v, true) && !variables.isWindows"
            ),
            ["containers", "volumes", "whole"]
        );
        assert_eq!(terms("variables.containers.exists(c, true)"), ["whole"]);
        assert_eq!(
            terms("variables.containers.all(c, true) || variables.isWindows"),
            ["?containers"]
        );
        assert_eq!(
            terms("variables.containers.all(c, true) || variables.volumes.all(v, true)"),
            ["whole"]
        );
        assert_eq!(
            terms("object.spec.?ports.orValue([]).all(p, has(p.a) && p.a.all(q, q == p))"),
            ["object.spec.ports > p.a"]
        );
        assert_eq!(
            terms("!has(object.spec.ports) || object.spec.ports.all(p, p > 0)"),
            ["?object.spec.ports"]
        );
        assert_eq!(
            terms("variables.podSpec.?hostAliases.orValue([]).all(h, h.ip != '')"),
            ["podSpec.hostAliases"]
        );
        assert_eq!(terms("object.spec.ports.map(p, p).all(p, true)"), ["whole"]);
    }
}
