//! Wolfi's security database, in the format of Alpine's. Wolfi has no releases. The fix `0` says that a scanner's
//! finding is wrong: the package never had the flaw, nor has anything in it.
use crate::alpine_secdb::{Place, fixes};
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::records::{files, read};
use crate::report::FileReport;
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "wolfi-secdb",
    title: "Wolfi security database",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://packages.wolfi.dev/",
    files: &["os/security.json"],
    listing: None,
    leads: &[Ecosystem::Wolfi],
    content: Content::Advisories(export),
};

/// Bytes of a file: it has 2 MB.
const LIMIT: u64 = 256 * 1024 * 1024;

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in files(base, 1, |path| path.ends_with("security.json"))? {
        add(base, &path, Ecosystem::Wolfi, &mut export);
    }
    Ok(export)
}

/// One file in this format, of a distro without releases.
pub(crate) fn add(base: &Path, path: &str, ecosystem: Ecosystem, export: &mut Export) {
    let mut report = FileReport { path: path.to_owned(), ..FileReport::default() };
    let mut advisories = Vec::new();
    let place = Place { ecosystem, release: None, path };
    let parsed = read(&base.join(path), LIMIT)
        .and_then(|text| fixes(&text, &place, &mut report, &mut advisories));
    if let Err(reason) = parsed {
        report.refused = Some(reason);
    }
    export.add(report, &[(ecosystem, None)], advisories);
}
