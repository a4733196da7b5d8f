//! Definitions in OVAL, the XML that several distros publish advisories in: read in one pass, within bounds.
//! Source: OVAL Language 5.11, `oval-definitions-schema` and `linux-definitions-schema` (`rpminfo_test`).
//!
//! ```text
//! definition ─criteria─► criterion ─test_ref─► test ─object_ref─► name of a package
//!                                                  └─state_ref──► version, release, architecture
//! ```
//!
//! Definitions come before what they refer to, so all of a document is held; its prose is not.
mod convert;
mod entries;
mod read;
mod ways;

pub use convert::parse_oval_for_fuzzing;
pub(crate) use convert::{Dialect, convert, documents, plain};
pub(crate) use entries::{Asked, Bound, Place, entries};
pub(crate) use read::read;

use std::collections::HashMap;

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) definitions: Vec<Definition>,
    tests: HashMap<String, Test>,
    /// Id → name of the package it looks at.
    objects: HashMap<String, String>,
    states: HashMap<String, State>,
}

/// What a definition says of itself; texts are trimmed.
#[derive(Debug, Default)]
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) platforms: Vec<String>,
    pub(crate) references: Vec<Reference>,
    pub(crate) severity: Option<String>,
    /// Days or times, as written.
    pub(crate) issued: Option<String>,
    pub(crate) updated: Option<String>,
    /// Azure's: `true`, `false`, `Not Applicable`.
    pub(crate) patchable: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) cves: Vec<Cve>,
    pub(crate) criteria: Option<Criteria>,
}

#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) url: String,
}

/// A CVE as the advisory names it.
#[derive(Debug, Default)]
pub(crate) struct Cve {
    pub(crate) id: String,
    /// `8.1/CVSS:3.0/AV:N/…`.
    pub(crate) cvss: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Criteria {
    All(Vec<Criteria>),
    Any(Vec<Criteria>),
    Test(Criterion),
    /// Negated, or of an operator that no feed here uses.
    Other,
}

#[derive(Debug)]
pub(crate) struct Criterion {
    test: String,
    pub(crate) comment: String,
}

#[derive(Debug, Default)]
struct Test {
    object: Option<String>,
    state: Option<String>,
}

/// What a test asks of the package it looks at; what is absent is not asked.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) evr: Option<Compare>,
    pub(crate) version: Option<Compare>,
    pub(crate) release: Option<Compare>,
    pub(crate) arch: Option<Compare>,
    pub(crate) signature: Option<Compare>,
}

#[derive(Debug, Default)]
pub(crate) struct Compare {
    pub(crate) operation: Operation,
    pub(crate) text: String,
}

/// Source: `OperationEnumeration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Operation {
    #[default]
    Equals,
    LessThan,
    LessOrEqual,
    GreaterThan,
    GreaterOrEqual,
    Pattern,
    Other,
}

impl Operation {
    /// An older generator of SUSE's writes the place in the enumeration for the word: `6` is `less than`.
    fn parse(text: &str) -> Self {
        match text {
            "equals" | "1" => Self::Equals,
            "greater than" | "5" => Self::GreaterThan,
            "less than" | "6" => Self::LessThan,
            "greater than or equal" | "7" => Self::GreaterOrEqual,
            "less than or equal" | "8" => Self::LessOrEqual,
            "pattern match" | "11" => Self::Pattern,
            _ => Self::Other,
        }
    }
}

/// A criterion with all that it refers to. A test without a state asks whether the package is there at all.
pub(crate) struct Resolved<'d> {
    pub(crate) package: &'d str,
    pub(crate) state: Option<&'d State>,
}

impl Document {
    /// `None` where the document lacks some of it.
    pub(crate) fn resolve(&self, criterion: &Criterion) -> Option<Resolved<'_>> {
        let test = self.tests.get(&criterion.test)?;
        let package = self.objects.get(test.object.as_ref()?)?;
        let state = match &test.state {
            None => None,
            Some(id) => Some(self.states.get(id)?),
        };
        Some(Resolved { package, state })
    }
}

/// `(aarch64|x86_64)`, `^x86_64$`, `noarch`.
pub(crate) fn arches(pattern: &str) -> Vec<String> {
    let plain: String = pattern.chars().filter(|c| !"()^$ ".contains(*c)).collect();
    plain.split('|').filter(|arch| !arch.is_empty()).map(str::to_owned).collect()
}

/// Text between days and times as OVAL's authors write them, to epoch milliseconds.
pub(crate) fn moment(text: &str) -> Option<seawall_model::Millis> {
    crate::time::time(text).or_else(|| crate::time::day(text.get(..10)?))
}
