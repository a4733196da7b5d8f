//! Rocky Linux's advisories as its service Apollo writes them: OSV records, one file each. Entries name source
//! packages.
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::osv;
use crate::records::{files, read};
use crate::report::FileReport;
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "rocky",
    title: "Rocky Linux advisories",
    licence: "BSD",
    verified: true,
    default_base: "https://apollo.build.resf.org/",
    // The service lists them page by page, in no form that is described; `osv` has the same records in one archive.
    files: &[],
    listing: None,
    leads: &[Ecosystem::Rocky],
    content: Content::Advisories(export),
};

/// Bytes of a record: the largest known has 200 kB.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Folders of a mirror within each other.
const DEPTH: usize = 3;

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    let paths = files(base, DEPTH, |path| path.ends_with(".json"))?;
    if paths.is_empty() {
        return Ok(export);
    }
    let mut report = FileReport { path: "*.json".to_owned(), ..FileReport::default() };
    let mut advisories = Vec::new();
    for path in paths {
        report.records += 1;
        let text = read(&base.join(&path), LIMIT);
        match text.and_then(|text| osv::record(&text)) {
            Ok((advisory, dropped)) => {
                report.kept += 1;
                for class in dropped {
                    *report.part_drops.entry(class).or_default() += 1;
                }
                advisories.push(advisory);
            }
            Err(class) => report.drop(class),
        }
    }
    export.add(report, &[(Ecosystem::Rocky, None)], advisories);
    Ok(export)
}
