//! Parts of the index beside segments: a header and a table from names to numbers, and what a part adds to that.
use crate::segment::container::{self, Bytes, Kind, SegmentError};
use crate::segment::{BuildError, FeedDate};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a part came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartMeta {
    pub feed: FeedDate,
    pub entries: u32,
}

/// An open part.
pub(crate) struct Part {
    bytes: Bytes,
    sections: Vec<Range<usize>>,
    meta: PartMeta,
    digest: String,
}

/// `entries` in the order of their names; `rest` are the sections after header and table.
pub(crate) fn pack<'a>(
    kind: Kind,
    feed: FeedDate,
    entries: impl IntoIterator<Item = (&'a str, u64)>,
    rest: Vec<Vec<u8>>,
) -> Result<Vec<u8>, BuildError> {
    let mut names = fst::MapBuilder::memory();
    let mut count = 0u32;
    for (name, value) in entries {
        names.insert(name, value)?;
        count = count.checked_add(1).ok_or(BuildError::TooLarge("the entry count"))?;
    }
    let meta =
        serde_json::to_vec(&PartMeta { feed, entries: count }).expect("plain values serialise");
    let sections: Vec<Vec<u8>> = [meta, names.into_inner()?].into_iter().chain(rest).collect();
    Ok(container::pack(kind, &sections))
}

impl Part {
    /// `rest`: how many sections follow header and table.
    pub(crate) fn open(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        kind: Kind,
        rest: usize,
    ) -> Result<Self, SegmentError> {
        let bytes: Bytes = Box::new(bytes);
        let file = (*bytes).as_ref();
        let sections = container::sections(file, kind, 2 + rest)?;
        let meta =
            serde_json::from_slice(&file[sections[0].clone()]).map_err(SegmentError::Meta)?;
        let damaged = |_| SegmentError::Section("names");
        let names = fst::Map::new(&file[sections[1].clone()]).map_err(damaged)?;
        names.as_fst().verify().map_err(damaged)?;
        let digest = container::digest(file);
        Ok(Self { bytes, sections, meta, digest })
    }

    pub(crate) fn meta(&self) -> &PartMeta {
        &self.meta
    }

    /// SHA-256 of the content, hexadecimal.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        fst::Map::new(self.section(1)).ok()?.get(name)
    }

    /// By place; empty where there is none.
    pub(crate) fn section(&self, place: usize) -> &[u8] {
        let range = self.sections.get(place).cloned().unwrap_or_default();
        (*self.bytes).as_ref().get(range).unwrap_or_default()
    }
}
