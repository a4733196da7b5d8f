//! What one layer says, before it is laid over others.
use seawall_model::Problem;
use seawall_model::package::{Ecosystem, SourcePackage};
use serde::{Deserialize, Serialize};

/// Everything kept of one layer. Lists are sorted by path. A function of the layer's bytes and the extractor
/// version alone, so it is shared by all images that hold the layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerFacts {
    pub extractor_version: u32,
    /// Routed files, at most one per path.
    pub files: Vec<FileFacts>,
    /// Paths that a `.wh.NAME` entry hides in lower layers.
    pub whiteouts: Vec<String>,
    /// Directories that hide all they hold in lower layers; empty text is the root.
    pub opaque: Vec<String>,
    pub links: Vec<Link>,
    /// Sorted hashes of all paths that are no directory.
    #[serde(skip)]
    pub paths: Vec<u64>,
    /// Sorted hashes of all explicit directory entries.
    #[serde(skip)]
    pub directories: Vec<u64>,
    /// Sorted hashes of the directories that entries lie in and that are no entry themselves: a name of them may be
    /// that of a link below.
    #[serde(skip)]
    pub implied: Vec<u64>,
    /// Problems of the layer as a whole; those of a file stand there.
    pub problems: Vec<Problem>,
}

/// One routed file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    pub path: String,
    /// Id of the extractor, or `unread` for a recognised format that nothing here reads.
    pub extractor: String,
    pub packages: Vec<FoundPackage>,
    pub os_release: Option<OsRelease>,
    /// Where packages come from: lines of apk's repositories, content sets, Ubuntu's channels.
    pub repositories: Vec<String>,
    /// Sorted hashes of the paths that an OS package owns, which the file's name tells.
    #[serde(skip)]
    pub owned: Vec<u64>,
    /// Counted only while no higher layer replaces the file.
    pub problems: Vec<Problem>,
}

/// A package as one file states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPackage {
    pub ecosystem: Ecosystem,
    /// Normalised as the ecosystem does.
    pub name: String,
    pub version: String,
    pub arch: Option<String>,
    pub source: Option<SourcePackage>,
    pub third_party: bool,
    /// Who built it, by an rpm's `Vendor`: whether that is the distro itself only the merge can tell.
    pub vendor: Option<String>,
    /// `name:stream` of an rpm module.
    pub module: Option<String>,
    /// Hashes of the paths it owns, where one file lists those of all packages.
    #[serde(skip)]
    pub owned: Vec<u64>,
}

impl FoundPackage {
    /// By name and version alone.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            version: version.into(),
            arch: None,
            source: None,
            third_party: false,
            vendor: None,
            module: None,
            owned: Vec::new(),
        }
    }
}

/// A symbolic or hard link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub path: String,
    /// As written; that of a hard link is a path from the root.
    pub target: String,
    pub hard: bool,
}

/// The fields of os-release(5) that name a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    pub id: Option<String>,
    pub version_id: Option<String>,
    pub pretty_name: Option<String>,
}
