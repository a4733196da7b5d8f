//! Package databases that are recognised but that nothing here reads yet: an image that holds one is not clean.
use seawall_model::Problem;

/// Path and the name shown.
pub(crate) static FORMATS: &[(&str, &str)] = &[
    ("lib/apk/db/installed", "apk"),
    ("usr/lib/apk/db/installed", "apk"),
    ("var/lib/rpm/Packages", "rpm"),
    ("var/lib/rpm/Packages.db", "rpm"),
    ("var/lib/rpm/rpmdb.sqlite", "rpm"),
    ("usr/lib/sysimage/rpm/Packages", "rpm"),
    ("usr/lib/sysimage/rpm/Packages.db", "rpm"),
    ("usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm"),
    ("usr/share/rpm/Packages", "rpm"),
    ("usr/share/rpm/Packages.db", "rpm"),
    ("usr/share/rpm/rpmdb.sqlite", "rpm"),
    ("var/lib/rpmmanifest/container-manifest-2", "rpm"),
    ("var/lib/pacman/local/ALPM_DB_VERSION", "pacman"),
    ("var/lib/dpkg/manifest.wall", "Chisel"),
    ("var/lib/chisel/manifest.wall", "Chisel"),
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
    assert_eq!(format("lib/apk/db/installed"), Some("apk"));
    assert_eq!(format("x/lib/apk/db/installed"), None);
}
