//! A module as written: every node knows its bytes. Operators and `=`, `:=`, `in` are calls, as in OPA.
use crate::problem::Span;

#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// `package lib.names` is `["lib", "names"]`.
    pub(crate) package: Vec<String>,
    pub(crate) package_span: Span,
    pub(crate) imports: Vec<Import>,
    pub(crate) rules: Vec<Rule>,
    /// v1: deprecated functions are none.
    pub(crate) strict: bool,
}

/// An import of `data`, `input` or `rego.v1`; those of `future` are done with once parsed.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) alias: String,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) default: bool,
    pub(crate) name: String,
    /// What follows the name: `.b` and `[x]` of `a.b[x] := 1`.
    pub(crate) path: Vec<Term>,
    /// Of a function.
    pub(crate) args: Option<Vec<Term>>,
    pub(crate) head: Head,
    /// Absent: holds always.
    pub(crate) body: Option<Body>,
    pub(crate) otherwise: Vec<Else>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Head {
    /// `p := v`; absent: true.
    Value(Option<Term>),
    /// `p contains x`, in v0 `p[x]`.
    Member(Term),
}

#[derive(Clone, Debug)]
pub(crate) struct Else {
    pub(crate) value: Option<Term>,
    pub(crate) body: Option<Body>,
}

pub(crate) type Body = Vec<Literal>;

#[derive(Clone, Debug)]
pub(crate) struct Literal {
    pub(crate) negated: bool,
    pub(crate) kind: LiteralKind,
    pub(crate) with: Vec<With>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum LiteralKind {
    Term(Term),
    /// `some x, y`
    Some(Vec<String>),
    /// `some k, v in xs`
    SomeIn {
        key: Option<Term>,
        value: Term,
        domain: Term,
    },
    /// `every k, v in xs { … }`
    Every {
        key: Option<String>,
        value: String,
        domain: Term,
        body: Body,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct With {
    /// `input.review.object` or a function's name.
    pub(crate) target: Vec<String>,
    pub(crate) value: Term,
}

#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) kind: TermKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum TermKind {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    /// `_` keeps its name; each stands for another variable.
    Var(String),
    /// Head and what follows: names after dots are strings.
    Ref(Box<Term>, Vec<Term>),
    /// Name by its dots; operators by OPA's names (`plus`, `equal`, `eq`, `assign`, `internal.member_2`).
    Call(Vec<String>, Vec<Term>),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    ArrayComprehension(Box<Term>, Body),
    SetComprehension(Box<Term>, Body),
    ObjectComprehension(Box<(Term, Term)>, Body),
}

impl Term {
    pub(crate) fn new(kind: TermKind, span: Span) -> Self {
        Self { kind, span }
    }

    pub(crate) fn var(name: &str, span: Span) -> Self {
        Self::new(TermKind::Var(name.to_owned()), span)
    }

    pub(crate) fn call(name: &str, args: Vec<Term>, span: Span) -> Self {
        Self::new(TermKind::Call(vec![name.to_owned()], args), span)
    }

    /// The dotted name that a reference of constant strings spells.
    pub(crate) fn dotted(&self) -> Option<Vec<String>> {
        match &self.kind {
            TermKind::Var(name) => Some(vec![name.clone()]),
            TermKind::Ref(head, parts) => {
                let TermKind::Var(name) = &head.kind else { return None };
                let mut path = vec![name.clone()];
                for part in parts {
                    let TermKind::String(text) = &part.kind else { return None };
                    path.push(text.clone());
                }
                Some(path)
            }
            _ => None,
        }
    }

    /// A call of that operator or built-in.
    pub(crate) fn is_call(&self, name: &str) -> bool {
        matches!(&self.kind, TermKind::Call(path, _) if path.len() == 1 && path[0] == name)
    }

    /// The terms directly inside, comprehensions' heads and bodies excepted.
    pub(crate) fn children(&self) -> Vec<&Term> {
        match &self.kind {
            TermKind::Ref(head, parts) => std::iter::once(&**head).chain(parts).collect(),
            TermKind::Call(_, terms) | TermKind::Array(terms) | TermKind::Set(terms) => {
                terms.iter().collect()
            }
            TermKind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            _ => Vec::new(),
        }
    }

    /// A comprehension's head terms and body.
    pub(crate) fn closure(&self) -> Option<(Vec<&Term>, &Body)> {
        match &self.kind {
            TermKind::ArrayComprehension(head, body) | TermKind::SetComprehension(head, body) => {
                Some((vec![head], body))
            }
            TermKind::ObjectComprehension(pair, body) => Some((vec![&pair.0, &pair.1], body)),
            _ => None,
        }
    }
}

impl Literal {
    /// The terms of this literal outside of nested bodies, `with` values last.
    pub(crate) fn terms(&self) -> Vec<&Term> {
        let mut terms = match &self.kind {
            LiteralKind::Term(term) => vec![term],
            LiteralKind::Some(_) => Vec::new(),
            LiteralKind::SomeIn { key, value, domain } => {
                key.iter().chain([value, domain]).collect()
            }
            LiteralKind::Every { domain, .. } => vec![domain],
        };
        terms.extend(self.with.iter().map(|with| &with.value));
        terms
    }
}

/// Every term of a rule, those in nested bodies too, outermost first.
pub(crate) fn walk_rule<'a>(rule: &'a Rule, see: &mut dyn FnMut(&'a Term)) {
    let head = match &rule.head {
        Head::Value(value) => value.as_ref(),
        Head::Member(key) => Some(key),
    };
    for term in rule.path.iter().chain(rule.args.iter().flatten()).chain(head) {
        walk_term(term, see);
    }
    walk_body(rule.body.as_deref().unwrap_or_default(), see);
    for branch in &rule.otherwise {
        if let Some(value) = &branch.value {
            walk_term(value, see);
        }
        walk_body(branch.body.as_deref().unwrap_or_default(), see);
    }
}

pub(crate) fn walk_body<'a>(body: &'a [Literal], see: &mut dyn FnMut(&'a Term)) {
    for literal in body {
        for term in literal.terms() {
            walk_term(term, see);
        }
        if let LiteralKind::Every { body, .. } = &literal.kind {
            walk_body(body, see);
        }
    }
}

pub(crate) fn walk_term<'a>(term: &'a Term, see: &mut dyn FnMut(&'a Term)) {
    see(term);
    for child in term.children() {
        walk_term(child, see);
    }
    if let Some((heads, body)) = term.closure() {
        for head in heads {
            walk_term(head, see);
        }
        walk_body(body, see);
    }
}
