//! The type checker: names, fields and overloads are settled when an expression loads, not on somebody's object.
//! Source: CEL language definition, "Gradual type checking"; messages as cel-go's.
mod calls;
mod formats;
mod literals;
mod unify;

use crate::env::Env;
use crate::node::{Comprehension, Element, Entry, Kind, Literal, Loop, Node};
use crate::parser::Parsed;
use crate::types::{Name, Type};
use std::collections::BTreeSet;
use unify::Bindings;

/// One thing wrong, at a byte of the text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// What a call was settled to.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// With its namespace, where the target was one.
    pub(crate) function: &'static str,
    /// The target is a namespace, not a value.
    pub(crate) namespaced: bool,
    /// The only overload that fits; `None`: it is known when it runs.
    pub(crate) overload: Option<usize>,
}

/// What the walk over one expression found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// By node id.
    pub(crate) types: Vec<Type>,
    /// By node id; calls only.
    pub(crate) calls: Vec<Option<Settled>>,
    /// By node id: the name of the variable or type, where the node is one.
    pub(crate) names: Vec<Option<Reference>>,
    /// (struct, field) pairs the expression reads.
    pub(crate) fields: BTreeSet<(Name, String)>,
    /// Variables it reads, dotted ones whole.
    pub(crate) variables: BTreeSet<Name>,
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) enum Reference {
    Variable(Name),
    /// The loop variable this many scopes from the outermost.
    Local(usize),
    Type(&'static str),
}

/// Types with a name of their own in expressions.
const TYPE_NAMES: [&str; 12] = [
    "bool",
    "bytes",
    "double",
    "google.protobuf.Duration",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "google.protobuf.Timestamp",
    "type",
    "uint",
];

pub(crate) fn check(env: &Env, parsed: &Parsed) -> Checked {
    let nodes = parsed.nodes as usize;
    let mut checker = Checker {
        env,
        bindings: Bindings::default(),
        scope: Vec::new(),
        found: Checked {
            types: vec![Type::Dyn; nodes],
            calls: vec![None; nodes],
            names: vec![None; nodes],
            fields: BTreeSet::new(),
            variables: BTreeSet::new(),
            faults: Vec::new(),
        },
    };
    checker.visit(&parsed.root);
    for kind in &mut checker.found.types {
        *kind = checker.bindings.substitute(kind, true);
    }
    if checker.found.faults.is_empty() {
        literals::check(&parsed.root, env.minor(), &mut checker.found);
    }
    checker.found
}

struct Checker<'e> {
    env: &'e Env,
    bindings: Bindings,
    /// Loop variables, innermost last.
    scope: Vec<(String, Type)>,
    found: Checked,
}

