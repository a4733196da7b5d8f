//! The table of declared functions: one entry per library, each since a Kubernetes minor. A library is plain Rust
//! functions over values plus a `static LIBRARY`; [`crate::library`] and [`crate::standard`] list them.
use crate::error::EvalError;
use crate::library::regex::Regex;
use crate::types::Type;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// What a function does. Errors carry cel-go's words. Arguments have the declared types' outer shape.
pub type Native = for<'a> fn(&[Value<'a>]) -> Result<Value<'a>, EvalError>;

/// What a call costs, in Kubernetes' units; the result is `None` where the call failed.
pub type Price = fn(overload: &str, arguments: &[Value<'_>], result: Option<&Value<'_>>) -> u64;

/// A set of functions the API server has since and before some minor.
pub struct Library {
    /// First minor of Kubernetes 1.x with it.
    pub since: u32,
    /// First minor without it; `u32::MAX` for none.
    pub until: u32,
    /// Names of types it brings: `type(x) == net.IP`.
    pub types: &'static [&'static str],
    pub functions: &'static [Function],
}

/// A function on a text and a pattern that was compiled before: what [`Overload::call`] gives, without compiling.
pub type Search = for<'a> fn(&Regex, &[Value<'a>]) -> Result<Value<'a>, EvalError>;

pub struct Function {
    /// With its namespace: `ip.isCanonical`, `sets.contains`.
    pub name: &'static str,
    pub overloads: &'static [Overload],
    /// `None`: 1 a call.
    pub price: Option<Price>,
    pub refusal: Refusal,
    /// The second argument is a pattern; a constant one is compiled when the expression is.
    pub search: Option<Search>,
}

/// How cel-go words a call that no overload takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `no such overload: f(int, string)`: each overload is guarded by its types.
    Typed,
    /// `no such overload: f`: one implementation behind all overloads.
    Named,
    /// `no such overload`: the implementation looks at its arguments itself.
    Bare,
}

pub struct Overload {
    /// cel-go's or Kubernetes' id; prices depend on it.
    pub id: &'static str,
    /// Whether the first argument is what it is called on.
    pub member: bool,
    /// In the form [`Type::parse`] reads.
    pub arguments: &'static [&'static str],
    pub result: &'static str,
    pub call: Native,
}

impl Overload {
    /// `function(arguments)`
    #[must_use]
    pub const fn global(
        id: &'static str,
        arguments: &'static [&'static str],
        result: &'static str,
        call: Native,
    ) -> Self {
        Self { id, member: false, arguments, result, call }
    }

    /// `arguments[0].function(arguments[1..])`
    #[must_use]
    pub const fn member(
        id: &'static str,
        arguments: &'static [&'static str],
        result: &'static str,
        call: Native,
    ) -> Self {
        Self { id, member: true, arguments, result, call }
    }
}

impl Function {
    #[must_use]
    pub const fn new(name: &'static str, overloads: &'static [Overload]) -> Self {
        Self { name, overloads, price: None, refusal: Refusal::Typed, search: None }
    }

    #[must_use]
    pub const fn priced(name: &'static str, overloads: &'static [Overload], price: Price) -> Self {
        Self { name, overloads, price: Some(price), refusal: Refusal::Typed, search: None }
    }

    #[must_use]
    pub const fn refusing(mut self, refusal: Refusal) -> Self {
        self.refusal = refusal;
        self
    }

    /// The function takes a pattern as its second argument; `search` is the same with the pattern compiled.
    #[must_use]
    pub const fn searching(mut self, search: Search) -> Self {
        self.search = Some(search);
        self
    }
}

/// A function of one environment: all its overloads with their types read.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: &'static str,
    pub(crate) overloads: Vec<Signature>,
    pub(crate) price: Option<Price>,
    refusal: Refusal,
    pub(crate) search: Option<Search>,
}

#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) id: &'static str,
    pub(crate) member: bool,
    pub(crate) arguments: Vec<Type>,
    pub(crate) result: Type,
    pub(crate) call: Native,
}

