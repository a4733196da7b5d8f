//! Packages found in images, nodes and source trees.
use crate::image::{ImageRef, Layer};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A package universe with one version order. The variants that exist have an extractor and a matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian packages; which release is in [`Distro`].
    Debian,
    PyPI,
    Go,
}

impl Ecosystem {
    pub const ALL: [Self; 3] = [Self::Debian, Self::PyPI, Self::Go];

    /// The name OSV uses, `Debian`, `PyPI`, `Go`.
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::PyPI => "PyPI",
            Self::Go => "Go",
        }
    }

    /// The purl type. Source: package-url specification, PURL-TYPES.
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Debian => "deb",
            Self::PyPI => "pypi",
            Self::Go => "golang",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.osv_name())
    }
}

/// The operating system of an image or node, from os-release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Distro {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`; absent on rolling releases.
    pub version: Option<String>,
    /// `PRETTY_NAME`, for people.
    pub name: Option<String>,
}

/// A package instance: one (purl, introducing layer, owner), with every place that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Package {
    pub ecosystem: Ecosystem,
    /// Normalised as the ecosystem does (PEP 503 for PyPI).
    pub name: String,
    pub version: String,
    pub purl: String,
    pub arch: Option<String>,
    /// Source package name and version, where advisories are keyed by it.
    pub source: Option<SourcePackage>,
    /// Paths that show it, sorted.
    pub locations: Vec<String>,
    /// The OS package that owns the evidence. Unless that is third-party, the distro's advisories alone judge it.
    pub owner: Option<String>,
    /// Index of the introducing layer; `None` outside images.
    pub layer: Option<u32>,
    /// The vendor says it is its own build, not the distro's.
    pub third_party: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SourcePackage {
    pub name: String,
    pub version: String,
}

/// Everything known about the contents of one image, node or tree: what matching needs, and nothing to re-pull for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Inventory {
    pub target: Target,
    pub distro: Option<Distro>,
    /// `linux/amd64`.
    pub platform: Option<String>,
    pub layers: Vec<Layer>,
    pub packages: Vec<Package>,
    pub problems: Vec<Problem>,
    /// The extractor version that read it; a higher one rereads.
    pub extractor_version: u32,
}

/// What was looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    Image {
        #[serde(flatten)]
        image: ImageRef,
    },
    /// A machine, by its host name.
    Node { name: String },
    /// A root file system or source tree.
    Directory { path: String },
}
