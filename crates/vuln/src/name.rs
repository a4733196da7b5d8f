//! Package names as advisories and installed packages share them.
use seawall_model::package::Ecosystem;
use std::borrow::Cow;

/// The form both sides are compared in; the names of most ecosystems are exact.
pub fn normalize(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPI => pep_503(name),
        // Names of these two are the same in any case. Source: Composer schema `name`; NuGet "Package ID".
        Ecosystem::Packagist | Ecosystem::NuGet => name.to_lowercase(),
        // `Foo` and `foo` cannot both be on crates.io, nor `foo-bar` beside `foo_bar`; records and lock files write
        // the name as it was published.
        _ => name.to_owned(),
    }
}

/// A version as it is compared: feeds keyed by source name an epoch that an rpm's `SOURCERPM` never carries, so there
/// it counts on neither side.
pub(crate) fn bound(ecosystem: Ecosystem, version: &str) -> Cow<'_, str> {
    match (ecosystem, version.split_once(':')) {
        (Ecosystem::Photon | Ecosystem::AzureLinux, Some((epoch, rest)))
            if epoch.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Cow::from(rest)
        }
        _ => Cow::from(version),
    }
}

/// A version that names a branch: it orders, but what it holds changes. Source: Composer, "Branches".
pub(crate) fn is_branch(ecosystem: Ecosystem, version: &str) -> bool {
    let version = version.to_ascii_lowercase();
    ecosystem == Ecosystem::Packagist && (version.starts_with("dev-") || version.ends_with("-dev"))
}

/// Lower case, runs of `-`, `_` and `.` become one `-`. Source: PEP 503, "Normalized Names".
fn pep_503(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            other => normalized.extend(other.to_lowercase()),
        }
    }
    normalized
}

/// A segment's name, `Debian:11` or `PyPI`.
pub fn segment(ecosystem: Ecosystem, release: Option<&str>) -> String {
    match release {
        Some(release) => format!("{ecosystem}:{release}"),
        None => ecosystem.to_string(),
    }
}

#[test]
fn pypi_names_follow_pep_503() {
    for name in [
        "Friendly-Bard",
        "FRIENDLY-BARD",
        "friendly.bard",
        "friendly_bard",
        "friendly--bard",
        "FrIeNdLy-._.-bArD",
    ] {
        assert_eq!(normalize(Ecosystem::PyPI, name), "friendly-bard", "{name}");
    }
    assert_eq!(normalize(Ecosystem::Go, "github.com/Azure/go_x"), "github.com/Azure/go_x");
}
