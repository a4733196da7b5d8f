//! `kind: Suite`: tests of templates and constraints, run as `gator verify` runs them.
//!
//! ```text
//! Suite ─test─► Template, Constraint ─case─► Review (object, AdmissionReview, what it expands to) ─assertions─► result
//! ```
//!
//! Source: gatekeeper 3.23 `pkg/gator/verify`. Files are the caller's: paths are relative to the suite's own.
mod run;
mod spec;
#[cfg(test)]
mod tests;

pub use run::{CaseResult, Files, Filter, Verdict, run};
pub use spec::Suite;
