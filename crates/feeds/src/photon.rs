//! Photon OS: one JSON file for each release, a list of flaws in source packages. Source: the Photon OS wiki, "Security
//! advisories"; the states as the files write them.
use crate::export::{Export, MALFORMED};
use crate::feed::{Content, Feed};
use crate::records::{advisory, affected, all, below, files, is_cve, read};
use crate::report::FileReport;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Range, RangeEnd, Rating};
use seawall_model::package::Ecosystem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "photon",
    title: "Photon OS CVE metadata",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://packages.broadcom.com/photon/photon_cve_metadata/",
    files: &[
        "cve_data_photon5.0.json",
        "cve_data_photon4.0.json",
        "cve_data_photon3.0.json",
        "cve_data_photon2.0.json",
        "cve_data_photon1.0.json",
    ],
    listing: None,
    leads: &[Ecosystem::Photon],
    content: Content::Advisories(export),
};

/// Bytes of a file: the largest has 6 MB.
const LIMIT: u64 = 256 * 1024 * 1024;
/// Folders of a mirror, `photon/photon_cve_metadata`.
const DEPTH: usize = 2;
const PREFIX: &str = "cve_data_photon";
/// Written where there is no version.
const NONE: &str = "NA";

#[derive(Deserialize)]
struct Record {
    cve_id: String,
    pkg: String,
    /// CVSS base score, by whom is not said.
    cve_score: Option<f64>,
    /// `all versions before 1-1.ph4 are vulnerable`.
    aff_ver: Option<String>,
    res_ver: Option<String>,
    /// `Fixed`, `Not Affected`; absent in older files.
    status: Option<String>,
}

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in files(base, DEPTH, |path| path.contains(PREFIX) && path.ends_with(".json"))? {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let release = name.trim_start_matches(PREFIX).trim_end_matches(".json");
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        let mut advisories = Vec::new();
        let parsed = read(&base.join(&path), LIMIT)
            .and_then(|text| parse(&text, release, &mut report, &mut advisories));
        if let Err(reason) = parsed {
            report.refused = Some(reason);
        }
        export.add(report, &[(Ecosystem::Photon, Some(release.to_owned()))], advisories);
    }
    Ok(export)
}

/// One advisory for each flaw, with the packages that the file holds it against.
pub(crate) fn parse(
    text: &[u8],
    release: &str,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) -> Result<(), String> {
    let records: Vec<&RawValue> =
        serde_json::from_slice(text).map_err(|error| format!("not readable: {error}"))?;
    let mut flaws: BTreeMap<String, Vec<Affected>> = BTreeMap::new();
    for raw in records {
        report.records += 1;
        match serde_json::from_str::<Record>(raw.get()) {
            Ok(record) if !record.cve_id.is_empty() && !record.pkg.is_empty() => {
                report.kept += 1;
                let entry = entry(&record, release);
                flaws.entry(record.cve_id).or_default().push(entry);
            }
            _ => report.drop(MALFORMED),
        }
    }
    advisories.extend(flaws.into_iter().map(|(id, affected)| {
        let cves = is_cve(&id).then(|| id.clone()).into_iter().collect();
        Advisory { cves, affected, ..advisory(id) }
    }));
    Ok(())
}

fn entry(record: &Record, release: &str) -> Affected {
    let said = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty() && *text != NONE)
            .map(str::to_owned)
    };
    let status = record.status.as_deref().unwrap_or_default();
    let (range, decided) = match (said(&record.res_ver), said(&record.aff_ver)) {
        _ if status.eq_ignore_ascii_case("not affected") => {
            (Range { introduced: None, end: RangeEnd::NotAffected(Some(status.to_owned())) }, true)
        }
        (Some(fix), _) => (below(&fix), true),
        (None, Some(versions)) if versions.starts_with("all versions") => (all(), true),
        // `Fixed` in no version, of no version: it says nothing that could be compared.
        (None, _) => (all(), false),
    };
    let mut entry = affected(Ecosystem::Photon, Some(release), &record.pkg, vec![range]);
    entry.undecidable = !decided;
    entry.severity = record.cve_score.map(|score| Rating { level: level(score), cvss: None });
    entry
}

/// The qualitative scale. Source: CVSS 3.1, section 5.
fn level(score: f64) -> Severity {
    match score {
        s if s >= 9.0 => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        s if s > 0.0 => Severity::Low,
        _ => Severity::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: what becomes of the one record of the package `curl`.
    #[track_caller]
    fn check(fields: &str, expected: &str) {
        let text = format!(r#"[{{"cve_id":"CVE-2024-0001","pkg":"curl"{fields}}}]"#);
        let (mut report, mut advisories) = (FileReport::default(), Vec::new());
        parse(text.as_bytes(), "4.0", &mut report, &mut advisories).unwrap();
        let entry = &advisories[0].affected[0];
        let end = match &entry.ranges[0].end {
            RangeEnd::Fixed(fix) => fix.clone(),
            RangeEnd::NotAffected(_) => "never".to_owned(),
            _ => "open".to_owned(),
        };
        let level = entry.severity.as_ref().map_or(Severity::Unknown, |rating| rating.level);
        let unknown = if entry.undecidable { "?" } else { "" };
        assert_eq!(format!("{end}{unknown} {level}"), expected, "{fields}");
    }

    #[test]
    fn states_are_told_apart() {
        check(r#","res_ver":"7-1.ph4","status":"Fixed","cve_score":9.8"#, "7-1.ph4 critical");
        check(r#","res_ver":"7-1.ph4","cve_score":3.7"#, "7-1.ph4 low");
        check(
            r#","res_ver":"NA","aff_ver":"","status":"Not Affected","cve_score":7.5"#,
            "never high",
        );
        check(
            r#","res_ver":"NA","aff_ver":"NA","status":"Fixed","cve_score":null"#,
            "open? unknown",
        );
        check(
            r#","res_ver":"NA","aff_ver":"all versions are vulnerable","cve_score":5"#,
            "open medium",
        );
    }
}
