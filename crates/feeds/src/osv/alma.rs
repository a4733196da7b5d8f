//! What AlmaLinux's records leave to be read between the lines. Source: errata.almalinux.org.
use seawall_model::Severity;
use seawall_model::advisory::{Affected, RangeEnd};
use seawall_model::package::Ecosystem;
use seawall_vuln::Scheme;
use std::collections::BTreeMap;

/// Stands for the stream of a module whose name no record says.
pub(crate) const ANY_MODULE: &str = "*";

pub(super) fn is_of(affected: &[Affected]) -> bool {
    affected.iter().any(|entry| entry.ecosystem == Ecosystem::AlmaLinux)
}

/// ALBA and ALEA mend bugs and bring features.
pub(super) fn is_security(id: &str) -> bool {
    !id.starts_with("ALBA-") && !id.starts_with("ALEA-")
}

/// A module's stream stands in the summary alone, `nodejs:18 security update`; where it does not, whether a module's
/// package is of that stream is unknown. Several fixes of one name in one record are rebuilds: the lowest counts.
pub(super) fn settle(summary: &str, affected: &mut Vec<Affected>) {
    let stream = stream(rated(summary).1);
    for entry in affected.iter_mut() {
        let modular = |end: &RangeEnd| matches!(end, RangeEnd::Fixed(fix) if is_modular(fix));
        if !entry.ranges.iter().any(|range| modular(&range.end)) {
            continue;
        }
        entry.undecidable |= stream.is_none();
        entry.only.module = Some(stream.clone().unwrap_or_else(|| ANY_MODULE.to_owned()));
    }
    let mut lowest: BTreeMap<(String, Option<String>, Option<String>), Affected> = BTreeMap::new();
    for entry in affected.drain(..) {
        let key = (entry.name.clone(), entry.release.clone(), entry.only.module.clone());
        match lowest.get(&key) {
            Some(known) if fix(known) <= fix(&entry) => {}
            _ => _ = lowest.insert(key, entry),
        }
    }
    affected.extend(lowest.into_values());
}

/// `Important: nodejs:18 security update`: Red Hat's word for it where it is a security update, and the rest.
pub(super) fn rated(summary: &str) -> (Option<Severity>, &str) {
    let split = summary.split_once(':');
    let rated = split.and_then(|(word, rest)| Some((word.parse().ok()?, rest.trim_start())));
    rated.map_or((None, summary), |(severity, rest)| (Some(severity), rest))
}

/// AlmaLinux writes `.module_el8…`, Red Hat and Rocky `.module+el8…`.
pub(crate) fn is_modular(version: &str) -> bool {
    version.contains(".module_el") || version.contains(".module+el")
}

fn fix(entry: &Affected) -> Option<Vec<u8>> {
    entry.ranges.iter().find_map(|range| match &range.end {
        RangeEnd::Fixed(version) => Scheme::of(entry.ecosystem).key(version),
        _ => None,
    })
}

/// `name:stream` at the start of what follows the rating.
fn stream(summary: &str) -> Option<String> {
    let word = summary.split_whitespace().next()?;
    let (name, stream) = word.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
    };
    (plain(name) && plain(stream)).then(|| word.to_owned())
}

#[test]
fn streams_are_read_from_summaries() {
    assert_eq!(stream("nodejs:18 security update").as_deref(), Some("nodejs:18"));
    assert_eq!(
        stream("container-tools:rhel8 security update").as_deref(),
        Some("container-tools:rhel8")
    );
    let rated = |summary| stream(rated(summary).1);
    assert_eq!(rated("Important: python27:2.7 security update").as_deref(), Some("python27:2.7"));
    assert_eq!(rated("Important: varnish security update"), None);
    assert_eq!(rated("nodejs:18 security update").as_deref(), Some("nodejs:18"));
    assert_eq!(stream("container-tools bug fix update"), None);
    assert_eq!(stream("kernel: several fixes"), None);
    assert_eq!(stream(""), None);
}
