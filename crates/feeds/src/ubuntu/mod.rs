//! Ubuntu's own records: OSV says which versions a flaw is in, VEX what Canonical thinks of each package.
//! Source: security-metadata.canonical.com; states of Canonical's tracker.
//!
//! Canonical holds parts of its releases back for subscribers: those are channels, each with fixes of its own. A flaw is
//! disclosed by what everybody gets; where only channels speak of it, by them.
pub(crate) mod release;
mod vex;

use crate::documents;
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::osv;
use crate::records::{advisory, affected, all, below};
use crate::report::FileReport;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use vex::{Document, Said, Statement};

pub(crate) static FEED: Feed = Feed {
    key: "ubuntu",
    title: "Ubuntu security notices and tracker",
    licence: "CC-BY-SA-4.0",
    verified: true,
    default_base: "https://security-metadata.canonical.com/",
    files: &["osv/osv-all.tar.xz", "vex/vex-all.tar.xz"],
    listing: None,
    leads: &[Ecosystem::Ubuntu],
    content: Content::Advisories(export),
};

fn export(base: &Path) -> io::Result<Export> {
    let mut advisories = Vec::new();
    let mut reports = documents::each(
        base,
        "osv",
        |_| true,
        |_, text, report| match osv::record(text) {
            Ok((advisory, dropped)) => {
                report.kept += 1;
                for class in dropped {
                    *report.part_drops.entry(class).or_default() += 1;
                }
                advisories.push(advisory);
            }
            Err(class) => report.drop(class),
        },
    )?;
    let mut flaws: BTreeMap<String, Document> = BTreeMap::new();
    let said = documents::each(
        base,
        "vex",
        |_| true,
        |_, text, report| match vex::parse(text) {
            Ok(document) => {
                report.kept += 1;
                if document.unplaced > 0 {
                    let class = "product of an unknown release".to_owned();
                    *report.part_drops.entry(class).or_default() += document.unplaced;
                }
                flaws.insert(document.cve.clone(), document);
            }
            Err(class) => report.drop(class),
        },
    )?;
    if let Some(report) = reports.first_mut() {
        drop_notices(&mut advisories, report);
    }
    reports.extend(said);
    let mut export = Export::default();
    export.add_together(reports, Ecosystem::Ubuntu, settle(advisories, flaws));
    Ok(export)
}

/// A notice names its CVEs and its packages, not which of them belong together; the records of the CVEs do.
fn drop_notices(advisories: &mut Vec<Advisory>, report: &mut FileReport) {
    let told: BTreeSet<String> = advisories
        .iter()
        .filter_map(|advisory| advisory.id.strip_prefix("UBUNTU-").map(str::to_owned))
        .collect();
    let before = advisories.len();
    advisories.retain(|own| {
        let repeats = !own.cves.is_empty() && own.cves.iter().all(|cve| told.contains(cve));
        !(own.id.starts_with("USN-") && repeats)
    });
    let repeated = (before - advisories.len()) as u64;
    if repeated > 0 {
        report.kept -= repeated;
        *report.drops.entry("notice of CVEs with records of their own".to_owned()).or_default() +=
            repeated;
    }
}

type Key = (String, Option<String>, String);

/// VEX speaks of entries that OSV has, and of others.
fn settle(mut advisories: Vec<Advisory>, mut flaws: BTreeMap<String, Document>) -> Vec<Advisory> {
    for own in advisories.iter_mut().filter(|own| own.withdrawn.is_none()) {
        let cve = own.id.strip_prefix("UBUNTU-").unwrap_or_default();
        let Some(document) = flaws.remove(cve) else { continue };
        let mut said = by_package(document.statements);
        for entry in &mut own.affected {
            let release = entry.release.clone().unwrap_or_default();
            let key = (release, entry.only.channel.clone(), entry.name.clone());
            if let Some(statement) = said.remove(&key) {
                apply(entry, statement.said);
            }
        }
        let known: BTreeSet<(String, String)> = own
            .affected
            .iter()
            .filter(|entry| entry.only.channel.is_some())
            .map(|entry| (entry.release.clone().unwrap_or_default(), entry.name.clone()))
            .collect();
        own.affected.extend(alone(said, &known));
    }
    for (cve, document) in flaws {
        let affected = alone(by_package(document.statements), &BTreeSet::new());
        if !affected.is_empty() {
            let references = vec![format!("https://ubuntu.com/security/{cve}")];
            let (cves, title) = (vec![cve.clone()], document.title);
            advisories.push(Advisory { cves, title, references, affected, ..advisory(cve) });
        }
    }
    advisories
}

fn by_package(statements: Vec<Statement>) -> BTreeMap<Key, Statement> {
    let key = |own: &Statement| (own.release.clone(), own.channel.clone(), own.package.clone());
    statements.into_iter().map(|own| (key(&own), own)).collect()
}

fn apply(entry: &mut Affected, said: Said) {
    let open = entry.ranges.iter().any(|range| range.end == RangeEnd::Open);
    match said {
        Said::NotAffected(reason) => {
            entry.versions.clear();
            entry.ranges =
                vec![Range { introduced: None, end: RangeEnd::NotAffected(Some(reason)) }];
        }
        Said::Affected(status) if open => entry.unfixed = status,
        Said::Investigated if open => {
            entry.undecidable = true;
            entry.unfixed = FixStatus::UnderInvestigation;
        }
        Said::Affected(_) | Said::Investigated | Said::Fixed => {}
    }
}

/// What VEX alone says. `channels`: releases and packages that a channel speaks of.
fn alone(said: BTreeMap<Key, Statement>, channels: &BTreeSet<(String, String)>) -> Vec<Affected> {
    let told = |own: &Statement| (own.release.clone(), own.package.clone());
    let mut channels = channels.clone();
    channels.extend(said.values().filter(|own| own.channel.is_some()).map(told));
    // Nobody looks at a base past its support; its channels are looked at.
    let counts = |own: &&Statement| {
        let ended = own.said == Said::Affected(FixStatus::EndOfLife);
        own.channel.is_some() || !ended || !channels.contains(&told(own))
    };
    said.values().filter(counts).map(entry).collect()
}

fn entry(own: &Statement) -> Affected {
    let never = |reason: &str| RangeEnd::NotAffected(Some(reason.to_owned()));
    let (range, undecidable, unfixed) = match &own.said {
        Said::NotAffected(reason) => {
            (Range { introduced: None, end: never(reason) }, false, FixStatus::None)
        }
        // Out of support is no word on the flaw.
        Said::Affected(FixStatus::EndOfLife) => (all(), true, FixStatus::EndOfLife),
        Said::Affected(status) => (all(), false, *status),
        Said::Investigated => (all(), true, FixStatus::UnderInvestigation),
        // The fix came at this version or before.
        Said::Fixed => (below(&own.version), true, FixStatus::None),
    };
    let mut entry = affected(Ecosystem::Ubuntu, Some(&own.release), &own.package, vec![range]);
    entry.only = Only { channel: own.channel.clone(), ..Only::default() };
    (entry.undecidable, entry.unfixed) = (undecidable, unfixed);
    entry
}

/// What one VEX document says by itself; none where it is no such document.
pub(crate) fn of_vex(text: &[u8]) -> Vec<Advisory> {
    let Ok(document) = vex::parse(text) else { return Vec::new() };
    settle(Vec::new(), BTreeMap::from([(document.cve.clone(), document)]))
}
