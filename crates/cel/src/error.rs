//! What goes wrong: at compile time with its place, at run time with cel-go's words.
use crate::question::Question;
use std::fmt;

/// When a fault is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Of the text: tokens, grammar, limits.
    Syntax,
    /// Of names and types.
    Check,
    /// Of constants: `int('x')`, a regular expression that does not compile.
    Plan,
}

/// One thing wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at {line}:{column} of the expression)")]
pub struct CompileError {
    pub stage: Stage,
    /// cel-go's words where cel-go has the message.
    pub message: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in code points.
    pub column: u32,
}

impl CompileError {
    /// `at` is a byte of `text`.
    pub(crate) fn new(stage: Stage, text: &str, at: usize, message: String) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { stage, message, line: count(line), column: count(column) }
    }
}

/// All errors of one expression as cel-go prints them: sorted by place, each with its line and a pointer.
#[must_use]
pub fn display(text: &str, errors: &[CompileError]) -> String {
    let mut sorted: Vec<&CompileError> = errors.iter().collect();
    sorted.sort_by_key(|error| (error.line, error.column));
    let one = |error: &&CompileError| {
        let place = format!("ERROR: <input>:{}:{}: {}", error.line, error.column, error.message);
        let line = text.split('\n').nth(error.line as usize - 1).unwrap_or_default();
        let line = line.replace('\t', " ");
        let mut symbols = line.chars();
        let before = symbols.by_ref().take(error.column as usize - 1);
        let dots: String = before.map(|c| if c.is_ascii() { '.' } else { '．' }).collect();
        let mark = if symbols.next().is_some_and(|c| !c.is_ascii()) { '＾' } else { '^' };
        format!("{place}\n | {line}\n | {dots}{mark}")
    };
    sorted.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum EvalError {
    /// cel-go's text. `&&` and `||` absorb it.
    Error(String),
    /// The budget is spent; nothing absorbs it.
    Limit,
    /// An answer is needed first; nothing absorbs it. Evaluate again with the answer at hand.
    Pending(Box<Question>),
}

impl EvalError {
    /// An error of CEL's own.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// The words of a value that no overload takes.
    #[must_use]
    pub fn no_overload() -> Self {
        Self::new("no such overload")
    }

    pub(crate) fn absorbable(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) => f.write_str(text),
            Self::Limit => f.write_str("operation cancelled: actual cost limit exceeded"),
            Self::Pending(_) => f.write_str("an authorization check has no answer yet"),
        }
    }
}

impl std::error::Error for EvalError {}
