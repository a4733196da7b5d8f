//! Lists: JSON arrays as they lie, and lists that expressions make.
use super::Value;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum List<'a> {
    Json(&'a [serde_json::Value]),
    Made(Arc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            List::Json(items) => items.len(),
            List::Made(items) => items.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn get(&self, at: usize) -> Option<Value<'a>> {
        match self {
            List::Json(items) => items.get(at).map(Value::json),
            List::Made(items) => items.get(at).cloned(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Whether an element equals `value`.
    #[must_use]
    pub fn contains(&self, value: &Value<'_>) -> bool {
        self.iter().any(|item| value.equals(&item))
    }

    /// The elements of both.
    #[must_use]
    pub fn concat(&self, other: &List<'a>) -> List<'a> {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        List::Made(Arc::new(self.iter().chain(other.iter()).collect()))
    }
}
