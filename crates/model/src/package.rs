//! Packages found in images, nodes and source trees.
use crate::image::{ImageRef, Layer};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A package universe: one namespace of names, one version order, advisories of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// dpkg packages of Debian, and of distros nobody knows; which release is in [`Distro`].
    Debian,
    PyPI,
    Go,
    Ubuntu,
    /// Also CentOS, whose advisories are Red Hat's.
    RedHat,
    AlmaLinux,
    Rocky,
    Amazon,
    Oracle,
    /// SUSE Linux Enterprise.
    Suse,
    OpenSuse,
    Photon,
    /// Also its forerunner CBL-Mariner.
    AzureLinux,
    Alpine,
    Alpaquita,
    Wolfi,
    Chainguard,
    /// rpm packages of a distro whose advisories nobody here reads.
    Rpm,
    /// apk packages of a distro whose advisories nobody here reads.
    Apk,
    Npm,
    Maven,
    CratesIo,
    RubyGems,
    Packagist,
    NuGet,
    Pub,
    Hackage,
    Cran,
    Bitnami,
}

/// How packages are packed, and so how a machine remembers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Deb,
    Rpm,
    Apk,
    /// By a language's own package manager, or none.
    Language,
}

impl Ecosystem {
    pub const ALL: [Self; 29] = [
        Self::Debian,
        Self::PyPI,
        Self::Go,
        Self::Ubuntu,
        Self::RedHat,
        Self::AlmaLinux,
        Self::Rocky,
        Self::Amazon,
        Self::Oracle,
        Self::Suse,
        Self::OpenSuse,
        Self::Photon,
        Self::AzureLinux,
        Self::Alpine,
        Self::Alpaquita,
        Self::Wolfi,
        Self::Chainguard,
        Self::Rpm,
        Self::Apk,
        Self::Npm,
        Self::Maven,
        Self::CratesIo,
        Self::RubyGems,
        Self::Packagist,
        Self::NuGet,
        Self::Pub,
        Self::Hackage,
        Self::Cran,
        Self::Bitnami,
    ];

    /// The name OSV uses, `Debian`, `PyPI`, `Red Hat`; in its manner where OSV has none.
    /// Source: OSV schema, "Defined Ecosystems".
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::PyPI => "PyPI",
            Self::Go => "Go",
            Self::Ubuntu => "Ubuntu",
            Self::RedHat => "Red Hat",
            Self::AlmaLinux => "AlmaLinux",
            Self::Rocky => "Rocky Linux",
            Self::Amazon => "Amazon Linux",
            Self::Oracle => "Oracle Linux",
            Self::Suse => "SUSE",
            Self::OpenSuse => "openSUSE",
            Self::Photon => "Photon OS",
            Self::AzureLinux => "Azure Linux",
            Self::Alpine => "Alpine",
            Self::Alpaquita => "Alpaquita",
            Self::Wolfi => "Wolfi",
            Self::Chainguard => "Chainguard",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Npm => "npm",
            Self::Maven => "Maven",
            Self::CratesIo => "crates.io",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::NuGet => "NuGet",
            Self::Pub => "Pub",
            Self::Hackage => "Hackage",
            Self::Cran => "CRAN",
            Self::Bitnami => "Bitnami",
        }
    }

    /// By OSV's name, exactly as it writes it.
    pub fn of_osv_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ecosystem| ecosystem.osv_name() == name)
    }

    /// The purl type. Source: package-url specification, PURL-TYPES.
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::PyPI => "pypi",
            Self::Go => "golang",
            Self::Npm => "npm",
            Self::Maven => "maven",
            Self::CratesIo => "cargo",
            Self::RubyGems => "gem",
            Self::Packagist => "composer",
            Self::NuGet => "nuget",
            Self::Pub => "pub",
            Self::Hackage => "hackage",
            Self::Cran => "cran",
            Self::Bitnami => "bitnami",
            distro => match distro.format() {
                Format::Deb => "deb",
                Format::Rpm => "rpm",
                Format::Apk => "apk",
                Format::Language => "generic",
            },
        }
    }

    pub fn format(self) -> Format {
        match self {
            Self::Debian | Self::Ubuntu => Format::Deb,
            Self::RedHat
            | Self::AlmaLinux
            | Self::Rocky
            | Self::Amazon
            | Self::Oracle
            | Self::Suse
            | Self::OpenSuse
            | Self::Photon
            | Self::AzureLinux
            | Self::Rpm => Format::Rpm,
            Self::Alpine | Self::Alpaquita | Self::Wolfi | Self::Chainguard | Self::Apk => {
                Format::Apk
            }
            Self::PyPI
            | Self::Go
            | Self::Npm
            | Self::Maven
            | Self::CratesIo
            | Self::RubyGems
            | Self::Packagist
            | Self::NuGet
            | Self::Pub
            | Self::Hackage
            | Self::Cran
            | Self::Bitnami => Format::Language,
        }
    }

    /// Whether a distro's package manager installs it.
    pub fn is_of_distro(self) -> bool {
        self.format() != Format::Language
    }

    /// What judges packages of that format on a distro, by the `ID` of its os-release.
    pub fn on(format: Format, distro: &str) -> Option<Self> {
        let ecosystem = match distro.to_ascii_lowercase().as_str() {
            "debian" => Self::Debian,
            "ubuntu" => Self::Ubuntu,
            "rhel" | "centos" => Self::RedHat,
            "almalinux" => Self::AlmaLinux,
            "rocky" => Self::Rocky,
            "amzn" => Self::Amazon,
            "ol" => Self::Oracle,
            "sles" | "sled" | "sle-micro" | "sl-micro" | "suse" => Self::Suse,
            "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" => Self::OpenSuse,
            "photon" => Self::Photon,
            "azurelinux" | "mariner" => Self::AzureLinux,
            "alpine" => Self::Alpine,
            "alpaquita" => Self::Alpaquita,
            "wolfi" => Self::Wolfi,
            "chainguard" => Self::Chainguard,
            _ => return None,
        };
        Some(ecosystem).filter(|own| own.format() == format)
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
    /// `name:stream` of the rpm module it was built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
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
    /// Where its OS packages come from, as far as it says, sorted: content sets of RHEL, lines of `apk`'s repositories,
    /// `esm-apps` and the like of Ubuntu.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
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
