//! Azure Linux's and CBL-Mariner's flaws in OVAL: one file for each release, a definition for each flaw of a source
//! package. Source: github.com/microsoft/AzureLinuxVulnerabilityData.
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::oval::{
    Asked, Bound, Criterion, Definition, Dialect, Document, Operation, Place, convert, documents,
    moment, plain,
};
use crate::records::{advisory, all, is_cve};
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Range, RangeEnd};
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "azure-oval",
    title: "Azure Linux vulnerability data",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/",
    files: &["azurelinux-3.0-oval.xml", "cbl-mariner-2.0-oval.xml", "cbl-mariner-1.0-oval.xml"],
    listing: None,
    leads: &[Ecosystem::AzureLinux],
    content: Content::Advisories(export),
};

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in documents(base, |name| release(name).is_some())? {
        let Some(release) = release(&path) else { continue };
        let (report, advisories) = convert(base, &path, &dialect(release));
        export.add(report, &[(Ecosystem::AzureLinux, Some(release.to_owned()))], advisories);
    }
    Ok(export)
}

/// The file alone says the release.
pub(crate) fn dialect(release: &str) -> Dialect {
    let ecosystem = Ecosystem::AzureLinux;
    let place = Place { ecosystem, release: release.to_owned(), channel: None };
    Dialect { place: Some(place), asked, advisory: record }
}

/// `azurelinux-3.0-oval.xml`, `cbl-mariner-2.0-oval.xml`.
fn release(path: &str) -> Option<&str> {
    let name = plain(path)?.strip_suffix("-oval.xml")?;
    name.strip_prefix("azurelinux-").or_else(|| name.strip_prefix("cbl-mariner-"))
}

fn asked(document: &Document, _: &Definition, criterion: &Criterion) -> Asked {
    let Some(resolved) = document.resolve(criterion) else {
        return Asked::Left("test not in the document");
    };
    let evr = resolved.state.and_then(|state| state.evr.as_ref());
    let text = |evr: &crate::oval::Compare| evr.text.clone();
    let bound = match evr.map(|evr| (evr.operation, text(evr))) {
        None => Bound::Any,
        Some((Operation::LessThan, version)) => Bound::Below(version),
        Some((Operation::LessOrEqual, version)) => Bound::UpTo(version),
        Some((Operation::GreaterThan | Operation::GreaterOrEqual, version)) => Bound::From(version),
        Some(_) => return Asked::Left("criterion not understood"),
    };
    Asked::Package { name: resolved.package.to_owned(), bound, arches: Vec::new() }
}

fn record(definition: &Definition, mut affected: Vec<Affected>) -> Result<Advisory, &'static str> {
    let named = definition.references.iter().filter(|own| is_cve(&own.id));
    let mut cves: Vec<String> = named.map(|own| own.id.clone()).collect();
    cves.sort();
    cves.dedup();
    // The version in such a definition is what the release ships today, no bound of the flaw.
    let ranges: Option<Vec<Range>> = match definition.patchable.as_deref() {
        Some("false") => Some(vec![all()]),
        Some("Not Applicable") => {
            let reason = Some("it no longer is or never was applicable".to_owned());
            Some(vec![Range { introduced: None, end: RangeEnd::NotAffected(reason) }])
        }
        _ => None,
    };
    if let Some(ranges) = ranges {
        affected.iter_mut().for_each(|entry| entry.ranges.clone_from(&ranges));
    }
    let severity = definition.severity.as_deref().and_then(|word| word.parse().ok());
    Ok(Advisory {
        cves,
        title: Some(definition.title.clone()).filter(|title| !title.is_empty()),
        severity: severity.unwrap_or(Severity::Unknown),
        references: definition.references.iter().map(|own| own.url.clone()).collect(),
        published: definition.issued.as_deref().and_then(moment),
        affected,
        ..advisory(definition.id.as_str())
    })
}
