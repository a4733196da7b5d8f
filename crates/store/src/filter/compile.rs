//! Syntax tree to comparisons on one noun's fields: names, words, numbers and times get their meaning here.
use super::grammar::{Operator, Syntax, Text};
use super::{FilterError, Node, Test, date, fold, nearest};
use crate::cell::{Cell, SEPARATOR, clip, decimal, rank};
use crate::noun::{Field, Kind, Table};
use seawall_model::{Millis, Severity};

pub(super) fn compile(
    table: &'static Table,
    syntax: &Syntax,
    now: Millis,
) -> Result<Node, FilterError> {
    let group = |items: &[Syntax]| {
        items.iter().map(|item| compile(table, item, now)).collect::<Result<Vec<Node>, _>>()
    };
    Ok(match syntax {
        Syntax::All(items) => Node::All(group(items)?),
        Syntax::Any(items) => Node::Any(group(items)?),
        Syntax::Not(item) => Node::Not(Box::new(compile(table, item, now)?)),
        Syntax::Words(words) => Node::Test(Test::Words(fold(&clip(&words.text)))),
        Syntax::Field { name, operator, values } => {
            let field = find(table, name)?;
            let test = |value| test(field, *operator, value, now);
            let mut tests: Vec<Node> = values.iter().map(test).collect::<Result<_, _>>()?;
            if tests.len() == 1 { tests.remove(0) } else { Node::Any(tests) }
        }
    })
}

fn find(table: &'static Table, name: &Text) -> Result<&'static Field, FilterError> {
    table.field(&name.text).ok_or_else(|| {
        let near = nearest(&name.text, table.fields.iter().map(|field| field.name));
        let hint = match &near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "quote it to search for the text".to_owned(),
        };
        let message = format!("{} has no field `{}`; {hint}", table.plural, name.text);
        FilterError { position: name.position, message, nearest: near }
    })
}

fn error(value: &Text, message: String, nearest: Option<String>) -> FilterError {
    FilterError { position: value.position, message, nearest }
}

fn test(
    field: &'static Field,
    operator: Operator,
    value: &Text,
    now: Millis,
) -> Result<Node, FilterError> {
    let equals = operator == Operator::Equals;
    if equals && !value.quoted && value.text == "*" {
        return Ok(Node::Test(Test::Present(field)));
    }
    let ordered = !matches!(field.kind, Kind::Text | Kind::Word(_) | Kind::List | Kind::Bool);
    if !equals && !ordered {
        let message = format!("`{}` is a {}: it has no order", field.name, field.kind.name());
        return Err(error(value, message, None));
    }
    match field.kind {
        Kind::Text | Kind::List => Ok(Node::Test(text(field, value))),
        Kind::Word(words) => {
            let word = words.iter().find(|word| fold(word) == fold(&value.text));
            let word = word.ok_or_else(|| not_a_word(field, value, words))?;
            Ok(Node::Test(Test::Equals(field, Cell::Text((*word).to_owned()))))
        }
        Kind::Bool => match fold(&value.text).as_str() {
            "true" | "yes" => Ok(Node::Test(Test::Equals(field, Cell::Int(1)))),
            "false" | "no" => Ok(Node::Test(Test::Equals(field, Cell::Int(0)))),
            _ => Err(not_a_word(field, value, &["true", "false"])),
        },
        Kind::Severity => severity(field, operator, value),
        Kind::Number | Kind::Decimal => {
            let number = number(field, value)?;
            Ok(range(field, operator, number, number.saturating_add(1)))
        }
        Kind::Time | Kind::Deadline => time(field, operator, value, now),
    }
}

fn text(field: &'static Field, value: &Text) -> Test {
    let text = clip(&value.text);
    // Items hold none, see `cell`.
    let text = if field.kind == Kind::List { text.replace(SEPARATOR, "") } else { text };
    match text.strip_suffix('*') {
        Some(prefix) if !value.quoted => Test::Prefix(field, prefix.to_owned()),
        _ => Test::Equals(field, Cell::Text(text)),
    }
}

fn not_a_word(field: &Field, value: &Text, words: &[&'static str]) -> FilterError {
    let near = nearest(&value.text, words.iter().copied());
    let hint = near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let expected = words.join(", ");
    let message = format!("`{}` takes {expected}, not `{}`{hint}", field.name, value.text);
    error(value, message, near)
}

fn severity(field: &'static Field, operator: Operator, value: &Text) -> Result<Node, FilterError> {
    let words = Severity::ALL.map(Severity::as_str);
    let level: Severity = value.text.parse().map_err(|_| not_a_word(field, value, &words))?;
    let level_rank = rank(level);
    if operator == Operator::Equals {
        return Ok(Node::Test(Test::Equals(field, Cell::Int(level_rank))));
    }
    if level == Severity::Unknown {
        let message = "`unknown` is neither above nor below another severity".to_owned();
        return Err(error(value, message, None));
    }
    let known = rank(Severity::Unknown) + 1;
    let (from, to) = match operator {
        Operator::Above => (Some(level_rank + 1), None),
        Operator::AtLeast | Operator::Equals => (Some(level_rank), None),
        Operator::Below => (Some(known), Some(level_rank)),
        Operator::AtMost => (Some(known), Some(level_rank + 1)),
    };
    Ok(Node::Test(Test::Range(field, from, to)))
}

fn number(field: &Field, value: &Text) -> Result<i64, FilterError> {
    let parsed = match field.kind {
        Kind::Decimal => {
            value.text.parse().ok().filter(|number: &f64| number.is_finite()).map(decimal)
        }
        _ => value.text.parse().ok(),
    };
    parsed.ok_or_else(|| {
        let kind = if field.kind == Kind::Decimal { "number such as 0.5" } else { "whole number" };
        error(value, format!("`{}` takes a {kind}, not `{}`", field.name, value.text), None)
    })
}

/// A value that covers `[from, to)`: a number covers itself, a date its day.
fn range(field: &'static Field, operator: Operator, from: i64, to: i64) -> Node {
    let (from, to) = match operator {
        Operator::Equals => (Some(from), Some(to)),
        Operator::Above => (Some(to), None),
        Operator::AtLeast => (Some(from), None),
        Operator::Below => (None, Some(from)),
        Operator::AtMost => (None, Some(to)),
    };
    Node::Test(Test::Range(field, from, to))
}

fn time(
    field: &'static Field,
    operator: Operator,
    value: &Text,
    now: Millis,
) -> Result<Node, FilterError> {
    if let Some(span) = date::absolute(&value.text) {
        return Ok(range(field, operator, span.start, span.end));
    }
    let Some(span) = date::duration(&value.text) else {
        let message = format!(
            "`{}` takes a date such as 2026-01-31 or 2026-01-31T08:00Z, or a time such as <7d (s, m, h, d, w), not `{}`",
            field.name, value.text
        );
        return Err(error(value, message, None));
    };
    if operator == Operator::Equals {
        let message = format!("say `{0}:<{1}` or `{0}:>{1}`", field.name, value.text);
        return Err(error(value, message, None));
    }
    let (edge, operator) = match (field.kind, operator) {
        (Kind::Deadline, operator) => (now.saturating_add(span), operator),
        // A smaller age is a later time.
        (_, Operator::Above) => (now.saturating_sub(span), Operator::Below),
        (_, Operator::AtLeast) => (now.saturating_sub(span), Operator::AtMost),
        (_, Operator::Below) => (now.saturating_sub(span), Operator::Above),
        (_, _) => (now.saturating_sub(span), Operator::AtLeast),
    };
    Ok(range(field, operator, edge, edge.saturating_add(1)))
}
