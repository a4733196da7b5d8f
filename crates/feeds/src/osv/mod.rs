//! OSV exports: `<folder>/all.zip`, one JSON file per record. Source: ossf.github.io/osv-schema, 1.6.
//!
//! The folder's name says nothing about its records: the ecosystem is the one in each `affected` entry.
mod record;

pub(crate) use record::day;

use crate::report::FileReport;
use record::Parsed;
use seawall_model::Millis;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Bytes of one record, inflated: the largest known has 94 kB.
const RECORD_LIMIT: u64 = 16 * 1024 * 1024;
/// Bytes of one archive, inflated: the largest export has about 1 GB.
const ARCHIVE_LIMIT: u64 = 32 * 1024 * 1024 * 1024;
/// Per cent of malformed records at which a file is taken for damaged.
const MALFORMED_PER_CENT: u64 = 1;

pub(crate) const MALFORMED: &str = "malformed";
pub(crate) const DUPLICATE: &str = "duplicate record";

/// Everything a base holds.
#[derive(Default)]
pub(crate) struct Export {
    pub(crate) advisories: BTreeMap<String, Advisory>,
    pub(crate) files: Vec<FileReport>,
    /// Ecosystems some file speaks of: those the index is asked to hold.
    pub(crate) asked: BTreeSet<Ecosystem>,
    /// Ecosystems that a refused file speaks of or is named after: their earlier segments stay.
    pub(crate) refused: BTreeMap<Ecosystem, String>,
}

impl Export {
    /// Newest record that names this ecosystem, epoch milliseconds.
    pub(crate) fn newest(&self, ecosystem: Ecosystem) -> Option<Millis> {
        let names = |advisory: &&Advisory| {
            advisory.affected.iter().any(|entry| entry.ecosystem == ecosystem)
        };
        self.advisories.values().filter(names).filter_map(newest).max()
    }
}

/// When it last changed, epoch milliseconds.
pub(crate) fn newest(advisory: &Advisory) -> Option<Millis> {
    advisory.modified.max(advisory.published)
}

/// Reads every folder below `base` that has an `all.zip`, in order of names.
pub(crate) fn read(base: &Path) -> std::io::Result<Export> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(base)? {
        let name = entry?.file_name().into_string();
        folders.extend(name.ok().filter(|name| base.join(name).join(ARCHIVE).is_file()));
    }
    folders.sort();
    let mut export = Export::default();
    for folder in folders {
        let mut report =
            FileReport { path: format!("{folder}/{ARCHIVE}"), ..FileReport::default() };
        let mut seen: BTreeSet<Ecosystem> = named_after(&report.path).into_iter().collect();
        let mut advisories = Vec::new();
        match read_archive(&base.join(&folder).join(ARCHIVE), &mut report, &mut advisories) {
            Ok(()) => refuse_if_malformed(&mut report),
            Err(reason) => report.refused = Some(reason),
        }
        let supported = !seen.is_empty();
        seen.extend(
            advisories.iter().flat_map(|advisory| &advisory.affected).map(|entry| entry.ecosystem),
        );
        if supported && advisories.is_empty() && report.refused.is_none() {
            report.refused = Some("none of its records is left".to_owned());
        }
        export.asked.extend(&seen);
        match &report.refused {
            Some(reason) => {
                let reason = format!("{}: {reason}", report.path);
                export
                    .refused
                    .extend(seen.into_iter().map(|ecosystem| (ecosystem, reason.clone())));
            }
            None => advisories.into_iter().for_each(|advisory| export.add(advisory, &mut report)),
        }
        export.files.push(report);
    }
    Ok(export)
}

const ARCHIVE: &str = "all.zip";

/// The ecosystem that the folder of a path is named after.
pub(crate) fn named_after(path: &str) -> Option<Ecosystem> {
    let (folder, _) = path.split_once('/')?;
    Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.osv_name() == folder)
}

impl Export {
    /// A record stands in the archive of every ecosystem it names: the newest copy counts.
    fn add(&mut self, advisory: Advisory, report: &mut FileReport) {
        match self.advisories.get(&advisory.id) {
            Some(known) => {
                report.kept -= 1;
                report.drop(DUPLICATE);
                if newest(&advisory) > newest(known) {
                    self.advisories.insert(advisory.id.clone(), advisory);
                }
            }
            None => {
                self.advisories.insert(advisory.id.clone(), advisory);
            }
        }
    }
}

/// Reads arbitrary bytes as one record; for fuzzing, which looks for panics and hangs.
pub fn parse_osv_for_fuzzing(bytes: &[u8]) -> Option<Advisory> {
    match record::parse(bytes) {
        Parsed::Advisory { advisory, .. } => Some(*advisory),
        Parsed::Dropped(_) => None,
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

/// More than one per cent of malformed records means a damaged file, not a few bad authors.
pub(crate) fn refuse_if_malformed(report: &mut FileReport) {
    let malformed = report.drops.get(MALFORMED).copied().unwrap_or_default();
    if malformed * 100 > report.records * MALFORMED_PER_CENT {
        report.refused =
            Some(format!("{malformed} of its {} records are malformed", report.records));
    }
}