impl Signature {
    /// Whether run-time values have the declared shape; lists and maps are judged by their first element.
    pub(crate) fn takes(&self, arguments: &[Value<'_>]) -> bool {
        self.arguments.len() == arguments.len()
            && self.arguments.iter().zip(arguments).all(|(kind, value)| shaped(kind, value))
    }
}

fn shaped(kind: &Type, value: &Value<'_>) -> bool {
    match (kind, value) {
        (Type::Dyn | Type::Param(_) | Type::Var(_) | Type::Error, _)
        | (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Uint, Value::Uint(_))
        | (Type::Double, Value::Double(_))
        | (Type::String, Value::String(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Null, Value::Null)
        | (Type::Type, Value::Type(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Optional(_), Value::Optional(_))
        | (Type::Struct(_), Value::Map(_)) => true,
        (Type::List(of), Value::List(list)) => list.get(0).is_none_or(|item| shaped(of, &item)),
        (Type::Map(of, to), Value::Map(map)) => {
            map.iter().next().is_none_or(|(key, value)| shaped(of, &key) && shaped(to, &value))
        }
        (Type::Opaque(name), value) => **name == *value.type_name(),
        _ => false,
    }
}

/// All functions and type names of one Kubernetes minor.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    by_name: HashMap<&'static str, Arc<Declared>>,
    types: HashMap<&'static str, &'static str>,
}

impl Functions {
    pub(crate) fn new<'l>(minor: u32, libraries: impl Iterator<Item = &'l Library>) -> Self {
        let mut building: HashMap<&'static str, Declared> = HashMap::new();
        let mut types = HashMap::new();
        for library in libraries {
            if minor < library.since || minor >= library.until {
                continue;
            }
            types.extend(library.types.iter().map(|name| (*name, *name)));
            for function in library.functions {
                let declared = building.entry(function.name).or_insert_with(|| Declared {
                    name: function.name,
                    overloads: Vec::new(),
                    price: None,
                    refusal: function.refusal,
                    search: None,
                });
                declared.price = declared.price.or(function.price);
                declared.search = declared.search.or(function.search);
                declared.overloads.extend(function.overloads.iter().map(signature));
            }
        }
        let by_name = building.into_iter().map(|(name, declared)| (name, Arc::new(declared)));
        Self { by_name: by_name.collect(), types }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Declared>> {
        self.by_name.get(name)
    }

    /// The name of a type that expressions can compare with.
    pub(crate) fn type_name(&self, name: &str) -> Option<&'static str> {
        self.types.get(name).copied()
    }
}

fn signature(overload: &Overload) -> Signature {
    // A table's text that does not read would be a type nobody has; a test reads them all.
    let read = |text: &str| Type::parse(text).unwrap_or(Type::Error);
    Signature {
        id: overload.id,
        member: overload.member,
        arguments: overload.arguments.iter().map(|text| read(text)).collect(),
        result: read(overload.result),
        call: overload.call,
    }
}

impl Declared {
    /// Calls the overload the checker settled on, or the first whose types fit the values.
    pub(crate) fn call<'a>(
        &self,
        settled: Option<usize>,
        member: bool,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>, EvalError> {
        let unguarded = self.refusal == Refusal::Bare && settled.is_some();
        let fits = |signature: &&Signature| unguarded || signature.takes(arguments);
        let found = match settled {
            Some(at) => self.overloads.get(at).filter(fits),
            None => self
                .overloads
                .iter()
                .filter(|signature| signature.member == member)
                .chain(self.overloads.iter().filter(|signature| signature.member != member))
                .find(fits),
        };
        match found {
            Some(signature) => (signature.call)(arguments),
            None => Err(self.refused(arguments)),
        }
    }

    fn refused(&self, arguments: &[Value<'_>]) -> EvalError {
        let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
        EvalError::Error(match self.refusal {
            Refusal::Typed => format!("no such overload: {}({})", self.name, types.join(", ")),
            Refusal::Named => format!("no such overload: {}", self.name),
            Refusal::Bare => "no such overload".to_owned(),
        })
    }
}
