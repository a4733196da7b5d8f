//! A report of `seawall scan`, read again.
use crate::exit::Failure;
use anyhow::{Context, anyhow};
use seawall_scan::Report;
use std::io::Read;
use std::path::Path;

/// Bytes of a report that is read again: the largest known has 60 MB.
const REPORT_LIMIT: u64 = 1024 * 1024 * 1024;

pub(crate) fn read(path: &Path) -> Result<Report, Failure> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(REPORT_LIMIT).read_to_string(&mut text))
        .with_context(|| format!("read {}", path.display()))
        .map_err(Failure::could_not_run)?;
    let report: Report = serde_json::from_str(&text)
        .with_context(|| format!("{} is no report of `seawall scan`", path.display()))
        .map_err(Failure::could_not_run)?;
    match report.is_of_this_schema() {
        true => Ok(report),
        false => Err(Failure::could_not_run(anyhow!(
            "{} has the schema `{}`, which this version does not read",
            path.display(),
            report.schema
        ))),
    }
}
