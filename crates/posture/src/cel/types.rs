//! What fields the API's objects have: for checking expressions, and objects, before they meet.
use seawall_cel::Type;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

type Structs = BTreeMap<&'static str, BTreeMap<&'static str, Type>>;

/// A kind of the API, of a stable version.
#[derive(Debug)]
pub struct Known {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// Resource name in URLs.
    pub plural: &'static str,
    pub namespaced: bool,
    /// Its struct.
    pub(crate) name: &'static str,
}

#[derive(Default)]
struct Table {
    kinds: Vec<Known>,
    structs: Structs,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let mut current = "";
    for line in include_str!("kubernetes.types").lines().filter(|line| !line.starts_with('#')) {
        if let Some(kind) = line.strip_prefix('@') {
            if let [api_version, kind, plural, scope, name] =
                kind.split(' ').collect::<Vec<_>>().as_slice()
            {
                let namespaced = *scope == "namespaced";
                table.kinds.push(Known { api_version, kind, plural, namespaced, name });
            }
            continue;
        }
        match line.strip_prefix("  ").and_then(|field| field.split_once(' ')) {
            Some((field, text)) => {
                table.structs.entry(current).or_default().insert(field, parse(text));
            }
            None => current = line,
        }
    }
    table
});

/// Every kind of the table: the stable ones of Kubernetes.
pub fn kinds() -> &'static [Known] {
    &TABLE.kinds
}

/// The kind of that version, where the table has it.
pub(crate) fn kind(api_version: &str, kind: &str) -> Option<&'static Known> {
    TABLE.kinds.iter().find(|known| known.kind == kind && known.api_version == api_version)
}

/// `[T]` list, `{T}` map of strings, a word, or a struct's name.
pub(crate) fn parse(text: &str) -> Type {
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(item) = inner('[', ']') {
        return Type::list(parse(item));
    }
    if let Some(value) = inner('{', '}') {
        return Type::map(Type::String, parse(value));
    }
    match text {
        "dyn" => Type::Dyn,
        "string" => Type::String,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "double" => Type::Double,
        name => Type::Struct(name.into()),
    }
}

/// The struct that `variables.params` is.
pub(crate) const PARAMS: &str = "params";

/// The table, and one control's parameters.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) params: BTreeMap<String, Type>,
}

impl seawall_cel::Schema for Schema {
    fn field(&self, owner: &str, field: &str) -> Option<Type> {
        match owner {
            PARAMS => self.params.get(field).cloned(),
            _ => TABLE.structs.get(owner)?.get(field).cloned(),
        }
    }
}

/// A field whose value is of another type than the API says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) pointer: String,
    pub(crate) owner: &'static str,
    pub(crate) field: &'static str,
    pub(crate) expected: String,
}

/// Mismatches kept per object: enough to name every one a person would repair.
const MAX_MISMATCHES: usize = 64;

/// Where `value`, which stands at `pointer`, is not the struct `name`. Fields the table does not know are left alone.
pub(crate) fn mismatches(value: &Value, name: &str, pointer: &str) -> Vec<Mismatch> {
    let mut found = Vec::new();
    walk_struct(value, name, &At::Root(pointer), &mut found);
    found
}

/// A place on the way down; its pointer is written only where something is wrong.
enum At<'p> {
    Root(&'p str),
    Key(&'p At<'p>, &'p str),
    Index(&'p At<'p>, usize),
}

impl At<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root(pointer) => (*pointer).to_owned(),
            Self::Key(parent, key) => crate::pointer::join(&parent.pointer(), [*key]),
            Self::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

fn walk_struct(value: &Value, name: &str, at: &At<'_>, found: &mut Vec<Mismatch>) {
    let (Some(members), Some((name, fields))) =
        (value.as_object(), TABLE.structs.get_key_value(name))
    else {
        return;
    };
    for (key, member) in members {
        if let Some((field, expected)) = fields.get_key_value(key.as_str())
            && found.len() < MAX_MISMATCHES
        {
            walk(member, expected, &At::Key(at, key), (*name, *field), found);
        }
    }
}

fn walk(
    value: &Value,
    expected: &Type,
    at: &At<'_>,
    of: (&'static str, &'static str),
    found: &mut Vec<Mismatch>,
) {
    match (expected, value) {
        (_, Value::Null)
        | (Type::Dyn, _)
        | (Type::Bool, Value::Bool(_))
        | (Type::String, Value::String(_)) => {}
        (Type::Double, Value::Number(_)) => {}
        (Type::Int, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        (Type::Struct(name), Value::Object(_)) => walk_struct(value, name, at, found),
        (Type::List(item), Value::Array(items)) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, item, &At::Index(at, index), of, found);
            }
        }
        (Type::Map(_, item), Value::Object(members)) => {
            for (key, value) in members {
                walk(value, item, &At::Key(at, key), of, found);
            }
        }
        _ => found.push(Mismatch {
            pointer: at.pointer(),
            owner: of.0,
            field: of.1,
            expected: expected.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(spec: Value, expected: &[&str]) {
        let found = mismatches(&spec, "PodSpec", "/spec");
        let found: Vec<_> = found
            .iter()
            .map(|m| format!("{} {}.{} {}", m.pointer, m.owner, m.field, m.expected))
            .collect();
        assert_eq!(found, expected, "{spec}");
    }

    #[test]
    fn objects_are_held_against_the_table() {
        check(
            json!({"containers": [{"name": "a", "securityContext": {"privileged": true}}], "unknownField": 1}),
            &[],
        );
        check(json!({"containers": "x"}), &["/spec/containers PodSpec.containers list(Container)"]);
        check(json!({"containers": ["x"]}), &["/spec/containers/0 PodSpec.containers Container"]);
        check(
            json!({"containers": [{"securityContext": {"privileged": "true"}}]}),
            &["/spec/containers/0/securityContext/privileged SecurityContext.privileged bool"],
        );
        check(
            json!({"containers": [{"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}], "hostPID": null}),
            &[],
        );
        check(
            json!({"nodeSelector": {"a/b": 1}}),
            &["/spec/nodeSelector/a~1b PodSpec.nodeSelector string"],
        );
    }

    #[test]
    fn every_type_the_table_names_is_in_it() {
        fn named(kind: &Type) -> Option<&str> {
            match kind {
                Type::List(inner) | Type::Map(_, inner) => named(inner),
                Type::Struct(name) => Some(name),
                _ => None,
            }
        }
        let names = TABLE.structs.values().flat_map(BTreeMap::values).filter_map(named);
        assert!(names.clone().count() > 100);
        assert!(kinds().len() > 50 && kind("v1", "Service").is_some_and(|known| known.namespaced));
        let names = names.chain(kinds().iter().map(|known| known.name));
        names.for_each(|name| assert!(TABLE.structs.contains_key(name), "{name}"));
    }
}
