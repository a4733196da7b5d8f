//! Amazon Linux: what each repository was updated with, and the bulletins on the web.
//!
//! ```text
//! AL2/core/updateinfo.xml.gz, AL2/extras/docker/updateinfo.xml.gz    rows, with epochs; extras are channels
//! AL2/ALAS-2018-939.html                                            rows where no update has the id
//! AL2/alas.rss                                                      links alone: it names no version, nor what is unfixed
//! ```
mod pages;
mod updateinfo;
mod xml;

use crate::compressed;
use crate::export::{Export, MALFORMED};
use crate::feed::{Content, Feed};
use crate::rebuilds;
use crate::records::{advisory, affected, below, files, read};
use crate::report::FileReport;
use seawall_model::advisory::{Advisory, Affected, Only};
use seawall_model::package::Ecosystem;
use seawall_model::{Millis, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "amazon",
    title: "Amazon Linux security advisories",
    licence: "unknown, not redistributed",
    // The pages are; no real `updateinfo.xml` was at hand.
    verified: false,
    default_base: "https://alas.aws.amazon.com/",
    // Repositories lie behind lists of mirrors, under names that change with their content: mirror them.
    files: &[],
    listing: None,
    leads: &[Ecosystem::Amazon],
    content: Content::Advisories(export),
};

/// Bytes of a file, inflated: the largest has 150 MB.
const LIMIT: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of a page.
const PAGE: u64 = 16 * 1024 * 1024;
/// Folders within each other, `AL2/extras/docker`.
const DEPTH: usize = 4;

/// One bulletin, from wherever.
#[derive(Debug, Default)]
struct Bulletin {
    id: String,
    security: bool,
    title: Option<String>,
    severity: Option<Severity>,
    issued: Option<Millis>,
    updated: Option<Millis>,
    cves: Vec<String>,
    references: Vec<String>,
    packages: Vec<Package>,
}

#[derive(Debug)]
struct Package {
    name: String,
    /// `[epoch:]version-release`.
    version: String,
    arch: String,
}

/// Bulletins of all files, by release and id.
#[derive(Default)]
struct Draft {
    found: BTreeMap<(String, String), (Bulletin, Option<String>)>,
    reports: Vec<FileReport>,
}

fn export(base: &Path) -> io::Result<Export> {
    let mut draft = Draft::default();
    let paths = files(base, DEPTH, |_| true)?;
    let of = |end: fn(&str) -> bool| paths.iter().filter(move |path| end(path));
    for path in of(|path| path.ends_with("updateinfo.xml") || path.ends_with("updateinfo.xml.gz")) {
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        let input = compressed::open(&base.join(path), LIMIT).map_err(|error| error.to_string());
        match input.and_then(updateinfo::parse) {
            Ok(bulletins) => {
                bulletins.into_iter().for_each(|own| draft.add(path, own, &mut report))
            }
            Err(reason) => report.refused = Some(reason),
        }
        draft.reports.push(report);
    }
    let mut report = FileReport { path: "**.html".to_owned(), ..FileReport::default() };
    for path in of(|path| path.ends_with(".html")) {
        let text = read(&base.join(path), PAGE).unwrap_or_default();
        match pages::bulletin(&String::from_utf8_lossy(&text)) {
            Some(own) => draft.add(path, own, &mut report),
            None => {
                report.records += 1;
                report.drop(MALFORMED);
            }
        }
    }
    draft.reports.extend(Some(report).filter(|report| report.records > 0));
    for path in of(|path| path.ends_with("alas.rss")) {
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        match read(&base.join(path), PAGE).and_then(|text| pages::list(&text)) {
            Ok(items) => items.into_iter().for_each(|item| draft.link(path, item, &mut report)),
            Err(reason) => report.refused = Some(reason),
        }
        draft.reports.push(report);
    }
    Ok(draft.finish())
}

impl Draft {
    fn add(&mut self, path: &str, own: Bulletin, report: &mut FileReport) {
        report.records += 1;
        if own.id.is_empty() {
            return report.drop(MALFORMED);
        }
        if !own.security {
            return report.drop("no security advisory");
        }
        if own.packages.iter().all(|package| !is_installed(package)) {
            return report.drop("no package");
        }
        let Some((release, channel)) = place(path, &own.id) else {
            return report.drop("no release");
        };
        let key = (release.to_owned(), short(&own.id, release).to_owned());
        if self.found.contains_key(&key) {
            return report.drop("an update has the same id");
        }
        report.kept += 1;
        self.found.insert(key, (own, channel));
    }

