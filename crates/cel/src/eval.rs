//! The interpreter: steps → values, charging what cel-go's cost tracker charges.
use crate::error::EvalError;
use crate::node::Loop;
use crate::plan::{Attribute, Call, Fold, Key, LIST, MAP, OptMap, Order, Root, Step};
use crate::program::{Activation, Budget};
use crate::regex;
use crate::value::number::{self, Operator};
use crate::value::{self, Go, Made, Map, Value};
use std::ops::Deref;
use std::sync::Arc;

pub(crate) struct Machine<'m, 'a> {
    activation: &'m dyn Activation<'a>,
    budget: &'m mut Budget,
    /// Loop variables, innermost last; steps know their places.
    locals: Vec<Value<'a>>,
}

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// What an attribute leads to.
enum Found<'a> {
    Plain(Value<'a>),
    /// Through an optional key or value.
    Present(Value<'a>),
    Absent,
}

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
        Self { activation, budget, locals: Vec::new() }
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
                Value::Bool(true) => self.run(&parts[1]),
                Value::Bool(false) => self.run(&parts[2]),
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
            (Err(first), Err(second)) => Err(if second.absorbable() { first } else { second }),
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
            self.budget.copy(a.len() + b.len())?;
        } else if let Value::String(_) = &*a {
            self.budget.copy(text_length(&a) + text_length(&b))?;
        }
        number::arithmetic(operator, &a, &b)
    }

    fn contains(&mut self, pair: &[Step; 2], list: bool) -> Outcome<'a> {
        let (item, container) = self.pair(pair)?;
        self.budget.charge(if list { size(&container) } else { 1 })?;
        match &*container {
            Value::List(list) => Ok(Value::Bool(list.contains(&item))),
            Value::Map(map) => Ok(Value::Bool(map.get(&item).is_some())),
            _ => Err(EvalError::no_overload()),
        }
    }

    fn matches(
        &mut self,
        pair: &[Step; 2],
        compiled: Option<&::regex::Regex>,
        member: bool,
    ) -> Outcome<'a> {
        let (text, pattern) = self.pair(pair)?;
        let cost = if member {
            traversal(size(&text) + 1).saturating_mul(size(&pattern).div_ceil(4))
        } else {
            1
        };
        self.budget.charge(cost)?;
        let text = match &*text {
            Value::String(text) => text,
            _ => return Err(EvalError::new("no such overload: matches")),
        };
        let pattern = pattern.as_str().ok_or_else(EvalError::no_overload)?;
        let found = match compiled {
            Some(compiled) => compiled.is_match(text),
            None => regex::compile(pattern).map_err(EvalError::Error)?.is_match(text),
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

    fn attribute(&mut self, attribute: &Attribute) -> Result<Found<'a>, EvalError> {
        let root = match &attribute.root {
            Root::Local(slot) => self
                .locals
                .get(*slot)
                .cloned()
                .ok_or_else(|| EvalError::new("no such attribute(s): a loop variable")),
            Root::Variable(name) => self
                .activation
                .resolve(name)
                .unwrap_or_else(|| Err(EvalError::Error(format!("no such attribute(s): {name}")))),
            Root::Step(step) => self.run(step),
        };
        let found = match root {
            Ok(root) if attribute.qualifiers.is_empty() => {
                if attribute.test {
                    Ok(Found::Plain(Value::Bool(true)))
                } else if attribute.wrap {
                    Ok(Found::Present(root))
                } else {
                    Ok(Found::Plain(root))
                }
            }
            Ok(root) => self.qualify(attribute, root),
            Err(error) => Err(error),
        };
        self.budget.charge(attribute.charge)?;
        self.budget.refund(attribute.refund);
        found
    }

    fn qualify(&mut self, attribute: &Attribute, root: Value<'a>) -> Result<Found<'a>, EvalError> {
        let mut optional = attribute.wrap;
        let mut at = match root {
            Value::Optional(None) if attribute.test => return Ok(absent(true)),
            Value::Optional(None) => return Ok(Found::Absent),
            Value::Optional(Some(value)) => {
                optional = true;
                value.as_ref().clone()
            }
            other => other,
        };
        let last = attribute.qualifiers.len() - 1;
        for (position, qualifier) in attribute.qualifiers.iter().enumerate() {
            optional |= qualifier.optional;
            let tested = attribute.test && position == last;
            let (found, key) = match &qualifier.key {
                Key::Field(name) => (at.find_field(name), None),
                Key::Constant(key) => (at.find(key), None),
                Key::Computed(step) => {
                    let key = self.run(step)?;
                    if !is_key(&key) {
                        let told = format!("invalid qualifier type: {}", go_type(&key));
                        return Err(EvalError::Error(told));
                    }
                    (at.find(&key), Some(key))
                }
            };
            if tested || !optional || matches!(found, Ok(Some(_))) {
                self.budget.charge(1)?;
            }
            if tested {
                return Ok(Found::Plain(Value::Bool(found?.is_some())));
            }
            at = match found? {
                Some(value) => value,
                None if optional && attribute.test => return Ok(absent(true)),
                None if optional => return Ok(Found::Absent),
                None => return Err(missing(&at, &qualifier.key, key.as_ref())),
            };
        }
        Ok(if optional { Found::Present(at) } else { Found::Plain(at) })
    }

    fn call(&mut self, call: &Call) -> Outcome<'a> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut failure: Option<EvalError> = None;
        for step in &call.arguments {
            match self.run(step) {
                Ok(value) => arguments.push(value),
                Err(error) if error.absorbable() && call.arguments.len() <= 2 => {
                    failure = failure.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = failure {
            self.budget.charge(1)?;
            return Err(error);
        }
        let result = call.function.call(call.overload, call.member, &arguments);
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

    fn opt_map(&mut self, step: &OptMap) -> Outcome<'a> {
        let before = self.budget.spent();
        let target = self.run(&step.target);
        let again = self.budget.spent() - before;
        self.budget.charge(1)?;
        let target = match target? {
            Value::Optional(target) => target,
            other => {
                let told = format!("no such overload: hasValue({})", other.type_name());
                return Err(EvalError::Error(told));
            }
        };
        let Some(value) = target else {
            self.budget.charge(1)?;
            return Ok(Value::none());
        };
        // cel-go evaluates the target a second time for its value.
        self.budget.charge(again + 1)?;
        self.locals.push(value.as_ref().clone());
        let body = self.run(&step.body);
        self.locals.pop();
        if step.flat {
            return body;
        }
        self.budget.charge(1)?;
        Ok(Value::some(body?))
    }

    fn fold(&mut self, fold: &Fold) -> Outcome<'a> {
        let range = self.run(&fold.range)?;
        let depth = self.locals.len();
        let result = self.fold_over(fold, &range);
        self.locals.truncate(depth);
        result
    }

    fn fold_over(&mut self, fold: &Fold, range: &Value<'a>) -> Outcome<'a> {
        let mut gathered = Gathered::new(fold.kind);
        match range {
            Value::List(list) => {
                for (at, item) in list.iter().enumerate() {
                    let at = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
                    let entry = if fold.two { (at, item) } else { (item, Value::Null) };
                    if !self.round(fold, &mut gathered, entry)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    if !self.round(fold, &mut gathered, (key, value))? {
                        break;
                    }
                }
            }
            other => return Err(no_range(other, fold.two)),
        }
        self.budget.charge(if fold.kind == Loop::ExistsOne { 2 } else { 1 })?;
        gathered.result()
    }

    /// One element; whether the loop goes on.
    fn round(
        &mut self,
        fold: &Fold,
        gathered: &mut Gathered<'a>,
        (first, second): (Value<'a>, Value<'a>),
    ) -> Result<bool, EvalError> {
        match fold.kind {
            Loop::All | Loop::Exists => {
                let decisive = fold.kind == Loop::Exists;
                self.budget.charge(if decisive { 3 } else { 2 })?;
                if gathered.decided {
                    return Ok(false);
                }
                self.budget.charge(1)?;
            }
            _ => {}
        }
        self.locals.push(first.clone());
        if fold.two {
            self.locals.push(second);
        }
        let depth = self.locals.len() - 1 - usize::from(fold.two);
        let kept = match &fold.filter {
            Some(filter) => self.run(filter),
            None => Ok(Value::Bool(true)),
        };
        let body = match kept {
            Ok(Value::Bool(true)) => Some(self.run(&fold.body)),
            Ok(Value::Bool(false)) => None,
            Ok(_) => gathered.fail_last(EvalError::no_overload()),
            Err(error) if error.absorbable() => gathered.fail_last(error),
            Err(error) => return Err(error),
        };
        self.locals.truncate(depth);
        if let Some(body) = body {
            self.gather(fold, gathered, &first, body)?;
        }
        Ok(true)
    }

    fn gather(
        &mut self,
        fold: &Fold,
        gathered: &mut Gathered<'a>,
        first: &Value<'a>,
        body: Outcome<'a>,
    ) -> Result<(), EvalError> {
        let fatal = |error: &EvalError| !error.absorbable();
        if let Some(error) = body.as_ref().err().filter(|error| fatal(error)) {
            return Err(error.clone());
        }
        match (fold.kind, body) {
            (Loop::All | Loop::Exists, Ok(Value::Bool(value))) => {
                gathered.decided |= value == (fold.kind == Loop::Exists);
            }
            (Loop::All | Loop::Exists, Ok(_)) => gathered.fail(EvalError::no_overload()),
            // The condition of `condition ? collected : accumulator` hides an earlier failure.
            (Loop::ExistsOne | Loop::Filter, Err(error)) => {
                gathered.fail_last(error);
            }
            (_, Err(error)) => gathered.fail(error),
            (Loop::ExistsOne | Loop::Filter, Ok(Value::Bool(false))) => {}
            (Loop::ExistsOne, Ok(Value::Bool(true))) => {
                self.budget.charge(2)?;
                gathered.count += 1;
            }
            (Loop::Filter, Ok(Value::Bool(true))) => {
                self.budget.charge(fold.collect)?;
                gathered.items.push(first.clone());
            }
            (Loop::ExistsOne | Loop::Filter, Ok(_)) => {
                gathered.fail_last(EvalError::no_overload());
            }
            (Loop::Map, Ok(value)) => {
                self.budget.charge(fold.collect)?;
                gathered.items.push(value);
            }
            (Loop::TransformMap, Ok(value)) => {
                self.budget.charge(fold.collect)?;
                gathered.insert(first.clone(), value);
            }
            (Loop::TransformMapEntry, Ok(value)) => {
                self.budget.charge(fold.collect)?;
                match value {
                    Value::Map(entries) => {
                        for (key, value) in entries.iter() {
                            gathered.insert(key, value);
                        }
                    }
                    _ => gathered.fail(EvalError::new("no such overload: cel.@mapInsert")),
                }
            }
        }
        Ok(())
    }
}

/// A loop's accumulator.
struct Gathered<'a> {
    kind: Loop,
    /// Of `all` and `exists`: one element settled it.
    decided: bool,
    count: u64,
    items: Vec<Value<'a>>,
    made: Made<'a>,
    failure: Option<EvalError>,
}

impl<'a> Gathered<'a> {
    fn new(kind: Loop) -> Self {
        Self { kind, decided: false, count: 0, items: Vec::new(), made: Made::new(), failure: None }
    }

    fn fail(&mut self, error: EvalError) {
        self.failure.get_or_insert(error);
    }

    fn fail_last(&mut self, error: EvalError) -> Option<Outcome<'a>> {
        self.failure = Some(error);
        None
    }

    fn insert(&mut self, key: Value<'a>, value: Value<'a>) {
        match value::Key::of(&key) {
            Some(form) if self.made.contains_key(&form) => {
                let told = format!("insert failed: key {} already exists", Go(&key));
                self.fail(EvalError::Error(told));
            }
            Some(form) => drop(self.made.insert(form, (key, value))),
            None => self.fail(EvalError::no_overload()),
        }
    }

    fn result(self) -> Outcome<'a> {
        let all = self.kind == Loop::All;
        if self.decided {
            return Ok(Value::Bool(!all));
        }
        if let Some(error) = self.failure {
            return Err(error);
        }
        Ok(match self.kind {
            Loop::All | Loop::Exists => Value::Bool(all),
            Loop::ExistsOne => Value::Bool(self.count == 1),
            Loop::Map | Loop::Filter => Value::list(self.items),
            Loop::TransformMap | Loop::TransformMapEntry => {
                Value::Map(Map::Made(Arc::new(self.made)))
            }
        })
    }
}

fn absent<'a>(test: bool) -> Found<'a> {
    if test { Found::Plain(Value::Bool(false)) } else { Found::Absent }
}

fn text_length(value: &Value<'_>) -> usize {
    value.as_str().map_or(0, str::len) / 16
}

fn is_key(key: &Value<'_>) -> bool {
    matches!(
        key,
        Value::String(_) | Value::Int(_) | Value::Uint(_) | Value::Bool(_) | Value::Double(_)
    )
}

fn missing(at: &Value<'_>, key: &Key, computed: Option<&Value<'_>>) -> EvalError {
    match (key, computed) {
        (Key::Field(name), _) => EvalError::Error(format!("no such key: {name}")),
        (Key::Constant(key), _) => at.missing(key),
        (Key::Computed(_), Some(key)) => at.missing(key),
        (Key::Computed(_), None) => EvalError::no_overload(),
    }
}

fn no_range(value: &Value<'_>, two: bool) -> EvalError {
    let kind = go_type(value);
    EvalError::Error(if two {
        format!("unsupported comprehension range type: {kind}")
    } else {
        format!("got '{kind}', expected iterable type")
    })
}

/// The Go type behind a value, which two messages of cel-go's tell.
fn go_type(value: &Value<'_>) -> &'static str {
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
