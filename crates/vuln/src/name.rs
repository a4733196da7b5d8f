//! Package names as advisories and installed packages share them.
use seawall_model::package::Ecosystem;

/// The form both sides are compared in: PEP 503 for PyPI, unchanged elsewhere (Go and Debian names are exact).
pub fn normalize(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPI => pep_503(name),
        Ecosystem::Debian | Ecosystem::Go => name.to_owned(),
    }
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
