//! All definitions of a document as advisories, each a row or a counted drop.
use super::{Asked, Criterion, Definition, Document, Place, entries, read};
use crate::compressed;
use crate::export::MALFORMED;
use crate::records::files;
use crate::report::FileReport;
use seawall_model::advisory::{Advisory, Affected};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Bytes of a document, inflated: SUSE's largest has 600 MB.
const LIMIT: u64 = 8 * 1024 * 1024 * 1024;
/// How documents are packed, by what is behind their names.
const PACKINGS: [&str; 5] = ["", ".bz2", ".gz", ".xz", ".zst"];

/// How a distro writes OVAL.
pub(crate) struct Dialect {
    /// Where definitions count that do not say it.
    pub(crate) place: Option<Place>,
    pub(crate) asked: fn(&Document, &Definition, &Criterion) -> Asked,
    /// The advisory of these entries; the error is the class that the definition is dropped under.
    pub(crate) advisory: fn(&Definition, Vec<Affected>) -> Result<Advisory, &'static str>,
}

/// Names of the documents in `base`; of one that lies there in several packings, the first.
pub(crate) fn documents(base: &Path, fits: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for path in files(base, 0, |path| plain(path).is_some())? {
        let Some(name) = plain(&path).filter(|name| fits(name)) else { continue };
        found.entry(name.to_owned()).or_insert(path);
    }
    Ok(found.into_values().collect())
}

/// The name without what it is packed in; `None` if it is no document.
pub(crate) fn plain(path: &str) -> Option<&str> {
    PACKINGS
        .iter()
        .find_map(|packing| path.strip_suffix(packing).filter(|name| name.ends_with(".xml")))
}

/// Reads the document `path` below `base`.
pub(crate) fn convert(base: &Path, path: &str, dialect: &Dialect) -> (FileReport, Vec<Advisory>) {
    let mut report = FileReport { path: path.to_owned(), ..FileReport::default() };
    let mut advisories = Vec::new();
    let told = |error: io::Error| error.to_string();
    let document = compressed::open(&base.join(path), LIMIT).map_err(told).and_then(read);
    match document {
        Ok(document) => definitions(&document, dialect, &mut report, &mut advisories),
        Err(reason) => report.refused = Some(reason),
    }
    (report, advisories)
}

fn definitions(
    document: &Document,
    dialect: &Dialect,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) {
    for definition in &document.definitions {
        report.records += 1;
        match (&definition.criteria, definition.id.is_empty()) {
            (Some(criteria), false) => {
                let asked =
                    |criterion: &Criterion| (dialect.asked)(document, definition, criterion);
                let (affected, left) = match entries(criteria, dialect.place.as_ref(), asked) {
                    Ok(found) => found,
                    Err(class) => {
                        report.drop(class);
                        continue;
                    }
                };
                if affected.is_empty() {
                    report.drop(left.first().copied().unwrap_or("no package"));
                    continue;
                }
                match (dialect.advisory)(definition, affected) {
                    Ok(advisory) => {
                        report.kept += 1;
                        for class in left {
                            *report.part_drops.entry(class.to_owned()).or_default() += 1;
                        }
                        advisories.push(advisory);
                    }
                    Err(class) => report.drop(class),
                }
            }
            _ => report.drop(MALFORMED),
        }
    }
}

/// Reads arbitrary bytes as a document, in the dialect of each feed; for fuzzing, which looks for panics and hangs.
pub fn parse_oval_for_fuzzing(bytes: &[u8]) -> Vec<Advisory> {
    let mut advisories = Vec::new();
    let Ok(document) = read(bytes) else { return advisories };
    let azure = crate::azure_oval::dialect("3.0");
    for dialect in [&crate::oracle_oval::DIALECT, &crate::suse_oval::DIALECT, &azure] {
        definitions(&document, dialect, &mut FileReport::default(), &mut advisories);
    }
    advisories
}
