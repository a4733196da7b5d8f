//! Alpine's security database: one JSON file for each branch and repository, with the fixes that were built.
//! Source: secdb.alpinelinux.org; its records are generated from the comments in APKBUILD files.
//!
//! It knows no flaw without a fix. The fix `0` is a flaw that the package never had.
use crate::export::{Export, MALFORMED};
use crate::feed::{Content, Feed};
use crate::records::{advisory, affected, below, files, is_cve, read};
use crate::report::FileReport;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "alpine-secdb",
    title: "Alpine security database",
    licence: "CC-BY-SA-4.0",
    verified: true,
    default_base: "https://secdb.alpinelinux.org/",
    files: &[
        "v3.23/main.json",
        "v3.23/community.json",
        "v3.22/main.json",
        "v3.22/community.json",
        "v3.21/main.json",
        "v3.21/community.json",
        "v3.20/main.json",
        "v3.20/community.json",
        "v3.19/main.json",
        "v3.19/community.json",
        "v3.18/main.json",
        "v3.18/community.json",
        "v3.17/main.json",
        "v3.17/community.json",
        "v3.16/main.json",
        "v3.16/community.json",
        "v3.15/main.json",
        "v3.15/community.json",
        "v3.14/main.json",
        "v3.14/community.json",
        "v3.13/main.json",
        "v3.13/community.json",
        "v3.12/main.json",
        "v3.12/community.json",
        "v3.11/main.json",
        "v3.11/community.json",
        "v3.10/main.json",
        "v3.10/community.json",
        "edge/main.json",
        "edge/community.json",
    ],
    listing: None,
    leads: &[Ecosystem::Alpine],
    content: Content::Advisories(export),
};

/// Bytes of a file: the largest has 1 MB.
const LIMIT: u64 = 256 * 1024 * 1024;

#[derive(Deserialize)]
struct File {
    packages: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    secfixes: Option<BTreeMap<String, Value>>,
}

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in files(base, 1, |path| path.ends_with(".json"))? {
        let Some((branch, _)) = path.split_once('/') else { continue };
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        let mut advisories = Vec::new();
        let place = Place { ecosystem: Ecosystem::Alpine, release: Some(branch), path: &path };
        let parsed = read(&base.join(&path), LIMIT)
            .and_then(|text| fixes(&text, &place, &mut report, &mut advisories));
        let parts = match parsed {
            // `"packages": null` is how a repository without a flaw is written: nothing of it is missing.
            Ok(()) if report.records == 0 => Vec::new(),
            Ok(()) => vec![(Ecosystem::Alpine, Some(branch.to_owned()))],
            Err(reason) => {
                report.refused = Some(reason);
                vec![(Ecosystem::Alpine, Some(branch.to_owned()))]
            }
        };
        export.asked.insert(Ecosystem::Alpine);
        export.add(report, &parts, advisories);
    }
    Ok(export)
}

/// What a file in this format speaks of.
pub(crate) struct Place<'p> {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) release: Option<&'p str>,
    /// Below the base.
    pub(crate) path: &'p str,
}

/// Reads a file in secdb's format, which Wolfi and Chainguard share. A record is one version of one package with the
/// flaws it fixes.
pub(crate) fn fixes(
    text: &[u8],
    place: &Place<'_>,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) -> Result<(), String> {
    let file: File =
        serde_json::from_slice(text).map_err(|error| format!("not readable: {error}"))?;
    for Entry { pkg } in file.packages.unwrap_or_default() {
        for (fix, ids) in pkg.secfixes.unwrap_or_default() {
            report.records += 1;
            let before = advisories.len();
            match ids {
                Value::Null => report.drop("no id"),
                Value::Array(ids) => {
                    let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
                    record(&pkg.name, &fix, &ids, place, report, advisories);
                    match advisories.len() > before {
                        true => report.kept += 1,
                        false => report.drop("no id"),
                    }
                }
                _ => report.drop(MALFORMED),
            }
        }
    }
    Ok(())
}

