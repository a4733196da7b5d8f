//! Outside truth: upstream's version tables and the laws that every order obeys; then matching by table.
#![expect(clippy::unwrap_used, reason = "builders of tests fail by panic, as tests do")]

mod advisories;
mod explain;
mod matching;
mod oracle;
mod order;
mod ranges;
mod rescan;
