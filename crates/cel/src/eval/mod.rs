//! The interpreter: steps → values, charging what cel-go's cost tracker charges.
mod attribute;
mod fold;

pub(crate) use attribute::is_key;

use crate::error::EvalError;
use crate::library::regex::Regex;
use crate::plan::{Call, LIST, MAP, Order, Step};
use crate::program::{Activation, Budget};
use crate::value::number::{self, Operator};
use crate::value::{self, Go, Made, Map, Value};
use attribute::Found;
use std::ops::Deref;
use std::sync::Arc;

pub(crate) struct Machine<'m, 'a> {
    activation: &'m dyn Activation<'a>,
    budget: &'m mut Budget,
    /// Loop variables, innermost last; steps know their places.
    locals: Vec<Value<'a>>,
    /// Places of `optMap` variables nobody read yet, and what the first read costs.
    unread: Vec<(usize, u64)>,
}

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// A value that constants need not be copied for.
enum Operand<'s, 'a> {
    Constant(&'s Value<'static>),
    Made(Value<'a>),
}

impl<'a> Deref for Operand<'_, 'a> {
    type Target = Value<'a>;

    fn deref(&self) -> &Value<'a> {
        match self {
            Operand::Constant(value) => value,
            Operand::Made(value) => value,
        }
    }
}

/// Tenths of `size`, rounded up: what reading text costs.
#[must_use]
pub fn traversal(size: u64) -> u64 {
    size.div_ceil(10)
}

/// What costs are made of: a size, or 1 for what has none.
#[must_use]
pub fn size(value: &Value<'_>) -> u64 {
    match value {
        Value::Optional(Some(inner)) => size(inner),
        other => other.size().unwrap_or(1),
    }
}

impl<'m, 'a> Machine<'m, 'a> {
    pub(crate) fn new(activation: &'m dyn Activation<'a>, budget: &'m mut Budget) -> Self {
        Self { activation, budget, locals: Vec::new(), unread: Vec::new() }
    }

