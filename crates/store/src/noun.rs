//! What a noun tells the store: its table, its fields, and how it becomes a row.
//!
//! A row is columns and payload. The payload is the noun's JSON; every column is taken from that JSON by the field's
//! pointer, so the filter's two evaluators read the same value. Columns marked `live` are newer than the payload.
use crate::error::Error;
use seawall_model::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object kind that can be listed, filtered, exported and searched.
pub trait Noun: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static {
    const TABLE: &'static Table;

    fn id(&self) -> Id;

    /// Columns that are not part of the public JSON, in the order of [`Table::extras`].
    fn extras(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// The shape of one noun's table.
#[derive(Debug)]
pub struct Table {
    /// Singular, as the change feed and errors name it.
    pub noun: &'static str,
    /// Also the table's name in SQL, and the path segment in URLs.
    pub plural: &'static str,
    pub fields: &'static [Field],
    /// Further columns, filled by [`Noun::extras`].
    pub(crate) extras: &'static [Extra],
    /// Field and direction, `-last` for descending.
    pub default_sort: &'static str,
    /// Pointers to the texts that words search.
    pub(crate) search: &'static [&'static str],
    pub(crate) narrowing: Narrowing,
}

/// What a grant that is narrowed to namespaces shows of a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// Rows whose `namespace` is one of them.
    Namespace,
    /// Images that run in one of them, by the table of running containers.
    Running,
    /// Rows of one of them, and those of images that run there.
    NamespaceOrRunning,
    /// Recommendations with a finding that is shown.
    Findings,
    /// The place itself: scopes and clusters.
    Place,
    /// Nothing: the row speaks of the whole scope.
    Nothing,
}

/// A column that the public JSON does not hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extra {
    pub(crate) column: &'static str,
    pub(crate) integer: bool,
}

/// One filterable field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As filters name it.
    pub name: &'static str,
    pub kind: Kind,
    pub(crate) column: &'static str,
    /// JSON Pointer into the noun; `*` walks an array.
    pub(crate) pointer: &'static str,
    /// The column is newer than the payload and replaces its value when read.
    pub(crate) live: bool,
    /// Never absent, so that sorting may use the index alone.
    pub(crate) required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Text,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// Ordered; `unknown` is neither above nor below any level.
    Severity,
    Number,
    /// Kept to six decimal places.
    Decimal,
    /// Epoch milliseconds. `2026-01-31`, `2026-01-31T08:00Z`; `<7d` is "less than 7 days ago".
    Time,
    /// The same, with `<7d` as "in less than 7 days, or over".
    Deadline,
    Bool,
    /// Several texts; one of them has to fit.
    List,
}

/// A field as completions show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldInfo {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The words it takes, where they are closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<&'static str>>,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Word(_) => "word",
            Self::Severity => "severity",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Time => "time",
            Self::Deadline => "deadline",
            Self::Bool => "bool",
            Self::List => "list",
        }
    }

    /// Whether the column holds integers.
    pub(crate) fn is_integer(self) -> bool {
        !matches!(self, Self::Text | Self::Word(_) | Self::List)
    }
}

impl Field {
    pub(crate) const fn new(name: &'static str, kind: Kind, pointer: &'static str) -> Self {
        Self { name, kind, column: name, pointer, live: false, required: false }
    }

    pub(crate) const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    pub(crate) const fn live(mut self) -> Self {
        self.live = true;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl Table {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// For completion in query bars.
    pub fn field_infos(&self) -> Vec<FieldInfo> {
        let severities = || seawall_model::Severity::ALL.map(seawall_model::Severity::as_str);
        let info = |field: &Field| FieldInfo {
            name: field.name,
            kind: field.kind.name(),
            values: match field.kind {
                Kind::Word(words) => Some(words.to_vec()),
                Kind::Severity => Some(severities().to_vec()),
                Kind::Bool => Some(vec!["true", "false"]),
                _ => None,
            },
        };
        self.fields.iter().map(info).collect()
    }
}

/// The JSON that is stored: the noun's own, NUL characters replaced, which PostgreSQL cannot hold.
pub(crate) fn document<N: Noun>(noun: &N) -> Result<Value, Error> {
    let mut value = serde_json::to_value(noun)
        .map_err(|source| Error::Encode { noun: N::TABLE.noun, source })?;
    replace_nul(&mut value);
    Ok(value)
}

fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.contains('\0') {
                *text = text.replace('\0', "\u{fffd}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(fields) => fields.values_mut().for_each(replace_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
