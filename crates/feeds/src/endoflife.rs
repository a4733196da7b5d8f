//! Ends of life of products: one JSON document. Source: endoflife.date, API 1.0, `products/full`.
use crate::compressed;
use crate::enrichment::List;
use crate::export::MALFORMED;
use crate::feed::{Content, Feed};
use crate::records::files;
use crate::report::FileReport;
use crate::time::{day, time};
use seawall_model::Millis;
use seawall_vuln::endoflife::{Life, build};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "endoflife",
    title: "endoflife.date",
    licence: "MIT",
    verified: true,
    default_base: "https://endoflife.date/api/v1/products/",
    files: &["full"],
    listing: None,
    leads: &[],
    content: Content::List { name: "endoflife", read },
};

/// Bytes: the document has 5 MB.
const LIMIT: u64 = 256 * 1024 * 1024;

#[derive(Deserialize)]
struct Document<'a> {
    generated_at: Option<String>,
    #[serde(borrow)]
    result: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    name: String,
    #[serde(default)]
    is_eol: bool,
    eol_from: Option<String>,
}

/// `None` if the base has no document.
fn read(base: &Path) -> Option<List> {
    let is_document = |path: &str| path == "full" || path.ends_with(".json");
    let path = files(base, 0, is_document).ok()?.into_iter().next()?;
    let mut known = Known::default();
    known.report.path.clone_from(&path);
    let mut text = String::new();
    let parsed = compressed::open(&base.join(&path), LIMIT)
        .and_then(|mut plain| plain.read_to_string(&mut text))
        .map_err(|error| format!("not readable: {error}"))
        .and_then(|_| parse(&text, &mut known));
    if let Err(reason) = parsed {
        known.report.refused = Some(reason);
    }
    let Known { entries, written, report } = known;
    Some(List::new(FEED.key, vec![report], written, entries.len(), |date| build(date, &entries)))
}

#[derive(Default)]
pub(crate) struct Known {
    /// By product and release.
    pub(crate) entries: BTreeMap<(String, String), Life>,
    /// Epoch milliseconds.
    written: Option<Millis>,
    pub(crate) report: FileReport,
}

/// A record is a product.
pub(crate) fn parse(text: &str, known: &mut Known) -> Result<(), String> {
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| format!("not readable: {error}"))?;
    known.written = document.generated_at.as_deref().and_then(time);
    for raw in document.result {
        known.report.records += 1;
        let Ok(product) = serde_json::from_str::<Product>(raw.get()) else {
            known.report.drop(MALFORMED);
            continue;
        };
        if product.releases.is_empty() {
            known.report.drop("no release");
            continue;
        }
        known.report.kept += 1;
        for release in product.releases {
            let life =
                Life { over: release.is_eol, ends: release.eol_from.as_deref().and_then(day) };
            for name in product.aliases.iter().chain([&product.name]) {
                known.entries.insert((name.clone(), release.name.clone()), life);
            }
        }
    }
    known.report.refuse_if_malformed();
    match known.report.refused.is_none() && known.entries.is_empty() {
        true => Err("it has no release".to_owned()),
        false => Ok(()),
    }
}
