//! Variables and the keys that lead into them; optional keys; `has`.
use super::{Machine, Outcome, go_type};
use crate::error::EvalError;
use crate::plan::{Attribute, Key, Root};
use crate::value::Value;

/// What an attribute leads to.
pub(super) enum Found<'a> {
    Plain(Value<'a>),
    /// Through an optional key or value.
    Present(Value<'a>),
    Absent,
}

impl<'a> Machine<'_, 'a> {
    pub(super) fn attribute(&mut self, attribute: &Attribute) -> Result<Found<'a>, EvalError> {
        let root = match &attribute.root {
            Root::Local(slot) if !self.unread.is_empty() => self.first_read(*slot),
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

    fn first_read(&mut self, slot: usize) -> Outcome<'a> {
        if let Some(at) = self.unread.iter().position(|(place, _)| *place == slot) {
            let (_, cost) = self.unread.remove(at);
            self.budget.charge(cost)?;
        }
        self.locals.get(slot).cloned().ok_or_else(EvalError::no_overload)
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
            if !optional || matches!(found, Ok(Some(_))) {
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
}

fn absent<'a>(test: bool) -> Found<'a> {
    if test { Found::Plain(Value::Bool(false)) } else { Found::Absent }
}

pub(crate) fn is_key(key: &Value<'_>) -> bool {
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
