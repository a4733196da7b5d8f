//! Platforms, `OS/ARCH[/VARIANT]`, by Go's names. Source: OCI image index specification, "platform".
use crate::manifest::{Descriptor, DescriptorPlatform};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on the architecture that this program was built for.
    pub fn host() -> Self {
        let architecture = architecture(std::env::consts::ARCH).to_owned();
        Self { os: "linux".to_owned(), architecture, variant: None }
    }

    /// A variant is compared only if one was asked for.
    pub(crate) fn matches(&self, other: &DescriptorPlatform) -> bool {
        let variant = self.variant.is_none() || self.variant == other.variant;
        self.os == other.os && self.architecture == architecture(&other.architecture) && variant
    }

    /// The descriptors of an index that are images at all: attestations name the platform `unknown`.
    pub(crate) fn is_image(descriptor: &Descriptor) -> bool {
        descriptor.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
            && !descriptor
                .annotations
                .as_ref()
                .is_some_and(|annotations| annotations.contains_key("vnd.docker.reference.type"))
    }
}

/// The kernel's names beside Go's.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "x86" | "i386" | "i686" => "386",
        "armhf" => "arm",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, arch] | [os, arch, _] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                os: (*os).to_owned(),
                architecture: architecture(arch).to_owned(),
                variant: parts.get(2).map(|variant| (*variant).to_owned()),
            }),
            _ => Err(format!(
                "`{text}` is no platform: expected OS/ARCH[/VARIANT], such as linux/amd64"
            )),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown =
            text.parse::<Platform>().map_or_else(|_| "error".to_owned(), |own| own.to_string());
        assert_eq!(shown, expected);
    }
    check("linux/amd64", "linux/amd64");
    check("linux/x86_64", "linux/amd64");
    check("linux/arm/v7", "linux/arm/v7");
    check("linux", "error");
    check("linux/", "error");
    check("a/b/c/d", "error");
}
