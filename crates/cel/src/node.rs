//! The parsed expression: what callers walk over to take a policy apart. Macros stay whole.
use std::ops::Range;

/// One node and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique within the expression, dense from 0.
    pub id: u32,
    /// Byte that messages point at: an operator's or call's own token, not the start of its operand.
    pub at: usize,
    /// Bytes of the text, brackets around it included; compiled alone they mean the same.
    pub span: Range<usize>,
    pub kind: Kind,
    /// Levels of the tree from here down, this one included.
    pub(crate) levels: usize,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Literal(Literal),
    /// A variable; with a leading dot where the text has one.
    Ident(String),
    /// `operand.field`, `operand.?field`.
    Select {
        operand: Box<Node>,
        field: String,
        optional: bool,
    },
    /// `has(operand.field)`
    Has {
        operand: Box<Node>,
        field: String,
    },
    /// `operand[index]`, `operand[?index]`.
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    /// Two or more terms.
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Condition, then, else.
    Conditional(Box<[Node; 3]>),
    /// Function or operator (`_+_`, `!_`, `-_`, `_in_` as `@in`); a target where it is called on a value.
    Call {
        function: String,
        target: Option<Box<Node>>,
        arguments: Vec<Node>,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    /// `a.b.Name{field: value}`; no type of Kubernetes' policies is made so.
    Struct {
        name: String,
        fields: Vec<Node>,
    },
    /// `target.all(x, …)` and its like.
    Comprehension(Box<Comprehension>),
    /// `target.optMap(x, body)`, `target.optFlatMap(x, body)`.
    OptMap {
        target: Box<Node>,
        variable: String,
        body: Box<Node>,
        flat: bool,
    },
    /// `body` with `target` under a name; what `target.sortBy(x, key)` becomes.
    Bind {
        target: Box<Node>,
        variable: String,
        body: Box<Node>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Element {
    pub optional: bool,
    pub value: Node,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub optional: bool,
    pub key: Node,
    pub value: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    All,
    Exists,
    ExistsOne,
    /// `map`, `filter` (whose body is the element) and `transformList`.
    Map,
    Filter,
    TransformMap,
    TransformMapEntry,
}

#[derive(Clone, Debug)]
pub struct Comprehension {
    pub kind: Loop,
    pub range: Node,
    pub variable: String,
    /// The element or value, where `variable` is its index or key.
    pub second: Option<String>,
    /// Elements that are left out: `map(x, filter, body)`.
    pub filter: Option<Node>,
    /// The predicate or what is collected. [`Loop::Filter`] has its predicate here.
    pub body: Node,
}

impl Node {
    /// The nodes directly below, in the order of the text.
    #[must_use]
    pub fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Literal(_) | Kind::Ident(_) => Vec::new(),
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => vec![operand],
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::And(terms) | Kind::Or(terms) | Kind::Struct { fields: terms, .. } => {
                terms.iter().collect()
            }
            Kind::Conditional(parts) => parts.iter().collect(),
            Kind::Call { target, arguments, .. } => {
                target.as_deref().into_iter().chain(arguments).collect()
            }
            Kind::List(elements) => elements.iter().map(|element| &element.value).collect(),
            Kind::Map(entries) => {
                entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect()
            }
            Kind::Comprehension(comprehension) => {
                let Comprehension { range, filter, body, .. } = comprehension.as_ref();
                [Some(range), filter.as_ref(), Some(body)].into_iter().flatten().collect()
            }
            Kind::OptMap { target, body, .. } | Kind::Bind { target, body, .. } => {
                vec![target, body]
            }
        }
    }

    /// `a.b.c` of plain selections from a variable, as cel-go's qualified names.
    #[must_use]
    pub fn qualified(&self) -> Option<String> {
        match &self.kind {
            Kind::Ident(name) => Some(name.clone()),
            Kind::Select { operand, field, optional: false } => {
                Some(format!("{}.{field}", operand.qualified()?))
            }
            _ => None,
        }
    }
}
