//! Every field a rule may name: Falco's, with type and meaning, and ours. A field without an extractor is known but
//! not collected: rules on it load and are reported inactive.
pub(crate) mod descriptor;
pub(crate) mod event;
mod ka;
pub(crate) mod names;
mod obj;
mod origin;
mod process;
mod uncollected;

use crate::feed::Feed;
use crate::value::{Kind, Quantity, Value};
use seawall_model::event::Event;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Index into [`all`].
pub type FieldId = u16;

/// The part of a field in brackets or behind its last dot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Argument {
    #[default]
    None,
    Index(usize),
    Key(String),
}

/// A field with its argument: what extraction needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldRef {
    pub(crate) id: FieldId,
    pub(crate) argument: Argument,
}

type Extract = for<'e> fn(&'e Event, &Argument) -> Option<Value<'e>>;

/// One field of the language.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub quantity: Quantity,
    pub takes: Takes,
    pub doc: &'static str,
    /// Makes a new string at each extraction, so the evaluator keeps it for the event.
    pub(crate) costly: bool,
    pub(crate) extract: Option<Extract>,
    /// Whose events carry it; `None`: all.
    pub(crate) feed: Option<Feed>,
    /// Text that also compares as a number.
    pub(crate) loose: bool,
}

/// What a field accepts in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// An optional number: how many generations up.
    Ancestor,
    /// An optional number: which of several parts.
    Index,
    /// A name, in brackets or behind a dot.
    Key,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, doc: &'static str, extract: Extract) -> Self {
        let extract = Some(extract);
        Self {
            name,
            kind,
            quantity: Quantity::One,
            takes: Takes::Nothing,
            doc,
            costly: false,
            extract,
            feed: Some(Feed::Syscall),
            loose: false,
        }
    }

    const fn text(name: &'static str, doc: &'static str, extract: Extract) -> Self {
        Self::new(name, Kind::Text, doc, extract)
    }

    const fn number(name: &'static str, doc: &'static str, extract: Extract) -> Self {
        Self::new(name, Kind::Number, doc, extract)
    }

    const fn boolean(name: &'static str, doc: &'static str, extract: Extract) -> Self {
        Self::new(name, Kind::Bool, doc, extract)
    }

    const fn address(name: &'static str, doc: &'static str, extract: Extract) -> Self {
        Self::new(name, Kind::Address, doc, extract)
    }

    const fn absent(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let (quantity, takes) = (Quantity::One, Takes::Nothing);
        let (feed, loose) = (None, false);
        Self { name, kind, quantity, takes, doc, costly: false, extract: None, feed, loose }
    }

    /// A field of events of every feed.
    const fn of_all(mut self) -> Self {
        self.feed = None;
        self
    }

    /// A field of audit records.
    const fn of_audit(mut self) -> Self {
        self.feed = Some(Feed::Audit);
        self
    }

    const fn loose(mut self) -> Self {
        self.loose = true;
        self
    }

    const fn costly(mut self) -> Self {
        self.costly = true;
        self
    }

    const fn many(mut self, quantity: Quantity) -> Self {
        self.quantity = quantity;
        self
    }

    const fn keyed(mut self) -> Self {
        self.takes = Takes::Key;
        self.loose = true;
        self
    }

    /// One value with an index, any of all without.
    const fn ancestor(mut self) -> Self {
        self.takes = Takes::Ancestor;
        self.quantity = Quantity::Any;
        self.costly = true;
        self
    }

    /// One part with an index, the whole without.
    const fn indexed(mut self) -> Self {
        self.takes = Takes::Index;
        self.costly = true;
        self
    }

    /// Whether our events carry it.
    pub fn is_collected(&self) -> bool {
        self.extract.is_some()
    }

    /// Whether events of that feed may carry it.
    pub(crate) fn is_of(&self, feed: Feed) -> bool {
        self.feed.is_none_or(|own| own == feed)
    }
}

static ALL: LazyLock<Vec<&'static Field>> = LazyLock::new(|| {
    let tables = [
        event::FIELDS,
        process::FIELDS,
        descriptor::FIELDS,
        origin::FIELDS,
        ka::FIELDS,
        obj::FIELDS,
        uncollected::FIELDS,
    ];
    tables.into_iter().flatten().collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, FieldId>> = LazyLock::new(|| {
    ALL.iter().enumerate().map(|(id, field)| (field.name, id as FieldId)).collect()
});

/// All fields, in the order of their documentation.
pub fn all() -> &'static [&'static Field] {
    &ALL
}

pub(crate) fn get(id: FieldId) -> &'static Field {
    ALL[id as usize]
}

/// Why a written field cannot be used.
#[derive(Debug)]
pub(crate) enum BadField {
    Unknown,
    /// The field exists, its argument does not fit.
    Argument(String),
}

