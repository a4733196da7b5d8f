//! The evaluator for the database: a condition on the row `t`, values as parameters only.
use super::{Node, Test};
use crate::cell::{Cell, SEPARATOR};
use crate::db::{Arg, Db, Sql};
use crate::noun::{Field, Kind};

/// Appends the condition, in parentheses. Every comparison is true or false, never NULL, so that NOT is exact.
pub(crate) fn push_filter(db: &Db, sql: &mut Sql, node: &Node) {
    match node {
        Node::All(nodes) => push_group(db, sql, nodes, " AND ", "1 = 1"),
        Node::Any(nodes) => push_group(db, sql, nodes, " OR ", "1 = 0"),
        Node::Not(node) => {
            sql.push("(NOT ");
            push_filter(db, sql, node);
            sql.push(")");
        }
        Node::Test(test) => {
            sql.push("(");
            push_test(db, sql, test);
            sql.push(")");
        }
    }
}

fn push_group(db: &Db, sql: &mut Sql, nodes: &[Node], join: &str, empty: &str) {
    sql.push("(");
    if nodes.is_empty() {
        sql.push(empty);
    }
    for (position, node) in nodes.iter().enumerate() {
        if position > 0 {
            sql.push(join);
        }
        push_filter(db, sql, node);
    }
    sql.push(")");
}

fn push_test(db: &Db, sql: &mut Sql, test: &Test) {
    match test {
        Test::Words(words) => {
            let number = sql.number(Arg::Text(Some(words.clone())));
            sql.push(&db.contains("t.search", number));
        }
        Test::Present(field) => {
            sql.push(&format!("t.{} IS NOT NULL", field.column));
        }
        Test::Equals(field, Cell::Text(item)) if field.kind == Kind::List => {
            push_item(db, sql, field, format!("{SEPARATOR}{item}{SEPARATOR}"));
        }
        Test::Equals(field, value) => {
            let arg = match value {
                Cell::Absent => Arg::Text(None),
                Cell::Text(text) => Arg::Text(Some(text.clone())),
                Cell::Int(number) => Arg::Int(Some(*number)),
            };
            sql.push(&format!("t.{0} IS NOT NULL AND t.{0} = ", field.column)).bind(arg);
        }
        Test::Prefix(field, prefix) if field.kind == Kind::List => {
            push_item(db, sql, field, format!("{SEPARATOR}{prefix}"));
        }
        Test::Prefix(field, prefix) => {
            let column = field.column;
            sql.push(&format!("t.{column} IS NOT NULL AND t.{column} >= "));
            sql.bind(Arg::Text(Some(prefix.clone())));
            if let Some(after) = after(prefix) {
                sql.push(&format!(" AND t.{column} < ")).bind(Arg::Text(Some(after)));
            }
        }
        Test::Range(field, from, to) => {
            sql.push(&format!("t.{} IS NOT NULL", field.column));
            for (operator, edge) in [(">=", from), ("<", to)] {
                if let Some(edge) = edge {
                    sql.push(&format!(" AND t.{} {operator} ", field.column));
                    sql.bind(Arg::Int(Some(*edge)));
                }
            }
        }
    }
}

fn push_item(db: &Db, sql: &mut Sql, field: &Field, part: String) {
    let number = sql.number(Arg::Text(Some(part)));
    let column = format!("t.{}", field.column);
    sql.push(&format!("{column} IS NOT NULL AND {}", db.contains(&column, number)));
}

/// The first text, in byte order, after all that begin with `prefix`; `None` when there is none.
fn after(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // UTF-8 keeps the order of code points; the surrogates between are no characters.
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[test]
fn prefix_ranges() {
    let check = |prefix: &str, expected: Option<&str>| {
        assert_eq!(after(prefix).as_deref(), expected, "{prefix:?}");
    };
    check("ab", Some("ac"));
    check("é", Some("ê"));
    check("a\u{10ffff}", Some("b"));
    check("\u{d7ff}", Some("\u{e000}"));
    check("\u{10ffff}", None);
    check("", None);
}
