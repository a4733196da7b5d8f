//! Chainguard's advisories: OSV records of what Chainguard and Wolfi ship, and its security database in Alpine's format.
//! Source: advisories.cgr.dev/chainguard. The fix `0` says that the package never had the flaw.
use crate::documents;
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::osv;
use crate::wolfi_secdb;
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "chainguard",
    title: "Chainguard advisories",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://advisories.cgr.dev/chainguard/",
    files: &["v3/osv/chainguard-osv.tar.gz"],
    listing: None,
    leads: &[Ecosystem::Chainguard, Ecosystem::Wolfi],
    content: Content::Advisories(export),
};

/// In Alpine's format, beside the OSV records.
const SECDB: &str = "security.json";

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    if base.join(SECDB).is_file() {
        wolfi_secdb::add(base, SECDB, Ecosystem::Chainguard, &mut export);
    }
    let mut advisories = Vec::new();
    // `all.json` lists the records of its folder.
    let is_record = |path: &str| !path.ends_with(SECDB) && !path.ends_with("all.json");
    let reports =
        documents::each(base, "", is_record, |_, text, report| match osv::record(text) {
            Ok((advisory, dropped)) => {
                report.kept += 1;
                for class in dropped {
                    *report.part_drops.entry(class).or_default() += 1;
                }
                advisories.push(advisory);
            }
            Err(class) => report.drop(class),
        })?;
    export.add_together(reports, Ecosystem::Chainguard, advisories);
    Ok(export)
}
