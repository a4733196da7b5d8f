//! Maps: JSON objects as they lie, and maps that expressions make.
use super::{Text, Value};
use indexmap::{Equivalent, IndexMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Map<'a> {
    Json(&'a serde_json::Map<String, serde_json::Value>),
    Made(Arc<Made<'a>>),
}

/// A made map: keys in the order they came, each with its own form and its value.
pub type Made<'a> = IndexMap<Key<'a>, (Value<'a>, Value<'a>)>;

/// A map's key. `1`, `1u` and `1.0` find each other, so whole numbers have one form.
#[derive(Clone, Debug)]
pub enum Key<'a> {
    Bool(bool),
    Number(i128),
    Text(Text<'a>),
}

impl<'a> Key<'a> {
    /// `None`: such a value is never a key.
    #[must_use]
    pub fn of(value: &Value<'a>) -> Option<Key<'a>> {
        Some(match value {
            Value::Bool(value) => Key::Bool(*value),
            Value::Int(value) => Key::Number((*value).into()),
            Value::Uint(value) => Key::Number((*value).into()),
            Value::Double(value) if value.fract() == 0.0 && value.abs() < 1.9e19 => {
                Key::Number(*value as i128)
            }
            Value::String(text) => Key::Text(text.clone()),
            _ => return None,
        })
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a == b,
            (Key::Number(a), Key::Number(b)) => a == b,
            (Key::Text(a), Key::Text(b)) => **a == **b,
            _ => false,
        }
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Key::Bool(value) => value.hash(state),
            Key::Number(value) => value.hash(state),
            Key::Text(text) => (**text).hash(state),
        }
    }
}

/// Looks text up without making a key of it.
struct TextKey<'t>(&'t str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Key<'_>> for TextKey<'_> {
    fn equivalent(&self, key: &Key<'_>) -> bool {
        matches!(key, Key::Text(text) if **text == *self.0)
    }
}

impl<'a> Map<'a> {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Map::Json(fields) => fields.len(),
            Map::Made(entries) => entries.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value under a text key.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Map::Json(fields) => fields.get(name).map(Value::json),
            Map::Made(entries) => entries.get(&TextKey(name)).map(|(_, value)| value.clone()),
        }
    }

    #[must_use]
    pub fn get(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (_, Value::String(name)) => self.field(name),
            (Map::Json(_), _) => None,
            (Map::Made(entries), key) => {
                // The lifetimes differ, so text was handled above and the rest is copied.
                let key: Key<'a> = match Key::of(key)? {
                    Key::Bool(value) => Key::Bool(value),
                    Key::Number(value) => Key::Number(value),
                    Key::Text(_) => return None,
                };
                entries.get(&key).map(|(_, value)| value.clone())
            }
        }
    }

    /// Keys and values, in their order; the iterator holds the map.
    #[must_use]
    pub fn iter(&self) -> Entries<'a> {
        match self {
            Map::Json(fields) => Entries::Json(fields.iter()),
            Map::Made(entries) => Entries::Made(Arc::clone(entries), 0),
        }
    }
}

/// See [`Map::iter`].
pub enum Entries<'a> {
    Json(serde_json::map::Iter<'a>),
    Made(Arc<Made<'a>>, usize),
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Entries::Json(fields) => {
                let (key, value) = fields.next()?;
                Some((Value::String(Text::Borrowed(key)), Value::json(value)))
            }
            Entries::Made(entries, at) => {
                *at += 1;
                entries.get_index(*at - 1).map(|(_, entry)| entry.clone())
            }
        }
    }
}
