//! Known exploited vulnerabilities: which CVE was added on which day.
use crate::segment::container::{self, Bytes, Kind, SegmentError};
use crate::segment::{BuildError, FeedDate};
use seawall_model::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// The open list.
pub struct Kev {
    bytes: Bytes,
    names: Range<usize>,
    meta: KevMeta,
    digest: String,
}

/// Where the list came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KevMeta {
    pub feed: FeedDate,
    pub entries: u32,
}

/// `entries` is CVE id → day it was added, epoch milliseconds (before 1970 counts as 1970).
pub fn build(feed: FeedDate, entries: &BTreeMap<String, Millis>) -> Result<Vec<u8>, BuildError> {
    let mut names = fst::MapBuilder::memory();
    for (id, added) in entries {
        names.insert(id, u64::try_from(*added).unwrap_or_default())?;
    }
    let count =
        u32::try_from(entries.len()).map_err(|_| BuildError::TooLarge("the entry count"))?;
    let meta =
        serde_json::to_vec(&KevMeta { feed, entries: count }).expect("plain values serialise");
    Ok(container::pack(Kind::Kev, &[meta, names.into_inner()?]))
}

impl Kev {
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        let bytes: Bytes = Box::new(bytes);
        let file = (*bytes).as_ref();
        let sections = container::sections(file, Kind::Kev, 2)?;
        let meta =
            serde_json::from_slice(&file[sections[0].clone()]).map_err(SegmentError::Meta)?;
        let names = sections[1].clone();
        let damaged = |_| SegmentError::Section("names");
        fst::Map::new(&file[names.clone()]).map_err(damaged)?.as_fst().verify().map_err(damaged)?;
        let digest = container::digest(file);
        Ok(Self { bytes, names, meta, digest })
    }

    pub fn meta(&self) -> &KevMeta {
        &self.meta
    }

    /// SHA-256 of the content, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The day the CVE was added, epoch milliseconds.
    pub fn added(&self, cve: &str) -> Option<Millis> {
        let names = (*self.bytes).as_ref().get(self.names.clone())?;
        let added = fst::Map::new(names).ok()?.get(cve)?;
        Millis::try_from(added).ok()
    }
}

#[test]
fn a_list_survives_its_file() {
    let feed = FeedDate { key: "cisa-kev".into(), newest: Some(5) };
    let entries = BTreeMap::from([("CVE-2021-44228".to_owned(), 1_639_094_400_000)]);
    let file = build(feed.clone(), &entries).unwrap();
    let kev = Kev::open(file.clone()).unwrap();
    assert_eq!(kev.added("CVE-2021-44228"), Some(1_639_094_400_000));
    assert_eq!(kev.added("CVE-2021-44229"), None);
    assert_eq!(kev.meta(), &KevMeta { feed, entries: 1 });
    let mut damaged = file;
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(Kev::open(damaged), Err(SegmentError::Digest)));
}