    fn link(&mut self, path: &str, item: pages::Item, report: &mut FileReport) {
        report.records += 1;
        let release = place(path, &item.id).map(|(release, _)| release).unwrap_or_default();
        let key = (release.to_owned(), short(&item.id, release).to_owned());
        match self.found.get_mut(&key) {
            None => report.drop("names no version"),
            Some((own, _)) => {
                report.kept += 1;
                own.references.insert(0, item.link);
            }
        }
    }

    fn finish(self) -> Export {
        let mut homes: BTreeMap<(&str, &str), BTreeSet<Option<&str>>> = BTreeMap::new();
        for ((release, _), (own, channel)) in &self.found {
            for package in &own.packages {
                let home = homes.entry((release, &package.name)).or_default();
                home.insert(channel.as_deref());
            }
        }
        let several = |release: &str, name: &str| {
            homes.get(&(release, name)).is_some_and(|channels| channels.len() > 1)
        };
        let advisories: Vec<Advisory> = self
            .found
            .iter()
            .map(|((release, _), (own, channel))| {
                let mut made = made(own, release, channel.as_deref());
                // Another repository has a package of that name in versions of its own, and nothing tells which is
                // installed.
                for entry in made.affected.iter_mut().filter(|_| channel.is_some()) {
                    entry.undecidable = several(release, &entry.name);
                }
                made
            })
            .collect();
        let mut export = Export::default();
        export.add_together(self.reports, Ecosystem::Amazon, advisories);
        export
    }
}

fn made(own: &Bulletin, release: &str, channel: Option<&str>) -> Advisory {
    let entries: Vec<Affected> = own
        .packages
        .iter()
        .filter(|package| is_installed(package))
        .map(|package| {
            let fix = vec![below(&package.version)];
            let mut entry = affected(Ecosystem::Amazon, Some(release), &package.name, fix);
            let arches = vec![package.arch.clone()];
            entry.only = Only { arches, channel: channel.map(str::to_owned), ..Only::default() };
            entry
        })
        .collect();
    let mut cves = own.cves.clone();
    cves.sort();
    cves.dedup();
    Advisory {
        cves,
        title: own.title.clone(),
        severity: own.severity.unwrap_or(Severity::Unknown),
        references: own.references.clone(),
        published: own.issued,
        modified: own.updated,
        affected: rebuilds::lowest(entries),
        ..advisory(own.id.as_str())
    }
}

/// Sources are not installed.
fn is_installed(package: &Package) -> bool {
    package.arch != "src"
}

/// Release and channel: of `AL2/extras/docker/updateinfo.xml`, else of an id such as `ALAS2DOCKER-2023-001`.
fn place<'p>(path: &'p str, id: &str) -> Option<(&'p str, Option<String>)> {
    let is_release = |part: &&str| {
        part.strip_prefix("AL")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = path.split('/');
    let release = parts.find(is_release)?.trim_start_matches("AL");
    let folders: Vec<&str> = parts.collect();
    let named = match folders.as_slice() {
        ["core", _] => return Some((release, None)),
        ["extras", topic, ..] => Some(*topic),
        [topic, _] => Some(*topic),
        _ => None,
    };
    let in_id = short(id, release).split('-').next().filter(|text| !text.is_empty());
    Some((release, named.or(in_id).map(str::to_lowercase)))
}

/// The same in pages and repositories: `-2023-126` of `ALAS-2023-126` and `ALAS2023-2023-126`.
fn short<'i>(id: &'i str, release: &str) -> &'i str {
    let rest = id.strip_prefix("ALAS").unwrap_or(id);
    rest.strip_prefix(release).unwrap_or(rest)
}

#[test]
fn places_are_told_apart() {
    for (path, id, expected) in [
        ("AL2/core/updateinfo.xml", "ALAS2-2023-1", "2 - -2023-1"),
        ("AL2/extras/docker/updateinfo.xml.gz", "ALAS2DOCKER-2021-001", "2 docker DOCKER-2021-001"),
        ("AL2/ALASNGINX1-2021-001.html", "ALASNGINX1-2021-001", "2 nginx1 NGINX1-2021-001"),
        (
            "AL2023/livepatch/updateinfo.xml",
            "ALAS2023LIVEPATCH-2023-1",
            "2023 livepatch LIVEPATCH-2023-1",
        ),
        ("AL2023/ALAS-2023-126.html", "ALAS-2023-126", "2023 - -2023-126"),
        ("AL2023/ALAS-2023-126.html", "ALAS2023-2023-126", "2023 - -2023-126"),
    ] {
        let (release, channel) = place(path, id).unwrap();
        let channel = channel.unwrap_or_else(|| "-".to_owned());
        assert_eq!(format!("{release} {channel} {}", short(id, release)), expected, "{path}");
    }
    assert_eq!(place("core/updateinfo.xml", "ALAS2-2023-1"), None);
}
