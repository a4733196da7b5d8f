//! Rego as Gatekeeper runs it: a template's texts → a checked program; a program and an input → violations.
//!
//! ```text
//! text ─lex, parse─► module ─resolve─► names ─graph─► no recursion, what of the inventory is read
//!      ─negation, safety─► statements in order ─print─► text for the interpreter ─► Policy
//! Policy ─► Interpreter ─evaluate(input, limits)─► violations
//! ```
//!
//! The interpreter (`regorus`) differs from OPA in places that decide whether a violation is found. What it reads
//! differently is rewritten before it sees it, what it lacks or does otherwise is a function of ours, and what it would
//! find out only when it gets there is refused when a template loads. `tests/it/defects.rs` holds one test for each.
//!
//! Nothing here does IO, asks a clock or starts a thread. An evaluation is bounded by steps, and by what its caller
//! says about time.
mod ast;
mod builtin;
mod graph;
mod lex;
mod negation;
mod parse;
mod policy;
mod print;
mod problem;
mod resolve;
mod run;
mod safety;
mod value;

pub use builtin::regex_of_go;
pub use graph::InventoryRead;
pub use parse::Version;
pub use policy::{Data, EvalError, Interpreter, Policy, Source, Violation};
pub use problem::LoadError;
pub use run::{Clock, DEFAULT_STEPS, Limits};
