//! OSV exports: `<folder>/all.zip`, one JSON file per record. Source: ossf.github.io/osv-schema, 1.6.
//!
//! The folder's name says nothing about its records: the ecosystem is the one in each `affected` entry.
pub(crate) mod alma;
mod place;
mod record;
mod rocky;

use crate::export::{DUPLICATE, Export, MALFORMED, Part, newest};
use crate::feed::{Content, Feed};
use crate::report::FileReport;
use record::Parsed;
use seawall_model::Millis;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "osv",
    title: "Open Source Vulnerabilities",
    licence: "CC-BY-4.0 and CC0-1.0, by database",
    verified: true,
    default_base: "https://osv-vulnerabilities.storage.googleapis.com/",
    files: &[
        "Debian/all.zip",
        "AlmaLinux/all.zip",
        "Rocky Linux/all.zip",
        "Alpaquita/all.zip",
        "SUSE/all.zip",
        "openSUSE/all.zip",
        "Go/all.zip",
        "PyPI/all.zip",
        "npm/all.zip",
        "Maven/all.zip",
        "crates.io/all.zip",
        "RubyGems/all.zip",
        "Packagist/all.zip",
        "NuGet/all.zip",
        "Pub/all.zip",
        "Hackage/all.zip",
        "CRAN/all.zip",
        "Bitnami/all.zip",
    ],
    listing: None,
    leads: &[],
    content: Content::Advisories(read),
};

/// Bytes of one record, inflated: the largest known has 94 kB.
const RECORD_LIMIT: u64 = 16 * 1024 * 1024;
/// Bytes of one archive, inflated: the largest export has about 1 GB.
const ARCHIVE_LIMIT: u64 = 32 * 1024 * 1024 * 1024;
/// Reads every folder below `base` that has an `all.zip`, in order of names.
pub(crate) fn read(base: &Path) -> std::io::Result<Export> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(base)? {
        let name = entry?.file_name().into_string();
        folders.extend(name.ok().filter(|name| base.join(name).join(ARCHIVE).is_file()));
    }
    folders.sort();
    let mut export = Export::default();
    let mut read = Vec::new();
    for folder in folders {
        let mut report =
            FileReport { path: format!("{folder}/{ARCHIVE}"), ..FileReport::default() };
        let mut advisories = Vec::new();
        if let Err(reason) =
            read_archive(&base.join(&folder).join(ARCHIVE), &mut report, &mut advisories)
        {
            report.refused = Some(reason);
        }
        report.refuse_if_malformed();
        read.push((report, advisories));
    }
    // A record stands in the archive of every ecosystem it names: the newest copy counts.
    let mut known: HashMap<String, Option<Millis>> = HashMap::new();
    for (_, advisories) in read.iter().filter(|(report, _)| report.refused.is_none()) {
        for advisory in advisories {
            let date = newest(advisory);
            let known = known.entry(advisory.id.clone()).or_insert(date);
            *known = (*known).max(date);
        }
    }
    for (mut report, mut advisories) in read {
        let mut of: BTreeSet<Part> =
            named_after(&report.path).map(|own| (own, None)).into_iter().collect();
        let told = advisories.iter().flat_map(|advisory| &advisory.affected);
        of.extend(told.map(|entry| (entry.ecosystem, None)));
        let before = advisories.len();
        if report.refused.is_none() {
            advisories.retain(|advisory| {
                let first = known.get(&advisory.id).is_some_and(|date| *date == newest(advisory));
                first && known.remove(&advisory.id).is_some()
            });
        }
        let twice = before - advisories.len();
        report.kept -= twice as u64;
        if twice > 0 {
            *report.drops.entry(DUPLICATE.to_owned()).or_default() += twice as u64;
        }
        // All of them stand in other archives: nothing is missing.
        if before > 0 && advisories.is_empty() {
            of.clear();
        }
        export.add(report, &of.into_iter().collect::<Vec<_>>(), advisories);
    }
    Ok(export)
}

const ARCHIVE: &str = "all.zip";

/// The ecosystem that the folder of a path is named after.
pub(crate) fn named_after(path: &str) -> Option<Ecosystem> {
    let (folder, _) = path.split_once('/')?;
    Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.osv_name() == folder)
}

/// Reads arbitrary bytes as one record; for fuzzing, which looks for panics and hangs.
pub fn parse_osv_for_fuzzing(bytes: &[u8]) -> Option<Advisory> {
    match record::parse(bytes) {
        Parsed::Advisory { advisory, .. } => Some(*advisory),
        Parsed::Dropped(_) => None,
    }
}

/// One record, of whatever publisher, with the classes of its entries that were left out; else the class of the whole.
pub(crate) fn record(bytes: &[u8]) -> Result<(Advisory, Vec<String>), String> {
    match record::parse(bytes) {
        Parsed::Advisory { advisory, dropped } => Ok((*advisory, dropped)),
        Parsed::Dropped(class) => Err(class),
    }
}

/// The error says why the archive as a whole cannot be trusted.
fn read_archive(
    path: &Path,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| format!("not a whole zip archive: {error}"))?;
    let mut text = Vec::new();
    let mut inflated = 0;
    for index in 0..archive.len() {
        text.clear();
        let entry = archive.by_index(index);
        let is_record = entry.as_ref().is_ok_and(|entry| entry.name_raw().ends_with(b".json"));
        if entry.as_ref().is_ok_and(|entry| entry.name_raw().ends_with(b"/")) {
            continue;
        }
        report.records += 1;
        if entry.is_ok() && !is_record {
            report.drop("not a record");
            continue;
        }
        let read = entry
            .map_err(std::io::Error::from)
            .and_then(|entry| entry.take(RECORD_LIMIT + 1).read_to_end(&mut text));
        inflated += text.len() as u64;
        if inflated > ARCHIVE_LIMIT {
            return Err(format!("it inflates to more than {ARCHIVE_LIMIT} bytes"));
        }
        if read.is_err() || text.len() as u64 > RECORD_LIMIT {
            report.drop(MALFORMED);
            continue;
        }
        match record::parse(&text) {
            Parsed::Advisory { advisory, dropped } => {
                report.kept += 1;
                for class in dropped {
                    *report.part_drops.entry(class).or_default() += 1;
                }
                advisories.push(*advisory);
            }
            Parsed::Dropped(class) => report.drop(class),
        }
    }
    Ok(())
}
