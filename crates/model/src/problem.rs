//! What went wrong beside the results: one shape for every command and page.
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a problem takes away from the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    /// Worth knowing; the result is complete.
    Note,
    /// Likely a mistake; the result is complete.
    Warning,
    /// Something was left out: the result is incomplete, never clean.
    Gap,
    /// The thing asked for could not be done.
    Error,
}

/// A problem with its place. Absent values are null in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    pub kind: ProblemKind,
    /// Stable kebab-case word a script can branch on, such as `unknown-field`.
    pub code: String,
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
    /// 1-based, in characters.
    pub column: Option<u32>,
    /// What it concerns: a rule, package, record or object.
    pub item: Option<String>,
}

impl Problem {
    pub fn new(kind: ProblemKind, code: &str, message: impl Into<String>) -> Self {
        let (message, code) = (message.into(), code.to_owned());
        Self { kind, code, message, help: None, file: None, line: None, column: None, item: None }
    }

    pub fn note(code: &str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Note, code, message)
    }

    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Warning, code, message)
    }

    pub fn gap(code: &str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Gap, code, message)
    }

    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Error, code, message)
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// 1-based line and column.
    pub fn at(mut self, line: u32, column: u32) -> Self {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }

    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.item = Some(item.into());
        self
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: kind[code]: message`, the place left out where unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
            f.write_str(" ")?;
        }
        let kind = match self.kind {
            ProblemKind::Note => "note",
            ProblemKind::Warning => "warning",
            ProblemKind::Gap => "gap",
            ProblemKind::Error => "error",
        };
        write!(f, "{kind}[{}]: {}", self.code, self.message)
    }
}
