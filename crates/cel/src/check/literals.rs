//! What Kubernetes demands of literals since 1.29: one type per list and map, durations, timestamps and patterns
//! that read.
use super::{Checked, Fault, formats};
use crate::library::regex::Regex;
use crate::node::{Kind, Literal, Node};
use crate::time::{Duration, Timestamp};
use crate::types::Type;
use std::collections::HashSet;

/// Adds faults in the order cel-go's validators run.
pub(super) fn check(root: &Node, minor: u32, checked: &mut Checked) {
    let nodes = descendants(root);
    let mut faults = Vec::new();
    let read: &[&str] = if minor >= READ { &["duration", "timestamp", "matches"] } else { &[] };
    for &function in read {
        for node in &nodes {
            if let Kind::Call { function: called, arguments, .. } = &node.kind
                && called == function
                && let Some(argument) = arguments.first()
                && let Kind::Literal(literal) = &argument.kind
                && !reads(function, literal)
            {
                let message = format!("invalid {function} argument");
                faults.push(Fault { at: argument.at, message });
            }
        }
    }
    let exempt = if minor >= READ { inside_formats(&nodes) } else { HashSet::new() };
    for node in nodes.iter().filter(|node| !exempt.contains(&node.id)) {
        match &node.kind {
            Kind::List(elements) => {
                let elements = elements.iter().map(|element| (&element.value, element.optional));
                one_type(elements, checked, &mut faults, true);
            }
            Kind::Map(entries) => {
                let keys = entries.iter().map(|entry| (&entry.key, false));
                one_type(keys, checked, &mut faults, false);
                let values = entries.iter().map(|entry| (&entry.value, entry.optional));
                one_type(values, checked, &mut faults, false);
            }
            _ => {}
        }
    }
    if minor >= READ {
        formats::check(&nodes, checked, &mut faults);
    }
    checked.faults.append(&mut faults);
}

/// First minor that reads literals, and that knows `format`.
const READ: u32 = 29;

/// Ids of all nodes somewhere inside a call of `format`, whose arguments may be mixed.
fn inside_formats(nodes: &[&Node]) -> HashSet<u32> {
    let mut inside = HashSet::new();
    for node in nodes {
        let format = matches!(&node.kind, Kind::Call { function, .. } if function == "format");
        // `nodes` has parents before their children.
        if format || inside.contains(&node.id) {
            inside.extend(node.children().iter().map(|child| child.id));
        }
    }
    inside
}

fn descendants(root: &Node) -> Vec<&Node> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(node) = found.get(at) {
        found.extend(node.children());
        at += 1;
    }
    found
}

fn reads(function: &str, literal: &Literal) -> bool {
    match (function, literal) {
        ("duration", Literal::String(text)) => Duration::parse(text).is_some(),
        ("duration", Literal::Int(_)) => false,
        ("timestamp", Literal::String(text)) => {
            matches!(Timestamp::parse(text), Some(Some(_)))
        }
        ("timestamp", Literal::Int(seconds)) => Timestamp::at(*seconds, 0, 0).is_some(),
        ("matches", Literal::String(pattern)) => Regex::new(pattern).is_ok(),
        _ => true,
    }
}

/// Every element must have the first one's type, `dyn` too.
fn one_type<'n>(
    elements: impl Iterator<Item = (&'n Node, bool)>,
    checked: &Checked,
    faults: &mut Vec<Fault>,
    first_only: bool,
) {
    let mut expected: Option<&Type> = None;
    for (node, optional) in elements {
        let found = match &checked.types[node.id as usize] {
            Type::Optional(inner) if optional => inner.as_ref(),
            other => other,
        };
        match expected {
            None => expected = Some(found),
            Some(expected) if expected == found => {}
            Some(expected) => {
                let message = format!("expected type '{expected}' but found '{found}'");
                faults.push(Fault { at: node.at, message });
                if first_only {
                    return;
                }
            }
        }
    }
}
