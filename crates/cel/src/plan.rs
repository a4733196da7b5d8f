//! Checked nodes → steps: names become slots, constants are folded, patterns compiled, prices settled. What costs
//! what follows cel-go's planner, whose "attributes" (a variable and its qualifiers) are cheaper as branches of `?:`
//! and as indexes.
use crate::check::{Checked, Reference};
use crate::env::Env;
use crate::error::EvalError;
use crate::functions::Declared;
use crate::library::regex::Regex;
use crate::node::{Comprehension, Kind, Literal, Loop, Node};
use crate::parser::Parsed;
use crate::types::Name;
use crate::value::number::Operator;
use crate::value::{Text, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// A constant that fails, at a byte of the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// One step of the interpreter.
#[derive(Debug)]
pub(crate) enum Step {
    Constant(Value<'static>),
    Attribute(Box<Attribute>),
    And(Vec<Step>),
    Or(Vec<Step>),
    Not(Box<Step>),
    Negate(Box<Step>),
    Conditional(Box<[Step; 3]>),
    /// Operands; whether `!=`.
    Equals(Box<[Step; 2]>, bool),
    Order(Box<[Step; 2]>, Order),
    Arithmetic(Box<[Step; 2]>, Operator, Priced),
    /// Item, container; whether the container is known to be a list.
    In(Box<[Step; 2]>, bool),
    /// Item in constants that are all scalars: free, as cel-go's set.
    InSet(Box<Step>, Vec<Value<'static>>),
    Matches(Box<[Step; 2]>, Option<Box<Regex>>, bool),
    /// `a.or(b)`, `a.orValue(b)`; whether the value is unwrapped.
    OrElse(Box<[Step; 2]>, bool),
    Call(Box<Call>),
    List(Vec<(Step, bool)>),
    Map(Vec<(Step, Step, bool)>),
    Loop(Box<Fold>),
    OptMap(Box<OptMap>),
    /// A value that the second step reads as a local.
    Bind(Box<[Step; 2]>),
}

/// Whether strings of this operation cost by their length: only where the checker knew the types.
pub(crate) type Priced = bool;

/// Which orders satisfy a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) name: &'static str,
    pub(crate) holds: fn(Ordering) -> bool,
    pub(crate) priced: Priced,
}

/// A value and the keys that lead into it.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) root: Root,
    pub(crate) qualifiers: Vec<Qualifier>,
    /// Charged once, whatever is found.
    pub(crate) charge: u64,
    /// `has(…)`: whether the last qualifier is there.
    pub(crate) test: bool,
    /// `variables.?x`: what is found becomes optional.
    pub(crate) wrap: bool,
    /// Given back after a test.
    pub(crate) refund: u64,
}

#[derive(Debug)]
pub(crate) enum Root {
    Variable(Name),
    Local(usize),
    Step(Step),
}

#[derive(Debug)]
pub(crate) struct Qualifier {
    pub(crate) key: Key,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) enum Key {
    Field(Box<str>),
    Constant(Value<'static>),
    Computed(Step),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Arc<Declared>,
    /// Settled by the checker.
    pub(crate) overload: Option<usize>,
    pub(crate) member: bool,
    pub(crate) arguments: Vec<Step>,
    /// The constant pattern of a function that searches.
    pub(crate) pattern: Option<Regex>,
}

#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) kind: Loop,
    pub(crate) range: Step,
    pub(crate) two: bool,
    pub(crate) filter: Option<Step>,
    pub(crate) body: Step,
    /// What collecting one element costs beside its own steps.
    pub(crate) collect: u64,
}

#[derive(Debug)]
pub(crate) struct OptMap {
    pub(crate) target: Step,
    pub(crate) body: Step,
    pub(crate) flat: bool,
}

/// cel-go's common.ListCreateBaseCost and MapCreateBaseCost.
pub(crate) const LIST: u64 = 10;
pub(crate) const MAP: u64 = 30;

pub(crate) fn plan(env: &Env, parsed: &Parsed, checked: &Checked) -> Result<Step, Fault> {
    Planner { env, checked }.step(&parsed.root, Place::Whole)
}

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Whole,
    /// A branch of `?:` or an index: cel-go resolves it without counting the attribute itself.
    Part,
}

struct Planner<'p> {
    env: &'p Env,
    checked: &'p Checked,
}

