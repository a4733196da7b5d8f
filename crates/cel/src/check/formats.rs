//! Calls of `string.format` with a constant text and a list of arguments: clauses and types must fit. Since 1.29.
//! Source: cel-go/ext/formatting.go at 0.26, stringFormatValidator.
use super::{Checked, Fault};
use crate::library::strings::printf::{self, Verb};
use crate::node::{Kind, Literal, Node};
use crate::types::Type;

/// Adds a fault for each call that cannot succeed.
pub(super) fn check(nodes: &[&Node], checked: &Checked, faults: &mut Vec<Fault>) {
    for node in nodes {
        if let Kind::Call { function, target: Some(target), arguments } = &node.kind
            && function == "format"
            && let Kind::Literal(Literal::String(text)) = &target.kind
            && let [Node { kind: Kind::List(elements), .. }] = arguments.as_slice()
        {
            let given: Vec<&Node> = elements.iter().map(|element| &element.value).collect();
            match clauses(text, &given, checked) {
                Err((at, message)) => faults.push(Fault { at: at.unwrap_or(node.at), message }),
                Ok(wanted) if wanted < given.len() => {
                    let given = given.len();
                    let message = format!(
                        "too many arguments supplied to string.format (expected {wanted}, got {given})"
                    );
                    faults.push(Fault { at: node.at, message });
                }
                Ok(_) => {}
            }
        }
    }
}

/// The number of clauses. Error: cel-go's text, and the place of an argument of the wrong type.
fn clauses(
    text: &str,
    given: &[&Node],
    checked: &Checked,
) -> Result<usize, (Option<usize>, String)> {
    let (mut rest, mut index) = (text, 0);
    while let Some((_, clause)) = rest.split_once('%') {
        if let Some(after) = clause.strip_prefix('%') {
            rest = after;
            continue;
        }
        if clause.is_empty() {
            return Err((None, "unexpected end of string".into()));
        }
        let argument = given.get(index).ok_or((None, format!("index {index} out of range")))?;
        let (verb, taken) = printf::clause(clause).map_err(|error| (None, error))?;
        if let Err(bad) = fits(verb, argument, checked) {
            let name = type_name(type_of(bad, checked));
            let message = format!("error during formatting: {}", verb.refusal(name));
            return Err((Some(bad.at), message));
        }
        rest = &clause[taken..];
        index += 1;
    }
    Ok(index)
}

fn type_of<'c>(node: &Node, checked: &'c Checked) -> &'c Type {
    checked.types.get(node.id as usize).unwrap_or(&Type::Dyn)
}

/// Error: the node whose type the verb does not print.
fn fits<'n>(verb: Verb, node: &'n Node, checked: &Checked) -> Result<(), &'n Node> {
    let kind = type_of(node, checked);
    let printed = match verb {
        Verb::String => return prints(node, checked),
        Verb::Decimal | Verb::Octal => matches!(kind, Type::Int | Type::Uint),
        Verb::Fixed(_) | Verb::Scientific(_) => matches!(kind, Type::Double | Type::String),
        Verb::Binary => matches!(kind, Type::Int | Type::Uint | Type::Bool),
        Verb::Hex { .. } => matches!(kind, Type::Int | Type::Uint | Type::String | Type::Bytes),
    };
    if printed || *kind == Type::Dyn { Ok(()) } else { Err(node) }
}

/// `%s` prints what literals hold, too.
fn prints<'n>(node: &'n Node, checked: &Checked) -> Result<(), &'n Node> {
    if matches!(
        type_of(node, checked),
        Type::Optional(_) | Type::Opaque(_) | Type::Struct(_) | Type::Param(_) | Type::Error
    ) {
        return Err(node);
    }
    match &node.kind {
        Kind::List(elements) => {
            elements.iter().try_for_each(|element| prints(&element.value, checked))
        }
        Kind::Map(entries) => entries.iter().try_for_each(|entry| {
            prints(&entry.key, checked).and_then(|()| prints(&entry.value, checked))
        }),
        _ => Ok(()),
    }
}

/// As run time names types, without their parameters.
fn type_name(kind: &Type) -> &str {
    match kind {
        Type::Dyn | Type::Var(_) => "dyn",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Uint => "uint",
        Type::Double => "double",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Null => "null_type",
        Type::Type => "type",
        Type::Duration => "google.protobuf.Duration",
        Type::Timestamp => "google.protobuf.Timestamp",
        Type::List(_) => "list",
        Type::Map(..) => "map",
        Type::Optional(_) => "optional_type",
        Type::Struct(name) | Type::Opaque(name) | Type::Param(name) => name,
        Type::Error => "!error!",
    }
}
