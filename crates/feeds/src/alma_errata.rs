//! AlmaLinux's errata: one JSON file for each major release. Source: errata.almalinux.org; read by its published
//! description, with a module where a package is of one.
use crate::export::{Export, MALFORMED};
use crate::feed::{Content, Feed};
use crate::osv::alma::{ANY_MODULE, is_modular};
use crate::rebuilds::lowest;
use crate::records::{advisory, affected, below, files, is_cve, read};
use crate::report::FileReport;
use seawall_model::advisory::{Advisory, Affected, Only};
use seawall_model::package::Ecosystem;
use seawall_model::{Millis, Severity};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "alma-errata",
    title: "AlmaLinux errata",
    licence: "unknown, not redistributed",
    verified: false,
    default_base: "https://errata.almalinux.org/",
    files: &["8/errata.json", "9/errata.json", "10/errata.json"],
    listing: None,
    leads: &[Ecosystem::AlmaLinux],
    content: Content::Advisories(export),
};

/// Bytes: a release's file has 60 MB.
const LIMIT: u64 = 1024 * 1024 * 1024;

#[derive(Deserialize)]
struct Erratum {
    updateinfo_id: String,
    title: Option<String>,
    severity: Option<String>,
    issued_date: Option<Value>,
    updated_date: Option<Value>,
    pkglist: Option<PackageList>,
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct PackageList {
    packages: Option<Vec<Package>>,
    module: Option<Module>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// A number in some.
    epoch: Option<Value>,
    version: String,
    release: String,
    arch: Option<String>,
}

#[derive(Deserialize)]
struct Module {
    name: Option<String>,
    stream: Option<Value>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    href: Option<String>,
}

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    for path in files(base, 1, |path| path.ends_with("/errata.json"))? {
        let Some((major, _)) = path.split_once('/') else { continue };
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        let mut advisories = Vec::new();
        let parsed = read(&base.join(&path), LIMIT)
            .and_then(|text| errata(&text, major, &mut report, &mut advisories));
        report.refused = parsed.err();
        export.add(report, &[(Ecosystem::AlmaLinux, Some(major.to_owned()))], advisories);
    }
    Ok(export)
}

fn errata(
    text: &[u8],
    major: &str,
    report: &mut FileReport,
    advisories: &mut Vec<Advisory>,
) -> Result<(), String> {
    let errata: Vec<&RawValue> =
        serde_json::from_slice(text).map_err(|error| format!("not readable: {error}"))?;
    for raw in errata {
        report.records += 1;
        match serde_json::from_str::<Erratum>(raw.get()) {
            Err(_) => report.drop(MALFORMED),
            // ALBA and ALEA mend bugs and bring features.
            Ok(own) if !own.updateinfo_id.starts_with("ALSA-") => {
                report.drop("no security advisory")
            }
            Ok(own) => match record(own, major) {
                Some(advisory) => {
                    report.kept += 1;
                    advisories.push(advisory);
                }
                None => report.drop("no package"),
            },
        }
    }
    Ok(())
}

fn record(own: Erratum, major: &str) -> Option<Advisory> {
    let list = own.pkglist?;
    let module =
        list.module.and_then(|own| Some(format!("{}:{}", own.name?, plain(&own.stream?)?)));
    let entry = |package: Package| {
        let Package { name, epoch, version, release, arch } = package;
        let epoch = epoch.as_ref().and_then(plain).unwrap_or_else(|| "0".to_owned());
        let fix = format!("{epoch}:{version}-{release}");
        // Of a module's package without its stream nobody can tell whether it is the installed one.
        let modular = is_modular(&release);
        let stream = module.clone().or_else(|| modular.then(|| ANY_MODULE.to_owned()));
        let undecidable = modular && module.is_none();
        let only = Only {
            arches: arch.into_iter().collect(),
            module: stream.filter(|_| modular),
            ..Only::default()
        };
        let plain = affected(Ecosystem::AlmaLinux, Some(major), &name, vec![below(&fix)]);
        Affected { only, undecidable, ..plain }
    };
    let packages = list.packages.unwrap_or_default().into_iter();
    // A source package is nothing that is installed.
    let installed = packages.filter(|package| package.arch.as_deref() != Some("src"));
    let affected = lowest(installed.map(entry).collect());
    if affected.is_empty() {
        return None;
    }
    let references = own.references.unwrap_or_default();
    let named = references.iter().filter_map(|reference| reference.id.clone());
    let mut cves: Vec<String> = named.filter(|id| is_cve(id)).collect();
    cves.sort();
    cves.dedup();
    let severity = own.severity.as_deref().and_then(|word| word.parse().ok());
    Some(Advisory {
        cves,
        title: own.title,
        severity: severity.unwrap_or(Severity::Unknown),
        references: references.into_iter().filter_map(|reference| reference.href).collect(),
        published: own.issued_date.as_ref().and_then(moment),
        modified: own.updated_date.as_ref().and_then(moment),
        affected,
        ..advisory(own.updateinfo_id)
    })
}

/// A word or a number as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `{"$date": 1629790196000}`, epoch milliseconds.
fn moment(value: &Value) -> Option<Millis> {
    value.get("$date").unwrap_or(value).as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::advisory::RangeEnd;

    #[track_caller]
    fn check(pkglist: &str, expected: &str) {
        let text = format!(
            r#"[{{"updateinfo_id":"ALSA-2021:1","severity":"Important","issued_date":{{"$date":1629790196000}},
            "references":[{{"type":"cve","id":"CVE-2021-3246","href":"https://example.org"}}],"pkglist":{pkglist}}},
            {{"updateinfo_id":"ALBA-2021:2"}}]"#
        );
        let (mut report, mut advisories) = (FileReport::default(), Vec::new());
        errata(text.as_bytes(), "8", &mut report, &mut advisories).unwrap();
        assert_eq!(report.records, report.kept + report.drops.values().sum::<u64>());
        let told = |own: &Affected| {
            let RangeEnd::Fixed(fix) = &own.ranges[0].end else { panic!("no fix") };
            let module = own.only.module.as_deref().unwrap_or("-");
            format!("{} {fix} {} {module}", own.name, own.only.arches.join(","))
        };
        let entries = advisories.iter().flat_map(|own| &own.affected).map(told);
        assert_eq!(entries.collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn packages_are_joined_by_architecture() {
        let package = |arch: &str, release: &str| {
            format!(
                r#"{{"name":"a","epoch":"1","version":"1.0","release":"{release}","arch":"{arch}"}}"#
            )
        };
        let list = |module: &str, packages: &[String]| {
            format!(r#"{{"module":{module},"packages":[{}]}}"#, packages.join(","))
        };
        let plain = [package("i686", "1.el8"), package("x86_64", "1.el8"), package("src", "1.el8")];
        check(&list("null", &plain), "a 1:1.0-1.el8 i686,x86_64 -");
        let modular = [package("x86_64", "1.module_el8.5")];
        check(
            &list(r#"{"name":"nodejs","stream":"18"}"#, &modular),
            "a 1:1.0-1.module_el8.5 x86_64 nodejs:18",
        );
        check(&list("{}", &modular), "a 1:1.0-1.module_el8.5 x86_64 *");
        check("null", "");
    }
}
