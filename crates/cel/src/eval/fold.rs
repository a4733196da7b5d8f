//! Loops: what the macros' comprehensions do and cost, without building them.
use super::{Machine, Outcome, flattened, go_type};
use crate::error::EvalError;
use crate::node::Loop;
use crate::plan::{Fold, OptMap, Step};
use crate::value::{self, Go, Made, Map, Value};
use std::sync::Arc;

impl<'a> Machine<'_, 'a> {
    pub(super) fn opt_map(&mut self, step: &OptMap) -> Outcome<'a> {
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
        // cel-go evaluates the target a second time, when its value is first read.
        let (place, unread) = (self.locals.len(), self.unread.len());
        self.unread.push((place, again + 1));
        self.locals.push(value.as_ref().clone());
        let body = self.run(&step.body);
        self.locals.pop();
        self.unread.truncate(unread);
        if step.flat {
            return body.map(flattened);
        }
        self.budget.charge(1)?;
        Ok(flattened(Value::some(body?)))
    }

    pub(super) fn bind(&mut self, [target, body]: &[Step; 2]) -> Outcome<'a> {
        let value = self.run(target)?;
        self.locals.push(value);
        let result = self.run(body);
        self.locals.pop();
        result
    }

    pub(super) fn fold(&mut self, fold: &Fold) -> Outcome<'a> {
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
            // The insertion stops at its first argument, the failed map.
            Ok(Value::Bool(true))
                if fold.kind == Loop::TransformMap && gathered.failure.is_some() =>
            {
                self.budget.charge(1)?;
                None
            }
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
            (Loop::All | Loop::Exists, Err(error)) => gathered.fail(error),
            // The condition of `condition ? collected : accumulator` hides an earlier failure.
            (Loop::ExistsOne | Loop::Filter, Err(error)) => {
                gathered.fail_last(error);
            }
            (_, Err(error)) => {
                self.budget.charge(fold.collect)?;
                gathered.fail(error);
            }
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

fn no_range(value: &Value<'_>, two: bool) -> EvalError {
    let kind = go_type(value);
    EvalError::Error(if two {
        format!("unsupported comprehension range type: {kind}")
    } else {
        format!("got '{kind}', expected iterable type")
    })
}
