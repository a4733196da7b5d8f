//! The evaluator for a noun at hand: routes, suppressions, and the judge of the other evaluator.
use super::{Node, Test};
use crate::cell::{Cell, SEPARATOR, cell, search_text};
use crate::noun::{Kind, Table};
use serde_json::Value;

pub(super) fn matches(node: &Node, table: &Table, document: &Value) -> bool {
    let matches = |node: &Node| matches(node, table, document);
    match node {
        Node::All(nodes) => nodes.iter().all(matches),
        Node::Any(nodes) => nodes.iter().any(matches),
        Node::Not(node) => !matches(node),
        Node::Test(test) => holds(test, table, document),
    }
}

fn holds(test: &Test, table: &Table, document: &Value) -> bool {
    match test {
        Test::Words(words) => search_text(table, document).contains(words.as_str()),
        Test::Present(field) => cell(field, document) != Cell::Absent,
        Test::Equals(field, expected) => match (field.kind, cell(field, document), expected) {
            (Kind::List, Cell::Text(items), Cell::Text(item)) => {
                items.contains(&format!("{SEPARATOR}{item}{SEPARATOR}"))
            }
            (_, Cell::Absent, _) => false,
            (_, value, expected) => value == *expected,
        },
        Test::Prefix(field, prefix) => match (field.kind, cell(field, document)) {
            (Kind::List, Cell::Text(items)) => items.contains(&format!("{SEPARATOR}{prefix}")),
            (_, Cell::Text(text)) => text.starts_with(prefix.as_str()),
            _ => false,
        },
        Test::Range(field, from, to) => match cell(field, document) {
            Cell::Int(value) => {
                from.is_none_or(|from| value >= from) && to.is_none_or(|to| value < to)
            }
            _ => false,
        },
    }
}
