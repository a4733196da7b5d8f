//! CISA's catalogue of known exploited vulnerabilities: one JSON file. Source: the catalogue's JSON schema.
use crate::enrichment::List;
use crate::export::{DUPLICATE, MALFORMED};
use crate::feed::{Content, Feed};
use crate::report::FileReport;
use crate::time::day;
use seawall_model::Millis;
use seawall_vuln::kev;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "cisa-kev",
    title: "CISA Known Exploited Vulnerabilities",
    licence: "CC0-1.0",
    verified: true,
    default_base: "https://www.cisa.gov/sites/default/files/feeds/",
    files: &[FILE],
    listing: None,
    leads: &[],
    content: Content::List { name: "kev", read },
};

const FILE: &str = "known_exploited_vulnerabilities.json";

/// Bytes: the catalogue is 1 MB after four years.
const LIMIT: u64 = 64 * 1024 * 1024;

/// CVE → day it was added, the catalogue's date and the count of records.
#[derive(Default)]
struct Catalogue {
    added: BTreeMap<String, Millis>,
    newest: Option<Millis>,
    report: FileReport,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(borrow)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "cveID")]
    cve: String,
    #[serde(rename = "dateAdded")]
    added: String,
}

/// `None` if the base has no catalogue.
fn read(base: &Path) -> Option<List> {
    let path = base.join(FILE);
    if !path.exists() {
        return None;
    }
    let mut catalogue = Catalogue::default();
    catalogue.report.path = FILE.to_owned();
    let size = std::fs::metadata(&path).map(|metadata| metadata.len());
    let text = match size {
        Ok(size) if size > LIMIT => Err(format!("larger than {LIMIT} bytes")),
        _ => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
    };
    match text.and_then(|text| parse(&text, &mut catalogue)) {
        Ok(()) => {}
        Err(reason) => catalogue.report.refused = Some(reason),
    }
    let Catalogue { added, newest, report } = catalogue;
    Some(List::new(FEED.key, vec![report], newest, added.len(), |date| kev::build(date, &added)))
}

/// Reads arbitrary text as the catalogue; for fuzzing, which looks for panics and hangs. Returns the number of entries.
pub fn parse_kev_for_fuzzing(text: &str) -> usize {
    let mut catalogue = Catalogue::default();
    let _ = parse(text, &mut catalogue);
    catalogue.added.len()
}

fn parse(text: &str, catalogue: &mut Catalogue) -> Result<(), String> {
    let file: File =
        serde_json::from_str(text).map_err(|error| format!("not readable: {error}"))?;
    let report = &mut catalogue.report;
    for raw in file.vulnerabilities {
        report.records += 1;
        let record: Option<Record> = serde_json::from_str(raw.get()).ok();
        let record = record.filter(|record| record.cve.starts_with("CVE-"));
        let Some((cve, added)) = record.and_then(|record| Some((record.cve, day(&record.added)?)))
        else {
            report.drop(MALFORMED);
            continue;
        };
        catalogue.newest = catalogue.newest.max(Some(added));
        match catalogue.added.insert(cve, added) {
            None => report.kept += 1,
            Some(_) => report.drop(DUPLICATE),
        }
    }
    report.refuse_if_malformed();
    match &report.refused {
        None if report.kept == 0 => Err("it has no records".to_owned()),
        _ => Ok(()),
    }
}
