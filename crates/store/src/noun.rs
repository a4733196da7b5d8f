//! What a noun tells the store: its table, its fields, and how it becomes a row.
//!
//! A row is columns and payload. The payload is the noun's JSON; every column is taken from that JSON by the field's
//! pointer, so the filter's two evaluators read the same value. Columns marked `live` are newer than the payload.
mod access;
mod admission;
mod alert;
mod estate;
mod finding;
mod image;
mod policy_set;

pub use image::IMAGE_PACKAGES;

use crate::error::{Error, Result};
use crate::store::Store;
use crate::visible::Visible;
use seawall_model::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object kind that can be listed, filtered, exported and searched.
pub trait Noun: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static {
    const TABLE: &'static Table;

    fn id(&self) -> Id;

    /// Columns that are not part of the public JSON, in the order of the table's extras. Null keeps what the row has:
    /// a noun that was read may be written without knowing them. Default: none.
    fn extras(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Fills in what other tables hold, as far as `visible` shows it. Default: nothing.
    fn hydrate(
        store: &Store,
        visible: &Visible,
        items: &mut [Self],
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (store, visible, items);
        std::future::ready(Ok(()))
    }
}

/// The shape of one noun's table.
#[derive(Debug)]
pub struct Table {
    /// Singular, as the change feed and errors name it.
    pub noun: &'static str,
    /// Also the table's name in SQL, and with `-` for `_` the path segment in URLs.
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
    /// Package versions that an image held which runs in one of them.
    Holdings,
    /// Rows of the change feed: by the namespace or the image they were about.
    Change,
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// The column is kept by other statements, and the JSON is filled in after reading.
    pub(crate) derived: bool,
    /// Counts across the whole scope: not for grants narrowed to namespaces, which could sound it out.
    pub(crate) whole: bool,
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    pub const fn new(name: &'static str, kind: Kind, pointer: &'static str) -> Self {
        Self {
            name,
            kind,
            column: name,
            pointer,
            live: false,
            required: false,
            derived: false,
            whole: false,
        }
    }

    pub(crate) const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    pub(crate) const fn live(mut self) -> Self {
        self.live = true;
        self
    }

    pub(crate) const fn derived(mut self) -> Self {
        self.derived = true;
        self
    }

    pub(crate) const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Never absent.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl Table {
    /// A list that is held in memory, see [`Store::page_of`]. `search` are pointers to the texts that words search.
    pub const fn held(
        (noun, plural): (&'static str, &'static str),
        fields: &'static [Field],
        default_sort: &'static str,
        search: &'static [&'static str],
    ) -> Self {
        let narrowing = Narrowing::Nothing;
        Self { noun, plural, fields, extras: &[], default_sort, search, narrowing }
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Fields with a column of their own, each column once.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &'static Field> {
        let fields = self.fields;
        let first = |(position, field): (usize, &'static Field)| {
            let earlier = fields[..position].iter().any(|other| other.column == field.column);
            (!field.derived && !earlier).then_some(field)
        };
        fields.iter().enumerate().filter_map(first)
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

/// The JSON that is stored: the noun's own, NUL characters replaced, which PostgreSQL cannot hold, and cut where it
/// is nested too deep to be read back.
pub(crate) fn document<N: Noun>(noun: &N) -> Result<Value> {
    value_of(N::TABLE.noun, noun)
}

/// The same as text, of something that has no table of its own.
pub(crate) fn document_of(noun: &'static str, value: &impl Serialize) -> Result<String> {
    Ok(value_of(noun, value)?.to_string())
}

fn value_of(noun: &'static str, value: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(value).map_err(|source| Error::Encode { noun, source })?;
    storable(&mut value, 0);
    Ok(value)
}

/// Levels of a stored document; its reader gives up at 128.
const MAX_DEPTH: usize = 100;

pub(crate) fn storable(value: &mut Value, depth: usize) {
    match value {
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => *value = Value::Null,
        Value::String(text) => {
            if text.contains('\0') {
                *text = text.replace('\0', "\u{fffd}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| storable(item, depth + 1)),
        Value::Object(fields) => {
            // An annotation's key may be any text.
            if fields.keys().any(|key| key.contains('\0')) {
                let clean = |(key, value): (String, Value)| (key.replace('\0', "\u{fffd}"), value);
                *fields = std::mem::take(fields).into_iter().map(clean).collect();
            }
            fields.values_mut().for_each(|value| storable(value, depth + 1));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every table, for completions and tests.
pub static TABLES: [&Table; 22] = [
    <seawall_model::scope::Scope as Noun>::TABLE,
    <seawall_model::asset::Cluster as Noun>::TABLE,
    <seawall_model::asset::Agent as Noun>::TABLE,
    <seawall_model::asset::Asset as Noun>::TABLE,
    <crate::Image as Noun>::TABLE,
    <crate::PackageVersion as Noun>::TABLE,
    <seawall_model::finding::Finding as Noun>::TABLE,
    <seawall_model::recommendation::Recommendation as Noun>::TABLE,
    <seawall_model::recommendation::ScoreDelta as Noun>::TABLE,
    <seawall_model::alert::Alert as Noun>::TABLE,
    <crate::StoredFiring as Noun>::TABLE,
    <seawall_model::exemption::Exemption as Noun>::TABLE,
    <seawall_model::access::User as Noun>::TABLE,
    <seawall_model::access::RoleAssignment as Noun>::TABLE,
    <crate::Token as Noun>::TABLE,
    <crate::Enrolment as Noun>::TABLE,
    <crate::AuditEntry as Noun>::TABLE,
    <seawall_model::admission::Assignment as Noun>::TABLE,
    <seawall_model::admission::StoredDecision as Noun>::TABLE,
    <seawall_model::admission::StoredGap as Noun>::TABLE,
    <crate::PolicySetEntry as Noun>::TABLE,
    <seawall_model::policy_set::StoredTrial as Noun>::TABLE,
];

/// The table of a noun by its plural, as URLs name it.
pub fn table(plural: &str) -> Option<&'static Table> {
    TABLES.into_iter().find(|table| table.plural == plural)
}

#[test]
fn tables_are_sound() {
    for table in TABLES {
        for (position, field) in table.fields.iter().enumerate() {
            let twice = table.fields[..position].iter().any(|other| other.name == field.name);
            assert!(!twice, "{}.{} twice", table.plural, field.name);
            if field.live {
                assert!(
                    field.pointer.matches('/').count() == 1,
                    "{} is not at the top",
                    field.name
                );
                assert!(field.kind.is_integer(), "{} is not read back as an integer", field.name);
            }
        }
        let sort = table.default_sort.trim_start_matches('-');
        assert!(table.field(sort).is_some_and(|field| field.required), "{}", table.plural);
    }
}
