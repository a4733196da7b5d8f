//! Reads a segment from bytes that may be a memory map. Everything is checked once on opening; look-ups afterwards
//! still go through bounds-checked slices.
use super::container::{self, Bytes, Kind};
use super::{BlockSpan, DetailSpan, KeySpan, Meta, NONE, Row, RowKind, SegmentError, section};
use fst::Streamer;
use seawall_model::advisory::Only;
use std::ops::Range;
use zerocopy::FromBytes;

/// One open segment.
pub struct Segment {
    bytes: Bytes,
    sections: Vec<Range<usize>>,
    meta: Meta,
    only: Vec<Only>,
    digest: String,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Segment {
    /// Refuses bytes with an unknown layout, a wrong digest or a place outside its section.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        let bytes: Bytes = Box::new(bytes);
        let file = (*bytes).as_ref();
        let sections = container::sections(file, Kind::Segment, section::COUNT)?;
        let meta = &file[sections[section::META].clone()];
        let meta = serde_json::from_slice(meta).map_err(SegmentError::Meta)?;
        let only = &file[sections[section::ONLY].clone()];
        let only = serde_json::from_slice(only).map_err(|_| SegmentError::Section("only"))?;
        let digest = container::digest(file);
        let segment = Self { bytes, sections, meta, only, digest };
        segment.validate()?;
        Ok(segment)
    }

    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// `Debian:11`, `PyPI`.
    pub fn name(&self) -> String {
        crate::name::segment(self.meta.ecosystem, self.meta.release.as_deref())
    }

