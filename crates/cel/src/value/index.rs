//! `x[key]` and `x.field`.
use super::{Go, List, Value};
use crate::error::EvalError;

impl<'a> Value<'a> {
    /// The value under `key`, `None` where it is absent.
    /// Errors: a key that no list takes. Scalars have nothing under any key.
    pub fn find(&self, key: &Value<'_>) -> Result<Option<Value<'a>>, EvalError> {
        match self {
            Value::Map(map) => Ok(map.get(key)),
            Value::List(list) => {
                let at = list_index(key)?;
                Ok(usize::try_from(at).ok().and_then(|at| list.get(at)))
            }
            _ => Ok(None),
        }
    }

    /// The field `name`, `None` where it is absent. Errors: a list has no fields.
    pub fn find_field(&self, name: &str) -> Result<Option<Value<'a>>, EvalError> {
        match self {
            Value::Map(map) => Ok(map.field(name)),
            Value::List(_) => Err(EvalError::new("unsupported index type 'string' in list")),
            _ => Ok(None),
        }
    }

    /// The words for what [`Value::find`] did not find.
    #[must_use]
    pub fn missing(&self, key: &Value<'_>) -> EvalError {
        let key = key_text(key);
        match self {
            Value::List(_) => EvalError::Error(format!("index out of bounds: {key}")),
            _ => EvalError::Error(format!("no such key: {key}")),
        }
    }

    /// Fields that lead to a value by their names; tests and callers use it.
    #[must_use]
    pub fn path(&self, names: &[&str]) -> Option<Value<'a>> {
        names.iter().try_fold(self.clone(), |value, name| value.find_field(name).ok().flatten())
    }
}

fn list_index(key: &Value<'_>) -> Result<i64, EvalError> {
    let unsupported =
        || EvalError::Error(format!("unsupported index value {} in list", key_text(key)));
    match key {
        Value::Int(at) => Ok(*at),
        Value::Uint(at) => i64::try_from(*at).map_err(|_| unsupported()),
        Value::Double(at) if at.fract() == 0.0 && at.abs() < 9.2e18 => Ok(*at as i64),
        Value::Double(_) => Err(unsupported()),
        other => {
            Err(EvalError::Error(format!("unsupported index type '{}' in list", other.type_name())))
        }
    }
}

/// A key as cel-go prints it.
#[must_use]
pub fn key_text(key: &Value<'_>) -> String {
    Go(key).to_string()
}

impl<'a> List<'a> {
    /// The only element type lists of text have.
    #[must_use]
    pub fn strings(&self) -> Option<Vec<String>> {
        self.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }
}
