//! Oracle Linux's errata in OVAL: one file for all releases, a definition for each advisory (ELSA).
//! Source: linux.oracle.com/security/oval.
//!
//! Beside the normal build of a package there are two with versions of their own: one that Ksplice patches in memory,
//! one validated for FIPS.
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::oval::{
    Asked, Bound, Criterion, Definition, Dialect, Document, Place, Resolved, State, arches,
    convert, documents, moment,
};
use crate::rebuilds::lowest;
use crate::records::{advisory, is_cve};
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, RangeEnd};
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "oracle-oval",
    title: "Oracle Linux errata",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://linux.oracle.com/security/oval/",
    files: &["com.oracle.elsa-all.xml.bz2"],
    listing: None,
    leads: &[Ecosystem::Oracle],
    content: Content::Advisories(export),
};

pub(crate) const DIALECT: Dialect = Dialect { place: None, asked, advisory: record };

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in documents(base, |name| name.starts_with("com.oracle.elsa"))? {
        let (report, advisories) = convert(base, &path, &DIALECT);
        export.add(report, &[(Ecosystem::Oracle, None)], advisories);
    }
    Ok(export)
}

/// The test decides; where the document lacks it, its comment says the same in words.
fn asked(document: &Document, _: &Definition, criterion: &Criterion) -> Asked {
    let by_test = document.resolve(criterion).and_then(|resolved| by_test(&resolved));
    by_test.unwrap_or_else(|| by_comment(criterion.comment.trim()))
}

fn by_test(resolved: &Resolved<'_>) -> Option<Asked> {
    let State { evr, version, release, arch, signature } = resolved.state?;
    if let Some(evr) = evr {
        return Some(package(resolved.package, &evr.text));
    }
    if signature.is_some() {
        return Some(Asked::Nothing);
    }
    if let Some(arch) = arch {
        return Some(Asked::Arches(arches(&arch.text)));
    }
    if let Some(release) = release {
        return flavour(&release.text).map(Asked::Flavour);
    }
    let version = version.as_ref().filter(|_| resolved.package.ends_with("-release"))?;
    Some(place(version.text.trim_start_matches('^')))
}

fn by_comment(comment: &str) -> Asked {
    let words: Vec<&str> = comment.split_whitespace().collect();
    match words.as_slice() {
        ["Oracle", "Linux", "arch", "is", pattern] => Asked::Arches(arches(pattern)),
        ["Oracle", "Linux", release, "is", "installed"] => place(release),
        ["Module", module, "is", "enabled"] => Asked::Module((*module).to_owned()),
        [name, "is", "earlier", "than", version] => package(name, version),
        [_, "is", "signed", ..] => Asked::Nothing,
        [_, "is", "ksplice-based"] => Asked::Flavour("ksplice"),
        [_, "is", "fips", "patched"] => Asked::Flavour("fips"),
        _ => Asked::Left("criterion not understood"),
    }
}

fn package(name: &str, fix: &str) -> Asked {
    let bound = Bound::Below(fix.to_owned());
    Asked::Package { name: name.to_owned(), bound, arches: Vec::new() }
}

fn place(release: &str) -> Asked {
    let release: String = release.chars().take_while(char::is_ascii_digit).collect();
    match release.is_empty() {
        true => Asked::Left("no release"),
        false => Asked::Place(Place { ecosystem: Ecosystem::Oracle, release, channel: None }),
    }
}

/// As releases write it, `…ksplice1.el8_3`, `…el8_6_fips`.
fn flavour(release: &str) -> Option<&'static str> {
    ["ksplice", "fips"].into_iter().find(|flavour| release.contains(flavour))
}

fn record(definition: &Definition, affected: Vec<Affected>) -> Result<Advisory, &'static str> {
    let (id, title) = definition.title.split_once(':').ok_or("no advisory's name")?;
    if !id.starts_with("ELSA-") {
        return Err("no security advisory");
    }
    // Of few definitions the criteria do not say it.
    let settled = affected.into_iter().map(|mut entry| {
        let fix = entry.ranges.iter().find_map(|range| match &range.end {
            RangeEnd::Fixed(fix) => flavour(fix),
            _ => None,
        });
        entry.only.flavour = entry.only.flavour.or(fix.map(str::to_owned));
        entry
    });
    let affected = lowest(settled.collect());
    let mut cves: Vec<String> =
        definition.cves.iter().map(|cve| cve.id.clone()).filter(|id| is_cve(id)).collect();
    cves.sort();
    cves.dedup();
    let cvss = match definition.cves.as_slice() {
        [only] => only.cvss.as_deref().and_then(|text| Some(text.split_once('/')?.1.to_owned())),
        _ => None,
    };
    let severity = definition.severity.as_deref().and_then(|word| word.parse().ok());
    let title = title.trim();
    let title = title.rsplit_once(" (").map_or(title, |(title, _)| title.trim());
    let references = definition.references.iter().filter(|own| own.source != "CVE");
    let references = references.map(|own| own.url.clone()).collect();
    let published = definition.issued.as_deref().and_then(moment);
    Ok(Advisory {
        cves,
        cvss,
        title: Some(title.to_owned()),
        severity: severity.unwrap_or(Severity::Unknown),
        references,
        published,
        affected,
        ..advisory(id.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(comment: &str, expected: &str) {
        assert_eq!(format!("{:?}", by_comment(comment)), expected);
    }

    #[test]
    fn comments_say_what_tests_ask() {
        check(
            "Oracle Linux 8 is installed",
            "Place(Place { ecosystem: Oracle, release: \"8\", channel: None })",
        );
        check("Oracle Linux arch is aarch64", "Arches([\"aarch64\"])");
        check(
            "bind is earlier than 30:9.3.3-8.el5",
            "Package { name: \"bind\", bound: Below(\"30:9.3.3-8.el5\"), arches: [] }",
        );
        check("bind is signed with the Oracle Linux 5 key", "Nothing");
        check("Module nodejs:18 is enabled", "Module(\"nodejs:18\")");
        check("openssl is ksplice-based", "Flavour(\"ksplice\")");
        check("openssl-libs is fips patched", "Flavour(\"fips\")");
        check("kpatch is loaded", "Left(\"criterion not understood\")");
    }
}
