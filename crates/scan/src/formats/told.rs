//! Parts of a finding in words, shared by the forms.
use seawall_model::finding::{ExemptionRef, FixStatus, State, VulnFinding};
use seawall_model::package::Target;

/// `2.0, 3.1`, or why there is no fix.
pub(super) fn fix(finding: &VulnFinding) -> String {
    let versions: Vec<_> = finding.fix.versions.iter().map(|fix| fix.version.as_str()).collect();
    let status = match finding.fix.status {
        FixStatus::Available => return versions.join(", "),
        status => fix_status(status),
    };
    [status].into_iter().chain(versions).collect::<Vec<_>>().join(" ")
}

pub(super) fn fix_status(status: FixStatus) -> &'static str {
    match status {
        FixStatus::Available => "available",
        FixStatus::InChannel => "in channel",
        FixStatus::None => "no fix",
        FixStatus::Deferred => "deferred",
        FixStatus::WillNotFix => "will not fix",
        FixStatus::EndOfLife => "end of life",
        FixStatus::UnderInvestigation => "under investigation",
        FixStatus::Unknown => "unknown",
    }
}

/// The record and the comparisons that decided.
pub(super) fn why(finding: &VulnFinding) -> String {
    let matched = &finding.matched;
    let compared = matched
        .compared
        .iter()
        .map(|own| format!("{} {} {} ({})", own.installed, own.order, own.bound, own.kind));
    let compared: Vec<_> = compared.collect();
    match compared.is_empty() {
        true => matched.record.clone(),
        false => format!("{}: {}", matched.record, compared.join(" and ")),
    }
}

/// Why it does not count, by whom and until when.
pub(super) fn excuse(exemption: &ExemptionRef) -> String {
    let by = exemption.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    // It holds before that moment: the day told is the last that it does.
    let until = exemption.expires.map(|end| format!(", until {}", day(end.saturating_sub(1))));
    format!("{}{by}{}", exemption.reason, until.unwrap_or_default())
}

/// `2030-01-31` of epoch milliseconds.
pub(super) fn day(millis: seawall_model::Millis) -> String {
    super::moment(millis)[..10].to_owned()
}

/// What to do about it: a sentence.
pub(super) fn remedy(finding: &VulnFinding) -> String {
    let name = &finding.package.name;
    match finding.fix.status {
        FixStatus::Available => format!("Update {name} to {}.", fix(finding)),
        FixStatus::InChannel => {
            let channels: Vec<&str> =
                finding.fix.versions.iter().filter_map(|fix| fix.channel.as_deref()).collect();
            format!("Subscribe to {}, which has the fix of {name}.", channels.join(" or "))
        }
        status => format!("No update of {name} removes it ({}).", fix_status(status)),
    }
}

pub(super) fn title(finding: &VulnFinding) -> String {
    let own = finding.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    own.map_or_else(|| format!("{} in {}", finding.id, finding.package.name), str::to_owned)
}

/// Where people read about the flaw: the databases that name it, else the first reference.
pub(super) fn page(finding: &VulnFinding) -> Option<String> {
    flaw_page(&finding.id).or_else(|| finding.references.first().cloned())
}

pub(super) fn flaw_page(id: &str) -> Option<String> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    let base = match id.split('-').next()? {
        "CVE" => "https://nvd.nist.gov/vuln/detail/",
        "GHSA" => "https://github.com/advisories/",
        "GO" | "RUSTSEC" | "PYSEC" | "OSV" | "DSA" | "DLA" | "ALSA" | "RHSA" | "USN" => {
            "https://osv.dev/vulnerability/"
        }
        _ => return None,
    };
    plain.then(|| format!("{base}{id}"))
}

pub(super) fn state(finding: &VulnFinding) -> &'static str {
    match finding.state {
        State::Unknown => "undecided",
        state => state.as_str(),
    }
}

/// `image NAME (DIGEST)`, `directory PATH`, `node NAME`.
pub(super) fn target(target: &Target) -> String {
    match target {
        Target::Image { image } => match image.key_digest() {
            Some(digest) => format!("image {} ({digest})", image.name),
            None => format!("image {}", image.name),
        },
        Target::Node { name } => format!("node {name}"),
        Target::Directory { path } => format!("directory {path}"),
    }
}

/// The name alone.
pub(crate) fn target_name(target: &Target) -> &str {
    match target {
        Target::Image { image } => &image.name,
        Target::Node { name } | Target::Directory { path: name } => name,
    }
}
