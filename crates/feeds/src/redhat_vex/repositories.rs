//! Which products a repository belongs to. Source: `metrics/repository-to-cpe.json`.
use crate::export::{Export, MALFORMED};
use crate::records;
use crate::report::FileReport;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const FILE: &str = "metrics/repository-to-cpe.json";

/// Bytes: the map has 3 MB.
const LIMIT: u64 = 256 * 1024 * 1024;

/// The CPEs alone, or beside what else is known of the repository.
#[derive(Deserialize)]
#[serde(untagged)]
enum Repository {
    Cpes(Vec<String>),
    Described { cpes: Vec<String> },
}

pub(super) fn read(base: &Path, export: &mut Export) {
    let path = base.join(FILE);
    if !path.is_file() {
        return;
    }
    let mut report = FileReport { path: FILE.to_owned(), ..FileReport::default() };
    let found = records::read(&path, LIMIT).and_then(|text| parse(&text, &mut report));
    report.refuse_if_malformed();
    match found {
        Ok(found) if report.refused.is_none() => export.products = Some(found),
        Ok(_) => {}
        Err(reason) => report.refused = Some(reason),
    }
    export.files.push(report);
}

fn parse(text: &[u8], report: &mut FileReport) -> Result<BTreeMap<String, Vec<String>>, String> {
    let whole: BTreeMap<String, Value> =
        serde_json::from_slice(text).map_err(|error| format!("not readable: {error}"))?;
    // Some editions wrap the map.
    let inner = whole.get("data").and_then(Value::as_object).cloned();
    let entries: BTreeMap<String, Value> = inner.map_or(whole, |inner| inner.into_iter().collect());
    let mut found = BTreeMap::new();
    for (name, value) in entries {
        report.records += 1;
        let cpes = match serde_json::from_value::<Repository>(value) {
            Ok(Repository::Cpes(cpes) | Repository::Described { cpes }) => cpes,
            Err(_) => {
                report.drop(MALFORMED);
                continue;
            }
        };
        match cpes.is_empty() {
            true => report.drop("of no product"),
            false => {
                report.kept += 1;
                found.insert(name, cpes);
            }
        }
    }
    match found.is_empty() {
        true => Err("none of its records is left".to_owned()),
        false => Ok(found),
    }
}
