//! Conditions of controls: CEL compiled once, taken apart where it speaks of every element of a list.
mod terms;
pub(crate) mod types;

pub(crate) use seawall_cel::Type;
use seawall_cel::{Activation, Budget, CompileError, Env, EvalError, Program, Stage, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub(crate) use terms::{Each, Range, Root, Term};

/// The functions that conditions on objects may use: an exported policy loads where new expressions are held against
/// 1.29, which is from Kubernetes 1.30 on.
const EXPORTED: u32 = 29;
/// Conditions on facts run here alone.
const NEWEST: u32 = 36;

/// What an expression may name.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Type of the declared parameters.
    pub(crate) params: BTreeMap<String, Type>,
    /// `object`: a struct of the table, or anything.
    pub(crate) object: Type,
    /// Whether the variables of a workload are there.
    pub(crate) prelude: bool,
    /// Whether the API server has to understand it too.
    pub(crate) exported: bool,
}

/// A boolean expression, ready to run.
#[derive(Debug)]
pub(crate) struct Expression {
    /// As it was written.
    pub(crate) text: String,
    pub(crate) terms: Vec<Term>,
    /// Prelude variables it reads, `params` among them, and `object` where it reads that.
    pub(crate) variables: BTreeSet<String>,
    /// (struct, field) pairs it reads, to tell which malformed fields concern it.
    pub(crate) fields: BTreeSet<(String, String)>,
}

/// Why an expression has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Error(String),
    Limit,
}

/// Type of a prelude variable; `params` is apart.
const PRELUDE: [(&str, &str, &[&str]); 8] = [
    ("podSpec", "PodSpec", &[]),
    ("podMeta", "ObjectMeta", &[]),
    ("containers", "[Container]", &["containers", "initContainers", "ephemeralContainers"]),
    ("mainContainers", "[Container]", &["containers"]),
    ("initContainers", "[Container]", &["initContainers"]),
    ("ephemeralContainers", "[EphemeralContainer]", &["ephemeralContainers"]),
    ("volumes", "[Volume]", &["volumes"]),
    ("isWindows", "bool", &["os"]),
];

/// Parses and checks `text`.
/// Errors: syntax, unknown functions, variables, fields and parameters, types that never fit, no boolean.
pub(crate) fn compile(text: &str, names: &Names) -> Result<Expression, Vec<CompileError>> {
    let env = environment(names);
    let program = env.compile(text)?;
    if !matches!(program.output(), Type::Bool | Type::Dyn) {
        let message = format!("must be bool, is {}", program.output());
        return Err(vec![CompileError { stage: Stage::Check, message, line: 1, column: 1 }]);
    }
    let terms = terms::split(&env, &program)?;
    let variables: BTreeSet<String> = program
        .variables()
        .iter()
        .map(|name| name.strip_prefix("variables.").unwrap_or(name).to_owned())
        .collect();
    let mut fields: BTreeSet<(String, String)> =
        program.reads().iter().map(|(owner, field)| (owner.to_string(), field.clone())).collect();
    for (name, _, sources) in &PRELUDE {
        if variables.contains(*name) {
            let read = |source: &&str| ("PodSpec".to_owned(), (*source).to_owned());
            fields.extend(sources.iter().map(read));
        }
    }
    Ok(Expression { text: text.to_owned(), terms, variables, fields })
}

fn environment(names: &Names) -> Env {
    let minor = if names.exported { EXPORTED } else { NEWEST };
    let schema = types::Schema { params: names.params.clone() };
    let mut env = Env::kubernetes(minor)
        .with_schema(Arc::new(schema))
        .with_variable("object", names.object.clone())
        .with_variable("variables.params", Type::Struct(types::PARAMS.into()));
    if names.prelude {
        for (name, kind, _) in PRELUDE {
            env = env.with_variable(&format!("variables.{name}"), types::parse(kind));
        }
    }
    env
}