/// Finds a field by its written name and argument. A name whose last parts are an argument (`evt.arg.flags`,
/// `k8s.pod.label.app`) is found by its longest known beginning.
pub(crate) fn find(name: &str, argument: Option<&str>) -> Result<FieldRef, BadField> {
    if let Some(id) = BY_NAME.get(name) {
        return with_argument(*id, argument);
    }
    if argument.is_none() {
        for (at, _) in name.rmatch_indices('.') {
            let known = |id: &&FieldId| {
                get(**id).takes == Takes::Key && !uncollected::FAMILIES.contains(&get(**id).name)
            };
            if let Some(id) = BY_NAME.get(&name[..at]).filter(known) {
                return with_argument(*id, Some(&name[at + 1..]));
            }
        }
    }
    // Fields of Falco plugins and audit events form open families.
    let family = name.split('.').next().unwrap_or_default();
    match uncollected::FAMILIES
        .iter()
        .find(|known| **known == family)
        .and_then(|known| BY_NAME.get(known))
    {
        Some(id) => Ok(FieldRef { id: *id, argument: Argument::Key(name.to_owned()) }),
        None => Err(BadField::Unknown),
    }
}

fn with_argument(id: FieldId, argument: Option<&str>) -> Result<FieldRef, BadField> {
    let field = get(id);
    let argument = match (field.takes, argument) {
        (Takes::Key, None) if field.is_collected() => {
            return Err(BadField::Argument(format!("`{}` needs a name in brackets", field.name)));
        }
        (_, None) => Argument::None,
        (Takes::Nothing, Some(_)) if field.is_collected() => {
            return Err(BadField::Argument(format!("`{}` takes no argument", field.name)));
        }
        (Takes::Ancestor, Some(text)) => match text.parse() {
            Ok(index) => Argument::Index(index),
            Err(_) => {
                return Err(BadField::Argument(format!(
                    "`{}[…]` takes a number of generations",
                    field.name
                )));
            }
        },
        (Takes::Index, Some(text)) => match text.parse() {
            Ok(index) => Argument::Index(index),
            Err(_) => {
                return Err(BadField::Argument(format!("`{}[…]` takes a number", field.name)));
            }
        },
        (Takes::Key | Takes::Nothing, Some(text)) => Argument::Key(text.to_owned()),
    };
    Ok(FieldRef { id, argument })
}

impl FieldRef {
    pub(crate) fn field(&self) -> &'static Field {
        get(self.id)
    }

    /// Whether our events carry it, this argument included.
    pub(crate) fn is_collected(&self) -> bool {
        let known = match (&self.argument, self.field().name) {
            (Argument::Key(key), "evt.arg" | "evt.rawarg") => {
                event::ARGUMENTS.contains(&key.as_str())
            }
            _ => true,
        };
        known && self.field().is_collected()
    }

    /// One of several has one value; everything else as its field says.
    pub(crate) fn quantity(&self) -> Quantity {
        match (self.field().takes, &self.argument) {
            (Takes::Ancestor | Takes::Index, Argument::Index(_)) => Quantity::One,
            _ => self.field().quantity,
        }
    }

    /// As a rule writes it.
    pub(crate) fn written(&self) -> String {
        let name = self.field().name;
        match &self.argument {
            Argument::None => name.to_owned(),
            Argument::Index(index) => format!("{name}[{index}]"),
            Argument::Key(key) if uncollected::FAMILIES.contains(&name) => key.clone(),
            Argument::Key(key) => format!("{name}[{key}]"),
        }
    }
}

/// Names for "did you mean".
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|field| field.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        assert_eq!(BY_NAME.len(), ALL.len(), "a field is listed twice");
        for field in all() {
            assert!(!field.doc.is_empty(), "{}", field.name);
            // Falco's audit fields quote the keys of Kubernetes' objects.
            let small = field.name == field.name.to_lowercase() || field.name.starts_with("ka.");
            assert!(field.name.is_ascii() && small, "{}", field.name);
        }
    }

    #[test]
    fn arguments_are_read_from_brackets_and_dots() {
        let written = |name, argument| find(name, argument).map(|field| field.written());
        assert_eq!(written("proc.aname", Some("2")).unwrap(), "proc.aname[2]");
        assert_eq!(written("evt.arg.flags", None).unwrap(), "evt.arg[flags]");
        assert_eq!(
            written("k8s.pod.label.app.kubernetes.io/name", None).unwrap(),
            "k8s.pod.label[app.kubernetes.io/name]"
        );
        assert_eq!(written("ka.target.resource", None).unwrap(), "ka.target.resource");
        assert!(matches!(find("proc.nmae", None), Err(BadField::Unknown)));
        assert!(matches!(find("proc.name", Some("1")), Err(BadField::Argument(_))));
        assert!(matches!(find("proc.aname", Some("x")), Err(BadField::Argument(_))));
    }
}
