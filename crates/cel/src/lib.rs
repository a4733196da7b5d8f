//! Kubernetes' CEL: text → checked program → value, with the API server's libraries, costs and messages.
//!
//! ```text
//! text ── lexer ── parser (macros) ──► Node ── check ──► Checked ── plan ──► Step ── eval ──► Value
//!                                        │       ▲                             ▲          │
//!                                  Program::root │                      Activation    Budget
//!                                        functions (standard, library), Schema
//! ```
//!
//! - [`Env`] holds the functions of one Kubernetes minor and the declared variables; [`Env::compile`] gives a
//!   [`Program`], which runs on many threads.
//! - [`Value`] borrows JSON as it lies. [`Activation`] hands out variables, lazily if it likes.
//! - [`functions`] is the table a library registers in; [`standard`] and [`library`] are its entries.
//! - Everything is bounded: text, brackets, levels, cost, copied elements, compiled patterns.
//!
//! Facts on semantics, messages and costs: cel-go 0.26 and k8s.io/apiserver 1.36.
mod check;
mod env;
mod error;
mod eval;
pub mod functions;
mod lexer;
mod library;
mod literal;
mod macros;
mod node;
mod parser;
mod plan;
mod program;
mod question;
mod standard;
mod time;
mod types;
mod value;
mod zone;

pub use env::Env;
pub use error::{CompileError, EvalError, Stage, display};
pub use eval::{size, traversal};
pub use library::authz::{self, Authorizer, ResourceCheck};
pub use library::regex::Regex;
pub use node::{Comprehension, Element, Entry, Kind, Literal, Loop, Node};
pub use parser::is_identifier;
pub use program::{Activation, Budget, Program};
pub use question::{Answer, Question, Subject};
pub use time::{Civil, Duration, Timestamp};
pub use types::{Name, Schema, Type};
pub use value::{Go, Key, List, Made, Map, Opaque, Text, Value, code_points, key_text};