/// Whether `program` holds. Errors: its own, or that it costs too much.
pub(crate) fn holds<'a>(
    program: &Program,
    activation: &dyn Activation<'a>,
    budget: &mut Budget,
) -> Result<bool, Failure> {
    match program.evaluate(activation, budget) {
        Ok(Value::Bool(holds)) => Ok(holds),
        Ok(other) => {
            let message = format!("expression yields {}, not a boolean", other.type_name());
            Err(Failure::Error(message))
        }
        Err(EvalError::Limit) => Err(Failure::Limit),
        Err(error) => Err(Failure::Error(error.to_string())),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        let params = BTreeMap::from([("on".to_owned(), Type::Bool)]);
        Names { params, object: Type::Dyn, prelude: true, exported: true }
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let errors = compile(text, &names()).expect_err(text);
        let told = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert!(told.contains(expected), "{text}: {told}");
    }

    #[track_caller]
    fn check(text: &str, expected: Result<bool, Failure>) {
        let expression =
            compile(text, &names()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let object = json!({"n": 3, "f": 1.5, "s": "abc", "l": [1, 2], "m": {"a": null}});
        let variables = [("object", Value::json(&object))];
        let Term::Whole(whole) = &expression.terms[0] else { panic!("{text}") };
        assert_eq!(holds(whole, &variables, &mut Budget::expression()), expected, "{text}");
    }

    #[test]
    fn what_cannot_be_right_is_refused_with_its_place() {
        check_error(
            "variables.containers.all(c, c.secContext == 1)",
            "undefined field 'secContext' (at 1:30",
        );
        check_error("variables.podSpec.hostPID == 'true'", "no matching overload");
        check_error("variables.pods.all(c, true)", "undefined field 'pods'");
        check_error("variables.params.off", "undefined field 'off'");
        check_error("variables.containers.all(c, c.?image.startsWith('x'))", "startsWith");
        check_error("authorizer.path('/x').check('get').allowed()", "undeclared reference");
        check_error("[1, 'a'] == []", "int");
        check_error("variables.podSpec.hostPID &&", "Syntax error");
        check_error("1 + 1", "must be bool, is int");
        check_error(&"(".repeat(2000), "bracket");
        let without = Names { prelude: false, ..names() };
        assert!(compile("variables.podSpec.hostPID", &without).is_err());
    }

    #[test]
    fn deep_but_allowed_expressions_do_not_overflow() {
        let brackets = format!("{}true{}", "(".repeat(99), ")".repeat(99));
        let sum = format!("0{} == 480", "+1".repeat(480));
        for text in [brackets, sum] {
            check(&text, Ok(true));
        }
    }

    #[test]
    fn views_yield_int() {
        check("object.n * 2 == 6 && type(object.n) == int", Ok(true));
        check("object.f > 1.0 && object.l[0] == 1 && object.s.size() == 3", Ok(true));
        check("object.missing == 1", Err(Failure::Error("no such key: missing".to_owned())));
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
        let check = |text: &str, expected: &[&str]| {
            let expression = compile(text, &names()).unwrap();
            let terms: Vec<String> = expression
                .terms
                .iter()
                .map(|term| match term {
                    Term::Each(each) => told(each),
                    Term::Guarded { each, .. } => format!("?{}", told(each)),
                    Term::Whole(_) => "whole".to_owned(),
                })
                .collect();
            assert_eq!(terms, expected, "{text}");
        };
        check(
            "variables.containers.all(c, true) && variables.volumes.all(v, true) && !variables.isWindows",
            &["containers", "volumes", "whole"],
        );
        check("variables.containers.exists(c, true)", &["whole"]);
        check("variables.containers.all(c, true) || variables.isWindows", &["?containers"]);
        check("variables.containers.all(c, true) || variables.volumes.all(v, true)", &["whole"]);
        check(
            "object.spec.?ports.orValue([]).all(p, has(p.a) && p.a.all(q, q == p))",
            &["object.spec.ports > p.a"],
        );
        check(
            "!has(object.spec.ports) || object.spec.ports.all(p, p > 0)",
            &["?object.spec.ports"],
        );
        check(
            "variables.podSpec.?hostAliases.orValue([]).all(h, h.ip != '')",
            &["podSpec.hostAliases"],
        );
        check("object.spec.ports.map(p, p).all(p, true)", &["whole"]);
    }
}
