//! Debian's security tracker: every flaw of every source package with its state in each release.
//! Source: security-tracker.debian.org, "Tracker data"; states as in doc/security-team.d.o/security_tracker.
use crate::export::{Export, MALFORMED};
use crate::feed::{Content, Feed};
use crate::records::{advisory, affected, all, below, is_cve, read, title};
use crate::report::FileReport;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Range, RangeEnd, Rating};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use seawall_vuln::Scheme;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "debian-tracker",
    title: "Debian security tracker",
    licence: "MIT",
    verified: true,
    default_base: "https://security-tracker.debian.org/tracker/data/",
    files: &[FILE],
    listing: None,
    leads: &[Ecosystem::Debian],
    content: Content::Advisories(export),
};

/// The tracker's only document, named by its form.
const FILE: &str = "json";

/// Bytes: the file has 70 MB.
const LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// Codenames and what os-release calls them. Source: DebianReleases.
const RELEASES: [(&str, &str); 13] = [
    ("duke", "15"),
    ("forky", "14"),
    ("trixie", "13"),
    ("bookworm", "12"),
    ("bullseye", "11"),
    ("buster", "10"),
    ("stretch", "9"),
    ("jessie", "8"),
    ("wheezy", "7"),
    ("squeeze", "6"),
    ("lenny", "5"),
    ("etch", "4"),
    ("sarge", "3.1"),
];
/// What is being built; it has no number.
const UNSTABLE: &str = "sid";

type Sources<'t> = BTreeMap<String, BTreeMap<String, &'t RawValue>>;

#[derive(Deserialize)]
struct Record {
    description: Option<String>,
    releases: BTreeMap<String, State>,
}

/// A flaw in one release.
#[derive(Clone, Deserialize)]
struct State {
    /// `resolved`, `open`, `undetermined`.
    status: String,
    fixed_version: Option<String>,
    urgency: Option<String>,
    /// Present where no advisory is to come: empty, `ignored` or `postponed`.
    nodsa_reason: Option<String>,
    nodsa: Option<String>,
    /// What the release and its updates ship.
    #[serde(default)]
    repositories: BTreeMap<String, String>,
}

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    if !base.join(FILE).is_file() {
        return Ok(export);
    }
    let mut report = FileReport { path: FILE.to_owned(), ..FileReport::default() };
    let mut advisories = Vec::new();
    let parsed =
        read(&base.join(FILE), LIMIT).and_then(|text| records(&text, &mut report, &mut advisories));
    if let Err(reason) = parsed {
        report.refused = Some(reason);
    }
    export.add(report, &[(Ecosystem::Debian, None)], advisories);
    Ok(export)
}

pub(crate) fn records(
    text: &[u8],
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) -> Result<(), String> {
    let sources: Sources<'_> =
        serde_json::from_slice(text).map_err(|error| format!("not readable: {error}"))?;
    let mut read = Vec::new();
    for (source, flaws) in &sources {
        for (id, raw) in flaws {
            report.records += 1;
            match serde_json::from_str::<Record>(raw.get()) {
                Ok(record) => read.push((source, id, record)),
                Err(_) => report.drop(MALFORMED),
            }
        }
    }
    // A release that the tracker follows; of those that it does not know it says nothing, in whatever state sid is.
    let followed: BTreeSet<&str> =
        read.iter().flat_map(|(_, _, record)| record.releases.keys().map(String::as_str)).collect();
    let releases: Vec<(&str, &str)> =
        RELEASES.into_iter().filter(|(codename, _)| followed.contains(codename)).collect();
    for (source, id, record) in read {
        let affected: Vec<Affected> = releases
            .iter()
            .filter_map(|(codename, number)| entry(source, &record, codename, number))
            .collect();
        if affected.is_empty() {
            report.drop("no release");
            continue;
        }
        report.kept += 1;
        let cves = is_cve(id).then(|| id.clone()).into_iter().collect();
        let title = record.description.as_deref().and_then(title);
        let references = vec![format!("https://security-tracker.debian.org/tracker/{id}")];
        advisories.push(Advisory { cves, title, references, affected, ..advisory(id.as_str()) });
    }
    Ok(())
}

/// The rows of sid hold for every release that has none of its own.
fn entry(source: &str, record: &Record, codename: &str, number: &str) -> Option<Affected> {
    let unstable = record.releases.get(UNSTABLE);
    let state = record.releases.get(codename).or(unstable)?;
    let shipped = newest(&state.repositories);
    let fix = state.fixed_version.as_deref().filter(|_| state.status == "resolved");
    // What the release ships has the fix of unstable, whatever was said before that.
    let overtaken = || {
        let fix = unstable.and_then(|unstable| unstable.fixed_version.as_deref())?;
        let past = Scheme::Debian.compare(shipped?, fix).is_some_and(Ordering::is_ge);
        (state.status == "open" && past).then_some(fix)
    };
    let range = match fix.or_else(overtaken) {
        Some("0") => Range { introduced: None, end: RangeEnd::NotAffected(None) },
        // A fix that the release does not publish is none for its users.
        Some(fix)
            if shipped.is_some_and(|own| {
                Scheme::Debian.compare(own, fix).is_some_and(Ordering::is_lt)
            }) =>
        {
            all()
        }
        Some(fix) => below(fix),
        None => all(),
    };
    let mut entry = affected(Ecosystem::Debian, Some(number), source, vec![range]);
    entry.undecidable = state.status == "undetermined";
    entry.unfixed = unfixed(state);
    entry.severity = severity(state).map(|level| Rating { level, cvss: None });
    Some(entry)
}

