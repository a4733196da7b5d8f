//! The environment: functions of one Kubernetes minor, variables, schema; where texts become programs.
use crate::check;
use crate::error::{CompileError, Stage};
use crate::functions::Functions;
use crate::parser::{self, Syntax};
use crate::plan;
use crate::program::Program;
use crate::types::{Name, Schema, Type};
use crate::{library, standard};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

/// What a deep expression takes of the stack: 512 levels at up to 16 KiB in the slowest build. Where less is left,
/// compiling and running it take a stack of their own.
pub(crate) const RED_ZONE: usize = 8 << 20;
pub(crate) const STACK: usize = RED_ZONE + (1 << 20);

/// What expressions are compiled against.
#[derive(Clone)]
pub struct Env {
    minor: u32,
    pub(crate) functions: Arc<Functions>,
    variables: Arc<HashMap<Name, Type>>,
    schema: Option<Arc<dyn Schema>>,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env(1.{}, {:?})", self.minor, self.variables)
    }
}

/// Function tables are built once per minor.
static TABLES: LazyLock<Mutex<HashMap<u32, Arc<Functions>>>> = LazyLock::new(Mutex::default);

/// No minor above is told from it, so tables stay few.
const NEWEST: u32 = 99;

impl Env {
    /// What Kubernetes 1.`minor` compiles *new* expressions against is [`Env::kubernetes`] of the version before.
    #[must_use]
    pub fn kubernetes(minor: u32) -> Env {
        let minor = minor.min(NEWEST);
        let mut tables = TABLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let table = tables.entry(minor).or_insert_with(|| {
            let libraries = standard::LIBRARIES.iter().chain(library::LIBRARIES);
            Arc::new(Functions::new(minor, libraries.copied()))
        });
        Env { minor, functions: Arc::clone(table), variables: Arc::default(), schema: None }
    }

    /// Declares a variable. A dotted name (`variables.x`, `authorizer.requestResource`) is asked for whole.
    #[must_use]
    pub fn with_variable(mut self, name: &str, kind: Type) -> Env {
        Arc::make_mut(&mut self.variables).insert(name.into(), kind);
        self
    }

    /// What knows the fields of [`Type::Struct`].
    #[must_use]
    pub fn with_schema(mut self, schema: Arc<dyn Schema>) -> Env {
        self.schema = Some(schema);
        self
    }

    /// Parses, checks and plans `text`.
    /// Errors: the first of the syntax; else all of names and types; else the first constant that fails.
    pub fn compile(&self, text: &str) -> Result<Program, Vec<CompileError>> {
        stacker::maybe_grow(RED_ZONE, STACK, || self.compile_bounded(text))
    }

    fn compile_bounded(&self, text: &str) -> Result<Program, Vec<CompileError>> {
        let syntax = Syntax {
            optional: self.minor >= 28,
            two_variables: self.minor >= 32,
            sort_by: self.minor >= 34,
        };
        let parsed = parser::parse(text, syntax).map_err(|error| vec![error])?;
        let checked = check::check(self, &parsed);
        if !checked.faults.is_empty() {
            let located = |fault: check::Fault| {
                CompileError::new(Stage::Check, text, fault.at, fault.message)
            };
            let mut errors: Vec<CompileError> = checked.faults.into_iter().map(located).collect();
            errors.sort_by_key(|error| (error.line, error.column));
            return Err(errors);
        }
        let step = plan::plan(self, &parsed, &checked)
            .map_err(|fault| vec![CompileError::new(Stage::Plan, text, fault.at, fault.message)])?;
        Ok(Program::new(text, parsed.root, checked, step))
    }

    pub(crate) fn minor(&self) -> u32 {
        self.minor
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&Type> {
        self.variables.get(name)
    }

    /// Whether only dotted variables begin with `name`: it is a struct of them.
    pub(crate) fn is_namespace(&self, name: &str) -> bool {
        let inside =
            |variable: &Name| variable.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.variables.keys().any(inside)
    }

    pub(crate) fn field(&self, owner: &str, field: &str) -> Option<Type> {
        self.schema.as_ref()?.field(owner, field)
    }
}
