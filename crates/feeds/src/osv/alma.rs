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

/// A module's stream stands in the summary alone; where it does not, whether a module's
/// package is of that stream is unknown. Several fixes of one name in one record are rebuilds: the lowest counts.
pub(super) fn settle(summary: &str, affected: &mut Vec<Affected>) {
    let stream = stream(summary);
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

/// Red Hat's word at the start of a summary, `Important: ruby:2.5 security update`.
pub(super) fn severity(summary: &str) -> Option<Severity> {
    summary.split_once(':')?.0.parse().ok()
}

/// The first `name:stream` of a summary, behind the rating and in some behind the advisory's own name.
fn stream(summary: &str) -> Option<String> {
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
    };
    let is_module = |word: &&str| {
        let parts = word.split_once(':');
        parts.is_some_and(|(name, stream)| plain(name) && plain(stream))
    };
    summary.split_whitespace().find(is_module).map(str::to_owned)
}

#[test]
fn streams_are_read_from_summaries() {
    let check = |summary: &str, expected: Option<&str>| {
        assert_eq!(stream(summary).as_deref(), expected, "{summary}");
    };
    check("nodejs:18 security update", Some("nodejs:18"));
    check(
        "Important: container-tools:rhel8 security and bug fix update",
        Some("container-tools:rhel8"),
    );
    check("Moderate: idm:DL1 security update", Some("idm:DL1"));
    check("ALSA-2022:5468: php:8.0 security update (Important)", Some("php:8.0"));
    check("Important: varnish security update", None);
    check("kernel: several fixes", None);
    check("", None);
    assert_eq!(severity("Important: firefox security update"), Some(Severity::High));
    assert_eq!(severity("nodejs:18 security update"), None);
}
