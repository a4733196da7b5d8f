//! NVD's CVEs: pages of the 2.0 API, or whole years in the same form. Source: nvd.nist.gov, "CVE API", schema 2.0.
use crate::compressed;
use crate::enrichment::List;
use crate::export::{DUPLICATE, MALFORMED};
use crate::feed::{Content, Feed};
use crate::records::{files, is_cve, title};
use crate::report::FileReport;
use seawall_model::Millis;
use seawall_vuln::nvd::{Rated, build};
use seawall_vuln::score;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "nvd",
    title: "National Vulnerability Database",
    licence: "public domain (17 U.S.C. 105)",
    verified: true,
    default_base: "https://nvd.nist.gov/feeds/json/cve/2.0/",
    files: &YEARS,
    listing: None,
    leads: &[],
    content: Content::List { name: "nvd", read },
};

/// One file a year, by the year in the CVE; what is older than the first year stands in it.
const YEARS: [&str; 25] = [
    "nvdcve-2.0-2002.json.gz",
    "nvdcve-2.0-2003.json.gz",
    "nvdcve-2.0-2004.json.gz",
    "nvdcve-2.0-2005.json.gz",
    "nvdcve-2.0-2006.json.gz",
    "nvdcve-2.0-2007.json.gz",
    "nvdcve-2.0-2008.json.gz",
    "nvdcve-2.0-2009.json.gz",
    "nvdcve-2.0-2010.json.gz",
    "nvdcve-2.0-2011.json.gz",
    "nvdcve-2.0-2012.json.gz",
    "nvdcve-2.0-2013.json.gz",
    "nvdcve-2.0-2014.json.gz",
    "nvdcve-2.0-2015.json.gz",
    "nvdcve-2.0-2016.json.gz",
    "nvdcve-2.0-2017.json.gz",
    "nvdcve-2.0-2018.json.gz",
    "nvdcve-2.0-2019.json.gz",
    "nvdcve-2.0-2020.json.gz",
    "nvdcve-2.0-2021.json.gz",
    "nvdcve-2.0-2022.json.gz",
    "nvdcve-2.0-2023.json.gz",
    "nvdcve-2.0-2024.json.gz",
    "nvdcve-2.0-2025.json.gz",
    "nvdcve-2.0-2026.json.gz",
];

/// Bytes of a file, inflated: a year has 200 MB.
const LIMIT: u64 = 4 * 1024 * 1024 * 1024;

/// Classes of records that rate nothing.
const REJECTED: &str = "rejected CVE";
const SILENT: &str = "no rating and no text";

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    cve: Cve,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    last_modified: Option<String>,
    vuln_status: Option<String>,
    #[serde(default)]
    descriptions: Vec<Description>,
    #[serde(default)]
    metrics: BTreeMap<String, Vec<Metric>>,
}

