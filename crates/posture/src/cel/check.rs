//! The type checker: what is wrong with an expression is found when it loads, not on somebody's object.
use super::types::{self, Type};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the walk over one expression found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Prelude variables in use.
    pub(crate) variables: BTreeSet<String>,
    /// (struct, field) pairs the expression reads.
    pub(crate) fields: BTreeSet<(&'static str, &'static str)>,
    /// Node id and message.
    pub(crate) errors: Vec<(u64, String)>,
    params: BTreeMap<String, Type>,
    /// Comprehension variables, innermost last.
    scope: Vec<(String, Type)>,
}

/// Type of a prelude variable; `params` is apart.
pub(crate) fn variable(name: &str) -> Option<Type> {
    let list = |of| Type::List(Box::new(Type::Struct(of)));
    Some(match name {
        "podSpec" => Type::Struct("PodSpec"),
        "podMeta" => Type::Struct("ObjectMeta"),
        "containers" | "mainContainers" | "initContainers" => list("Container"),
        "ephemeralContainers" => list("EphemeralContainer"),
        "volumes" => list("Volume"),
        "isWindows" => Type::Bool,
        _ => return None,
    })
}

/// The pod spec fields a prelude variable is made of.
fn sources(name: &str) -> &'static [&'static str] {
    match name {
        "containers" => &["containers", "initContainers", "ephemeralContainers"],
        "mainContainers" => &["containers"],
        "initContainers" => &["initContainers"],
        "ephemeralContainers" => &["ephemeralContainers"],
        "volumes" => &["volumes"],
        "isWindows" => &["os"],
        _ => &[],
    }
}

/// Checks `expression`, which must be boolean, with the declared `params`.
pub(crate) fn check(expression: &IdedExpr, params: &BTreeMap<String, Type>) -> Checked {
    let mut checked = Checked { params: params.clone(), ..Checked::default() };
    let result = checked.visit(expression);
    if !fits(&result, &Type::Bool) {
        checked.errors.push((expression.id, format!("must be bool, is {result}")));
    }
    checked
}

/// Whether values of the two types may meet in `==`, a list or a branch.
fn fits(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::Null, Type::Struct(_) | Type::Optional(_))
        | (Type::Struct(_) | Type::Optional(_), Type::Null) => true,
        (Type::List(a), Type::List(b))
        | (Type::Map(a), Type::Map(b))
        | (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (a, b) => a == b,
    }
}

impl Checked {
    fn error(&mut self, id: u64, message: String) -> Type {
        self.errors.push((id, message));
        Type::Dyn
    }

