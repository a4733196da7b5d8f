//! Which overload a call means.
use super::{Checker, Settled};
use crate::functions::Signature;
use crate::node::Node;
use crate::types::{Name, Type};
use std::collections::HashMap;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        node: &Node,
        function: &str,
        target: Option<&Node>,
        arguments: &[Node],
    ) -> Type {
        let types: Vec<Type> = arguments.iter().map(|argument| self.visit(argument)).collect();
        let Some(target) = target else {
            let name = function.strip_prefix('.').unwrap_or(function);
            return self.resolve(node, name, false, false, &types);
        };
        if let Some(prefix) = target.qualified() {
            let prefix = prefix.strip_prefix('.').unwrap_or(&prefix);
            let name = format!("{prefix}.{function}");
            if self.env.functions.get(&name).is_some() {
                return self.resolve(node, &name, false, true, &types);
            }
        }
        let mut all = vec![self.visit(target)];
        all.extend(types);
        self.resolve(node, function, true, false, &all)
    }

    /// The result of `function`; with `member` the first argument is what it is called on.
    pub(super) fn resolve(
        &mut self,
        node: &Node,
        function: &str,
        member: bool,
        namespaced: bool,
        arguments: &[Type],
    ) -> Type {
        let Some(declared) = self.env.functions.get(function).map(Arc::clone) else {
            return self.undeclared(node.at, function);
        };
        let mut result: Option<Type> = None;
        let mut fitting = Vec::new();
        for (at, signature) in declared.overloads.iter().enumerate() {
            if signature.member != member {
                continue;
            }
            let (expected, gives) = self.instantiate(signature);
            if !self.bindings.all_assignable(arguments, &expected) {
                continue;
            }
            fitting.push(at);
            let gives = self.bindings.substitute(&gives, false);
            result = Some(match result {
                None => gives,
                Some(result) if result == gives || result == Type::Dyn => result,
                Some(_) => Type::Dyn,
            });
        }
        let Some(result) = result else {
            let types: Vec<String> = arguments
                .iter()
                .map(|kind| self.bindings.substitute(kind, true).to_string())
                .collect();
            let applied = match types.split_first() {
                Some((target, rest)) if member => format!("{target}.({})", rest.join(", ")),
                _ => format!("({})", types.join(", ")),
            };
            let told =
                format!("found no matching overload for '{function}' applied to '{applied}'");
            return self.fault(node.at, told);
        };
        let overload = if fitting.len() == 1 { fitting.first().copied() } else { None };
        let settled = Settled { function: declared.name, namespaced, overload };
        self.found.calls[node.id as usize] = Some(settled);
        result
    }

    /// A signature with fresh variables for its parameters.
    fn instantiate(&mut self, signature: &Signature) -> (Vec<Type>, Type) {
        let mut fresh: HashMap<Name, Type> = HashMap::new();
        let mut put = |kind: &Type| self.put(kind, &mut fresh);
        let arguments = signature.arguments.iter().map(&mut put).collect();
        let result = put(&signature.result);
        (arguments, result)
    }

    fn put(&mut self, kind: &Type, fresh: &mut HashMap<Name, Type>) -> Type {
        match kind {
            Type::Param(name) => {
                if let Some(known) = fresh.get(name) {
                    return known.clone();
                }
                let variable = self.bindings.fresh();
                fresh.insert(name.clone(), variable.clone());
                variable
            }
            Type::List(of) => Type::list(self.put(of, fresh)),
            Type::Optional(of) => Type::optional(self.put(of, fresh)),
            Type::Map(key, value) => Type::map(self.put(key, fresh), self.put(value, fresh)),
            other => other.clone(),
        }
    }
}