#[derive(Deserialize)]
struct Description {
    lang: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    /// `Primary`, `Secondary`.
    #[serde(rename = "type")]
    kind: Option<String>,
    cvss_data: Option<Cvss>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cvss {
    vector_string: Option<String>,
}

/// `None` if the base has no page.
fn read(base: &Path) -> Option<List> {
    let is_page = |path: &str| path.ends_with(".json") || path.ends_with(".json.gz");
    let paths = files(base, 1, is_page).ok().filter(|paths| !paths.is_empty())?;
    let mut known = Known::default();
    let mut reports = Vec::new();
    for path in paths {
        let mut report = FileReport { path: path.clone(), ..FileReport::default() };
        let mut text = String::new();
        let parsed = compressed::open(&base.join(&path), LIMIT)
            .and_then(|mut plain| plain.read_to_string(&mut text))
            .map_err(|error| format!("not readable: {error}"))
            .and_then(|_| parse(&text, &mut known, &mut report));
        if let Err(reason) = parsed {
            report.refused = Some(reason);
        }
        reports.push(report);
    }
    let Known { entries, newest } = known;
    Some(List::new(FEED.key, reports, newest, entries.len(), |date| build(date, &entries)))
}

#[derive(Default)]
pub(crate) struct Known {
    pub(crate) entries: BTreeMap<String, Rated>,
    /// Epoch milliseconds.
    pub(crate) newest: Option<Millis>,
}

pub(crate) fn parse(text: &str, known: &mut Known, report: &mut FileReport) -> Result<(), String> {
    let page: Page<'_> =
        serde_json::from_str(text).map_err(|error| format!("not readable: {error}"))?;
    for raw in page.vulnerabilities {
        report.records += 1;
        let record = serde_json::from_str::<Record>(raw.get()).ok();
        let Some(Record { cve }) = record.filter(|record| is_cve(&record.cve.id)) else {
            report.drop(MALFORMED);
            continue;
        };
        let changed = cve.last_modified.as_deref().and_then(utc);
        if cve.vuln_status.as_deref() == Some("Rejected") {
            report.drop(REJECTED);
            continue;
        }
        let english = cve.descriptions.iter().find(|own| own.lang == "en");
        let rated = Rated {
            vector: vector(&cve.metrics),
            title: english.and_then(|own| title(&own.value)),
        };
        if rated == Rated::default() {
            report.drop(SILENT);
            continue;
        }
        known.newest = known.newest.max(changed);
        match known.entries.insert(cve.id, rated) {
            None => report.kept += 1,
            Some(_) => report.drop(DUPLICATE),
        }
    }
    report.refuse_if_malformed();
    match page_is_empty(report) {
        true => Err("it has no records".to_owned()),
        false => Ok(()),
    }
}

fn page_is_empty(report: &FileReport) -> bool {
    report.refused.is_none() && report.records == 0
}

/// NVD's own before that of the CVE's author, the newest version first.
fn vector(metrics: &BTreeMap<String, Vec<Metric>>) -> Option<String> {
    let versions = ["cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2"];
    let of = |primary: bool| {
        let own = versions.iter().filter_map(|version| metrics.get(*version)).flatten();
        own.filter(move |metric| (metric.kind.as_deref() == Some("Primary")) == primary)
    };
    let mut vectors = of(true)
        .chain(of(false))
        .filter_map(|metric| metric.cvss_data.as_ref()?.vector_string.clone());
    vectors.find(|vector| score::level(vector).is_some())
}

/// `2023-10-18T18:00:24.900`, which is UTC.
fn utc(text: &str) -> Option<Millis> {
    crate::time::time(&format!("{}Z", text.trim_end_matches('Z')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: vector and title of the one record, else the class it is dropped under.
    #[track_caller]
    fn check(cve: &str, expected: &str) {
        let (mut known, mut report) = (Known::default(), FileReport::default());
        let text = format!(r#"{{"vulnerabilities":[{{"cve":{cve}}}]}}"#);
        let _ = parse(&text, &mut known, &mut report);
        let kept = known.entries.values().map(|rated| {
            let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} {}", part(&rated.vector), part(&rated.title))
        });
        let told: Vec<String> = kept.chain(report.drops.into_keys()).collect();
        assert_eq!(told.join("; "), expected);
    }

    #[test]
    fn nvd_speaks_before_the_author() {
        let metric = |kind: &str, vector: &str| {
            format!(r#"{{"type":"{kind}","cvssData":{{"vectorString":"{vector}"}}}}"#)
        };
        let (low, high) = (
            "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        );
        let own = format!(
            r#"{{"id":"CVE-2024-0001","metrics":{{"cvssMetricV31":[{},{}]}}}}"#,
            metric("Secondary", low),
            metric("Primary", high)
        );
        check(&own, &format!("{high} -"));
        let other = format!(
            r#"{{"id":"CVE-2024-0001","descriptions":[{{"lang":"es","value":"s"}},{{"lang":"en","value":"A flaw."}}],
            "metrics":{{"cvssMetricV31":[{}],"cvssMetricV40":[{}]}}}}"#,
            metric("Secondary", low),
            metric("Primary", "broken")
        );
        check(&other, &format!("{low} A flaw."));
        check(r#"{"id":"CVE-2024-0001","vulnStatus":"Rejected"}"#, REJECTED);
        check(r#"{"id":"CVE-2024-0001"}"#, SILENT);
        check(r#"{"id":7}"#, MALFORMED);
    }
}
