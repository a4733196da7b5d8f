//! What feeds say about a flaw, before matching.
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
}
