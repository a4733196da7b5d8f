//! Which distro it is, and whether anything could tell its packages.
use super::tree::Tree;
use crate::facts::OsRelease;
use crate::os::os_release;
use seawall_model::Problem;
use seawall_model::package::{Distro, Ecosystem, Format};

/// Recognised by id, but without advisories here.
const NOT_COVERED: &[&str] = &["fedora", "arch", "gentoo"];

/// What is known of the packages of the operating system.
pub(super) struct OsPackages {
    /// A database named some.
    pub(super) listed: bool,
    /// Some of them are the distro's own, so matching has to say which distro judges them.
    pub(super) of_distro: bool,
    /// A problem already says that a database was not read.
    pub(super) reported: bool,
}

/// `etc/os-release` through links, else `usr/lib/os-release`. Source: os-release(5).
pub(super) fn release<'a>(tree: &Tree<'a>) -> Option<&'a OsRelease> {
    ["etc/os-release", "usr/lib/os-release"].into_iter().find_map(|path| {
        let (_, history) = tree.file(path)?;
        let (_, file) = history.last()?;
        file.os_release.as_ref().filter(|_| file.extractor == os_release::EXTRACTOR.id)
    })
}

pub(super) fn distro(release: &OsRelease) -> Option<Distro> {
    let (version, name) = (release.version_id.clone(), release.pretty_name.clone());
    Some(Distro { id: release.id.clone()?, version, name })
}

/// Packages that nobody lists are nobody's to judge, so the gap is told here; of those listed matching tells which
/// distro it does not know. A file system without os-release is none of a distro: a static program alone.
pub(super) fn gap(release: Option<&OsRelease>, packages: &OsPackages) -> Option<Problem> {
    let release = release.filter(|_| !packages.of_distro)?;
    let Some(id) = release.id.as_ref().map(|id| id.to_ascii_lowercase()) else {
        let message = "os-release names no distro, so its packages are not known";
        return Some(Problem::gap("unknown-distro", message));
    };
    let problem = if NOT_COVERED.contains(&id.as_str()) {
        let message = format!(
            "{id} is recognised, but its advisories are not read, and nothing lists its packages"
        );
        Problem::gap("not-covered", message)
    } else if !is_known(&id) {
        let message = format!("distro `{id}` is not known, so neither are its packages");
        Problem::gap("unknown-distro", message)
    } else if !packages.listed && !packages.reported {
        let message = format!("{id} is recognised, but no package database says what is installed");
        Problem::gap("database-missing", message)
    } else {
        return None;
    };
    Some(problem.item(id))
}

/// Whether advisories of that distro may be had.
fn is_known(id: &str) -> bool {
    [Format::Deb, Format::Rpm, Format::Apk]
        .into_iter()
        .any(|format| Ecosystem::on(format, id).is_some())
}