/// The highest version among a release and its updates.
fn newest(repositories: &BTreeMap<String, String>) -> Option<&str> {
    let keyed =
        repositories.values().filter_map(|version| Some((Scheme::Debian.key(version)?, version)));
    keyed.max().map(|(_, version)| version.as_str())
}

fn unfixed(state: &State) -> FixStatus {
    match (state.urgency.as_deref(), state.nodsa_reason.as_deref()) {
        (Some("end-of-life"), _) => FixStatus::EndOfLife,
        (_, Some("ignored")) => FixStatus::WillNotFix,
        // Postponed, or without an advisory: a point release may bring it.
        (_, Some(_)) => FixStatus::Deferred,
        _ if state.nodsa.is_some() => FixStatus::Deferred,
        _ => FixStatus::None,
    }
}

/// Urgencies carry `*` or `**` where a person has not confirmed them.
fn severity(state: &State) -> Option<Severity> {
    match state.urgency.as_deref()?.trim_end_matches('*') {
        "unimportant" => Some(Severity::Info),
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected` by release: the end of the range, then what is known of a fix.
    #[track_caller]
    fn check(releases: &str, expected: &str) {
        let text = format!(
            r#"{{"curl":{{"CVE-2024-0001":{{"releases":{releases}}}}},
            "other":{{"CVE-2024-0002":{{"releases":{{"bookworm":{{"status":"open"}}}}}}}}}}"#
        );
        let (mut report, mut advisories) = (FileReport::default(), Vec::new());
        records(text.as_bytes(), &mut report, &mut advisories).unwrap();
        let curl = advisories.iter().find(|own| own.cves == ["CVE-2024-0001"]);
        let told = |entry: &Affected| {
            let end = match &entry.ranges[0].end {
                RangeEnd::Fixed(fix) => fix.clone(),
                RangeEnd::NotAffected(_) => "never".to_owned(),
                _ => format!("{:?}", entry.unfixed),
            };
            let unknown = if entry.undecidable { "?" } else { "" };
            format!("{} {end}{unknown}", entry.release.as_deref().unwrap_or_default())
        };
        let told: Vec<String> = curl.iter().flat_map(|own| &own.affected).map(told).collect();
        assert_eq!(told.join("; "), expected);
    }

    #[test]
    fn every_release_has_its_state() {
        check(r#"{"bookworm":{"status":"resolved","fixed_version":"7-1"}}"#, "12 7-1");
        check(r#"{"bookworm":{"status":"resolved","fixed_version":"0"}}"#, "12 never");
        check(r#"{"sid":{"status":"resolved","fixed_version":"8-1"}}"#, "12 8-1");
        check(
            r#"{"bullseye":{"status":"open"},"sid":{"status":"resolved","fixed_version":"8-1"}}"#,
            "12 8-1; 11 None",
        );
        check(
            r#"{"bookworm":{"status":"open","nodsa":"Minor issue","nodsa_reason":""}}"#,
            "12 Deferred",
        );
        check(
            r#"{"bookworm":{"status":"open","nodsa":"x","nodsa_reason":"ignored"}}"#,
            "12 WillNotFix",
        );
        check(r#"{"bookworm":{"status":"open","urgency":"end-of-life"}}"#, "12 EndOfLife");
        check(r#"{"bookworm":{"status":"undetermined"}}"#, "12 None?");
    }

    #[test]
    fn what_a_release_ships_decides_whether_a_fix_counts() {
        check(
            r#"{"bookworm":{"status":"open","nodsa_reason":"ignored","repositories":{"bookworm":"8-2"}},
                "sid":{"status":"resolved","fixed_version":"8-1"}}"#,
            "12 8-1",
        );
        check(
            r#"{"bookworm":{"status":"open","nodsa_reason":"ignored","repositories":{"bookworm":"7-2"}},
                "sid":{"status":"resolved","fixed_version":"8-1"}}"#,
            "12 WillNotFix",
        );
        check(
            r#"{"bookworm":{"status":"resolved","fixed_version":"7-3","repositories":{"bookworm":"7-2"}}}"#,
            "12 None",
        );
        check(
            r#"{"bookworm":{"status":"resolved","fixed_version":"7-3",
                "repositories":{"bookworm":"7-2","bookworm-security":"7-3"}}}"#,
            "12 7-3",
        );
    }
}
