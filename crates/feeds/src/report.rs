//! What a build did: rows and drops per feed, segments written and kept.
use seawall_model::problem::ProblemKind;
use seawall_model::{Millis, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The outcome of one build. Feeds that were refused are errors among the problems.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildReport {
    pub feeds: Vec<FeedReport>,
    pub segments: Vec<SegmentReport>,
    pub problems: Vec<Problem>,
}

impl BuildReport {
    /// A feed was refused or nothing was built: exit 3.
    pub fn failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind == ProblemKind::Error)
    }
}

/// One feed: `records` = `kept` + the sum of `drops`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedReport {
    pub key: String,
    pub base: String,
    pub licence: String,
    pub status: FeedStatus,
    pub files: Vec<FileReport>,
    pub records: u64,
    /// Records that became rows.
    pub kept: u64,
    pub rows: u64,
    /// Records left out, by class.
    pub drops: BTreeMap<String, u64>,
    /// Parts of kept records left out, by class.
    pub part_drops: BTreeMap<String, u64>,
    /// Newest record, epoch milliseconds.
    pub newest: Option<Millis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedStatus {
    Built,
    /// The root has no such feed.
    Absent,
    /// Some of it was refused; what an earlier build left stays.
    Refused,
}

/// One file of a feed: `records` = `kept` + the sum of `drops`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Below the base, with slashes.
    pub path: String,
    pub records: u64,
    pub kept: u64,
    pub drops: BTreeMap<String, u64>,
    pub part_drops: BTreeMap<String, u64>,
    /// Why none of it counts.
    pub refused: Option<String>,
}

impl FileReport {
    pub(crate) fn drop(&mut self, class: impl Into<String>) {
        *self.drops.entry(class.into()).or_default() += 1;
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// `Debian:11`, `PyPI`, `kev`.
    pub name: String,
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
    /// Newest record, epoch milliseconds.
    pub newest: Option<Millis>,
    /// An earlier build's file stays.
    pub kept: bool,
}

/// Why nothing could be built at all.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("make the index directory {path}")]
    MakeDirectory { path: PathBuf, source: std::io::Error },
    #[error("write {path}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "the feed {feed} is at {base}: `db build` reads directories alone, `db update` downloads"
    )]
    Remote { feed: &'static str, base: String },
    #[error("build the segment {segment}")]
    Segment { segment: String, source: seawall_vuln::segment::BuildError },
}
