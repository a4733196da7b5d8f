//! Red Hat's state of every flaw in every product: CSAF documents of the profile VEX, one for each CVE, and the map
//! that says which product a repository is. Source: security.access.redhat.com/data, CSAF 2.0 section 4.5.
//!
//! ```text
//! csaf/v2/vex/csaf_vex_{day}.tar.zst                 all documents of a day
//! csaf/v2/vex/{year}/cve-….json, deletions.csv       what was changed, and what was deleted since
//! metrics/repository-to-cpe.json                     repository → CPEs of the products it belongs to
//! ```
mod document;
mod product;
mod record;
mod repositories;

use crate::compressed::{self, Limits};
use crate::export::Export;
use crate::feed::{Content, Feed, Listing};
use crate::records::{files, read};
use crate::report::FileReport;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "redhat-vex",
    title: "Red Hat security data",
    licence: "CC-BY-4.0",
    verified: true,
    default_base: "https://security.access.redhat.com/data/",
    files: &[repositories::FILE],
    listing: Some(Listing::Csaf(FOLDER)),
    leads: &[Ecosystem::RedHat],
    content: Content::Advisories(export),
};

const FOLDER: &str = "csaf/v2/vex/";
/// Paths of documents that are no more, with the time of it.
pub(crate) const DELETIONS: &str = "deletions.csv";

/// Bytes: a document of a flaw in everything has 60 MB, all of them some 40 GB.
const LIMITS: Limits = Limits { whole: 256 * 1024 * 1024 * 1024, document: 512 * 1024 * 1024 };

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    let folder = base.join(FOLDER);
    if folder.is_dir() {
        documents(&folder, &mut export)?;
    }
    repositories::read(base, &mut export);
    Ok(export)
}

fn documents(folder: &Path, export: &mut Export) -> io::Result<()> {
    let loose = files(folder, 1, is_document)?;
    let archives = files(folder, 0, is_archive)?;
    // The day stands in the name.
    let archive = archives.last();
    let gone = deleted(folder);
    let whole: &[_] = &[(Ecosystem::RedHat, None)];
    if let Some(archive) = archive {
        let newer: BTreeSet<&str> = loose.iter().map(String::as_str).collect();
        let path = format!("{FOLDER}{archive}");
        let mut draft = Draft::new(path);
        let each = |path: &str, text: &[u8]| match path {
            own if !own.ends_with(".json") => {}
            own if newer.contains(own) => draft.replaced("replaced by a newer document"),
            own if gone.contains(own) => draft.replaced("deleted"),
            _ => draft.document(text),
        };
        let opened = File::open(folder.join(archive)).map_err(|error| error.to_string());
        let read = opened.and_then(|file| compressed::documents(Box::new(file), LIMITS, each));
        draft.report.refused = read.err();
        export.add(draft.report, whole, draft.advisories);
    }
    if !loose.is_empty() {
        let mut draft = Draft::new(FOLDER.trim_end_matches('/').to_owned());
        for path in &loose {
            match read(&folder.join(path), LIMITS.document) {
                Ok(text) => draft.document(&text),
                Err(_) => draft.document(b""),
            }
        }
        draft.report.refuse_if_malformed();
        // Changes of a few days may all be of other products.
        let may_be_none = archive.is_some() && draft.report.refused.is_none();
        let of = if may_be_none { &[] } else { whole };
        export.add(draft.report, of, draft.advisories);
    }
    Ok(())
}

/// `2024/cve-2024-1.json`; beside it a download leaves what the server said of it.
fn is_document(path: &str) -> bool {
    path.contains('/') && path.ends_with(".json") && !path.ends_with(".validators.json")
}

/// `csaf_vex_2025-02-15.tar.zst`, packed in whatever way.
fn is_archive(path: &str) -> bool {
    let packed = path.rsplit_once(".tar").map(|(_, packing)| packing);
    packed.is_some_and(|packing| ["", ".zst", ".gz", ".xz", ".bz2"].contains(&packing))
}

/// `"2024/cve-2024-1.json","2025-02-18T14:28:08+00:00"`.
fn deleted(folder: &Path) -> BTreeSet<String> {
    let text = read(&folder.join(DELETIONS), LIMITS.document).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .filter_map(|line| Some(line.split(',').next()?.trim_matches('"').to_owned()))
        .collect()
}

struct Draft {
    report: FileReport,
    advisories: Vec<Advisory>,
}

impl Draft {
    fn new(path: String) -> Self {
        Self { report: FileReport { path, ..FileReport::default() }, advisories: Vec::new() }
    }

    fn replaced(&mut self, class: &str) {
        self.report.records += 1;
        self.report.drop(class);
    }

    fn document(&mut self, text: &[u8]) {
        self.report.records += 1;
        match record::parse(text) {
            Ok(parsed) => {
                self.report.kept += 1;
                for class in parsed.left {
                    *self.report.part_drops.entry(class.to_owned()).or_default() += 1;
                }
                self.advisories.extend(parsed.advisories);
            }
            Err(class) => self.report.drop(class),
        }
    }
}

/// Reads arbitrary bytes as one document; for fuzzing, which looks for panics and hangs.
pub fn parse_csaf_for_fuzzing(bytes: &[u8]) -> Vec<Advisory> {
    record::parse(bytes).map(|parsed| parsed.advisories).unwrap_or_default()
}
