//! A compiled expression, what it may spend and where its variables come from.
use crate::check::Checked;
use crate::env::{RED_ZONE, STACK};
use crate::error::EvalError;
use crate::eval::Machine;
use crate::node::Node;
use crate::plan::Step;
use crate::types::{Name, Type};
use crate::value::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Levels that run on any thread's stack: 2 MiB hold them in the slowest build.
const SHALLOW: usize = 64;

/// Cost in Kubernetes' runtime units.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u64,
    spent: u64,
    /// Elements copied by concatenation and walked through by functions, beyond what Kubernetes counts.
    walked: u64,
}

/// Elements one budget may walk through; more would take seconds at no cost.
const MAX_WALKED: u64 = 10_000_000;

impl Budget {
    /// One expression: celconfig.PerCallLimit.
    pub const EXPRESSION: u64 = 1_000_000;
    /// One policy and binding: celconfig.RuntimeCELCostBudget.
    pub const POLICY: u64 = 10_000_000;
    /// The match conditions of one policy: celconfig.RuntimeCELCostBudgetMatchConditions.
    pub const MATCH_CONDITIONS: u64 = 2_500_000;

    #[must_use]
    pub fn new(limit: u64) -> Budget {
        Budget { limit, spent: 0, walked: 0 }
    }

    /// Of one expression.
    #[must_use]
    pub fn expression() -> Budget {
        Budget::new(Budget::EXPRESSION)
    }

    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent
    }

    #[must_use]
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    /// Errors: what is spent exceeds the limit.
    pub fn charge(&mut self, cost: u64) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.limit { Err(EvalError::Limit) } else { Ok(()) }
    }

    /// Testing presence gives back what reading charged.
    pub(crate) fn refund(&mut self, cost: u64) {
        self.spent = self.spent.saturating_sub(cost);
    }

    /// Before elements are copied or walked through. Errors: it is one too many.
    pub(crate) fn walk(&mut self, elements: u64) -> Result<(), EvalError> {
        self.walked = self.walked.saturating_add(elements);
        if self.walked > MAX_WALKED { Err(EvalError::Limit) } else { Ok(()) }
    }

    /// Before something walks through all of `value`. Errors: it is larger than what is left.
    pub(crate) fn walk_through(&mut self, value: &Value<'_>) -> Result<(), EvalError> {
        let left = MAX_WALKED.saturating_sub(self.walked);
        let nodes = value.made_nodes(left).ok_or(EvalError::Limit)?;
        self.walk(nodes)
    }
}

/// Where variables come from; they may be lazy, and whoever implements this memoises them, errors too.
pub trait Activation<'a> {
    /// `None`: there is no such variable.
    fn resolve(&self, name: &str) -> Option<Result<Value<'a>, EvalError>>;
}

impl<'a> Activation<'a> for [(&str, Value<'a>)] {
    fn resolve(&self, name: &str) -> Option<Result<Value<'a>, EvalError>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| Ok(value.clone()))
    }
}

impl<'a, const N: usize> Activation<'a> for [(&str, Value<'a>); N] {
    fn resolve(&self, name: &str) -> Option<Result<Value<'a>, EvalError>> {
        self.as_slice().resolve(name)
    }
}

/// A checked expression, ready to run, on many threads at once.
pub struct Program {
    text: String,
    root: Node,
    checked: Checked,
    step: Step,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({})", self.text)
    }
}

impl Program {
    pub(crate) fn new(text: &str, root: Node, checked: Checked, step: Step) -> Self {
        Self { text: text.to_owned(), root, checked, step }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed expression, to take it apart; a node's span of [`Program::text`] compiles alone.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// What the expression gives.
    #[must_use]
    pub fn output(&self) -> &Type {
        self.type_of(&self.root)
    }

    /// The checked type of one of its nodes.
    #[must_use]
    pub fn type_of(&self, node: &Node) -> &Type {
        self.checked.types.get(node.id as usize).unwrap_or(&Type::Dyn)
    }

    /// (struct, field) pairs it reads.
    #[must_use]
    pub fn reads(&self) -> &BTreeSet<(Name, String)> {
        &self.checked.fields
    }

    /// Variables it reads; dotted ones whole.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<Name> {
        &self.checked.variables
    }

    /// Runs it. Errors: cel-go's words; the budget is spent; an answer is missing.
    pub fn evaluate<'a>(
        &self,
        activation: &dyn Activation<'a>,
        budget: &mut Budget,
    ) -> Result<Value<'a>, EvalError> {
        let mut machine = Machine::new(activation, budget);
        if self.root.levels <= SHALLOW {
            return machine.run(&self.step);
        }
        stacker::maybe_grow(RED_ZONE, STACK, || machine.run(&self.step))
    }
}