    /// SHA-256 of the content, hexadecimal: equal digests match equally.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Package names in byte order.
    pub fn names(&self) -> Vec<String> {
        let Some(map) = self.map() else { return Vec::new() };
        let mut stream = map.stream();
        let mut names = Vec::new();
        while let Some((name, _)) = stream.next() {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
        names
    }

    /// Hands over every name with its rows, in order of names.
    pub(crate) fn each_name(&self, mut each: impl FnMut(&str, &[Row])) {
        let Some(map) = self.map() else { return };
        let mut stream = map.stream();
        while let Some((name, posting)) = stream.next() {
            let rows = self.all_rows().get(posting_range(posting)).unwrap_or_default();
            each(&String::from_utf8_lossy(name), rows);
        }
    }

    /// Equal where two builds hold the same text of a record.
    pub(crate) fn record_hash(&self, advisory: u32) -> Option<u64> {
        self.records().get(advisory as usize).map(|record| record.hash.get())
    }

    /// Names that an advisory has rows for. Reads every row: for people, not for matching.
    pub(crate) fn names_of(&self, advisory: u32) -> Vec<String> {
        let own = |name: &String| self.rows(name).iter().any(|row| row.advisory == advisory);
        self.names().into_iter().filter(own).collect()
    }

    pub(crate) fn rows(&self, name: &str) -> &[Row] {
        let posting = self.map().and_then(|map| map.get(name));
        posting.and_then(|posting| self.all_rows().get(posting_range(posting))).unwrap_or_default()
    }

    pub(crate) fn all_rows(&self) -> &[Row] {
        <[Row]>::ref_from_bytes(self.section(section::ROWS)).unwrap_or_default()
    }

    /// What a row asks beside the version, if anything.
    pub(crate) fn only(&self, row: &Row) -> Option<&Only> {
        self.only.get(row.only.get() as usize)
    }

    /// Key bytes and the version as the record wrote it; `None` for [`NONE`].
    pub(crate) fn key(&self, place: u32) -> Option<(&[u8], &str)> {
        let span = self.key_spans().get(place as usize)?;
        let (key_len, text_len) = (span.key_len.get() as usize, span.text_len.get() as usize);
        let bytes = self.section(section::KEYS).get(span.key_start.get() as usize..)?;
        let text = bytes.get(key_len..)?.get(..text_len)?;
        Some((bytes.get(..key_len)?, std::str::from_utf8(text).ok()?))
    }

    pub(super) fn section(&self, index: usize) -> &[u8] {
        let range = self.sections.get(index).cloned().unwrap_or_default();
        (*self.bytes).as_ref().get(range).unwrap_or_default()
    }

    pub(super) fn records(&self) -> &[DetailSpan] {
        <[DetailSpan]>::ref_from_bytes(self.section(section::RECORDS)).unwrap_or_default()
    }

    pub(super) fn block_spans(&self) -> &[BlockSpan] {
        <[BlockSpan]>::ref_from_bytes(self.section(section::BLOCK_SPANS)).unwrap_or_default()
    }

    fn key_spans(&self) -> &[KeySpan] {
        <[KeySpan]>::ref_from_bytes(self.section(section::KEY_SPANS)).unwrap_or_default()
    }

    fn map(&self) -> Option<fst::Map<&[u8]>> {
        fst::Map::new(self.section(section::NAMES)).ok()
    }

    fn validate(&self) -> Result<(), SegmentError> {
        let names = self.map().ok_or(SegmentError::Section("names"))?;
        names.as_fst().verify().map_err(|_| SegmentError::Section("names"))?;
        let whole = |index: usize, size: usize| self.section(index).len().is_multiple_of(size);
        if !whole(section::ROWS, size_of::<Row>()) {
            return Err(SegmentError::Section("rows"));
        }
        if !whole(section::KEY_SPANS, size_of::<KeySpan>()) {
            return Err(SegmentError::Section("keys"));
        }
        let spans = whole(section::RECORDS, size_of::<DetailSpan>())
            && whole(section::BLOCK_SPANS, size_of::<BlockSpan>());
        if !spans {
            return Err(SegmentError::Section("details"));
        }
        let rows = self.all_rows().len();
        let mut stream = names.stream();
        while let Some((name, posting)) = stream.next() {
            if std::str::from_utf8(name).is_err() || posting_range(posting).end > rows {
                return Err(SegmentError::Section("names"));
            }
        }
        let keys = 0..self.key_spans().len();
        if keys.into_iter().any(|place| self.key(u32::try_from(place).unwrap_or(NONE)).is_none()) {
            return Err(SegmentError::Section("keys"));
        }
        self.all_rows()
            .iter()
            .all(|row| self.row_holds(row))
            .then_some(())
            .ok_or(SegmentError::Section("rows"))
    }

    /// Whether every place the row names exists.
    fn row_holds(&self, row: &Row) -> bool {
        let key = |place: u32| (place as usize) < self.key_spans().len();
        let end = match RowKind::from_byte(row.kind) {
            None => return false,
            Some(RowKind::Open | RowKind::NotAffected) => row.end == NONE,
            Some(RowKind::Fixed | RowKind::LastAffected | RowKind::Listed) => key(row.end.get()),
        };
        end && (row.introduced == NONE || key(row.introduced.get()))
            && (row.advisory.get() as usize) < self.records().len()
            && usize::from(row.feed) < self.meta.feeds.len()
    }
}

/// A posting is the first row in the upper and the number of rows in the lower half.
fn posting_range(posting: u64) -> Range<usize> {
    let (start, len) = ((posting >> 32) as usize, (posting & u64::from(u32::MAX)) as usize);
    start..start.saturating_add(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Subject, judge};
    use crate::segment::{DetailsCache, FeedDate, build};
    use proptest::prelude::*;
    use seawall_model::advisory::{Advisory, Affected, Only, Range as VersionRange, RangeEnd};
    use seawall_model::package::Ecosystem;

    fn file() -> Vec<u8> {
        let affected = |name: &str| Affected {
            ecosystem: Ecosystem::PyPI,
            release: None,
            name: name.to_owned(),
            ranges: vec![VersionRange {
                introduced: Some("1".into()),
                end: RangeEnd::Fixed("2".into()),
            }],
            versions: vec!["0.5".into()],
            severity: None,
            undecidable: false,
            only: Only::default(),
            unfixed: seawall_model::finding::FixStatus::None,
        };
        let advisory = Advisory {
            id: "P-1".into(),
            cves: vec!["CVE-2024-0001".into()],
            aliases: Vec::new(),
            title: None,
            severity: seawall_model::Severity::High,
            cvss: None,
            references: Vec::new(),
            published: None,
            modified: None,
            withdrawn: None,
            affected: vec![affected("demo"), affected("other")],
        };
        let feed = FeedDate { key: "osv".into(), newest: None };
        build(Ecosystem::PyPI, None, feed, &[&advisory]).unwrap().bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

        /// A wrong digest stops accidents; this is a file that someone sealed again after changing it.
        #[test]
        fn sealed_nonsense_is_refused_or_read_without_panic(
            changes in prop::collection::vec((48usize..2_000, any::<u8>()), 1..4)
        ) {
            let mut bytes = file();
            for (at, byte) in changes {
                let at = 48 + (at - 48) % (bytes.len() - 48);
                bytes[at] = byte;
            }
            container::seal(&mut bytes);
            if let Ok(segment) = Segment::open(bytes) {
                let mut cache = DetailsCache::default();
                for name in segment.names().iter().map(String::as_str).chain(["demo"]) {
                    for judgement in judge(&segment, &Subject::plain(name, "1.5")) {
                        let _ = cache.advisory(&segment, judgement.advisory);
                    }
                }
            }
        }
    }
}
