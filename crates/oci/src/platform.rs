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

    /// A variant is compared only if one was asked for, both as [`variant`] has it.
    pub(crate) fn matches(&self, other: &DescriptorPlatform) -> bool {
        let wanted = self.variant.as_deref();
        let wanted = wanted.and_then(|own| variant(&self.architecture, Some(own)));
        let own = variant(architecture(&other.architecture), other.variant.as_deref());
        self.os == other.os
            && self.architecture == architecture(&other.architecture)
            && (wanted.is_none() || wanted == own)
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

/// The variant by the name that containerd compares: the usual one of arm64 has none, that of arm is v7.
/// Source: containerd platforms `database.go`, `normalizeArch`.
fn variant(architecture: &str, variant: Option<&str>) -> Option<String> {
    let number = variant.map(|variant| variant.strip_prefix('v').unwrap_or(variant));
    match (architecture, number) {
        ("arm64", Some("8")) | ("amd64", Some("1")) | ("386", _) => None,
        ("arm", None | Some("")) => Some("v7".to_owned()),
        ("arm", Some(number)) => Some(format!("v{number}")),
        _ => variant.filter(|variant| !variant.is_empty()).map(str::to_owned),
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

#[test]
fn matching() {
    #[track_caller]
    fn check(wanted: &str, own: &str, expected: bool) {
        let mut parts = own.split('/').map(str::to_owned);
        let mut next = || parts.next();
        let own = DescriptorPlatform {
            os: next().unwrap(),
            architecture: next().unwrap(),
            variant: next(),
        };
        assert_eq!(wanted.parse::<Platform>().unwrap().matches(&own), expected);
    }
    check("linux/arm64/v8", "linux/arm64", true);
    check("linux/arm64", "linux/arm64/v8", true);
    check("linux/arm64/v8", "linux/aarch64/v8", true);
    check("linux/arm64/v9", "linux/arm64", false);
    check("linux/arm/v7", "linux/arm", true);
    check("linux/arm", "linux/arm/v6", true);
    check("linux/arm/v6", "linux/arm", false);
    check("linux/arm/6", "linux/arm/v6", true);
    check("linux/amd64/v1", "linux/amd64", true);
    check("linux/amd64/v3", "linux/amd64", false);
    check("linux/amd64", "windows/amd64", false);
}
