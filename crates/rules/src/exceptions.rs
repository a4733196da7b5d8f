//! A rule's exceptions: named shapes of comparisons and the values that are excepted, joined over all its items into
//! `and not (…)`.
use crate::condition::{
    Check, Condition, Expr, ExprId, FieldName, Literal, Modifier, Op, Operand, Right,
};
use crate::definitions::{scalar, sequence, wrong};
use crate::parse::{Text, parse_output_operand, unquote};
use crate::suggest::did_you_mean;
use crate::yaml::{Node, Place, Source, Value};
use seawall_model::Problem;

type Found = (Problem, Place);

struct Exception {
    name: String,
    fields: Vec<Operand>,
    comps: Vec<Comp>,
    /// One field without a list: values are a plain list.
    single: bool,
    values: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Comp {
    op: Op,
    modifier: Option<Modifier>,
}

impl Comp {
    fn takes_list(self) -> bool {
        self.op.is_list() || self.modifier.is_some()
    }
}

const KEYS: &[&str] = &["name", "fields", "comps", "values"];

/// Adds the exceptions to a parsed condition.
pub(crate) fn apply(
    condition: &mut Condition,
    nodes: &[Node],
    sources: &[Source],
) -> Result<(), Found> {
    let mut exceptions: Vec<Exception> = Vec::new();
    for node in nodes {
        merge(node, &mut exceptions, sources)?;
    }
    let mut alternatives: Vec<ExprId> = Vec::new();
    for exception in &exceptions {
        if exception.single {
            if !exception.values.is_empty() {
                let (field, comp) = (&exception.fields[0], exception.comps[0]);
                let literals = literals(&exception.values)?;
                alternatives.push(push(condition, check(field, comp, Right::List(literals))));
            }
            continue;
        }
        for tuple in &exception.values {
            alternatives.push(conjunction(condition, exception, tuple)?);
        }
    }
    if alternatives.is_empty() {
        return Ok(());
    }
    let any = push(condition, Expr::Or(alternatives));
    let not = push(condition, Expr::Not(any));
    condition.root = push(condition, Expr::And(vec![condition.root, not]));
    Ok(())
}

fn push(condition: &mut Condition, expr: Expr) -> ExprId {
    condition.nodes.push(expr);
    (condition.nodes.len() - 1) as ExprId
}

fn check(field: &Operand, comp: Comp, right: Right) -> Expr {
    let op_place = place_of(field);
    Expr::Check(Box::new(Check {
        left: field.clone(),
        op: comp.op,
        modifier: comp.modifier,
        right,
        op_place,
    }))
}

fn place_of(operand: &Operand) -> Place {
    match operand {
        Operand::Field(FieldName { place, .. }) | Operand::Transform { place, .. } => *place,
    }
}

fn conjunction(
    condition: &mut Condition,
    exception: &Exception,
    tuple: &Node,
) -> Result<ExprId, Found> {
    let values = match &tuple.value {
        Value::Sequence(values) => values.as_slice(),
        // One field in a list may have its values without one.
        _ => std::slice::from_ref(tuple),
    };
    if values.len() != exception.fields.len() {
        let message = format!(
            "exception `{}` has {} fields, these are {} values",
            exception.name,
            exception.fields.len(),
            values.len()
        );
        return Err(wrong("type", tuple.place, message));
    }
    let mut conjuncts = Vec::new();
    for ((field, comp), value) in exception.fields.iter().zip(&exception.comps).zip(values) {
        let right = match (&value.value, comp.takes_list()) {
            (Value::Sequence(items), true) => Right::List(literals(items)?),
            (_, true) => Right::List(literals(std::slice::from_ref(value))?),
            (_, false) => Right::Literal(literal(value, true)?),
        };
        conjuncts.push(push(condition, check(field, *comp, right)));
    }
    Ok(push(condition, Expr::And(conjuncts)))
}

/// List values; an inner list is flattened, a bare word may name a list.
fn literals(nodes: &[Node]) -> Result<Vec<Literal>, Found> {
    let mut literals = Vec::new();
    for node in nodes {
        match &node.value {
            Value::Sequence(items) => {
                for item in items {
                    literals.push(literal(item, false)?);
                }
            }
            _ => literals.push(literal(node, false)?),
        }
    }
    Ok(literals)
}

fn literal(node: &Node, quoted: bool) -> Result<Literal, Found> {
    let text = scalar(node)?.text().unwrap_or_default();
    // Public rules write a list's name in parentheses: `(shells)`.
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|_| !quoted);
    let plain = unquote(inner.unwrap_or(text).trim());
    let quoted = quoted || plain != inner.unwrap_or(text).trim();
    Ok(Literal { text: plain, quoted, place: node.place })
}

