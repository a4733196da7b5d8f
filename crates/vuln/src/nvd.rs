//! How NVD rates CVEs and what it calls them. It rates, it never creates a finding.
use crate::part::{self, Part, PartMeta};
use crate::segment::container::{Kind, SegmentError};
use crate::segment::details::{BlockWriter, inflate_block};
use crate::segment::{BlockSpan, BuildError, DetailSpan, DetailsCache, FeedDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zerocopy::FromBytes;

/// Sections after header and table.
const RECORDS: usize = 2;
const SPANS: usize = 3;
const BLOCKS: usize = 4;

/// The open list.
pub struct Nvd(Part);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rated {
    /// CVSS vector of the newest version that it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

pub fn build(feed: FeedDate, entries: &BTreeMap<String, Rated>) -> Result<Vec<u8>, BuildError> {
    let mut writer = BlockWriter::default();
    for (id, rated) in entries {
        let json = serde_json::to_vec(rated)
            .map_err(|source| BuildError::Details { record: id.clone(), source })?;
        writer.add(&json).ok_or(BuildError::TooLarge("the details"))?;
    }
    let blocks = writer.finish().ok_or(BuildError::TooLarge("the details"))?;
    let names = entries.keys().map(String::as_str).zip(0u64..);
    part::pack(Kind::Nvd, feed, names, vec![blocks.records, blocks.spans, blocks.blocks])
}

impl Nvd {
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        let part = Part::open(bytes, Kind::Nvd, 3)?;
        let aligned = |place, size: usize| part.section(place).len().is_multiple_of(size);
        match aligned(RECORDS, size_of::<DetailSpan>()) && aligned(SPANS, size_of::<BlockSpan>()) {
            true => Ok(Self(part)),
            false => Err(SegmentError::Section("records")),
        }
    }

    pub fn meta(&self) -> &PartMeta {
        self.0.meta()
    }

    /// SHA-256 of the content, hexadecimal.
    pub fn digest(&self) -> &str {
        self.0.digest()
    }

    /// What it says of a CVE.
    pub fn of(&self, cve: &str, cache: &mut DetailsCache) -> Result<Option<Rated>, SegmentError> {
        let damaged = || SegmentError::Section("records");
        let Some(place) = self.0.get(cve) else { return Ok(None) };
        let spans =
            <[DetailSpan]>::ref_from_bytes(self.0.section(RECORDS)).map_err(|_| damaged())?;
        let place = usize::try_from(place).map_err(|_| damaged())?;
        let span = spans.get(place).ok_or_else(damaged)?;
        let inflated = || {
            let spans = <[BlockSpan]>::ref_from_bytes(self.0.section(SPANS)).ok()?;
            inflate_block(spans, self.0.section(BLOCKS), span.block.get())
        };
        let json = cache.text(self.digest(), span, inflated).ok_or_else(damaged)?;
        serde_json::from_slice(json).map(Some).map_err(|_| damaged())
    }
}

#[test]
fn ratings_survive_their_file() {
    let feed = FeedDate { key: "nvd".into(), newest: None };
    let rated =
        |n: u32| Rated { vector: None, title: Some(format!("title {n} {}", "x".repeat(99))) };
    let entries: BTreeMap<String, Rated> =
        (1000..4000).map(|n| (format!("CVE-2024-{n}"), rated(n))).collect();
    let nvd = Nvd::open(build(feed, &entries).unwrap()).unwrap();
    let mut cache = DetailsCache::default();
    for (id, rated) in &entries {
        assert_eq!(nvd.of(id, &mut cache).unwrap().as_ref(), Some(rated), "{id}");
    }
    assert_eq!(nvd.of("CVE-2024-0001", &mut cache).unwrap(), None);
    assert_eq!(nvd.meta().entries, 3000);
}