impl Planner<'_> {
    fn step(&self, node: &Node, place: Place) -> Result<Step, Fault> {
        match &node.kind {
            Kind::Literal(literal) => Ok(Step::Constant(constant(literal))),
            Kind::Ident(_) | Kind::Select { .. } | Kind::Has { .. } | Kind::Index { .. } => {
                self.attribute(node, place)
            }
            Kind::And(terms) => Ok(Step::And(self.steps(terms)?)),
            Kind::Or(terms) => Ok(Step::Or(self.steps(terms)?)),
            Kind::Conditional(parts) => Ok(Step::Conditional(Box::new([
                self.step(&parts[0], Place::Whole)?,
                self.step(&parts[1], Place::Part)?,
                self.step(&parts[2], Place::Part)?,
            ]))),
            Kind::Call { function, target, arguments } => {
                self.call(node, function, target.as_deref(), arguments)
            }
            Kind::List(elements) => {
                let one = |element: &crate::node::Element| {
                    Ok((self.step(&element.value, Place::Whole)?, element.optional))
                };
                let steps = elements.iter().map(one).collect::<Result<Vec<_>, Fault>>()?;
                Ok(fold_list(steps))
            }
            Kind::Map(entries) => {
                let one = |entry: &crate::node::Entry| {
                    let key = self.step(&entry.key, Place::Whole)?;
                    Ok((key, self.step(&entry.value, Place::Whole)?, entry.optional))
                };
                let steps = entries.iter().map(one).collect::<Result<Vec<_>, Fault>>()?;
                Ok(fold_map(steps))
            }
            Kind::Struct { name, .. } => {
                Err(Fault { at: node.at, message: format!("unknown type: {name}") })
            }
            Kind::Comprehension(comprehension) => self.fold(comprehension),
            Kind::Bind { target, body, .. } => Ok(Step::Bind(Box::new([
                self.step(target, Place::Whole)?,
                self.step(body, Place::Whole)?,
            ]))),
            Kind::OptMap { target, body, flat, .. } => Ok(Step::OptMap(Box::new(OptMap {
                target: self.step(target, Place::Whole)?,
                body: self.step(body, Place::Whole)?,
                flat: *flat,
            }))),
        }
    }

    fn steps(&self, nodes: &[Node]) -> Result<Vec<Step>, Fault> {
        nodes.iter().map(|node| self.step(node, Place::Whole)).collect()
    }

    fn pair(&self, a: &Node, b: &Node) -> Result<Box<[Step; 2]>, Fault> {
        Ok(Box::new([self.step(a, Place::Whole)?, self.step(b, Place::Whole)?]))
    }

    fn attribute(&self, node: &Node, place: Place) -> Result<Step, Fault> {
        let mut test = false;
        let mut keys = Vec::new();
        let mut at = node;
        let (mut dotted, mut wrap) = (false, false);
        let root = loop {
            match &self.checked.names[at.id as usize] {
                Some(Reference::Type(name)) if keys.is_empty() => {
                    return Ok(Step::Constant(Value::Type(Text::Borrowed(name))));
                }
                Some(Reference::Type(name)) => {
                    break Root::Step(Step::Constant(Value::Type(Text::Borrowed(name))));
                }
                Some(Reference::Variable(name)) => {
                    // `variables.x` is a field and counted apart; `authorizer.requestResource` is one name.
                    dotted = name.split_once('.').is_some_and(|(head, _)| {
                        !matches!(self.env.variable(head), Some(crate::Type::Opaque(_)))
                    });
                    wrap = matches!(at.kind, Kind::Select { optional: true, .. });
                    test |= matches!(at.kind, Kind::Has { .. });
                    break Root::Variable(name.clone());
                }
                Some(Reference::Local(slot)) => break Root::Local(*slot),
                None => {}
            }
            match &at.kind {
                Kind::Select { operand, field, optional } => {
                    let key = Key::Field(field.as_str().into());
                    keys.push(Qualifier { key, optional: *optional });
                    at = operand;
                }
                Kind::Has { operand, field } => {
                    test = true;
                    keys.push(Qualifier {
                        key: Key::Field(field.as_str().into()),
                        optional: false,
                    });
                    at = operand;
                }
                Kind::Index { operand, index, optional } => {
                    let key = match self.step(index, Place::Part)? {
                        Step::Constant(Value::String(name)) => Key::Field((*name).into()),
                        Step::Constant(value) if !crate::eval::is_key(&value) => {
                            let kind = crate::eval::go_type(&value);
                            let message = format!("invalid qualifier type: {kind}");
                            return Err(Fault { at: index.at, message });
                        }
                        Step::Constant(value) => Key::Constant(value),
                        computed => Key::Computed(computed),
                    };
                    keys.push(Qualifier { key, optional: *optional });
                    at = operand;
                }
                _ => break Root::Step(self.step(at, Place::Whole)?),
            }
        };
        keys.reverse();
        let conditional = matches!(root, Root::Step(Step::Conditional(_) | Step::OptMap(_)));
        let own = u64::from(place == Place::Whole && !conditional);
        let charge = own + u64::from(dotted);
        let refund = u64::from(test && place == Place::Whole);
        let attribute = Attribute { root, qualifiers: keys, charge, test, wrap, refund };
        Ok(Step::Attribute(Box::new(attribute)))
    }

    fn call(
        &self,
        node: &Node,
        function: &str,
        target: Option<&Node>,
        arguments: &[Node],
    ) -> Result<Step, Fault> {
        let settled = self.checked.calls[node.id as usize].as_ref();
        let name = settled.map_or(function, |settled| settled.function);
        let target = target.filter(|_| !settled.is_some_and(|settled| settled.namespaced));
        let overload = settled.and_then(|settled| settled.overload);
        let fault = |error: EvalError| Fault { at: node.at, message: error.to_string() };
        match (name, target, arguments) {
            ("!_", None, [operand]) => {
                return Ok(Step::Not(Box::new(self.step(operand, Place::Whole)?)));
            }
            ("-_", None, [operand]) => {
                return Ok(Step::Negate(Box::new(self.step(operand, Place::Whole)?)));
            }
            (_, None, [a, b]) => {
                if let Some(step) = self.operator(name, overload.is_some(), a, b)? {
                    return Ok(step);
                }
            }
            ("or" | "orValue", Some(target), [other]) => {
                return Ok(Step::OrElse(self.pair(target, other)?, name == "orValue"));
            }
            ("matches", Some(target), [pattern]) => {
                let member = true;
                return self.matches(node, target, pattern, member);
            }
            _ => {}
        }
        let declared =
            self.env.functions.get(name).map(Arc::clone).ok_or_else(|| Fault {
                at: node.at,
                message: format!("no such overload: {name}"),
            })?;
        let mut steps = Vec::with_capacity(arguments.len() + 1);
        if let Some(target) = target {
            steps.push(self.step(target, Place::Whole)?);
        }
        steps.append(&mut self.steps(arguments)?);
        if let ([Step::Constant(value)], true) = (steps.as_slice(), converts(name)) {
            let arguments = [value.clone()];
            let made = declared.call(overload, false, &arguments).map_err(fault)?;
            return Ok(Step::Constant(made));
        }
        let member = target.is_some();
        let pattern = match (declared.search, steps.get(1)) {
            (Some(_), Some(Step::Constant(Value::String(pattern)))) => {
                let compiled = Regex::new(pattern);
                Some(compiled.map_err(|message| Fault { at: node.at, message })?)
            }
            _ => None,
        };
        let call = Call { function: declared, overload, member, arguments: steps, pattern };
        Ok(Step::Call(Box::new(call)))
    }

    fn operator(&self, name: &str, known: bool, a: &Node, b: &Node) -> Result<Option<Step>, Fault> {
        let order = |name, holds| Order { name, holds, priced: known };
        let arithmetic = |operator| -> Result<Option<Step>, Fault> {
            Ok(Some(Step::Arithmetic(self.pair(a, b)?, operator, known)))
        };
        let order = match name {
            "_==_" => return Ok(Some(Step::Equals(self.pair(a, b)?, false))),
            "_!=_" => return Ok(Some(Step::Equals(self.pair(a, b)?, true))),
            "_+_" => return arithmetic(Operator::Add),
            "_-_" => return arithmetic(Operator::Subtract),
            "_*_" => return arithmetic(Operator::Multiply),
            "_/_" => return arithmetic(Operator::Divide),
            "_%_" => return arithmetic(Operator::Modulo),
            "@in" => return self.membership(a, b).map(Some),
            "matches" => return self.matches(b, a, b, false).map(Some),
            "_<_" => order("_<_", Ordering::is_lt as fn(Ordering) -> bool),
            "_<=_" => order("_<=_", Ordering::is_le),
            "_>_" => order("_>_", Ordering::is_gt),
            "_>=_" => order("_>=_", Ordering::is_ge),
            _ => return Ok(None),
        };
        Ok(Some(Step::Order(self.pair(a, b)?, order)))
    }

    fn membership(&self, item: &Node, container: &Node) -> Result<Step, Fault> {
        let list = matches!(self.checked.types[container.id as usize], crate::Type::List(_));
        let [item, container] = *self.pair(item, container)?;
        if let (true, Step::Constant(Value::List(items))) = (list, &container) {
            let items: Vec<Value<'static>> = items.iter().collect();
            if items.is_empty() {
                return Ok(Step::Constant(Value::Bool(false)));
            }
            if items.iter().all(is_scalar) {
                return Ok(Step::InSet(Box::new(item), items));
            }
        }
        Ok(Step::In(Box::new([item, container]), list))
    }

    fn matches(
        &self,
        node: &Node,
        text: &Node,
        pattern: &Node,
        member: bool,
    ) -> Result<Step, Fault> {
        let pair = self.pair(text, pattern)?;
        let compiled = match &pair[1] {
            Step::Constant(Value::String(pattern)) => {
                let compiled = Regex::new(pattern);
                Some(compiled.map_err(|message| Fault { at: node.at, message })?)
            }
            _ => None,
        };
        Ok(Step::Matches(pair, compiled.map(Box::new), member))
    }

    fn fold(&self, comprehension: &Comprehension) -> Result<Step, Fault> {
        let Comprehension { kind, range, second, filter, body, .. } = comprehension;
        let filter = filter.as_ref().map(|filter| self.step(filter, Place::Whole)).transpose()?;
        let body = self.step(body, Place::Whole)?;
        let constant = matches!(body, Step::Constant(_));
        let collect = match kind {
            Loop::All | Loop::Exists | Loop::ExistsOne => 0,
            // accumulator, `[body]` unless it is a constant, `+`.
            Loop::Map => 1 + if constant { 0 } else { LIST } + 1,
            // accumulator, the element, `[element]`, `+`.
            Loop::Filter => 1 + 1 + LIST + 1,
            // accumulator, key, insertion.
            Loop::TransformMap => 3,
            Loop::TransformMapEntry => 2,
        };
        Ok(Step::Loop(Box::new(Fold {
            kind: *kind,
            range: self.step(range, Place::Whole)?,
            two: second.is_some(),
            filter,
            body,
            collect,
        })))
    }
}

