//! Package databases that are recognised but that nothing here reads yet: an image that holds one is not clean.
use seawall_model::Problem;

/// Path and the name shown.
pub(crate) static FORMATS: &[(&str, &str)] = &[
    ("var/lib/pacman/local/ALPM_DB_VERSION", "pacman"),
    ("var/lib/opkg/status", "opkg"),
    ("usr/lib/opkg/status", "opkg"),
];

/// The package manager whose database lies at `path`.
pub(crate) fn format(path: &str) -> Option<&'static str> {
    FORMATS.iter().find(|(own, _)| *own == path).map(|(_, name)| *name)
}

/// The gap for a database of that format.
pub(crate) fn problem(format: &str) -> Problem {
    let message =
        format!("the {format} package database is recognised, but not read by this version");
    Problem::gap("database-not-supported", message)
}

#[test]
fn table() {
    assert_eq!(format("usr/lib/opkg/status"), Some("opkg"));
    assert_eq!(format("x/usr/lib/opkg/status"), None);
}
