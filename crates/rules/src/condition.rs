//! The words and the tree of Falco's condition language. Every token knows its place in the YAML source.
use crate::yaml::Place;

/// Open parentheses; also the depth of any compiled condition.
pub(crate) const MAX_DEPTH: usize = 1_000;

pub(crate) type ExprId = u32;

/// A parsed condition: children come before their parents.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    pub(crate) nodes: Vec<Expr>,
    pub(crate) root: ExprId,
    /// Where an `and` and an `or` meet without parentheses.
    pub(crate) mixed: Option<Place>,
}

#[derive(Debug)]
pub(crate) enum Expr {
    And(Vec<ExprId>),
    Or(Vec<ExprId>),
    Not(ExprId),
    Macro { name: String, place: Place },
    Check(Box<Check>),
}

#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) left: Operand,
    pub(crate) op: Op,
    pub(crate) modifier: Option<Modifier>,
    pub(crate) right: Right,
    pub(crate) op_place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Field(FieldName),
    Transform {
        transformer: Transformer,
        arguments: Vec<Argument>,
        selector: Option<String>,
        place: Place,
    },
}

/// A field as written: `proc.aname[2]` has the argument `2`.
#[derive(Clone, Debug)]
pub(crate) struct FieldName {
    pub(crate) name: String,
    pub(crate) argument: Option<String>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Operand(Operand),
    Literal(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Right {
    None,
    Literal(Literal),
    List(Vec<Literal>),
    /// `in shells` without parentheses.
    ListName(Literal),
    Operand(Operand),
}

#[derive(Clone, Debug)]
pub(crate) struct Literal {
    pub(crate) text: String,
    pub(crate) quoted: bool,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::enum_variant_names, reason = "they are the language's own words")]
pub(crate) enum Modifier {
    OneOf,
    AnyOf,
    AllOf,
}

impl Modifier {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OneOf => "oneof",
            Self::AnyOf => "anyof",
            Self::AllOf => "allof",
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            pub(crate) fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words!(
    /// Comparison operators.
    Op {
        Exists = "exists", Eq = "=", Ne = "!=", Lt = "<", Le = "<=", Gt = ">", Ge = ">=",
        Contains = "contains", IContains = "icontains", BContains = "bcontains",
        StartsWith = "startswith", BStartsWith = "bstartswith", EndsWith = "endswith",
        Glob = "glob", IGlob = "iglob", Regex = "regex",
        In = "in", Intersects = "intersects", PMatch = "pmatch",
    }
);

words!(
    /// Functions of fields; `val` only gives its field.
    Transformer {
        Val = "val", ToLower = "tolower", ToUpper = "toupper", B64 = "b64", Basename = "basename",
        Len = "len", Join = "join", Concat = "concat", GetOpt = "getopt",
    }
);

impl Op {
    /// Takes a number: the value must be one.
    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }

    /// Takes a list on its right.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::PMatch)
    }

    /// Takes one string, and with a modifier a list of them.
    pub(crate) fn takes_modifier(self) -> bool {
        !self.is_numeric() && !self.is_list() && self != Self::Exists
    }
}
