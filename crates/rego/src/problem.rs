//! What is wrong with a module, and where.
use std::ops::Range;

/// Bytes of a module's text.
pub(crate) type Span = Range<usize>;

/// A problem at bytes of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) span: Span,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// The problem as its reader finds it: `module` says which of the template's texts it is in.
    pub(crate) fn placed(self, module: &str, text: &str) -> LoadError {
        let (line, column) = place(text, self.span.start);
        LoadError { module: module.to_owned(), line, column, message: self.message }
    }
}

/// 1-based line and column, in characters, of a byte.
pub(crate) fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Why a policy does not load. `module` is `rego` or `libs[0]`; line and column are 1-based, in its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{module}:{line}:{column}: {message}")]
pub struct LoadError {
    pub module: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}