fn merge(node: &Node, exceptions: &mut Vec<Exception>, sources: &[Source]) -> Result<(), Found> {
    let Value::Mapping(entries) = &node.value else {
        return Err(wrong(
            "type",
            node.place,
            format!("an exception is a mapping, not {}", node.kind()),
        ));
    };
    for (key, _) in entries {
        let name = key.text().unwrap_or_default();
        if !KEYS.contains(&name) {
            let mut problem =
                Problem::error("unknown-key", format!("no key `{name}` in an exception"));
            problem.help = did_you_mean(name, KEYS.iter().copied());
            return Err((problem, key.place));
        }
    }
    let get = |wanted: &str| {
        entries.iter().find(|(key, _)| key.text() == Some(wanted)).map(|(_, value)| value)
    };
    let name = get("name").and_then(Node::text).unwrap_or_default();
    if name.is_empty() {
        return Err(wrong("type", node.place, "an exception needs a `name`"));
    }
    let values = get("values").map(sequence).transpose()?.unwrap_or_default();
    if let Some(known) = exceptions.iter_mut().find(|known| known.name == name) {
        known.values.extend(values.iter().cloned());
        return Ok(());
    }
    let Some(fields_node) = get("fields").filter(|fields| !fields.is_null()) else {
        return Err(wrong(
            "no-previous",
            node.place,
            format!("exception `{name}` has no `fields`, and no earlier item defines it"),
        ));
    };
    let (field_nodes, single) = one_or_many(fields_node);
    let fields =
        field_nodes.iter().map(|node| field(node, sources)).collect::<Result<Vec<_>, _>>()?;
    let comps = match get("comps") {
        None => {
            let op = if single { Op::In } else { Op::Eq };
            vec![Comp { op, modifier: None }; fields.len()]
        }
        Some(node) => one_or_many(node).0.iter().map(comp).collect::<Result<_, _>>()?,
    };
    if comps.len() != fields.len() {
        let message =
            format!("exception `{name}` has {} fields and {} comps", fields.len(), comps.len());
        return Err(wrong("type", node.place, message));
    }
    let mut comps = comps;
    if single && !comps[0].takes_list() {
        // Falco demands a list operator here; any of the values is what its users mean.
        comps[0].modifier = Some(Modifier::AnyOf);
    }
    exceptions.push(Exception {
        name: name.to_owned(),
        fields,
        comps,
        single,
        values: values.to_vec(),
    });
    Ok(())
}

/// The nodes, and whether there was no list around them.
fn one_or_many(node: &Node) -> (&[Node], bool) {
    match &node.value {
        Value::Sequence(items) => (items, false),
        _ => (std::slice::from_ref(node), true),
    }
}

fn field(node: &Node, sources: &[Source]) -> Result<Operand, Found> {
    let text = scalar(node)?.text().unwrap_or_default();
    let places =
        sources.get(node.place.file as usize).map(|source| source.places(node)).unwrap_or_default();
    let parsed = parse_output_operand(&Text { text, places: &places });
    match parsed {
        Ok((operand, length)) if length == text.len() => {
            // An exception without values yet names its fields all the same.
            crate::source::resolve(&operand)?;
            Ok(operand)
        }
        Ok(_) => Err(wrong("syntax", node.place, format!("`{text}` is no single field"))),
        Err((mut problem, _)) => {
            problem.message = format!("`{text}` is no field");
            Err((problem, node.place))
        }
    }
}

fn comp(node: &Node) -> Result<Comp, Found> {
    let text = scalar(node)?.text().unwrap_or_default();
    let (op, modifier) = match text.split_once(' ') {
        None => (text, None),
        Some((op, modifier)) => (op, Some(modifier.trim())),
    };
    let op = if op == "==" { "=" } else { op };
    let parsed = Op::parse(op).filter(|op| *op != Op::Exists);
    let modifier = match modifier {
        None => Some(None),
        Some("oneof") => Some(Some(Modifier::OneOf)),
        Some("anyof") => Some(Some(Modifier::AnyOf)),
        Some("allof") => Some(Some(Modifier::AllOf)),
        Some(_) => None,
    };
    match (parsed, modifier) {
        (Some(op), Some(modifier)) if modifier.is_none() || op.takes_modifier() => {
            Ok(Comp { op, modifier })
        }
        _ => {
            let mut problem = Problem::error("unknown-operator", format!("no operator `{text}`"));
            problem.help = did_you_mean(op, Op::ALL.iter().map(|op| op.as_str()));
            Err((problem, node.place))
        }
    }
}
