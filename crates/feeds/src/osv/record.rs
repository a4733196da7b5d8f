//! One OSV record becomes one advisory, or is dropped by class.
use super::place::{self, Place};
use super::{alma, rocky};
use crate::export::MALFORMED;
use crate::records::is_cve;
use crate::time::time;
use crate::ubuntu;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Range, RangeEnd, Rating};
use seawall_model::finding::FixStatus;
use seawall_vuln::{Scheme, name, score, segment};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Characters of a title taken from the details.
const TITLE: usize = 160;

pub(super) enum Parsed {
    Advisory {
        advisory: Box<Advisory>,
        /// Classes of `affected` entries left out.
        dropped: Vec<String>,
    },
    Dropped(String),
}

#[derive(Deserialize)]
struct Record {
    id: String,
    modified: Option<String>,
    published: Option<String>,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    related: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    severity: Option<Vec<Score>>,
    affected: Option<Vec<Entry>>,
    references: Option<Vec<Reference>>,
    database_specific: Option<DatabaseSpecific>,
}

#[derive(Deserialize)]
struct Score {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

#[derive(Deserialize)]
struct DatabaseSpecific {
    severity: Option<Value>,
}

/// Of an entry.
#[derive(Deserialize)]
struct OfEntry {
    /// RustSec: `unmaintained`, `notice`, `unsound`: worth knowing, no flaw of its own.
    informational: Option<Value>,
}

#[derive(Deserialize)]
struct Entry {
    package: Option<PackageName>,
    ranges: Option<Vec<EventRange>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<Score>>,
    ecosystem_specific: Option<EcosystemSpecific>,
    database_specific: Option<OfEntry>,
}

#[derive(Deserialize)]
struct PackageName {
    ecosystem: String,
    name: String,
    /// Ubuntu: its `distro` names the channel.
    purl: Option<String>,
}

#[derive(Deserialize)]
struct EcosystemSpecific {
    /// Go: ranges of versions that the module proxy cannot know.
    custom_ranges: Option<Vec<IgnoredAny>>,
    /// Debian: `unimportant` is a flaw that Debian does not rate as a security problem.
    urgency: Option<Value>,
    /// RustSec: what the flaw is bound to; empty lists are anything.
    affects: Option<Affects>,
}

#[derive(Deserialize)]
struct Affects {
    os: Option<Vec<String>>,
    arch: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct EventRange {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

pub(super) fn parse(text: &[u8]) -> Parsed {
    let Ok(record) = serde_json::from_slice::<Record>(text) else {
        return Parsed::Dropped(MALFORMED.to_owned());
    };
    if record.id.is_empty() {
        return Parsed::Dropped(MALFORMED.to_owned());
    }
    let (mut affected, mut dropped) = (Vec::new(), Vec::new());
    let entries = record.affected.as_deref().unwrap_or_default();
    for entry in entries {
        match convert(entry) {
            Ok(entry) => affected.push(entry),
            Err(class) => dropped.push(class),
        }
    }
    if affected.is_empty() {
        dropped.sort();
        let class = dropped.into_iter().next();
        let nothing = match record.withdrawn.is_some() {
            // Alpaquita's way to say that it ships nothing of the kind.
            true => "withdrawn without a package",
            false => "no affected package",
        };
        return Parsed::Dropped(class.unwrap_or_else(|| nothing.to_owned()));
    }
    if alma::is_of(&affected) {
        if !alma::is_security(&record.id) {
            return Parsed::Dropped("no security advisory".to_owned());
        }
        alma::settle(record.summary.as_deref().unwrap_or_default(), &mut affected);
    }
    if rocky::is_of(&affected) {
        rocky::settle(record.summary.as_deref().unwrap_or_default(), &mut affected);
    }
    let minor = |entry: &Entry| urgency(entry) == Some("unimportant") || is_informational(entry);
    let unimportant = entries.iter().all(minor);
    let advisory = Box::new(advisory(record, affected, unimportant));
    Parsed::Advisory { advisory, dropped }
}

fn advisory(record: Record, affected: Vec<Affected>, unimportant: bool) -> Advisory {
    let aliases = record.aliases.unwrap_or_default();
    let upstream = record.upstream.unwrap_or_default();
    let related = record.related.filter(|_| alma::is_of(&affected) || rocky::is_of(&affected));
    let related = related.unwrap_or_default();
    let named = aliases.iter().chain(&upstream).chain(&related).chain([&record.id]);
    // Canonical's own name of a CVE.
    let named = named.map(|id| id.strip_prefix("UBUNTU-").unwrap_or(id));
    let mut cves: Vec<String> = named.filter(|id| is_cve(id)).map(str::to_owned).collect();
    cves.sort();
    cves.dedup();
    let mut aliases: Vec<String> = aliases.into_iter().filter(|id| !is_cve(id)).collect();
    aliases.sort();
    aliases.dedup();
    let scored = rating(record.severity.as_deref().unwrap_or_default());
    let Rating { level, cvss } = scored.unwrap_or_else(|| {
        let word = record.database_specific.and_then(|specific| specific.severity);
        let word = word.as_ref().and_then(Value::as_str).and_then(|word| word.parse().ok());
        let level = word.unwrap_or(if unimportant { Severity::Info } else { Severity::Unknown });
        Rating { level, cvss: None }
    });
    let rebuilt = alma::is_of(&affected) || rocky::is_of(&affected);
    let word = record.summary.as_deref().filter(|_| rebuilt).and_then(alma::severity);
    let level = word.unwrap_or(level);
    let title = record.summary.filter(|summary| !summary.trim().is_empty());
    Advisory {
        title: title.or_else(|| record.details.as_deref().and_then(first_line)),
        id: record.id,
        cves,
        aliases,
        severity: level,
        cvss,
        references: record
            .references
            .into_iter()
            .flatten()
            .map(|reference| reference.url)
            .collect(),
        published: record.published.as_deref().and_then(time),
        modified: record.modified.as_deref().and_then(time),
        withdrawn: record.withdrawn.as_deref().map(|text| time(text).unwrap_or_default()),
        affected,
    }
}

/// The vector of the newest CVSS version that can be read.
fn rating(scores: &[Score]) -> Option<Rating> {
    let of = |kind| scores.iter().filter(move |score| score.kind == kind);
    let newest_first = ["CVSS_V4", "CVSS_V3", "CVSS_V2"].into_iter().flat_map(of);
    let rated = |Score { score, .. }: &Score| {
        score::level(score).map(|level| Rating { level, cvss: Some(score.clone()) })
    };
    let scored = newest_first.filter_map(rated).next();
    // Canonical rates by a word, and repeats the vectors of others.
    match of("Ubuntu").find_map(|own| own.score.parse().ok()) {
        Some(level) => Some(Rating { level, cvss: scored.and_then(|own| own.cvss) }),
        None => scored,
    }
}

fn first_line(details: &str) -> Option<String> {
    let line = details
        .lines()
        .map(|line| line.trim().trim_start_matches('#').trim())
        .find(|line| !line.is_empty())?;
    match line.char_indices().nth(TITLE) {
        None => Some(line.to_owned()),
        Some((at, _)) => {
            let cut = &line[..at];
            Some(format!("{}…", cut.rsplit_once(' ').map_or(cut, |(words, _)| words)))
        }
    }
}

fn is_informational(entry: &Entry) -> bool {
    let specific = entry.database_specific.as_ref();
    specific
        .and_then(|specific| specific.informational.as_ref())
        .is_some_and(|value| !value.is_null())
}

fn urgency(entry: &Entry) -> Option<&str> {
    entry.ecosystem_specific.as_ref()?.urgency.as_ref()?.as_str()
}

/// The error is the class the entry is counted under.
fn convert(entry: &Entry) -> Result<Affected, String> {
    let package = entry.package.as_ref().ok_or("no package name")?;
    let Place { ecosystem: known, release, mut only } = place::parse(&package.ecosystem)?;
    let named = package.purl.as_deref().and_then(ubuntu::release::channel);
    only.channel = only.channel.map(|channel| named.unwrap_or(channel));
    let specific = entry.ecosystem_specific.as_ref();
    if let Some(affects) = specific.and_then(|specific| specific.affects.as_ref()) {
        let os = affects.os.as_deref().unwrap_or_default();
        if !os.is_empty() && !os.iter().any(|os| os == "linux") {
            return Err("of another operating system".to_owned());
        }
        only.arches = affects.arch.clone().unwrap_or_default();
    }
    let scheme = Scheme::of(known);
    let comparable = |range: &&EventRange| range.kind == "ECOSYSTEM" || range.kind == "SEMVER";
    let ranges: Vec<Range> = entry
        .ranges
        .iter()
        .flatten()
        .filter(comparable)
        .flat_map(|range| ranges(scheme, &range.events))
        .collect();
    let versions = entry.versions.clone().unwrap_or_default();
    if ranges.is_empty() && versions.is_empty() {
        return Err("no comparable range".to_owned());
    }
    let custom = specific.and_then(|specific| specific.custom_ranges.as_ref());
    let everything = [Range { introduced: None, end: RangeEnd::Open }];
    let mut affected = Affected {
        ecosystem: known,
        release,
        name: name::normalize(known, &package.name),
        undecidable: custom.is_some_and(|custom| !custom.is_empty()) && ranges == everything,
        ranges,
        versions,
        severity: rating(entry.severity.as_deref().unwrap_or_default()),
        only,
        unfixed: FixStatus::None,
    };
    segment::drop_listed_within_ranges(&mut affected);
    Ok(affected)
}

/// Walks the events in the order of the scheme, as the OSV evaluation does: the first bound after an introduction
/// ends it, a second one says nothing new.
fn ranges(scheme: Scheme, events: &[Event]) -> Vec<Range> {
    let mut sorted = Vec::new();
    for event in events {
        let (version, kind) = match event {
            Event { introduced: Some(version), .. } => (version, 0),
            Event { fixed: Some(version), .. } => (version, 1),
            Event { last_affected: Some(version), .. } => (version, 2),
            _ => continue,
        };
        // `introduced: 0` is minus infinity, below even the versions that sort before `0`.
        let key = if kind == 0 && version == "0" { Some(Vec::new()) } else { scheme.key(version) };
        match key {
            Some(key) => sorted.push((key, kind, version)),
            // A bound outside the order leaves nothing to sort by; the segment marks such a range as undecidable.
            None => return vec![Range { introduced: Some(version.clone()), end: RangeEnd::Open }],
        }
    }
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut ranges = Vec::new();
    let mut open: Option<Option<String>> = None;
    for (key, kind, version) in sorted {
        match (kind, open.take()) {
            (0, None) => open = Some((!key.is_empty()).then(|| version.clone())),
            (0, started) => open = started,
            (1, Some(introduced)) => {
                ranges.push(Range { introduced, end: RangeEnd::Fixed(version.clone()) })
            }
            (_, Some(introduced)) => {
                ranges.push(Range { introduced, end: RangeEnd::LastAffected(version.clone()) })
            }
            (_, None) => {}
        }
    }
    ranges.extend(open.map(|introduced| Range { introduced, end: RangeEnd::Open }));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affected(ecosystem: &str, body: &str) -> Result<Affected, String> {
        let entry =
            format!(r#"{{"package":{{"ecosystem":"{ecosystem}","name":"N.a_me"}},{body}}}"#);
        convert(&serde_json::from_str(&entry).unwrap())
    }

    /// `expected` is `introduced,end` pairs joined by spaces, `-` for none, `=` before a last affected version.
    #[track_caller]
    fn check(ecosystem: &str, events: &str, expected: &str) {
        let body = format!(r#""ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]"#);
        let text = match affected(ecosystem, &body) {
            Err(class) => class,
            Ok(affected) => {
                let range = |range: &Range| {
                    let introduced = range.introduced.as_deref().unwrap_or("-");
                    match &range.end {
                        RangeEnd::Fixed(version) => format!("{introduced},{version}"),
                        RangeEnd::LastAffected(version) => format!("{introduced},={version}"),
                        RangeEnd::Open => format!("{introduced},-"),
                        RangeEnd::NotAffected(_) => "never".to_owned(),
                    }
                };
                affected.ranges.iter().map(range).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(text, expected, "{events}");
    }

    #[test]
    fn events_become_ranges() {
        let event = |kind: &str, version: &str| format!(r#"{{"{kind}":"{version}"}}"#);
        let events = |list: &[(&str, &str)]| {
            list.iter().map(|(kind, version)| event(kind, version)).collect::<Vec<_>>().join(",")
        };
        let check = |list: &[(&str, &str)], expected| check("PyPI", &events(list), expected);
        check(&[("introduced", "0"), ("fixed", "1")], "-,1");
        check(&[("introduced", "0")], "-,-");
        check(&[("introduced", "1"), ("last_affected", "2")], "1,=2");
        check(
            &[("introduced", "2"), ("fixed", "3"), ("introduced", "0"), ("fixed", "1")],
            "-,1 2,3",
        );
        check(&[("introduced", "0"), ("fixed", "2"), ("fixed", "1")], "-,1");
        check(&[("introduced", "0"), ("introduced", "1"), ("fixed", "2")], "-,2");
        check(
            &[("introduced", "0"), ("fixed", "1"), ("introduced", "1"), ("fixed", "2")],
            "-,1 1,2",
        );
        check(&[("introduced", "0"), ("fixed", "0.dev1")], "-,0.dev1");
        check(&[("fixed", "1")], "no comparable range");
        check(&[("introduced", "not ordered"), ("fixed", "1")], "not ordered,-");
    }

    #[test]
    fn entries_are_kept_or_classed() {
        let range = r#""ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]"#;
        assert_eq!(affected("PyPI", range), Err("no comparable range".into()));
        assert_eq!(affected("Mageia:8", range), Err("ecosystem not supported: Mageia".into()));
        assert_eq!(affected("Debian", r#""versions":["1"]"#), Err("no release".into()));
        let listed = affected("PyPI", r#""versions":["1"],"ranges":null"#).unwrap();
        assert_eq!((listed.name.as_str(), listed.versions.len()), ("n-a-me", 1));
        let custom = r#""ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[]}]}"#;
        let placeholder = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]"#;
        let bounded =
            r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]"#;
        assert!(affected("Go", &format!("{placeholder},{custom}")).unwrap().undecidable);
        assert!(!affected("Go", &format!("{bounded},{custom}")).unwrap().undecidable);
        assert!(!affected("Go", placeholder).unwrap().undecidable);
    }

    #[test]
    fn records_are_read_leniently() {
        let text = r###"{"id":"PYSEC-1","modified":"0001-01-01T00:00:00Z","published":"2022-09-12T20:23:06Z",
            "aliases":["GHSA-x","CVE-2022-0002","CVE-2022-0001","CVE-x"],"upstream":["CVE-2022-0003"],"details":"# A title\nmore",
            "severity":[{"type":"CVSS_V3","score":"broken"},{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}],
            "affected":[{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1"]},{"package":{"ecosystem":"Hex","name":"a"}}],
            "references":[{"type":"WEB","url":"https://example.org"}],"unknown":{}}"###;
        let Parsed::Advisory { advisory, dropped } = parse(text.as_bytes()) else {
            panic!("dropped")
        };
        assert_eq!(advisory.cves, ["CVE-2022-0001", "CVE-2022-0002", "CVE-2022-0003"]);
        assert_eq!(advisory.aliases, ["CVE-x", "GHSA-x"]);
        assert_eq!((advisory.severity, advisory.modified), (Severity::High, None));
        assert_eq!(advisory.published, Some(1_663_014_186_000));
        assert_eq!(advisory.title.as_deref(), Some("A title"));
        assert_eq!(dropped, ["ecosystem not supported: Hex"]);
    }

    #[test]
    fn entries_rate_their_package() {
        let rated = |severity: &str| {
            let body = format!(r#""versions":["1"],"severity":{severity}"#);
            affected("PyPI", &body).unwrap().severity.map(|rating| rating.level)
        };
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let scored = format!(r#"[{{"type":"CVSS_V3","score":"{vector}"}}]"#);
        assert_eq!(rated(&scored), Some(Severity::Critical));
        assert_eq!(rated(r#"[{"type":"CVSS_V3","score":"broken"}]"#), None);
        assert_eq!(rated("null"), None);
        assert_eq!(rated("[]"), None);
    }

    #[test]
    fn bad_records_are_dropped_by_class() {
        for (text, class) in [
            ("", MALFORMED),
            ("[]", MALFORMED),
            ("{}", MALFORMED),
            (r#"{"id":""}"#, MALFORMED),
            (r#"{"id":"A","affected":{}}"#, MALFORMED),
            (r#"{"id":"A"}"#, "no affected package"),
            (r#"{"id":"A","affected":null}"#, "no affected package"),
            (r#"{"id":"A","affected":[{"versions":["1"]}]}"#, "no package name"),
        ] {
            match parse(text.as_bytes()) {
                Parsed::Dropped(found) => assert_eq!(found, class, "{text}"),
                Parsed::Advisory { .. } => panic!("{text}: kept"),
            }
        }
    }
}