fn constant(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::String(text) => Value::string(text.as_str()),
        Literal::Bytes(bytes) => Value::Bytes(Arc::from(bytes.as_slice())),
    }
}

fn converts(function: &str) -> bool {
    matches!(
        function,
        "bool"
            | "bytes"
            | "double"
            | "duration"
            | "dyn"
            | "int"
            | "string"
            | "timestamp"
            | "type"
            | "uint"
    )
}

fn is_scalar(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::String(_)
    )
}

fn fold_list(steps: Vec<(Step, bool)>) -> Step {
    let constant = |(step, optional): &(Step, bool)| match step {
        Step::Constant(value) if !optional => Some(value.clone()),
        _ => None,
    };
    match steps.iter().map(constant).collect::<Option<Vec<_>>>() {
        Some(values) => Step::Constant(Value::list(values)),
        None => Step::List(steps),
    }
}

fn fold_map(steps: Vec<(Step, Step, bool)>) -> Step {
    let constant = |(key, value, optional): &(Step, Step, bool)| match (key, value) {
        (Step::Constant(key), Step::Constant(value)) if !optional => {
            Some((crate::value::Key::of(key)?, (key.clone(), value.clone())))
        }
        _ => None,
    };
    match steps.iter().map(constant).collect::<Option<crate::value::Made<'static>>>() {
        Some(made) => Step::Constant(Value::Map(crate::value::Map::Made(Arc::new(made)))),
        None => Step::Map(steps),
    }
}