/// `ids`: each names a flaw; one string may hold several names of one, `CVE-2018-7541 XSA-255`.
fn record(
    package: &str,
    fix: &str,
    ids: &[&str],
    place: &Place<'_>,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) {
    let Place { ecosystem, release, path } = place;
    let entry = || affected(*ecosystem, *release, package, vec![below(fix)]);
    let mut plain = advisory(format!("{path}#{package}"));
    for id in ids {
        let names: Vec<&str> = id.split_whitespace().filter(|name| is_name(name)).collect();
        let (cves, others): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| is_cve(name));
        match (cves.as_slice(), others.as_slice()) {
            ([], []) => *report.part_drops.entry("no id".to_owned()).or_default() += 1,
            (cves, []) => plain.cves.extend(cves.iter().map(|&id| id.to_owned())),
            ([], [first, rest @ ..]) => {
                let aliases = rest.iter().map(|&id| id.to_owned()).collect();
                let affected = vec![entry()];
                advisories.push(Advisory { aliases, affected, ..advisory(*first) });
            }
            (cves, others) => {
                let cves = cves.iter().map(|&id| id.to_owned()).collect();
                let aliases = others.iter().map(|&id| id.to_owned()).collect();
                let affected = vec![entry()];
                advisories.push(Advisory { cves, aliases, affected, ..advisory(plain.id.clone()) });
            }
        }
    }
    if !plain.cves.is_empty() {
        plain.cves.sort();
        plain.cves.dedup();
        plain.affected.push(entry());
        advisories.push(plain);
    }
}

/// `CVE-2019-1`, `XSA-255`, `GHSA-…`; not the words around them, `(+ regression fix)`.
fn is_name(word: &str) -> bool {
    let (prefix, rest) = word.split_once('-').unwrap_or((word, ""));
    prefix.len() >= 2
        && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && rest.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secfixes: &str, expected: &str, drops: &str) {
        let text = format!(r#"{{"packages":[{{"pkg":{{"name":"xen","secfixes":{secfixes}}}}}]}}"#);
        let mut report = FileReport::default();
        let mut advisories = Vec::new();
        let place =
            Place { ecosystem: Ecosystem::Alpine, release: Some("v3.11"), path: "v3.11/main.json" };
        fixes(text.as_bytes(), &place, &mut report, &mut advisories).unwrap();
        let told: Vec<String> = advisories
            .iter()
            .map(|own| format!("{} {}|{}", own.id, own.cves.join(","), own.aliases.join(",")))
            .collect();
        assert_eq!(told.join("; "), expected);
        let told: Vec<String> =
            report.drops.iter().map(|(class, count)| format!("{class} {count}")).collect();
        assert_eq!(told.join("; "), drops);
        assert_eq!(report.records, report.kept + report.drops.values().sum::<u64>());
    }

    #[test]
    fn records_are_versions_with_what_they_fix() {
        let own = "v3.11/main.json#xen";
        check(
            r#"{"1-r0":["CVE-2019-14904","CVE-2019-0001"]}"#,
            &format!("{own} CVE-2019-0001,CVE-2019-14904|"),
            "",
        );
        check(r#"{"1-r0":["CVE-2018-7541 XSA-255"]}"#, &format!("{own} CVE-2018-7541|XSA-255"), "");
        check(r#"{"1-r0":["XSA-248"]}"#, "XSA-248 |", "");
        check(
            r#"{"1-r0":["CVE-2017-2616 (+ regression fix)"]}"#,
            &format!("{own} CVE-2017-2616|"),
            "",
        );
        check(r#"{"1-r0":null}"#, "", "no id 1");
        check(r#"{"1-r0":["?"]}"#, "", "no id 1");
        check(r#"{"1-r0":"CVE-2019-0001"}"#, "", "malformed 1");
        check("null", "", "");
    }
}