    pub(crate) fn run(&mut self, step: &Step) -> Outcome<'a> {
        match step {
            Step::Constant(value) => Ok(value.clone()),
            Step::Attribute(attribute) => Ok(match self.attribute(attribute)? {
                Found::Plain(value) => value,
                Found::Present(value) => Value::some(value),
                Found::Absent => Value::none(),
            }),
            Step::And(terms) => self.logical(terms, false),
            Step::Or(terms) => self.logical(terms, true),
            Step::Not(operand) => self.not(operand),
            Step::Negate(operand) => {
                let value = self.charged(operand)?;
                number::negate(&value)
            }
            Step::Conditional(parts) => match self.run(&parts[0])? {
                Value::Bool(true) => self.run(&parts[1]).map(flattened),
                Value::Bool(false) => self.run(&parts[2]).map(flattened),
                _ => Err(EvalError::no_overload()),
            },
            Step::Equals(pair, negated) => self.equals(pair, *negated),
            Step::Order(pair, order) => self.order(pair, *order),
            Step::Arithmetic(pair, operator, priced) => self.arithmetic(pair, *operator, *priced),
            Step::In(pair, list) => self.contains(pair, *list),
            Step::InSet(item, set) => {
                let item = self.run(item)?;
                Ok(Value::Bool(set.iter().any(|value| item.equals(value))))
            }
            Step::Matches(pair, compiled, member) => {
                self.matches(pair, compiled.as_deref(), *member)
            }
            Step::OrElse(pair, unwrap) => self.or_else(pair, *unwrap),
            Step::Call(call) => self.call(call),
            Step::List(elements) => {
                let list = self.list(elements);
                self.budget.charge(LIST)?;
                list
            }
            Step::Map(entries) => {
                let map = self.map(entries);
                self.budget.charge(MAP)?;
                map
            }
            Step::Loop(fold) => self.fold(fold),
            Step::OptMap(step) => self.opt_map(step),
            Step::Bind(steps) => self.bind(steps),
        }
    }

    /// An operand whose operator costs 1, also when the operand fails.
    fn charged(&mut self, step: &Step) -> Outcome<'a> {
        let value = self.run(step);
        self.budget.charge(1)?;
        value
    }

    fn operand<'s>(&mut self, step: &'s Step) -> Result<Operand<'s, 'a>, EvalError> {
        Ok(match step {
            Step::Constant(value) => Operand::Constant(value),
            other => Operand::Made(self.run(other)?),
        })
    }

    /// Both operands: the second runs, and costs, even when the first fails.
    fn pair<'s>(
        &mut self,
        pair: &'s [Step; 2],
    ) -> Result<(Operand<'s, 'a>, Operand<'s, 'a>), EvalError> {
        let a = self.operand(&pair[0]);
        if let Err(error) = &a
            && !error.absorbable()
        {
            return Err(error.clone());
        }
        match (a, self.operand(&pair[1])) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
                self.budget.charge(1)?;
                Err(error)
            }
            (Err(_), Err(second)) if !second.absorbable() => Err(second),
            (Err(first), Err(_)) => {
                self.budget.charge(1)?;
                Err(first)
            }
        }
    }

    fn logical(&mut self, terms: &[Step], decisive: bool) -> Outcome<'a> {
        let mut failure = None;
        for term in terms {
            match self.run(term) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failure = failure.or_else(|| Some(EvalError::no_overload())),
                Err(error) if error.absorbable() => failure = failure.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(Value::Bool(!decisive)),
        }
    }

    fn not(&mut self, operand: &Step) -> Outcome<'a> {
        match self.charged(operand)? {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            _ => Err(EvalError::no_overload()),
        }
    }

    fn equals(&mut self, pair: &[Step; 2], negated: bool) -> Outcome<'a> {
        let (a, b) = self.pair(pair)?;
        let opaque = matches!(*a, Value::Opaque(_));
        let cost = if opaque { 1 } else { traversal(size(&a).min(size(&b))) };
        self.budget.charge(cost)?;
        // A library's value refuses to be compared with what is not of its type; the reverse is only unequal.
        if a.refuses(&b) {
            return if negated { Ok(Value::Bool(true)) } else { Err(EvalError::no_overload()) };
        }
        // The smaller side bounds what both are compared by.
        if self.budget.walk_through(&a).is_err() {
            self.budget.walk_through(&b)?;
        }
        Ok(Value::Bool(a.equals(&b) != negated))
    }

    fn order(&mut self, pair: &[Step; 2], order: Order) -> Outcome<'a> {
        let (a, b) = self.pair(pair)?;
        let cost = match (&*a, order.priced) {
            (Value::String(_) | Value::Bytes(_), true) => traversal(size(&a).min(size(&b))),
            _ => 1,
        };
        self.budget.charge(cost)?;
        if !a.is_ordered() {
            return Err(EvalError::Error(format!("no such overload: {}", order.name)));
        }
        Ok(Value::Bool((order.holds)(a.order(&b)?)))
    }

    fn arithmetic(&mut self, pair: &[Step; 2], operator: Operator, priced: bool) -> Outcome<'a> {
        let (a, b) = self.pair(pair)?;
        let cost = match (&*a, operator) {
            (Value::String(_) | Value::Bytes(_), Operator::Add) if priced => {
                traversal(size(&a) + size(&b))
            }
            _ => 1,
        };
        self.budget.charge(cost)?;
        if let (Value::List(a), Value::List(b)) = (&*a, &*b) {
            self.budget.walk((a.len() + b.len()) as u64)?;
        } else if let Value::String(_) = &*a {
            self.budget.walk((text_length(&a) + text_length(&b)) as u64)?;
        }
        number::arithmetic(operator, &a, &b)
    }

    fn contains(&mut self, pair: &[Step; 2], list: bool) -> Outcome<'a> {
        let (item, container) = self.pair(pair)?;
        self.budget.charge(if list { size(&container) } else { 1 })?;
        self.budget.walk_through(&container)?;
        match &*container {
            Value::List(list) => Ok(Value::Bool(list.contains(&item))),
            Value::Map(map) => Ok(Value::Bool(map.get(&item).is_some())),
            _ => Err(EvalError::no_overload()),
        }
    }

    fn matches(&mut self, pair: &[Step; 2], compiled: Option<&Regex>, member: bool) -> Outcome<'a> {
        let (text, pattern) = self.pair(pair)?;
        let cost = if member {
            traversal(size(&text) + 1).saturating_mul(size(&pattern).div_ceil(4))
        } else {
            1
        };
        self.budget.charge(cost)?;
        let text = match &*text {
            Value::String(text) => text,
            _ if compiled.is_some() => return Err(EvalError::no_overload()),
            _ => return Err(EvalError::new("no such overload: matches")),
        };
        let pattern = pattern.as_str().ok_or_else(EvalError::no_overload)?;
        let found = match compiled {
            Some(compiled) => compiled.is_match(text),
            None => Regex::computed(pattern).map_err(EvalError::Error)?.is_match(text),
        };
        Ok(Value::Bool(found))
    }

    fn or_else(&mut self, pair: &[Step; 2], unwrap: bool) -> Outcome<'a> {
        let found = match &pair[0] {
            Step::Attribute(attribute) => self.attribute(attribute)?,
            other => Found::Plain(self.run(other)?),
        };
        match found {
            Found::Absent | Found::Plain(Value::Optional(None)) => self.run(&pair[1]),
            Found::Present(value) if unwrap => Ok(value),
            Found::Present(value) => Ok(Value::some(value)),
            Found::Plain(Value::Optional(Some(value))) if unwrap => Ok(value.as_ref().clone()),
            // cel-go gives back what is no optional.
            Found::Plain(value) => Ok(value),
        }
    }

    fn call(&mut self, call: &Call) -> Outcome<'a> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut failure: Option<EvalError> = None;
        let count = call.arguments.len();
        for (at, step) in call.arguments.iter().enumerate() {
            match self.run(step) {
                Ok(value) => arguments.push(value),
                Err(error) if error.absorbable() => {
                    failure = failure.or(Some(error));
                    // An error has no size, as null has none: prices see them alike.
                    arguments.push(Value::Null);
                    // Three and more arguments stop at the first failure; unless it is the last, the call is free.
                    if count > 2 {
                        if at + 1 < count {
                            return Err(failure.unwrap_or_else(EvalError::no_overload));
                        }
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if call.function.price.is_some() && failure.is_none() {
            for argument in &arguments {
                self.budget.walk_through(argument)?;
            }
        }
        let result = match (failure, &call.pattern, call.function.search) {
            (Some(error), ..) => Err(error),
            (None, Some(pattern), Some(search)) => search(pattern, &arguments),
            _ => call.function.call(call.overload, call.member, &arguments),
        };
        let id = call.overload.and_then(|at| call.function.overloads.get(at)).map_or("", |o| o.id);
        let cost = match call.function.price {
            Some(price) => price(id, &arguments, result.as_ref().ok()),
            None => 1,
        };
        self.budget.charge(cost)?;
        result
    }

    fn list(&mut self, elements: &[(Step, bool)]) -> Outcome<'a> {
        let mut items = Vec::with_capacity(elements.len());
        for (step, optional) in elements {
            match (self.run(step)?, optional) {
                (Value::Optional(None), true) => {}
                (Value::Optional(Some(value)), true) => items.push(value.as_ref().clone()),
                (other, true) => {
                    let told = format!(
                        "cannot initialize optional list element from non-optional value {}",
                        Go(&other)
                    );
                    return Err(EvalError::Error(told));
                }
                (value, false) => items.push(value),
            }
        }
        Ok(Value::list(items))
    }

    fn map(&mut self, entries: &[(Step, Step, bool)]) -> Outcome<'a> {
        let mut made = Made::with_capacity(entries.len());
        for (key, value, optional) in entries {
            let key = self.run(key)?;
            let value = self.run(value)?;
            let form = value::Key::of(&key).ok_or_else(EvalError::no_overload)?;
            match (value, optional) {
                (Value::Optional(None), true) => drop(made.shift_remove(&form)),
                (Value::Optional(Some(value)), true) => {
                    made.insert(form, (key, value.as_ref().clone()));
                }
                (other, true) => {
                    let told = format!(
                        "cannot initialize optional entry '{}' from non-optional value {}",
                        Go(&key),
                        Go(&other)
                    );
                    return Err(EvalError::Error(told));
                }
                (value, false) => drop(made.insert(form, (key, value))),
            }
        }
        Ok(Value::Map(Map::Made(Arc::new(made))))
    }
}

/// An optional of an optional loses one layer on its way through `?:`, as cel-go unwraps twice and wraps once.
fn flattened(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Optional(Some(outer)) => match outer.as_ref() {
            Value::Optional(Some(inner)) => Value::Optional(Some(Arc::clone(inner))),
            Value::Optional(None) => Value::some(Value::Null),
            _ => Value::Optional(Some(outer)),
        },
        other => other,
    }
}

fn text_length(value: &Value<'_>) -> usize {
    value.as_str().map_or(0, str::len) / 16
}

/// The Go type behind a value, which two messages of cel-go's tell.
pub(crate) fn go_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "types.Null",
        Value::Bool(_) => "types.Bool",
        Value::Int(_) => "types.Int",
        Value::Uint(_) => "types.Uint",
        Value::Double(_) => "types.Double",
        Value::String(_) => "types.String",
        Value::Bytes(_) => "types.Bytes",
        Value::Duration(_) => "types.Duration",
        Value::Timestamp(_) => "types.Timestamp",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Optional(_) => "*types.Optional",
        Value::Type(_) => "*types.Type",
        Value::Opaque(value) => value.type_name(),
    }
}
