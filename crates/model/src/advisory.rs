//! What feeds say about a flaw, before matching.
use crate::finding::FixStatus;
use crate::package::Ecosystem;
use crate::severity::Severity;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// One record of a feed in one shape. Feeds keep every status, also "not affected": it is the reason later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// The record's own id, such as `GHSA-…`, `PYSEC-…`, `DSA-…`, `GO-…`.
    pub id: String,
    /// CVE ids the record names, sorted; each is a flaw of its own.
    pub cves: Vec<String>,
    pub aliases: Vec<String>,
    pub title: Option<String>,
    pub severity: Severity,
    /// CVSS vector where the record has one.
    pub cvss: Option<String>,
    pub references: Vec<String>,
    pub published: Option<Millis>,
    pub modified: Option<Millis>,
    pub withdrawn: Option<Millis>,
    pub affected: Vec<Affected>,
}

/// One package that a record speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    pub ecosystem: Ecosystem,
    /// The release below the ecosystem (`12` of `Debian:12`), where it has any.
    pub release: Option<String>,
    pub name: String,
    /// Alternating events in feed order; the matcher sorts them by the scheme.
    pub ranges: Vec<Range>,
    /// Versions listed one by one.
    pub versions: Vec<String>,
    /// Where the entry rates its package apart from the rest of the record.
    pub severity: Option<Rating>,
    /// The record's words narrow it by more than versions (`custom_ranges`): the version alone cannot decide.
    pub undecidable: bool,
    /// What must hold beside the version.
    #[serde(default)]
    pub only: Only,
    /// What is known of a fix where the ranges are open.
    #[serde(default = "unfixed")]
    pub unfixed: FixStatus,
}

fn unfixed() -> FixStatus {
    FixStatus::None
}

/// What an entry asks of a package beside its version; what is absent is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Only {
    /// Architectures as the package manager writes them; empty is any.
    pub arches: Vec<String>,
    /// `name:stream` of an rpm module, `*` where the stream is not said; an entry with one speaks of no package without,
    /// and the other way round.
    pub module: Option<String>,
    /// CPE 2.2 URI of a product, which one of the target's repositories must belong to.
    pub cpe: Option<String>,
    /// A channel that not everybody is subscribed to, `esm-infra`, `fips`: without it only the fix is out of reach.
    pub channel: Option<String>,
    /// A build beside the normal one, `ksplice`, `fips`: the installed version must be of the same.
    pub flavour: Option<String>,
}

impl Only {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How bad, by whom a record was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    pub level: Severity,
    /// CVSS vector, where it has one.
    pub cvss: Option<String>,
}

/// Versions from `introduced` (`None` is minus infinity) up to the bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub introduced: Option<String>,
    pub end: RangeEnd,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "version", rename_all = "snake_case")]
pub enum RangeEnd {
    /// The first version that is not affected.
    Fixed(String),
    /// The last version that is affected.
    LastAffected(String),
    /// No end is known.
    Open,
    /// It never was affected, says the record, and why where it says that too.
    NotAffected(Option<String>),
}
