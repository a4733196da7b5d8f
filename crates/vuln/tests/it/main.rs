//! Outside truth: upstream's version tables and the laws that every order obeys; then matching by table.
mod advisories;
mod matching;
mod oracle;
mod order;
mod ranges;
