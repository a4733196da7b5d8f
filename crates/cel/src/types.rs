//! The types expressions are checked with, their text form and their sizes.
use std::fmt;
use std::sync::Arc;

/// Names of structs, opaque types and variables; shared, since types are copied a lot.
pub type Name = Arc<str>;

/// Parts of a type. Binding a variable to `{x: x}` doubles its type each time, so above this it is `dyn`.
const MAX_PARTS: usize = 200;

/// The type of an expression, as cel-go's checker knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Anything; checked when it runs.
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Null,
    Type,
    Duration,
    Timestamp,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Optional(Box<Type>),
    /// An object whose fields a [`crate::Schema`] knows.
    Struct(Name),
    /// A library's value: `net.IP`, `kubernetes.Quantity`.
    Opaque(Name),
    /// A parameter of a declared function: the `A` of `list(A)`.
    Param(Name),
    /// A parameter being solved; never leaves the checker.
    Var(u32),
    /// What a faulty expression has; fits everywhere, so that one fault is told once.
    Error,
}

impl Type {
    #[must_use]
    pub fn list(of: Type) -> Type {
        if of.parts() > MAX_PARTS { Type::Dyn } else { Type::List(Box::new(of)) }
    }

    #[must_use]
    pub fn map(key: Type, value: Type) -> Type {
        if key.parts() + value.parts() > MAX_PARTS {
            Type::Dyn
        } else {
            Type::Map(Box::new(key), Box::new(value))
        }
    }

    #[must_use]
    pub fn optional(of: Type) -> Type {
        if of.parts() > MAX_PARTS { Type::Dyn } else { Type::Optional(Box::new(of)) }
    }

    fn parts(&self) -> usize {
        1 + match self {
            Type::List(of) | Type::Optional(of) => of.parts(),
            Type::Map(key, value) => key.parts() + value.parts(),
            _ => 0,
        }
    }

    /// Reads the form [`fmt::Display`] writes: `list(A)`, `map(string, dyn)`, `net.IP`. One upper-case letter is a
    /// parameter; a name nothing else claims is opaque. `None`: brackets that do not match.
    #[must_use]
    pub fn parse(text: &str) -> Option<Type> {
        let text = text.trim();
        if let Some((head, rest)) = text.split_once('(') {
            let inner = rest.strip_suffix(')')?;
            return match head {
                "list" => Some(Type::list(Type::parse(inner)?)),
                "optional_type" => Some(Type::optional(Type::parse(inner)?)),
                "map" => {
                    let (key, value) = inner.split_at(comma(inner)?);
                    Some(Type::map(Type::parse(key)?, Type::parse(&value[1..])?))
                }
                _ => None,
            };
        }
        Some(match text {
            "dyn" => Type::Dyn,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::String,
            "bytes" => Type::Bytes,
            "null" => Type::Null,
            "type" => Type::Type,
            "duration" => Type::Duration,
            "timestamp" => Type::Timestamp,
            "" => return None,
            name if name.len() == 1 && name.as_bytes()[0].is_ascii_uppercase() => {
                Type::Param(name.into())
            }
            name => Type::Opaque(name.into()),
        })
    }
}

/// The comma that parts `text` outside brackets.
fn comma(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            b',' if open == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// As cel-go's checker writes types into its messages.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Null => f.write_str("null"),
            Type::Type => f.write_str("type"),
            Type::Duration => f.write_str("duration"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(key, value) => write!(f, "map({key}, {value})"),
            Type::Optional(of) => write!(f, "optional_type({of})"),
            Type::Struct(name) | Type::Opaque(name) | Type::Param(name) => f.write_str(name),
            Type::Var(number) => write!(f, "_var{number}"),
            Type::Error => f.write_str("!error!"),
        }
    }
}

/// What knows the fields of structs.
pub trait Schema: Send + Sync {
    /// The type of `field` in the struct `owner`; `None`: it has no such field.
    fn field(&self, owner: &str, field: &str) -> Option<Type>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        assert_eq!(Type::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
    }

    #[test]
    fn text_form_round_trips() {
        check("list(map(string, list(A)))");
        check("optional_type(net.IP)");
        check("map(K, V)");
        assert_eq!(Type::parse("list(string"), None);
        assert_eq!(Type::parse("kubernetes.URL"), Some(Type::Opaque("kubernetes.URL".into())));
    }

    #[test]
    fn types_that_double_end_as_dyn() {
        let mut kind = Type::Int;
        for _ in 0..1000 {
            kind = Type::map(kind.clone(), kind);
        }
        assert!(kind.parts() <= 2 * MAX_PARTS);
    }
}