    fn visit(&mut self, node: &IdedExpr) -> Type {
        match &node.expr {
            Expr::Unspecified => self.error(node.id, "expression is empty".to_owned()),
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Bytes(_) => Type::Bytes,
                LiteralValue::Double(_) => Type::Double,
                LiteralValue::Int(_) => Type::Int,
                LiteralValue::Null => Type::Null,
                LiteralValue::String(_) => Type::String,
                LiteralValue::UInt(_) => Type::Uint,
            },
            Expr::Ident(name) => self.ident(node.id, name),
            Expr::Select(select) => self.select(node.id, select),
            Expr::Call(call) => self.call(node.id, call),
            Expr::Comprehension(comprehension) => self.comprehension(node.id, comprehension),
            Expr::List(list) => {
                let mut item = None;
                for element in &list.elements {
                    let kind = self.visit(element);
                    item = Some(self.meet(element.id, item, kind, "list"));
                }
                Type::List(Box::new(item.unwrap_or(Type::Dyn)))
            }
            Expr::Map(map) => {
                let mut value = None;
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.visit(&entry.key);
                        let kind = self.visit(&entry.value);
                        value = Some(self.meet(entry.value.id, value, kind, "map"));
                    }
                }
                Type::Map(Box::new(value.unwrap_or(Type::Dyn)))
            }
            Expr::Struct(literal) => {
                self.error(node.id, format!("unknown type `{}`", literal.type_name))
            }
        }
    }

    /// Kubernetes demands literals of one type; the first element sets it.
    fn meet(&mut self, id: u64, first: Option<Type>, kind: Type, what: &str) -> Type {
        match first {
            Some(first) if !fits(&first, &kind) => {
                self.error(id, format!("{what} literal mixes {first} and {kind}"))
            }
            Some(first) => first,
            None => kind,
        }
    }

    fn ident(&mut self, id: u64, name: &str) -> Type {
        if let Some((_, kind)) = self.scope.iter().rev().find(|(bound, _)| bound == name) {
            return kind.clone();
        }
        match name {
            "object" => {
                self.variables.insert(name.to_owned());
                Type::Dyn
            }
            "variables" => self.error(id, "`variables` must be followed by a field".to_owned()),
            "bool" | "int" | "uint" | "double" | "string" | "bytes" | "list" | "map"
            | "null_type" | "type" => Type::Type,
            _ => self.error(id, format!("unknown variable `{name}`")),
        }
    }

    fn select(&mut self, id: u64, select: &SelectExpr) -> Type {
        if let Expr::Ident(root) = &select.operand.expr
            && root == "variables"
            && !self.scope.iter().any(|(bound, _)| bound == root)
        {
            return self.prelude(id, &select.field);
        }
        if let Expr::Select(outer) = &select.operand.expr
            && outer.field == "params"
            && matches!(&outer.operand.expr, Expr::Ident(root) if root == "variables")
        {
            self.variables.insert("params".to_owned());
            return match self.params.get(&select.field) {
                Some(kind) => kind.clone(),
                None => self.error(id, format!("unknown parameter `{}`", select.field)),
            };
        }
        let operand = self.visit(&select.operand);
        let field = self.field(id, operand, &select.field);
        if select.test { Type::Bool } else { field }
    }

    fn prelude(&mut self, id: u64, name: &str) -> Type {
        let Some(kind) = variable(name) else {
            if name == "params" {
                self.variables.insert(name.to_owned());
                return Type::Dyn;
            }
            return self.error(id, format!("unknown variable `variables.{name}`"));
        };
        for source in sources(name) {
            self.read("PodSpec", source);
        }
        self.variables.insert(name.to_owned());
        kind
    }

    fn read(&mut self, owner: &'static str, field: &'static str) {
        self.fields.insert((owner, field));
    }

    fn field(&mut self, id: u64, operand: Type, field: &str) -> Type {
        match operand {
            Type::Dyn => Type::Dyn,
            Type::Map(value) => *value,
            Type::Optional(inner) => match self.field(id, *inner, field) {
                kind @ Type::Optional(_) => kind,
                kind => Type::Optional(Box::new(kind)),
            },
            Type::Struct(owner) => match types::field_entry(owner, field) {
                Some((field, kind)) => {
                    self.read(owner, field);
                    kind.clone()
                }
                None => self.error(id, format!("{owner} has no field `{field}`")),
            },
            other => self.error(id, format!("{other} has no fields, `{field}` was asked for")),
        }
    }

    fn comprehension(&mut self, id: u64, comprehension: &ComprehensionExpr) -> Type {
        let range = self.visit(&comprehension.iter_range);
        let item = match range {
            Type::List(item) => *item,
            Type::Map(_) => Type::String,
            Type::Dyn => Type::Dyn,
            other => self.error(id, format!("{other} has no elements")),
        };
        let accumulator = self.visit(&comprehension.accu_init);
        let depth = self.scope.len();
        self.scope.push((comprehension.iter_var.clone(), item));
        if let Some(second) = &comprehension.iter_var2 {
            self.scope.push((second.clone(), Type::Dyn));
        }
        self.scope.push((comprehension.accu_var.clone(), accumulator.clone()));
        self.visit(&comprehension.loop_cond);
        let step = self.visit(&comprehension.loop_step);
        let accumulator = if matches!(accumulator, Type::List(_)) { step } else { accumulator };
        if let Some(last) = self.scope.last_mut() {
            last.1 = accumulator;
        }
        let result = self.visit(&comprehension.result);
        self.scope.truncate(depth);
        result
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Type {
        if call.func_name == operators::OPT_SELECT
            && let [operand, field] = call.args.as_slice()
            && let Expr::Literal(LiteralValue::String(field)) = &field.expr
        {
            let operand = self.visit(operand);
            return match self.field(id, operand, field.inner()) {
                kind @ Type::Optional(_) => kind,
                kind => Type::Optional(Box::new(kind)),
            };
        }
        let namespace = call
            .target
            .as_ref()
            .is_some_and(|target| matches!(&target.expr, Expr::Ident(name) if name == "optional"));
        let target = call.target.as_ref().filter(|_| !namespace).map(|target| self.visit(target));
        let arguments: Vec<Type> = call.args.iter().map(|argument| self.visit(argument)).collect();
        if namespace {
            return self.optional(id, &call.func_name, &arguments);
        }
        match target {
            Some(target) => self.member(id, &call.func_name, target, &arguments),
            None => self.function(id, &call.func_name, &arguments),
        }
    }

    fn expect(&mut self, id: u64, name: &str, kind: &Type, expected: &Type) {
        if !fits(kind, expected) {
            self.errors.push((id, format!("`{name}` takes {expected}, got {kind}")));
        }
    }

    fn function(&mut self, id: u64, name: &str, arguments: &[Type]) -> Type {
        let shown = name.trim_matches(['_', '@']);
        match (name, arguments) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [a, b]) => {
                self.expect(id, shown, a, &Type::Bool);
                self.expect(id, shown, b, &Type::Bool);
                Type::Bool
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [a]) => {
                self.expect(id, shown, a, &Type::Bool);
                Type::Bool
            }
            (operators::EQUALS | operators::NOT_EQUALS, [a, b]) => {
                if !fits(a, b) {
                    self.error(id, format!("{a} is never equal to {b}"));
                }
                Type::Bool
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [a, b],
            ) => {
                let number = |kind: &Type| matches!(kind, Type::Int | Type::Uint | Type::Double);
                if !(fits(a, b) || number(a) && number(b)) {
                    self.error(id, format!("{a} cannot be compared with {b}"));
                }
                Type::Bool
            }
            (operators::IN, [item, list]) => {
                match list {
                    Type::List(of) if !fits(item, of) => {
                        drop(self.error(id, format!("{item} is never in {list}")))
                    }
                    Type::List(_) | Type::Map(_) | Type::Dyn => {}
                    other => drop(self.error(id, format!("{other} has no elements"))),
                }
                Type::Bool
            }
            (operators::CONDITIONAL, [condition, a, b]) => {
                self.expect(id, "?:", condition, &Type::Bool);
                if !fits(a, b) {
                    self.error(id, format!("branches are {a} and {b}"));
                }
                if *a == Type::Dyn { b.clone() } else { a.clone() }
            }
            (operators::ADD, [a @ Type::List(_), b]) if fits(a, b) => {
                if *a == Type::List(Box::new(Type::Dyn)) { b.clone() } else { a.clone() }
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO,
                [a, b],
            ) => {
                if !fits(a, b) {
                    return self
                        .error(id, format!("`{shown}` takes two of one type, got {a} and {b}"));
                }
                if *a == Type::Dyn { b.clone() } else { a.clone() }
            }
            (operators::NEGATE, [a]) => a.clone(),
            (operators::INDEX, [Type::List(item) | Type::Map(item), _]) => (**item).clone(),
            (operators::OPT_INDEX, [Type::List(item) | Type::Map(item), _]) => {
                Type::Optional(item.clone())
            }
            (operators::INDEX | operators::OPT_INDEX, [Type::Dyn | Type::Optional(_), _]) => {
                Type::Dyn
            }
            _ => self.global(id, shown, arguments),
        }
    }

    fn global(&mut self, id: u64, name: &str, arguments: &[Type]) -> Type {
        match (name, arguments) {
            ("size" | "int", [_]) => Type::Int,
            ("uint", [_]) => Type::Uint,
            ("double", [_]) => Type::Double,
            ("string", [_]) => Type::String,
            ("bytes", [_]) => Type::Bytes,
            ("bool", [_]) => Type::Bool,
            ("dyn", [_]) => Type::Dyn,
            ("type", [_]) => Type::Type,
            ("matches", [a, b]) => {
                self.expect(id, name, a, &Type::String);
                self.expect(id, name, b, &Type::String);
                Type::Bool
            }
            _ => self
                .error(id, format!("unknown function `{name}` with {} arguments", arguments.len())),
        }
    }

    fn optional(&mut self, id: u64, name: &str, arguments: &[Type]) -> Type {
        match (name, arguments) {
            ("of" | "ofNonZeroValue", [value]) => Type::Optional(Box::new(value.clone())),
            ("none", []) => Type::Optional(Box::new(Type::Dyn)),
            _ => self.error(id, format!("unknown function `optional.{name}`")),
        }
    }

    fn member(&mut self, id: u64, name: &str, target: Type, arguments: &[Type]) -> Type {
        let (result, expected) = match (name, arguments.len(), &target) {
            ("orValue", 1, Type::Optional(inner)) => ((**inner).clone(), inner.as_ref().clone()),
            ("or", 1, Type::Optional(_)) => (target.clone(), target.clone()),
            ("value", 0, Type::Optional(inner)) => ((**inner).clone(), Type::Dyn),
            ("hasValue", 0, Type::Optional(_)) => (Type::Bool, Type::Dyn),
            ("orValue" | "or" | "value" | "hasValue", 0 | 1, Type::Dyn) => (Type::Dyn, Type::Dyn),
            ("size", 0, _) => (Type::Int, Type::Dyn),
            ("startsWith" | "endsWith" | "contains" | "matches", 1, Type::String | Type::Dyn) => {
                (Type::Bool, Type::String)
            }
            ("lowerAscii" | "upperAscii" | "trim", 0, Type::String | Type::Dyn) => {
                (Type::String, Type::Dyn)
            }
            ("charAt" | "substring", 1 | 2, Type::String | Type::Dyn) => (Type::String, Type::Int),
            ("indexOf" | "lastIndexOf", 1, Type::String | Type::Dyn) => (Type::Int, Type::String),
            ("split", 1, Type::String | Type::Dyn) => {
                (Type::List(Box::new(Type::String)), Type::String)
            }
            ("replace", 2, Type::String | Type::Dyn) => (Type::String, Type::String),
            ("join", 0 | 1, Type::List(_) | Type::Dyn) => (Type::String, Type::String),
            _ => {
                return self.error(
                    id,
                    format!(
                        "unknown function `{name}` on {target} with {} arguments",
                        arguments.len()
                    ),
                );
            }
        };
        for argument in arguments {
            self.expect(id, name, argument, &expected);
        }
        result
    }
}