impl Checker<'_> {
    fn fault(&mut self, at: usize, message: String) -> Type {
        self.found.faults.push(Fault { at, message });
        Type::Error
    }

    fn mismatch(&mut self, at: usize, expected: &Type, found: &Type) -> Type {
        let expected = self.bindings.substitute(expected, false);
        let found = self.bindings.substitute(found, false);
        self.fault(at, format!("expected type '{expected}' but found '{found}'"))
    }

    fn visit(&mut self, node: &Node) -> Type {
        let kind = match &node.kind {
            Kind::Literal(literal) => literal_type(literal),
            Kind::Ident(name) => self.ident(node, name),
            Kind::Select { operand, field, optional } => {
                self.select(node, operand, field, *optional)
            }
            Kind::Has { operand, field } => {
                if self.dotted(node, operand, field).is_none() {
                    let operand = self.visit(operand);
                    self.field(node.at, &operand, field, false);
                }
                Type::Bool
            }
            Kind::Index { operand, index, optional } => {
                let arguments = [operand.as_ref(), index.as_ref()];
                let types: Vec<Type> = arguments.iter().map(|node| self.visit(node)).collect();
                let function = if *optional { "_[?_]" } else { "_[_]" };
                self.resolve(node, function, false, false, &types)
            }
            Kind::And(terms) | Kind::Or(terms) => {
                let mut result = Type::Bool;
                for term in terms {
                    let found = self.visit(term);
                    if !self.bindings.assignable(&found, &Type::Bool) {
                        result = self.mismatch(term.at, &Type::Bool, &found);
                    }
                }
                result
            }
            Kind::Conditional(parts) => {
                let types: Vec<Type> = parts.iter().map(|part| self.visit(part)).collect();
                self.resolve(node, "_?_:_", false, false, &types)
            }
            Kind::Call { function, target, arguments } => {
                self.call(node, function, target.as_deref(), arguments)
            }
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Struct { name, fields } => {
                for field in fields {
                    self.visit(field);
                }
                self.undeclared(node.at, name)
            }
            Kind::Comprehension(comprehension) => self.comprehension(node, comprehension),
            Kind::OptMap { target, variable, body, flat } => {
                self.opt_map(node, target, variable, body, *flat)
            }
            Kind::Bind { target, variable, body } => {
                let bound = self.visit(target);
                self.scope.push((variable.clone(), bound));
                let result = self.visit(body);
                self.scope.pop();
                result
            }
        };
        self.found.types[node.id as usize] = kind.clone();
        kind
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.fault(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn ident(&mut self, node: &Node, name: &str) -> Type {
        let bare = name.strip_prefix('.').unwrap_or(name);
        let local = self.scope.iter().rposition(|(bound, _)| bound == bare);
        if let Some(at) = local.filter(|_| bare == name) {
            self.found.names[node.id as usize] = Some(Reference::Local(at));
            return self.scope[at].1.clone();
        }
        match self.global(node, bare) {
            Some(kind) => kind,
            None => self.undeclared(node.at, bare),
        }
    }

    /// A declared variable or the name of a type.
    fn global(&mut self, node: &Node, name: &str) -> Option<Type> {
        if let Some(kind) = self.env.variable(name) {
            let name: Name = name.into();
            self.found.variables.insert(name.clone());
            self.found.names[node.id as usize] = Some(Reference::Variable(name));
            return Some(kind.clone());
        }
        let built_in = TYPE_NAMES.iter().copied().find(|known| *known == name);
        let known = built_in.or_else(|| self.env.functions.type_name(name))?;
        self.found.names[node.id as usize] = Some(Reference::Type(known));
        Some(Type::Type)
    }

    /// The type of a variable whose name is `operand.field`, or the fault of a name in a namespace of variables.
    fn dotted(&mut self, node: &Node, operand: &Node, field: &str) -> Option<Type> {
        let prefix = operand.qualified()?;
        if self.scope.iter().any(|(bound, _)| *bound == prefix) {
            return None;
        }
        let name = format!("{prefix}.{field}");
        let name = name.strip_prefix('.').unwrap_or(&name);
        if let Some(kind) = self.global(node, name) {
            return Some(kind);
        }
        let bare = prefix.strip_prefix('.').unwrap_or(&prefix);
        if self.env.variable(bare).is_none() && self.env.is_namespace(bare) {
            return Some(self.fault(node.at, format!("undefined field '{field}'")));
        }
        None
    }

    fn select(&mut self, node: &Node, operand: &Node, field: &str, optional: bool) -> Type {
        if let Some(kind) = self.dotted(node, operand, field) {
            return if optional { Type::optional(kind) } else { kind };
        }
        let operand = self.visit(operand);
        let kind = self.field(node.at, &operand, field, optional);
        self.bindings.substitute(&kind, false)
    }

    fn field(&mut self, at: usize, operand: &Type, field: &str, optional: bool) -> Type {
        let operand = self.bindings.substitute(operand, false);
        let (target, unwrapped) = match operand {
            Type::Optional(inner) => (*inner, true),
            other => (other, false),
        };
        let kind = match &target {
            Type::Map(_, value) => value.as_ref().clone(),
            Type::Struct(owner) => match self.env.field(owner, field) {
                Some(kind) => {
                    self.found.fields.insert((owner.clone(), field.to_owned()));
                    kind
                }
                None => self.fault(at, format!("undefined field '{field}'")),
            },
            Type::Var(_) => {
                self.bindings.assignable(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                let told = format!("type '{other}' does not support field selection");
                self.fault(at, told);
                Type::Dyn
            }
        };
        if unwrapped || optional { Type::optional(kind) } else { kind }
    }

    fn list(&mut self, elements: &[Element]) -> Type {
        let mut joined = None;
        for element in elements {
            let kind = self.visit(&element.value);
            let kind = self.unwrap(element.optional, &element.value, kind);
            joined = Some(self.join(joined, kind));
        }
        let of = joined.unwrap_or_else(|| self.bindings.fresh());
        Type::list(of)
    }

    fn map(&mut self, entries: &[Entry]) -> Type {
        let mut joined: Option<(Type, Type)> = None;
        for entry in entries {
            let key = self.visit(&entry.key);
            let (before, after) = joined.map_or((None, None), |(a, b)| (Some(a), Some(b)));
            let key = self.join(before, key);
            let value = self.visit(&entry.value);
            let value = self.unwrap(entry.optional, &entry.value, value);
            joined = Some((key, self.join(after, value)));
        }
        let (key, value) = joined.unwrap_or_else(|| (self.bindings.fresh(), self.bindings.fresh()));
        Type::map(key, value)
    }

    /// What `?element` puts in.
    fn unwrap(&mut self, optional: bool, node: &Node, kind: Type) -> Type {
        match kind {
            Type::Optional(inner) if optional => *inner,
            kind if optional && kind != Type::Dyn => {
                self.mismatch(node.at, &Type::optional(kind.clone()), &kind)
            }
            kind => kind,
        }
    }

    /// The most general type of a literal's elements so far; [`literals`] complains of mixed ones.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        match previous {
            None => current,
            Some(previous) if self.bindings.assignable(&previous, &current) => {
                unify::most_general(&previous, &current)
            }
            Some(_) => Type::Dyn,
        }
    }

    fn comprehension(&mut self, node: &Node, comprehension: &Comprehension) -> Type {
        let Comprehension { kind, range, variable, second, filter, body } = comprehension;
        let over = self.visit(range);
        let over = self.bindings.substitute(&over, false);
        let (first, value) = match &over {
            Type::List(of) if second.is_some() => (Type::Int, of.as_ref().clone()),
            Type::List(of) => (of.as_ref().clone(), Type::Dyn),
            Type::Map(key, value) => (key.as_ref().clone(), value.as_ref().clone()),
            Type::Dyn | Type::Error | Type::Var(_) => {
                self.bindings.assignable(&Type::Dyn, &over);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let told = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.fault(range.at, told);
                (Type::Error, Type::Error)
            }
        };
        let depth = self.scope.len();
        self.scope.push((variable.clone(), first.clone()));
        if let Some(second) = second {
            self.scope.push((second.clone(), value));
        }
        let kept = filter.as_ref().map(|filter| self.visit(filter));
        let result = self.visit(body);
        self.scope.truncate(depth);
        let list = |of: &Type| Type::list(of.clone());
        match kind {
            Loop::All | Loop::Exists => {
                if !self.bindings.assignable(&result, &Type::Bool) {
                    self.mismatch(body.at, &Type::Bool, &result);
                }
                Type::Bool
            }
            Loop::ExistsOne => {
                self.predicate(node, &result, &Type::Int);
                Type::Bool
            }
            Loop::Filter => {
                self.predicate(node, &result, &list(&first));
                list(&first)
            }
            Loop::Map => {
                if let Some(kept) = kept {
                    self.predicate(node, &kept, &list(&result));
                }
                list(&result)
            }
            Loop::TransformMap => {
                let made = Type::map(first, result);
                if let Some(kept) = kept {
                    self.predicate(node, &kept, &made);
                }
                made
            }
            Loop::TransformMapEntry => self.entries(node, kept, &result),
        }
    }

    /// `transformMapEntry` collects maps.
    fn entries(&mut self, node: &Node, kept: Option<Type>, result: &Type) -> Type {
        let made = Type::map(self.bindings.fresh(), self.bindings.fresh());
        if !self.bindings.assignable(result, &made) {
            let result = self.bindings.substitute(result, true);
            let told = format!(
                "found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), {result})'"
            );
            self.fault(node.at, told);
        }
        if let Some(kept) = kept {
            self.predicate(node, &kept, &made);
        }
        self.bindings.substitute(&made, false)
    }

    /// The condition of a hidden `condition ? collected : unchanged`.
    fn predicate(&mut self, node: &Node, found: &Type, branch: &Type) {
        if !self.bindings.assignable(found, &Type::Bool) {
            let found = self.bindings.substitute(found, true);
            let branch = self.bindings.substitute(branch, true);
            let told = format!(
                "found no matching overload for '_?_:_' applied to '({found}, {branch}, {branch})'"
            );
            self.fault(node.at, told);
        }
    }

    fn opt_map(
        &mut self,
        node: &Node,
        target: &Node,
        variable: &str,
        body: &Node,
        flat: bool,
    ) -> Type {
        let over = self.visit(target);
        let over = self.bindings.substitute(&over, false);
        let inner = match over {
            Type::Optional(inner) => *inner,
            Type::Dyn | Type::Error => Type::Dyn,
            Type::Var(_) => {
                let inner = self.bindings.fresh();
                self.bindings.assignable(&over, &Type::optional(inner.clone()));
                inner
            }
            other => {
                for function in ["hasValue", "value"] {
                    let told = format!(
                        "found no matching overload for '{function}' applied to '{other}.()'"
                    );
                    self.fault(node.at, told);
                }
                Type::Error
            }
        };
        self.scope.push((variable.to_owned(), inner));
        let result = self.visit(body);
        self.scope.pop();
        if !flat {
            return Type::optional(result);
        }
        let fresh = Type::optional(self.bindings.fresh());
        if self.bindings.assignable(&result, &fresh) {
            return self.bindings.substitute(&fresh, false);
        }
        let result = self.bindings.substitute(&result, true);
        let told = format!(
            "found no matching overload for '_?_:_' applied to '(bool, {result}, optional_type(dyn))'"
        );
        self.fault(node.at, told)
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}
